package console

import (
	"cmp"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func programsArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.holds(blueberry.GrantClientsRead) {
				return nil
			}
			return []menuItem{{To: "/oauth-clients", Name: "Programs", Icon: "plug", Group: groupAccess}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /oauth-clients": oauthClients, "GET /oauth-clients/new": newProgram, "GET /oauth-clients/{id}": oauthClient, "GET /oauth-clients/{id}/edit": editProgram, "GET /oauth-clients/{id}/{verb}": askProgram,
			"GET /oauth-tokens": oauthTokens, "GET /oauth-tokens/{id}/revoke": askRevokeOAuthToken,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /oauth-clients": createProgram, "POST /oauth-clients/{id}/edit": changeProgram, "POST /oauth-clients/{id}/{verb}": doProgram, "POST /oauth-tokens/{id}/revoke": revokeOAuthToken,
		},
		Done: map[string]string{
			"program-made": "The program is registered.", "program-changed": "The program is changed.", "program-disable": "The program and its tokens are refused from now on.", "program-enable": "The program may get tokens again.",
			"program-delete": "The program is gone, with its consents and tokens.", "oauth-token-revoked": "The token is over.",
		},
	}
}

var programsTrail = option{"/oauth-clients", "Programs"}

// flows are the ways by which a program gets tokens, with what they are for.
var flows = []struct{ Word, Short, Name, Hint string }{
	{"authorization_code", "authorization_code", "Asks a person in the browser", "With PKCE. It needs an address to send the code to."},
	{"urn:ietf:params:oauth:grant-type:device_code", "device_code", "Asks a person on another device", "For what has no browser."},
	{"refresh_token", "refresh_token", "Stays allowed without asking again", "Beside one of the two above."},
	{"client_credentials", "client_credentials", "Acts for itself", "With its secret, and grants of its own."},
}

func flowName(word string) string {
	for _, f := range flows {
		if f.Word == word {
			return f.Name
		}
	}
	return word
}

var programTabs = []option{{"/oauth-clients", "OAuth clients"}, {"/oauth-tokens", "OAuth tokens"}}

// programsView is the programs that are registered.
type programsView struct {
	Items   []sdk.OAuthClient
	Next    string
	MayMake bool
}

func oauthClients(v *visit) (page, error) {
	list, err := v.api.ListOAuthClients(v.ctx, sdk.OAuthClientFilter{After: v.r.URL.Query().Get("after")})
	if err != nil {
		return page{}, err
	}
	return page{Title: "Programs", Here: "/oauth-clients", Body: programsBody(programsView{list.Items, following(v.r.URL, "after", list.NextAfter), v.holds(blueberry.GrantClientsWrite)}), Watch: interest{Any: true}}, nil
}

// programView is one program with the tokens that it has.
type programView struct {
	sdk.OAuthClient
	Verbs      []programVerb
	Tokens     []sdk.OAuthToken
	SeesTokens bool
	EndsTokens bool
	MayChange  bool
	People     map[string]string // addresses by id
}

func oauthClient(v *visit) (page, error) {
	c, err := v.api.GetOAuthClient(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	x := programView{OAuthClient: c, MayChange: v.holds(blueberry.GrantClientsWrite) && !c.Trusted, SeesTokens: v.holds(blueberry.GrantTokensRead), EndsTokens: v.holds(blueberry.GrantTokensWrite)}
	if v.holds(blueberry.GrantClientsWrite) {
		for _, verb := range programVerbs {
			if verb.fits(c) {
				x.Verbs = append(x.Verbs, verb)
			}
		}
	}
	if x.SeesTokens {
		list, err := v.api.ListOAuthTokens(v.ctx, sdk.OAuthTokenFilter{User: "*", Client: c.ID, Limit: 20})
		if err != nil {
			return page{}, err
		}
		x.Tokens, x.People = list.Items, v.addresses(list.Items)
	}
	return page{Title: c.Name, Here: "/oauth-clients", Body: programBody(x), Watch: interest{Any: true}}, nil
}

// addresses are those of the people that tokens act for, as far as one may see them.
func (v *visit) addresses(tokens []sdk.OAuthToken) map[string]string {
	out := map[string]string{}
	for _, t := range tokens {
		if t.UserID == "" || out[t.UserID] != "" {
			continue
		}
		out[t.UserID] = t.UserID
		if u, err := v.api.GetUser(v.ctx, t.UserID); err == nil {
			out[t.UserID] = u.Email
		}
	}
	return out
}

func newProgram(v *visit) (page, error) { return v.newProgram(nil) }

func (v *visit) wantedFlows(has []string) (out []string) {
	for _, f := range flows {
		if v.was("flow."+f.Short, slices.Contains(has, f.Word)) {
			out = append(out, f.Word)
		}
	}
	return out
}

func (v *visit) wantedProgram() sdk.CreateOAuthClientRequest {
	return sdk.CreateOAuthClientRequest{
		Name: v.entered("name", ""), Public: v.was("public", false), RedirectURIs: words(v.entered("redirect_uris", "")), Flows: v.wantedFlows([]string{"authorization_code", "refresh_token"}),
		Grants: words(v.entered("grants", "environments:read")), Projects: words(v.entered("projects", "")),
	}
}

// programInputs are the fields that a new program and a changed one have.
func (v *visit) programInputs(c sdk.OAuthClient) []input {
	out := []input{{Name: "name", Label: "Name", Value: v.entered("name", c.Name), Required: true, Placeholder: "Dashboards", Hint: "As people see it when they are asked."}}
	for _, f := range flows {
		out = append(out, input{Name: "flow." + f.Short, Label: f.Name, Kind: "check", Value: checked(v.was("flow."+f.Short, slices.Contains(c.Flows, f.Word))), Hint: f.Hint})
	}
	return append(out,
		input{Name: "redirect_uris", Label: "Where codes may be sent", Kind: "area", Code: true, Value: v.entered("redirect_uris", strings.Join(c.RedirectURIs, "\n")), Placeholder: "https://dashboards.example.com/callback", Hint: "Exactly, one a line. Only for a program that asks in the browser."},
		input{Name: "grants", Label: "The most it can be given", Kind: "area", Code: true, Rows: 4, Value: v.entered("grants", strings.Join(c.Grants, "\n")), Required: true, Placeholder: "environments:read", Hint: "Grants, one a line. The page of roles lists them."},
		input{Name: "projects", Label: "Only in these projects", Value: v.entered("projects", strings.Join(c.Projects, " ")), Code: true, Hint: "With spaces between. Empty for everywhere."})
}

// programProblem brings what is wrong with flows to where it can be seen: the first of them.
func programProblem(p *sdk.Problem) *sdk.Problem {
	p = gathered(p, "redirect_uris", "grants", "projects", "flows")
	if p == nil {
		return nil
	}
	for i, e := range p.Errors {
		if e.Field == "flows" {
			p.Errors[i].Field = "flow.authorization_code"
		}
	}
	return p
}

func (v *visit) newProgram(problem *sdk.Problem) (page, error) {
	if err := v.needs("", blueberry.GrantClientsWrite); err != nil {
		return page{}, err
	}
	r := v.wantedProgram()
	a := ask{
		Title: "Register a program", Action: "/oauth-clients", Label: "Register", Back: "/oauth-clients", Problem: programProblem(problem), Call: "POST /v1/oauth-clients",
		What:   "A program that acts for people who allow it, or for itself, by OAuth 2.0. It never gets more than you hold. Its secret is shown once.",
		Inputs: v.programInputs(sdk.OAuthClient{Flows: r.Flows, Grants: []string{"environments:read"}}),
	}
	a.Inputs = append(a.Inputs, input{Name: "public", Label: "It has no secret", Kind: "check", Value: checked(r.Public), Hint: "As a program on a person's machine, which can keep none."})
	r.Name = cmp.Or(r.Name, "Dashboards")
	a.Body, a.CLI = jsonOf(r), command("oauth-client create "+shellWord(r.Name), programFlags(r.Flows, r.RedirectURIs, r.Grants, r.Projects)...)
	if r.Public {
		a.CLI += " --public"
	}
	return asked("Programs", "/oauth-clients", []option{programsTrail}, a), nil
}

// programFlags are the flags of the command for what the forms have.
func programFlags(wanted, uris, grants, projects []string) []string {
	var out []string
	for _, f := range flows {
		if slices.Contains(wanted, f.Word) {
			out = append(out, "flow", f.Short)
		}
	}
	return slices.Concat(out, flagged("redirect-uri", uris), flagged("grant", grants), flagged("project", projects))
}

func createProgram(v *visit) (string, error) {
	made, err := v.api.CreateOAuthClient(v.ctx, v.wantedProgram())
	if err != nil {
		return "", v.formAgain(err, v.newProgram)
	}
	if made.Secret == "" {
		return accessPath("oauth-clients", made.Client.ID) + "?done=program-made", nil
	}
	return "", once("/oauth-clients", programTold(made.Client.Name+" is registered", made))
}

func programTold(title string, made sdk.MadeOAuthClient) shownOnce {
	return shownOnce{
		Title: title, Name: "Client secret of " + made.Client.ID, Secret: made.Secret, On: option{accessPath("oauth-clients", made.Client.ID), "To " + made.Client.Name}, Trail: []option{programsTrail},
		What: "Give it to the program, beside its client id. Whoever has it can act as the program.",
	}
}

func editProgram(v *visit) (page, error) { return v.editProgram(nil) }

func (v *visit) program() (sdk.OAuthClient, []option, error) {
	if err := v.needs("", blueberry.GrantClientsWrite); err != nil {
		return sdk.OAuthClient{}, nil, err
	}
	c, err := v.api.GetOAuthClient(v.ctx, v.r.PathValue("id"))
	return c, []option{programsTrail, {accessPath("oauth-clients", c.ID), c.Name}}, err
}

func (v *visit) changedProgram(c sdk.OAuthClient) sdk.UpdateOAuthClientRequest {
	name, uris, grants := v.entered("name", c.Name), words(v.entered("redirect_uris", strings.Join(c.RedirectURIs, "\n"))), words(v.entered("grants", strings.Join(c.Grants, "\n")))
	wanted, projects := v.wantedFlows(c.Flows), words(v.entered("projects", strings.Join(c.Projects, " ")))
	return sdk.UpdateOAuthClientRequest{Name: &name, RedirectURIs: some(uris), Flows: some(wanted), Grants: some(grants), Projects: some(projects)}
}

// some is a list that says that it is empty.
func some(list []string) *[]string {
	if list == nil {
		list = []string{}
	}
	return &list
}

func (v *visit) editProgram(problem *sdk.Problem) (page, error) {
	c, trail, err := v.program()
	if err != nil {
		return page{}, err
	}
	r, at := v.changedProgram(c), accessPath("oauth-clients", c.ID)
	return asked(c.Name, "/oauth-clients", trail, ask{
		Title: "Change the program", What: "What its tokens give changes with it, at once.", Action: at + "/edit", Label: "Change", Back: at, Problem: programProblem(problem), Inputs: v.programInputs(c),
		CLI: command("oauth-client update "+c.ID, append([]string{"name", *r.Name}, programFlags(*r.Flows, *r.RedirectURIs, *r.Grants, *r.Projects)...)...), Call: "PATCH /v1/oauth-clients/" + c.ID, Body: jsonOf(r),
	}), nil
}

func changeProgram(v *visit) (string, error) {
	c, _, err := v.program()
	if err != nil {
		return "", err
	}
	if _, err := v.api.UpdateOAuthClient(v.ctx, c.ID, v.changedProgram(c), sdk.IfMatch(c.Version)); err != nil {
		return "", v.formAgain(err, v.editProgram)
	}
	return accessPath("oauth-clients", c.ID) + "?done=program-changed", nil
}

// programVerb is something that one can do with a program.
type programVerb struct {
	Name, Label, What string
	Danger            bool
	fits              func(sdk.OAuthClient) bool
	cli, call, body   string // with %s for the id
	do                func(v *visit, c sdk.OAuthClient) (string, error)
}

func setProgram(disabled bool) func(v *visit, c sdk.OAuthClient) (string, error) {
	return func(v *visit, c sdk.OAuthClient) (string, error) {
		_, err := v.api.UpdateOAuthClient(v.ctx, c.ID, sdk.UpdateOAuthClientRequest{Disabled: &disabled}, sdk.IfMatch(c.Version))
		return "", err
	}
}

var programVerbs = []programVerb{
	{
		Name: "rotate", Label: "Rotate the secret", Danger: true, fits: func(c sdk.OAuthClient) bool { return !c.Public && !c.Trusted },
		What: "You get another secret, shown once. The one before stops working at once, so the program stands still until it has the new one. Tokens that it has go on.",
		cli:  "oauth-client rotate-secret %s", call: "POST /v1/oauth-clients/%s/secret",
		do: func(v *visit, c sdk.OAuthClient) (string, error) {
			made, err := v.api.RotateOAuthClientSecret(v.ctx, c.ID)
			if err != nil {
				return "", err
			}
			return "", once("/oauth-clients", programTold(c.Name+" has another secret", made))
		},
	},
	{
		Name: "disable", Label: "Disable", Danger: true, fits: func(c sdk.OAuthClient) bool { return !c.Disabled }, What: "It gets no tokens any more, and those that it has are refused, at once. It can be taken back.",
		cli: "oauth-client update %s --disabled", call: "PATCH /v1/oauth-clients/%s", body: `{"disabled": true}`, do: setProgram(true),
	},
	{
		Name: "enable", Label: "Enable", fits: func(c sdk.OAuthClient) bool { return c.Disabled }, What: "It may get tokens again.",
		cli: "oauth-client update %s --disabled=false", call: "PATCH /v1/oauth-clients/%s", body: `{"disabled": false}`, do: setProgram(false),
	},
	{
		Name: "delete", Label: "Delete", Danger: true, fits: func(c sdk.OAuthClient) bool { return !c.Trusted },
		What: "Whoever allowed it has to allow another one anew: its consents are gone, and all of its tokens end, at once. This cannot be undone.",
		cli:  "oauth-client delete %s", call: "DELETE /v1/oauth-clients/%s",
		do: func(v *visit, c sdk.OAuthClient) (string, error) {
			return "/oauth-clients?done=program-delete", v.api.DeleteOAuthClient(v.ctx, c.ID, sdk.IfMatch(c.Version))
		},
	},
}

func (v *visit) programVerb() (programVerb, error) {
	i := slices.IndexFunc(programVerbs, func(x programVerb) bool { return x.Name == v.r.PathValue("verb") })
	if i < 0 {
		return programVerb{}, nothingHere()
	}
	return programVerbs[i], nil
}

func askProgram(v *visit) (page, error) {
	x, err := v.programVerb()
	if err != nil {
		return page{}, err
	}
	return v.askProgram(x, nil)
}

func (v *visit) askProgram(x programVerb, problem *sdk.Problem) (page, error) {
	c, trail, err := v.program()
	if err != nil {
		return page{}, err
	}
	at := accessPath("oauth-clients", c.ID)
	named := func(s string) string { return strings.ReplaceAll(s, "%s", c.ID) }
	return asked(c.Name, "/oauth-clients", trail, ask{
		Title: x.Label, What: x.What, Danger: x.Danger, Action: at + "/" + x.Name, Back: at, Problem: problem, CLI: "blueberry " + named(x.cli), Call: named(x.call), Body: x.body,
	}), nil
}

func doProgram(v *visit) (string, error) {
	x, err := v.programVerb()
	if err != nil {
		return "", err
	}
	c, _, err := v.program()
	if err != nil {
		return "", err
	}
	to, err := x.do(v, c)
	if err != nil {
		return "", v.formAgain(err, func(p *sdk.Problem) (page, error) { return v.askProgram(x, p) })
	}
	return cmp.Or(to, accessPath("oauth-clients", c.ID)+"?done=program-"+x.Name), nil
}

// oauthTokensView is what was issued to programs.
type oauthTokensView struct {
	Filter  sdk.OAuthTokenFilter
	Items   []sdk.OAuthToken
	Clients []sdk.OAuthClient
	People  map[string]string
	Next    string
	All     bool // tokens of others as well
	MayEnd  bool
	Menu    bool // who looks sees the programs
}

func (x oauthTokensView) client(id string) string {
	for _, c := range x.Clients {
		if c.ID == id {
			return c.Name
		}
	}
	return id
}

func oauthTokens(v *visit) (page, error) {
	q := v.r.URL.Query()
	x := oauthTokensView{
		All: v.holds(blueberry.GrantTokensRead), MayEnd: v.holds(blueberry.GrantTokensWrite), Menu: v.holds(blueberry.GrantClientsRead),
		Filter: sdk.OAuthTokenFilter{User: q.Get("user"), Client: q.Get("client"), Family: q.Get("family"), Before: q.Get("before")},
	}
	if x.All && x.Filter.User == "" {
		x.Filter.User = "*"
	}
	list, err := v.api.ListOAuthTokens(v.ctx, x.Filter)
	if err != nil {
		return page{}, err
	}
	x.Items, x.Next, x.People = list.Items, following(v.r.URL, "before", list.NextBefore), v.addresses(list.Items)
	if x.Menu {
		for c, err := range v.api.AllOAuthClients(v.ctx, sdk.OAuthClientFilter{}) {
			if err != nil {
				return page{}, err
			}
			x.Clients = append(x.Clients, c)
		}
	}
	return page{Title: "OAuth tokens", Here: "/oauth-clients", Body: oauthTokensBody(x), Watch: interest{Any: true}}, nil
}

func askRevokeOAuthToken(v *visit) (page, error) {
	id := v.r.PathValue("id")
	return asked("OAuth tokens", "/oauth-clients", []option{{"/oauth-tokens", "OAuth tokens"}}, ask{
		Title: "End this token", Danger: true, Label: "End it", Action: accessPath("oauth-tokens", id, "revoke"), Back: "/oauth-tokens",
		What: "It is refused, at once, on every server. A refresh token or a code ends with all of its family: the program has to ask the person again. An access token ends alone, and the program may get another one.",
		CLI:  command("oauth-token revoke " + shellWord(id)), Call: "DELETE /v1/oauth-tokens/" + id,
	}), nil
}

func revokeOAuthToken(v *visit) (string, error) {
	if err := v.api.RevokeOAuthToken(v.ctx, v.r.PathValue("id")); err != nil {
		return "", err
	}
	return "/oauth-tokens?done=oauth-token-revoked", nil
}

func oauthTokenState(t sdk.OAuthToken) shape {
	switch t.State {
	case "active", "issued":
		return good
	case "revoked", "invalid":
		return bad
	}
	return idle
}
