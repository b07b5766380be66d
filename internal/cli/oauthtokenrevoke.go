package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type oauthTokenRevokeOptions struct {
	*shared
	yes bool
}

func newOAuthTokenRevoke(s *shared) *cobra.Command {
	o := &oauthTokenRevokeOptions{shared: s}
	c := &cobra.Command{
		Use: "revoke ID", Short: "Revoke an OAuth token",
		Long: `Ends a token, at once, on every server: a refresh token or a code with all of its family, which is what came of the same consent or login; an access token alone. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *oauthTokenRevokeOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This ends OAuth token %s, and all of its family unless it is an access token.", plainText(arg))); err != nil || !sure {
		return err
	}
	if err := client.RevokeOAuthToken(ctx, arg); err != nil {
		return err
	}
	return o.print(said(map[string]string{"id": arg}, arg, "revoked OAuth token "+arg))
}
