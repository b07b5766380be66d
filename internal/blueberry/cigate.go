package blueberry

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// PullGates are what CI must have said of a commit before it gets an environment. The zero value asks for nothing.
type PullGates struct {
	Image       bool     `json:"image,omitempty"`        // an image by digest
	Components  []string `json:"components,omitempty"`   // for each of these; empty: for any
	Tests       bool     `json:"tests,omitempty"`        // tests, and none has failed
	CoverageMin int      `json:"coverage_min,omitempty"` // percent
	ScanMax     string   `json:"scan_max,omitempty"`     // highest severity that passes: none, low, medium, high or critical; empty: no scan is asked for
	WaitMinutes int      `json:"wait_minutes,omitempty"` // for what CI has not reported; 0 means DefaultGateWait
}

// Bounds of PullGates.
const (
	DefaultGateWait   = 30
	MaxGateWait       = 24 * 60
	maxGateComponents = 50
)

// ScanLimits lists what ScanMax may be.
func ScanLimits() []string { return []string{"none", "low", "medium", "high", "critical"} }

// Any reports whether something is asked for.
func (g PullGates) Any() bool { return g.Image || g.Tests || g.CoverageMin > 0 || g.ScanMax != "" }

// Wait is how long what CI has not reported is waited for.
func (g PullGates) Wait() time.Duration {
	if g.WaitMinutes == 0 {
		return DefaultGateWait * time.Minute
	}
	return time.Duration(g.WaitMinutes) * time.Minute
}

func (f *Faults) checkPullGates(field string, g PullGates) {
	at := func(name string) string { return JoinField(field, name) }
	if len(g.Components) > maxGateComponents {
		f.Add(at("components"), "range", "has %d items, at most %d are allowed", len(g.Components), maxGateComponents)
	}
	if len(g.Components) > 0 && !g.Image {
		f.Add(at("components"), "requires", "name components that need an image: they take image as well")
	}
	for i, name := range g.Components {
		f.CheckName(at("components")+"["+itoa(i)+"]", name, MaxComponentName)
	}
	if g.CoverageMin < 0 || g.CoverageMin > 100 {
		f.Add(at("coverage_min"), "range", "is %d, must be 0 to 100 percent", g.CoverageMin)
	}
	if g.ScanMax != "" && !slices.Contains(ScanLimits(), g.ScanMax) {
		f.Add(at("scan_max"), "enum", "%q is not none, low, medium, high or critical", g.ScanMax)
	}
	if g.WaitMinutes < 0 || g.WaitMinutes > MaxGateWait {
		f.Add(at("wait_minutes"), "range", "is %d, must be 1 to %d, or 0 for %d", g.WaitMinutes, MaxGateWait, DefaultGateWait)
	}
}

// PullGateMark is how the gates have kept a pull request.
type PullGateMark struct {
	Commit string    // that they were asked about last; empty for none
	Since  time.Time // when they were first asked about it: what CI has not reported is waited for from then on
	Held   bool      // they keep it now
}

// GateState is how a gate stands.
type GateState string

// The states.
const (
	GateOpen    GateState = "open"
	GateWaiting GateState = "waiting" // CI has reported nothing that would decide it
	GateClosed  GateState = "closed"
)

// Gate is one gate with how it stands for a commit.
type Gate struct {
	Name     string // image, tests, coverage or scan
	State    GateState
	Message  string // for people
	Excepted []ExceptedFinding
}

// maxGateFindings is how many findings a message names.
const maxGateFindings = 5

// Judge gives each gate that is asked for, with how it stands for a commit by the reports of it.
func (g PullGates) Judge(reports []CIReport, exceptions []ScanException, now time.Time) []Gate {
	t := TotalOf(reports, exceptions, now)
	var out []Gate
	if g.Image {
		out = append(out, g.judgeImage(ImagesOf(reports)))
	}
	if g.Tests {
		out = append(out, judged("tests", t.Tests.ran() > 0, t.Tests.Failed+t.Tests.Errors == 0, "tests", testsGateText(t.Tests)))
	}
	if g.CoverageMin > 0 {
		enough := t.Coverage.permille() >= g.CoverageMin*10
		text := fmt.Sprintf("coverage is %s %%", t.Coverage.Percent())
		if !enough {
			text += fmt.Sprintf(", at least %d %% is asked for", g.CoverageMin)
		}
		out = append(out, judged("coverage", t.Measured && t.Coverage.Total > 0, enough, "coverage", text))
	}
	if g.ScanMax != "" {
		out = append(out, g.judgeScan(t, reports, exceptions, now))
	}
	return out
}

func judged(name string, known, open bool, what, text string) Gate {
	switch {
	case !known:
		return Gate{Name: name, State: GateWaiting, Message: "CI has reported no " + what + " yet"}
	case open:
		return Gate{Name: name, State: GateOpen, Message: text}
	}
	return Gate{Name: name, State: GateClosed, Message: text}
}

// ran is how many tests have told something: a run of none, or of skipped ones only, tells nothing.
func (t CITests) ran() int { return t.Passed + t.Failed + t.Errors }

func testsGateText(t CITests) string {
	text := testsText(t)
	if len(t.Failures) > 0 {
		x := t.Failures[0]
		text += ": " + x.Name
		if x.Message != "" {
			text += ": " + cutText(x.Message, 200)
		}
	}
	return text
}

func (g PullGates) judgeImage(images map[string]string) Gate {
	var missing []string
	for _, name := range g.Components {
		if images[name] == "" {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) > 0:
		return Gate{Name: "image", State: GateWaiting, Message: "CI has reported no image of " + strings.Join(missing, ", ") + " yet"}
	case len(images) == 0:
		return Gate{Name: "image", State: GateWaiting, Message: "CI has reported no image yet"}
	case len(images) == 1:
		return Gate{Name: "image", State: GateOpen, Message: "CI has reported 1 image"}
	}
	return Gate{Name: "image", State: GateOpen, Message: fmt.Sprintf("CI has reported %d images", len(images))}
}

// passes reports whether findings of a severity pass. One that is unknown may be the worst, so it passes only where all do.
func (g PullGates) passes(s FindingSeverity) bool {
	switch {
	case g.ScanMax == "none":
		return false
	case s == SeverityUnknown:
		return g.ScanMax == string(SeverityCritical)
	}
	return s.rank() >= FindingSeverity(g.ScanMax).rank()
}

func (g PullGates) judgeScan(t CITotals, reports []CIReport, exceptions []ScanException, now time.Time) Gate {
	var over FindingCounts
	for _, s := range Severities() {
		if !g.passes(s) {
			over.Add(s, *t.Scan.of(s))
		}
	}
	var named []string
	var excepted []ExceptedFinding
	seen := map[string]bool{}
	for _, s := range Severities() { // the worst first, of whichever job
		for _, r := range reports {
			for _, scan := range r.Scans {
				for _, f := range scan.Findings {
					if f.Severity != s || g.passes(s) || seen[f.ID+"\x00"+f.Package] {
						continue
					}
					seen[f.ID+"\x00"+f.Package] = true
					if x, ok := exceptionFor(f, exceptions, now); ok {
						excepted = append(excepted, ExceptedFinding{f, x})
						continue
					}
					named = append(named, f.text())
				}
			}
		}
	}
	text := "scan finds " + t.Scan.scanText()
	if over.Total() > 0 {
		limit := g.ScanMax
		if limit == "none" {
			limit = "nothing"
		}
		text += "; the policy lets pass " + limit + " at most"
		more := over.Total() - min(len(named), maxGateFindings)
		if named = named[:min(len(named), maxGateFindings)]; len(named) > 0 {
			text += ": " + strings.Join(named, ", ")
			if more > 0 {
				text += fmt.Sprintf(" and %d more", more)
			}
		}
	}
	for i, x := range excepted {
		if i == maxGateFindings {
			text += fmt.Sprintf("; %d more are excepted", len(excepted)-i)
			break
		}
		text += "; " + x.Text()
	}
	out := judged("scan", t.Scanned, over.Total() == 0, "scan", text)
	out.Excepted = excepted
	return out
}

// text names a finding in a message.
func (f Finding) text() string {
	out := f.ID
	if f.Package != "" {
		out += " in " + f.Package
	}
	if f.Fixed != "" {
		out += " (fixed in " + f.Fixed + ")"
	}
	return out
}

// ImagesOf gives the image of each component that the reports of one commit name. Where pipelines differ, the one whose name sorts last counts.
func ImagesOf(reports []CIReport) map[string]string {
	out := map[string]string{}
	for _, r := range slices.SortedFunc(slices.Values(reports), func(a, b CIReport) int { return strings.Compare(a.Pipeline, b.Pipeline) }) {
		for _, x := range r.Images {
			out[x.Component] = x.Reference
		}
	}
	return out
}

// GateVerdict sums gates up: the state of the whole, and what people are told of those that are not open.
func GateVerdict(gates []Gate) (GateState, string) {
	state := GateOpen
	var closed, waiting []string
	for _, g := range gates {
		switch g.State {
		case GateClosed:
			closed = append(closed, g.Message)
		case GateWaiting:
			waiting = append(waiting, g.Message)
		}
	}
	switch {
	case len(closed) > 0:
		return GateClosed, strings.Join(append(closed, waiting...), "; ")
	case len(waiting) > 0:
		return GateWaiting, strings.Join(waiting, "; ")
	}
	return state, ""
}

func cutText(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
