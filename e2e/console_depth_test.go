package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/web"
	"github.com/blueberry-idp/blueberry/internal/web/console"
	"github.com/blueberry-idp/blueberry/sdk"
)

// depthSite is the pages on rooms whose containers say and do what the test wants: a simulated place has neither logs nor shells of its own.
type depthSite struct {
	*roomstest.Rooms
	home   string
	client *sdk.Client
}

// newDepthSite opens one. Streams of logs that are followed come of a handler, if one is given.
func newDepthSite(t *testing.T, followed ...http.HandlerFunc) *depthSite {
	t.Helper()
	rooms := roomstest.Open(t)
	deps := rooms.Deps()
	logger := slog.New(slog.DiscardHandler)
	pages := &web.Pages{Gate: rooms.Gate, Now: time.Now, Logger: logger}
	draining := make(chan struct{})
	deps.Draining = draining
	var api *httpapi.API
	c := &console.Console{
		API: func(a blueberry.Actor) http.Handler { return api.Inside(a) }, SignedIn: pages.SignedIn, Page: pages.Page, Again: pages.Again, Draining: draining, Now: time.Now, Logger: logger,
		Events: func(ctx context.Context, _ int64) ([]blueberry.Event, int64, error) {
			<-ctx.Done()
			return nil, 0, ctx.Err()
		},
	}
	deps.Routes = pages.Routes()
	maps.Copy(deps.Routes, c.Routes())
	_, session := rooms.Person(t, ownerEmail, true, nil)
	deps.Routes["GET /come-in"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, access.NewCookie(access.SessionCookie, session, time.Hour))
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusSeeOther)
	})
	var err error
	if api, err = httpapi.New(deps); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(followed) > 0 && strings.HasSuffix(r.URL.Path, "/logs") && r.URL.Query().Has("follow") {
			followed[0](w, r)
			return
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	t.Cleanup(func() { close(draining) })
	return &depthSite{Rooms: rooms, home: srv.URL, client: &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Token}}
}

const depthRepository = "https://git.example.com/acme/shop.git"

// environment makes one, and waits until it is ready.
func (s *depthSite) environment(t *testing.T, name string) sdk.Environment {
	t.Helper()
	s.Push(depthRepository, map[string]string{"blueberry.yaml": "name: shop\ncomponents: [{name: web, image: 'acme/web:1', port: 80, values: {ingress: {paths: [/]}}}]\n"})
	e, err := s.client.CreateEnvironment(t.Context(), sdk.CreateEnvironmentRequest{Name: name, Source: &sdk.Source{Repository: depthRepository}})
	for err == nil && e.Phase != sdk.Ready {
		e, err = s.client.GetEnvironment(t.Context(), e.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (s *depthSite) write(t *testing.T, e sdk.Environment, pod, text string) {
	t.Helper()
	line := target.LogLine{Component: "web", Pod: pod, Container: "web", Text: text}
	if err := s.Place.Write(target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}, line); err != nil {
		t.Fatal(err)
	}
}

// comeIn opens a page as the owner.
func (s *depthSite) comeIn(path string) step {
	return chromedp.Navigate(s.home + "/come-in?to=" + url.QueryEscape(path))
}

// TestConsoleFollowsLogs: lines stand on the page as they are written; they can be searched, held still, and each has an address that lasts.
func TestConsoleFollowsLogs(t *testing.T) {
	t.Parallel()
	s := newDepthSite(t)
	e := s.environment(t, "pr-1")
	s.write(t, e, "web-0", "begun")
	ctx := browser(t)
	heard := listen(ctx, s.home)
	do(ctx, t, s.comeIn("/environments/"+e.ID+"/logs"), see("Following"), see("begun"))
	s.write(t, e, "web-1", "<img src=x onerror=alert(1)><script>alert(2)</script>")
	do(ctx, t, see("<script>alert(2)</script>"))
	for i := range 900 {
		s.write(t, e, "web-0", fmt.Sprintf("noise %d", i))
	}
	s.write(t, e, "web-0", "the needle")
	do(ctx, t, see("the needle"))
	if gap, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`(() => { const l = document.getElementById("log"); return l.scrollHeight - l.scrollTop - l.clientHeight; })()`)); err != nil || gap > 24 {
		t.Errorf("the newest line is %v below what is to be seen, %v", gap, err)
	}
	do(ctx, t, shot("logs"))
	do(ctx, t, enter("q", "needle"), chromedp.WaitVisible(`//mark[.="needle"]`), chromedp.WaitNotPresent(`//div[contains(@class, "log-line")][contains(., "begun")]`), shot("logs-search"))
	do(ctx, t, press("Pause"), see("Paused"))
	s.write(t, e, "web-0", "another needle")
	do(ctx, t, see("1 new lines since"), press("Go on"), see("another needle"))
	do(ctx, t, chromedp.Click(`//div[contains(@class, "log-line")][contains(., "the needle")]/a`, chromedp.NodeVisible), see("lines about"), chromedp.WaitVisible(chromedp.CSS(".log-named")))
	if got := text(ctx, t, ".log-named"); !strings.Contains(got, "the needle") {
		t.Errorf("the address leads to %q", got)
	}
	do(ctx, t, chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(".log-named")), shot("logs-line"))
	heard.check(t)
}

// TestConsoleShell: a command runs in a terminal on the page, which needs no laxer policy than its own; it ends when the person ends it.
func TestConsoleShell(t *testing.T) {
	t.Parallel()
	s := newDepthSite(t)
	ended := make(chan error, 10)
	sizes := make(chan target.TerminalSize, 100)
	s.Shell = func(ctx context.Context, r target.ShellRequest) (int, error) {
		if r.Command[0] == "zsh" {
			return 0, blueberry.Errorf(blueberry.Conflict, "COMMAND_NOT_FOUND", "the container has no zsh")
		}
		r.Opened(r.Pod, r.Container)
		size := <-r.Resize
		sizes <- size
		fmt.Fprintf(r.Stdout, "this is %s, of %d columns\r\n$ ", strings.Join(r.Command, "+"), size.Width)
		in := bufio.NewReader(r.Stdin)
		for line := ""; ; {
			b, err := in.ReadByte()
			if err != nil {
				ended <- err
				return 0, ctx.Err()
			}
			if b != '\r' {
				line += string(b)
				_, _ = r.Stdout.Write([]byte{b})
				continue
			}
			if line == "exit" {
				ended <- io.EOF
				return 3, nil
			}
			fmt.Fprintf(r.Stdout, "\r\n%s\r\n$ ", strings.ToUpper(strings.TrimPrefix(line, "echo ")))
			line = ""
		}
	}
	e := s.environment(t, "pr-1")
	ctx := browser(t)
	heard := listen(ctx, s.home)
	do(ctx, t, s.comeIn("/environments/"+e.ID+"/shell"), see("Run a command in pr-1"), press("Open the shell"), see("Open: web-0"), see("this is sh, of"), shot("shell-open"),
		chromedp.SendKeys(chromedp.CSS(".xterm-helper-textarea"), "echo hello there\r"), see("HELLO THERE"), shot("shell"))
	if size := <-sizes; size.Width < 60 || size.Height < 10 {
		t.Errorf("the terminal has %d columns and %d rows", size.Width, size.Height)
	}
	do(ctx, t, chromedp.SendKeys(chromedp.CSS(".xterm-helper-textarea"), "exit\r"), see("It ended with exit code 3."))
	<-ended
	do(ctx, t, press("Open the shell"), see("Open: web-0"), press("End it"), see("How the command ended is not known"))
	<-ended
	do(ctx, t, press("Open the shell"), see("Open: web-0"), chromedp.Navigate(s.home+"/environments/"+e.ID), see("Components"))
	<-ended // who leaves the page ends it
	do(ctx, t, chromedp.Navigate(s.home+"/environments/"+e.ID+"/shell"), chromedp.Clear(chromedp.CSS(`input[name="command"]`)), enter("command", "zsh"), press("Open the shell"),
		see("It was not opened: the container has no zsh"))
	heard.check(t)
}

// TestConsoleTopology: objects and how they lead to each other stand on the page, as a graph on a desk and as a list on a phone; a click tells more.
func TestConsoleTopology(t *testing.T) {
	t.Parallel()
	s := newDepthSite(t)
	e := s.environment(t, "pr-1")
	ctx := browser(t)
	heard := listen(ctx, s.home)
	do(ctx, t, s.comeIn("/environments/"+e.ID), see("2 of 2 ready"), shot("overview"), press("More"), chromedp.WaitVisible(`//a[.="Drift policy"]`), chromedp.KeyEvent("\u001b"), followLink("Manifests"), see("Deployment web"), shot("manifests"),
		followLink("Config"), see("web.replicas"), shot("config"), followLink("Revisions"), see("Compare"))
	do(ctx, t, chromedp.Click(`//nav//a[.="Topology"]`, chromedp.NodeVisible), chromedp.WaitVisible(chromedp.CSS("svg.graph")), shot("topology"))
	do(ctx, t, chromedp.EmulateViewport(390, 900), chromedp.WaitNotVisible(chromedp.CSS("svg.graph")), see("As a list"))
	if wide, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); err != nil || wide > 390 {
		t.Errorf("on a phone the page is %d wide, %v", wide, err)
	}
	do(ctx, t, chromedp.EmulateViewport(1280, 900), chromedp.WaitVisible(chromedp.CSS("svg.graph")), chromedp.Click(`//*[name()="a"][*[name()="title"][starts-with(normalize-space(.), "Deployment web")]]`, chromedp.NodeVisible), see("As it should be"))
	heard.check(t)
}
