package web

import (
	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Gallery gives each page of this package in each state that it can have, by a name, for who works on the pages.
func Gallery() map[string]templ.Component {
	const (
		who   = "ada@example.com"
		link  = "a link"
		agent = "blueberry/1.0.0 (linux; amd64)"
	)
	providers := []providerButton{{"google", "Google"}, {"github", "GitHub"}}
	scopes := []scopeLine{{"environments:read", "See environments, with their history and plans"}, {"environments:operate", "Have environments sleep, wake and restart"}, {"offline_access", "Stay connected while you are away"}}
	short := &blueberry.Error{Kind: blueberry.Invalid, Code: "VALIDATION_FAILED", Fields: []blueberry.Fault{{Field: "email", Message: "must be an e-mail address"}, {Field: "password", Message: "has 9 characters; at least 12 are needed"}}}
	invitation := passwordView{
		Title: "Welcome to Blueberry", Text: "You are invited as " + who + ". Choose a password, or how else you sign in.", Action: "/invitation", Button: "Come in", Link: link,
		Fields: []formField{{Name: "name", Label: "Name", Autocomplete: "name", Optional: true}, newPassword(nil)}, Providers: providers,
	}
	invitationFaults := invitation
	invitationFaults.Fields = []formField{{Name: "name", Label: "Name", Value: "Ada", Autocomplete: "name", Optional: true}, newPassword(short)}
	device := deviceAsk{Client: "Blueberry CLI", Address: "192.0.2.8", UserAgent: agent, Since: "2026-01-02 15:04 UTC", Scopes: scopes}
	keep := passwordView{
		Title: "Keep pr-42", Text: "The environment pr-42 of project default ends on Friday, 2 January 2026, 15:04 UTC. This link extends it by 24 hours, once.", Action: "/extend",
		Button: "Extend by 24 hours", Link: link,
	}
	return map[string]templ.Component{
		"Sign in":                              signInPage(signInView{}),
		"Sign in · with passkey and providers": signInPage(signInView{Passkeys: true, Providers: providers}),
		"Sign in · it did not work":            signInPage(signInView{Problem: "That did not work. Check the address and the password.", Email: who, Passkeys: true}),
		"Sign in · nobody has an account":      signInPage(signInView{NoOwner: true}),
		"Sign in · after something was done":   signInPage(signInView{Done: "The password is set. Sign in by it."}),
		"Second factor":                        secondFactorPage(secondFactorView{}),
		"Second factor · with a fault":         secondFactorPage(secondFactorView{Problem: "The code is not right."}),
		"Set up":                               setupPage(setupView(link, access.NewOwner{}, nil)),
		"Set up · with faults":                 setupPage(setupView(link, access.NewOwner{Email: "ada", Name: "Ada", Password: "too short"}, short)),
		"Invitation":                           passwordPage(invitation),
		"Invitation · with faults":             passwordPage(invitationFaults),
		"Forgot your password":                 forgotPage("", ""),
		"Forgot your password · with a fault":  forgotPage("ada", "Must be an e-mail address"),
		"New password":                         passwordPage(resetView(link, nil)),
		"New password · with faults":           passwordPage(resetView(link, short)),
		"Extend by a link":                     extendPage(keep),
		"A program asks":                       consentPage(consentView{User: who, Client: "Portal", ClientID: "ocl_01kp7q3m9x2v5w8y1z4a6b7c8d", Host: "https://portal.example.com", Scopes: scopes}),
		"A device asks for its code":           devicePage(deviceView{User: who}),
		"A device asks for its code · wrong":   devicePage(deviceView{User: who, Code: "ABCD-EFGH", Problem: "No program waits under this code."}),
		"A device asks":                        devicePage(deviceView{User: who, Code: "BCDF-GHJK", Ask: &device}),
		"A message":                            messagePage(frame{Title: "Look into your mail"}, message{Title: "Look into your mail", Text: "If the address is known here, a mail is on its way.", Link: "Back to sign-in", To: "/signin"}),
	}
}
