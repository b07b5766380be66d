package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

func (s *site) write(t *testing.T, e sdk.Environment, at time.Time, pod, text string) {
	t.Helper()
	if err := s.Place.Write(target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}, target.LogLine{At: at, Component: "web", Pod: pod, Container: "web", Text: text}); err != nil {
		t.Fatal(err)
	}
}

// ready waits until the environment is ready at a revision.
func (s *site) ready(t *testing.T, id string, revision int) sdk.Environment {
	t.Helper()
	for {
		e, err := s.client.GetEnvironment(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if e.Phase == sdk.Ready && e.SyncedRevision == revision {
			return e
		}
	}
}

// TestPagesOfOneEnvironment: each page in depth answers with what it is about, and holds nothing that the policy forbids.
func TestPagesOfOneEnvironment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	s.write(t, e, time.Now(), "web-0", "hello from web")
	at := "/environments/" + e.ID
	for path, want := range map[string][]string{
		at:                                {"Components", "2 of 2 ready", "Extend by 24 h", "Topology", "waterfall-bar", "Sleep policy", "Drift policy", "Addresses"},
		at + "/topology":                  {"As a list", "Deployment", "Service", "reaches pods", "Pod web-0: running", "graph-edge"},
		at + "/logs":                      {"hello from web", "env logs " + e.ID + " --follow", "data-stream=", "logs.js"},
		at + "/logs?pod=web-7":            {"There are no lines"},
		at + "/logs?q=nothing-like-it":    {"There are no lines", "--search &#39;nothing-like-it&#39;"},
		at + "/shell":                     {"Run a command in pr-1", "web-0", "env exec " + e.ID + " --pod web-0", "xterm.css", "needs JavaScript"},
		at + "/config?layer=parameter":    {"settings of revision 1"},
		at + "/config?revision=1&q=LEVEL": {"web.env.LEVEL", "1 settings"},
		at + "/manifests?q=service":       {"Service web"},
		at + "/manifests?view=live":       {"As the target has it now", "Deployment web"},
		at + "/manifests?view=diff":       {"Nothing differs"},
		at + "/restart?component=web":     {"env restart " + e.ID + " --component web", `{&#34;component&#34;:&#34;web&#34;}`},
		at + "/scale":                     {"env scale " + e.ID, "Pods"},
		at + "/pin":                       {"Hours from now", "--for 336h"},
		at + "/extend-link":               {"without signing in", "--link"},
		at + "/sleep-policy":              {"as its project says", "--idle 60m"},
		at + "/labels":                    {"takes the place of all labels", "env label " + e.ID + " team=checkout", `{&#34;labels&#34;:{&#34;team&#34;:&#34;checkout&#34;}}`},
		at + "/drift-policy":              {"Repair: put it back at once", "--mode repair"},
		at + "/release-hold":              {"--all"},
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
		if strings.Contains(page, "<style") || strings.Contains(page, " style=") || strings.Contains(page, " onclick=") {
			t.Errorf("%s holds what the policy forbids", path)
		}
	}
	if _, _, page := s.ask(t, httpapitest.Token, at, nil); strings.Contains(page, at+"/abandon") || strings.Contains(page, at+"/unpin") {
		t.Error("what makes no sense now is offered")
	}
}

// TestVerbsInDepth: each verb shows what is wrong with what was typed, and does what it says.
func TestVerbsInDepth(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	at := "/environments/" + e.ID
	for verb, tc := range map[string]struct {
		form url.Values
		want string
	}{
		"scale":        {url.Values{"component": {"web"}, "replicas": {"many"}}, "Must be a number of pods"},
		"pin":          {url.Values{"hours": {"long"}}, "Must be a number of hours"},
		"extend-link":  {url.Values{"hours": {""}}, "Must be a number of hours"},
		"drift-policy": {url.Values{"mode": {"report"}, "ignore": {"replicas"}}, "Replicas is not KIND/NAME:PATH"},
		"labels":       {url.Values{"labels": {"team=shop\r\na b=c d\r\nk8s.io/x="}}, "A b: the key &#34;a b&#34; must be letters"},
		"sleep-policy": {url.Values{"rule": {"own"}, "windows": {"sometimes"}}, "Sometimes is not days and hours"},
	} {
		status, _, page := s.ask(t, httpapitest.Token, at+"/"+verb, tc.form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(page, tc.want) {
			t.Errorf("%s: %d, and does not say %q", verb, status, tc.want)
		}
		for name, values := range tc.form {
			if values[0] != "" && !strings.Contains(page, values[0]) {
				t.Errorf("%s forgets the %s that was typed", verb, name)
			}
		}
	}
	if status, _, _ := s.ask(t, httpapitest.Token, at+"/sleep-policy", url.Values{"rule": {"own"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a policy that says nothing: %d", status)
	}
	for _, x := range []struct {
		verb string
		form url.Values
	}{
		{"drift-policy", url.Values{"mode": {"report"}, "ignore": {"Deployment/*:spec.replicas\r\n"}}},
		{"sleep-policy", url.Values{"rule": {"own"}, "idle_minutes": {"60"}, "windows": {"fri-mon,wed 19:00-24:00"}, "time_zone": {"Europe/Zurich"}}},
		{"labels", url.Values{"labels": {"team=shop\r\ndemo=\r\n"}}},
		{"pin", url.Values{"hours": {"400"}, "reason": {"shown to a customer"}}},
		{"restart", url.Values{"component": {"web"}}},
		{"extend", url.Values{"hours": {"24"}}},
	} {
		if status, to, page := s.ask(t, httpapitest.Token, at+"/"+x.verb, x.form); x.verb != "extend" && (status != http.StatusSeeOther || !strings.HasSuffix(to, "?done="+x.verb)) {
			t.Errorf("%s: %d to %s\n%s", x.verb, status, to, page)
		}
	}
	now, err := s.client.GetEnvironment(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	if p := now.Sleep.Policy; p.IdleMinutes != 60 || len(p.Windows) != 1 || fmt.Sprint(p.Windows[0].Days) != "[fri sat sun mon wed]" && fmt.Sprint(p.Windows[0].Days) != "[mon wed fri sat sun]" || p.Windows[0].To != "00:00" {
		t.Errorf("the sleep policy is %+v", p)
	}
	if now.Labels["team"] != "shop" || len(now.Labels) != 2 {
		t.Errorf("the labels are %v", now.Labels)
	}
	if now.Drift.Mode != "report" || len(now.Drift.Ignore) != 1 || now.Drift.Ignore[0].Path != "spec.replicas" || now.Lease.PinnedBy == "" {
		t.Errorf("drift %+v, lease %+v", now.Drift, now.Lease)
	}
	if _, _, page := s.ask(t, httpapitest.Token, at, nil); !strings.Contains(page, "pinned by") || !strings.Contains(page, at+"/unpin") || !strings.Contains(page, "Deployment/*:spec.replicas") {
		t.Error("the overview does not tell the pin or the drift policy")
	}
	if status, to, _ := s.ask(t, httpapitest.Token, at+"/unpin", url.Values{}); status != http.StatusSeeOther || !strings.HasSuffix(to, "done=unpin") {
		t.Errorf("unpin: %d to %s", status, to)
	}
	status, _, page := s.ask(t, httpapitest.Token, at+"/extend-link", url.Values{"hours": {"12"}})
	if status != http.StatusOK || !strings.Contains(page, "adds 12 hours") || !strings.Contains(page, "/extend") || !strings.Contains(page, "is not shown again") {
		t.Errorf("the link is not shown: %d", status)
	}
	if status, to, page := s.ask(t, httpapitest.Token, at+"/scale", url.Values{"component": {"web"}, "replicas": {"3"}}); status != http.StatusSeeOther {
		t.Fatalf("scale: %d to %s\n%s", status, to, page)
	}
	s.ready(t, e.ID, 2)
	if _, _, page := s.ask(t, httpapitest.Token, at+"/revisions?from=1&to=2", nil); !strings.Contains(page, "web.replicas") {
		t.Error("the revisions do not tell the number of pods")
	}
}

// TestHoldsAreReleased: what a rollback took away is told with why, and can be let back.
func TestHoldsAreReleased(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	at := "/environments/" + e.ID
	s.Push(repository, map[string]string{"blueberry.yaml": strings.Replace(blueprint, "web:1", "web:2", 1)})
	if _, err := s.client.RefreshEnvironment(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	s.ready(t, e.ID, 2)
	if _, err := s.client.RollbackEnvironment(t.Context(), e.ID, sdk.RollbackEnvironmentRequest{Revision: 1, Reason: "errors <b>"}); err != nil {
		t.Fatal(err)
	}
	holds, err := s.client.ListEnvironmentHolds(t.Context(), e.ID)
	if err != nil || len(holds.Items) == 0 {
		t.Fatalf("%d holds, %v", len(holds.Items), err)
	}
	h := holds.Items[0]
	for _, path := range []string{at, at + "/revisions"} {
		if _, _, page := s.ask(t, httpapitest.Token, path, nil); !strings.Contains(page, "Held back") || !strings.Contains(page, "errors &lt;b&gt;") || !strings.Contains(page, "release-hold?") {
			t.Errorf("%s does not tell the hold", path)
		}
	}
	if _, _, page := s.ask(t, httpapitest.Viewer, at+"/revisions", nil); !strings.Contains(page, "Held back") || strings.Contains(page, "release-hold?") {
		t.Error("a reader is offered to release, or does not see what is held")
	}
	form := url.Values{"kind": {h.Kind}, "name": {h.Name}, "value": {h.Value}}
	if _, _, page := s.ask(t, httpapitest.Token, at+"/release-hold?"+form.Encode(), nil); !strings.Contains(page, `value="`+h.Value+`"`) || !strings.Contains(page, "env release-hold "+e.ID+" "+h.Kind) {
		t.Error("the form does not say which hold it is about")
	}
	if status, _, _ := s.ask(t, httpapitest.Viewer, at+"/release-hold", form); status != http.StatusForbidden {
		t.Errorf("released by a reader: %d", status)
	}
	if status, to, _ := s.ask(t, httpapitest.Token, at+"/release-hold", form); status != http.StatusSeeOther {
		t.Errorf("%d to %s", status, to)
	}
	if left, err := s.client.ListEnvironmentHolds(t.Context(), e.ID); err != nil || len(left.Items) != len(holds.Items)-1 {
		t.Errorf("%d are held still, %v", len(left.Items), err)
	}
}

// TestReadersAreOfferedNoVerbInDepth: and are refused when they ask all the same; a shell is not for them.
func TestReadersAreOfferedNoVerbInDepth(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	at := "/environments/" + e.ID
	_, _, page := s.ask(t, httpapitest.Viewer, at, nil)
	for _, verb := range []string{"scale", "pin", "sleep-policy", "drift-policy", "extend-link", "restart", "shell", "extend"} {
		if strings.Contains(page, at+"/"+verb) {
			t.Errorf("a reader is offered %s", verb)
		}
		if status, _, page := s.ask(t, httpapitest.Viewer, at+"/"+verb, url.Values{"hours": {"1"}, "replicas": {"2"}, "component": {"web"}, "mode": {"report"}}); verb != "shell" && (status != http.StatusForbidden || !strings.Contains(page, "lacks the grant")) {
			t.Errorf("%s by a reader: %d", verb, status)
		}
	}
	if status, _, page := s.ask(t, httpapitest.Viewer, at+"/shell", nil); status != http.StatusForbidden || !strings.Contains(page, "environments:exec") {
		t.Errorf("the shell's page for a reader: %d", status)
	}
}

// TestShellPageIsStrict: the terminal may bring styles of its own by a word of the one answer, and no other page lets any in.
func TestShellPageIsStrict(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	words := map[string]bool{}
	for _, path := range []string{"/shell", "/shell", "/logs"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/environments/"+e.ID+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Token", httpapitest.Token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		policy := res.Header.Get("Content-Security-Policy")
		_, word, own := strings.Cut(policy, "style-src 'self' 'nonce-")
		word, _, _ = strings.Cut(word, "'")
		if own != (path == "/shell") || strings.Contains(policy, "unsafe") || words[word] || own && len(word) < 20 {
			t.Errorf("the policy of %s is %q", path, policy)
		}
		words[word] = own
	}
	if _, err := s.client.SleepEnvironment(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, page := s.ask(t, httpapitest.Token, "/environments/"+e.ID+"/shell", nil); !strings.Contains(page, "Wake it first") || strings.Contains(page, "shell.js") {
		t.Error("one that sleeps offers a shell")
	}
}

// TestEachLineOfALogHasAnAddress: it shows the lines about that time, whatever was written since.
func TestEachLineOfALogHasAnAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	at := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	s.write(t, e, at, "web-0", "the line that matters")
	s.write(t, e, at, "web-0", "<script>alert(1)</script>\" onmouseover=\"x")
	for i := range 150 {
		s.write(t, e, at.Add(30*time.Minute+time.Duration(i)*time.Second), "web-0", "noise")
	}
	_, _, page := s.ask(t, httpapitest.Token, "/environments/"+e.ID+"/logs?tail=100", nil)
	if strings.Contains(page, "the line that matters") {
		t.Fatal("it is among the newest")
	}
	stamp := at.Format("2006-01-02T15:04:05.000000000Z")
	_, _, page = s.ask(t, httpapitest.Token, "/environments/"+e.ID+"/logs?at="+url.QueryEscape(stamp), nil)
	for _, want := range []string{"the line that matters", `id="l-` + stamp + `-web-0-web"`, `id="l-` + stamp + `-web-0-web-2"`, "2 lines about"} {
		if !strings.Contains(page, want) {
			t.Errorf("it does not hold %s", want)
		}
	}
	for _, x := range []string{"noise", "<script>alert", `onmouseover="x`, "data-stream"} {
		if strings.Contains(page, x) {
			t.Errorf("it holds %s", x)
		}
	}
}

// TestShellsAreOnlyForPagesOfOurs: the session opens one from a page of this server, and from no other.
func TestShellsAreOnlyForPagesOfOurs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ran := make(chan struct{}, 10)
	s.Shell = func(_ context.Context, r target.ShellRequest) (int, error) {
		ran <- struct{}{}
		r.Opened("web-0", "web")
		return 0, nil
	}
	e := s.environment(t, "pr-1")
	_, session := s.Person(t, "ada@example.com", true, nil)
	for origin, want := range map[string]int{s.url: http.StatusSwitchingProtocols, "https://evil.example": http.StatusForbidden, "": http.StatusForbidden, "null": http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/environments/"+e.ID+"/exec?pod=web-0&container=web&command=sh&tty=true", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{
			"Cookie": {access.SessionCookie + "=" + session}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {sdk.ExecProtocol},
		}
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("from %q: %d, want %d", origin, res.StatusCode, want)
		}
	}
	if n := len(ran); n != 1 {
		t.Errorf("%d commands ran", n)
	}
}

// TestTroubleIsShown: what another hand altered, and what fails, stands on the overview, in the graph and among the manifests.
func TestTroubleIsShown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	at := "/environments/" + e.ID
	if status, _, _ := s.ask(t, httpapitest.Token, at+"/drift-policy", url.Values{"mode": {"report"}}); status != http.StatusSeeOther {
		t.Fatalf("drift policy: %d", status)
	}
	web := blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: e.Namespace, Name: "web"}
	if err := s.Place.Patch(web, []byte(`{"metadata":{"annotations":{"by-hand":"<script>alert(1)</script>"}},"spec":{"revisionHistoryLimit":7}}`)); err != nil {
		t.Fatal(err)
	}
	for e.Drift.Since.IsZero() {
		var err error
		if e, err = s.client.GetEnvironment(t.Context(), e.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{at, at + "/manifests?view=diff"} {
		if _, _, page := s.ask(t, httpapitest.Token, path, nil); !strings.Contains(page, "spec.revisionHistoryLimit") || strings.Contains(page, "<script>alert") {
			t.Errorf("%s does not tell what was altered", path)
		}
	}
	s.degrade(t, e)
	if _, _, page := s.ask(t, httpapitest.Token, at+"/topology", nil); !strings.Contains(page, "reaches no ready pod") || !strings.Contains(page, "waiting: CrashLoopBackOff") {
		t.Error("the graph does not tell what fails")
	}
	if _, _, page := s.ask(t, httpapitest.Token, at+"/shell", nil); !strings.Contains(page, "No container runs now") {
		t.Error("a shell is offered where nothing runs")
	}
}
