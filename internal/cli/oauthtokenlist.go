package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type oauthTokenListOptions struct {
	*shared
	limitFlags
	user   string
	filter sdk.OAuthTokenFilter
}

func newOAuthTokenList(s *shared) *cobra.Command {
	o := &oauthTokenListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List what was issued to OAuth clients", Aliases: []string{"ls"},
		Long: `Lists the codes and tokens that OAuth clients got for oneself, or for a user, with the state of each, newest first. Those of one consent or login are a family, and end together.`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().StringVar(&o.user, "user", "", "those of this user, by address or id; * for all; else one's own")
	must(c.RegisterFlagCompletionFunc("user", s.completeUsers))
	c.Flags().StringVar(&o.filter.Client, "client", "", "only those of this OAuth client")
	c.Flags().StringVar(&o.filter.Family, "family", "", "only those of this family")
	must(c.RegisterFlagCompletionFunc("client", s.completeOAuthClients))
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *oauthTokenListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.filter.User, err = o.userID(ctx, client, o.user); err != nil {
		return err
	}
	o.filter.Limit = o.page()
	tokens, err := take(o.shared, o.limitFlags, client.AllOAuthTokens(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: tokens, names: each(tokens, func(t sdk.OAuthToken) string { return t.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "KIND", "CLIENT", "STATE", "SINCE", "EXPIRES", "LAST USED"}, empty: "no OAuth tokens"}
		if wide {
			t.head = append(t.head, "FAMILY", "USER", "SCOPES")
		}
		for _, x := range tokens {
			row := []cell{
				plainCell(x.ID), plainCell(x.Kind), plainCell(x.ClientID), plainCell(x.State), plainCell(o.when(x.Since, wide)), plainCell(o.when(x.ExpiresAt, wide)),
				plainCell(o.when(x.LastUsedAt, wide)),
			}
			if wide {
				row = append(row, plainCell(x.Family), plainCell(x.UserID), cell{text: list(x.Scopes, "none")})
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}
