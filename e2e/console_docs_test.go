package e2e_test

import (
	"context"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// scriptSays reads what a script in the page gives.
func scriptSays[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestDocumentationFound: who is not signed in searches while typing, comes to the section, copies a command, and does the same on a phone without a page that is wider
// than it.
func TestDocumentationFound(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim")
	s := start(t, h)
	for name, width := range map[string]int64{"desktop": 1440, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			ctx := browser(t)
			heard := listen(ctx, s.URL)
			field := chromedp.CSS("#find")
			do(ctx, t, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.URL+"/docs"), see("as this server runs it"), shot("docs-"+name))
			do(ctx, t, chromedp.SendKeys(field, "rollback stick"), chromedp.WaitVisible(`//ul[@id="find-list"]//strong[.="Rollback that sticks"]`), onWhole(chromedp.Click(`//ul[@id="find-list"]//a[strong="Rollback that sticks"]`, chromedp.NodeVisible)))
			do(ctx, t, chromedp.WaitVisible(`//h2[@id="rollback-that-sticks"]`), shot("docs-page-"+name))
			if at := scriptSays[string](ctx, t, `location.pathname + location.hash`); at != "/docs/guide/plans#rollback-that-sticks" {
				t.Errorf("the find leads to %s", at)
			}
			const top = `document.getElementById("rollback-that-sticks").getBoundingClientRect().top`
			for at := scriptSays[float64](ctx, t, top); at < 0 || at > 900; at = scriptSays[float64](ctx, t, top) { // the browser goes there a moment after it shows the page
				if ctx.Err() != nil {
					t.Fatalf("the section is at %v of the window", at)
				}
			}

			allow := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
				_, err := cdp.Call(ctx, tab, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{Permission: &cdpbrowser.PermissionDescriptor{Name: "clipboard-write"}, Setting: cdpbrowser.PermissionSettingGranted})
				return err
			})
			do(ctx, t, allow, chromedp.Click(`(//button[@data-copy-code])[1]`, chromedp.NodeVisible), see("The code is copied"))
			if code := scriptSays[string](ctx, t, `document.querySelector(".code-block code").textContent`); !strings.HasPrefix(code, "blueberry env create") {
				t.Errorf("what is copied is %q", code)
			}

			for _, path := range []string{"/docs", "/docs/guide/tour", "/docs/guide/configuration", "/docs/api/environments", "/docs/cli", "/docs/search?q=lease"} {
				do(ctx, t, chromedp.Navigate(s.URL+path), chromedp.WaitVisible(chromedp.CSS("#content")))
				if over := scriptSays[float64](ctx, t, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s is %v wider than the window", path, over)
				}
			}
			heard.check(t)
		})
	}
}
