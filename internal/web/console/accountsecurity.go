package console

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/web/look"
	"github.com/blueberry-idp/blueberry/sdk"
)

// byBrowser is said where no command does the same: a token is no proof of a person.
const byBrowser = " Only a person in a browser can do it, so there is no command for it."

// securityView is how somebody signs in.
type securityView struct {
	sdk.UserDetail
	PasskeysOff string
	Link        []sdk.SignInProvider // that can be linked
}

// weak says what would let somebody else in too easily; empty for nothing.
func (s securityView) weak() string {
	switch {
	case s.Password && !s.SecondFactor:
		return "A password alone is enough to sign in as you. An authenticator on your phone makes it two things."
	case s.SecondFactor && s.RecoveryCodes == 0:
		return "No recovery code is left. Without your authenticator only an owner could let you in."
	}
	return ""
}

func recoveryLeft(n int) string {
	switch n {
	case 0:
		return "No recovery code is left."
	case 1:
		return "One recovery code is left."
	}
	return number(n) + " recovery codes are left."
}

func ownSecurity(v *visit) (page, error) {
	look.Outward(v.w.Header()) // linking leads to the provider
	_, u, err := v.ownAccount()
	if err != nil {
		return page{}, err
	}
	ways, err := v.api.ListSignInWays(v.ctx)
	if err != nil {
		return page{}, err
	}
	view := securityView{UserDetail: u, PasskeysOff: ways.PasskeysOff}
	for _, p := range ways.Providers {
		if !slices.ContainsFunc(u.Identities, func(i sdk.Identity) bool { return i.Provider == p.Name }) {
			view.Link = append(view.Link, p)
		}
	}
	return page{Title: "Security", Here: "/account", Body: securityBody(view)}, nil
}

// accountForm is a page of the account with one form.
func accountForm(title, under string, a ask) page {
	return page{Title: title, Here: "/account", Body: accountFormBody(under, a, "")}
}

func codeInput() input {
	return input{Name: "code", Label: "Code of the second factor", Complete: "one-time-code", Required: true, Hint: "Six digits from your authenticator, or one of your recovery codes."}
}

func askPassword(v *visit) (page, error) { return v.askPassword(nil) }

func (v *visit) askPassword(problem *sdk.Problem) (page, error) {
	_, u, err := v.ownAccount()
	if err != nil {
		return page{}, err
	}
	a := ask{
		Title: "Change the password", What: "Your other sessions, and the tokens of programs that act for you, end." + byBrowser,
		Action: "/account/security/password", Back: "/account/security", Problem: problem,
	}
	if u.Password {
		a.Inputs = append(a.Inputs, input{Name: "old_password", Label: "Present password", Kind: "password", Complete: "current-password", Required: true, Focus: true})
	} else {
		a.Title, a.What = "Choose a password", "You have none so far. You must have signed in a moment ago."+byBrowser
	}
	a.Inputs = append(a.Inputs, input{Name: "new_password", Label: "New password", Kind: "password", Required: true, Focus: !u.Password, Hint: "At least 12 characters; a few words are good."})
	if u.SecondFactor {
		a.Inputs = append(a.Inputs, codeInput())
	}
	return page{Title: a.Title, Here: "/account", Body: accountFormBody("/account/security", a, u.Email)}, nil
}

func changeOwnPassword(v *visit) (string, error) {
	f := v.r.PostForm
	err := v.api.ChangePassword(v.ctx, sdk.ChangePasswordRequest{Old: f.Get("old_password"), New: f.Get("new_password"), Code: f.Get("code")})
	if err != nil {
		return "", accountAgain(v.retryLater(err), v.askPassword)
	}
	return "/account/security?done=own-password", nil
}

// totpView is the key of an authenticator, which is shown once.
type totpView struct {
	Secret, QR string // QR is a data URL of a PNG
	Problem    string
}

func beginTOTP(v *visit) (string, error) { return v.showTOTP(nil) }

// showTOTP shows the key of an authenticator. A wrong code shows a new one, since the one before was shown once.
func (v *visit) showTOTP(problem *sdk.Problem) (string, error) {
	setup, err := v.api.BeginTOTP(v.ctx)
	if err != nil {
		return "", err
	}
	view := totpView{Secret: setup.Secret, QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(setup.QR)}
	if problem != nil {
		view.Problem = "The code was not right. Here is a new key; take the one before out of your authenticator."
	}
	return "", again{problem, func(*sdk.Problem) (page, error) {
		return page{Title: "Set up an authenticator", Here: "/account", Body: totpBody(view)}, nil
	}}
}

func confirmTOTP(v *visit) (string, error) {
	codes, err := v.api.ConfirmTOTP(v.ctx, sdk.CodeRequest{Code: v.r.PostForm.Get("code")})
	var a again
	if asAgain(accountAgain(v.retryLater(err), nil), &a) && a.problem.Code == "PROOF_WRONG" {
		return v.showTOTP(a.problem)
	}
	if err != nil {
		return "", err
	}
	return "", answerOnce(page{Title: "Recovery codes", Here: "/account", Body: recoveryBody(codes.Codes)})
}

func askTOTPRemoval(*visit) (page, error) { return formTOTPRemoval(nil) }

func formTOTPRemoval(problem *sdk.Problem) (page, error) {
	return accountForm("Remove the second factor", "/account/security", ask{
		Title: "Remove the second factor", What: "The password alone is enough to sign in as you then, and your recovery codes are worth nothing." + byBrowser,
		Action: "/account/security/totp/remove", Back: "/account/security", Danger: true, Problem: problem,
		Inputs: []input{{Name: "password", Label: "Password", Kind: "password", Complete: "current-password", Required: true, Focus: true}, codeInput()},
	}), nil
}

func removeTOTP(v *visit) (string, error) {
	if err := v.api.RemoveTOTP(v.ctx, sdk.RemoveTOTPRequest{Password: v.r.PostForm.Get("password"), Code: v.r.PostForm.Get("code")}); err != nil {
		return "", accountAgain(v.retryLater(err), formTOTPRemoval)
	}
	return "/account/security?done=own-totp-removed", nil
}

func askRecoveryCodes(*visit) (page, error) { return formRecoveryCodes(nil) }

func formRecoveryCodes(problem *sdk.Problem) (page, error) {
	return accountForm("New recovery codes", "/account/security", ask{
		Title: "New recovery codes", What: "Ten new ones are shown once. Those that you have so far stop working." + byBrowser, Label: "Make new ones",
		Action: "/account/security/recovery-codes", Back: "/account/security", Problem: problem, Inputs: []input{codeInput()},
	}), nil
}

func makeRecoveryCodes(v *visit) (string, error) {
	codes, err := v.api.CreateRecoveryCodes(v.ctx, sdk.CodeRequest{Code: v.r.PostForm.Get("code")})
	if err != nil {
		return "", accountAgain(v.retryLater(err), formRecoveryCodes)
	}
	return "", answerOnce(page{Title: "Recovery codes", Here: "/account", Body: recoveryBody(codes.Codes)})
}

func askPasskeyRemoval(v *visit) (page, error) { return v.askPasskeyRemoval(nil) }

func (v *visit) askPasskeyRemoval(problem *sdk.Problem) (page, error) {
	_, u, err := v.ownAccount()
	if err != nil {
		return page{}, err
	}
	i := slices.IndexFunc(u.Passkeys, func(k sdk.Passkey) bool { return k.ID == v.r.PathValue("id") })
	if i < 0 {
		return page{}, &sdk.Problem{Status: http.StatusNotFound, Code: "PASSKEY_NOT_FOUND", Detail: "you have no such passkey"}
	}
	k := u.Passkeys[i]
	return accountForm("Remove a passkey", "/account/security", ask{
		Title: "Remove the passkey " + k.Name, Label: "Remove", Danger: true, Problem: problem,
		What:   "You cannot sign in with it any more. It stays on the device until you remove it there, too." + byBrowser,
		Action: "/account/security/passkeys/" + url.PathEscape(k.ID) + "/remove", Back: "/account/security",
	}), nil
}

func removePasskey(v *visit) (string, error) {
	if err := v.api.DeletePasskey(v.ctx, v.r.PathValue("id")); err != nil {
		return "", accountAgain(err, v.askPasskeyRemoval)
	}
	return "/account/security?done=own-passkey-removed", nil
}

func askUnlink(v *visit) (page, error) { return v.askUnlink(nil) }

func (v *visit) askUnlink(problem *sdk.Problem) (page, error) {
	name := v.r.PathValue("provider")
	return accountForm("Unlink "+name, "/account/security", ask{
		Title: "Unlink " + name, Label: "Unlink", Danger: true, Problem: problem, What: "You cannot sign in by it any more, and lose the roles that you have by its groups." + byBrowser,
		Action: "/account/security/identities/" + url.PathEscape(name) + "/unlink", Back: "/account/security",
	}), nil
}

func unlinkIdentity(v *visit) (string, error) {
	if err := v.api.UnlinkIdentity(v.ctx, v.r.PathValue("provider")); err != nil {
		return "", accountAgain(err, v.askUnlink)
	}
	return "/account/security?done=own-unlinked", nil
}
