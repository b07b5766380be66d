package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type userDeleteOptions struct {
	*shared
	yes bool
}

func newUserDelete(s *shared) *cobra.Command {
	o := &userDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete USER", Short: "Delete a user who never signed in",
		Long:              `Removes the account of someone who never signed in. One who did stays in the record: user update --inactive takes all their rights. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeUsers,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *userDeleteOptions) run(ctx context.Context, arg string) error {
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
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This removes the account of %s.", plainText(u.Email))); err != nil || !sure {
		return err
	}
	if err := client.DeleteUser(ctx, u.ID, sdk.IfMatch(u.Version)); err != nil {
		return err
	}
	return o.print(deletedResult(u.User, u.Email))
}
