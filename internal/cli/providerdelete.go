package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type providerDeleteOptions struct {
	*shared
	yes bool
}

func newProviderDelete(s *shared) *cobra.Command {
	o := &providerDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete NAME", Short: "Delete an identity provider",
		Long:              `Removes an identity provider with the accounts there that users sign in with, and with the group rules of it. Whoever has no other way in cannot come in any more. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeProviders,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *providerDeleteOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.GetIdentityProvider(ctx, arg)
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This removes identity provider %s with the identities and group rules of it. Whoever has no other way in cannot come in any more.", plainText(p.Name))); err != nil || !sure {
		return err
	}
	if err := client.DeleteIdentityProvider(ctx, p.Name, sdk.IfMatch(p.Version)); err != nil {
		return err
	}
	return o.print(deletedResult(p, p.Name))
}
