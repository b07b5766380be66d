package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type ciFindingsOptions struct {
	*shared
	severity string
	lint     bool
}

func newCIFindings(s *shared) *cobra.Command {
	o := &ciFindingsOptions{shared: s}
	c := &cobra.Command{
		Use: "findings ID", Short: "List what the scans of a report have found", Args: exactly(1), ValidArgsFunction: s.completeCIReports,
		Long: `Lists what the scans of a report of CI have found, the worst first; with --lint, what its lints have. Of a scan the worst 500 are kept, of a lint 100.`,
		Example: `  blueberry ci findings cir_06d5xw7k3c8qf2v9m4n1r0t6ya --severity high
  blueberry ci findings cir_06d5xw7k3c8qf2v9m4n1r0t6ya --lint -o json`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.severity, "severity", "", "only those that are as bad or worse: critical, high, medium, low or unknown")
	f.BoolVar(&o.lint, "lint", false, "of the lints")
	must(c.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions(severityWords(), cobra.ShellCompDirectiveNoFileComp)))
	return c
}

// severityWords are the severities, the worst first.
func severityWords() []string { return []string{"critical", "high", "medium", "low", "unknown"} }

// jobFinding is a finding with the job that has found it.
type jobFinding struct {
	Job  string `json:"job,omitempty" yaml:"job,omitempty"`
	Tool string `json:"tool,omitempty" yaml:"tool,omitempty"`
	sdk.Finding
}

func (o *ciFindingsOptions) run(ctx context.Context, id string) error {
	if o.severity != "" && !slices.Contains(severityWords(), o.severity) {
		return usageErrorf("--severity %q is not critical, high, medium, low or unknown", o.severity)
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	r, err := client.GetCIReport(ctx, id)
	if err != nil {
		return err
	}
	scans := r.Scans
	if o.lint {
		scans = r.Lints
	}
	rank := func(severity string) int { return slices.Index(severityWords(), severity) }
	found := []jobFinding{}
	total := 0
	for _, s := range scans {
		c := s.Counts
		total += c.Critical + c.High + c.Medium + c.Low + c.Unknown
		for _, x := range s.Findings {
			if o.severity == "" || rank(x.Severity) <= rank(o.severity) {
				found = append(found, jobFinding{s.Job, s.Tool, x})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b jobFinding) int { return rank(a.Severity) - rank(b.Severity) })
	if o.severity == "" && total > len(found) {
		o.note("%d were found, of which the worst %d are kept", total, len(found))
	}
	return o.print(result{value: found, names: each(found, func(x jobFinding) string { return x.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "SEVERITY", "PACKAGE", "INSTALLED", "FIXED", "LOCATION", "TITLE"}, empty: "no findings"}
		if wide {
			t.head = append([]string{"JOB", "TOOL"}, t.head...)
		}
		for _, x := range found {
			row := []cell{
				plainCell(x.ID), severityCell(x.Severity), plainCell(dash(x.Package)), plainCell(dash(x.Installed)), plainCell(dash(x.Fixed)), plainCell(dash(x.Location)), plainCell(x.Title),
			}
			if wide {
				row = append([]cell{plainCell(dash(x.Job)), plainCell(dash(strings.TrimSpace(x.Tool)))}, row...)
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

func severityCell(severity string) cell {
	c := plainCell(severity)
	switch severity {
	case "critical", "high":
		c.colour = red
	case "medium":
		c.colour = yellow
	}
	return c
}
