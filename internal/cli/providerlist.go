package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type providerListOptions struct{ *shared }

func newProviderList(s *shared) *cobra.Command {
	o := &providerListOptions{s}
	return &cobra.Command{
		Use: "list", Short: "List identity providers", Aliases: []string{"ls"},
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *providerListOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListIdentityProviders(ctx)
	if err != nil {
		return err
	}
	return o.print(result{value: found.Items, names: each(found.Items, func(p sdk.IdentityProvider) string { return p.Name }), table: func(wide bool) table {
		t := table{head: []string{"NAME", "KIND", "LABEL", "SIGN UP", "DISABLED"}, empty: "no identity providers"}
		if wide {
			t.head = append(t.head, "ISSUER", "CLIENT", "REDIRECT URL")
		}
		for _, p := range found.Items {
			row := []cell{plainCell(p.Name), plainCell(p.Kind), plainCell(p.Label), yesNo(p.SignUp), yesNo(p.Disabled)}
			if wide {
				row = append(row, plainCell(p.Issuer), plainCell(p.ClientID), plainCell(p.RedirectURL))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// completeProviders gives the names of identity providers.
func (s *shared) completeProviders(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListIdentityProviders(ctx)
		return each(page.Items, func(p sdk.IdentityProvider) cobra.Completion {
			return cobra.CompletionWithDesc(p.Name, plainText(p.Label))
		}), err
	})
}
