package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// narrow fails when a page has to be moved sideways to be read.
func narrow(t *testing.T, at string) step {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := chromedp.WaitReady(chromedp.CSS("main"))(ctx, tab); err != nil { // of a page that is only coming
			return err
		}
		wide, err := chromedp.Evaluate[int](`document.documentElement ? document.documentElement.scrollWidth - document.documentElement.clientWidth : 0`)(ctx, tab)
		if err == nil && wide > 0 {
			t.Errorf("%s is %d px too wide", at, wide)
		}
		return err
	})
}

// TestConsoleAccount: a person comes in for the first time, signs out and in, sets up a second factor, and makes a token, which is shown once and then ended; another
// browser of theirs is ended as well.
func TestConsoleAccount(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int64{"desktop": 1440, "phone": 320} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "--target-driver", "sim", "--rate-sign-in", "100")
			s := start(t, h)
			ctx := browser(t)
			do(ctx, t, chromedp.EmulateViewport(width, 900), chromedp.Navigate(setupLink(t, h)), see("Set up Blueberry"), narrow(t, "set-up"))
			home := becomeOwner(ctx, t, h)
			heard := listen(ctx, home)

			do(ctx, t, chromedp.Navigate(home+"/account"), see("owner of the installation"), narrow(t, "profile"), chromedp.SetValue(chromedp.CSS(`input[name="name"]`), "Ada"), press("Save"), see("Your name is changed"))
			do(ctx, t, press("Sign out"), see("Forgot your password?"), narrow(t, "sign-in"), enter("email", ownerEmail), enter("password", ownerPassword), press("Sign in"), see("Nothing runs yet"))

			do(ctx, t, chromedp.Navigate(home+"/account/security"), see("A password alone is enough"), narrow(t, "security"), press("Set up an authenticator"), see("Scan the picture"), narrow(t, "authenticator"))
			key := text(ctx, t, ".secret code")
			do(ctx, t, enter("code", code(t, key, 0)), press("Turn it on"), see("Recovery codes"), narrow(t, "recovery codes"))
			recovery := text(ctx, t, ".codes li:first-child")
			do(ctx, t, followLink("I have kept them"), see("10 recovery codes are left"), press("Sign out"), enter("email", ownerEmail), enter("password", ownerPassword), press("Sign in"),
				see("Your password is right"), narrow(t, "second factor"), enter("code", recovery), press("Go on"), see("Nothing runs yet"))

			do(ctx, t, chromedp.Navigate(home+"/account/tokens"), see("You have no API token"), followLink("New API token"), chromedp.WaitVisible(chromedp.CSS(`select[name="role"]`)), narrow(t, "a new token"), enter("name", "laptop"), pick("role", "viewer"), press("Make it"),
				see("Nothing shows it again"), narrow(t, "a secret"), shot("account-secret-"+name))
			secret := text(ctx, t, "#secret")
			program := &sdk.Client{BaseURL: s.URL, Token: secret}
			if a, err := program.GetAccount(ctx); err != nil || a.OnBehalfOf != ownerEmail {
				t.Errorf("the token is %+v, %v", a, err)
			}
			do(ctx, t, followLink("I have kept it"), see("laptop"), narrow(t, "tokens"), shot("account-tokens-"+name))
			if page := text(ctx, t, "body"); strings.Contains(page, secret) {
				t.Error("the secret is shown again")
			}
			do(ctx, t, followLink("Revoke"), see("for good"), press("Revoke"), see("The API token has ended"))
			if _, err := program.GetAccount(ctx); !isStatus(err, 401) {
				t.Errorf("the token goes on: %v", err)
			}

			do(ctx, t, chromedp.Navigate(home+"/account/sessions"), see("this one"), narrow(t, "sessions"), shot("account-sessions-"+name), chromedp.Navigate(home+"/account/notifications"), see("What you were told"), narrow(t, "notifications"),
				chromedp.Click(chromedp.CSS(`input[value="environment.failed"]`), chromedp.NodeVisible), press("Save"), see("What you are told is changed"), shot("account-notifications-"+name))
			do(ctx, t, chromedp.Navigate(home+"/account/programs"), see("You have let no program in"), narrow(t, "programs"))
			heard.check(t)
		})
	}
}

// TestSignInByKeys: who has no mouse signs in, and the first field waits for what they type.
func TestSignInByKeys(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim", "--rate-sign-in", "100")
	start(t, h)
	ctx := browser(t)
	home := becomeOwner(ctx, t, h)
	do(ctx, t, press("Sign out"), see("Forgot your password?"))
	at := func() (name string) {
		name, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.name || document.activeElement.textContent`))
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	do(ctx, t, chromedp.WaitReady(chromedp.CSS("[name=email]:focus"))) // which the browser does a moment after it shows the page
	if got := at(); got != "email" {
		t.Errorf("what is typed goes to %q", got)
	}
	do(ctx, t, chromedp.KeyEvent(ownerEmail), chromedp.KeyEvent("\t"))
	if got := at(); got != "password" {
		t.Errorf("after the address comes %q", got)
	}
	do(ctx, t, chromedp.KeyEvent("wrong"), chromedp.KeyEvent("\r"), see("did not work"), chromedp.WaitReady(chromedp.CSS("[name=password]:focus")))
	if got := at(); got != "password" {
		t.Errorf("after a wrong password what is typed goes to %q", got)
	}
	do(ctx, t, chromedp.KeyEvent(ownerPassword), chromedp.KeyEvent("\r"), see("Nothing runs yet"))
	if where, err := chromedp.Run(ctx, chromedp.Location()); err != nil || where != fmt.Sprint(home, "/") {
		t.Errorf("it leads to %q, %v", where, err)
	}
}
