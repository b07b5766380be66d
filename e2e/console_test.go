package e2e_test

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
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
	return onWhole(chromedp.Click(`//main//a[normalize-space(.)="`+label+`"]`, chromedp.NodeVisible))
}

// pick chooses of a list.
func pick(name, value string) step {
	return onWhole(chromedp.SetValue(chromedp.CSS(`select[name="`+name+`"]`), value))
}

// byHand alters an object of a simulated place beside Blueberry, by a JSON merge patch. Each place listens at a socket of its own in a directory.
func byHand(ctx context.Context, t *testing.T, hand string, o sdk.ObjectRef, change string) {
	t.Helper()
	sockets, err := os.ReadDir(hand)
	if err != nil {
		t.Fatal(err)
	}
	q := url.Values{"api_version": {o.APIVersion}, "kind": {o.Kind}, "namespace": {o.Namespace}, "name": {o.Name}}
	for _, socket := range sockets {
		at := filepath.Join(hand, socket.Name())
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", at)
		}}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPatch, "http://hand/?"+q.Encode(), strings.NewReader(change))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("none of %d places has %s %s", len(sockets), o.Kind, o.Name)
}

// more clicks a link behind "More".
func more(label string) step {
	return chromedp.Steps(press("More"), chromedp.Click(`//*[@id="more"]//a[normalize-space(.)="`+label+`"]`, chromedp.NodeVisible))
}

// seeDrift alters what the one environment has on its target: told and left at first, put back when the person says so, and by itself when the policy does.
func seeDrift(ctx context.Context, t *testing.T, s *installation.Server, hand, picture string) {
	t.Helper()
	list, err := s.Client.ListEnvironments(ctx, sdk.EnvironmentFilter{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%d environments, %v", len(list.Items), err)
	}
	e := list.Items[0]
	for err == nil && (e.Phase != sdk.Ready || e.Revision != 2 || e.SyncedRevision != 2) { // another hand comes when all is done
		e, err = s.Client.GetEnvironment(ctx, e.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	settings := sdk.ObjectRef{APIVersion: "v1", Kind: "ConfigMap", Namespace: e.Namespace, Name: "backend-env"}
	altered := chromedp.CSS(`section[aria-labelledby="drift"]`)
	policy := func(mode string) step {
		return chromedp.Steps(more("Drift policy"), see("another hand alters on the target"), pick("mode", mode), press("Drift policy"), see("The drift policy is set"))
	}
	do(ctx, t, policy("report"))
	byHand(ctx, t, hand, settings, `{"data":{"LOG_LEVEL":"by-hand"}}`)
	do(ctx, t, chromedp.WaitVisible(altered), see("by-hand"), shot(picture), // live: the page was not loaded again
		followLink("Manifests"), followLink("Diff"), see("data.LOG_LEVEL"), see("by-hand"), followLink("Overview"), chromedp.WaitVisible(altered),
		more("Redeploy"), see("Applies the revision that it has once more"), press("Redeploy"), see("It is being applied again"), chromedp.WaitNotPresent(altered), see("Everything asked for runs"))
	do(ctx, t, policy("repair"))
	byHand(ctx, t, hand, sdk.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: e.Namespace, Name: "frontend"}, `{"spec":{"revisionHistoryLimit":7}}`)
	do(ctx, t, followLink("Timeline"), see("repaired Deployment"), followLink("Overview"), see("Everything asked for runs"), chromedp.WaitNotPresent(altered))
}

// TestConsoleFromFirstRunToReceipt: a person comes in, makes an environment by a plan, watches it come up, changes it, sees what another hand altered and has it put
// right, rolls back, has it sleep and wake, ends it, and finds the way back.
func TestConsoleFromFirstRunToReceipt(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int64{"desktop": 1280, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "--target-driver", "sim")
			hand := t.TempDir()
			s := start(t, h, "BLUEBERRY_FAULT_HAND="+hand)
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
			seeDrift(ctx, t, s, hand, "drift-"+name)
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
	do(ctx, t, chromedp.Navigate(home+"/"), see("far-away"), keysWork(), chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.WaitVisible(chromedp.CSS("#palette[open]")),
		chromedp.SendKeys(chromedp.CSS("#palette-text"), "far-aw"), chromedp.WaitVisible(`//ul[@id="palette-list"]//span[.="far-away"]`), chromedp.KeyEvent("\r"), see("Everything asked for runs"))
	do(ctx, t, keysWork(), chromedp.KeyEvent("?"), see("next and previous row"), chromedp.KeyEvent("\u001b"))
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
