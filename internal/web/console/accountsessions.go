package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// asAgain reports whether a form is to be shown once more.
func asAgain(err error, a *again) bool { return errors.As(err, a) }

// ownSessionsView is where somebody is signed in.
type ownSessionsView struct {
	Items []sdk.Session
	Next  string
}

func ownSessions(v *visit) (page, error) {
	list, err := v.api.ListSessions(v.ctx, sdk.SessionFilter{Before: v.r.URL.Query().Get("before")})
	if err != nil {
		return page{}, err
	}
	view := ownSessionsView{Items: list.Items, Next: older(v.r.URL, list.NextBefore)}
	return page{Title: "Sessions", Here: "/account", Body: ownSessionsBody(view), Watch: interest{Any: true}}, nil
}

// signInWord is how somebody signed in, for people.
func signInWord(method string) string {
	if provider, ok := strings.CutPrefix(method, "oidc:"); ok {
		return "by " + provider
	}
	switch method {
	case "password+totp":
		return "password and authenticator"
	case "password+recovery":
		return "password and recovery code"
	}
	return method
}

func askSessionEnd(v *visit) (page, error) { return v.askSessionEnd(nil) }

func (v *visit) askSessionEnd(problem *sdk.Problem) (page, error) {
	id := v.r.PathValue("id")
	for s, err := range v.api.AllSessions(v.ctx, sdk.SessionFilter{}) {
		if err != nil {
			return page{}, err
		}
		if s.ID != id {
			continue
		}
		what := "It ends at once, on every server: whoever is at " + deviceName(s.UserAgent) + " must sign in again."
		if s.Current {
			what = "It is the one that you look at this page with: you must sign in again."
		}
		return accountForm("End a session", "/account/sessions", ask{
			Title: "End the session of " + deviceName(s.UserAgent), What: what, Label: "End it", Danger: true, Problem: problem,
			Action: "/account/sessions/" + url.PathEscape(id) + "/end", Back: "/account/sessions",
			CLI: "blueberry session revoke " + id, Call: "DELETE /v1/sessions/" + id,
		}), nil
	}
	return page{}, &sdk.Problem{Status: http.StatusNotFound, Code: "SESSION_NOT_FOUND", Detail: "you have no such session, or it has ended"}
}

func endOwnSession(v *visit) (string, error) {
	if err := v.api.RevokeSession(v.ctx, v.r.PathValue("id")); err != nil {
		return "", accountAgain(err, v.askSessionEnd)
	}
	return "/account/sessions?done=own-session-ended", nil
}

func askSessionsEnd(v *visit) (page, error) {
	_, u, err := v.ownAccount()
	if err != nil {
		return page{}, err
	}
	return accountForm("End all others", "/account/sessions", ask{
		Title: "End all other sessions", Label: "End all others", Danger: true, Action: "/account/sessions/end", Back: "/account/sessions",
		What: "Every session but this one ends at once, on every server. API tokens and programs go on: they have pages of their own.",
		Call: "DELETE /v1/users/" + u.ID + "/sessions?others=true",
	}), nil
}

func endOwnSessions(v *visit) (string, error) {
	_, u, err := v.ownAccount()
	if err != nil {
		return "", err
	}
	if _, err := v.api.RevokeOtherSessions(v.ctx, u.ID); err != nil {
		return "", err
	}
	return "/account/sessions?done=own-sessions-ended", nil
}

// ownProgramsView is what was allowed to programs.
type ownProgramsView struct{ Items []sdk.Consent }

func ownPrograms(v *visit) (page, error) {
	list, err := v.api.ListConsents(v.ctx)
	if err != nil {
		return page{}, err
	}
	return page{Title: "Programs", Here: "/account", Body: ownProgramsBody(ownProgramsView{list.Items})}, nil
}

// programName is what a program calls itself, or its id.
func programName(c sdk.Consent) string {
	if c.Client == "" {
		return c.ClientID
	}
	return c.Client
}

func askProgramEnd(v *visit) (page, error) { return v.askProgramEnd(nil) }

func (v *visit) askProgramEnd(problem *sdk.Problem) (page, error) {
	list, err := v.api.ListConsents(v.ctx)
	if err != nil {
		return page{}, err
	}
	id := v.r.PathValue("client")
	for _, c := range list.Items {
		if c.ClientID == id {
			return accountForm("Take back", "/account/programs", ask{
				Title: "Take back what " + programName(c) + " may", Label: "Take back", Danger: true, Problem: problem,
				What:   "Its tokens end at once, on every server. It may ask you again.",
				Action: "/account/programs/" + url.PathEscape(id) + "/remove", Back: "/account/programs", Call: "DELETE /v1/account/consents/" + id,
			}), nil
		}
	}
	return page{}, &sdk.Problem{Status: http.StatusNotFound, Code: "CONSENT_NOT_FOUND", Detail: "you have allowed no such program anything"}
}

func endProgram(v *visit) (string, error) {
	if err := v.api.RevokeConsent(v.ctx, v.r.PathValue("client")); err != nil {
		return "", accountAgain(err, v.askProgramEnd)
	}
	return "/account/programs?done=own-taken-back", nil
}
