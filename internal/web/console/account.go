package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// accountArea is one's own account: who one is, how one signs in, where one is signed in, and what acts for one. Its place in the menu is the menu's own.
func accountArea() area {
	return area{
		Pages: map[string]func(*visit) (page, error){
			"GET /account": ownProfile, "GET /account/security": ownSecurity, "GET /account/security/password": askPassword,
			"GET /account/security/totp/remove": askTOTPRemoval, "GET /account/security/recovery-codes": askRecoveryCodes,
			"GET /account/security/passkeys/{id}/remove": askPasskeyRemoval, "GET /account/security/identities/{provider}/unlink": askUnlink,
			"GET /account/sessions": ownSessions, "GET /account/sessions/end": askSessionsEnd, "GET /account/sessions/{id}/end": askSessionEnd,
			"GET /account/tokens": ownTokens, "GET /account/tokens/new": askOwnToken, "GET /account/tokens/{id}/rotate": askOwnTokenRotation,
			"GET /account/tokens/{id}/revoke": askOwnTokenEnd, "GET /account/programs": ownPrograms, "GET /account/programs/{client}/remove": askProgramEnd,
			"GET /account/notifications": ownNotices,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /account": setName, "POST /account/security/password": changeOwnPassword, "POST /account/security/totp": beginTOTP,
			"POST /account/security/totp/confirm": confirmTOTP, "POST /account/security/totp/remove": removeTOTP, "POST /account/security/recovery-codes": makeRecoveryCodes,
			"POST /account/security/passkeys/{id}/remove": removePasskey, "POST /account/security/identities/{provider}/unlink": unlinkIdentity,
			"POST /account/sessions/end": endOwnSessions, "POST /account/sessions/{id}/end": endOwnSession,
			"POST /account/tokens/new": makeOwnToken, "POST /account/tokens/{id}/rotate": rotateOwnToken, "POST /account/tokens/{id}/revoke": endOwnToken,
			"POST /account/programs/{client}/remove": endProgram,
			"POST /account/notifications":            setNotifications, "POST /account/notifications/test": testNotifications, "POST /account/notifications/{id}/redrive": redriveOwnNotice,
		},
		Done: map[string]string{
			"own-named": "Your name is changed.", "own-password": "The password is changed; your other sessions have ended.", "own-totp-removed": "The second factor is removed.",
			"own-passkey": "The passkey is added: you can sign in with it from now on.", "own-passkey-removed": "The passkey is removed.", "own-linked": "The identity provider is linked: you can sign in by it from now on.", "own-unlinked": "The identity provider is unlinked.",
			"own-session-ended": "The session has ended.", "own-sessions-ended": "All other sessions have ended.", "own-token-ended": "The API token has ended, on every server.",
			"own-taken-back":    "The program may do nothing for you any more; its tokens have ended.",
			"own-notifications": "What you are told is changed.", "own-notifications-tested": "A test was sent by each way that is on. Below is how it went.", "own-notice-again": "It is sent again.",
		},
	}
}

// accountTabs are the pages of the account.
var accountTabs = []option{
	{"/account", "Profile"},
	{"/account/security", "Security"},
	{"/account/sessions", "Sessions"},
	{"/account/tokens", "API tokens"},
	{"/account/programs", "Programs"},
	{"/account/notifications", "Notifications"},
}

// ownAccount reads the account of who looks.
func (v *visit) ownAccount() (sdk.Account, sdk.UserDetail, error) {
	a, err := v.api.GetAccount(v.ctx)
	if err != nil {
		return a, sdk.UserDetail{}, err
	}
	if a.User == nil {
		return a, sdk.UserDetail{}, &sdk.Problem{Status: http.StatusForbidden, Code: "PERSON_NEEDED", Detail: a.Name + " has no account of its own: only a person has one"}
	}
	return a, *a.User, nil
}

// accountAgain shows a form of the account again for what the person can put right: a proof that was wrong or missing, or too many of them, as well.
func accountAgain(err error, form func(*sdk.Problem) (page, error)) error {
	var p *sdk.Problem
	if !errors.As(err, &p) {
		return err
	}
	proof := slices.Contains([]string{"PROOF_WRONG", "SECOND_FACTOR_NEEDED", "SIGN_IN_AGAIN"}, p.Code)
	if proof || slices.Contains([]int{http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity, http.StatusTooManyRequests}, p.Status) {
		return again{p, form}
	}
	return err
}

// retryLater tells a program, too, how long there is to wait.
func (v *visit) retryLater(err error) error {
	var p *sdk.Problem
	if errors.As(err, &p) && p.RetryAfter > 0 {
		v.w.Header().Set("Retry-After", number(int(p.RetryAfter.Seconds())))
	}
	return err
}

// profileView is who somebody is here.
type profileView struct {
	sdk.UserDetail
	Account sdk.Account
	Ask     ask
}

func ownProfile(v *visit) (page, error) { return v.profile(nil) }

func (v *visit) profile(problem *sdk.Problem) (page, error) {
	a, u, err := v.ownAccount()
	if err != nil {
		return page{}, err
	}
	name := typed(v.r.PostForm, "name", u.Name)
	view := profileView{UserDetail: u, Account: a, Ask: ask{
		Title: "What you are called", What: "As others read it beside your address.", Action: "/account", Label: "Save", Problem: problem,
		Inputs: []input{{Name: "name", Label: "Name", Value: name, Complete: "name"}},
		CLI:    "blueberry user update " + u.Email + " --name " + shellQuoted(name), Call: "PATCH /v1/users/" + u.ID, Body: jsonOf(sdk.UpdateUserRequest{Name: &name}),
	}}
	return page{Title: "Account", Here: "/account", Body: profileBody(view)}, nil
}

func setName(v *visit) (string, error) {
	_, u, err := v.ownAccount()
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(v.r.PostForm.Get("name"))
	if _, err := v.api.UpdateUser(v.ctx, u.ID, sdk.UpdateUserRequest{Name: &name}); err != nil {
		return "", accountAgain(err, v.profile)
	}
	return "/account?done=own-named", nil
}

// ownRoleWord is a role in a project as a person says it.
func ownRoleWord(r sdk.ProjectRole) string {
	if r.Project == "" {
		return r.Role + " of the installation"
	}
	return r.Project + ": " + r.Role
}

// deviceName tells a browser and a system from a user agent, as far as its usual words go.
func deviceName(agent string) string {
	find := func(words [][2]string) string {
		for _, x := range words {
			if strings.Contains(agent, x[0]) {
				return x[1]
			}
		}
		return ""
	}
	browser := find([][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}})
	system := find([][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}})
	switch {
	case browser == "" && agent == "":
		return "unknown"
	case browser == "":
		name, _, _ := strings.Cut(agent, " ")
		return name
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// mayGive reports whether who looks could give all of some grants to a token.
func (v *visit) mayGive(grants []string) bool {
	return !slices.ContainsFunc(grants, func(g string) bool { return !v.may("", blueberry.Grant(g)) })
}
