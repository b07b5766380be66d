package blueberry

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// CIReport is what the newest run of one pipeline says of one commit.
type CIReport struct {
	ID           string
	RepositoryID string
	Project      string
	Commit       string // whole name
	Branch       string
	Pipeline     string
	Run          CIRun
	Stages       []CIStage
	Images       []CIImage
	SBOMs        []CISBOM
	Tests        []CITests
	Coverage     []CICoverage
	Scans        []CIScan
	Lints        []CIScan
	CreatedAt    time.Time // when the first report of the pipeline and the commit came
	UpdatedAt    time.Time // when the last one came that said news
	Version      int64
}

// DefaultPipeline is the name of a pipeline that has none.
const DefaultPipeline = "ci"

// CIRun is one run of a pipeline.
type CIRun struct {
	ID         string    `json:"id,omitempty"` // as the provider calls it; empty: what comes later counts
	Number     int64     `json:"number,omitempty"`
	URL        string    `json:"url,omitempty"`
	Provider   string    `json:"provider,omitempty"` // "github"
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
}

// CIStatus is how a stage stands.
type CIStatus string

// The statuses.
const (
	CIPassed  CIStatus = "passed"
	CIFailed  CIStatus = "failed"
	CISkipped CIStatus = "skipped"
	CIRunning CIStatus = "running"
)

// CIStatuses lists them.
func CIStatuses() []CIStatus { return []CIStatus{CIPassed, CIFailed, CISkipped, CIRunning} }

// CIPart says which job of a run a part of a report is of. A job that is tried again has a higher attempt.
type CIPart struct {
	Job     string `json:"job,omitempty"`
	Attempt int64  `json:"attempt,omitempty"`
}

// CIStage is one step of a run.
type CIStage struct {
	CIPart
	Name   string        `json:"name"`
	Status CIStatus      `json:"status"`
	Took   time.Duration `json:"took,omitempty"`
	URL    string        `json:"url,omitempty"`
}

// CIImage is an image that a run has built for a component.
type CIImage struct {
	CIPart
	Component string `json:"component"`
	Reference string `json:"reference"` // with its digest
}

// CISBOM is what is known of a bill of materials: the document itself is not kept.
type CISBOM struct {
	CIPart
	Format     string `json:"format"` // "CycloneDX 1.6"
	Digest     string `json:"digest"` // sha256 of the document
	Components int    `json:"components"`
}

// CITests is the outcome of the tests of one job.
type CITests struct {
	CIPart
	Suites   int           `json:"suites"`
	Passed   int           `json:"passed"`
	Failed   int           `json:"failed"`
	Errors   int           `json:"errors"`
	Skipped  int           `json:"skipped"`
	Took     time.Duration `json:"took,omitempty"`
	Failures []CIFailure   `json:"failures,omitempty"` // the first ones, MaxCIFailures at most
}

// CIFailure is a test that did not pass.
type CIFailure struct {
	Suite   string `json:"suite,omitempty"`
	Name    string `json:"name"`
	Message string `json:"message,omitempty"` // one line of plain text
}

// CICoverage is how much of the code the tests of one job ran, in lines, or in statements where the format knows only these.
type CICoverage struct {
	CIPart
	Covered int `json:"covered"`
	Total   int `json:"total"`
}

// Bounds of a report.
const (
	MaxCIBody     = 25 << 20 // bytes of one call
	MaxCIFile     = 10 << 20 // bytes of one file in it
	MaxCIFiles    = 2000     // in one call: Maven writes one for each class
	MaxCIStages   = 100
	MaxCIImages   = 100
	MaxCIJobs     = 100  // whose parts of one sort are kept in a report
	MaxCIFailures = 50   // of one job
	MaxCIFindings = 500  // of the scans of one job
	MaxCILints    = 100  // of the lints of one job
	MaxCIKept     = 5000 // findings of all jobs together, and as many of lints: each job has its share
	MaxPipelines  = 50   // that report on one commit
	MaxCIName     = 255  // characters
	MaxCIText     = 1000

	// KeepCIReports is how long a report is kept after it last said news.
	KeepCIReports = 90 * 24 * time.Hour
)

// SameRun reports whether both are of one run.
func (r CIRun) SameRun(other CIRun) bool { return r.ID == other.ID }

// Newer reports whether another run of a pipeline for the same commit takes the place of this one: whichever of them came first.
func (r CIRun) Newer(other CIRun) bool {
	if r.Number > 0 && other.Number > 0 && r.Number != other.Number {
		return other.Number > r.Number
	}
	return cmp.Or(other.StartedAt.Compare(r.StartedAt), cmp.Compare(len(other.ID), len(r.ID)), strings.Compare(other.ID, r.ID)) > 0
}

// Take takes over what another report of the same commit and pipeline says: one of the same run is merged, part by part; one of a newer run takes its place; one
// of an older run changes nothing.
func (r CIReport) Take(other CIReport) CIReport {
	if !r.Run.SameRun(other.Run) {
		if r.Run.Newer(other.Run) {
			other.ID, other.CreatedAt, other.Version = r.ID, r.CreatedAt, r.Version
			return other
		}
		return r
	}
	r.Branch = cmp.Or(other.Branch, r.Branch)
	r.Run.Number = max(r.Run.Number, other.Run.Number)
	r.Run.URL, r.Run.Provider = cmp.Or(other.Run.URL, r.Run.URL), cmp.Or(other.Run.Provider, r.Run.Provider)
	if s := other.Run.StartedAt; r.Run.StartedAt.IsZero() || !s.IsZero() && s.Before(r.Run.StartedAt) {
		r.Run.StartedAt = s
	}
	if other.Run.FinishedAt.After(r.Run.FinishedAt) {
		r.Run.FinishedAt = other.Run.FinishedAt
	}
	r.Stages = joined(r.Stages, other.Stages, MaxCIStages, func(x CIStage) (string, int64) { return x.Name, x.Attempt }, func(x CIStage) int { return x.Status.rank() })
	r.Images = joined(r.Images, other.Images, MaxCIImages, func(x CIImage) (string, int64) { return x.Component, x.Attempt }, func(CIImage) int { return 0 })
	r.SBOMs = joined(r.SBOMs, other.SBOMs, MaxCIJobs, func(x CISBOM) (string, int64) { return x.Job, x.Attempt }, func(CISBOM) int { return 0 })
	r.Tests = joined(r.Tests, other.Tests, MaxCIJobs, func(x CITests) (string, int64) { return x.Job, x.Attempt }, func(x CITests) int { return x.Failed + x.Errors })
	r.Coverage = joined(r.Coverage, other.Coverage, MaxCIJobs, func(x CICoverage) (string, int64) { return x.Job, x.Attempt }, func(x CICoverage) int { return -x.permille() })
	r.Scans, r.Lints = joinedScans(r.Scans, other.Scans, MaxCIFindings), joinedScans(r.Lints, other.Lints, MaxCILints)
	return r
}

// Same reports whether another report says the same. Attempts are no news: they only say which of two parts counts.
func (r CIReport) Same(other CIReport) bool {
	plain := func(r CIReport) string {
		stages, images, sboms := slices.Clone(r.Stages), slices.Clone(r.Images), slices.Clone(r.SBOMs)
		tests, coverage, scans, lints := slices.Clone(r.Tests), slices.Clone(r.Coverage), slices.Clone(r.Scans), slices.Clone(r.Lints)
		for i := range stages {
			stages[i].Attempt = 0
		}
		for i := range images {
			images[i].Attempt = 0
		}
		for i := range sboms {
			sboms[i].Attempt = 0
		}
		for i := range tests {
			tests[i].Attempt = 0
		}
		for i := range coverage {
			coverage[i].Attempt = 0
		}
		for i := range scans {
			scans[i].Attempt = 0
		}
		for i := range lints {
			lints[i].Attempt = 0
		}
		js, _ := json.Marshal([]any{r.Branch, r.Run, stages, images, sboms, tests, coverage, scans, lints}) // of texts, numbers and times: it cannot fail
		return string(js)
	}
	return plain(r) == plain(other)
}

// rank orders statuses: of two that one attempt tells, the higher counts.
func (s CIStatus) rank() int {
	return slices.Index([]CIStatus{CIRunning, CISkipped, CIPassed, CIFailed}, s)
}

// joined merges the parts of one sort. Of two of one name, that of the higher attempt counts; of one attempt the worse, so that no leg of a matrix hides that
// another has failed; of two that are as bad, the later. Of more than most, the worst are kept.
func joined[P any](was, is []P, most int, of func(P) (name string, attempt int64), bad func(P) int) []P {
	byName := map[string]P{}
	for _, list := range [][]P{was, is} {
		for _, p := range list {
			name, attempt := of(p)
			if old, ok := byName[name]; ok {
				_, before := of(old)
				if c := cmp.Compare(attempt, before); c < 0 || c == 0 && bad(p) < bad(old) {
					continue
				}
			}
			byName[name] = p
		}
	}
	names := slices.Sorted(maps.Keys(byName))
	if len(names) > most {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(bad(byName[b]), bad(byName[a])) })
		names = names[:most]
		slices.Sort(names)
	}
	var out []P
	for _, name := range names {
		out = append(out, byName[name])
	}
	return out
}

func (c CICoverage) permille() int {
	if c.Total == 0 {
		return 0
	}
	return int(int64(c.Covered) * 1000 / int64(c.Total))
}

// CIQuery asks for reports, newest first, without findings and failures.
type CIQuery struct {
	Projects     []string // nil for all
	RepositoryID string
	Commit       string
	Branch       string
	Pipeline     string
	Before       string // id: only older ones
	Limit        int
}

// CITotals is what the reports of one commit say together.
type CITotals struct {
	Tests    CITests    // of all jobs; Failures are the first
	Tested   bool       // some job reported tests
	Coverage CICoverage // of all jobs
	Measured bool
	Scan     FindingCounts // of all jobs, without what is excepted
	Scanned  bool
	Lint     FindingCounts
	Linted   bool
	Excepted int
}

// Line tells the totals to people: "120 tests passed, coverage 81.2 %, scan 0 critical 2 high".
func (t CITotals) Line() string {
	var out []string
	if t.Tested {
		out = append(out, testsText(t.Tests))
	}
	if t.Measured {
		out = append(out, "coverage "+t.Coverage.Percent()+" %")
	}
	if t.Scanned {
		out = append(out, "scan "+t.Scan.scanText())
	}
	return strings.Join(out, ", ")
}

func testsText(t CITests) string {
	switch bad := t.Failed + t.Errors; {
	case bad > 0:
		return itoa(bad) + " of " + itoa(bad+t.Passed) + " tests failed"
	case t.Passed == 1:
		return "1 test passed"
	}
	return itoa(t.Passed) + " tests passed"
}

// Percent is the share that was run, with one digit behind the point, never rounded up.
func (c CICoverage) Percent() string {
	p := c.permille()
	return itoa(p/10) + "." + itoa(p%10)
}

// TotalOf adds up what the reports of one commit say.
func TotalOf(reports []CIReport, exceptions []ScanException, now time.Time) CITotals {
	var t CITotals
	for _, r := range reports {
		for _, x := range r.Tests {
			t.Tested = true
			t.Tests.Suites += x.Suites
			t.Tests.Passed += x.Passed
			t.Tests.Failed += x.Failed
			t.Tests.Errors += x.Errors
			t.Tests.Skipped += x.Skipped
			t.Tests.Took += x.Took
			t.Tests.Failures = append(t.Tests.Failures, x.Failures[:min(len(x.Failures), MaxCIFailures-len(t.Tests.Failures))]...)
		}
		for _, x := range r.Coverage {
			t.Measured = true
			t.Coverage.Covered += x.Covered
			t.Coverage.Total += x.Total
		}
		for _, x := range r.Scans {
			t.Scanned = true
			counts, excepted := x.without(exceptions, now)
			t.Scan = t.Scan.Plus(counts)
			t.Excepted += len(excepted)
		}
		for _, x := range r.Lints {
			t.Linted = true
			t.Lint = t.Lint.Plus(x.Counts)
		}
	}
	return t
}
