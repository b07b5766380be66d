package console

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func rolesArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			items := []menuItem{{To: "/roles", Name: "Roles", Icon: "key", Group: groupAccess}}
			if v.holds(blueberry.GrantProvidersRead) {
				items = append(items, menuItem{To: "/identity-providers", Name: "Identity providers", Icon: "badge", Group: groupAccess})
			}
			return items
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /roles": roles, "GET /access-review": accessReview, "GET /group-rules": groupRules, "GET /group-rules/new": newGroupRule, "GET /group-rules/{id}/delete": askDeleteGroupRule,
			"GET /identity-providers": identityProviders, "GET /identity-providers/new": newProvider, "GET /identity-providers/{name}": editProvider, "GET /identity-providers/{name}/delete": askDeleteProvider,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /group-rules": createGroupRule, "POST /group-rules/{id}/delete": deleteGroupRule,
			"POST /identity-providers": createProvider, "POST /identity-providers/{name}": setProvider, "POST /identity-providers/{name}/delete": deleteProvider,
		},
		Other: map[string]func(*visit) error{"GET /access-review.csv": accessReviewCSV},
		Done: map[string]string{
			"rule-made": "The rule holds now.", "rule-deleted": "The rule is gone, and what it gave with it.",
			"provider-set": "The identity provider is set.", "provider-deleted": "The identity provider is gone.",
		},
	}
}

// rolesTabs are the pages about who may do what, of which not everybody sees all.
func (v *visit) rolesTabs() []option {
	out := []option{{"/roles", "Roles"}}
	if v.holds(blueberry.GrantAccessReview) {
		out = append(out, option{"/access-review", "Who has what"})
	}
	if v.may("", blueberry.GrantMembersRead) || v.holds(blueberry.GrantProvidersRead) {
		out = append(out, option{"/group-rules", "Group rules"})
	}
	return out
}

// rolesView is a matrix of grants by roles.
type rolesView struct {
	Tabs   []option
	Roles  []sdk.Role
	Groups []grantGroup
}

// grantGroup is the grants on one kind of thing.
type grantGroup struct {
	Name  string
	Rows  []grantRow
	Apart bool // only an owner holds any of it
}

// grantRow is one grant, with who holds it in the order of the roles.
type grantRow struct {
	Grant, Verb string
	Held        []bool
}

func roles(v *visit) (page, error) {
	list, err := v.api.ListRoles(v.ctx)
	if err != nil {
		return page{}, err
	}
	x := rolesView{Tabs: v.rolesTabs(), Roles: list.Items}
	for _, g := range list.Grants {
		noun, verb, _ := strings.Cut(g, ":")
		row := grantRow{Grant: g, Verb: verb}
		for _, r := range list.Items {
			row.Held = append(row.Held, slices.Contains(r.Grants, g) || slices.Contains(r.Grants, string(blueberry.GrantAll)))
		}
		i := slices.IndexFunc(x.Groups, func(y grantGroup) bool { return y.Name == noun })
		if i < 0 {
			i, x.Groups = len(x.Groups), append(x.Groups, grantGroup{Name: noun, Apart: true})
		}
		x.Groups[i].Rows = append(x.Groups[i].Rows, row)
		for j, r := range list.Items {
			x.Groups[i].Apart = x.Groups[i].Apart && (!row.Held[j] || r.Of == "installation")
		}
	}
	slices.SortStableFunc(x.Groups, func(a, b grantGroup) int {
		switch {
		case a.Apart == b.Apart:
			return 0
		case b.Apart:
			return -1
		}
		return 1
	})
	return page{Title: "Roles", Here: "/roles", Body: rolesBody(x)}, nil
}

// grantText is a grant for people.
func grantText(g string) string {
	if g == string(blueberry.GrantAll) {
		return "everything"
	}
	return g
}

// nounText is what a grant is about, for people.
func nounText(noun string) string {
	switch noun {
	case "api-tokens":
		return "API tokens of others"
	case "oauth-clients":
		return "OAuth clients"
	case "ci":
		return "CI"
	case "sessions":
		return "Sessions of others"
	}
	text := strings.ReplaceAll(noun, "-", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// reviewView is who has what.
type reviewView struct {
	sdk.AccessReview
	Tabs     []option
	Filter   reviewFilter
	Projects []string
}

type reviewFilter struct {
	Project, Text, Days string
	Unused              bool
}

// days is after how many days without use something counts as unused; 0 means as the server has it.
func (f reviewFilter) days() int {
	n, err := strconv.Atoi(f.Days)
	if err != nil {
		return 0
	}
	return n
}

// query is the filter as an address has it.
func (f reviewFilter) query(path string) string {
	return withQuery(path, "project", f.Project, "q", f.Text, "days", f.Days, "unused", checked(f.Unused))
}

// call is the filter as the API has it, which does not choose by text.
func (f reviewFilter) call() string {
	return withQuery("/v1/access-review", "project", f.Project, "unused_days", f.Days)
}

func (f reviewFilter) command() string {
	out := command("access review", "project", f.Project, "unused-days", f.Days)
	if f.Unused {
		out += " --unused"
	}
	return out
}

func (v *visit) reviewed() (r sdk.AccessReview, f reviewFilter, err error) {
	q := v.r.URL.Query()
	f = reviewFilter{Project: q.Get("project"), Text: strings.TrimSpace(q.Get("q")), Days: strings.TrimSpace(q.Get("days")), Unused: q.Get("unused") == "yes"}
	if r, err = v.api.GetAccessReview(v.ctx, sdk.ReviewFilter{Project: f.Project, UnusedDays: f.days()}); err != nil {
		return r, f, err
	}
	leaves := func(unused bool, texts ...string) bool {
		return f.Unused && !unused || !strings.Contains(strings.ToLower(strings.Join(texts, "\n")), strings.ToLower(f.Text))
	}
	r.Users = slices.DeleteFunc(r.Users, func(u sdk.UserReview) bool { return leaves(u.Unused, u.User.Email, u.User.Name, holdingsText(u.Roles)) })
	r.ServiceAccounts = slices.DeleteFunc(r.ServiceAccounts, func(s sdk.ServiceAccountReview) bool {
		return leaves(s.Unused, s.ServiceAccount.Project+"/"+s.ServiceAccount.Name, s.ServiceAccount.Role)
	})
	r.APITokens = slices.DeleteFunc(r.APITokens, func(t sdk.APITokenReview) bool {
		return leaves(t.Unused, t.Of, t.Token.Name, strings.Join(t.Token.Grants, " "))
	})
	r.OAuthClients = slices.DeleteFunc(r.OAuthClients, func(c sdk.OAuthClientReview) bool {
		return leaves(c.Unused, c.Client.Name, strings.Join(c.Client.Grants, " "))
	})
	return r, f, nil
}

func accessReview(v *visit) (page, error) {
	r, f, err := v.reviewed()
	if err != nil {
		return page{}, err
	}
	x := reviewView{AccessReview: r, Filter: f, Tabs: v.rolesTabs()}
	if x.Projects, err = v.projectsWith(blueberry.GrantProjectsRead); err != nil {
		return page{}, err
	}
	return page{Title: "Who has what", Here: "/roles", Body: reviewBody(x)}, nil // each look is noted in the audit, so it is not live
}

func holdingText(h sdk.Holding) string {
	return h.Role + " in " + cmp.Or(h.Project, "the installation")
}

func holdingsText(all []sdk.Holding) string {
	texts := make([]string, len(all))
	for i, h := range all {
		texts[i] = holdingText(h) + " by " + h.By
	}
	return strings.Join(texts, "; ")
}

// accessReviewCSV gives the same for a spreadsheet, one line for each who has something.
func accessReviewCSV(v *visit) error {
	r, f, err := v.reviewed()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	rows := [][]string{{"kind", "id", "who", "state", "holds", "projects", "last_used_at", "unused"}}
	for _, u := range r.Users {
		rows = append(rows, []string{"user", u.User.ID, u.User.Email, u.User.Status, holdingsText(u.Roles), "", when(u.User.LastSeenAt), yesOrNo(u.Unused)})
	}
	for _, s := range r.ServiceAccounts {
		state := "enabled"
		if s.ServiceAccount.Disabled {
			state = "disabled"
		}
		rows = append(rows, []string{"service_account", s.ServiceAccount.ID, s.ServiceAccount.Project + "/" + s.ServiceAccount.Name, state, s.ServiceAccount.Role, s.ServiceAccount.Project, when(s.LastUsedAt), yesOrNo(s.Unused)})
	}
	for _, t := range r.APITokens {
		rows = append(rows, []string{"api_token", t.Token.ID, t.Of + " " + t.Token.Name, "", strings.Join(t.Token.Grants, " "), strings.Join(t.Token.Projects, " "), when(t.Token.LastUsedAt), yesOrNo(t.Unused)})
	}
	for _, c := range r.OAuthClients {
		rows = append(rows, []string{"oauth_client", c.Client.ID, c.Client.Name, "", strings.Join(c.Client.Grants, " "), strings.Join(c.Client.Projects, " "), when(c.Client.LastUsedAt), yesOrNo(c.Unused)})
	}
	for _, row := range rows {
		for i, x := range row {
			row[i] = noFormula(x)
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+strings.Trim("access-review-"+f.Project, "-")+`.csv"`)
	_, err = v.w.Write(out.Bytes())
	if err != nil {
		v.Logger.DebugContext(v.ctx, "review was not written whole", "error", err)
	}
	return nil
}

// noFormula keeps a spreadsheet from taking a text of somebody for a formula.
func noFormula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// groupRulesView is what groups of identity providers give.
type groupRulesView struct {
	Tabs    []option
	Items   []sdk.GroupRule
	MayMake bool
	May     map[string]bool // by id: to delete it
}

func groupRules(v *visit) (page, error) {
	list, err := v.api.ListGroupRules(v.ctx)
	if err != nil {
		return page{}, err
	}
	x := groupRulesView{Tabs: v.rolesTabs(), Items: list.Items, MayMake: v.may("", blueberry.GrantMembersWrite), May: map[string]bool{}}
	for _, r := range list.Items {
		x.May[r.ID] = v.who.CanIn(r.Project, blueberry.GrantMembersWrite) == nil
	}
	return page{Title: "Group rules", Here: "/roles", Body: groupRulesBody(x), Watch: interest{Any: true}}, nil
}

var groupRulesTrail = []option{{"/roles", "Roles"}, {"/group-rules", "Group rules"}}

func newGroupRule(v *visit) (page, error) { return v.newGroupRule(nil) }

func (v *visit) wantedGroupRule() sdk.CreateGroupRuleRequest {
	r := sdk.CreateGroupRuleRequest{Provider: v.entered("provider", ""), Group: v.entered("group", ""), Project: v.entered("project", v.r.URL.Query().Get("project")), Role: v.entered("role", "developer")}
	if r.Role == string(blueberry.RoleOwner) {
		r.Project = ""
	}
	return r
}

func (v *visit) newGroupRule(problem *sdk.Problem) (page, error) {
	projects, err := v.projectsWith(blueberry.GrantMembersWrite)
	if err != nil {
		return page{}, err
	}
	if len(projects) == 0 {
		return page{}, v.needs("", blueberry.GrantMembersWrite)
	}
	r := v.wantedGroupRule()
	provider := input{Name: "provider", Label: "Identity provider", Value: r.Provider, Required: true, Code: true, Hint: "By its name, as an owner set it."}
	if v.holds(blueberry.GrantProvidersRead) {
		list, err := v.api.ListIdentityProviders(v.ctx)
		if err != nil {
			return page{}, err
		}
		provider.Kind, provider.Hint = "select", ""
		for _, p := range list.Items {
			provider.Options = append(provider.Options, option{p.Name, p.Label})
		}
		if len(provider.Options) == 0 {
			provider.Options, provider.Hint = []option{{"", "none is set"}}, "Set an identity provider first."
		}
	}
	roles := roleOptions()
	if v.holds(blueberry.GrantAll) {
		roles = append(roles, option{"owner", "owner: everything, in the whole installation"})
	}
	return asked("Group rules", "/roles", groupRulesTrail, ask{
		Title: "New group rule", What: "Everybody whom the identity provider names in this group has the role, as long as it does so.", Action: "/group-rules", Label: "Make it", Back: "/group-rules", Problem: problem,
		Inputs: []input{
			provider,
			{Name: "group", Label: "Group", Value: r.Group, Required: true, Code: true, Placeholder: "platform", Hint: "As the provider spells it."},
			{Name: "role", Label: "Role", Kind: "select", Value: r.Role, Options: roles},
			{Name: "project", Label: "In project", Kind: "select", Value: r.Project, Options: optionsOf(projects...), Hint: "Does not count for owner, which is of the installation."},
		},
		CLI: command("group-rule add", "provider", cmp.Or(r.Provider, "google"), "group", cmp.Or(r.Group, "platform"), "role", r.Role, "project", r.Project), Call: "POST /v1/group-rules", Body: jsonOf(r),
	}), nil
}

func createGroupRule(v *visit) (string, error) {
	if _, err := v.api.CreateGroupRule(v.ctx, v.wantedGroupRule()); err != nil {
		return "", v.formAgain(err, v.newGroupRule)
	}
	return "/group-rules?done=rule-made", nil
}

func (v *visit) groupRule() (sdk.GroupRule, error) {
	list, err := v.api.ListGroupRules(v.ctx)
	if err != nil {
		return sdk.GroupRule{}, err
	}
	i := slices.IndexFunc(list.Items, func(r sdk.GroupRule) bool { return r.ID == v.r.PathValue("id") })
	if i < 0 {
		return sdk.GroupRule{}, &sdk.Problem{Status: http.StatusNotFound, Code: "GROUP_RULE_NOT_FOUND", Detail: "there is no such group rule"}
	}
	r := list.Items[i]
	return r, v.needs(r.Project, blueberry.GrantMembersWrite)
}

func askDeleteGroupRule(v *visit) (page, error) {
	r, err := v.groupRule()
	if err != nil {
		return page{}, err
	}
	return asked("Group rules", "/roles", groupRulesTrail, ask{
		Title: "Delete the rule", Danger: true, Label: "Delete it", Action: accessPath("group-rules", r.ID, "delete"), Back: "/group-rules",
		What: "Everybody in the group " + r.Group + " of " + r.Provider + " loses the role " + r.Role + " in " + cmp.Or(r.Project, "the installation") + ", at once, unless they have it in another way.",
		CLI:  command("group-rule delete " + r.ID), Call: "DELETE /v1/group-rules/" + r.ID,
	}), nil
}

func deleteGroupRule(v *visit) (string, error) {
	if err := v.api.DeleteGroupRule(v.ctx, v.r.PathValue("id")); err != nil {
		return "", err
	}
	return "/group-rules?done=rule-deleted", nil
}

// providersView is who vouches for people.
type providersView struct {
	Items  []sdk.IdentityProvider
	MaySet bool
}

func identityProviders(v *visit) (page, error) {
	list, err := v.api.ListIdentityProviders(v.ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "Identity providers", Here: "/identity-providers", Body: providersBody(providersView{list.Items, v.holds(blueberry.GrantProvidersWrite)}), Watch: interest{Any: true}}, nil
}

func newProvider(v *visit) (page, error) { return v.newProvider(nil) }

func (v *visit) newProvider(problem *sdk.Problem) (page, error) {
	return v.providerForm(sdk.IdentityProvider{Kind: "oidc"}, true, problem)
}

func editProvider(v *visit) (page, error) { return v.editProvider(nil) }

func (v *visit) editProvider(problem *sdk.Problem) (page, error) {
	p, err := v.api.GetIdentityProvider(v.ctx, v.r.PathValue("name"))
	if err != nil {
		return page{}, err
	}
	return v.providerForm(p, false, problem)
}

func (v *visit) wantedProvider(p sdk.IdentityProvider) sdk.SetIdentityProviderRequest {
	r := sdk.SetIdentityProviderRequest{
		Kind: v.entered("kind", p.Kind), Label: v.entered("label", p.Label), Issuer: v.entered("issuer", p.Issuer), ClientID: v.entered("client_id", p.ClientID), Scopes: words(v.entered("scopes", strings.Join(p.Scopes, "\n"))),
		GroupsClaim: v.entered("groups_claim", p.GroupsClaim), AllowedDomains: words(v.entered("allowed_domains", strings.Join(p.AllowedDomains, "\n"))), SignUp: v.was("sign_up", p.SignUp), Disabled: v.was("disabled", p.Disabled),
	}
	if secret := v.entered("client_secret", ""); secret != "" {
		r.ClientSecret = &secret
	} else if v.was("no_client_secret", false) {
		r.ClientSecret = &secret
	}
	return r
}

func (v *visit) providerForm(p sdk.IdentityProvider, fresh bool, problem *sdk.Problem) (page, error) {
	if err := v.needs("", blueberry.GrantProvidersWrite); err != nil {
		return page{}, err
	}
	r := v.wantedProvider(p)
	trail := []option{{"/identity-providers", "Identity providers"}}
	a := ask{
		Title: "Set the identity provider", Action: accessPath("identity-providers", p.Name), Label: "Set it", Back: "/identity-providers", Problem: gathered(problem, "scopes", "allowed_domains"),
		What: "People sign in with the account that they have there. Only who was invited comes in, unless it lets people sign up.",
	}
	kind := input{Name: "kind", Label: "Kind", Kind: "select", Value: r.Kind, Options: []option{{"oidc", "OpenID Connect: Google, Dex, Entra, Okta, any issuer"}, {"github", "GitHub"}, {"firebase", "Firebase, Google Identity Platform"}}}
	name, title := p.Name, p.Name
	if fresh {
		a.Title, a.Label, a.Action, title = "New identity provider", "Make it", "/identity-providers", "Identity providers"
		name = v.entered("name", "")
		a.Inputs = append(a.Inputs, input{Name: "name", Label: "Name", Value: name, Required: true, Code: true, Placeholder: "google", Hint: "In addresses. It stays."}, kind)
		a.Inputs = append(a.Inputs, input{Name: "issuer", Label: "Issuer", Value: r.Issuer, Code: true, Placeholder: "https://accounts.google.com", Hint: "URL of the issuer; of Firebase the project id; of GitHub empty, or the URL of an enterprise server. It stays."})
	} else {
		a.What += " Kind and issuer stay: the accounts that are tied to it are the issuer's."
		if p.RedirectURL != "" {
			a.What += " Register " + p.RedirectURL + " there as the address to send people back to."
		}
		a.Hidden = map[string]string{"kind": p.Kind, "issuer": p.Issuer}
	}
	secret := input{Name: "client_secret", Label: "Client secret", Kind: "password", Hint: "Kept encrypted, and told to nobody."}
	if p.HasClientSecret {
		secret.Hint = "One is kept. Empty leaves it."
	}
	a.Inputs = append(a.Inputs, input{Name: "label", Label: "On the button", Value: r.Label, Placeholder: "Google"},
		input{Name: "client_id", Label: "Client id", Value: r.ClientID, Code: true, Hint: "As the provider knows this installation."}, secret)
	if p.HasClientSecret {
		a.Inputs = append(a.Inputs, input{Name: "no_client_secret", Label: "Remove the client secret that is kept", Kind: "check", Value: checked(v.was("no_client_secret", false))})
	}
	a.Inputs = append(a.Inputs, input{Name: "scopes", Label: "Scopes beyond what is needed", Value: strings.Join(r.Scopes, " "), Code: true, Placeholder: "groups"},
		input{Name: "groups_claim", Label: "Claim that lists groups", Value: r.GroupsClaim, Code: true, Placeholder: "groups"},
		input{Name: "allowed_domains", Label: "Domains of addresses that may sign up", Value: strings.Join(r.AllowedDomains, " "), Code: true, Placeholder: "example.com", Hint: "With spaces between. Empty for all."},
		input{Name: "sign_up", Label: "Someone unknown gets an account", Kind: "check", Value: checked(r.SignUp), Hint: "Else only who was invited can come in."},
		input{Name: "disabled", Label: "Disabled", Kind: "check", Value: checked(r.Disabled), Hint: "Nobody can come in by it, and its groups give nothing."})
	name = cmp.Or(name, "google")
	flags := []string{"kind", r.Kind, "label", r.Label, "issuer", r.Issuer, "client-id", r.ClientID, "groups-claim", r.GroupsClaim}
	if r.ClientSecret != nil && *r.ClientSecret != "" || fresh {
		flags = append(flags, "client-secret-file", "client-secret.txt")
	}
	flags = append(append(flags, flagged("scope", r.Scopes)...), flagged("allowed-domain", r.AllowedDomains)...)
	a.CLI = command("provider set "+shellWord(name), flags...)
	if r.SignUp {
		a.CLI += " --sign-up"
	}
	if r.Disabled {
		a.CLI += " --disabled"
	}
	if r.ClientSecret != nil && *r.ClientSecret != "" { // what was typed stands on no page again
		hidden := "…"
		r.ClientSecret = &hidden
	}
	a.Call, a.Body = "PUT /v1/identity-providers/"+name, jsonOf(r)
	if !fresh {
		trail = append(trail, option{"", p.Name})
	}
	return asked(title, "/identity-providers", trail, a), nil
}

func createProvider(v *visit) (string, error) {
	name := v.entered("name", "")
	if name == "" || strings.Contains(name, "/") {
		return "", again{faulty([]sdk.FieldError{{Field: "name", Code: "required", Message: "is needed, as google"}}), v.newProvider}
	}
	if _, err := v.api.GetIdentityProvider(v.ctx, name); err == nil {
		return "", again{faulty([]sdk.FieldError{{Field: "name", Code: "taken", Message: "is that of another identity provider"}}), v.newProvider}
	}
	if _, err := v.api.SetIdentityProvider(v.ctx, name, v.wantedProvider(sdk.IdentityProvider{})); err != nil {
		return "", v.formAgain(err, v.newProvider)
	}
	return "/identity-providers?done=provider-set", nil
}

func setProvider(v *visit) (string, error) {
	p, err := v.api.GetIdentityProvider(v.ctx, v.r.PathValue("name"))
	if err != nil {
		return "", err
	}
	if _, err := v.api.SetIdentityProvider(v.ctx, p.Name, v.wantedProvider(p), sdk.IfMatch(p.Version)); err != nil {
		return "", v.formAgain(err, v.editProvider)
	}
	return "/identity-providers?done=provider-set", nil
}

func askDeleteProvider(v *visit) (page, error) { return v.askDeleteProvider(nil) }

func (v *visit) askDeleteProvider(problem *sdk.Problem) (page, error) {
	if err := v.needs("", blueberry.GrantProvidersWrite); err != nil {
		return page{}, err
	}
	p, err := v.api.GetIdentityProvider(v.ctx, v.r.PathValue("name"))
	if err != nil {
		return page{}, err
	}
	rules, err := v.api.ListGroupRules(v.ctx)
	if err != nil {
		return page{}, err
	}
	n := 0
	for _, r := range rules.Items {
		if r.Provider == p.Name {
			n++
		}
	}
	return asked(p.Name, "/identity-providers", []option{{"/identity-providers", "Identity providers"}, {accessPath("identity-providers", p.Name), p.Name}}, ask{
		Title: "Delete the identity provider", Danger: true, Label: "Delete " + p.Name, Action: accessPath("identity-providers", p.Name, "delete"), Back: "/identity-providers", Problem: problem,
		What: "Nobody can sign in by it any more. The ties between its accounts and people here are gone, and so are its group rules (" + number(n) + ") with what they give. People stay, and come in by their other ways. This cannot be undone.",
		CLI:  command("provider delete " + shellWord(p.Name)), Call: "DELETE /v1/identity-providers/" + p.Name,
	}), nil
}

func deleteProvider(v *visit) (string, error) {
	if err := v.api.DeleteIdentityProvider(v.ctx, v.r.PathValue("name")); err != nil {
		return "", v.formAgain(err, v.askDeleteProvider)
	}
	return "/identity-providers?done=provider-deleted", nil
}

// comesIn is whom an identity provider lets in.
func comesIn(p sdk.IdentityProvider) string {
	switch {
	case !p.SignUp:
		return "only who was invited"
	case len(p.AllowedDomains) == 0:
		return "everybody with an account there"
	}
	return "everybody of " + strings.Join(p.AllowedDomains, ", ")
}

// byText is by which way a role is held.
func byText(by string) string {
	group, isGroup := strings.CutPrefix(by, "group:")
	switch {
	case isGroup:
		return "by group " + group
	case by == "member":
		return "given"
	}
	return ""
}
