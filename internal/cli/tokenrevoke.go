package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type tokenRevokeOptions struct {
	*shared
	yes bool
}

func newTokenRevoke(s *shared) *cobra.Command {
	o := &tokenRevokeOptions{shared: s}
	c := &cobra.Command{
		Use: "revoke TOKEN", Short: "Revoke an API token",
		Long:              `Ends an API token at once, on every server. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeTokens,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *tokenRevokeOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	t, err := o.tokenOf(ctx, client, arg)
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This ends API token %s (%s), last used %s: what uses it is refused from then on.", plainText(t.Name), plainText(t.ID), relative(o.streams.Now(), t.LastUsedAt))); err != nil || !sure {
		return err
	}
	if err := client.RevokeAPIToken(ctx, t.ID); err != nil {
		return err
	}
	return o.print(said(t, t.ID, "revoked API token "+t.Name))
}
