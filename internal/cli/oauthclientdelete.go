package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type oauthClientDeleteOptions struct {
	*shared
	yes bool
}

func newOAuthClientDelete(s *shared) *cobra.Command {
	o := &oauthClientDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete ID", Short: "Delete an OAuth client",
		Long:              `Removes an OAuth client with its tokens and with what users allowed it. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeOAuthClients,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *oauthClientDeleteOptions) run(ctx context.Context, arg string) error {
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
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This removes OAuth client %s (%s) with its tokens.", plainText(x.Name), plainText(x.ID))); err != nil || !sure {
		return err
	}
	if err := client.DeleteOAuthClient(ctx, x.ID, sdk.IfMatch(x.Version)); err != nil {
		return err
	}
	return o.print(deletedResult(x, x.ID))
}
