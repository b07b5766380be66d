package httpapi_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cache"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestAnExtendLinkWorksOnceAndIsNeverRepeated follows a link, and looks for its secret wherever calls leave traces.
func TestAnExtendLinkWorksOnceAndIsNeverRepeated(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	var log logBuffer
	var routes []string
	d := r.Deps()
	d.Logger = slog.New(slog.NewTextHandler(&log, nil))
	d.Edge.Limits, d.Edge.Limiter = httpapi.Limits{SignIn: []httpapi.PathLimit{{Prefix: "/v1/extend-links", Limit: perHour(8)}}}, cache.NewMemory()
	d.Answered = func(route string, _ int, _ time.Duration) { routes = append(routes, route) }
	api := apiOf(t, d)
	env := got[sdk.Environment](t)(c.CreateEnvironment(t.Context(), shopRequest("pr-1")))
	made := ask(t, api, "POST", "/v1/environments/"+env.ID+"/extend-links", `{"hours":5}`, "Idempotency-Key", "k")
	token := tokenOf(t, strings.Split(strings.Split(made.text, `"url":"`)[1], `"`)[0])
	again := ask(t, api, "POST", "/v1/environments/"+env.ID+"/extend-links", `{"hours":5}`, "Idempotency-Key", "k")
	if p := again.problem(t); made.StatusCode != 201 || p.Code != "SECRET_TOLD" || strings.Contains(again.text, token) {
		t.Errorf("made by %d, and again %d %s", made.StatusCode, again.StatusCode, p.Code)
	}
	at, anonymous := "/v1/extend-links/"+token, []string{"Authorization", "", "X-Request-Id", "req-link"}
	offer := ask(t, api, "GET", at, "", anonymous...)
	if offer.StatusCode != 200 || !strings.Contains(offer.text, `"environment":"pr-1"`) || !strings.Contains(offer.text, `"hours":5`) {
		t.Errorf("the offer is %d %s", offer.StatusCode, offer.text)
	}
	used := ask(t, api, "POST", at, "", anonymous...)
	after := got[sdk.Environment](t)(c.GetEnvironment(t.Context(), env.ID))
	if used.StatusCode != 200 || after.ExpiresAt.Sub(env.ExpiresAt).Round(time.Minute) != 5*time.Hour || !after.Lease.ExpiresAt.Equal(after.ExpiresAt) {
		t.Errorf("it answers %d %s, and the lease ends %s after %s", used.StatusCode, used.text, after.ExpiresAt, env.ExpiresAt)
	}
	answers := used.text
	for what, a := range map[string]answer{
		"a second time": ask(t, api, "POST", at, "", anonymous...), "another method": ask(t, api, "DELETE", at, "", anonymous...),
		"another path": ask(t, api, "GET", "/v1/extend-links/"+token+"/more", "", anonymous...), "forged": ask(t, api, "GET", at+"x", "", anonymous...),
		"in a mess": ask(t, api, "POST", "//v1/extend-links//"+token, "", anonymous...),
	} {
		if a.StatusCode < 300 {
			t.Errorf("%s: %d %s", what, a.StatusCode, a.text)
		}
		answers += a.text
	}
	if limited := ask(t, api, "GET", at, "", anonymous...); limited.StatusCode != 429 {
		for range 5 {
			limited = ask(t, api, "GET", at, "", anonymous...)
		}
		if limited.StatusCode != 429 {
			t.Errorf("whoever tries links without end gets %d", limited.StatusCode)
		}
	}
	entries := got[sdk.AuditList](t)(c.ListAuditEntries(t.Context(), sdk.AuditFilter{}))
	trace := log.String() + answers + strings.Join(routes, " ")
	for _, e := range entries.Items {
		trace += e.Resource + e.Detail + e.Route + string(e.Before) + string(e.After)
	}
	if strings.Contains(trace, token) || strings.Contains(trace, token[:24]) || !strings.Contains(log.String(), "path=/v1/extend-links/(hidden)") {
		t.Errorf("the secret of the link is told in:\n%s", trace)
	}
}

// TestBadInputOfLife sends what is wrong in more than one way.
func TestBadInputOfLife(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api := r.API(t)
	env := "/v1/environments/" + got[sdk.Environment](t)(c.CreateEnvironment(t.Context(), shopRequest("pr-1"))).ID
	for name, tc := range map[string]struct {
		method, path, body string
		fields             []string
	}{
		"logs":          {"GET", env + "/logs?tail=0&odd=1&format=xml&follow=maybe", "", []string{"follow type", "format enum", "odd unknown_parameter", "tail range"}},
		"logs together": {"GET", env + "/logs?follow=true&previous=true&until=2026-01-01T00:00:00Z&since=2026-01-02T00:00:00Z", "", []string{"previous exclusive", "until exclusive", "until range"}},
		"timeline":      {"GET", env + "/timeline?kind=odd&limit=0", "", []string{"kind[0] enum", "limit range"}},
		"live object":   {"GET", env + "/objects/live?odd=1", "", []string{"api_version required", "kind required", "name required", "odd unknown_parameter"}},
		"exec":          {"GET", env + "/exec?tty=maybe", "", []string{"command required", "tty type"}},
		"pin":           {"POST", env + "/pin", `{"hours":0,"odd":1}`, []string{"hours range", "odd unknown_field"}},
		"long pin":      {"POST", env + "/pin", `{"hours":9000}`, []string{"hours range"}},
		"abandon":       {"POST", env + "/abandon", `{"reason":"","odd":1}`, []string{"odd unknown_field", "reason too_short"}},
		"link":          {"POST", env + "/extend-links", `{"hours":0}`, []string{"hours range"}},
		"wake ledger":   {"GET", env + "/wake-ledger?before=0&limit=501", "", []string{"before range", "limit range"}},
		"sleep policy": {
			"PUT", env + "/sleep-policy", `{"odd":1,"idle_minutes":1,"time_zone":"Mars/Olympus","windows":[{"days":["mon","mon","x"],"from":"25:00","to":"7"}]}`,
			[]string{"idle_minutes range", "odd unknown_field", "time_zone unknown", "windows[0].days[1] duplicate", "windows[0].days[2] enum", "windows[0].from range", "windows[0].to range"},
		},
		"labels":         {"PUT", env + "/labels", `{"odd":1,"labels":{"-":"","k8s.io/x":"a b"}}`, []string{"labels.- pattern", "labels.k8s.io/x pattern", "labels.k8s.io/x reserved", "odd unknown_field"}},
		"no labels":      {"PUT", env + "/labels", `{}`, []string{"labels required"}},
		"labels of text": {"PUT", env + "/labels", `{"labels":{"a":1}}`, []string{"labels.a type"}},
		"label filter":   {"GET", "/v1/environments?label=-&label=a%3Db%20c", "", []string{"label pattern", "label pattern"}},
		"new labels":     {"POST", "/v1/environments", `{"name":"No","labels":{"-":""}}`, []string{"labels.- pattern", "name pattern", "source.repository required"}},
		"life of a project": {
			"PATCH", "/v1/projects/default/life", `{"odd":1,"max_pin_hours":99999,"sleep":{"idle_minutes":1}}`,
			[]string{"max_pin_hours range", "odd unknown_field", "sleep.idle_minutes range"},
		},
		"archives": {"GET", "/v1/archives?state=odd&limit=501", "", []string{"limit range", "state enum"}},
		"orphans":  {"GET", "/v1/orphans?kind=odd", "", []string{"kind enum"}},
		"target": {
			"POST", "/v1/targets", `{"name":"No","driver":"x","domain":"","odd":1,"gateway":"ftp:x","region":"A B"}`,
			[]string{"domain required", "driver enum", "gateway pattern", "name pattern", "odd unknown_field", "region pattern"},
		},
		"change of a target": {
			"PATCH", "/v1/targets/local", `{"odd":1,"domain":"-","capacity":{},"forget_capacity":true}`,
			[]string{"domain pattern", "forget_capacity exclusive", "odd unknown_field"},
		},
		"cordon": {"POST", "/v1/targets/local/cordon", `{}`, []string{"reason required"}},
		"drain":  {"POST", "/v1/targets/local/drain", `{}`, []string{"reason required"}},
	} {
		a := ask(t, api, tc.method, tc.path, tc.body)
		p := a.problem(t)
		if diff := cmp.Diff(tc.fields, sorted(fieldsOf(&p))); diff != "" || p.Status != 422 {
			t.Errorf("%s: %d, faults (-want +got):\n%s", name, p.Status, diff)
		}
	}
}

// TestAnEnvironmentIsArchivedAndComesBack walks from an end to its undoing.
func TestAnEnvironmentIsArchivedAndComesBack(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api, ctx := r.API(t), t.Context()
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("pr-1")))
	ready(t, c, env.ID)
	got[sdk.Environment](t)(c.DestroyEnvironment(ctx, env.ID))
	for e, err := range c.WatchEvents(ctx, env.ID, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == string(blueberry.EnvironmentTerminated) {
			break
		}
	}
	receipt := got[sdk.Receipt](t)(c.GetEnvironmentReceipt(ctx, env.ID))
	if receipt.Environment != "pr-1" || receipt.EndedAt.IsZero() || len(receipt.Lines) == 0 || len(receipt.Leftovers) != 0 {
		t.Errorf("the receipt is %+v", receipt)
	}
	if found := got[sdk.ArchiveList](t)(c.ListArchives(ctx, sdk.ArchiveFilter{Project: "default", Environment: "pr-1"})); len(found.Items) != 1 || found.Items[0].Receipt != nil {
		t.Fatalf("archives are %+v", found.Items)
	}
	a := got[sdk.Archive](t)(c.GetArchive(ctx, env.ID))
	if a.State != "terminated" || a.Receipt == nil || len(a.Files) == 0 || a.UndoUntil.IsZero() {
		t.Fatalf("the archive is %+v", a)
	}
	for _, f := range a.Files {
		var content bytes.Buffer
		if err := c.DownloadArchiveFile(ctx, env.ID, f.Name, &content); err != nil || int64(content.Len()) != f.Size {
			t.Errorf("%s has %d bytes, want %d: %v", f.Name, content.Len(), f.Size, err)
		}
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			res := ask(t, api, method, "/v1/archives/"+env.ID+"/files/"+strings.ReplaceAll(f.Name, "/", "%2F"), "")
			kind, disposition := res.Header.Get("Content-Type"), res.Header.Get("Content-Disposition")
			if res.StatusCode != 200 || !strings.HasPrefix(disposition, "attachment; filename=") || kind == "" || strings.Contains(kind, "html") ||
				res.Header.Get("X-Content-Type-Options") != "nosniff" || method == http.MethodHead && res.text != "" {
				t.Errorf("%s %s: %d %s %s", method, f.Name, res.StatusCode, kind, disposition)
			}
		}
	}
	problemOf(t, c.DownloadArchiveFile(ctx, env.ID, "../secret", io.Discard), 404, "ARCHIVE_FILE_NOT_FOUND")
	back := got[sdk.Environment](t)(c.UndoArchive(ctx, env.ID, sdk.UndoRequest{}))
	if back.Name != "pr-1" || back.ID == env.ID || back.Revision != 1 {
		t.Errorf("it came back as %+v", back)
	}
	if a = got[sdk.Archive](t)(c.GetArchive(ctx, env.ID)); a.RestoredAs != back.ID || !a.UndoUntil.IsZero() {
		t.Errorf("afterwards the archive is %+v", a)
	}
}

// TestATargetIsRegisteredChangedAndCordoned walks through its life, with versions.
func TestATargetIsRegisteredChangedAndCordoned(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	made := got[sdk.RegisteredTarget](t)(c.RegisterTarget(ctx, sdk.RegisterTargetRequest{Name: "spare", Driver: "sim", Domain: "spare.test", Capacity: &sdk.Capacity{CPU: "2", Memory: "4Gi"}}))
	if made.Target.State != "active" || !made.Target.Reachable || made.Target.Kubeconfig || made.Target.Capacity.CPU != "2" || made.Target.Version != 1 {
		t.Errorf("it is %+v", made.Target)
	}
	_, err := c.RegisterTarget(ctx, sdk.RegisterTargetRequest{Name: "spare", Driver: "sim", Domain: "spare.test"})
	problemOf(t, err, 409, "TARGET_EXISTS")
	region := "europe-west6"
	_, err = c.UpdateTarget(ctx, "spare", sdk.UpdateTargetRequest{Region: &region}, sdk.IfMatch(9))
	problemOf(t, err, 412, "VERSION_MOVED")
	changed := got[sdk.Target](t)(c.UpdateTarget(ctx, "spare", sdk.UpdateTargetRequest{Region: &region, ForgetCapacity: true}, sdk.IfMatch(1)))
	if changed.Region != region || changed.CapacitySet || changed.Version != 2 || changed.Domain != "spare.test" {
		t.Errorf("changed it is %+v", changed)
	}
	if cordoned := got[sdk.Target](t)(c.CordonTarget(ctx, "local", sdk.CordonTargetRequest{Reason: "new nodes"})); cordoned.State != "cordoned" || cordoned.Reason != "new nodes" {
		t.Errorf("cordoned it is %+v", cordoned)
	}
	if _, err := c.CreateEnvironment(ctx, shopRequest("pr-1")); err == nil || !strings.Contains(err.Error(), "new nodes") {
		t.Errorf("a create on a cordoned target ends with %v", err)
	}
	got[sdk.Target](t)(c.UncordonTarget(ctx, "local"))
	got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("pr-1")))
	if plan := got[sdk.TargetDrain](t)(c.DrainTarget(ctx, "local", sdk.DrainTargetRequest{Plan: true})); !plan.Planned || len(plan.Environments) != 1 || plan.Environments[0].Name != "pr-1" {
		t.Errorf("the plan of a drain is %+v", plan)
	}
	problemOf(t, c.DeleteTarget(ctx, "local"), 409, "TARGET_IN_USE")
	problemOf(t, c.DeleteTarget(ctx, "spare", sdk.IfMatch(1)), 412, "VERSION_MOVED")
	if err := c.DeleteTarget(ctx, "spare", sdk.IfMatch(2)); err != nil {
		t.Error(err)
	}
}
