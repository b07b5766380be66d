package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestConsoleOperates: an operator cordons a target and lets it take environments again, looks at jobs, has a program told of events, and sees what became of a test.
func TestConsoleOperates(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int64{"desktop": 1280, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			t.Cleanup(receiver.Close)
			h := newHost(t, "--target-driver", "sim", "--allow-local-notifications")
			start(t, h)
			ctx := browser(t)
			do(ctx, t, chromedp.EmulateViewport(width, 900))
			home := becomeOwner(ctx, t, h)
			heard := listen(ctx, home)

			do(ctx, t, chromedp.Navigate(home+"/system"), see("All that is set up answers as it should"), shot("system-"+name))
			do(ctx, t, chromedp.Navigate(home+"/targets"), shot("targets-"+name), followLink("local"), followLink("Checks"), see("All that is needed is there"), shot("checks-"+name), followLink("Cordon"), see("those that are there live on"),
				enter("reason", "its nodes are replaced"), press("Cordon it"), see("It takes no new environments now"), see("Its nodes are replaced."), shot("cordoned-"+name))
			do(ctx, t, followLink("Uncordon"), press("Uncordon it"), see("It takes environments again"), see("active"))
			do(ctx, t, followLink("Scan"), press("Scan it"), see("The scan has begun"), chromedp.Navigate(home+"/jobs?kind=target.scan"), see("completed"), shot("jobs-"+name), followLink("target.scan"), see("No attempt failed"), shot("job-"+name))

			do(ctx, t, chromedp.Navigate(home+"/subscriptions"), see("Nobody is told of events"), followLink("Add a subscription"), shot("kinds-"+name),
				chromedp.Click(`//main//a[contains(@href, "kind=webhook")]`, chromedp.NodeVisible), enter("name", "ci"), enter("url", "nowhere"), press("Add it"), see("valid"), shot("subscribe-fault-"+name))
			do(ctx, t, chromedp.Clear(chromedp.CSS(`input[name="url"]`)), enter("url", receiver.URL), press("Add it"), see("It is shown this once"), shot("told-once-"+name), followLink("To the subscription"), see("Nothing was told"))
			do(ctx, t, followLink("Send a test"), press("Send a test"), see("A test was sent"), see("delivered"), shot("notice-"+name), chromedp.Navigate(home+"/notices"), chromedp.WaitVisible(`//main//tbody//td[contains(., "delivered")]`), shot("notices-"+name))
			heard.check(t)
		})
	}
}
