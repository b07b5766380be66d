package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type retentionOptions struct{ *shared }

func newRetention(s *shared) *cobra.Command {
	o := &retentionOptions{s}
	return &cobra.Command{
		Use: "retention", Short: "Show what is kept for how long, and what went", Args: exactly(0),
		Long: `Shows every rule of what is kept: for how long, when it ran last, when it runs next, and what went.`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *retentionOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListRetentionRules(ctx)
	if err != nil {
		return err
	}
	return o.print(result{value: found.Items, names: each(found.Items, func(r sdk.RetentionRule) string { return r.Name }), table: func(wide bool) table {
		t := table{head: []string{"RULE", "KEEPS", "FOR", "LAST RUN", "NEXT RUN", "WENT", "DETAIL"}, empty: "no rules"}
		now := o.streams.Now()
		for _, r := range found.Items {
			keep, last, next, went, detail := "-", "-", relative(now, r.NextRun), "-", plainCell("")
			if r.KeepHours > 0 {
				keep = span(time.Duration(r.KeepHours) * time.Hour)
			}
			if wide {
				next = exact(r.NextRun)
			}
			if run := r.LastRun; run != nil {
				last, went, detail = relative(now, run.Began), strconv.Itoa(run.Removed), plainCell(run.Detail)
				if wide {
					last = exact(run.Began)
				}
				if run.Error != "" {
					detail = cell{plainText(run.Error), red}
				}
			}
			t.rows = append(t.rows, []cell{plainCell(r.Name), plainCell(r.What), plainCell(keep), plainCell(last), plainCell(next), plainCell(went), detail})
		}
		return t
	}})
}
