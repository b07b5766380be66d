package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// defaultProject is the one that a bare name belongs to.
const defaultProject = "default"

// refOf is what names an environment on a command line.
func refOf(e sdk.Environment) string {
	if e.Project == defaultProject {
		return e.Name
	}
	return e.Project + "/" + e.Name
}

func phaseCell(p sdk.Phase) cell {
	c := cell{text: dash(string(p))}
	switch p {
	case sdk.Ready:
		c.colour = green
	case sdk.Failed, sdk.Degraded:
		c.colour = red
	case sdk.Terminated, sdk.Sleeping:
		c.colour = grey
	default:
		c.colour = yellow
	}
	return c
}

func environmentTable(now time.Time, wide bool, envs []sdk.Environment) table {
	t := table{head: []string{"NAME", "PROJECT", "PHASE", "EXPIRES", "AGE", "OWNER", "HOSTS"}, empty: "no environments"}
	if wide {
		t.head = []string{"NAME", "PROJECT", "PHASE", "REASON", "TARGET", "NAMESPACE", "REVISION", "DRIFT", "EXPIRES", "CREATED", "OWNER", "LABELS", "ID", "HOSTS"}
	}
	for _, e := range envs {
		row := []cell{plainCell(e.Name), plainCell(e.Project), phaseCell(e.Phase)}
		hosts := plainCell(strings.Join(e.Hosts, ","))
		if wide {
			row = append(row, plainCell(e.Reason), plainCell(e.Target), plainCell(e.Namespace), plainCell(fmt.Sprintf("%d/%d", e.SyncedRevision, e.Revision)),
				driftCell(e.Drift), plainCell(exact(e.ExpiresAt)), plainCell(exact(e.CreatedAt)), plainCell(e.Owner), plainCell(dash(strings.Join(labelLines(e.Labels), ","))), plainCell(e.ID), hosts)
		} else {
			row = append(row, plainCell(relative(now, e.ExpiresAt)), plainCell(span(now.Sub(e.CreatedAt))), plainCell(e.Owner), hosts)
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// driftCell says since when something on the target differs.
func driftCell(d sdk.EnvironmentDrift) cell {
	if d.Since.IsZero() {
		return cell{text: "-"}
	}
	return cell{"since " + exact(d.Since), yellow}
}

// printEnvironment prints one environment with its conditions.
func (s *shared) printEnvironment(e sdk.Environment) error {
	colours := s.streams.colours(s.streams.OutTerminal)
	return s.print(result{value: e, names: []string{refOf(e)}, text: func(w io.Writer, wide bool) {
		describe(w, s.streams.Now(), e, wide, colours)
	}})
}

func describe(w io.Writer, now time.Time, e sdk.Environment, wide, colours bool) {
	when := func(t time.Time) string {
		if wide {
			return exact(t)
		}
		return relative(now, t)
	}
	line := func(name, value string) {
		if value != "" && value != "-" {
			fmt.Fprintf(w, "%-11s %s\n", name, value)
		}
	}
	phase := phaseCell(e.Phase)
	text := phase.text
	if colours {
		text = paint(phase.colour, text)
	}
	line("name", plainText(e.Name))
	line("project", plainText(e.Project))
	line("kind", plainText(e.Kind))
	if e.Restricted {
		line("restricted", "runs code that nobody vouches for: no secrets, no token, no way out, no shell")
	}
	line("phase", fmt.Sprintf("%s, %s", text, when(e.PhaseSince)))
	line("why", plainText(strings.TrimSuffix(e.Reason+": "+e.Message, ": ")))
	line("cause", plainText(e.Cause))
	expires := when(e.ExpiresAt)
	if e.Lease.PinnedBy != "" {
		expires += ", pinned by " + plainText(e.Lease.PinnedBy)
	}
	line("expires", expires)
	if e.Sleep.Asleep {
		line("asleep", plainText(fmt.Sprintf("since %s, by %s (%s)", when(e.Sleep.Since), first(e.Sleep.Why, "hand"), e.Sleep.By)))
	}
	line("created", when(e.CreatedAt)+" by "+plainText(e.Owner))
	line("terminated", when(e.TerminatedAt))
	line("labels", plainText(strings.Join(labelLines(e.Labels), ", ")))
	line("target", plainText(e.Target+", namespace "+e.Namespace))
	line("source", plainText(sourceText(e.Source)))
	line("blueprint", plainText(e.BlueprintRef))
	line("config", plainText(strings.Join(e.ConfigSets, ", ")))
	line("branch", plainText(e.Branch))
	for _, r := range e.Repositories {
		line("repository", plainText(repositoryText(r)))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Commits)) {
		line("runs", plainText(name+" of "+e.Commits[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Images)) {
		line("image", plainText(name+" as "+e.Images[name]))
	}
	if c := e.Cost; c != nil {
		line("cost", plainText(costText(e)))
		for _, x := range c.Others {
			line("", plainText(fmt.Sprintf("and %s %s before the prices were told in %s", sdk.CentsText(x.Amount), x.Currency, c.Currency)))
		}
	} else if wide {
		line("cost", "not known: no prices are set for its target")
	}
	line("drift", driftText(e.Drift, when))
	line("revision", fmt.Sprintf("%d, of which the target holds %d", e.Revision, e.SyncedRevision))
	line("commit", plainText(e.Commit))
	for _, h := range e.Hosts {
		line("host", plainText(h))
	}
	line("id", plainText(e.ID))
	fmt.Fprintln(w)
	t := table{head: []string{"CONDITION", "STATUS", "SINCE", "WHY"}, empty: "no conditions"}
	for _, c := range e.Conditions {
		status := cell{text: dash(c.Status), colour: grey}
		switch c.Status {
		case "True":
			status.colour = green
		case "False":
			status.colour = yellow
		}
		t.rows = append(t.rows, []cell{plainCell(c.Type), status, plainCell(when(c.Since)), plainCell(strings.TrimSuffix(c.Reason+": "+c.Message, ": "))})
	}
	_ = t.print(w, colours) // the output may be closed: nobody is there to be told
	if c := e.Cost; c != nil && wide {
		fmt.Fprintln(w)
		_ = costTable(*c).print(w, colours)
		for _, x := range c.NotCounted {
			fmt.Fprintln(w, plainText("not counted: "+x))
		}
	}
}

// driftText says what is done about drift, and since when there is some.
func driftText(d sdk.EnvironmentDrift, when func(time.Time) string) string {
	mode := map[string]string{"repair": "put back at once", "report": "told and left alone"}[d.Mode]
	if d.Since.IsZero() {
		return "none; " + first(mode, plainText(d.Mode))
	}
	return strings.TrimSuffix("since "+when(d.Since)+"; "+mode, "; ")
}

func sourceText(src sdk.Source) string {
	if src.Repository == "" {
		return ""
	}
	text := src.Repository
	if src.Path != "" {
		text += ", " + src.Path
	}
	at := strings.TrimSpace(src.Ref)
	if src.Commit != "" {
		at = strings.TrimSpace(at + " " + src.Commit[:min(12, len(src.Commit))])
	}
	if at != "" {
		text += ", at " + at
	}
	return text
}

// note says something on the way; not when quiet.
func (s *shared) note(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.streams.Err, format+"\n", args...)
	}
}

// repositoryText says which commit of a repository of the blueprint was taken.
func repositoryText(r sdk.SourceRepository) string {
	ref := strings.TrimPrefix(r.Ref, "refs/heads/")
	if ref == "" {
		ref = "default branch"
	}
	return fmt.Sprintf("%s %s at %.12s", r.Name, ref, r.Commit)
}
