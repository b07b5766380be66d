package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type userInviteOptions struct{ *shared }

func newUserInvite(s *shared) *cobra.Command {
	o := &userInviteOptions{s}
	return &cobra.Command{
		Use: "invite USER", Short: "Send the invitation again",
		Long:              `Sends the invitation of a user who has not come in yet again. Links before it stop working. Where no mail is set up, the link to pass on is printed, once.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeUsers,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *userInviteOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	made, err := client.InviteUser(ctx, arg)
	if err != nil {
		return err
	}
	return o.invited(made)
}
