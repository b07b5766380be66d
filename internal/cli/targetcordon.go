package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type targetCordonOptions struct {
	*shared
	reason string
}

func newTargetCordon(s *shared) *cobra.Command {
	o := &targetCordonOptions{shared: s}
	c := &cobra.Command{
		Use: "cordon NAME", Short: "Keep new environments away from a target", Args: exactly(1), ValidArgsFunction: s.completeTargets,
		Long:    `Keeps new environments away from a target. Those that are there live on, and can be changed.`,
		Example: `  blueberry target cordon eu --reason "its nodes are replaced"`,
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.reason, "reason", "", "why; people see it when they ask for an environment there")
	return c
}

func (o *targetCordonOptions) run(ctx context.Context, name string) error {
	if o.reason == "" {
		return usageErrorf("--reason is needed")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	t, err := client.CordonTarget(ctx, name, sdk.CordonTargetRequest{Reason: o.reason})
	if err != nil {
		return err
	}
	return o.print(o.targetResult(t))
}
