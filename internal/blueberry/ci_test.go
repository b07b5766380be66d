package blueberry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

var ciNoon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestReportsMergeInAnyOrder: whatever comes first, the newest run counts, and of one run every part.
func TestReportsMergeInAnyOrder(t *testing.T) {
	t.Parallel()
	at := func(job string, attempt int64) blueberry.CIPart { return blueberry.CIPart{Job: job, Attempt: attempt} }
	run := func(id string, number int64, start int) blueberry.CIRun {
		return blueberry.CIRun{ID: id, Number: number, StartedAt: ciNoon.Add(time.Duration(start) * time.Minute)}
	}
	build := blueberry.CIReport{
		Run: run("2", 2, 0), Branch: "sort", Images: []blueberry.CIImage{{CIPart: at("build", 1), Component: "api", Reference: "a"}},
		Stages: []blueberry.CIStage{{CIPart: at("build", 1), Name: "build", Status: blueberry.CIPassed}},
	}
	tests := blueberry.CIReport{
		Run: run("2", 2, 0), Tests: []blueberry.CITests{{CIPart: at("test", 1), Passed: 10, Failed: 1}}, Coverage: []blueberry.CICoverage{{CIPart: at("test", 1), Covered: 5, Total: 10}},
		Stages: []blueberry.CIStage{{CIPart: at("test", 1), Name: "test", Status: blueberry.CIFailed}},
	}
	leg := blueberry.CIReport{ // the other leg of a matrix, under the same name
		Run: run("2", 2, 0), Tests: []blueberry.CITests{{CIPart: at("test", 1), Passed: 11}}, Stages: []blueberry.CIStage{{CIPart: at("test", 1), Name: "test", Status: blueberry.CIPassed}},
	}
	begun := blueberry.CIReport{Run: run("2", 2, 0), Stages: []blueberry.CIStage{{CIPart: at("test", 1), Name: "test", Status: blueberry.CIRunning}}}
	older := blueberry.CIReport{Run: run("1", 1, 5), Images: []blueberry.CIImage{{CIPart: at("build", 9), Component: "api", Reference: "old"}, {Component: "web", Reference: "old"}}}
	later := blueberry.CIReport{Run: run("2", 2, 0), Tests: []blueberry.CITests{{CIPart: at("test", 2), Passed: 11}}, Stages: []blueberry.CIStage{{CIPart: at("test", 2), Name: "test", Status: blueberry.CIPassed}}}

	take := func(reports ...blueberry.CIReport) blueberry.CIReport {
		out := blueberry.CIReport{ID: "cir_1", Run: reports[0].Run}
		for _, r := range reports {
			out = out.Take(r)
		}
		return out
	}
	check := func(what string, list []blueberry.CIReport, failed int, status blueberry.CIStatus) {
		t.Helper()
		want := take(list...)
		if len(want.Tests) != 1 || want.Tests[0].Failed != failed || want.Stages[1].Status != status || want.Images[0].Reference != "a" || len(want.Images) != 1 || want.Branch != "sort" || want.ID != "cir_1" {
			t.Errorf("%s: %+v", what, want)
		}
		for i := range list {
			for j := range list {
				other := slices.Clone(list)
				other[i], other[j] = other[j], other[i]
				if d := cmp.Diff(want, take(other...)); d != "" {
					t.Errorf("%s: in another order:\n%s", what, d)
				}
			}
		}
	}
	check("a matrix with a leg that failed", []blueberry.CIReport{build, tests, leg, begun, older}, 1, blueberry.CIFailed)
	check("tried again", []blueberry.CIReport{build, tests, leg, later, older, begun}, 0, blueberry.CIPassed)
	if !build.Take(build).Same(build.Take(build).Take(build)) {
		t.Error("the same once more is news")
	}
	moved := build
	moved.Images = []blueberry.CIImage{{CIPart: at("build", 1), Component: "api", Reference: "b"}}
	if build.Take(moved).Same(build) || build.Take(moved).Images[0].Reference != "b" {
		t.Error("another image of the same attempt is no news, or does not count")
	}
}

func TestWhichRunIsNewer(t *testing.T) {
	t.Parallel()
	a := func(id string, number int64, start int) blueberry.CIRun {
		r := blueberry.CIRun{ID: id, Number: number}
		if start > 0 {
			r.StartedAt = ciNoon.Add(time.Duration(start) * time.Minute)
		}
		return r
	}
	for name, c := range map[string]struct{ older, newer blueberry.CIRun }{
		"by number":                    {a("9", 1, 5), a("1", 2, 1)},
		"by its start, without number": {a("9", 0, 1), a("1", 7, 2)},
		"by its start, of one number":  {a("9", 3, 1), a("1", 3, 2)},
		"by its id, as a number":       {a("9", 0, 0), a("10", 0, 0)},
	} {
		if !c.older.Newer(c.newer) || c.newer.Newer(c.older) {
			t.Errorf("%s: %+v, %+v", name, c.older, c.newer)
		}
	}
}

func scanned(findings ...blueberry.Finding) blueberry.CIReport {
	s := blueberry.CIScan{Findings: findings}
	for _, f := range findings {
		s.Counts.Add(f.Severity, 1)
	}
	return blueberry.CIReport{Pipeline: "ci", Scans: []blueberry.CIScan{s}}
}

func TestGates(t *testing.T) {
	t.Parallel()
	high := blueberry.Finding{ID: "CVE-1", Severity: blueberry.SeverityHigh, Package: "openssl", Fixed: "2"}
	critical := blueberry.Finding{ID: "CVE-2", Severity: blueberry.SeverityCritical, Package: "zlib"}
	image := blueberry.CIReport{Pipeline: "ci", Images: []blueberry.CIImage{{Component: "api", Reference: "x@sha256:1"}}}
	tested := func(passed, failed int) blueberry.CIReport {
		return blueberry.CIReport{Tests: []blueberry.CITests{{Passed: passed, Failed: failed, Failures: []blueberry.CIFailure{{Name: "sorts", Message: "2 is not 1"}}[:min(failed, 1)]}}}
	}
	covered := func(n int) blueberry.CIReport {
		return blueberry.CIReport{Coverage: []blueberry.CICoverage{{Covered: n, Total: 1000}}}
	}
	except := func(id, pkg string, days int) blueberry.ScanException {
		return blueberry.ScanException{Finding: id, Package: pkg, Until: ciNoon.AddDate(0, 0, days), CreatedBy: "ada"}
	}
	many := scanned(high)
	many.Scans[0].Counts.High = 700 // of which one is kept
	for name, c := range map[string]struct {
		gates      blueberry.PullGates
		reports    []blueberry.CIReport
		exceptions []blueberry.ScanException
		state      blueberry.GateState
		says       string
	}{
		"none":                             {blueberry.PullGates{}, nil, nil, blueberry.GateOpen, ""},
		"no image yet":                     {blueberry.PullGates{Image: true}, nil, nil, blueberry.GateWaiting, "no image yet"},
		"an image":                         {blueberry.PullGates{Image: true}, []blueberry.CIReport{image}, nil, blueberry.GateOpen, ""},
		"another component's image":        {blueberry.PullGates{Image: true, Components: []string{"api", "web"}}, []blueberry.CIReport{image}, nil, blueberry.GateWaiting, "no image of web yet"},
		"no tests yet":                     {blueberry.PullGates{Tests: true}, []blueberry.CIReport{image}, nil, blueberry.GateWaiting, "no tests"},
		"tests that pass":                  {blueberry.PullGates{Tests: true}, []blueberry.CIReport{tested(3, 0)}, nil, blueberry.GateOpen, ""},
		"tests of which none ran":          {blueberry.PullGates{Tests: true}, []blueberry.CIReport{{Tests: []blueberry.CITests{{Skipped: 3}}}}, nil, blueberry.GateWaiting, "no tests"},
		"a test that fails elsewhere":      {blueberry.PullGates{Tests: true}, []blueberry.CIReport{tested(3, 0), tested(1, 1)}, nil, blueberry.GateClosed, "1 of 5 tests failed: sorts: 2 is not 1"},
		"coverage just enough":             {blueberry.PullGates{CoverageMin: 80}, []blueberry.CIReport{covered(800)}, nil, blueberry.GateOpen, ""},
		"coverage just too low":            {blueberry.PullGates{CoverageMin: 80}, []blueberry.CIReport{covered(799)}, nil, blueberry.GateClosed, "coverage is 79.9 %, at least 80 % is asked for"},
		"no coverage yet":                  {blueberry.PullGates{CoverageMin: 80}, nil, nil, blueberry.GateWaiting, "no coverage"},
		"coverage of nothing":              {blueberry.PullGates{CoverageMin: 1}, []blueberry.CIReport{{Coverage: []blueberry.CICoverage{{}}}}, nil, blueberry.GateWaiting, "no coverage"},
		"no scan yet":                      {blueberry.PullGates{ScanMax: "critical"}, nil, nil, blueberry.GateWaiting, "no scan"},
		"high is let pass":                 {blueberry.PullGates{ScanMax: "high"}, []blueberry.CIReport{scanned(high)}, nil, blueberry.GateOpen, ""},
		"high is too much":                 {blueberry.PullGates{ScanMax: "medium"}, []blueberry.CIReport{scanned(high)}, nil, blueberry.GateClosed, "0 critical 1 high; the policy lets pass medium at most: CVE-1 in openssl (fixed in 2)"},
		"the worst is named first":         {blueberry.PullGates{ScanMax: "low"}, []blueberry.CIReport{scanned(high, critical)}, nil, blueberry.GateClosed, "CVE-2 in zlib, CVE-1"},
		"nothing passes":                   {blueberry.PullGates{ScanMax: "none"}, []blueberry.CIReport{scanned(blueberry.Finding{ID: "x", Severity: blueberry.SeverityUnknown})}, nil, blueberry.GateClosed, "lets pass nothing at most: x"},
		"an unknown one may be anything":   {blueberry.PullGates{ScanMax: "high"}, []blueberry.CIReport{scanned(blueberry.Finding{ID: "x", Severity: blueberry.SeverityUnknown})}, nil, blueberry.GateClosed, "1 unknown; the policy lets pass high at most: x"},
		"an unknown one where all pass":    {blueberry.PullGates{ScanMax: "critical"}, []blueberry.CIReport{scanned(blueberry.Finding{ID: "x", Severity: blueberry.SeverityUnknown})}, nil, blueberry.GateOpen, ""},
		"a clean scan":                     {blueberry.PullGates{ScanMax: "none"}, []blueberry.CIReport{scanned()}, nil, blueberry.GateOpen, ""},
		"excepted":                         {blueberry.PullGates{ScanMax: "none"}, []blueberry.CIReport{scanned(high)}, []blueberry.ScanException{except("cve-1", "", 1)}, blueberry.GateOpen, ""},
		"excepted in the package":          {blueberry.PullGates{ScanMax: "none"}, []blueberry.CIReport{scanned(high)}, []blueberry.ScanException{except("CVE-1", "openssl", 1)}, blueberry.GateOpen, ""},
		"excepted in another package":      {blueberry.PullGates{ScanMax: "none"}, []blueberry.CIReport{scanned(high)}, []blueberry.ScanException{except("CVE-1", "curl", 1)}, blueberry.GateClosed, "CVE-1"},
		"an exception that has ended":      {blueberry.PullGates{ScanMax: "none"}, []blueberry.CIReport{scanned(high)}, []blueberry.ScanException{except("CVE-1", "", 0)}, blueberry.GateClosed, "CVE-1"},
		"one excepted, another not":        {blueberry.PullGates{ScanMax: "none"}, []blueberry.CIReport{scanned(high, critical)}, []blueberry.ScanException{except("CVE-2", "", 9)}, blueberry.GateClosed, "CVE-1 in openssl (fixed in 2); CVE-2 is excepted by ada until 2026-03-10"},
		"what is not kept is not excepted": {blueberry.PullGates{ScanMax: "none"}, []blueberry.CIReport{many}, []blueberry.ScanException{except("CVE-1", "", 1)}, blueberry.GateClosed, "699 high"},
		"closed beats waiting":             {blueberry.PullGates{Image: true, Tests: true}, []blueberry.CIReport{tested(0, 1)}, nil, blueberry.GateClosed, "tests failed"},
	} {
		state, why := blueberry.GateVerdict(c.gates.Judge(c.reports, c.exceptions, ciNoon))
		if state != c.state || !strings.Contains(why, c.says) {
			t.Errorf("%s: %s: %q, want %s: …%s…", name, state, why, c.state, c.says)
		}
	}
	gates := blueberry.PullGates{ScanMax: "none"}.Judge([]blueberry.CIReport{scanned(high)}, []blueberry.ScanException{except("CVE-1", "", 1)}, ciNoon)
	if len(gates) != 1 || len(gates[0].Excepted) != 1 || !strings.Contains(gates[0].Message, "CVE-1 is excepted by ada until 2026-03-02") {
		t.Errorf("the gate says %+v", gates)
	}
}

func TestTotalsInOneLine(t *testing.T) {
	t.Parallel()
	reports := []blueberry.CIReport{
		{Tests: []blueberry.CITests{{Passed: 100}, {Passed: 20, Skipped: 3}}, Coverage: []blueberry.CICoverage{{Covered: 812, Total: 1000}}},
		scanned(blueberry.Finding{ID: "a", Severity: blueberry.SeverityHigh}, blueberry.Finding{ID: "b", Severity: blueberry.SeverityHigh}, blueberry.Finding{ID: "c", Severity: blueberry.SeverityLow}),
	}
	if got, want := blueberry.TotalOf(reports, nil, ciNoon).Line(), "120 tests passed, coverage 81.2 %, scan 0 critical 2 high 1 low"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := blueberry.TotalOf(nil, nil, ciNoon).Line(); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

func TestWhatAReportNames(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("a", 64)
	good := blueberry.CIReport{
		Commit: strings.Repeat("a", 40), Branch: "sort", Pipeline: "ci", Run: blueberry.CIRun{ID: "1", URL: "https://ci.example.com/1", StartedAt: ciNoon, FinishedAt: ciNoon.Add(time.Minute)},
		Stages: []blueberry.CIStage{{Name: "test", Status: blueberry.CIPassed, URL: "http://ci.example.com/1"}}, Images: []blueberry.CIImage{{Component: "api", Reference: "ghcr.io/acme/api:1" + digest}},
	}
	check := func(change func(r *blueberry.CIReport)) []string {
		r := good
		r.Stages, r.Images = slices.Clone(good.Stages), slices.Clone(good.Images)
		change(&r)
		var f blueberry.Faults
		f.CheckCIReport(r, ciNoon)
		var out []string
		for _, x := range f {
			out = append(out, x.Field+" "+x.Code)
		}
		return out
	}
	if got := check(func(*blueberry.CIReport) {}); got != nil {
		t.Errorf("a good one has %v", got)
	}
	got := check(func(r *blueberry.CIReport) {
		r.Commit, r.Branch, r.Pipeline = "abc", "a\nb", "-x"
		r.Run = blueberry.CIRun{ID: strings.Repeat("x", 256), Number: -1, URL: "javascript:alert(1)", StartedAt: ciNoon.Add(2 * time.Hour), FinishedAt: ciNoon}
		r.Stages = []blueberry.CIStage{{Name: "", Status: "good", Took: -1, URL: "https://user:pass@x"}, {Name: "a", Status: blueberry.CIPassed}, {Name: "a", Status: blueberry.CIPassed}}
		r.Images = []blueberry.CIImage{{Component: "API", Reference: "x"}, {Component: "api", Reference: "x"}, {Component: "web", Reference: "x:1"}, {Component: "job", Reference: "x@sha256:" + strings.Repeat("A", 64)}}
	})
	want := []string{
		"commit pattern", "branch pattern", "pipeline pattern", "run.id range", "run.url url", "run.number range", "run.started_at range", "run.finished_at range",
		"stages[0].name required", "stages[0].status enum", "stages[0].seconds range", "stages[0].url url", "stages[2].name duplicate",
		"images pattern", "images.api image_unpinned", "images.web image_unpinned", "images.job image_unpinned",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestWhatAnExceptionNeeds(t *testing.T) {
	t.Parallel()
	check := func(x blueberry.ScanException) (out []string) {
		var f blueberry.Faults
		f.CheckScanException(x, ciNoon)
		for _, x := range f {
			out = append(out, x.Field+" "+x.Code)
		}
		return out
	}
	if got := check(blueberry.ScanException{Finding: "CVE-1", Reason: "r", Until: ciNoon.AddDate(0, 0, 180)}); got != nil {
		t.Errorf("a good one has %v", got)
	}
	for name, c := range map[string]struct {
		x    blueberry.ScanException
		want []string
	}{
		"nothing":  {blueberry.ScanException{}, []string{"finding required", "reason required", "until required"}},
		"too far":  {blueberry.ScanException{Finding: "a", Reason: "r", Until: ciNoon.AddDate(0, 0, 180).Add(time.Second)}, []string{"until range"}},
		"the past": {blueberry.ScanException{Finding: "a", Package: "a\nb", Reason: "r", Until: ciNoon}, []string{"package pattern", "until range"}},
	} {
		if d := cmp.Diff(c.want, check(c.x)); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
}

func TestPolicyOfGates(t *testing.T) {
	t.Parallel()
	var f blueberry.Faults
	f.CheckRepository(blueberry.Repository{Name: "a/b", Host: blueberry.HostGeneric, Policy: blueberry.PullPolicy{Gates: blueberry.PullGates{
		Components: []string{"API"}, CoverageMin: 101, ScanMax: "bad", WaitMinutes: 1441,
	}}})
	var got []string
	for _, x := range f {
		got = append(got, x.Field+" "+x.Code)
	}
	want := []string{"policy.gates.components requires", "policy.gates.components[0] pattern", "policy.gates.coverage_min range", "policy.gates.scan_max enum", "policy.gates.wait_minutes range"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a": "a", " a \t b\r\nc ": "a b c", "a\u202eb\x00c\xffd": "a b c d", strings.Repeat("ä", 30): strings.Repeat("ä", 9) + "…", "": "",
	} {
		if got := blueberry.PlainText(in, 10); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// TestNoPartHidesAnother: of two scans of one job every finding counts, since the heavier may be excepted; of more jobs than are kept those that pass go first.
func TestNoPartHidesAnother(t *testing.T) {
	t.Parallel()
	scan := func(ids ...string) blueberry.CIReport {
		var list []blueberry.Finding
		for _, id := range ids {
			list = append(list, blueberry.Finding{ID: id, Severity: blueberry.SeverityHigh})
		}
		r := scanned(list...)
		r.Scans[0].Tool = "trivy"
		return r
	}
	one, two := scan("CVE-1"), scan("CVE-2", "CVE-2", "CVE-3")
	two.Scans[0].Tool = "grype"
	except := []blueberry.ScanException{{Finding: "CVE-2", Until: ciNoon.Add(time.Hour)}, {Finding: "CVE-3", Until: ciNoon.Add(time.Hour)}}
	both := one.Take(two)
	if d := cmp.Diff(both, two.Take(one)); d != "" {
		t.Errorf("in another order:\n%s", d)
	}
	if s := both.Scans[0]; len(both.Scans) != 1 || s.Counts.High != 4 || len(s.Findings) != 4 || s.Tool != "grype, trivy" {
		t.Errorf("together they are %+v", both.Scans)
	}
	if again := both.Take(one).Take(two); !again.Same(both) {
		t.Errorf("the same once more is %+v", again.Scans)
	}
	gates := blueberry.PullGates{ScanMax: "none"}
	if state, why := blueberry.GateVerdict(gates.Judge([]blueberry.CIReport{both}, except, ciNoon)); state != blueberry.GateClosed || !strings.Contains(why, "CVE-1") {
		t.Errorf("CVE-1 is hidden: %s: %s", state, why)
	}

	var all blueberry.CIReport
	for i := range blueberry.MaxCIJobs + 1 {
		job := blueberry.CIPart{Job: fmt.Sprintf("job%03d", i)}
		all = all.Take(blueberry.CIReport{
			Tests: []blueberry.CITests{{CIPart: job, Passed: 1, Failed: i / blueberry.MaxCIJobs}}, Scans: []blueberry.CIScan{{CIPart: job, Findings: lowFindings(blueberry.MaxCIFindings), Counts: blueberry.FindingCounts{Low: blueberry.MaxCIFindings}}},
		})
	}
	total := blueberry.TotalOf([]blueberry.CIReport{all}, nil, ciNoon)
	if len(all.Tests) != blueberry.MaxCIJobs || total.Tests.Failed != 1 {
		t.Errorf("of %d jobs %d tests failed", len(all.Tests), total.Tests.Failed)
	}
	kept := 0
	for _, s := range all.Scans {
		kept += len(s.Findings)
	}
	if kept == 0 || kept > blueberry.MaxCIKept || total.Scan.Low != blueberry.MaxCIJobs*blueberry.MaxCIFindings {
		t.Errorf("%d findings are kept of %d", kept, total.Scan.Low)
	}
}

func lowFindings(n int) []blueberry.Finding {
	out := make([]blueberry.Finding, n)
	for i := range out {
		out[i] = blueberry.Finding{ID: fmt.Sprintf("CVE-%d", i), Severity: blueberry.SeverityLow}
	}
	return out
}

// TestFaultsOfAReportAreFew: what is far too much, or far too long, is not repeated.
func TestFaultsOfAReportAreFew(t *testing.T) {
	t.Parallel()
	var f blueberry.Faults
	long := strings.Repeat("x", 1<<20)
	f.CheckCIReport(blueberry.CIReport{
		Pipeline: long, Stages: make([]blueberry.CIStage, 1<<16), Images: make([]blueberry.CIImage, 1<<16),
	}, ciNoon)
	var g blueberry.Faults
	g.CheckCIReport(blueberry.CIReport{
		Stages: []blueberry.CIStage{{Name: long, Status: blueberry.CIStatus(long)}, {Name: long}}, Images: []blueberry.CIImage{{Component: "api", Reference: long}},
	}, ciNoon)
	size := 0
	for _, x := range append(f, g...) {
		size += len(x.Message)
	}
	if len(f)+len(g) > 500 || size > 32<<10 {
		t.Errorf("%d faults of %d bytes", len(f)+len(g), size)
	}
}
