package e2e_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
	"golang.org/x/oauth2"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	ownerEmail    = "ada@example.com"
	ownerPassword = "blue berries on snow"
)

// step is one thing that a person does or sees in the browser.
type step = chromedp.Action[chromedp.Void]

// browser is a real one, with nothing stored.
func browser(t *testing.T) context.Context {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Fatal("there is no chromium: run this by `make test`, which installs it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	alloc, endAlloc := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(func() { end(); endAlloc() })
	if _, err := chromedp.Run(ctx, chromedp.Title()); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

// do runs steps in the browser, each for three minutes at most, and tells the page when one fails.
func do(ctx context.Context, t *testing.T, steps ...step) {
	t.Helper()
	for i, s := range steps {
		limited, cancel := context.WithTimeout(ctx, 3*time.Minute)
		_, err := chromedp.Run(limited, s)
		cancel()
		if err != nil {
			last, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			where, _ := chromedp.Run(last, chromedp.Location()) // err is what matters
			page, _ := chromedp.Run(last, chromedp.Text(chromedp.CSS("body")))
			t.Fatalf("step %d: %v at %s:\n%s", i, err, where, page)
		}
	}
}

// text reads what a page shows at a CSS selector.
func text(ctx context.Context, t *testing.T, selector string) string {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(got)
}

// see waits until a page shows a text.
func see(text string) step {
	return chromedp.WaitVisible(`//body//*[contains(normalize-space(.), "` + text + `")]`)
}

// onWhole does something on a page that shows all that it has: one that came early is about to be left, and what is opened or typed in it with it. What is
// shown anew in that moment is found again.
func onWhole(s step) step {
	whole := chromedp.Steps(chromedp.WaitNotPresent(chromedp.CSS(".skeleton")), s)
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for {
			_, err := whole(ctx, tab)
			if err == nil || !strings.Contains(err.Error(), "ode with given id") && !strings.Contains(err.Error(), "detached") {
				return err
			}
		}
	})
}

// keysWork waits until a page hears keys.
func keysWork() step {
	return onWhole(chromedp.WaitReady(chromedp.CSS("[data-palette]:not([hidden])")))
}

// press clicks the button with the label, once it can be.
func press(label string) step {
	return onWhole(chromedp.Click(`//button[normalize-space(.)="`+label+`" and not(@disabled)]`, chromedp.NodeVisible))
}

// enter fills the first field of a name.
func enter(name, value string) step {
	field := chromedp.CSS(`input[name="` + name + `"]`)
	return onWhole(chromedp.Steps(chromedp.WaitVisible(field), chromedp.SendKeys(field, value)))
}

// setupLink is the address that a new server told for its first owner.
func setupLink(t *testing.T, h installation.Host) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(h.State, "setup-link"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// becomeOwner makes the account of the first owner.
func becomeOwner(ctx context.Context, t *testing.T, h installation.Host) (home string) {
	t.Helper()
	link := setupLink(t, h)
	do(ctx, t, chromedp.Navigate(link), enter("email", ownerEmail), enter("password", ownerPassword), press("Make the account"), see("Nothing runs yet"))
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Scheme + "://" + u.Host
}

// shot keeps a picture of the page in $BLUEBERRY_TEST_PICTURES, light and dark, as on a desk and on a phone; without the variable it does nothing.
func shot(name string) step {
	dir := os.Getenv("BLUEBERRY_TEST_PICTURES")
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if dir == "" {
			return nil
		}
		for _, scheme := range []string{"light", "dark"} {
			features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
			if _, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
				return err
			}
			for form, width := range map[string]int64{"desktop": 1280, "phone": 390} {
				if _, err := chromedp.EmulateViewport(width, 900)(ctx, tab); err != nil {
					return err
				}
				picture, err := chromedp.FullScreenshot(100)(ctx, tab)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(dir, name+"-"+scheme+"-"+form+".png"), picture, 0o600); err != nil {
					return err
				}
			}
		}
		_, err := chromedp.EmulateViewport(1280, 900)(ctx, tab)
		return err
	})
}

// pretendAuthenticator gives the browser a device for passkeys, which says yes.
func pretendAuthenticator() step {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		return err
	})
}

// TestPeopleSignIn: the first owner makes their account, sets up an authenticator and a passkey, and comes back by each of them.
func TestPeopleSignIn(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim", "--rate-sign-in", "100") // who is as quick as a test is slowed down otherwise
	start(t, h)
	ctx := browser(t)
	do(ctx, t, chromedp.Navigate(setupLink(t, h)), see("Set up Blueberry"), shot("setup"),
		enter("email", ownerEmail), enter("password", "too short"), press("Make the account"), see("at least 12 are needed"), shot("setup-fault"))
	home := becomeOwner(ctx, t, h)
	do(ctx, t, shot("home-empty"), chromedp.Navigate(home+"/account"), see("owner of the installation"), shot("account"), chromedp.Navigate(setupLinkUsed(t, home)), enter("email", "eve@example.com"), enter("password", ownerPassword), press("Make the account"), see("link"))

	// A second factor by authenticator.
	do(ctx, t, chromedp.Navigate(home+"/account/security"), press("Set up an authenticator"), see("Scan the picture"), shot("totp"))
	key := text(ctx, t, ".secret code")
	do(ctx, t, enter("code", code(t, key, 0)), press("Turn it on"), see("Recovery codes"), shot("recovery"))
	recovery := text(ctx, t, ".codes li:first-child")

	do(ctx, t, pretendAuthenticator(), chromedp.Navigate(home+"/account/security"), enter("passkey_name", "laptop"), press("Add a passkey"), see("The passkey is added"), see("laptop"), shot("account-full"))

	do(ctx, t, press("Sign out"), see("Sign in with a passkey"), shot("signin"), press("Sign in with a passkey"), see("Nothing runs yet"), chromedp.Navigate(home+"/account/sessions"), see("this one"), see("passkey"))

	do(ctx, t, press("Sign out"), enter("email", ownerEmail), enter("password", "not my password"), press("Sign in"), see("did not work"), shot("signin-fault"))
	do(ctx, t, enter("password", ownerPassword), press("Sign in"), see("Second factor"), shot("second-factor"),
		enter("code", "000000"), press("Go on"), see("not right"), enter("code", recovery), press("Go on"), see("Nothing runs yet"))

	// The same code works once only.
	do(ctx, t, press("Sign out"), enter("email", ownerEmail), enter("password", ownerPassword), press("Sign in"), enter("code", recovery), press("Go on"), see("not right"))
}

// setupLinkUsed is a set-up link that is worth nothing.
func setupLinkUsed(t *testing.T, home string) string {
	t.Helper()
	return home + "/setup?link=bll_0000000000000000000000000000000000000000000_000000"
}

// code is what an authenticator shows, some steps of 30 s from now.
func code(t *testing.T, key string, steps int) string {
	t.Helper()
	c, err := totp.GenerateCode(strings.ReplaceAll(key, " ", ""), time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestProgramsAskPeople: a stock OAuth client is let in by the person at the browser, by code and PKCE, and acts for them.
func TestProgramsAskPeople(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim")
	s := start(t, h)
	ctx := browser(t)
	home := becomeOwner(ctx, t, h)

	got := make(chan url.Values, 1)
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/back" {
			got <- r.URL.Query()
			_, _ = w.Write([]byte("you may close this page")) // the browser may be gone
		}
	}))
	t.Cleanup(back.Close)
	made, err := s.Client.CreateOAuthClient(ctx, sdk.CreateOAuthClientRequest{
		Name: "Portal", Public: true, RedirectURIs: []string{"http://127.0.0.1/back"}, Flows: []string{"authorization_code", "refresh_token"},
		Grants: []string{"environments:read", "projects:read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	conf := oauth2.Config{
		ClientID: made.Client.ID, RedirectURL: back.URL + "/back", Scopes: []string{"environments:read", "offline_access"},
		Endpoint: oauth2.Endpoint{AuthURL: home + "/oauth/authorize", TokenURL: home + "/oauth/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	verifier := oauth2.GenerateVerifier()
	ask := conf.AuthCodeURL("state-1", oauth2.S256ChallengeOption(verifier))
	do(ctx, t, chromedp.Navigate(ask), see("Allow Portal?"), shot("consent"), press("Deny"), see("you may close this page"))
	if q := <-got; q.Get("error") != "access_denied" || q.Get("state") != "state-1" {
		t.Errorf("a denial came back as %v", q)
	}
	do(ctx, t, chromedp.Navigate(ask), press("Allow"), see("you may close this page"))
	q := <-got
	if q.Get("state") != "state-1" || q.Get("iss") == "" {
		t.Errorf("came back with %v", q)
	}
	token, err := conf.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	acting := &sdk.Client{BaseURL: s.URL, Token: token.AccessToken}
	if _, err := acting.ListEnvironments(ctx, sdk.EnvironmentFilter{}); err != nil {
		t.Errorf("what was allowed: %v", err)
	}
	if _, err := acting.ListUsers(ctx, sdk.UserFilter{}); !isStatus(err, http.StatusForbidden) {
		t.Errorf("what was not: %v", err)
	}
	do(ctx, t, chromedp.Navigate(home+"/account/programs"), see("Portal"), followLink("Take back"), press("Take back"), see("may do nothing for you any more"))
	if _, err := acting.ListEnvironments(ctx, sdk.EnvironmentFilter{}); !isStatus(err, http.StatusUnauthorized) {
		t.Errorf("after it was taken back: %v", err)
	}
}

var deviceCode = regexp.MustCompile(`(http://localhost:[0-9]+/oauth/device)\S*[^A-Z]*([B-Z]{4}-[B-Z]{4})`)

// TestLogin: blueberry login shows a code, a person lets it in at the browser, and the CLI acts for them until they log out.
func TestLogin(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim")
	s := start(t, h)
	ctx := browser(t)
	becomeOwner(ctx, t, h)
	home := t.TempDir()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, h.Bin, args...)
		cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "NO_COLOR=1"}
		return cmd
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := command(args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	login := command("login", "--server", s.URL, "--no-browser", "--insecure-storage")
	said, err := login.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := login.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	var shown []string
	for lines := bufio.NewScanner(said); shown == nil && lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		shown = deviceCode.FindStringSubmatch(text.String())
	}
	if shown == nil {
		t.Fatalf("login shows no code:\n%s", text.String())
	}
	do(ctx, t, chromedp.Navigate(shown[1]), enter("user_code", strings.ToLower(shown[2])), shot("device"), press("Go on"), see("Allow it only if"), shot("device-ask"), press("Allow"), see("It is let in"))
	if err := login.Wait(); err != nil {
		t.Fatalf("login: %v", err)
	}
	if out := run("whoami"); !strings.Contains(out, ownerEmail) {
		t.Errorf("whoami:\n%s", out)
	}
	if out := run("session", "list"); !strings.Contains(out, "Chrome") {
		t.Errorf("session list:\n%s", out)
	}
	run("logout")
	if out, err := command("whoami", "--server", s.URL).CombinedOutput(); err == nil {
		t.Errorf("after logout:\n%s", out)
	}
}

// isStatus reports whether the API answered an error with the status.
func isStatus(err error, status int) bool {
	var p *sdk.Problem
	return errors.As(err, &p) && p.Status == status
}
