package e2e_test

import (
	"context"
	"fmt"
	"iter"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// complaints are what a browser finds wrong while a test runs: errors on its console, and calls to where no page should call.
type complaints struct {
	mu   sync.Mutex
	home string
	all  []string
}

func (c *complaints) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, fmt.Sprintf(format, args...))
}

// listen hears what the browser of ctx complains of, until it ends.
func listen(ctx context.Context, home string) *complaints {
	c := &complaints{home: home}
	go hear(chromedp.Events(ctx, runtime.ExceptionThrown), func(e runtime.EventExceptionThrown) {
		c.add("exception: %s", e.ExceptionDetails.Text)
	})
	go hear(chromedp.Events(ctx, runtime.ConsoleAPICalled), func(e runtime.EventConsoleAPICalled) {
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, a := range e.Args {
				c.add("console: %s %s", a.Description, a.Value)
			}
		}
	})
	go hear(chromedp.Events(ctx, log.EntryAdded), func(e log.EventEntryAdded) { // what it says itself: a policy that was not kept, a file that is not there
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "status of 422") { // a form with faults
			c.add("log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	})
	go hear(chromedp.Events(ctx, network.RequestWillBeSent), func(e network.EventRequestWillBeSent) {
		if u := e.Request.URL; !strings.HasPrefix(u, c.home) && !strings.HasPrefix(u, "data:") {
			c.add("a call to %s", u)
		}
	})
	return c
}

// hear calls f with each event, until there are no more.
func hear[E any](events iter.Seq2[E, error], f func(E)) {
	for e, err := range events {
		if err != nil {
			return
		}
		f(e)
	}
}

// without forgets complaints that hold a text.
func (c *complaints) without(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = slices.DeleteFunc(c.all, func(x string) bool { return strings.Contains(x, text) })
}

func (c *complaints) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.all {
		t.Error(x)
	}
}

// application is a repository with the example of an application.
func application(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "examples", "shop"))); err != nil {
		t.Fatal(err)
	}
	if err := installation.Commit(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// follow clicks the link with the label.
func followLink(label string) step {
	return chromedp.Click(`//main//a[normalize-space(.)="`+label+`"]`, chromedp.NodeVisible)
}

// pick chooses of a list.
func pick(name, value string) step {
	return chromedp.SetValue(chromedp.CSS(`select[name="`+name+`"]`), value)
}

// TestConsoleFromFirstRunToReceipt: a person comes in, makes an environment by a plan, watches it come up, changes it, rolls back, has it sleep and wake, and ends it.
func TestConsoleFromFirstRunToReceipt(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int64{"desktop": 1280, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "--target-driver", "sim")
			start(t, h)
			ctx := browser(t)
			do(ctx, t, chromedp.EmulateViewport(width, 900))
			home := becomeOwner(ctx, t, h)
			heard := listen(ctx, home)
			repository := application(t)

			do(ctx, t, chromedp.Navigate(home+"/environments"), see("There are no environments yet"), followLink("New environment"), see("Nothing happens before you say so"),
				enter("repository", repository), press("Read it"), see("How it is to be"))
			do(ctx, t, enter("name", "Not A Name"), press("Plan it"), see("valid")) // what was typed stays
			do(ctx, t, chromedp.Clear(chromedp.CSS(`form[method="post"][action="/environments/new"] input[name="name"]:not([type="hidden"])`)), enter("name", "pr-7"), press("Plan it"), see("created"), shot("plan-"+name), press("Make it"))
			do(ctx, t, see("It was asked for"), see("Everything asked for runs"), shot("environment-"+name)) // live: the page was not loaded again

			do(ctx, t, followLink("Logs"), see("lines of each container"), followLink("Config"), see("backend.env.LOG_LEVEL"), followLink("Timeline"), see("ready"), followLink("Objects"), see("Deployment"),
				followLink("Manifests"), see("apiVersion"), followLink("Overview"))

			do(ctx, t, followLink("Change"), see("Overrides"), pick("parameter.log_level", "debug"), press("Plan it"), see("backend.env.LOG_LEVEL"), shot("change-"+name), press("Change it"), see("The change was asked for"))
			do(ctx, t, followLink("Revisions"), see("changed"), see("Everything asked for runs"), press("Compare"), see("From revision 1 to 2"), followLink("roll back"), see("Bring revision 1 back"), press("Roll back"), see("The rollback was asked for"),
				see("Everything asked for runs"))

			do(ctx, t, followLink("Sleep"), see("No pod runs any more"), press("Sleep"), see("It falls asleep"), see("sleeping"))
			do(ctx, t, followLink("Wake"), press("Wake"), see("It wakes up"), see("Everything asked for runs"))
			do(ctx, t, followLink("Extend"), chromedp.Clear(chromedp.CSS(`input[name="hours"]`)), enter("hours", "soon"), press("Extend"), see("Must be a number of hours"), chromedp.Clear(chromedp.CSS(`input[name="hours"]`)),
				enter("hours", "5"), press("Extend"), see("Its lease is longer now"))

			do(ctx, t, followLink("Destroy"), see("gone for good"), shot("destroy-"+name), press("Destroy"), see("It is being removed"), see("terminated"), see("are proven gone"), shot("receipt-"+name),
				followLink("Bring back"), see("Bring it back"))
			heard.check(t)
		})
	}
}

// TestConsoleByKeys: the palette goes anywhere by its name, without a mouse.
func TestConsoleByKeys(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim")
	s := start(t, h)
	ctx := browser(t)
	home := becomeOwner(ctx, t, h)
	heard := listen(ctx, home)
	if _, err := s.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: "far-away", Source: &sdk.Source{Repository: application(t)}}); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, chromedp.Navigate(home+"/"), see("far-away"), chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.WaitVisible(chromedp.CSS("#palette[open]")),
		chromedp.SendKeys(chromedp.CSS("#palette-text"), "far-aw"), chromedp.WaitVisible(`//ul[@id="palette-list"]//span[.="far-away"]`), chromedp.KeyEvent("\r"), see("Everything asked for runs"))
	do(ctx, t, chromedp.KeyEvent("?"), see("next and previous row"), chromedp.KeyEvent("\u001b"))
	do(ctx, t, chromedp.KeyEvent("g"), chromedp.KeyEvent("e"), chromedp.WaitVisible(chromedp.CSS(`input[name="q"]`)))
	heard.check(t)
}

// TestConsoleComesBack: a page whose server goes away says so, and is live again when it is back, with what was typed.
func TestConsoleComesBack(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // an address that stays
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, "--target-driver", "sim", "--listen", l.Addr().String())
	s := start(t, h)
	ctx := browser(t)
	home := becomeOwner(ctx, t, h)
	do(ctx, t, chromedp.Navigate(home+"/environments"), see("There are no environments yet"), enter("q", "half a wo"))
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, chromedp.WaitVisible(chromedp.CSS(".is-offline .offline-bar")))
	s = start(t, h)
	do(ctx, t, chromedp.WaitNotVisible(chromedp.CSS(".offline-bar")))
	if _, err := s.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: "new-one", Source: &sdk.Source{Repository: application(t)}}); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, see("new-one"))
	if got, err := chromedp.Run(ctx, chromedp.Value(chromedp.CSS(`input[name="q"]`))); err != nil || got != "half a wo" {
		t.Errorf("what was typed is %q, %v", got, err)
	}
}

// TestConsoleSessionEnds: a page whose session was ended elsewhere shows nothing any more, and leads to sign in.
func TestConsoleSessionEnds(t *testing.T) {
	t.Parallel()
	h := newHost(t, "--target-driver", "sim")
	s := start(t, h)
	ctx := browser(t)
	home := becomeOwner(ctx, t, h)
	do(ctx, t, chromedp.Navigate(home+"/environments"), see("There are no environments yet"))
	if _, err := s.Client.RevokeUserSessions(ctx, ownerEmail); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, chromedp.WaitVisible(chromedp.CSS(`input[name="password"]`)))
	if where, err := chromedp.Run(ctx, chromedp.Location()); err != nil || !strings.HasPrefix(where, home+"/signin?return_to=%2Fenvironments") {
		t.Errorf("it leads to %s, %v", where, err)
	}
}
