package console

import (
	"cmp"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// peopleView is a list of people.
type peopleView struct {
	Filter    sdk.UserFilter
	Items     []sdk.User
	Projects  []string
	Next      string
	Filtered  bool
	MayInvite bool
}

var peopleSorts = []option{{"email", "By address"}, {"-created_at", "Newest first"}, {"-last_seen_at", "Seen last"}, {"last_seen_at", "Longest away"}}

var peopleStates = []option{{"", "All"}, {"active", "active"}, {"pending_invite", "invited"}, {"inactive", "inactive"}}

func peopleArea() area {
	done := map[string]string{
		"person-invited": "The invitation is on its way by mail.", "person-changed": "The account is changed.", "person-role": "The role is given.", "session-ended": "The session is over.",
	}
	for _, x := range personVerbs {
		done["person-"+x.Name] = x.Done
	}
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.holds(blueberry.GrantUsersRead) {
				return nil
			}
			return []menuItem{{To: "/users", Name: "People", Icon: "people", Group: groupAccess}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /users": people, "GET /users/new": newPerson, "GET /users/{id}": person, "GET /users/{id}/edit": editPerson, "GET /users/{id}/roles": newRole,
			"GET /users/{id}/{verb}": askPerson, "GET /users/{id}/sessions/{session}": askSession,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /users": invitePerson, "POST /users/{id}/edit": changePerson, "POST /users/{id}/roles": giveRole, "POST /users/{id}/{verb}": doPerson, "POST /users/{id}/sessions/{session}": endSession,
		},
		Done: done,
	}
}

func people(v *visit) (page, error) {
	q := v.r.URL.Query()
	l := peopleView{
		Filter:    sdk.UserFilter{Search: strings.TrimSpace(q.Get("q")), Status: q.Get("status"), Project: q.Get("project"), Sort: q.Get("sort"), Cursor: q.Get("cursor")},
		MayInvite: v.holds(blueberry.GrantUsersWrite),
	}
	l.Filtered = l.Filter.Search+l.Filter.Status+l.Filter.Project != ""
	list, err := v.api.ListUsers(v.ctx, l.Filter)
	if err != nil {
		return page{}, err
	}
	if l.Projects, err = v.projectsWith(blueberry.GrantProjectsRead); err != nil {
		return page{}, err
	}
	l.Items, l.Next = list.Items, following(v.r.URL, "cursor", list.NextCursor)
	return page{Title: "People", Here: "/users", Body: peopleBody(l), Watch: interest{Any: true}}, nil
}

var peopleTrail = option{"/users", "People"}

func newPerson(v *visit) (page, error) {
	if err := v.needs("", blueberry.GrantUsersWrite); err != nil {
		return page{}, err
	}
	return v.newPerson(nil)
}

func (v *visit) wantedPerson() sdk.CreateUserRequest {
	r := sdk.CreateUserRequest{Email: v.entered("email", ""), Name: v.entered("name", ""), Owner: v.was("owner", false), BreakGlass: v.was("break_glass", false)}
	if p := v.entered("members[0].project", ""); p != "" {
		r.Members = []sdk.ProjectRole{{Project: p, Role: v.entered("members[0].role", "developer")}}
	}
	return r
}

func (v *visit) newPerson(problem *sdk.Problem) (page, error) {
	names, err := v.projectsWith(blueberry.GrantMembersWrite)
	if err != nil {
		return page{}, err
	}
	r := v.wantedPerson()
	a := ask{
		Title: "Invite a person", Action: "/users", Label: "Invite", Back: "/users", Problem: problem,
		What: "They get a link by which they choose a password or a passkey, valid for a week. It goes by mail if the installation sends mail; else it is shown here, for you to pass on.",
		Inputs: []input{
			{Name: "email", Label: "E-mail address", Kind: "email", Value: r.Email, Required: true, Placeholder: "ada@example.com"},
			{Name: "name", Label: "Name", Value: r.Name, Hint: "For people. They can change it."},
			{Name: "members[0].project", Label: "Project", Kind: "select", Value: v.entered("members[0].project", ""), Options: append([]option{{"", "none yet: they come in and see nothing"}}, optionsOf(names...)...)},
			{Name: "members[0].role", Label: "Role in it", Kind: "select", Value: v.entered("members[0].role", "developer"), Options: roleOptions()},
		},
		Call: "POST /v1/users",
	}
	if v.holds(blueberry.GrantAll) {
		a.Inputs = append(a.Inputs, input{Name: "owner", Label: "Owner of the installation", Kind: "check", Value: checked(r.Owner), Hint: "May do everything, everywhere."},
			input{Name: "break_glass", Label: "May break the glass", Kind: "check", Value: checked(r.BreakGlass), Hint: "In an emergency they may take the power of an owner for an hour. Every person is told of it."})
	}
	flags := []string{"name", r.Name}
	for _, m := range r.Members {
		flags = append(flags, "member", m.Project+":"+m.Role)
	}
	r.Email = cmp.Or(r.Email, "ada@example.com")
	a.CLI = command("user create "+shellWord(r.Email), flags...)
	if r.Owner {
		a.CLI += " --owner"
	}
	if r.BreakGlass {
		a.CLI += " --break-glass"
	}
	a.Body = jsonOf(r)
	return asked("People", "/users", []option{peopleTrail}, a), nil
}

func invitePerson(v *visit) (string, error) {
	made, err := v.api.CreateUser(v.ctx, v.wantedPerson())
	if err != nil {
		return "", v.formAgain(err, v.newPerson)
	}
	return v.invited(made)
}

// invited tells the link of an invitation, if it goes by hand.
func (v *visit) invited(x sdk.InvitedUser) (string, error) {
	at := accessPath("users", x.User.ID)
	if x.Link == "" {
		return at + "?done=person-invited", nil
	}
	return "", once("/users", shownOnce{
		Title: x.User.Email + " is invited", Name: "Link of the invitation", Secret: x.Link, On: option{at, "To " + x.User.Email}, Trail: []option{peopleTrail},
		What: "No mail is set up, so nothing was sent: pass this link on yourself, by a way that only they read. Whoever opens it chooses the password of the account. It works once, until " +
			momentText(x.LinkExpiresAt) + ".",
	})
}

// personView is one person with all that one may see of them.
type personView struct {
	sdk.UserDetail
	Verbs                                              []personVerb
	Sessions                                           []sdk.Session
	Tokens                                             []sdk.APIToken
	Entries                                            []sdk.AuditEntry
	SeesSessions, EndsSessions, SeesTokens, SeesAudit  bool
	RevokesTokens, MayEdit, MayGive, SeesOAuth, Itself bool
}

func (x personView) label() string { return personLabel(x.User) }

func personLabel(u sdk.User) string { return cmp.Or(u.Name, u.Email) }

// personRows is how many lines the lists of a person's page have.
const personRows = 10

func person(v *visit) (page, error) {
	u, err := v.api.GetUser(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	x := personView{
		UserDetail: u, Itself: u.ID == v.who.UserID, MayEdit: v.holds(blueberry.GrantUsersWrite), MayGive: v.may("", blueberry.GrantMembersWrite),
		RevokesTokens: v.holds(blueberry.GrantTokensWrite), EndsSessions: v.holds(blueberry.GrantSessionsRevoke),
	}
	x.SeesSessions, x.SeesTokens = v.holds(blueberry.GrantSessionsRead), v.holds(blueberry.GrantTokensRead)
	x.SeesOAuth, x.SeesAudit = x.SeesTokens, v.holds(blueberry.GrantAuditRead)
	for _, verb := range personVerbs {
		if v.holds(verb.Grant) && verb.fits(u) {
			x.Verbs = append(x.Verbs, verb)
		}
	}
	if x.SeesSessions {
		list, err := v.api.ListUserSessions(v.ctx, u.ID, sdk.IDWindow{Limit: personRows})
		if err != nil {
			return page{}, err
		}
		x.Sessions = list.Items
	}
	if x.SeesTokens {
		list, err := v.api.ListAPITokens(v.ctx, sdk.APITokenFilter{User: u.ID, Limit: personRows})
		if err != nil {
			return page{}, err
		}
		x.Tokens = list.Items
	}
	if x.SeesAudit {
		list, err := v.api.ListAuditEntries(v.ctx, sdk.AuditFilter{Actor: u.ID, Limit: personRows})
		if err != nil {
			return page{}, err
		}
		x.Entries = list.Items
	}
	return page{Title: u.Email, Here: "/users", Body: personBody(x), Watch: interest{Any: true}}, nil
}

func (v *visit) person(g blueberry.Grant) (sdk.UserDetail, []option, error) {
	if err := v.needs("", g); err != nil {
		return sdk.UserDetail{}, nil, err
	}
	u, err := v.api.GetUser(v.ctx, v.r.PathValue("id"))
	return u, []option{peopleTrail, {accessPath("users", u.ID), u.Email}}, err
}

func editPerson(v *visit) (page, error) { return v.editPerson(nil) }

func (v *visit) editPerson(problem *sdk.Problem) (page, error) {
	u, trail, err := v.person(blueberry.GrantUsersWrite)
	if err != nil {
		return page{}, err
	}
	r := v.changedPerson(u)
	at := accessPath("users", u.ID)
	a := ask{
		Title: "Change the account", Action: at + "/edit", Label: "Change", Back: at, Problem: problem,
		What: "With another address they sign in by that one, and links to a new password go there.",
		Inputs: []input{
			{Name: "name", Label: "Name", Value: v.entered("name", u.Name)}, {Name: "email", Label: "E-mail address", Kind: "email", Value: v.entered("email", u.Email), Required: true},
		},
		Call: "PATCH /v1/users/" + u.ID, Body: jsonOf(r), CLI: command("user update "+shellWord(u.Email), "name", pointed(r.Name), "email", pointed(r.Email)),
	}
	if v.holds(blueberry.GrantAll) {
		a.Inputs = append(a.Inputs, input{Name: "owner", Label: "Owner of the installation", Kind: "check", Value: checked(v.was("owner", u.Owner)), Hint: "May do everything, everywhere. One owner is always left."},
			input{Name: "break_glass", Label: "May break the glass", Kind: "check", Value: checked(v.was("break_glass", u.BreakGlass)), Hint: "In an emergency they may take the power of an owner for an hour."})
		a.CLI += " --owner=" + yesOrNo(v.was("owner", u.Owner)) + " --break-glass=" + yesOrNo(v.was("break_glass", u.BreakGlass))
	}
	return asked(u.Email, "/users", trail, a), nil
}

func pointed(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func yesOrNo(is bool) string {
	if is {
		return "true"
	}
	return "false"
}

// changedPerson is what of an account is to change: only what differs, so that nobody needs a right for what stays.
func (v *visit) changedPerson(u sdk.UserDetail) (r sdk.UpdateUserRequest) {
	if name := v.entered("name", u.Name); name != u.Name {
		r.Name = &name
	}
	if email := v.entered("email", u.Email); email != u.Email {
		r.Email = &email
	}
	if v.holds(blueberry.GrantAll) {
		if owner := v.was("owner", u.Owner); owner != u.Owner {
			r.Owner = &owner
		}
		if glass := v.was("break_glass", u.BreakGlass); glass != u.BreakGlass {
			r.BreakGlass = &glass
		}
	}
	return r
}

func changePerson(v *visit) (string, error) {
	u, _, err := v.person(blueberry.GrantUsersWrite)
	if err != nil {
		return "", err
	}
	if _, err := v.api.UpdateUser(v.ctx, u.ID, v.changedPerson(u), sdk.IfMatch(u.Version)); err != nil {
		return "", v.formAgain(err, v.editPerson)
	}
	return accessPath("users", u.ID) + "?done=person-changed", nil
}

func newRole(v *visit) (page, error) { return v.newRole(nil) }

func (v *visit) newRole(problem *sdk.Problem) (page, error) {
	names, err := v.projectsWith(blueberry.GrantMembersWrite)
	if err != nil {
		return page{}, err
	}
	u, err := v.api.GetUser(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	if len(names) == 0 {
		return page{}, v.needs("", blueberry.GrantMembersWrite)
	}
	project, role := v.entered("project", cmp.Or(v.r.URL.Query().Get("project"), names[0])), v.entered("role", cmp.Or(v.r.URL.Query().Get("role"), "developer"))
	at := accessPath("users", u.ID)
	return asked(u.Email, "/users", []option{peopleTrail, {at, u.Email}}, ask{
		Title: "Give a role", Action: at + "/roles", Label: "Give it", Back: at, Problem: problem, What: "It holds at once. In a project in which they have a role, it takes the place of that one.",
		Inputs: []input{
			{Name: "project", Label: "Project", Kind: "select", Value: project, Options: optionsOf(names...)}, {Name: "role", Label: "Role", Kind: "select", Value: role, Options: roleOptions()},
		},
		CLI: command("project add-member " + shellWord(project) + " " + shellWord(u.Email) + " " + shellWord(role)), Call: "PUT /v1/projects/" + project + "/members/" + u.ID, Body: jsonOf(sdk.SetMemberRequest{Role: role}),
	}), nil
}

func giveRole(v *visit) (string, error) {
	id := v.r.PathValue("id")
	if _, err := v.api.SetProjectMember(v.ctx, v.entered("project", ""), id, sdk.SetMemberRequest{Role: v.entered("role", "")}); err != nil {
		return "", v.formAgain(err, v.newRole)
	}
	return accessPath("users", id) + "?done=person-role", nil
}

// personState is how an account is.
func personState(u sdk.User) (shape, string) {
	switch {
	case u.Status == userPending && u.Invitation.State == "failed":
		return warn, "mail failed"
	case u.Status == userPending:
		return busyStill, "invited"
	case u.Status == userActive:
		return good, "active"
	}
	return idle, u.Status
}

// busyStill waits for somebody: nothing turns meanwhile.
var busyStill = shape{"dash", "busy"}

// methodText is how somebody signed in, for people.
func methodText(method string) string {
	name, with, _ := strings.Cut(method, ":")
	switch name {
	case "password+totp":
		return "password and code"
	case "oidc":
		return with
	}
	return method
}

// invitationText is how far an invitation has come, for people.
func invitationText(i sdk.Invitation) string {
	switch i.State {
	case "queued":
		return "on its way"
	case "sent":
		return "sent by mail"
	case "failed":
		return "failed"
	case "manual":
		return "its link is passed on by hand"
	}
	return i.State
}
