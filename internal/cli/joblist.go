package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type jobListOptions struct {
	*shared
	filter sdk.JobFilter
	limit  int
	all    bool
}

func newJobList(s *shared) *cobra.Command {
	o := &jobListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List jobs", Aliases: []string{"ls"},
		Long:    `Lists jobs, newest first. --state dead lists those that failed as often as they may and wait for a retry by hand.`,
		Example: `  blueberry job list --state dead`,
		Args:    exactly(0),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Kind, "kind", "", "only of this kind")
	f.StringVar(&o.filter.Subject, "subject", "", "only about this: the id of an environment")
	f.StringSliceVar(&o.filter.States, "state", nil, "only in these states")
	f.IntVar(&o.limit, "limit", 50, "at most so many")
	f.BoolVar(&o.all, "all", false, "as many as there are")
	must(c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"waiting", "running", "retrying", "dead", "completed", "cancelled"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *jobListOptions) run(ctx context.Context) error {
	if o.limit < 1 {
		return usageErrorf("--limit must be at least 1")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	o.filter.Limit = maxPage
	if !o.all {
		o.filter.Limit = min(o.limit, maxPage)
	}
	jobs := []sdk.Job{}
	for j, err := range client.AllJobs(ctx, o.filter) {
		if err != nil {
			return err
		}
		if !o.all && len(jobs) == o.limit {
			defer o.note("there are more: --all lists them")
			break
		}
		jobs = append(jobs, j)
	}
	return o.print(result{value: jobs, names: jobNames(jobs), table: func(wide bool) table {
		t := table{head: []string{"ID", "KIND", "SUBJECT", "STATE", "ATTEMPT", "RUNS", "ERROR"}, empty: "no jobs"}
		if wide {
			t.head = []string{"ID", "KIND", "SUBJECT", "STATE", "ATTEMPT", "RUNS", "CREATED", "FINISHED", "ERROR"}
		}
		for _, j := range jobs {
			when := func(relative string, e string) cell {
				if wide {
					return plainCell(e)
				}
				return plainCell(relative)
			}
			row := []cell{
				plainCell(strconv.FormatInt(j.ID, 10)), plainCell(j.Kind), plainCell(j.Subject), stateCell(j.State),
				plainCell(fmt.Sprintf("%d/%d", j.Attempt, j.MaxAttempts)), when(relative(o.streams.Now(), j.RunAt), exact(j.RunAt)),
			}
			if wide {
				row = append(row, plainCell(exact(j.CreatedAt)), plainCell(exact(j.FinishedAt)))
			}
			t.rows = append(t.rows, append(row, plainCell(j.LastError)))
		}
		return t
	}})
}

func stateCell(state string) cell {
	c := plainCell(state)
	switch state {
	case "dead":
		c.colour = red
	case "retrying":
		c.colour = yellow
	case "completed":
		c.colour = green
	}
	return c
}

func jobNames(jobs []sdk.Job) []string {
	names := make([]string, len(jobs))
	for i, j := range jobs {
		names[i] = strconv.FormatInt(j.ID, 10)
	}
	return names
}

func jobID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id < 1 {
		return 0, usageErrorf("%q is not the number of a job", arg)
	}
	return id, nil
}

// printJob prints one job.
func (s *shared) printJob(j sdk.Job) error {
	return s.print(result{value: j, names: jobNames([]sdk.Job{j}), text: func(w io.Writer, wide bool) {
		when := func(e string, r string) string {
			if wide {
				return e
			}
			return r
		}
		now := s.streams.Now()
		fmt.Fprintf(w, "%-9s %d\n%-9s %s\n%-9s %s\n%-9s %s\n%-9s %d of %d\n", "id", j.ID, "kind", plainText(j.Kind), "subject", plainText(j.Subject),
			"state", plainText(j.State), "attempt", j.Attempt, j.MaxAttempts)
		fmt.Fprintf(w, "%-9s %s\n%-9s %s\n", "created", when(exact(j.CreatedAt), relative(now, j.CreatedAt)), "runs", when(exact(j.RunAt), relative(now, j.RunAt)))
		if !j.FinishedAt.IsZero() {
			fmt.Fprintf(w, "%-9s %s\n", "finished", when(exact(j.FinishedAt), relative(now, j.FinishedAt)))
		}
		if j.LastError != "" {
			fmt.Fprintf(w, "%-9s %s\n", "error", plainText(j.LastError))
		}
	}})
}
