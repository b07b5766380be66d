package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// personVerb is something that one can do with an account.
type personVerb struct {
	Name, Label, What, Done string
	Grant                   blueberry.Grant
	Danger                  bool
	fits                    func(sdk.UserDetail) bool
	cli                     string // behind "blueberry ", with the address behind it
	call, body              string // below /v1/users/{id}
	do                      func(v *visit, u sdk.UserDetail) (string, error)
}

const (
	userActive  = "active"
	userPending = "pending_invite"
)

func setUserStatus(status string) func(v *visit, u sdk.UserDetail) (string, error) {
	return func(v *visit, u sdk.UserDetail) (string, error) {
		_, err := v.api.UpdateUser(v.ctx, u.ID, sdk.UpdateUserRequest{Status: &status}, sdk.IfMatch(u.Version))
		return "", err
	}
}

var personVerbs = []personVerb{
	{
		Name: "invite", Label: "Invite again", Grant: blueberry.GrantUsersWrite, Done: "The invitation is on its way by mail.", fits: func(u sdk.UserDetail) bool { return u.Status == userPending },
		What: "They get a new link. The links before it stop working. It goes by mail if the installation sends mail; else it is shown here.",
		cli:  "user invite", call: "POST /invite",
		do: func(v *visit, u sdk.UserDetail) (string, error) {
			x, err := v.api.InviteUser(v.ctx, u.ID)
			if err != nil {
				return "", err
			}
			return v.invited(x)
		},
	},
	{
		Name: "reset", Label: "Reset sign-in", Grant: blueberry.GrantUsersWrite, Danger: true, fits: func(u sdk.UserDetail) bool { return u.Status == userActive },
		What: "For one who cannot come in any more. Their password, second factor and recovery codes are gone at once; every session and every OAuth token ends. Passkeys, identity providers and API tokens stay. " +
			"You get a link, to pass on, by which they choose a new password.",
		cli: "user reset", call: "POST /reset",
		do: func(v *visit, u sdk.UserDetail) (string, error) {
			x, err := v.api.ResetUser(v.ctx, u.ID)
			if err != nil {
				return "", err
			}
			return "", once("/users", shownOnce{
				Title: "The sign-in of " + u.Email + " is reset", Name: "Link to a new password", Secret: x.URL, On: option{accessPath("users", u.ID), "To " + u.Email}, Trail: []option{peopleTrail},
				What: "Nothing was sent: pass this link on yourself, by a way that only they read. Whoever opens it chooses the password of the account. It works once, until " + momentText(x.ExpiresAt) + ".",
			})
		},
	},
	{
		Name: "end-sessions", Label: "End all sessions", Grant: blueberry.GrantSessionsRevoke, Danger: true, Done: "Every session is over.", fits: func(u sdk.UserDetail) bool { return u.Status == userActive },
		What: "Every browser in which they are signed in is signed out at once, on every server. What they typed and did not send is lost. API tokens and OAuth tokens go on.",
		cli:  "session revoke --all --user", call: "DELETE /sessions",
		do: func(v *visit, u sdk.UserDetail) (string, error) {
			_, err := v.api.RevokeUserSessions(v.ctx, u.ID)
			return "", err
		},
	},
	{
		Name: "disable", Label: "Make inactive", Grant: blueberry.GrantUsersWrite, Danger: true, Done: "They may do nothing any more.", fits: func(u sdk.UserDetail) bool { return u.Status != "inactive" },
		What: "They may do nothing any more, at once: sessions and OAuth tokens end, links that they were sent stop working, and their API tokens are refused. Their environments, roles and history stay. It can be taken back.",
		cli:  "user update --inactive", call: "PATCH ", body: `{"status": "inactive"}`, do: setUserStatus("inactive"),
	},
	{
		Name: "enable", Label: "Make active", Grant: blueberry.GrantUsersWrite, Done: "They may come in again.", fits: func(u sdk.UserDetail) bool { return u.Status == "inactive" },
		What: "They may come in again, with the roles that they have. API tokens that have not expired work again; sessions and OAuth tokens stay over.",
		cli:  "user update --active", call: "PATCH ", body: `{"status": "active"}`, do: setUserStatus("active"),
	},
	{
		Name: "delete", Label: "Delete", Grant: blueberry.GrantUsersWrite, Danger: true, fits: func(u sdk.UserDetail) bool { return u.Status != userActive && u.LastSeenAt.IsZero() },
		What: "The account and its roles are gone, and the link of the invitation stops working. They were never here, so no history is lost. One who was here cannot be deleted, only made inactive.",
		cli:  "user delete", call: "DELETE ",
		do: func(v *visit, u sdk.UserDetail) (string, error) {
			return "/users?done=person-delete", v.api.DeleteUser(v.ctx, u.ID, sdk.IfMatch(u.Version))
		},
		Done: "The account is gone.",
	},
}

func (v *visit) personVerb() (personVerb, error) {
	i := slices.IndexFunc(personVerbs, func(x personVerb) bool { return x.Name == v.r.PathValue("verb") })
	if i < 0 {
		return personVerb{}, nothingHere()
	}
	return personVerbs[i], nil
}

func nothingHere() error {
	return &sdk.Problem{Status: http.StatusNotFound, Code: "ROUTE_NOT_FOUND", Detail: "there is nothing at this path"}
}

func askPerson(v *visit) (page, error) {
	x, err := v.personVerb()
	if err != nil {
		return page{}, err
	}
	return v.askPerson(x, nil)
}

func (v *visit) askPerson(x personVerb, problem *sdk.Problem) (page, error) {
	u, trail, err := v.person(x.Grant)
	if err != nil {
		return page{}, err
	}
	at := accessPath("users", u.ID)
	method, below, _ := strings.Cut(x.call, " ")
	return asked(u.Email, "/users", trail, ask{
		Title: x.Label, What: x.What, Action: at + "/" + x.Name, Label: x.Label, Back: at, Danger: x.Danger, Problem: problem,
		CLI: command(x.cli + " " + shellWord(u.Email)), Call: method + " /v1/users/" + u.ID + below, Body: x.body,
	}), nil
}

func doPerson(v *visit) (string, error) {
	x, err := v.personVerb()
	if err != nil {
		return "", err
	}
	u, _, err := v.person(x.Grant)
	if err != nil {
		return "", err
	}
	to, err := x.do(v, u)
	var told again
	switch {
	case errors.As(err, &told):
		return "", err
	case err != nil:
		return "", v.formAgain(err, func(p *sdk.Problem) (page, error) { return v.askPerson(x, p) })
	case to == "":
		to = accessPath("users", u.ID) + "?done=person-" + x.Name
	}
	return to, nil
}

func askSession(v *visit) (page, error) {
	u, trail, err := v.person(blueberry.GrantSessionsRevoke)
	if err != nil {
		return page{}, err
	}
	at, id := accessPath("users", u.ID), v.r.PathValue("session")
	return asked(u.Email, "/users", trail, ask{
		Title: "End this session", What: "The browser is signed out at once, on every server. What was typed there and not sent is lost. Other sessions go on.", Action: at + accessPath("sessions", id), Label: "End it", Back: at,
		Danger: true, CLI: command("session revoke " + shellWord(id)), Call: "DELETE /v1/sessions/" + id,
	}), nil
}

func endSession(v *visit) (string, error) {
	if err := v.api.RevokeSession(v.ctx, v.r.PathValue("session")); err != nil {
		return "", err
	}
	return accessPath("users", v.r.PathValue("id")) + "?done=session-ended", nil
}
