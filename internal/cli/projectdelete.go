package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type projectDeleteOptions struct {
	*shared
	yes bool
}

func newProjectDelete(s *shared) *cobra.Command {
	o := &projectDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete NAME", Short: "Delete a project",
		Long:              `Removes a project in which no environment lives, with its config sets, blueprints, policies, members, service accounts and their tokens. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeProjects,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *projectDeleteOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.GetProject(ctx, arg)
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This removes project %s with all that it holds: config sets, blueprints, policies, members, service accounts and their tokens.", plainText(p.Name))); err != nil || !sure {
		return err
	}
	if err := client.DeleteProject(ctx, p.Name, sdk.IfMatch(p.Version)); err != nil {
		return err
	}
	return o.print(deletedResult(p, p.Name))
}
