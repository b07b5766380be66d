package ciformat

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// sarif is what is read of a log of SARIF 2.1.0.
type sarif struct {
	Runs []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver     sarifComponent   `json:"driver"`
		Extensions []sarifComponent `json:"extensions"`
	} `json:"tool"`
	Results     []sarifResult `json:"results"` // nil when the tool did not come to look for any
	Invocations []struct {
		Successful *bool `json:"executionSuccessful"`
	} `json:"invocations"`
}

type sarifComponent struct {
	Name  string      `json:"name"`
	Rules []sarifRule `json:"rules"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	Default          struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
	Properties sarifProperties `json:"properties"`
}

type sarifProperties struct {
	Security json.RawMessage `json:"security-severity"` // a text with a number in it, or the number itself
}

type sarifResult struct {
	RuleID    string `json:"ruleId"`
	RuleIndex *int   `json:"ruleIndex"`
	Rule      struct {
		ID        string `json:"id"`
		Index     *int   `json:"index"`
		Component struct {
			Index *int `json:"index"`
		} `json:"toolComponent"`
	} `json:"rule"`
	Kind         string    `json:"kind"`
	Level        string    `json:"level"`
	Baseline     string    `json:"baselineState"`
	Message      sarifText `json:"message"`
	Suppressions []struct {
		Status string `json:"status"`
	} `json:"suppressions"`
	Locations []struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				Line int `json:"startLine"`
			} `json:"region"`
		} `json:"physicalLocation"`
	} `json:"locations"`
	Properties sarifProperties `json:"properties"`
}

// readSARIF reads results. Those of a scan have the severity that their rule scores, or that of their level; whether the log is of a scan is told by what is
// asked for, or else by whether it scores anything.
func readSARIF(data []byte, kind Kind) (_ *blueberry.CIScan, security bool, err error) {
	var log sarif
	if err := decode(data, &log); err != nil {
		return nil, false, err
	}
	switch kind {
	case Scan:
		security = true
	case Lint:
	default:
		security = slices.ContainsFunc(log.Runs, sarifRun.scores)
	}
	out, most := &blueberry.CIScan{}, blueberry.MaxCILints
	if security && (len(log.Runs) == 0 || slices.ContainsFunc(log.Runs, sarifRun.failed)) {
		return nil, false, wrong("format", "is SARIF of a scan that did not come to its end: it has no run, or one without results or that failed")
	}
	if security {
		most = blueberry.MaxCIFindings
	}
	for _, run := range log.Runs {
		if out.Tool == "" {
			out.Tool = name(run.Tool.Driver.Name)
		}
		byID := map[string]sarifRule{}
		for _, c := range append([]sarifComponent{run.Tool.Driver}, run.Tool.Extensions...) {
			for _, r := range c.Rules {
				if _, ok := byID[r.ID]; !ok {
					byID[r.ID] = r
				}
			}
		}
		for _, x := range run.Results {
			if x.counts() {
				add(out, x.finding(run.ruleOf(x, byID), security), most)
			}
		}
	}
	return out, security, nil
}

// failed reports whether the tool did not come to its end, so that results that are not there mean nothing.
func (r sarifRun) failed() bool {
	for _, x := range r.Invocations {
		if x.Successful != nil && !*x.Successful {
			return true
		}
	}
	return r.Results == nil
}

// scores reports whether a run tells how bad anything is for security.
func (r sarifRun) scores() bool {
	scored := func(rule sarifRule) bool { return rule.Properties.Security != nil }
	return slices.ContainsFunc(r.Tool.Driver.Rules, scored) ||
		slices.ContainsFunc(r.Tool.Extensions, func(c sarifComponent) bool { return slices.ContainsFunc(c.Rules, scored) }) ||
		slices.ContainsFunc(r.Results, func(x sarifResult) bool { return x.Properties.Security != nil })
}

// ruleOf finds the rule of a result, by its index or by its id.
func (r sarifRun) ruleOf(x sarifResult, byID map[string]sarifRule) sarifRule {
	rules, index := r.Tool.Driver.Rules, x.RuleIndex
	if x.Rule.Index != nil {
		index = x.Rule.Index
	}
	if i := x.Rule.Component.Index; i != nil && *i >= 0 && *i < len(r.Tool.Extensions) {
		rules = r.Tool.Extensions[*i].Rules
	}
	id := nonEmpty(x.RuleID, x.Rule.ID)
	if index != nil && *index >= 0 && *index < len(rules) && (id == "" || rules[*index].ID == id) {
		return rules[*index]
	}
	rule, ok := byID[id]
	if !ok {
		rule.ID = id
	}
	return rule
}

// counts reports whether a result is one that something is wrong by: not one that passed, is of an earlier scan only, or is suppressed in the code.
func (x sarifResult) counts() bool {
	if x.Kind != "" && x.Kind != "fail" && x.Kind != "open" && x.Kind != "review" || x.Baseline == "absent" {
		return false
	}
	for _, s := range x.Suppressions {
		if s.Status == "" || s.Status == "accepted" {
			return false
		}
	}
	return true
}

func (x sarifResult) finding(rule sarifRule, security bool) blueberry.Finding {
	f := blueberry.Finding{ID: nonEmpty(name(nonEmpty(rule.ID, x.RuleID)), "unnamed"), Title: line(nonEmpty(rule.ShortDescription.Text, x.Message.Text))}
	if !security {
		f.Title = line(nonEmpty(x.Message.Text, rule.ShortDescription.Text))
	}
	if len(x.Locations) > 0 {
		p := x.Locations[0].Physical
		at := p.Artifact.URI
		if p.Region.Line > 0 {
			at += ":" + strconv.Itoa(p.Region.Line)
		}
		f.Location = name(at)
	}
	score := x.Properties.Security
	if score == nil {
		score = rule.Properties.Security
	}
	if s, ok := scored(score); ok && security {
		f.Severity = s
		return f
	}
	switch nonEmpty(x.Level, nonEmpty(rule.Default.Level, "warning")) {
	case "error":
		f.Severity = blueberry.SeverityHigh
	case "warning":
		f.Severity = blueberry.SeverityMedium
	case "note":
		f.Severity = blueberry.SeverityLow
	default:
		f.Severity = blueberry.SeverityUnknown
	}
	return f
}

// scored reads a score from 0 to 10, as code scanning at GitHub does: over 9 critical, 7 high, 4 medium.
func scored(raw json.RawMessage) (blueberry.FindingSeverity, bool) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	x, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(x >= 0): // also not a number
		return "", false
	case x >= 9:
		return blueberry.SeverityCritical, true
	case x >= 7:
		return blueberry.SeverityHigh, true
	case x >= 4:
		return blueberry.SeverityMedium, true
	case x > 0:
		return blueberry.SeverityLow, true
	}
	return blueberry.SeverityUnknown, true
}
