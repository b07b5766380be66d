package source

import (
	"fmt"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// with adds what CI says of the commit, and how the gates stand.
func (w word) with(ci CIStanding) word {
	line := ci.Totals.Line()
	if line == "" && len(ci.Reports) == 0 && len(ci.Gates) == 0 {
		return w
	}
	if line != "" {
		w.status.Description = cut(w.status.Description+"; CI: "+line, MaxStatusText)
	}
	var b strings.Builder
	b.WriteString(w.comment)
	if line != "" {
		fmt.Fprintf(&b, "\nCI: %s\n", plain(line))
	}
	if stages := stagesText(ci.Reports); stages != "" {
		fmt.Fprintf(&b, "\nStages: %s\n", stages)
	}
	for _, g := range ci.Gates {
		fmt.Fprintf(&b, "\nGate `%s` is %s: %s\n", g.Name, g.State, plain(cut(g.Message, 1000)))
	}
	w.comment = b.String()
	return w
}

// maxStagesTold is how many stages stand in a comment.
const maxStagesTold = 30

// stagesText is one line of the stages of every pipeline.
func stagesText(reports []blueberry.CIReport) string {
	var out []string
	more := 0
	for _, r := range reports {
		for _, x := range r.Stages {
			if len(out) == maxStagesTold {
				more++
				continue
			}
			mark := map[blueberry.CIStatus]string{blueberry.CIPassed: "✓", blueberry.CIFailed: "✗", blueberry.CIRunning: "…", blueberry.CISkipped: "–"}[x.Status]
			out = append(out, plain(x.Name)+" "+mark)
		}
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}
