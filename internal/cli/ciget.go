package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type ciGetOptions struct{ *shared }

func newCIGet(s *shared) *cobra.Command {
	o := &ciGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show what a pipeline says of a commit", Args: exactly(1), ValidArgsFunction: s.completeCIReports,
		Long: `Shows a report of CI: stages with their pages, images, tests with the first that failed, coverage, and how much scans and lints have found. blueberry ci findings lists that.`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *ciGetOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	r, err := client.GetCIReport(ctx, id)
	if err != nil {
		return err
	}
	return o.print(o.oneCIReport(r))
}

func (s *shared) oneCIReport(r sdk.CIReport) result {
	return result{value: r, names: []string{r.ID}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("report", r.ID)
		f.add("commit", r.Commit)
		f.some("branch", r.Branch)
		f.add("pipeline", r.Pipeline)
		f.some("run", runText(r.Run))
		f.some("page", r.Run.URL)
		f.some("provider", r.Run.Provider)
		f.some("began", s.when(r.Run.StartedAt, wide))
		for _, name := range slices.Sorted(maps.Keys(r.Images)) {
			f.add("image of "+plainText(name), plainText(r.Images[name]))
		}
		for _, x := range r.Tests {
			f.add(ofJob("tests", x.Job), fmt.Sprintf("%d passed, %d failed, %d errors, %d skipped, in %.1f s", x.Passed, x.Failed, x.Errors, x.Skipped, x.Seconds))
		}
		for _, x := range r.Coverage {
			f.add(ofJob("coverage", x.Job), fmt.Sprintf("%s %% (%d of %d)", x.Percent, x.Covered, x.Total))
		}
		for _, x := range r.Scans {
			f.add(ofJob("scan", x.Job), plainText(countsText(x.Counts)+", by "+first(x.Tool, "a tool without a name")))
		}
		for _, x := range r.Lints {
			f.add(ofJob("lint", x.Job), plainText(fmt.Sprintf("%d errors, %d warnings, %d notes, by %s", x.Counts.High, x.Counts.Medium, x.Counts.Low, first(x.Tool, "a tool without a name"))))
		}
		for _, x := range r.SBOMs {
			f.add(ofJob("bill of materials", x.Job), plainText(fmt.Sprintf("%s, %d components, %s", x.Format, x.Components, x.Digest)))
		}
		f.add("updated", s.when(r.UpdatedAt, wide))
		f.print(w)
		stages := table{head: []string{"STAGE", "STATUS", "SECONDS", "PAGE"}}
		for _, x := range r.Stages {
			stages.rows = append(stages.rows, []cell{plainCell(x.Name), stageCell(x.Status), plainCell(secondsText(x.Seconds)), plainCell(x.URL)})
		}
		s.below(w, stages)
		failures := table{head: []string{"DID NOT PASS", "WHY"}}
		for _, x := range r.Tests {
			for _, y := range x.Failures {
				failures.rows = append(failures.rows, []cell{plainCell(y.Name), plainCell(y.Message)})
			}
		}
		s.below(w, failures)
	}}
}

// ofJob names a part by the job that it is of.
func ofJob(what, job string) string {
	if job == "" {
		return what
	}
	return what + " of " + plainText(job)
}

func secondsText(seconds float64) string {
	if seconds == 0 {
		return "-"
	}
	return strconv.FormatFloat(seconds, 'f', 1, 64)
}

func stageCell(status string) cell {
	c := plainCell(status)
	switch status {
	case "passed":
		c.colour = green
	case "running":
		c.colour = yellow
	case "failed":
		c.colour = red
	}
	return c
}
