package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// TestConsoleOfManyEnvironments: a person narrows the list and keeps it as a view, has several sleep at once and takes that back, undoes the end of one, and does
// all of it by keys as well; on a desk and on a phone.
func TestConsoleOfManyEnvironments(t *testing.T) {
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
			repository := application(t)
			ids := map[string]string{}
			for _, name := range []string{"pr-1", "pr-2", "main"} {
				e, err := s.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: name, Source: &sdk.Source{Repository: repository}})
				if err != nil {
					t.Fatal(err)
				}
				ids[name] = e.ID
				waitPhase(ctx, t, s, e.ID, sdk.Ready)
			}
			row := func(name string) string { return `//tr[@id="row-` + ids[name] + `"]` }
			box := func(name string) step {
				return chromedp.Click(row(name)+`//input[@type="checkbox"]`, chromedp.NodeVisible)
			}

			// A filter is kept under a name.
			do(ctx, t, chromedp.Navigate(home+"/environments"), chromedp.WaitVisible(row("main")), enter("q", "pr-"), press("Show"), see("Save this view"), chromedp.WaitNotPresent(row("main")), shot("fleet-"+name),
				followLink("Save this view"), see("Nobody else sees it"), enter("name", "Pull requests of ours"), press("Save"), see("The view is saved"),
				chromedp.Navigate(home+"/environments"), chromedp.WaitVisible(row("main")), followLink("Pull requests of ours"), chromedp.WaitNotPresent(row("main")), chromedp.WaitVisible(row("pr-2")))

			// Several fall asleep at once, and wake again.
			do(ctx, t, box("pr-1"), see("1 chosen"), box("pr-2"), see("2 chosen"), shot("chosen-"+name), chromedp.Click(`//form[@id="bulk"]//button[@value="sleep"]`, chromedp.NodeVisible), see("2 of 2: this happens"),
				shot("bulk-"+name), press("Sleep 2"), see("2 of 2 done"), see("It falls asleep"), shot("outcome-"+name))
			waitPhase(ctx, t, s, ids["pr-1"], sdk.Sleeping)
			waitPhase(ctx, t, s, ids["pr-2"], sdk.Sleeping)
			do(ctx, t, press("Undo"), see("2 of 2 done"), see("It wakes up"))
			waitPhase(ctx, t, s, ids["pr-1"], sdk.Ready)
			waitPhase(ctx, t, s, ids["pr-2"], sdk.Ready)

			// The end of one is undone.
			do(ctx, t, chromedp.Navigate(home+"/environments/"+ids["pr-2"]+"/destroy"), press("Destroy"), see("It is being removed"), followLinkOrButton("Undo"), see("Bring it back"), shot("undo-"+name),
				press("Bring it back"), see("It is being made again"), see("Everything asked for runs"))
			heard.check(t)
		})
	}
}

// followLinkOrButton clicks what has the label, wherever it stands.
func followLinkOrButton(label string) step {
	return onWhole(chromedp.Click(`//*[(self::a or self::button) and normalize-space(.)="`+label+`"]`, chromedp.NodeVisible))
}

// TestConsoleDoesVerbsByKeys: the palette does a verb, and rows are gone through, chosen and opened, without a mouse. What is chosen stays while the page changes.
func TestConsoleDoesVerbsByKeys(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim")
	s := start(t, h)
	ctx := browser(t)
	home := becomeOwner(ctx, t, h)
	heard := listen(ctx, home)
	repository := application(t)
	made := func(name string) string {
		e, err := s.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: name, Source: &sdk.Source{Repository: repository}})
		if err != nil {
			t.Fatal(err)
		}
		waitPhase(ctx, t, s, e.ID, sdk.Ready)
		return e.ID
	}
	made("older")
	newer := made("newer")
	do(ctx, t, chromedp.Navigate(home+"/"), see("newer"), keysWork(), chromedp.KeyEvent("g"), chromedp.KeyEvent("e"), chromedp.WaitVisible(chromedp.CSS("table.rows")),
		keysWork(), chromedp.KeyEvent("j"), chromedp.WaitVisible(chromedp.CSS("#row-"+newer+" a:focus")), chromedp.KeyEvent("x"), see("1 chosen"))
	third := made("third") // the page changes
	do(ctx, t, chromedp.WaitVisible(chromedp.CSS("#row-"+third)), chromedp.WaitVisible(chromedp.CSS("#row-"+newer+" input:checked")), see("1 chosen"), chromedp.WaitVisible(chromedp.CSS("#row-"+newer+" a:focus")))
	do(ctx, t, chromedp.KeyEvent("k"), chromedp.WaitVisible(chromedp.CSS("#row-"+third+" a:focus")), chromedp.KeyEvent("o"), see("Everything asked for runs"))
	do(ctx, t, keysWork(), chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.WaitVisible(chromedp.CSS("#palette[open]")), chromedp.SendKeys(chromedp.CSS("#palette-text"), "sleep older"),
		chromedp.WaitVisible(`//ul[@id="palette-list"]//span[.="Sleep older"]`), shot("palette"), chromedp.KeyEvent("\r"), see("No pod runs any more"), press("Sleep"), see("It falls asleep"), press("Undo"), see("It wakes up"))
	do(ctx, t, keysWork(), chromedp.KeyEvent("?"), see("next and previous row"), shot("keys"), chromedp.KeyEvent("\u001b"), chromedp.WaitReady(chromedp.CSS("#keys:not([open])")))
	do(ctx, t, chromedp.KeyEvent("g"), chromedp.KeyEvent("e"), chromedp.WaitVisible(chromedp.CSS("table.rows")), keysWork(), chromedp.KeyEvent("n"), see("Nothing happens before you say so"))
	heard.check(t)
}
