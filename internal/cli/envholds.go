package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envHoldsOptions struct {
	*shared
	project string
}

func newEnvHolds(s *shared) *cobra.Command {
	o := &envHoldsOptions{shared: s}
	c := &cobra.Command{
		Use: "holds NAME", Short: "List what a rollback keeps away from an environment",
		Long:              "Lists the inputs that are held: commits and versions that a rollback took away, and that nothing automatic brings back until `blueberry env release-hold` lets it.",
		Example:           `  blueberry env holds pr-42`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the environment")
	return c
}

func (o *envHoldsOptions) run(ctx context.Context, ref string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, true)
	if err != nil {
		return err
	}
	found, err := client.ListEnvironmentHolds(ctx, env.ID)
	if err != nil {
		return err
	}
	return o.print(o.holdsResult(found.Items))
}

func (s *shared) holdsResult(holds []sdk.Hold) result {
	names := each(holds, func(h sdk.Hold) string { return h.Value })
	return result{value: holds, names: names, table: func(wide bool) table {
		t := table{head: []string{"KIND", "NAME", "VALUE", "SINCE", "BY", "REASON"}, empty: "no holds"}
		for _, h := range holds {
			when, value := relative(s.streams.Now(), h.Since), h.Value
			if wide {
				when = exact(h.Since)
			} else if h.Kind == "commit" {
				value = shortCommit(value, false)
			}
			t.rows = append(t.rows, []cell{plainCell(h.Kind), plainCell(h.Name), plainCell(value), plainCell(when), plainCell(h.By), plainCell(h.Reason)})
		}
		return t
	}}
}
