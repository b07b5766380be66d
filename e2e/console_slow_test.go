package e2e_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// TestConsoleOfSlowTarget: when a cluster hangs, lists and forms are there as ever; what asks it opens with what is known, comes whole when it has given up or the
// cluster answers, with scripts and without.
func TestConsoleOfSlowTarget(t *testing.T) {
	t.Parallel()
	wire := newWire(t)
	h := newHost(t, "--kubeconfig", wire.kubeconfig)
	s := start(t, h)
	ctx := browser(t)
	home := becomeOwner(ctx, t, h)
	heard := listen(ctx, home)
	e := create(ctx, t, s, "slow")
	waitPhase(ctx, t, s, e.ID, sdk.Ready)
	at := home + "/environments/" + e.ID
	do(ctx, t, chromedp.Navigate(at), see("1 of 1 ready"))

	goOn := wire.hang()
	defer goOn()
	const early = "Asking local, which takes a while"
	do(ctx, t, chromedp.Navigate(home+"/environments"), see("slow"), chromedp.Navigate(home+"/environments/new"), see("Nothing happens before you say so"), remember())
	do(ctx, t, opensEarly(at, early, "Pods are not shown: its target did not answer."), shot("slow-whole"))
	do(ctx, t, scripts(false), chromedp.Navigate(at), chromedp.WaitReady(`//*[contains(., "Pods are not shown: its target did not answer.")]`), scripts(true))
	do(ctx, t, opensEarly(at+"/logs", early, "lines of each container"))
	goOn()
	do(ctx, t, see("Following"), chromedp.Navigate(at), see("1 of 1 ready"))
	heard.check(t)
}

// remember has the tab keep what its pages say when they open. One that is about to be left for another cannot be asked: the browser answers from the next one.
func remember() step {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
			addEventListener("DOMContentLoaded", () => sessionStorage.setItem("said", (sessionStorage.getItem("said") || "") + document.body.innerText))`})
		return err
	})
}

// opensEarly goes to an address until it says one text first, and another one then. What is asked in the moment in which a connection is given up fails at once,
// so that the page comes whole.
func opensEarly(address, first, then string) step {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for {
			if _, err := chromedp.Steps(chromedp.Navigate(address), see(then))(ctx, tab); err != nil {
				return err
			}
			said, err := chromedp.Evaluate[string](`(() => { const said = sessionStorage.getItem("said") || ""; sessionStorage.removeItem("said"); return said })()`)(ctx, tab)
			if err != nil || strings.Contains(said, first) {
				return err
			}
		}
	})
}

// scripts has the browser run those of pages, or none.
func scripts(run bool) step {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
		return err
	})
}
