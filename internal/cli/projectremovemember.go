package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type projectRemoveMemberOptions struct {
	*shared
	yes bool
}

func newProjectRemoveMember(s *shared) *cobra.Command {
	o := &projectRemoveMemberOptions{shared: s}
	c := &cobra.Command{
		Use: "remove-member NAME USER", Short: "Take the role of a user in a project",
		Long:              `Takes the role that a user was given in a project. What they have there by a group stays. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(2),
		ValidArgsFunction: s.completeMember,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0], args[1]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *projectRemoveMemberOptions) run(ctx context.Context, arg, second string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This takes the role of %s in project %s.", plainText(second), plainText(arg))); err != nil || !sure {
		return err
	}
	if err := client.RemoveProjectMember(ctx, arg, second); err != nil {
		return err
	}
	return o.print(said(map[string]string{"project": arg, "user": second}, second, "removed "+second+" from project "+arg))
}
