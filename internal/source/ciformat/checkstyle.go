package ciformat

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// readCheckstyle reads errors, warnings and infos by file.
func readCheckstyle(e *elements) (*blueberry.CIScan, error) {
	out, file := &blueberry.CIScan{Tool: "checkstyle"}, ""
	for {
		t, err := e.next()
		if err != nil {
			return nil, whole(err)
		}
		switch {
		case t.start != nil && t.name == "file":
			file = name(attr(t.start, "name")) // short: it is repeated for each error
		case t.start != nil && e.within("file", "error"):
			severity := map[string]blueberry.FindingSeverity{
				"error": blueberry.SeverityHigh, "warning": blueberry.SeverityMedium, "info": blueberry.SeverityLow, "ignore": "",
			}
			s, known := severity[attr(t.start, "severity")]
			if !known {
				s = blueberry.SeverityHigh // what the format says of one that is left out
			}
			if s == "" {
				continue
			}
			at := file
			if n := attr(t.start, "line"); n != "" {
				at += ":" + n
			}
			add(out, blueberry.Finding{ID: nonEmpty(name(attr(t.start, "source")), "checkstyle"), Severity: s, Location: name(at), Title: line(attr(t.start, "message"))}, blueberry.MaxCILints)
		case t.end && len(e.path) == 0:
			return out, nil
		}
	}
}

// add counts a finding, and keeps it while there is room for some of its severity: the worst of all are chosen in the end.
func add(s *blueberry.CIScan, f blueberry.Finding, most int) {
	s.Counts.Add(f.Severity, 1)
	if s.Findings = append(s.Findings, f); len(s.Findings) >= 2*most {
		*s = s.Keep(most)
	}
}
