package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type emergencyListOptions struct {
	*shared
	limitFlags
}

func newEmergencyList(s *shared) *cobra.Command {
	o := &emergencyListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List emergencies", Aliases: []string{"ls"},
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *emergencyListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := take(o.shared, o.limitFlags, client.AllEmergencies(ctx, sdk.IDWindow{Limit: o.page()}))
	if err != nil {
		return err
	}
	return o.print(result{value: found, names: each(found, func(e sdk.Emergency) string { return e.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "USER", "OPEN", "OPENED", "ENDS", "CLOSED", "REASON"}, empty: "no emergencies"}
		for _, e := range found {
			open := yesNo(e.Open)
			if e.Open {
				open.colour = red
			}
			t.rows = append(t.rows, []cell{
				plainCell(e.ID), plainCell(e.UserID), open, plainCell(o.when(e.OpenedAt, wide)), plainCell(o.when(e.EndsAt, wide)), plainCell(o.when(e.ClosedAt, wide)), plainCell(e.Reason),
			})
		}
		return t
	}})
}

// completeEmergencies gives emergencies.
func (s *shared) completeEmergencies(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListEmergencies(ctx, sdk.IDWindow{Limit: 20})
		return each(page.Items, func(e sdk.Emergency) cobra.Completion { return cobra.CompletionWithDesc(e.ID, plainText(e.Reason)) }), err
	})
}
