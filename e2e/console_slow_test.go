package e2e_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
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
	page := home + "/environments/" + e.ID
	do(ctx, t, chromedp.Navigate(page), see("1 of 1 ready"))

	goOn := wire.hang()
	defer goOn()
	do(ctx, t, chromedp.Navigate(home+"/environments"), see("slow"), chromedp.Navigate(home+"/environments/new"), see("Nothing happens before you say so"))
	do(ctx, t, chromedp.Navigate(page), reads("Asking local, which takes a while"), see("Pods are not shown: its target did not answer."), shot("slow-whole"))
	do(ctx, t, scripts(false), chromedp.Navigate(page), chromedp.WaitReady(`//*[contains(., "Pods are not shown: its target did not answer.")]`), scripts(true))
	do(ctx, t, chromedp.Navigate(page+"/logs"), reads("Asking local, which takes a while"))
	goOn()
	do(ctx, t, see("lines of each container"), chromedp.Navigate(page), see("1 of 1 ready"))
	heard.check(t)
}

// reads waits until a page says something that it is about to leave for another one: see waits for that one.
func reads(text string) step {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for {
			said, err := chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`)(ctx, tab)
			if err != nil || strings.Contains(said, text) {
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
