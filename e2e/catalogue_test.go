package e2e_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// inEditor is what a selector finds in the editor of a page, with a text in it.
func inEditor(selector, text string) chromedp.JSPath {
	return chromedp.JSPath("[...(document.querySelector('.editor')?.shadowRoot.querySelectorAll('" + selector + "') || [])].find((x) => x.textContent.includes('" + text + "'))")
}

// keys presses keys one after the other, wherever the focus is.
func keys(all ...string) step {
	var steps []step
	for _, k := range all {
		steps = append(steps, chromedp.KeyEvent(k))
	}
	return chromedp.Steps(steps...)
}

// enterKey is the key as a keyboard sends it. chromedp.KeyEvent sends its character as well, even when the page has done what the key means.
func enterKey() step { return bareKey("Enter", 13) }

// bareKey is a key as a keyboard sends it, without a character.
func bareKey(name string, number int64) step {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
			if _, err := cdp.Call(ctx, tab, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: name, Code: name, WindowsVirtualKeyCode: number}); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestEditor: a document is written with offers of what may stand in it, its faults are marked while it is typed, and it is left by keys. The policy of the page
// is kept: the browser has nothing to complain of.
func TestEditor(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim")
	s := start(t, h)
	ctx := browser(t)
	home := becomeOwner(ctx, t, h)
	heard := listen(ctx, home)

	do(ctx, t, chromedp.Navigate(home+"/blueprints"), see("The catalogue is empty"), followLink("Publish a blueprint"), see("Escape, then Tab leaves the editor"),
		chromedp.WaitVisible(inEditor(".cm-line", "image: ghcr.io")), shot("editor"))
	// The end of the document is reached by keys. What may stand there is offered, with what it means.
	do(ctx, t, chromedp.Focus(inEditor(".cm-content", "name")), chromedp.KeyEvent("\u0305", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	do(ctx, t, keys("l", "e", "a"), chromedp.WaitVisible(inEditor(".cm-tooltip-autocomplete li", "lease")), shot("editor-offers"), chromedp.Click(inEditor(".cm-tooltip-autocomplete li", "lease")), chromedp.WaitVisible(inEditor(".cm-line", "lease:")))
	do(ctx, t, enterKey(), keys("m", "a", "x", ":", " ", "9", "9", "9"), chromedp.WaitVisible(inEditor(".cm-lintRange-error", "999")), shot("editor-faults"))
	do(ctx, t, press("Check it"), see("Line 7"), chromedp.WaitVisible(inEditor(".cm-lintRange-error", "999")))
	// A fault leads to its line. That Escape, then Tab leaves the editor holds for two seconds after Escape, which a busy machine does not keep: the clock of the page stands still.
	do(ctx, t, chromedp.Click(`//a[@data-line="7"]`), chromedp.WaitVisible(inEditor(".cm-activeLine", "max")), chromedp.KeyEvent("\u0305"), keys("\b", "\b", "\b", "4", "8"),
		chromedp.WaitVisible(inEditor(".cm-activeLine", "max: 48")))
	const line = `document.querySelector(".editor").shadowRoot.querySelector(".cm-activeLine").textContent`
	written := scriptSays[string](ctx, t, `(() => { const now = Date.now(); Date.now = () => now; return `+line+`; })()`)
	do(ctx, t, bareKey("ArrowLeft", 37), bareKey("Escape", 27), bareKey("Tab", 9)) // a step aside ends an offer that a busy machine still looks for, which Escape would be taken for
	if !scriptSays[bool](ctx, t, `document.activeElement !== document.body && !document.activeElement.matches(".editor")`) {
		t.Error("Escape, then Tab does not leave the editor")
	}
	if now := scriptSays[string](ctx, t, line); now != written {
		t.Errorf("Tab wrote: %q became %q", written, now)
	}
	do(ctx, t, enter("message", "why"))
	do(ctx, t, press("Check it"), see("is valid"), shot("publish"), press("Publish it"), see("The version is published"), see("at most 48 hours"), shot("blueprint"))

	// A config set: what an edit would change is shown, and only then made.
	set, err := s.Client.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "shop", Content: "web:\n  env:\n    LEVEL: info\n"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: "pr-1", BlueprintRef: "shop", ConfigSets: []string{"shop"}}); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, chromedp.Navigate(home+"/config-sets/"+set.ConfigSet.ID), see("web.env.LEVEL"), followLink("Edit"), chromedp.Focus(inEditor(".cm-content", "LEVEL")),
		chromedp.KeyEvent("\u0305", chromedp.KeyModifiers(chromedp.ModifierCtrl)), keys(" ", " ", "r", "e", "p"), chromedp.Click(inEditor(".cm-tooltip-autocomplete li", "replicas")), chromedp.WaitVisible(inEditor(".cm-line", "replicas:")), keys("3"),
		chromedp.WaitVisible(inEditor(".cm-line", "replicas: 3")), press("What would it change?"), see("Of 1 environment that use the set, 1 would have other values"), see("web.replicas"), shot("impact"))
	do(ctx, t, press("Make version 2"), see("The version is made"), followLink("Versions"), press("Compare"), see("From version 1 to 2"), shot("config-versions"))
	heard.check(t)
}
