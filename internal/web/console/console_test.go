package console_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/web"
	"github.com/blueberry-idp/blueberry/internal/web/console"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	repository = "https://git.example.com/acme/shop.git"
	blueprint  = `name: shop
parameters: [{name: level, enum: [info, debug], default: info, sets: [web.env.LEVEL]}]
components: [{name: web, image: 'acme/web:1'}]
`
)

// site is the pages on real rooms. Who looks says so by a token, where a browser has a session.
type site struct {
	*roomstest.Rooms
	url    string
	api    http.Handler // what is at url
	client *sdk.Client

	held    atomic.Pointer[holding] // calls of the API that do not answer
	gallery *console.Gallery        // keeps the answers that pages are made of; nil for none
	now     time.Time               // for pages; zero for the real time
}

func newSite(t testing.TB, change ...func(*console.Console)) *site {
	t.Helper()
	rooms := roomstest.Open(t)
	rooms.Push(repository, map[string]string{"blueberry.yaml": blueprint})
	deps := rooms.Deps()
	prove := func(ctx context.Context, r *http.Request) (blueberry.Actor, error) {
		who, err := deps.Access.Authenticate(ctx, r.Header.Get("X-Token"))
		if reader := r.Header.Get("X-Reader"); reader != "" { // another person with the same rights
			who.ID, who.UserID, who.Name = "usr_"+reader, "usr_"+reader, reader+"@example.com"
		}
		return who, err
	}
	var api *httpapi.API
	s := &site{Rooms: rooms}
	c := &console.Console{
		API: func(a blueberry.Actor) http.Handler {
			if s.gallery != nil {
				return s.gallery.Keep(api.Inside(a))
			}
			return s.holdingBack(api.Inside(a))
		},
		Now: func() time.Time {
			if !s.now.IsZero() {
				return s.now
			}
			return time.Now()
		},
		Again: prove, Logger: slog.New(slog.DiscardHandler), Patience: time.Minute,
		Page: (&web.Pages{}).Page,
		SignedIn: func(next func(w http.ResponseWriter, r *http.Request, user blueberry.Actor)) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				who, err := prove(r.Context(), r)
				if err != nil {
					http.Error(w, err.Error(), http.StatusUnauthorized)
					return
				}
				next(w, r, who)
			}
		},
		Events: func(ctx context.Context, after int64) ([]blueberry.Event, int64, error) {
			if after < 0 {
				return nil, 0, nil
			}
			if err := deps.Feed.Wait(ctx, after); err != nil {
				return nil, after, err
			}
			events, err := rooms.Provisioner.Events(ctx, blueberry.Actor{Grants: []blueberry.Grant{blueberry.GrantAll}}, blueberry.EventQuery{After: after, Limit: 100})
			if n := len(events); n > 0 {
				after = events[n-1].Seq
			}
			return events, after, err
		},
	}
	for _, f := range change {
		f(c)
	}
	deps.Routes = c.Routes()
	var err error
	if api, err = httpapi.New(deps); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-ended })
	s.url, s.api, s.client = srv.URL, api, &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Token}
	return s
}

// holding are calls of the API that wait until their reader is gone, or they are let go.
type holding struct {
	paths []string // how they end
	free  chan struct{}
}

// hold has calls wait, by how their paths end, until the function that it gives lets them go.
func (s *site) hold(paths ...string) (free func()) {
	h := &holding{paths, make(chan struct{})}
	s.held.Store(h)
	return func() {
		s.held.Store(nil)
		close(h.free)
	}
}

func (s *site) holdingBack(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := s.held.Load(); h != nil && slices.ContainsFunc(h.paths, func(p string) bool { return strings.HasSuffix(r.URL.Path, p) }) {
			select {
			case <-r.Context().Done():
				return
			case <-h.free:
			}
		}
		api.ServeHTTP(w, r)
	})
}

// ask gets a page, or sends a form; it follows nothing.
func (s *site) ask(t testing.TB, token, path string, form url.Values) (status int, to, page string) {
	t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Token", token)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(body)
}

func (s *site) environment(t testing.TB, name string) sdk.Environment {
	t.Helper()
	e, err := s.client.CreateEnvironment(t.Context(), sdk.CreateEnvironmentRequest{Name: name, Source: &sdk.Source{Repository: repository}})
	if err != nil {
		t.Fatal(err)
	}
	for {
		now, err := s.client.GetEnvironment(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if now.Phase == sdk.Ready {
			return now
		}
	}
}

// degrade has the pods of an environment fail for so long that it counts.
func (s *site) degrade(t *testing.T, e sdk.Environment) {
	t.Helper()
	until := func(is func(sdk.Environment) bool) {
		t.Helper()
		for {
			now, err := s.client.GetEnvironment(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			if is(now) {
				return
			}
		}
	}
	fail := func() {
		s.Place.FailPods(target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}, "web", "CrashLoopBackOff") // and have the platform look
	}
	fail()
	until(func(now sdk.Environment) bool {
		return slices.ContainsFunc(now.Conditions, func(c sdk.Condition) bool { return c.Type == "Ready" && c.Status == "False" })
	})
	s.Pass(blueberry.ReadinessGrace)
	fail()
	until(func(now sdk.Environment) bool { return now.Phase == sdk.Degraded })
}

// TestPagesShow: every page of the menu and of an environment answers with what it is about.
func TestPagesShow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, _, page := s.ask(t, httpapitest.Token, "/", nil); !strings.Contains(page, "Nothing runs yet") {
		t.Error("an empty installation teaches nothing")
	}
	e := s.environment(t, "pr-1")
	at := "/environments/" + e.ID
	for path, want := range map[string][]string{
		"/": {"pr-1", "Lately"}, "/environments": {"pr-1", "ready"}, "/environments?q=nothing-like-it": {"Nothing is like that"}, "/environments?phase=failed": {"Nothing is like that"},
		"/environments/new": {"What it is made of"}, "/environments/new?repository=" + url.QueryEscape(repository): {"How it is to be", "level"},
		"/environments/new?repository=https%3A%2F%2Fnowhere.example": {"role=\"alert\""},
		at: {"pr-1", "Steps", "Everything asked for runs", "Destroy"}, at + "/timeline": {"Timeline"}, at + "/objects": {"Deployment"}, at + "/logs": {"lines of each container"},
		at + "/config": {"web.env.LEVEL"}, at + "/config?q=replicas": {"web.replicas"}, at + "/revisions": {"wanted"}, at + "/manifests": {"kind: Deployment"}, at + "/change": {"Overrides", "level"},
		at + "/destroy": {"The data of its volumes is gone for good", "for 24 hours after its end it can be brought back", "env destroy " + e.ID, "curl -X DELETE"}, at + "/extend": {"Hours"},
		at + "/objects/one?api_version=apps%2Fv1&kind=Deployment&name=web&namespace=" + e.Namespace: {"As it should be", "As it is"},
	} {
		status, _, page := s.ask(t, httpapitest.Token, path, nil)
		if status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		for _, x := range want {
			if !strings.Contains(page, x) {
				t.Errorf("%s does not say %q", path, x)
			}
		}
		if !strings.Contains(page, "<title>") || strings.Contains(page, "<style") || strings.Contains(page, " style=") || strings.Contains(page, " onclick=") {
			t.Errorf("%s is no whole page, or holds what the policy forbids", path)
		}
	}
	for path, want := range map[string]int{
		"/environments/env_nothing": http.StatusNotFound, at + "/nothing": http.StatusNotFound, at + "/rollback": http.StatusUnprocessableEntity, "/environments?sort=secret": http.StatusUnprocessableEntity,
		at + "/revisions?from=7&to=8": http.StatusNotFound,
	} {
		if status, _, page := s.ask(t, httpapitest.Token, path, nil); status != want || !strings.Contains(page, "To the environments") {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

// TestPagesOfferWhatOneMay: who may only read is offered no verb, and told why when they ask for one all the same.
func TestPagesOfferWhatOneMay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	at := "/environments/" + e.ID
	status, _, page := s.ask(t, httpapitest.Viewer, at, nil)
	if status != http.StatusOK || strings.Contains(page, at+"/destroy") || strings.Contains(page, at+"/change") || strings.Contains(page, at+"/sleep") {
		t.Errorf("%d; a reader is offered verbs", status)
	}
	if _, _, page := s.ask(t, httpapitest.Viewer, "/environments", nil); strings.Contains(page, "New environment") {
		t.Error("a reader is offered to make one")
	}
	for _, verb := range []string{"destroy", "sleep", "redeploy", "extend"} {
		if status, _, page := s.ask(t, httpapitest.Viewer, at+"/"+verb, url.Values{"hours": {"1"}}); status != http.StatusForbidden || !strings.Contains(page, "lacks the grant") {
			t.Errorf("%s by a reader: %d", verb, status)
		}
	}
	if status, _, _ := s.ask(t, httpapitest.Poor, at, nil); status == http.StatusOK {
		t.Error("who may see nothing sees it")
	}
	if now, err := s.client.GetEnvironment(t.Context(), e.ID); err != nil || now.Phase != sdk.Ready || now.Version != e.Version {
		t.Errorf("it is %s, at version %d, was %d: %v", now.Phase, now.Version, e.Version, err)
	}
}

// TestFormsPlanAndApply: nothing is made before the plan is applied; a fault keeps what was typed; a stale plan is answered by a new one.
func TestFormsPlanAndApply(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	typed := url.Values{"repository": {repository}, "name": {"Not A Name"}, "ttl_hours": {"many"}, "parameter.level": {"debug"}, "labels": {"team shop"}}
	status, _, page := s.ask(t, httpapitest.Token, "/environments/new", typed)
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, "Must be a number of hours") || !strings.Contains(page, `value="Not A Name"`) || !strings.Contains(page, "Team shop is not key=value") || !strings.Contains(page, ">team shop</textarea>") {
		t.Errorf("%d: a fault is not told, or what was typed is lost", status)
	}
	typed.Set("name", "pr-2")
	typed.Set("ttl_hours", "5")
	typed.Set("labels", "k8s.io/team=shop\r\nb=c d")
	status, _, page = s.ask(t, httpapitest.Token, "/environments/new", typed)
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, "B: the value") || !strings.Contains(page, "k8s.io/team: the prefix k8s.io belongs to programs") || !strings.Contains(page, "k8s.io/team=shop\r\nb=c d</textarea>") {
		t.Errorf("%d: faults of labels are not told at their field, or what was typed is lost", status)
	}
	typed.Set("labels", "team=shop\r\ndemo=")
	status, _, page = s.ask(t, httpapitest.Token, "/environments/new", typed)
	if status != http.StatusOK || !strings.Contains(page, "The plan") || !strings.Contains(page, "created") {
		t.Fatalf("%d: no plan", status)
	}
	if list, err := s.client.ListEnvironments(t.Context(), sdk.EnvironmentFilter{}); err != nil || len(list.Items) != 0 {
		t.Fatalf("a plan has made %d environments, %v", len(list.Items), err)
	}
	typed.Set("plan_id", planOf(t, page))
	typed.Set("apply", "yes")
	status, to, _ := s.ask(t, httpapitest.Token, "/environments/new", typed)
	if status != http.StatusSeeOther || !strings.HasPrefix(to, "/environments/env_") {
		t.Fatalf("%d to %q", status, to)
	}
	if again, twice, _ := s.ask(t, httpapitest.Token, "/environments/new", typed); again != status || twice != to {
		t.Errorf("pressed twice: %d to %s, and %s before", again, twice, to)
	}
	id := strings.TrimPrefix(strings.SplitN(to, "?", 2)[0], "/environments/")

	change := url.Values{"parameter.level": {"info"}, "reason": {"less"}}
	if _, _, page = s.ask(t, httpapitest.Token, "/environments/"+id+"/change", change); !strings.Contains(page, "web.env.LEVEL") {
		t.Fatal("no plan of the change")
	}
	change.Set("plan_id", planOf(t, page))
	change.Set("apply", "yes")
	if _, err := s.client.ChangeEnvironment(t.Context(), id, sdk.ChangeEnvironmentRequest{Overrides: map[string]any{"web": map[string]any{"replicas": 2}}}); err != nil {
		t.Fatal(err)
	}
	status, _, page = s.ask(t, httpapitest.Token, "/environments/"+id+"/change", change)
	if status != http.StatusOK || !strings.Contains(page, "The plan before was not applied") {
		t.Fatalf("%d: a stale plan is not told", status)
	}
	change.Set("plan_id", planOf(t, page))
	if status, to, _ = s.ask(t, httpapitest.Token, "/environments/"+id+"/change", change); status != http.StatusSeeOther || !strings.HasSuffix(to, "done=changed") {
		t.Errorf("the new plan: %d to %s", status, to)
	}
	if status, _, page = s.ask(t, httpapitest.Token, "/environments/"+id+"/change", url.Values{"overrides": {"{no json"}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "{no json") {
		t.Errorf("overrides that are no JSON: %d", status)
	}
}

func planOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="plan_id" value="`)
	id, _, ended := strings.Cut(rest, `"`)
	if !ok || !ended {
		t.Fatal("there is no plan on the page")
	}
	return id
}

// unhurried is an answer whose reader leaves with the first change. It knows whether the deadline is still that of the change.
type unhurried struct {
	*httptest.ResponseRecorder
	leave func()
	stale bool
}

func (u *unhurried) SetWriteDeadline(time.Time) error { u.stale = false; return nil }
func (u *unhurried) Flush()                           { u.stale = true; u.leave() }

// TestPagesEndWell: what ends a page that was followed has no deadline of a change before it; else a browser takes a page that ends after a quiet while for one
// that broke off.
func TestPagesEndWell(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/environments/"+e.ID+"/timeline", http.NoBody)
	r.Header.Set("X-Token", httpapitest.Token)
	r.Header.Set("Hx-Request", "true")
	w := &unhurried{ResponseRecorder: httptest.NewRecorder(), leave: leave}
	s.api.ServeHTTP(w, r)
	if kind := w.Header().Get("Content-Type"); kind != "text/event-stream" || w.stale {
		t.Errorf("it is %s, and ends with the deadline of what was sent before: %t", kind, w.stale)
	}
}

// TestPagesFollow: an open page is told what changed and nothing else; who comes back with what they show is told nothing twice.
func TestPagesFollow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	open := func(last string) (*bufio.Reader, func()) {
		ctx, end := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/environments/"+e.ID+"/timeline", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Token", httpapitest.Token)
		req.Header.Set("Hx-Request", "true")
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if kind := res.Header.Get("Content-Type"); kind != "text/event-stream" {
			t.Fatalf("it is %s", kind)
		}
		return bufio.NewReader(res.Body), func() { end(); _ = res.Body.Close() }
	}
	r, end := open("")
	id, text := event(t, r)
	if !strings.Contains(text, "pr-1") {
		t.Error("the first event is not the page")
	}
	end()
	r, end = open(id)
	defer end()
	if line, err := r.ReadString('\n'); err != nil || line != "retry: 1000\n" {
		t.Errorf("who shows the page already is told %q, %v", line, err)
	}
	if _, err := s.client.SleepEnvironment(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	for {
		next, text := event(t, r)
		if next == id {
			t.Fatal("the same page was told twice")
		}
		if id = next; strings.Contains(text, "sleeping") {
			return
		}
	}
}

// event reads the next event that holds a page.
func event(t *testing.T, r *bufio.Reader) (id, text string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case name == "id":
			id = value
		case name == "data":
			text += value + "\n"
		case line == "" && text != "":
			return id, text
		case strings.HasPrefix(line, ":"), line == "", name == "retry":
		case id != "":
			t.Fatalf("a line that is none of an event: %q", line)
		}
	}
}

// TestHostileWords: nothing that comes from outside becomes a part of a page, or of the stream that it comes in.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	const hostile = "</td><script>alert(1)</script>\" onmouseover=\"x\r\n\r\nid: 1\rdata: x\n\n<img src=x onerror=alert(1)>"
	if _, err := s.client.ChangeEnvironment(t.Context(), e.ID, sdk.ChangeEnvironmentRequest{
		Reason: "changed", Overrides: map[string]any{"web": map[string]any{"env": map[string]any{"WORDS": hostile}}},
	}); err != nil {
		t.Fatal(err)
	}
	at := "/environments/" + e.ID
	for _, path := range []string{
		at + "/config", at + "/change", at + "/manifests", at + "/revisions?from=1&to=2", "/environments?q=" + url.QueryEscape(hostile), at + "/logs?q=" + url.QueryEscape(hostile),
		"/environments/new?name=" + url.QueryEscape(hostile) + "&repository=" + url.QueryEscape("javascript:alert(1)"), "/?done=" + url.QueryEscape(hostile),
	} {
		_, _, page := s.ask(t, httpapitest.Token, path, nil)
		for _, x := range []string{"<script>alert", "<img src=x", `onmouseover="x`} {
			if strings.Contains(page, x) {
				t.Errorf("%s holds %s", path, x)
			}
		}
	}
	for back, want := range map[string]string{"/environments?q=1": "/environments?q=1", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/", "/\t/evil.example": "/", "": "/"} {
		if _, to, _ := s.ask(t, httpapitest.Token, "/preferences", url.Values{"theme": {"dark"}, "back": {back}}); to != want {
			t.Errorf("back to %q leads to %q", back, to)
		}
	}
}

// opened is what a generic host says of a pull request that was opened from a fork of somebody whom nobody knows.
func opened(title, commit string) string {
	return `{"event": "pull_request", "data": {"repository": "acme/shop", "action": "opened", "number": 7, "title": ` + strconv.Quote(title) + `, "author": "eve", "relation": "outsider", "state": "open",
		"head": {"ref": "topic", "commit": "` + commit + `", "repository": "eve/shop", "url": "https://git.example.com/eve/shop.git"}, "base": {"ref": "main", "repository": "acme/shop"},
		"updated_at": "` + time.Now().UTC().Format(time.RFC3339Nano) + `"}}`
}

// TestPagesOfPullRequests: what a host sent stands on pages, is read again from there, and a commit is approved there by who may.
func TestPagesOfPullRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for path, want := range map[string]string{"/repositories": "No repository is added", "/pulls": "No pull request is open"} {
		if status, _, page := s.ask(t, httpapitest.Token, path, nil); status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%s: %d, and does not say %q", path, status, want)
		}
	}
	added, err := s.client.AddRepository(t.Context(), sdk.AddRepositoryRequest{Name: "acme/shop", Host: "generic", URL: repository, Policy: sdk.PullPolicy{Forks: true}})
	if err != nil {
		t.Fatal(err)
	}
	commit := strings.Repeat("ab", 20)
	for i, signed := range []string{added.Secret, "somebody else's secret"} {
		body := opened("<script>alert(1)</script>", commit)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/hooks/"+added.Repository.ID, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = roomstest.Sign(signed, body)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{http.StatusAccepted, http.StatusUnauthorized}[i]; res.StatusCode != want {
			t.Fatalf("the delivery is answered by %d, want %d", res.StatusCode, want)
		}
		_ = res.Body.Close()
	}
	list, err := s.client.ListPulls(t.Context(), sdk.PullFilter{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%d pull requests, %v", len(list.Items), err)
	}
	pull, at := list.Items[0], "/repositories/"+added.Repository.ID
	accepted, err := s.client.ListDeliveries(t.Context(), sdk.DeliveryFilter{Verdict: "accepted"})
	if err != nil || len(accepted.Items) != 1 {
		t.Fatalf("%d deliveries, %v", len(accepted.Items), err)
	}
	delivery := "/deliveries/" + accepted.Items[0].ID
	for path, want := range map[string][]string{
		"/repositories": {"acme/shop"}, "/pulls": {"acme/shop", "#7"}, "/pulls?state=merged": {"None is like that"},
		at:                      {"Inbox", "accepted", "refused", "forks of members as well", added.Repository.WebhookURL},
		at + "?verdict=refused": {"no secret of the repository"},
		"/pulls/" + pull.ID:     {"outsider", "Approve this commit", "Commands in comments", "What its host sent"},
		delivery:                {"&#34;number&#34;: 7", "What would it do?"},
	} {
		status, _, page := s.ask(t, httpapitest.Token, path, nil)
		if status != http.StatusOK || strings.Contains(page, "<script>alert") {
			t.Errorf("%s: %d, or the title of a stranger is a part of the page", path, status)
		}
		for _, x := range want {
			if !strings.Contains(page, x) {
				t.Errorf("%s does not say %q", path, x)
			}
		}
	}
	if status, _, page := s.ask(t, httpapitest.Token, delivery+"/replay", url.Values{"dry": {"yes"}}); status != http.StatusOK || !strings.Contains(page, "Read again, it would be so") {
		t.Errorf("a dry run: %d", status)
	}
	if status, to, _ := s.ask(t, httpapitest.Token, delivery+"/replay", url.Values{"dry": {"no"}}); status != http.StatusSeeOther || !strings.Contains(to, "done=replayed") {
		t.Errorf("read again: %d to %s", status, to)
	}
	if status, _, page := s.ask(t, httpapitest.Token, "/pulls/"+pull.ID+"/approve", url.Values{"commit": {"main"}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, `value="main"`) {
		t.Errorf("what is no commit: %d", status)
	}
	if _, _, page := s.ask(t, httpapitest.Viewer, "/pulls/"+pull.ID, nil); strings.Contains(page, "Approve this commit") {
		t.Error("a reader is offered to approve")
	}
	if status, _, _ := s.ask(t, httpapitest.Viewer, "/pulls/"+pull.ID+"/approve", url.Values{"commit": {commit}}); status != http.StatusForbidden {
		t.Errorf("approved by a reader: %d", status)
	}
	if status, to, page := s.ask(t, httpapitest.Token, "/pulls/"+pull.ID+"/approve", url.Values{"commit": {commit}}); status != http.StatusSeeOther {
		t.Errorf("approved: %d to %s\n%s", status, to, page)
	}
	if now, err := s.client.GetPull(t.Context(), pull.ID); err != nil || !now.Approved {
		t.Errorf("it is not approved: %v", err)
	}
}
