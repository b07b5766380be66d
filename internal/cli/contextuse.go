package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type contextUseOptions struct{ *shared }

func newContextUse(s *shared) *cobra.Command {
	o := &contextUseOptions{s}
	return &cobra.Command{
		Use: "use NAME", Short: "Make a context the current one",
		Example:           `  blueberry context use prod`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeContexts,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
}

func (o *contextUseOptions) run(ctx context.Context, args []string) error {
	x, err := o.contextOf(args)
	if err != nil {
		return err
	}
	if err := o.changeContexts(ctx, func(all *contexts) error { all.Current = x.Name; return nil }); err != nil {
		return err
	}
	return o.print(said(x, x.Name, "context "+x.Name+" is the current one: "+x.Server))
}
