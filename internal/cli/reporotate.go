package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type repoRotateOptions struct {
	oneRepository
	secretStdin bool
}

func newRepoRotate(s *shared) *cobra.Command {
	o := &repoRotateOptions{oneRepository: oneRepository{shared: s}}
	c := o.command(&cobra.Command{
		Use: "rotate NAME", Short: "Make a new webhook secret",
		Long: `Makes a new webhook secret, and prints it with the URL of the webhook: it is not shown again. The former one works for a week more, so that the host can be told at leisure; one before that ends now. NAME is a name or an id.`,
	}, o.run)
	c.Flags().BoolVar(&o.secretStdin, "secret-stdin", false, "read the secret from the input, or ask for it; else the server makes one")
	return c
}

func (o *repoRotateOptions) run(ctx context.Context, arg string) error {
	secret, err := o.webhookSecret(o.secretStdin)
	if err != nil {
		return err
	}
	client, r, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	made, err := client.RotateRepositorySecret(ctx, r.ID, sdk.RotateRepositorySecretRequest{Secret: secret})
	if err != nil {
		return err
	}
	return o.tellSecret(made)
}
