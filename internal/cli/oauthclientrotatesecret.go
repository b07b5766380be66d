package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type oauthClientRotateSecretOptions struct {
	*shared
	yes bool
}

func newOAuthClientRotateSecret(s *shared) *cobra.Command {
	o := &oauthClientRotateSecretOptions{shared: s}
	c := &cobra.Command{
		Use: "rotate-secret ID", Short: "Give an OAuth client another secret",
		Long:              `Gives an OAuth client another secret, which is shown once, alone on the output. The one before stops working at once. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeOAuthClients,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *oauthClientRotateSecretOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	x, err := client.GetOAuthClient(ctx, arg)
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This replaces the secret of %s (%s): the one before stops working at once.", plainText(x.Name), plainText(x.ID))); err != nil || !sure {
		return err
	}
	made, err := client.RotateOAuthClientSecret(ctx, x.ID)
	if err != nil {
		return err
	}
	return o.madeClient(made, "gave another secret to")
}
