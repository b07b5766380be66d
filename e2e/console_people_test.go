package e2e_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// grace is who is invited.
const (
	graceEmail    = "grace@example.com"
	gracePassword = "seven amber compilers humming"
)

// count is how many elements a page has at an XPath.
func count(ctx context.Context, t *testing.T, path string) (n int) {
	t.Helper()
	n, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.evaluate('count(`+strings.ReplaceAll(path, `'`, `\'`)+`)', document, null, XPathResult.NUMBER_TYPE, null).numberValue`))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestConsolePeople: an owner invites a person, who comes in in another browser and sees what their role gives; a token is made, used, revoked and refused; the audit shows
// all of it, and what it changed.
func TestConsolePeople(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int64{"desktop": 1280, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "--target-driver", "sim")
			s := start(t, h)
			ctx := browser(t)
			do(ctx, t, chromedp.EmulateViewport(width, 900))
			home := becomeOwner(ctx, t, h)
			heard := listen(ctx, home)

			do(ctx, t, chromedp.Navigate(home+"/projects/new"), enter("name", "shop"), press("Make it"), see("The project is made"))
			do(ctx, t, chromedp.Navigate(home+"/users"), see(ownerEmail), followLink("Invite a person"), see("valid for a week"), enter("email", graceEmail), enter("name", "Grace"),
				pick("members[0].project", "shop"), pick("members[0].role", "viewer"), press("Invite"), see("It is shown this once"), shot("invited-"+name))
			link := text(ctx, t, "#secret")

			// The person comes in.
			her := browser(t)
			do(her, t, chromedp.EmulateViewport(width, 900), chromedp.Navigate(link), enter("password", gracePassword), chromedp.KeyEvent("\r"), see("Nothing runs yet"))
			hers := listen(her, home)
			do(her, t, chromedp.Navigate(home+"/projects"), see("shop"), followLink("shop"), see("What it uses"), followLink("Members"), see("Grace"), shot("members-reader-"+name))
			for _, label := range []string{"Give it", "Set", "Give a role"} {
				if n := count(her, t, `//main//button[normalize-space(.)="`+label+`"]`); n != 0 {
					t.Errorf("a reader is offered %q", label)
				}
			}
			for _, place := range []string{"/users", "/audit", "/oauth-clients", "/identity-providers"} {
				if n := count(her, t, `//nav[@aria-label="Main"]//a[@href="`+place+`"]`); n != 0 {
					t.Errorf("a reader is led to %s", place)
				}
			}

			// She gets another role, and sees more.
			do(ctx, t, chromedp.Navigate(home+"/projects/shop/members"), see("Grace"), pick("role", "admin"), press("Set"), see("The role holds now"))
			do(her, t, chromedp.Navigate(home+"/projects/shop"), followLink("Service accounts"), see("The project has no service account"), followLink("New service account"), enter("name", "ci"),
				pick("role", "developer"), press("Make it"), see("It acts by API tokens"), followLink("New API token"), enter("name", "build"), press("Make it"), see("It is shown this once"), shot("token-"+name))
			program := &sdk.Client{BaseURL: home, Token: text(her, t, "#secret"), MaxRetries: -1}
			if _, err := program.GetProject(t.Context(), "shop"); err != nil {
				t.Errorf("the token is refused: %v", err)
			}
			do(her, t, followLink("To ci"), see("build"), followLink("Revoke"), see("at once and for good"), press("Revoke it"), see("refused from now on"))
			if _, err := program.GetProject(t.Context(), "shop"); !isStatus(err, http.StatusUnauthorized) {
				t.Errorf("the token that was revoked: %v", err)
			}

			// The audit has all of it.
			do(ctx, t, chromedp.Navigate(home+"/audit?action=members:write"), see("What changed"), chromedp.Click(`//main//summary[normalize-space(.)="What changed"]`, chromedp.NodeVisible), see("viewer"), see("admin"), shot("audit-"+name))
			do(ctx, t, chromedp.Navigate(home+"/audit?action=api-tokens:write"), see(graceEmail+" revoked API token"), chromedp.Click(`(//main//tbody//tr[1]//a)[1]`, chromedp.NodeVisible), see("In the chain"), see("Who and from where"), shot("entry-"+name))
			do(ctx, t, chromedp.Navigate(home+"/audit/verification"), press("Verify now"), see("It holds"), see("the whole chain"), shot("verified-"+name))

			// Nothing that she had works once she is inactive.
			person, err := s.Client.GetUser(t.Context(), graceEmail)
			if err != nil {
				t.Fatal(err)
			}
			do(her, t, chromedp.Navigate(home+"/docs"), see("as this server runs it")) // a page that is live would be refused meanwhile, of which the browser complains
			do(ctx, t, chromedp.Navigate(home+"/users/"+person.ID), see("Signed in"), shot("person-"+name), followLink("Make inactive"), see("They may do nothing any more"), press("Make inactive"),
				chromedp.WaitVisible(`//a[normalize-space(.)="Make active"]`))
			do(her, t, chromedp.Navigate(home+"/projects"), see("Sign in"))
			heard.check(t)
			hers.check(t)
		})
	}
}
