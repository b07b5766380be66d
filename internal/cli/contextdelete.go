package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type contextDeleteOptions struct {
	*shared
	yes bool
}

func newContextDelete(s *shared) *cobra.Command {
	o := &contextDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete NAME", Short: "Forget a context",
		Long:              `Forgets a server and the login there. The login is not revoked at the server: blueberry logout does that. It asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeContexts,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *contextDeleteOptions) run(ctx context.Context, args []string) error {
	x, err := o.contextOf(args)
	if err != nil {
		return err
	}
	what := "This forgets the server " + x.Server + "."
	if x.Store != "" {
		what = "This forgets the server " + x.Server + " and the login there, which is not revoked: blueberry logout --context " + x.Name + " does that."
	}
	if sure, err := o.agreed(o.yes, what); err != nil || !sure {
		return err
	}
	err = o.changeContexts(ctx, func(all *contexts) error {
		all.remove(x.Name)
		if all.Current == x.Name {
			all.Current = ""
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := o.forgetCredential(x); err != nil {
		return err
	}
	return o.print(deletedResult(x, x.Name))
}
