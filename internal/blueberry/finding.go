package blueberry

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// FindingSeverity is how bad a finding is.
type FindingSeverity string

// The severities, the worst first. Those of lints are error, warning and note, which are kept as high, medium and low.
const (
	SeverityCritical FindingSeverity = "critical"
	SeverityHigh     FindingSeverity = "high"
	SeverityMedium   FindingSeverity = "medium"
	SeverityLow      FindingSeverity = "low"
	SeverityUnknown  FindingSeverity = "unknown"
)

// Severities lists them, the worst first.
func Severities() []FindingSeverity {
	return []FindingSeverity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow, SeverityUnknown}
}

// Finding is one thing that a scan or a lint has found.
type Finding struct {
	ID        string          `json:"id"` // "CVE-2026-1234", or the name of the rule
	Severity  FindingSeverity `json:"severity"`
	Package   string          `json:"package,omitempty"`
	Installed string          `json:"installed,omitempty"` // version
	Fixed     string          `json:"fixed,omitempty"`     // version; empty while there is none
	Location  string          `json:"location,omitempty"`  // file and line, or the target that was scanned
	Title     string          `json:"title,omitempty"`
}

// FindingCounts is how many findings there are, by severity.
type FindingCounts struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Unknown  int `json:"unknown"`
}

// Add counts n findings of a severity; n may be below zero.
func (c *FindingCounts) Add(s FindingSeverity, n int) {
	*c.of(s) += n
}

func (c *FindingCounts) of(s FindingSeverity) *int {
	switch s {
	case SeverityCritical:
		return &c.Critical
	case SeverityHigh:
		return &c.High
	case SeverityMedium:
		return &c.Medium
	case SeverityLow:
		return &c.Low
	}
	return &c.Unknown
}

// Plus adds others.
func (c FindingCounts) Plus(d FindingCounts) FindingCounts {
	return FindingCounts{c.Critical + d.Critical, c.High + d.High, c.Medium + d.Medium, c.Low + d.Low, c.Unknown + d.Unknown}
}

// Total is all of them.
func (c FindingCounts) Total() int { return c.Critical + c.High + c.Medium + c.Low + c.Unknown }

// scanText tells critical and high ones always, and others where there are some.
func (c FindingCounts) scanText() string {
	out := []string{itoa(c.Critical) + " critical", itoa(c.High) + " high"}
	for _, s := range Severities()[2:] {
		if n := *c.of(s); n > 0 {
			out = append(out, itoa(n)+" "+string(s))
		}
	}
	return strings.Join(out, " ")
}

// CIScan is what the scans, or the lints, of one job have found.
type CIScan struct {
	CIPart
	Tool     string        `json:"tool,omitempty"` // "trivy"
	Counts   FindingCounts `json:"counts"`         // of all, also of those that are not kept
	Findings []Finding     `json:"findings,omitempty"`
}

// weight orders scans of one attempt: the one with more of the worst counts.
func (s CIScan) weight() int {
	w := 0
	for _, x := range Severities() {
		w = w*1000 + min(*s.Counts.of(x), 999)
	}
	return w
}

// Keep bounds the findings: the worst are kept.
func (s CIScan) Keep(most int) CIScan {
	slices.SortStableFunc(s.Findings, func(a, b Finding) int { return cmp.Compare(a.Severity.rank(), b.Severity.rank()) })
	if len(s.Findings) > most {
		s.Findings = slices.Clone(s.Findings[:most])
	}
	return s
}

// joinedScans merges scans, or lints, by job. Those of one attempt are put together and not weighed: what the heavier has found may be excepted.
func joinedScans(was, is []CIScan, most int) []CIScan {
	list := slices.Clone(was)
	for _, x := range is {
		i := slices.IndexFunc(list, func(y CIScan) bool { return y.Job == x.Job && y.Attempt == x.Attempt })
		if i < 0 {
			list = append(list, x)
			continue
		}
		list[i] = list[i].with(x, most)
	}
	out := joined(nil, list, MaxCIJobs, func(x CIScan) (string, int64) { return x.Job, x.Attempt }, CIScan.weight)
	for i := range out {
		out[i] = out[i].Keep(min(most, MaxCIKept/len(out)))
	}
	return out
}

// with adds what another scan of the same attempt has found beside this one. What both have found counts once, so that the same report once more adds nothing.
func (s CIScan) with(other CIScan, most int) CIScan {
	has := map[Finding]int{}
	for _, f := range s.Findings {
		has[f]++
	}
	all, more := slices.Clone(s.Findings), FindingCounts{}
	for _, f := range other.Findings {
		if has[f]--; has[f] < 0 {
			all = append(all, f)
			more.Add(f.Severity, 1)
		}
	}
	kept := FindingCounts{}
	for _, f := range s.Findings {
		kept.Add(f.Severity, 1)
	}
	counts := FindingCounts{}
	for _, x := range Severities() { // also of what was counted and not kept, of which nobody knows whether both have found it
		*counts.of(x) = max(*s.Counts.of(x), *other.Counts.of(x), *kept.of(x)+*more.of(x))
	}
	if more.Total() > 0 {
		slices.SortFunc(all, Finding.compare)
	}
	tools := slices.DeleteFunc(append(strings.Split(s.Tool, ", "), strings.Split(other.Tool, ", ")...), func(name string) bool { return name == "" })
	slices.Sort(tools)
	s.Counts, s.Findings, s.Tool = counts, all, cutText(strings.Join(slices.Compact(tools), ", "), MaxCIName)
	return s.Keep(most)
}

// compare orders findings, the worst first.
func (f Finding) compare(g Finding) int {
	return cmp.Or(cmp.Compare(f.Severity.rank(), g.Severity.rank()), strings.Compare(f.ID, g.ID), strings.Compare(f.Package, g.Package), strings.Compare(f.Location, g.Location),
		strings.Compare(f.Installed, g.Installed), strings.Compare(f.Fixed, g.Fixed), strings.Compare(f.Title, g.Title))
}

// rank is 0 for the worst.
func (s FindingSeverity) rank() int {
	if i := slices.Index(Severities(), s); i >= 0 {
		return i
	}
	return len(Severities())
}

// without counts the findings that no exception is for, and tells those that one is for. What was counted and not kept cannot be excepted.
func (s CIScan) without(exceptions []ScanException, now time.Time) (FindingCounts, []ExceptedFinding) {
	counts := s.Counts
	var out []ExceptedFinding
	for _, f := range s.Findings {
		if x, ok := exceptionFor(f, exceptions, now); ok {
			counts.Add(f.Severity, -1)
			out = append(out, ExceptedFinding{f, x})
		}
	}
	return counts, out
}

// ScanException lets a finding pass the gates until a time, by name and with a reason.
type ScanException struct {
	ID           string
	Project      string
	RepositoryID string // empty for the whole project
	Finding      string // id of the finding, in any case of letters
	Package      string // empty for any
	Reason       string
	Until        time.Time
	CreatedBy    string
	CreatedAt    time.Time
}

// MaxExceptionDays is how far ahead an exception may end at most.
const MaxExceptionDays = 180

// MaxExceptions is how many a project has at once.
const MaxExceptions = 1000

// ExceptedFinding is a finding that an exception is for.
type ExceptedFinding struct {
	Finding   Finding
	Exception ScanException
}

// Text tells of it to people.
func (e ExceptedFinding) Text() string {
	return fmt.Sprintf("%s is excepted by %s until %s", e.Finding.ID, e.Exception.CreatedBy, e.Exception.Until.UTC().Format(time.DateOnly))
}

// For reports whether an exception is for a finding now.
func (x ScanException) For(f Finding, now time.Time) bool {
	return now.Before(x.Until) && strings.EqualFold(x.Finding, f.ID) && (x.Package == "" || x.Package == f.Package)
}

func exceptionFor(f Finding, exceptions []ScanException, now time.Time) (ScanException, bool) {
	i := slices.IndexFunc(exceptions, func(x ScanException) bool { return x.For(f, now) })
	if i < 0 {
		return ScanException{}, false
	}
	return exceptions[i], true
}

// CheckScanException notes what is wrong with an exception.
func (f *Faults) CheckScanException(x ScanException, now time.Time) {
	f.checkLine("finding", x.Finding, true, MaxCIName)
	f.checkLine("package", x.Package, false, MaxCIName)
	f.checkLine("reason", x.Reason, true, MaxCIText)
	switch {
	case x.Until.IsZero():
		f.Add("until", "required", "is needed: until when the finding may pass")
	case !x.Until.After(now):
		f.Add("until", "range", "is in the past")
	case x.Until.After(now.AddDate(0, 0, MaxExceptionDays)):
		f.Add("until", "range", "is more than %d days ahead", MaxExceptionDays)
	}
}

// checkLine notes what is no line of plain text.
func (f *Faults) checkLine(field, value string, needed bool, most int) {
	switch {
	case needed && strings.TrimSpace(value) == "":
		f.Add(field, "required", "is needed")
	case len([]rune(value)) > most:
		f.Add(field, "range", "is longer than %d characters", most)
	case !PlainLine(value):
		f.Add(field, "pattern", "must be one line without control characters")
	}
}

// ScanExceptionQuery asks for exceptions, newest first.
type ScanExceptionQuery struct {
	Projects     []string // nil for all
	RepositoryID string   // only those that count for it: its own, and those of its whole project
	Live         time.Time
	Before       string
	Limit        int
}
