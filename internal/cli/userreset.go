package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type userResetOptions struct {
	*shared
	yes bool
}

func newUserReset(s *shared) *cobra.Command {
	o := &userResetOptions{shared: s}
	c := &cobra.Command{
		Use: "reset USER", Short: "Let a user choose a new password",
		Long:              `Takes the password and the second factor of a user, ends their sessions, and prints a link by which they choose a new password, once. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeUsers,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *userResetOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	u, err := client.GetUser(ctx, arg)
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This takes the password and the second factor of %s and ends their sessions.", plainText(u.Email))); err != nil || !sure {
		return err
	}
	link, err := client.ResetUser(ctx, u.ID)
	if err != nil {
		return err
	}
	return o.revealed(link, link.URL, fmt.Sprintf("pass this link on to %s: it works once, until %s, and is not shown again", plainText(u.Email), exact(link.ExpiresAt)))
}
