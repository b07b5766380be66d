package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/web/console"
	"github.com/blueberry-idp/blueberry/sdk"
)

// says fails the test unless a page has the status and holds each text.
func (s *site) says(t *testing.T, token, path string, form url.Values, want int, texts ...string) string {
	t.Helper()
	status, _, page := s.ask(t, token, path, form)
	if status != want {
		t.Errorf("%s: %d, want %d", path, status, want)
	}
	for _, x := range texts {
		if !strings.Contains(page, x) {
			t.Errorf("%s does not say %q", path, x)
		}
	}
	return page
}

// goes sends a form, and gives the address that it leads to.
func (s *site) goes(t *testing.T, path string, form url.Values) string {
	t.Helper()
	status, to, page := s.ask(t, httpapitest.Token, path, form)
	if status != http.StatusSeeOther {
		t.Fatalf("%s: %d, want a page to go on to:\n%s", path, status, faultsIn(page))
	}
	return to
}

var faultOfPage = regexp.MustCompile(`(?s)<p class="field-fault[^>]*>(.*?)</p>`)

func faultsIn(page string) string {
	var out []string
	for _, m := range faultOfPage.FindAllStringSubmatch(page, -1) {
		out = append(out, strings.TrimSpace(m[1]))
	}
	return strings.Join(out, "\n")
}

// lacks fails the test if a page holds one of the texts.
func lacks(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, x := range texts {
		if strings.Contains(page, x) {
			t.Errorf("the page says %q", x)
		}
	}
}

// TestOperatePagesShow: each page of the operators says what it is about, also with nothing to show.
func TestOperatePagesShow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for path, want := range map[string][]string{
		"/targets": {"local", "environments", "Register a target"}, "/targets/local": {"Capacity", "Cores", "sim"}, "/targets/local/checks": {"All that is needed is there"},
		"/targets/local/drain": {"Drain local", "0 are removed", "blueberry target drain local", "curl -X POST"}, "/targets/local/delete": {"Nothing on it is touched"},
		"/register-target": {"Kubeconfig", "blueberry target add"}, "/jobs": {"Nothing was done yet"}, "/jobs?state=dead": {"No job is dead"}, "/jobs?kind=none": {"No job is like that"},
		"/retention": {"archives", "blueberry retention"}, "/archives": {"Nothing is kept yet"}, "/archives?state=failed": {"No archive is like that"}, "/orphans": {"Nothing was left over"},
		"/subscriptions": {"Nobody is told of events"}, "/subscriptions/new": {"Where should it go?", "PagerDuty"}, "/subscriptions/new?kind=nats": {"Subject", "Stream"},
		"/notices": {"Nobody was told anything yet"}, "/policies": {"No rule judges plans"}, "/policies/new": {"the whole installation", "Check the rules"},
		"/emergencies": {"Nobody ever took it"}, "/system": {"What it leans on", "Target local", "not set up", "/metrics", "blueberry status"}, "/system/keys": {"Keys of the record", "None was issued"},
		"/system/keys/rotate": {"blueberry key rotate"}, "/system/certificates/new": {"Certificate request"},
	} {
		page := s.says(t, httpapitest.Token, path, nil, http.StatusOK, want...)
		lacks(t, page, "<style", " style=", " onclick=")
	}
	for path, want := range map[string]int{
		"/targets/none": http.StatusNotFound, "/targets/local/nothing": http.StatusNotFound, "/jobs/none": http.StatusNotFound, "/jobs/99999": http.StatusNotFound,
		"/jobs?state=odd": http.StatusUnprocessableEntity, "/subscriptions/sub_none": http.StatusNotFound, "/notices/ntc_none": http.StatusNotFound, "/policies/pol_none": http.StatusNotFound,
		"/orphans/orp_none": http.StatusNotFound, "/archives/env_none": http.StatusNotFound,
	} {
		s.says(t, httpapitest.Token, path, nil, want, "To the environments")
	}
}

// TestOperatePagesAreForOperators: a reader is offered nothing that they may not do, and refused when they ask all the same.
func TestOperatePagesAreForOperators(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.says(t, httpapitest.Viewer, "/targets", nil, http.StatusOK, "local")
	lacks(t, page, "Register a target", `href="/jobs"`, `href="/system"`, `href="/emergencies"`, `href="/subscriptions"`)
	lacks(t, s.says(t, httpapitest.Viewer, "/targets/local", nil, http.StatusOK), "/cordon", "/drain", "/delete", "/update", "/scan")
	lacks(t, s.says(t, httpapitest.Viewer, "/policies", nil, http.StatusOK), "Create a policy")
	for _, path := range []string{
		"/jobs", "/system", "/system/keys", "/system/keys/rotate", "/system/certificates/new", "/orphans", "/retention", "/subscriptions", "/subscriptions/new?kind=mail", "/notices",
		"/emergencies", "/emergencies/open", "/register-target", "/targets/local/cordon", "/targets/local/drain", "/targets/local/update", "/policies/new",
	} {
		s.says(t, httpapitest.Viewer, path, nil, http.StatusForbidden, "You may not see or do this")
	}
	for path, form := range map[string]url.Values{
		"/targets/local/cordon": {"reason": {"x"}}, "/targets/local/drain": {"reason": {"x"}}, "/targets/local/delete": {}, "/register-target": {"name": {"eu"}, "domain": {"eu.test"}, "driver": {"sim"}},
		"/jobs/retry": {"job": {"1"}}, "/jobs/1/cancel": {}, "/subscriptions/new": {"kind": {"mail"}, "name": {"x"}}, "/policies/new": {"name": {"x"}, "text": {"x"}}, "/emergencies/open": {"reason": {"because I want it"}},
		"/system/keys/rotate": {}, "/system/ca/rotate": {}, "/system/certificates/new": {"name": {"x"}},
	} {
		s.says(t, httpapitest.Viewer, path, form, http.StatusForbidden)
	}
	if target, err := s.client.GetTarget(t.Context(), "local"); err != nil || target.State != "active" {
		t.Errorf("it is %s, %v", target.State, err)
	}
}

// TestTargetsAreOperated: one is registered, changed, cordoned, drained, scanned and removed; faults stand at their fields, and what others changed meanwhile is told.
func TestTargetsAreOperated(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	form := url.Values{"name": {"Not A Name"}, "driver": {"sim"}, "domain": {"eu.test"}, "capacity.pods": {"many"}, "kubeconfig": {"token: hunter2"}}
	page := s.says(t, httpapitest.Token, "/register-target", form, http.StatusUnprocessableEntity, "Must be a whole number", `value="Not A Name"`)
	lacks(t, page, "hunter2")
	form.Set("capacity.pods", "10")
	form.Del("kubeconfig")
	s.says(t, httpapitest.Token, "/register-target", form, http.StatusUnprocessableEntity, `id="fault-name"`)
	form.Set("name", "eu")
	if to := s.goes(t, "/register-target", form); to != "/targets/eu/checks?done=target-registered" {
		t.Errorf("it leads to %s", to)
	}
	s.says(t, httpapitest.Token, "/targets/eu/checks?done=target-registered", nil, http.StatusOK, "The target is registered")

	change := url.Values{"version": {"1"}, "driver": {"sim"}, "domain": {"eu.test"}, "region": {"europe-west6"}, "capacity.pods": {"10"}}
	if to := s.goes(t, "/targets/eu/update", change); to != "/targets/eu?done=target-updated" {
		t.Errorf("it leads to %s", to)
	}
	change.Set("region", "europe-west1")
	s.says(t, httpapitest.Token, "/targets/eu/update", change, http.StatusPreconditionFailed, `value="europe-west1"`, `name="version" value="2"`)

	s.says(t, httpapitest.Token, "/targets/eu/cordon", url.Values{"reason": {""}}, http.StatusUnprocessableEntity, "field-fault")
	s.goes(t, "/targets/eu/cordon", url.Values{"reason": {"<script>alert(1)</script>"}})
	page = s.says(t, httpapitest.Token, "/targets/eu", nil, http.StatusOK, "cordoned", "&lt;script&gt;", "/targets/eu/uncordon")
	lacks(t, page, "<script>alert")
	s.goes(t, "/targets/eu/uncordon", url.Values{})
	s.goes(t, "/targets/eu/drain", url.Values{"reason": {"it is given up"}})
	if to := s.goes(t, "/targets/local/scan", url.Values{}); !strings.HasPrefix(to, "/orphans?target=local") {
		t.Errorf("it leads to %s", to)
	}
	now, err := s.client.GetTarget(t.Context(), "eu")
	if err != nil || now.Region != "europe-west6" || now.Capacity.Pods != 10 {
		t.Fatalf("%+v, %v", now, err)
	}
	s.environment(t, "pr-1")
	s.says(t, httpapitest.Token, "/targets/local/drain", nil, http.StatusOK, "1 are removed", "pr-1")
	s.says(t, httpapitest.Token, "/targets/local/delete", nil, http.StatusOK, "1 environments are on it")
	s.says(t, httpapitest.Token, "/targets/local/delete", url.Values{}, http.StatusConflict, `role="alert"`)
	s.goes(t, "/targets/eu/delete", url.Values{"version": {strconv.FormatInt(now.Version, 10)}})
	s.says(t, httpapitest.Token, "/targets/eu", nil, http.StatusNotFound)
}

// dead makes dead jobs, and gives their ids.
func (s *site) dead(t *testing.T, subjects ...string) (ids []string) {
	t.Helper()
	for _, x := range subjects {
		s.Failing.Enqueue(t, x)
	}
	for len(ids) < len(subjects) {
		list, err := s.client.ListJobs(t.Context(), sdk.JobFilter{States: []string{"dead"}})
		if err != nil {
			t.Fatal(err)
		}
		ids = nil
		for _, j := range list.Items {
			ids = append(ids, strconv.FormatInt(j.ID, 10))
		}
	}
	return ids
}

// TestDeadJobs: they are counted, told why, and retried one by one or together; what cannot be retried is told.
func TestDeadJobs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.dead(t, "env_a", "<i>b</i>", "c")
	page := s.says(t, httpapitest.Token, "/jobs?state=dead", nil, http.StatusOK, "Dead (3)", "test.failing", "it is &lt;b&gt;broken", "Retry those that are ticked")
	lacks(t, page, "<i>b</i>", "<b>broken")
	one := "/jobs/" + ids[0]
	s.says(t, httpapitest.Token, one, nil, http.StatusOK, "1 of 1", "Mend the cause", one+"/retry")
	s.says(t, httpapitest.Token, one+"/retry", nil, http.StatusOK, "blueberry job retry "+ids[0], "/v1/jobs/"+ids[0]+"/retry")
	s.says(t, httpapitest.Token, "/jobs/retry", url.Values{}, http.StatusUnprocessableEntity, "No job is ticked")
	s.Failing.Mended.Store(true)
	if to := s.goes(t, one+"/retry", url.Values{}); to != one+"?done=job-retry" {
		t.Errorf("it leads to %s", to)
	}
	s.says(t, httpapitest.Token, "/jobs/retry", url.Values{"job": {ids[1], "99999"}}, http.StatusConflict, "1 of 2 jobs could not be retried", "job 99999")
	s.goes(t, "/jobs/retry", url.Values{"all": {"yes"}, "shown": {ids[2]}})
	for left := 1; left > 0; {
		list, err := s.client.ListJobs(t.Context(), sdk.JobFilter{Kind: "test.failing", States: []string{"dead", "waiting", "running", "retrying"}})
		if err != nil {
			t.Fatal(err)
		}
		left = len(list.Items)
	}
	s.says(t, httpapitest.Token, one, nil, http.StatusOK, "completed")
}

// TestSubscriptionsAreKept: each kind asks for its own fields; a secret is told once and never written back; tests, notices and redriving show what became of them.
func TestSubscriptionsAreKept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	form := url.Values{"kind": {"webhook"}, "name": {"ci"}, "project": {"default"}, "url": {"nowhere"}, "events": {"environment.*\r\n\r\npull.*\r\n"}, "secret": {"whsec_hunter2"}}
	page := s.says(t, httpapitest.Token, "/subscriptions/new", form, http.StatusUnprocessableEntity, `id="fault-url"`, `value="nowhere"`, "pull.*")
	lacks(t, page, "hunter2")
	form.Set("url", "https://hooks.example.com/blueberry")
	form.Del("secret")
	page = s.says(t, httpapitest.Token, "/subscriptions/new", form, http.StatusOK, "It is shown this once", "whsec_")
	at := regexp.MustCompile(`/subscriptions/sub_[a-z0-9]+`).FindString(page)
	if at == "" {
		t.Fatal("the page does not lead to the subscription")
	}
	page = s.says(t, httpapitest.Token, at, nil, http.StatusOK, "ci", "https://hooks.example.com", "Nothing was told", at+"/rotate")
	lacks(t, page, "whsec_", "hooks.example.com/blueberry")

	s.Receivers.Answer(503)
	to := s.goes(t, at+"/test", url.Values{})
	s.says(t, httpapitest.Token, to, nil, http.StatusOK, "A test was sent", "503", "failed")
	s.Receivers.Answer(200)
	to = s.goes(t, at+"/test", url.Values{})
	page = s.says(t, httpapitest.Token, to, nil, http.StatusOK, "delivered")
	notice, _, _ := strings.Cut(to, "?")
	if strings.Contains(page, notice+"/redrive") {
		s.goes(t, notice+"/redrive", url.Values{})
	}
	s.says(t, httpapitest.Token, "/notices", nil, http.StatusOK, "ci", at)

	s.says(t, httpapitest.Token, at+"/rotate", url.Values{}, http.StatusOK, "It is shown this once", "whsec_")
	change := url.Values{"version": {"1"}, "name": {"ci"}, "url": {""}, "events": {"environment.failed"}, "off": {"yes"}}
	s.says(t, httpapitest.Token, at+"/change", change, http.StatusPreconditionFailed, "environment.failed", `name="version" value="2"`)
	change.Set("version", "2")
	s.goes(t, at+"/change", change)
	s.says(t, httpapitest.Token, at, nil, http.StatusOK, "environment.failed", "off")
	s.says(t, httpapitest.Token, at+"/redrive", url.Values{}, http.StatusConflict, `role="alert"`)
	s.says(t, httpapitest.Token, at+"/remove", nil, http.StatusOK, "Its notices go with it")
	s.goes(t, at+"/remove", url.Values{"version": {"3"}})
	s.says(t, httpapitest.Token, at, nil, http.StatusNotFound)
}

// TestQuietHours: they are typed as people say them; what is no hours is a fault of the field.
func TestQuietHours(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	form := url.Values{"kind": {"slack"}, "name": {"room"}, "project": {"*"}, "url": {"https://hooks.slack.com/services/T0/B0/x"}, "events": {"*"}, "quiet.windows": {"at night"}}
	s.says(t, httpapitest.Token, "/subscriptions/new", form, http.StatusUnprocessableEntity, "is not days and hours", `id="fault-quiet.windows"`)
	form.Set("quiet.windows", "mon-fri 19:00-07:00\nsat,sun 00:00-24:00")
	form.Set("quiet.time_zone", "Europe/Zurich")
	to := s.goes(t, "/subscriptions/new", form)
	s.says(t, httpapitest.Token, to, nil, http.StatusOK, "mon,tue,wed,thu,fri 19:00-07:00", "sat,sun 00:00-00:00", "Europe/Zurich", "the whole installation")
}

// TestPoliciesAreEdited: rules are checked without being stored; a fault keeps what was typed; what others changed meanwhile is told.
func TestPoliciesAreEdited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	form := url.Values{"name": {"images"}, "project": {"default"}, "text": {"forbid </textarea><script>alert(1)</script>"}, "do": {"check"}}
	page := s.says(t, httpapitest.Token, "/policies/new", form, http.StatusUnprocessableEntity, `id="fault-text"`, "&lt;/textarea&gt;")
	lacks(t, page, "<script>alert")
	form.Set("text", console.PolicyExample)
	s.says(t, httpapitest.Token, "/policies/new", form, http.StatusOK, "The rules are sound")
	if list, err := s.client.ListPolicies(t.Context(), ""); err != nil || len(list.Items) != 0 {
		t.Fatalf("a check has stored %d policies, %v", len(list.Items), err)
	}
	form.Del("do")
	at, _, _ := strings.Cut(s.goes(t, "/policies/new", form), "?")
	s.says(t, httpapitest.Token, at, nil, http.StatusOK, "images", "by_digest", at+"/edit")
	edit := url.Values{"version": {"1"}, "text": {console.PolicyExample + "\n// more\n"}}
	s.goes(t, at+"/edit", edit)
	s.says(t, httpapitest.Token, at+"/edit", edit, http.StatusPreconditionFailed, "// more", `name="version" value="2"`)
	s.says(t, httpapitest.Token, at+"/delete", nil, http.StatusOK, "Its rules below are lost", "by_digest")
	s.goes(t, at+"/delete", url.Values{"version": {"2"}})
	s.says(t, httpapitest.Token, "/policies", nil, http.StatusOK, "No rule judges plans")
}

// TestWhatIsLeft: an environment that ended has an archive whose files can be read, and can be brought back; what nobody knows is found, and removed when somebody approves.
func TestWhatIsLeft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	if _, err := s.client.DestroyEnvironment(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	for ended := false; !ended; {
		list, err := s.client.ListArchives(t.Context(), sdk.ArchiveFilter{})
		if err != nil {
			t.Fatal(err)
		}
		ended = len(list.Items) > 0
	}
	at := "/archives/" + e.ID
	s.says(t, httpapitest.Token, "/archives", nil, http.StatusOK, "pr-1", "terminated", at)
	s.says(t, httpapitest.Token, at, nil, http.StatusOK, "receipt.json", "/v1"+at+"/files/receipt.json", "are proven gone", at+"/undo")
	lacks(t, s.says(t, httpapitest.Viewer, at, nil, http.StatusOK), at+"/undo")
	s.says(t, httpapitest.Token, at+"/undo", url.Values{"ttl_hours": {"long"}, "name": {"pr-2"}}, http.StatusUnprocessableEntity, "Must be a whole number", `value="pr-2"`)
	s.says(t, httpapitest.Viewer, at+"/undo", url.Values{}, http.StatusForbidden)
	if to := s.goes(t, at+"/undo", url.Values{"name": {"pr-2"}}); !strings.HasSuffix(to, "?done=archive-undone") {
		t.Errorf("it leads to %s", to)
	}
	lacks(t, s.says(t, httpapitest.Token, at, nil, http.StatusOK, "Brought back as"), at+"/undo")

	const labels = "labels: {blueberry.dev/project: default, blueberry.dev/environment: gone}"
	for _, doc := range []string{
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: default-gone, " + labels + "}\n",
		"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default-gone, " + labels + "}\nspec: {ports: [{port: 80}]}\n",
	} {
		if err := s.Place.Create([]byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	var orphan string
	for orphan == "" { // what is seen once may be on its way
		s.goes(t, "/targets/local/scan", url.Values{})
		list, err := s.client.ListOrphans(t.Context(), sdk.OrphanFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > 0 {
			orphan = "/orphans/" + list.Items[0].ID
		}
	}
	s.says(t, httpapitest.Token, "/orphans?target=local", nil, http.StatusOK, "gone", "waits for a decision", orphan)
	s.says(t, httpapitest.Token, orphan+"/approve", nil, http.StatusOK, "default-gone", "This cannot be undone", "blueberry orphan approve")
	s.says(t, httpapitest.Viewer, orphan+"/approve", url.Values{}, http.StatusForbidden)
	s.goes(t, orphan+"/approve", url.Values{})
}

// TestSystemTells: what is down stands first with what to do; keys and certificates are made and revoked, and a private key is shown once.
func TestSystemTells(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.says(t, httpapitest.Token, "/system", nil, http.StatusOK, "All that is set up answers as it should", "0.0.0-test", "1 of 1")
	form := url.Values{"name": {"prometheus"}, "days": {"900"}}
	s.says(t, httpapitest.Token, "/system/certificates/new", form, http.StatusUnprocessableEntity, `id="fault-days"`, `value="prometheus"`)
	form.Set("days", "30")
	s.says(t, httpapitest.Token, "/system/certificates/new", form, http.StatusOK, "It is shown this once", "BEGIN CERTIFICATE", "PRIVATE KEY")
	page := s.says(t, httpapitest.Token, "/system/keys", nil, http.StatusOK, "prometheus", "counts", "encrypts new secrets")
	lacks(t, page, "PRIVATE KEY")
	revoke := regexp.MustCompile(`/system/certificates/[0-9a-f]+/revoke`).FindString(page)
	s.says(t, httpapitest.Token, revoke, nil, http.StatusOK, "This cannot be undone")
	s.goes(t, revoke, url.Values{})
	s.says(t, httpapitest.Token, "/system/keys", nil, http.StatusOK, "revoked")
	s.goes(t, "/system/keys/rotate", url.Values{})
	s.goes(t, "/system/ca/rotate", url.Values{})
}
