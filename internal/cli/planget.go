package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type planGetOptions struct{ *shared }

func newPlanGet(s *shared) *cobra.Command {
	o := &planGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show a plan",
		Long:    `Shows what a plan would do: the objects field by field, the effective values with what sets them, quota, capacity, policies, warnings and the lease. With -o wide nothing is left out, and its inputs are listed: when one of them moves, the plan is not applied any more.`,
		Example: `  blueberry plan get pln_06d5xw7k3c8qf2v9m4n1r0t6ya -o wide`,
		Args:    exactly(1),
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *planGetOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	plan, err := client.GetPlan(ctx, id)
	if err != nil {
		return err
	}
	return o.print(o.planResult(plan))
}
