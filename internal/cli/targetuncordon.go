package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type targetUncordonOptions struct{ *shared }

func newTargetUncordon(s *shared) *cobra.Command {
	o := &targetUncordonOptions{s}
	return &cobra.Command{
		Use: "uncordon NAME", Short: "Let a target take new environments again", Args: exactly(1), ValidArgsFunction: s.completeTargets,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *targetUncordonOptions) run(ctx context.Context, name string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	t, err := client.UncordonTarget(ctx, name)
	if err != nil {
		return err
	}
	return o.print(o.targetResult(t))
}
