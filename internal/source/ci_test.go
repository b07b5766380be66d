package source_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func imageOf(n int) string { return fmt.Sprintf("ghcr.io/acme/api@sha256:%064x", n) }

const (
	junitPassed = `<testsuite name="cart"><testcase classname="cart" name="sorts"/><testcase classname="cart" name="sums"/></testsuite>`
	junitFailed = `<testsuite name="cart"><testcase classname="cart" name="sorts"><failure message="2 is not 1 @all"/></testcase><testcase classname="cart" name="sums"/></testsuite>`
	lcovHalf    = "SF:a\nDA:1,1\nDA:2,0\nend_of_record\n"
)

func trivyOf(findings ...string) string {
	var out []string
	for _, f := range findings {
		id, severity, _ := strings.Cut(f, " ")
		out = append(out, fmt.Sprintf(`{"VulnerabilityID": %q, "PkgName": "openssl", "Severity": %q}`, id, severity))
	}
	return `{"SchemaVersion": 2, "Results": [{"Target": "image", "Vulnerabilities": [` + strings.Join(out, ",") + `]}]}`
}

func wish(at, run int, change ...func(*source.CIWish)) source.CIWish {
	w := source.CIWish{Commit: commit(at), Branch: "topic", Run: source.CIRunWish{ID: strconv.Itoa(run), Number: int64(run), Attempt: 1}}
	for _, f := range change {
		f(&w)
	}
	return w
}

func withImage(n int) func(*source.CIWish) {
	return func(w *source.CIWish) { w.Images = map[string]string{"api": imageOf(n)} }
}

func withFiles(files ...string) func(*source.CIWish) {
	return func(w *source.CIWish) {
		for i, f := range files {
			w.Files = append(w.Files, source.CIFileWish{Name: fmt.Sprintf("file%d", i), Content: f})
		}
	}
}

func (h *house) report(t *testing.T, r blueberry.Repository, w source.CIWish) blueberry.CIReport {
	t.Helper()
	out, err := h.ReportCI(t.Context(), developer, r.ID, "", "", w)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestReportsOfARunAreMerged: jobs report for themselves; what comes again is no news; an older run changes nothing.
func TestReportsOfARunAreMerged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		r := h.add(t, "acme/shop", blueberry.PullPolicy{})
		h.send(t, r, "1", opened(7, 1))
		h.work(t, 5)
		build := wish(1, 2, withImage(2), func(w *source.CIWish) {
			w.Run.Job, w.Stages = "build", []source.CIStageWish{{Name: "build", Status: "passed", Seconds: 2}}
		})
		tests := wish(1, 2, withFiles(junitPassed, lcovHalf, trivyOf("CVE-1 HIGH")), func(w *source.CIWish) { w.Run.Job = "test" })
		first := h.report(t, r, build)
		if len(h.jobs) != 1 || !strings.HasPrefix(h.jobs[0], "pull.reconcile pul_") {
			t.Errorf("after a report the jobs are %v", h.jobs)
		}
		h.work(t, 5)
		got, err := h.ReportCI(t.Context(), developer, "", "", "acme/shop", tests)
		if err != nil || got.ID != first.ID || got.Version != 2 {
			t.Fatalf("by name: %+v, %v", got, err)
		}
		h.jobs = nil
		if again := h.report(t, r, tests); again.Version != 2 || len(h.jobs) != 0 {
			t.Errorf("the same once more makes version %d and jobs %v", again.Version, h.jobs)
		}
		if old := h.report(t, r, wish(1, 1, withImage(1))); old.Version != 2 || old.Images[0].Reference != imageOf(2) {
			t.Errorf("an older run makes %+v", old)
		}
		whole, err := h.CIReport(t.Context(), viewer, first.ID)
		if err != nil || len(whole.Images) != 1 || len(whole.Stages) != 1 || whole.Tests[0].Passed != 2 || whole.Coverage[0] != (blueberry.CICoverage{CIPart: blueberry.CIPart{Job: "test", Attempt: 1}, Covered: 1, Total: 2}) ||
			whole.Scans[0].Findings[0].ID != "CVE-1" || whole.Pipeline != "ci" {
			t.Errorf("all of it is %+v, %v", whole, err)
		}
		if newer := h.report(t, r, wish(1, 3, withImage(3))); newer.ID != first.ID || len(newer.Tests) != 0 || newer.Images[0].Reference != imageOf(3) {
			t.Errorf("a newer run makes %+v", newer)
		}
		if n := h.events(t)[blueberry.CIReported]; n != 3 {
			t.Errorf("%d events tell of reports", n)
		}
		if _, err := h.CIReport(t.Context(), stranger, first.ID); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("a stranger reads it: %v", err)
		}
		if _, err := h.ReportCI(t.Context(), viewer, r.ID, "", "", build); !errors.Is(err, blueberry.Forbidden) {
			t.Errorf("a viewer reports: %v", err)
		}
		if _, err := h.ReportCI(t.Context(), stranger, r.ID, "", "", build); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("a stranger reports: %v", err)
		}
		if _, err := h.ReportCI(t.Context(), developer, "", "", "acme/none", build); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("on no repository: %v", err)
		}
	})
}

// TestWithoutARunTheLaterCounts: a script that names no run may correct itself.
func TestWithoutARunTheLaterCounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	bare := func(files ...string) source.CIWish {
		return source.CIWish{Commit: commit(1), Files: []source.CIFileWish{{Content: files[0]}}}
	}
	h.report(t, r, bare(junitFailed))
	h.later(time.Second)
	if got := h.report(t, r, bare(junitPassed)); got.Tests[0].Failed != 0 {
		t.Errorf("the later report makes %+v", got.Tests)
	}
	h.later(time.Second)
	if got := h.report(t, r, bare(junitFailed)); got.Tests[0].Failed != 1 {
		t.Errorf("and one after it %+v", got.Tests)
	}
}

// TestWithoutAnAttemptNoLegHidesAnother: in Jenkins the legs of a matrix have one name, and nothing counts their attempts.
func TestWithoutAnAttemptNoLegHidesAnother(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	leg := func(run int, file string) source.CIWish {
		return wish(1, run, withFiles(file), func(w *source.CIWish) { w.Run.Attempt = 0 })
	}
	h.report(t, r, leg(1, junitFailed))
	h.later(time.Second)
	if got := h.report(t, r, leg(1, junitPassed)); got.Tests[0].Failed != 1 {
		t.Errorf("the leg that passed hides that another failed: %+v", got.Tests)
	}
	if got := h.report(t, r, leg(2, junitPassed)); got.Tests[0].Failed != 0 {
		t.Errorf("the next run makes %+v", got.Tests)
	}
}

// TestNoPipelineIsOverlooked: one more than are looked at is refused.
func TestNoPipelineIsOverlooked(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	for i := range blueberry.MaxPipelines {
		h.report(t, r, wish(1, 1, withImage(1), func(w *source.CIWish) { w.Pipeline = fmt.Sprintf("ci-%02d", i) }))
	}
	more := wish(1, 1, withFiles(junitFailed), func(w *source.CIWish) { w.Pipeline = "zz" })
	if _, err := h.ReportCI(t.Context(), developer, r.ID, "", "", more); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("one more: %v", err)
	}
	h.report(t, r, wish(1, 2, withFiles(junitFailed), func(w *source.CIWish) { w.Pipeline = "ci-07" }))
	h.report(t, r, wish(2, 1, withImage(1), func(w *source.CIWish) { w.Pipeline = "zz" }))
}

func TestEveryFaultOfAReport(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	_, err := h.ReportCI(t.Context(), developer, r.ID, "", "", source.CIWish{
		Commit: "main", Pipeline: "-", Run: source.CIRunWish{Number: -1, Attempt: -1, Job: "a\nb", StartedAt: "yesterday", URL: "x"},
		Stages: []source.CIStageWish{{Name: "a", Status: "good", Seconds: -1}}, Images: map[string]string{"api": "ghcr.io/acme/api:1"},
		Files: []source.CIFileWish{
			{Content: junitPassed},
			{Kind: "photo", Content: "x"},
			{Kind: "scan", Name: "a.txt", Content: "hello"},
			{Encoding: "base64", Content: "%%%"},
			{Encoding: "gzip", Content: "x"},
			{Kind: "junit", Encoding: "base64", Content: "PHRlc3RzdWl0ZQ=="},
		},
		Found: blueberry.Faults{{Field: "odd", Code: "unknown_field", Message: "does not exist"}},
	})
	var e *blueberry.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range e.Fields {
		got = append(got, f.Field+" "+f.Code)
	}
	want := []string{
		"odd unknown_field", "run.started_at time", "run.job pattern", "run.attempt range", "commit pattern", "pipeline pattern", "run.url url", "run.number range",
		"stages[0].status enum", "stages[0].seconds range", "images.api image_unpinned", "files[1].kind enum", "files[2].content format", "files[3].content encoding",
		"files[4].encoding enum", "files[5].content syntax",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if !strings.Contains(e.Error(), "is not JSON of Trivy or SARIF 2.1.0 (a.txt)") {
		t.Errorf("it says %s", e)
	}
	if _, err := h.ReportCI(t.Context(), developer, r.ID, "", "", source.CIWish{Commit: commit(1)}); !errors.Is(err, blueberry.Invalid) {
		t.Errorf("a report of nothing: %v", err)
	}
	if _, err := h.ReportCI(t.Context(), developer, "", "", "", source.CIWish{Commit: commit(1)}); !errors.Is(err, blueberry.Invalid) {
		t.Errorf("of no repository: %v", err)
	}
	files := make([]source.CIFileWish, 3)
	for i := range files {
		files[i] = source.CIFileWish{Content: strings.Repeat(" ", 10<<20)}
	}
	if _, err := h.ReportCI(t.Context(), developer, r.ID, "", "", source.CIWish{Commit: commit(1), Files: files}); err == nil || !strings.Contains(err.Error(), "larger than 25 MiB together") {
		t.Errorf("of too much: %v", err)
	}
}

func (h *house) outcome(t *testing.T, r blueberry.Repository, number int) (blueberry.PullOutcome, string) {
	t.Helper()
	p := h.pull(t, r, number)
	return p.Outcome, p.Message
}

func (h *house) is(t *testing.T, what string, r blueberry.Repository, number int, outcome blueberry.PullOutcome, says string) {
	t.Helper()
	h.work(t, 4)
	if got, message := h.outcome(t, r, number); got != outcome || !strings.Contains(message, says) {
		t.Errorf("%s: %s: %q, want %s: …%s…", what, got, message, outcome, says)
	}
}

// TestAPullRequestWaitsForItsImage: until CI has reported it, and no longer than the policy says.
func TestAPullRequestWaitsForItsImage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		r := h.add(t, "acme/shop", blueberry.PullPolicy{AtOnce: 1, Gates: blueberry.PullGates{Image: true, Components: []string{"api"}, WaitMinutes: 32}})
		h.send(t, r, "1", opened(7, 1))
		h.is(t, "opened", r, 7, blueberry.PullWaiting, "for CI at 000000000000: CI has reported no image of api yet; until 12:32 UTC")
		if h.world.creates != 0 {
			t.Error("it was made")
		}
		// One that waits for CI takes no place in the line.
		h.send(t, r, "2", opened(8, 8))
		h.report(t, r, wish(8, 1, withImage(8)))
		h.is(t, "another with its image", r, 8, blueberry.PullBuilt, "")
		h.send(t, r, "3", opened(8, 9, is(blueberry.PullClosed)))
		h.work(t, 4)

		h.report(t, r, wish(1, 1, func(w *source.CIWish) { w.Images = map[string]string{"web": imageOf(1)} }))
		h.is(t, "another component's image", r, 7, blueberry.PullWaiting, "no image of api yet; until 12:32")
		h.later(32 * time.Minute)
		h.is(t, "the limit", r, 7, blueberry.PullRefused, "was waited for since 12:00 UTC; a report for this commit opens it again")
		h.report(t, r, wish(1, 1, withImage(1)))
		h.is(t, "the image, late", r, 7, blueberry.PullBuilt, "")
		last := h.world.wishes[len(h.world.wishes)-1]
		if d := cmp.Diff(map[string]string{"api": imageOf(1), "web": imageOf(1)}, last.Images); d != "" {
			t.Errorf("the environment is asked for with images\n%s", d)
		}

		// A push waits anew; what runs stays.
		h.send(t, r, "4", opened(7, 2))
		h.is(t, "pushed", r, 7, blueberry.PullWaiting, "until 13:04 UTC")
		if got := h.world.running()["pr-7"]; got != commit(1) {
			t.Errorf("%s runs", got)
		}
		h.report(t, r, wish(2, 2, withImage(2)))
		h.is(t, "its image", r, 7, blueberry.PullBuilt, "")
		if got := h.world.running()["pr-7"]; got != commit(2) || h.world.wishes[len(h.world.wishes)-1].Images["api"] != imageOf(2) {
			t.Errorf("%s runs of %v", got, h.world.wishes)
		}
		if n := h.events(t); n[blueberry.CIGateClosed] < 2 || n[blueberry.CIGateOpened] < 2 {
			t.Errorf("the events are %v", n)
		}
	})
}

// TestOpenedAgainItWaitsAnew: the time that it was closed is none that CI was waited for, and closing it is no passing of gates.
func TestOpenedAgainItWaitsAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{Gates: blueberry.PullGates{Image: true}})
	at := func(state blueberry.PullState) said {
		in := opened(7, 1, is(state))
		in.Pull.HostAt = h.clock()
		return in
	}
	h.send(t, r, "1", at(blueberry.PullOpen))
	h.is(t, "opened", r, 7, blueberry.PullWaiting, "until 12:30 UTC")
	h.later(time.Minute)
	h.send(t, r, "2", at(blueberry.PullClosed))
	h.work(t, 4)
	if n := h.events(t)[blueberry.CIGateOpened]; h.pull(t, r, 7).Gate.Held || n != 0 {
		t.Errorf("closed, its gates are %+v, and %d events tell that they opened", h.pull(t, r, 7).Gate, n)
	}
	h.later(time.Hour)
	h.send(t, r, "3", at(blueberry.PullOpen))
	h.is(t, "opened again", r, 7, blueberry.PullWaiting, "until 13:31 UTC")
}

// TestImagesWithoutAGate: what CI has reported by the time of building is taken.
func TestImagesWithoutAGate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	h.report(t, r, wish(1, 1, withImage(1)))
	h.send(t, r, "1", opened(7, 1))
	h.is(t, "with its image", r, 7, blueberry.PullBuilt, "")
	h.send(t, r, "2", opened(8, 2))
	h.is(t, "without", r, 8, blueberry.PullBuilt, "")
	if h.world.wishes[0].Images["api"] != imageOf(1) || h.world.wishes[1].Images != nil {
		t.Errorf("the environments are asked for with %v and %v", h.world.wishes[0].Images, h.world.wishes[1].Images)
	}
}

// TestTheGatesOfAPolicy: what fails refuses, what is reported anew opens, an exception is named and dated.
func TestTheGatesOfAPolicy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		r := h.add(t, "acme/shop", blueberry.PullPolicy{Gates: blueberry.PullGates{Tests: true, CoverageMin: 50, ScanMax: "medium"}})
		h.send(t, r, "1", opened(7, 1))
		h.is(t, "nothing", r, 7, blueberry.PullWaiting, "CI has reported no tests yet; CI has reported no coverage yet; CI has reported no scan yet")
		h.report(t, r, wish(1, 1, withFiles(junitFailed, lcovHalf, trivyOf())))
		h.is(t, "a test failed", r, 7, blueberry.PullRefused, "1 of 2 tests failed: cart.sorts: 2 is not 1")
		h.report(t, r, wish(1, 2, withFiles(junitPassed, lcovHalf, trivyOf("CVE-1 HIGH", "CVE-2 LOW"))))
		h.is(t, "a finding", r, 7, blueberry.PullRefused, "scan finds 0 critical 1 high 1 low; the policy lets pass medium at most: CVE-1 in openssl")

		until := h.clock().AddDate(0, 0, 10)
		if _, err := h.AddScanException(t.Context(), developer, source.ScanExceptionWish{Repository: r.ID, Finding: "CVE-1", Reason: "not reached", Until: until}); !errors.Is(err, blueberry.Forbidden) {
			t.Errorf("a developer excepts: %v", err)
		}
		if _, err := h.AddScanException(t.Context(), stranger, source.ScanExceptionWish{Repository: r.ID, Finding: "CVE-1", Reason: "not reached", Until: until}); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("a stranger excepts: %v", err)
		}
		if _, err := h.AddScanException(t.Context(), keeper, source.ScanExceptionWish{Repository: r.ID, Project: "other"}); !errors.Is(err, blueberry.Invalid) && !errors.Is(err, blueberry.Forbidden) {
			t.Errorf("an exception of nothing: %v", err)
		}
		x, err := h.AddScanException(t.Context(), keeper, source.ScanExceptionWish{Repository: r.ID, Finding: "CVE-1", Reason: "not reached", Until: until})
		if err != nil {
			t.Fatal(err)
		}
		h.is(t, "excepted", r, 7, blueberry.PullBuilt, "")
		standing, err := h.CIOf(t.Context(), h.pull(t, r, 7))
		if err != nil || len(standing.Gates) != 3 || standing.Totals.Excepted != 1 || standing.Totals.Line() != "2 tests passed, coverage 50.0 %, scan 0 critical 0 high 1 low" {
			t.Errorf("it stands as %+v, %v", standing, err)
		}
		if text := standing.Gates[2].Message; !strings.Contains(text, "CVE-1 is excepted by mia until 2026-03-11") {
			t.Errorf("the gate says %q", text)
		}

		// Its end tears nothing down; the next build is refused.
		h.later(10 * 24 * time.Hour)
		h.enqueue("pulls.review " + r.ID)
		h.is(t, "ended", r, 7, blueberry.PullBuilt, "")
		h.report(t, r, wish(2, 3, withFiles(junitPassed, lcovHalf, trivyOf("CVE-1 HIGH"))))
		push := opened(7, 2)
		push.Pull.HostAt = h.clock()
		h.send(t, r, "2", push)
		h.is(t, "the next push", r, 7, blueberry.PullRefused, "CVE-1 in openssl")
		if got := h.world.running()["pr-7"]; got != commit(1) {
			t.Errorf("%q runs", got)
		}

		whole, err := h.AddScanException(t.Context(), keeper, source.ScanExceptionWish{Finding: "cve-1", Package: "openssl", Reason: "no fix", Until: h.clock().Add(time.Hour)})
		if err != nil || whole.Project != blueberry.DefaultProject {
			t.Fatalf("%+v, %v", whole, err)
		}
		h.is(t, "excepted in the project", r, 7, blueberry.PullBuilt, "")
		list, err := h.ScanExceptions(t.Context(), viewer, "", blueberry.ScanExceptionQuery{RepositoryID: r.ID})
		if err != nil || len(list) != 2 || list[0].ID != whole.ID || list[1].ID != x.ID {
			t.Errorf("the exceptions are %+v, %v", list, err)
		}
		if list, err = h.ScanExceptions(t.Context(), viewer, "", blueberry.ScanExceptionQuery{Live: h.clock()}); err != nil || len(list) != 1 {
			t.Errorf("those that count are %+v, %v", list, err)
		}
		if err := h.RemoveScanException(t.Context(), developer, whole.ID); !errors.Is(err, blueberry.Forbidden) {
			t.Errorf("a developer removes one: %v", err)
		}
		if err := h.RemoveScanException(t.Context(), stranger, whole.ID); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("a stranger removes one: %v", err)
		}
		if err := h.RemoveScanException(t.Context(), keeper, whole.ID); err != nil {
			t.Error(err)
		}
		if n := h.events(t); n[blueberry.ScanExceptionAdded] != 2 || n[blueberry.ScanExceptionEnded] != 1 {
			t.Errorf("the events are %v", n)
		}
		h.is(t, "removed", r, 7, blueberry.PullBuilt, "")
	})
}

// signedCI is a call as package generic says that it is signed.
func signedCI(secret string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(stamp + "."))
	sum.Write(body)
	return http.Header{"X-Blueberry-Timestamp": {stamp}, "X-Blueberry-Signature": {"sha256=" + hex.EncodeToString(sum.Sum(nil))}}
}

// TestASignedReport: no token, but a secret of the repository, whatever its host is.
func TestASignedReport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		r := h.add(t, "acme/shop", blueberry.PullPolicy{Gates: blueberry.PullGates{Image: true}})
		h.send(t, r, "1", opened(7, 1))
		h.work(t, 4)
		body, err := json.Marshal(wish(1, 1, withImage(1), withFiles(junitPassed)))
		if err != nil {
			t.Fatal(err)
		}
		call := func(header http.Header, body []byte) source.Call {
			return source.Call{Repository: r.ID, Header: header, Body: body, Size: int64(len(body)), From: "192.0.2.1"}
		}
		late, early := signedCI(secret, h.clock().Add(-6*time.Minute), body), signedCI(secret, h.clock().Add(6*time.Minute), body)
		twice := signedCI(secret, h.clock(), body)
		twice["X-Blueberry-Signature"] = append(twice["X-Blueberry-Signature"], "sha256=x")
		for name, c := range map[string]source.Call{
			"nobody": call(http.Header{}, body), "another secret": call(signedCI("not the secret", h.clock(), body), body), "another body": call(signedCI(secret, h.clock(), body), append(body, ' ')),
			"recorded": call(late, body), "ahead": call(early, body), "two signatures": call(twice, body),
			"too large": {Repository: r.ID, Header: signedCI(secret, h.clock(), nil), Size: blueberry.MaxCIBody + 1},
		} {
			d, report, err := h.ReceiveCI(t.Context(), c)
			if err != nil || d.Verdict != blueberry.DeliveryRefused || report.ID != "" || d.Event != "ci" {
				t.Errorf("signed by %s: %+v, %v", name, d, err)
			}
		}
		if list, err := h.CIReports(t.Context(), viewer, "", blueberry.CIQuery{}); err != nil || len(list) != 0 {
			t.Errorf("what was refused is kept: %+v, %v", list, err)
		}
		c := call(signedCI(secret, h.clock(), body), body)
		d, report, err := h.ReceiveCI(t.Context(), c)
		if err != nil || d.Verdict != blueberry.DeliveryAccepted || report.Images[0].Reference != imageOf(1) {
			t.Fatalf("%+v, %+v, %v", d, report, err)
		}
		h.is(t, "its image", r, 7, blueberry.PullBuilt, "")
		if d, _, err = h.ReceiveCI(t.Context(), c); err != nil || d.Verdict != blueberry.DeliveryDuplicate {
			t.Errorf("the same call: %+v, %v", d, err)
		}
		h.later(time.Second)
		if d, _, err = h.ReceiveCI(t.Context(), call(signedCI(secret, h.clock(), body), body)); err != nil || d.Verdict != blueberry.DeliveryIgnored {
			t.Errorf("the same report: %+v, %v", d, err)
		}
		if n := h.events(t)[blueberry.CIReported]; n != 1 {
			t.Errorf("%d events tell of reports", n)
		}

		for name, c := range map[string]struct{ body, field string }{
			"no JSON": {`hello`, ""}, "a key twice": {`{"commit": "a", "commit": "b"}`, ""}, "a wrong type": {`{"commit": 7}`, "commit"},
			"a field that is not known": {`{"commit": "` + commit(1) + `", "colour": "red", "stages": [{"name": "a", "status": "passed"}]}`, "colour"},
			"a bad file":                {`{"commit": "` + commit(1) + `", "files": [{"content": "hello"}]}`, "files[0].content"},
		} {
			d, _, err := h.ReceiveCI(t.Context(), call(signedCI(secret, h.clock(), []byte(c.body)), []byte(c.body)))
			var e *blueberry.Error
			if !errors.As(err, &e) || e.Kind != blueberry.Invalid || len(e.Fields) == 0 || e.Fields[0].Field != c.field || d.Verdict != blueberry.DeliveryUnread {
				t.Errorf("%s: %+v, %v", name, d, err)
			}
		}
		list, err := h.Deliveries(t.Context(), owner, "", blueberry.DeliveryQuery{RepositoryID: r.ID})
		if err != nil || len(list) != 1+7+3+5 {
			t.Errorf("%d deliveries are kept, %v", len(list), err)
		}
		for _, x := range list {
			if whole, err := h.Delivery(t.Context(), owner, x.ID); err != nil || x.Event == "ci" && len(whole.Body) != 0 {
				t.Errorf("of %s %d bytes are kept, %v", x.ID, len(whole.Body), err)
			}
		}
		strange := call(http.Header{}, body)
		strange.Stranger = func() bool { return false }
		if _, _, err := h.ReceiveCI(t.Context(), strange); !errors.Is(err, blueberry.TooMany) {
			t.Errorf("one stranger too many: %v", err)
		}
		strange.Repository = "rep_none"
		if _, _, err := h.ReceiveCI(t.Context(), strange); !errors.Is(err, blueberry.TooMany) {
			t.Errorf("one more, of no repository: %v", err)
		}
	})
}

// TestTheHostIsToldOfCI: the comment and the status have a line, in which nothing is markup.
func TestTheHostIsToldOfCI(t *testing.T) {
	t.Parallel()
	h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{Gates: blueberry.PullGates{Tests: true, ScanMax: "none"}})
	h.send(t, r, "1", opened(7, 1))
	h.work(t, 4)
	h.report(t, r, wish(1, 1, withFiles(junitFailed, trivyOf("CVE-1 HIGH")), func(w *source.CIWish) {
		w.Stages = []source.CIStageWish{{Name: "unit *test*", Status: "failed"}}
	}))
	h.later(time.Minute)
	h.work(t, 4)
	comment := b.comments[7][0]
	for _, want := range []string{"\nCI:\u200b 1 of 2 tests failed, scan 0 critical 1 high\n", "unit \\*test\\* ✗", "Gate `tests` is closed:", "@\u200ball", "Gate `scan` is closed:"} {
		if !strings.Contains(strings.Replace(comment, "\nCI: ", "\nCI:\u200b ", 1), want) {
			t.Errorf("the comment lacks %q:\n%s", want, comment)
		}
	}
	list := b.statuses[commit(1)]
	if len(list) == 0 || list[len(list)-1].State != source.StatusFailure || len([]rune(list[len(list)-1].Description)) > source.MaxStatusText {
		t.Errorf("the statuses are %+v", list)
	}
}

// TestCIIsKeptForATime: what says no news for 90 days goes.
func TestCIIsKeptForATime(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	r := h.add(t, "acme/shop", blueberry.PullPolicy{})
	h.report(t, r, wish(1, 1, withImage(1)))
	if _, err := h.AddScanException(t.Context(), owner, source.ScanExceptionWish{Finding: "CVE-1", Reason: "r", Until: h.clock().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	h.later(blueberry.KeepCIReports)
	h.report(t, r, wish(2, 2, withImage(2)))
	if n, detail, err := h.PurgeCI(t.Context()); n != 0 || err != nil {
		t.Errorf("a day early: %d, %q, %v", n, detail, err)
	}
	h.later(2 * time.Hour)
	n, detail, err := h.PurgeCI(t.Context())
	if n != 2 || detail != "2 reports and exceptions" || err != nil {
		t.Errorf("%d, %q, %v", n, detail, err)
	}
	var left []blueberry.CIReport
	if err := h.store.View(t.Context(), func(tx *store.Tx) (err error) {
		left, err = tx.CIReports(context.Background(), blueberry.CIQuery{})
		return err
	}); err != nil || len(left) != 1 || left[0].Commit != commit(2) {
		t.Errorf("left are %+v, %v", left, err)
	}
}
