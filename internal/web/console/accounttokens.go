package console

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// ownTokensView is the API tokens of who looks.
type ownTokensView struct {
	Items []sdk.APIToken
	Ended bool // those that have ended, too
	Next  string
}

func ownTokens(v *visit) (page, error) {
	q := v.r.URL.Query()
	f := sdk.APITokenFilter{Ended: q.Get("ended") == "yes", Before: q.Get("before")}
	list, err := v.api.ListAPITokens(v.ctx, f)
	if err != nil {
		return page{}, err
	}
	view := ownTokensView{Items: list.Items, Ended: f.Ended, Next: older(v.r.URL, list.NextBefore)}
	return page{Title: "API tokens", Here: "/account", Body: ownTokensBody(view, v.now), Watch: interest{Any: true}}, nil
}

// tokenLives are how long a new token may be wished to work.
var tokenLives = []option{{"7", "7 days"}, {"30", "30 days"}, {"90", "90 days"}, {"180", "180 days"}, {"365", "one year"}}

// ownTokenView asks for a new token.
type ownTokenView struct {
	Ask      ask
	Projects []string
	Chosen   []string
	Fault    string // of the projects
}

// wishedToken reads the form of a new token.
func wishedToken(f url.Values) (r sdk.CreateAPITokenRequest, problem *sdk.Problem) {
	r = sdk.CreateAPITokenRequest{Name: strings.TrimSpace(f.Get("name")), Role: f.Get("role"), Grants: strings.Fields(strings.ReplaceAll(f.Get("grants"), ",", " ")), Projects: f["project"]}
	days, err := strconv.Atoi(f.Get("days"))
	if err != nil || days < 1 {
		return r, faulty([]sdk.FieldError{{Field: "days", Code: "type", Message: "must be a number of days"}})
	}
	r.Days = days
	return r, nil
}

func askOwnToken(v *visit) (page, error) { return v.askOwnToken(nil) }

func (v *visit) askOwnToken(problem *sdk.Problem) (page, error) {
	roles, err := v.api.ListRoles(v.ctx)
	if err != nil {
		return page{}, err
	}
	f := v.r.PostForm
	offered := []option{{"", "none: only the grants below"}}
	for _, r := range roles.Items {
		if v.mayGive(r.Grants) {
			offered = append(offered, option{r.Name, r.Name})
		}
	}
	weakest := offered[len(offered)-1].Value
	view := ownTokenView{Chosen: f["project"], Ask: ask{
		Title: "Make an API token", Action: "/account/tokens/new", Back: "/account/tokens", Label: "Make it", Problem: problem,
		What:   "For a program that acts for you. It never may do more than you at that moment. Its secret is shown once.",
		Hidden: map[string]string{"key": rand.Text()}, // pressed twice, it is made once
		Inputs: []input{
			{Name: "name", Label: "Name", Value: f.Get("name"), Required: true, Focus: true, Hint: "To tell it from others: the program or machine that has it."},
			{Name: "role", Label: "Role", Kind: "select", Value: typed(f, "role", weakest), Options: offered, Hint: "What it may do, at most."},
			{Name: "grants", Label: "Grants instead of a role", Kind: "area", Code: true, Rows: 3, Value: f.Get("grants"), Placeholder: "environments:read", Hint: "For a token that does one thing: one grant on each line."},
			{Name: "days", Label: "Works for", Kind: "select", Value: typed(f, "days", "90"), Options: tokenLives},
		},
	}}
	r := sdk.CreateAPITokenRequest{Name: "NAME", Role: weakest, Days: 90}
	if len(f) > 0 {
		r, _ = wishedToken(f)
	}
	view.Ask.CLI, view.Ask.Call, view.Ask.Body = tokenCommand(r), "POST /v1/api-tokens", jsonOf(r)
	names, err := v.api.ListNames(v.ctx)
	if err != nil {
		return page{}, err
	}
	view.Projects = names.Projects
	return page{Title: "Make an API token", Here: "/account", Body: ownTokenBody(view)}, nil
}

// tokenCommand is the command that makes a token.
func tokenCommand(r sdk.CreateAPITokenRequest) string {
	var b strings.Builder
	b.WriteString("blueberry token create " + shellWord(r.Name))
	if r.Role != "" {
		b.WriteString(" --role " + shellWord(r.Role))
	}
	for _, g := range r.Grants {
		b.WriteString(" --grant " + shellWord(g))
	}
	for _, p := range r.Projects {
		b.WriteString(" --project " + shellWord(p))
	}
	if r.Days > 0 {
		b.WriteString(" --days " + number(r.Days))
	}
	return b.String()
}

func makeOwnToken(v *visit) (string, error) {
	r, problem := wishedToken(v.r.PostForm)
	if problem != nil {
		return "", again{problem, v.askOwnToken}
	}
	made, err := v.api.CreateAPIToken(v.ctx, r, sdk.IdempotencyKey(keyOf(v)))
	var p *sdk.Problem
	if errors.As(err, &p) && p.Status == http.StatusForbidden { // more than they have, as the form may say
		return "", again{p, v.askOwnToken}
	}
	if err != nil {
		return "", accountAgain(err, v.askOwnToken)
	}
	return "", once("/account", tokenTold("Made: "+made.Token.Name, made, nil, option{"/account/tokens", "I have kept it"}))
}

// keyOf is the key that a form carries, so that what is pressed twice is done once.
func keyOf(v *visit) string {
	if key := v.r.PostForm.Get("key"); key != "" && len(key) <= 128 {
		return key
	}
	return rand.Text()
}

func askOwnTokenRotation(v *visit) (page, error) { return v.askOwnTokenRotation(nil) }

func (v *visit) askOwnTokenRotation(problem *sdk.Problem) (page, error) {
	t, err := v.api.GetAPIToken(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	overlap := typed(v.r.PostForm, "overlap_hours", "24")
	a := ask{
		Title: "Rotate " + t.Name, Label: "Rotate", Problem: problem, Action: ownTokenPath(t.ID, "rotate"), Back: "/account/tokens", Hidden: map[string]string{"key": rand.Text()},
		What:   "It gets another secret, which is shown once, and works as long as it did at first. The secret before works on for a while, so that nothing breaks while it is replaced.",
		Inputs: []input{{Name: "overlap_hours", Label: "Hours for which the secret before works on", Kind: "number", Value: overlap, Required: true, Hint: "At most 168."}},
		CLI:    "blueberry token rotate " + t.ID + " --overlap 24h", Call: "POST /v1/api-tokens/" + t.ID + "/rotation", Body: `{"overlap_hours": 24}`,
	}
	if n, err := strconv.Atoi(overlap); err == nil && n > 0 {
		a.CLI, a.Body = "blueberry token rotate "+t.ID+" --overlap "+number(n)+"h", jsonOf(sdk.RotateAPITokenRequest{OverlapHours: n})
	}
	return accountForm(a.Title, "/account/tokens", a), nil
}

func rotateOwnToken(v *visit) (string, error) {
	n, err := strconv.Atoi(strings.TrimSpace(v.r.PostForm.Get("overlap_hours")))
	if err != nil || n < 1 {
		return "", again{faulty([]sdk.FieldError{{Field: "overlap_hours", Code: "type", Message: "must be a number of hours, at least 1"}}), v.askOwnTokenRotation}
	}
	made, err := v.api.RotateAPIToken(v.ctx, v.r.PathValue("id"), sdk.RotateAPITokenRequest{OverlapHours: n}, sdk.IdempotencyKey(keyOf(v)))
	if err != nil {
		return "", accountAgain(err, v.askOwnTokenRotation)
	}
	return "", once("/account", tokenTold("Rotated: "+made.Token.Name, made, nil, option{"/account/tokens", "I have kept it"}))
}

func askOwnTokenEnd(v *visit) (page, error) { return v.askOwnTokenEnd(nil) }

func (v *visit) askOwnTokenEnd(problem *sdk.Problem) (page, error) {
	t, err := v.api.GetAPIToken(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	what := "It ends at once, on every server, and for good: each program that has it is refused from then on."
	if t.LastUsedAt.IsZero() {
		what += " It was never used."
	} else {
		what += " It was last used on " + momentText(t.LastUsedAt) + "."
	}
	return accountForm("Revoke "+t.Name, "/account/tokens", ask{
		Title: "Revoke " + t.Name, Label: "Revoke", Danger: true, Problem: problem, What: what, Action: ownTokenPath(t.ID, "revoke"), Back: "/account/tokens",
		CLI: "blueberry token revoke " + t.ID, Call: "DELETE /v1/api-tokens/" + t.ID,
	}), nil
}

func endOwnToken(v *visit) (string, error) {
	if err := v.api.RevokeAPIToken(v.ctx, v.r.PathValue("id")); err != nil {
		return "", accountAgain(err, v.askOwnTokenEnd)
	}
	return "/account/tokens?done=own-token-ended", nil
}

func ownTokenPath(id, verb string) string {
	return "/account/tokens/" + url.PathEscape(id) + "/" + verb
}

// grantsWord is what a token may do, short: the role that holds just that, or how much it is.
func grantsWord(grants []string) string {
	switch {
	case slices.Contains(grants, "*:*"):
		return "everything that you may"
	case len(grants) <= 2:
		return strings.Join(grants, ", ")
	}
	return number(len(grants)) + " grants"
}
