package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type ciListOptions struct {
	*shared
	limitFlags
	filter sdk.CIReportFilter
	repo   string
}

func newCIList(s *shared) *cobra.Command {
	o := &ciListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List what CI says of commits", Aliases: []string{"ls"}, Args: exactly(0),
		Long: `Lists reports of CI, newest first: of each pipeline and commit, what its newest run said. They are kept for 90 days.`,
		Example: `  blueberry ci list --repo acme/shop --branch main
  blueberry ci list --repo acme/shop --commit 9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b -o wide`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	f.StringVar(&o.repo, "repo", "", "only of this repository: its name in the project, or its id")
	f.StringVar(&o.filter.Commit, "commit", "", "only of the commit with this whole name")
	f.StringVar(&o.filter.Branch, "branch", "", "only of this branch")
	f.StringVar(&o.filter.Pipeline, "pipeline", "", "only of this pipeline")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("repo", s.completeRepositories))
	return c
}

func (o *ciListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.filter.Repository, err = repositoryID(ctx, client, o.filter.Project, o.repo); err != nil {
		return err
	}
	o.filter.Limit = o.page()
	reports, err := take(o.shared, o.limitFlags, client.AllCIReports(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: reports, names: each(reports, func(r sdk.CIReport) string { return r.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "COMMIT", "BRANCH", "PIPELINE", "RUN", "STAGES", "TESTS", "COVERAGE", "SCAN", "UPDATED"}, empty: "no reports"}
		if wide {
			t.head = append(t.head, "PROJECT", "REPOSITORY", "IMAGES", "PAGE")
		}
		for _, r := range reports {
			commit := r.Commit
			if !wide {
				commit = commit[:min(len(commit), 12)]
			}
			row := []cell{
				plainCell(r.ID), plainCell(commit), plainCell(r.Branch), plainCell(r.Pipeline), plainCell(runText(r.Run)), stagesCell(r.Stages), testsCell(r.Tests),
				plainCell(coverageText(r.Coverage)), scanCell(r.Scans), plainCell(o.when(r.UpdatedAt, wide)),
			}
			if wide {
				row = append(row, plainCell(r.Project), plainCell(r.RepositoryID), plainCell(strconv.Itoa(len(r.Images))), plainCell(r.Run.URL))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

func runText(r sdk.CIRun) string {
	if r.Number > 0 {
		return strconv.FormatInt(r.Number, 10)
	}
	return r.ID
}

// stagesCell counts stages, and names those that failed.
func stagesCell(stages []sdk.CIStage) cell {
	if len(stages) == 0 {
		return plainCell("-")
	}
	var failed []string
	passed, running := 0, 0
	for _, x := range stages {
		switch x.Status {
		case "failed":
			failed = append(failed, x.Name)
		case "running":
			running++
		case "passed":
			passed++
		}
	}
	c := plainCell(strconv.Itoa(passed) + " of " + strconv.Itoa(len(stages)) + " passed")
	switch {
	case len(failed) > 0:
		c = plainCell("failed: " + strings.Join(failed, ", "))
		c.colour = red
	case running > 0:
		c.colour = yellow
	}
	return c
}

func testsCell(tests []sdk.CITests) cell {
	if len(tests) == 0 {
		return plainCell("-")
	}
	passed, bad := 0, 0
	for _, x := range tests {
		passed += x.Passed
		bad += x.Failed + x.Errors
	}
	c := plainCell(strconv.Itoa(passed) + " passed")
	if bad > 0 {
		c = plainCell(strconv.Itoa(bad) + " of " + strconv.Itoa(bad+passed) + " failed")
		c.colour = red
	}
	return c
}

func coverageText(list []sdk.CICoverage) string {
	var out []string
	for _, x := range list {
		out = append(out, x.Percent+" %")
	}
	return dash(strings.Join(out, ", "))
}

func scanCell(scans []sdk.CIScan) cell {
	if len(scans) == 0 {
		return plainCell("-")
	}
	var sum sdk.FindingCounts
	for _, x := range scans {
		sum.Critical += x.Counts.Critical
		sum.High += x.Counts.High
		sum.Medium += x.Counts.Medium
		sum.Low += x.Counts.Low
		sum.Unknown += x.Counts.Unknown
	}
	c := plainCell(countsText(sum))
	if sum.Critical > 0 {
		c.colour = red
	}
	return c
}

// countsText tells critical and high findings always, and others where there are some.
func countsText(c sdk.FindingCounts) string {
	out := strconv.Itoa(c.Critical) + " critical " + strconv.Itoa(c.High) + " high"
	for _, x := range []struct {
		n    int
		name string
	}{{c.Medium, "medium"}, {c.Low, "low"}, {c.Unknown, "unknown"}} {
		if x.n > 0 {
			out += " " + strconv.Itoa(x.n) + " " + x.name
		}
	}
	return out
}
