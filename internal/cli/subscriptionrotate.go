package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type subscriptionRotateOptions struct {
	oneSubscription
	secretStdin bool
}

func newSubscriptionRotate(s *shared) *cobra.Command {
	o := &subscriptionRotateOptions{oneSubscription: oneSubscription{shared: s}}
	c := o.command(&cobra.Command{
		Use: "rotate NAME", Short: "Make a new secret of a webhook",
		Long:    `Makes a new secret of a webhook, and prints it: it is not shown again. For a week what is sent is signed by the former one, too, so that the receiver can be told at leisure; one before that ends now. NAME is a name or an id.`,
		Example: `  blueberry subscription rotate ci`,
	}, o.run)
	c.Flags().BoolVar(&o.secretStdin, "secret-stdin", false, "read the secret from the input, or ask for it; else the server makes one")
	return c
}

func (o *subscriptionRotateOptions) run(ctx context.Context, arg string) error {
	secret, err := o.webhookSecret(o.secretStdin)
	if err != nil {
		return err
	}
	client, x, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	made, err := client.RotateSubscription(ctx, x.ID, sdk.RotateSubscriptionRequest{Secret: secret})
	if err != nil {
		return err
	}
	return o.tellSubscriptionSecret(made)
}
