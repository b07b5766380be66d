package console

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func serviceAccountsArea() area {
	return area{
		Pages: map[string]func(*visit) (page, error){
			"GET /projects/{name}/service-accounts": serviceAccounts, "GET /projects/{name}/service-accounts/new": newServiceAccount,
			"GET /service-accounts/{id}": serviceAccount, "GET /service-accounts/{id}/edit": editServiceAccount, "GET /service-accounts/{id}/delete": askDeleteServiceAccount,
			"GET /service-accounts/{id}/tokens/new": newServiceToken, "GET /tokens/{id}/revoke": askRevokeToken, "GET /tokens/{id}/rotate": askRotateToken,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /projects/{name}/service-accounts": createServiceAccount, "POST /service-accounts/{id}/edit": changeServiceAccount, "POST /service-accounts/{id}/delete": deleteServiceAccount,
			"POST /service-accounts/{id}/tokens": createServiceToken, "POST /tokens/{id}/revoke": revokeToken, "POST /tokens/{id}/rotate": rotateToken,
		},
		Done: map[string]string{
			"service-made": "The service account is made. It acts by API tokens: make one.", "service-changed": "The service account is changed.", "service-deleted": "The service account is gone, and its tokens are over.",
			"token-revoked": "The token is refused from now on.",
		},
	}
}

// servicesView is the service accounts of a project.
type servicesView struct {
	projectView
	Items   []sdk.ServiceAccount
	MayMake bool
}

func serviceAccounts(v *visit) (page, error) {
	p, err := v.project("/service-accounts")
	if err != nil {
		return page{}, err
	}
	list, err := v.api.ListServiceAccounts(v.ctx, p.Name)
	if err != nil {
		return page{}, err
	}
	s := servicesView{projectView: p, Items: list.Items, MayMake: v.may(p.Name, blueberry.GrantServiceAccountsWrite)}
	return page{Title: p.Name + ": service accounts", Here: "/projects", Body: servicesBody(s), Watch: interest{Any: true}}, nil
}

func newServiceAccount(v *visit) (page, error) { return v.newServiceAccount(nil) }

func (v *visit) newServiceAccount(problem *sdk.Problem) (page, error) {
	p, trail, err := v.projectFor(blueberry.GrantServiceAccountsWrite)
	if err != nil {
		return page{}, err
	}
	r := v.wantedServiceAccount()
	at := accessPath("projects", p.Name, "service-accounts")
	a := ask{
		Title: "New service account", What: "A program of the project, as a pipeline of CI. It acts by API tokens, with its role, in this project alone.", Action: at, Label: "Make it", Back: at, Problem: problem,
		Inputs: []input{
			{Name: "name", Label: "Name", Value: v.entered("name", ""), Required: true, Code: true, Placeholder: "ci", Hint: "Lower-case letters, digits and dashes. It stays."},
			{Name: "role", Label: "Role", Kind: "select", Value: r.Role, Options: roleOptions(), Hint: "No more than you hold."},
			{Name: "description", Label: "Description", Value: r.Description, Hint: "For people."},
		},
		Call: "POST /v1/projects/" + p.Name + "/service-accounts",
	}
	r.Name = cmp.Or(r.Name, "ci")
	a.Body, a.CLI = jsonOf(r), command("service-account create "+shellWord(r.Name), "project", p.Name, "role", r.Role, "description", r.Description)
	return asked(p.Name, "/projects", append(trail, option{at, "Service accounts"}), a), nil
}

func (v *visit) wantedServiceAccount() sdk.CreateServiceAccountRequest {
	return sdk.CreateServiceAccountRequest{Name: v.entered("name", ""), Role: v.entered("role", "developer"), Description: v.entered("description", "")}
}

func createServiceAccount(v *visit) (string, error) {
	s, err := v.api.CreateServiceAccount(v.ctx, v.r.PathValue("name"), v.wantedServiceAccount())
	if err != nil {
		return "", v.formAgain(err, v.newServiceAccount)
	}
	return accessPath("service-accounts", s.ID) + "?done=service-made", nil
}

// serviceView is one service account with its tokens.
type serviceView struct {
	sdk.ServiceAccount
	Tokens    []sdk.APIToken
	Ended     bool // those that have ended, too
	Next      string
	MayChange bool
	SeesAudit bool
}

func serviceAccount(v *visit) (page, error) {
	s, err := v.api.GetServiceAccount(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	q := v.r.URL.Query()
	x := serviceView{ServiceAccount: s, Ended: q.Get("ended") == "yes", MayChange: v.may(s.Project, blueberry.GrantServiceAccountsWrite), SeesAudit: v.may(s.Project, blueberry.GrantAuditRead)}
	list, err := v.api.ListAPITokens(v.ctx, sdk.APITokenFilter{ServiceAccount: s.ID, Ended: x.Ended, Before: q.Get("before")})
	if err != nil {
		return page{}, err
	}
	x.Tokens, x.Next = list.Items, following(v.r.URL, "before", list.NextBefore)
	return page{Title: s.Project + "/" + s.Name, Here: "/projects", Body: serviceBody(x), Watch: interest{Any: true}}, nil
}

// service is one for a form of it, for who may change it.
func (v *visit) service() (sdk.ServiceAccount, []option, error) {
	s, err := v.api.GetServiceAccount(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return s, nil, err
	}
	return s, serviceTrail(s, true), v.needs(s.Project, blueberry.GrantServiceAccountsWrite)
}

// serviceTrail says of what a service account is a part; with itself for its forms.
func serviceTrail(s sdk.ServiceAccount, itself bool) []option {
	at := accessPath("projects", s.Project)
	out := []option{projectsTrail, {at, s.Project}, {at + "/service-accounts", "Service accounts"}}
	if itself {
		return append(out, option{accessPath("service-accounts", s.ID), s.Name})
	}
	return append(out, option{"", s.Name})
}

func editServiceAccount(v *visit) (page, error) { return v.editServiceAccount(nil) }

func (v *visit) editServiceAccount(problem *sdk.Problem) (page, error) {
	s, trail, err := v.service()
	if err != nil {
		return page{}, err
	}
	at := accessPath("service-accounts", s.ID)
	off := v.was("disabled", s.Disabled)
	text, role := v.entered("description", s.Description), v.entered("role", s.Role)
	return asked(s.Project+"/"+s.Name, "/projects", trail, ask{
		Title: "Change the service account", What: "Its tokens hold no more than its role, at once.", Action: at + "/edit", Label: "Change", Back: at, Problem: problem,
		Inputs: []input{
			{Name: "role", Label: "Role", Kind: "select", Value: role, Options: roleOptions()},
			{Name: "description", Label: "Description", Value: text},
			{Name: "disabled", Label: "Disabled", Kind: "check", Value: checked(off), Hint: "All of its tokens are refused, at once. It can be taken back."},
		},
		Call: "PATCH /v1/service-accounts/" + s.ID, Body: jsonOf(sdk.UpdateServiceAccountRequest{Role: &role, Description: &text, Disabled: &off}),
		CLI: command("service-account update "+shellWord(s.Project+"/"+s.Name), "role", role, "description", text) + " --disabled=" + yesOrNo(off),
	}), nil
}

func changeServiceAccount(v *visit) (string, error) {
	s, _, err := v.service()
	if err != nil {
		return "", err
	}
	off, text, role := v.was("disabled", s.Disabled), v.entered("description", s.Description), v.entered("role", s.Role)
	if _, err := v.api.UpdateServiceAccount(v.ctx, s.ID, sdk.UpdateServiceAccountRequest{Role: &role, Description: &text, Disabled: &off}, sdk.IfMatch(s.Version)); err != nil {
		return "", v.formAgain(err, v.editServiceAccount)
	}
	return accessPath("service-accounts", s.ID) + "?done=service-changed", nil
}

func askDeleteServiceAccount(v *visit) (page, error) { return v.askDeleteServiceAccount(nil) }

func (v *visit) askDeleteServiceAccount(problem *sdk.Problem) (page, error) {
	s, trail, err := v.service()
	if err != nil {
		return page{}, err
	}
	list, err := v.api.ListAPITokens(v.ctx, sdk.APITokenFilter{ServiceAccount: s.ID})
	if err != nil {
		return page{}, err
	}
	what := "It has no token that works."
	if n := len(list.Items); n > 0 {
		names := make([]string, n)
		for i, t := range list.Items {
			names[i] = t.Name
		}
		what = "Tokens that end with it, at once: " + strings.Join(names, ", ") + "."
	}
	at := accessPath("service-accounts", s.ID)
	return asked(s.Project+"/"+s.Name, "/projects", trail, ask{
		Title: "Delete the service account", Danger: true, Label: "Delete " + s.Name, Action: at + "/delete", Back: at, Problem: problem, What: "Whatever program uses it is refused. " + what + " What it made stays. This cannot be undone.",
		CLI: command("service-account delete " + shellWord(s.Project+"/"+s.Name)), Call: "DELETE /v1/service-accounts/" + s.ID,
	}), nil
}

func deleteServiceAccount(v *visit) (string, error) {
	s, _, err := v.service()
	if err != nil {
		return "", err
	}
	if err := v.api.DeleteServiceAccount(v.ctx, s.ID, sdk.IfMatch(s.Version)); err != nil {
		return "", v.formAgain(err, v.askDeleteServiceAccount)
	}
	return accessPath("projects", s.Project, "service-accounts") + "?done=service-deleted", nil
}

func newServiceToken(v *visit) (page, error) { return v.newServiceToken(nil) }

// wantedToken is what a form asks for. Grants that are named stand for the role.
func (v *visit) wantedToken(s sdk.ServiceAccount) (r sdk.CreateAPITokenRequest, faults []sdk.FieldError) {
	r = sdk.CreateAPITokenRequest{Name: v.entered("name", ""), Role: v.entered("role", s.Role), Grants: words(v.entered("grants", "")), ServiceAccountID: s.ID, Days: wholeNumber("days", v.entered("days", "90"), &faults)}
	if len(r.Grants) > 0 {
		r.Role = ""
	}
	return r, faults
}

func (v *visit) newServiceToken(problem *sdk.Problem) (page, error) {
	s, trail, err := v.service()
	if err != nil {
		return page{}, err
	}
	r, _ := v.wantedToken(s)
	roles := projectRoles[max(0, slices.Index(projectRoles, s.Role)):]
	at := accessPath("service-accounts", s.ID)
	a := ask{
		Title: "New API token", What: "A secret by which a program acts as " + s.Project + "/" + s.Name + ". It is shown once.", Action: at + "/tokens", Label: "Make it", Back: at, Problem: gathered(problem, "grants", "projects"),
		Hidden: map[string]string{"key": rand.Text()},
		Inputs: []input{
			{Name: "name", Label: "Name", Value: r.Name, Required: true, Placeholder: "pipeline", Hint: "To tell it from others."},
			{Name: "role", Label: "What it may do", Kind: "select", Value: v.entered("role", s.Role), Options: optionsOf(roles...), Hint: "No more than this role, and never more than the service account holds."},
			{Name: "grants", Label: "Or only these grants", Kind: "area", Code: true, Value: v.entered("grants", ""), Placeholder: "environments:read", Hint: "One a line. With any, the role above does not count."},
			{Name: "days", Label: "Days until it ends", Kind: "number", Value: v.entered("days", "90"), Hint: "1 to 365."},
		},
		Call: "POST /v1/api-tokens",
	}
	r.Name = cmp.Or(r.Name, "pipeline")
	flags := append([]string{"service-account", s.Project + "/" + s.Name, "role", r.Role}, flagged("grant", r.Grants)...)
	a.Body, a.CLI = jsonOf(r), command("token create "+shellWord(r.Name), append(flags, "days", v.entered("days", "90"))...)
	return asked(s.Project+"/"+s.Name, "/projects", trail, a), nil
}

func createServiceToken(v *visit) (string, error) {
	s, trail, err := v.service()
	if err != nil {
		return "", err
	}
	r, faults := v.wantedToken(s)
	if len(faults) > 0 {
		return "", again{faulty(faults), v.newServiceToken}
	}
	made, err := v.api.CreateAPIToken(v.ctx, r, sdk.IdempotencyKey(keyOf(v)))
	if err != nil {
		return "", v.formAgain(err, v.newServiceToken)
	}
	return "", once("/projects", tokenTold("The token "+made.Token.Name+" is made", made, trail, option{accessPath("service-accounts", s.ID), "To " + s.Name}))
}

// tokenPlace is where a token belongs: its service account, or its user.
func (v *visit) tokenPlace() (t sdk.APIToken, trail []option, back string, err error) {
	if t, err = v.api.GetAPIToken(v.ctx, v.r.PathValue("id")); err != nil {
		return t, nil, "", err
	}
	switch {
	case t.ServiceAccountID != "":
		s, err := v.api.GetServiceAccount(v.ctx, t.ServiceAccountID)
		if err != nil {
			return t, nil, "", err
		}
		return t, serviceTrail(s, true), accessPath("service-accounts", s.ID), nil
	case t.UserID != "" && v.holds(blueberry.GrantUsersRead):
		u, err := v.api.GetUser(v.ctx, t.UserID)
		back = accessPath("users", t.UserID)
		return t, []option{peopleTrail, {back, u.Email}}, back, err
	case t.UserID != "":
		return t, []option{{"/account", "Account"}}, "/account", nil
	}
	return t, []option{{"/roles", "Access"}}, "/access-review", nil // the installation's own
}

func askRevokeToken(v *visit) (page, error) { return v.askRevokeToken(nil) }

func (v *visit) askRevokeToken(problem *sdk.Problem) (page, error) {
	t, trail, back, err := v.tokenPlace()
	if err != nil {
		return page{}, err
	}
	used := "It was never used."
	if !t.LastUsedAt.IsZero() {
		used = "It was last used on " + momentText(t.LastUsedAt) + "."
	}
	return asked(t.Name, trailHere(trail), trail, ask{
		Title: "Revoke the API token", Danger: true, Label: "Revoke it", Action: accessPath("tokens", t.ID, "revoke"), Back: back, Problem: problem,
		What: "Whatever program uses it is refused, at once and for good, on every server. " + used + " The list goes on to show it among those that have ended.",
		CLI:  command("token revoke " + t.ID), Call: "DELETE /v1/api-tokens/" + t.ID,
	}), nil
}

// trailHere is the place of the menu that a trail begins at.
func trailHere(trail []option) string { return trail[0].Value }

func revokeToken(v *visit) (string, error) {
	t, _, back, err := v.tokenPlace()
	if err != nil {
		return "", err
	}
	if err := v.api.RevokeAPIToken(v.ctx, t.ID); err != nil {
		return "", v.formAgain(err, v.askRevokeToken)
	}
	return back + "?done=token-revoked", nil
}

func askRotateToken(v *visit) (page, error) { return v.askRotateToken(nil) }

func (v *visit) askRotateToken(problem *sdk.Problem) (page, error) {
	t, trail, back, err := v.tokenPlace()
	if err != nil {
		return page{}, err
	}
	hours, days := v.entered("overlap_hours", "24"), v.entered("days", "")
	r, _ := v.wantedRotation()
	return asked(t.Name, trailHere(trail), trail, ask{
		Title: "Give the token another secret", Label: "Rotate it", Action: accessPath("tokens", t.ID, "rotate"), Back: back, Problem: problem, Hidden: map[string]string{"key": rand.Text()},
		What: "You get a new secret, shown once. The one before works for a while longer, so that no program stands still meanwhile.",
		Inputs: []input{
			{Name: "overlap_hours", Label: "Hours that the secret before works on", Kind: "number", Value: hours, Hint: "1 to 168."},
			{Name: "days", Label: "Days until the token ends, from now", Kind: "number", Value: days, Hint: "Empty means as long as it did at first."},
		},
		CLI: command("token rotate "+t.ID, "overlap", hours+"h", "days", days), Call: "POST /v1/api-tokens/" + t.ID + "/rotate", Body: jsonOf(r),
	}), nil
}

func (v *visit) wantedRotation() (r sdk.RotateAPITokenRequest, faults []sdk.FieldError) {
	r.OverlapHours = wholeNumber("overlap_hours", v.entered("overlap_hours", "24"), &faults)
	r.Days = wholeNumber("days", v.entered("days", ""), &faults)
	return r, faults
}

func rotateToken(v *visit) (string, error) {
	t, trail, back, err := v.tokenPlace()
	if err != nil {
		return "", err
	}
	r, faults := v.wantedRotation()
	if len(faults) > 0 {
		return "", again{faulty(faults), v.askRotateToken}
	}
	made, err := v.api.RotateAPIToken(v.ctx, t.ID, r, sdk.IdempotencyKey(keyOf(v)))
	if err != nil {
		return "", v.formAgain(err, v.askRotateToken)
	}
	return "", once(trailHere(trail), tokenTold("The token "+t.Name+" has another secret", made, trail, option{back, "Back"}))
}

// apiTokenState is whether a token works.
func apiTokenState(t sdk.APIToken, v timeNow) (shape, string) {
	switch {
	case !t.RevokedAt.IsZero():
		return bad, "revoked"
	case !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(v()):
		return idle, "expired"
	case t.LastUsedAt.IsZero():
		return good, "never used"
	}
	return good, "works"
}

// timeNow is a clock.
type timeNow = func() time.Time
