package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type providerGetOptions struct{ *shared }

func newProviderGet(s *shared) *cobra.Command {
	o := &providerGetOptions{s}
	return &cobra.Command{
		Use: "get NAME", Short: "Show an identity provider",
		Long:              `Shows an identity provider, and where it must send people back to. Its secret is never shown.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeProviders,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *providerGetOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.GetIdentityProvider(ctx, arg)
	if err != nil {
		return err
	}
	return o.print(providerResult(o.shared, p))
}

func providerResult(s *shared, p sdk.IdentityProvider) result {
	return result{value: p, names: []string{p.Name}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("name", p.Name)
		f.add("kind", p.Kind)
		f.add("label", p.Label)
		f.some("issuer", p.Issuer)
		f.some("client id", p.ClientID)
		f.add("client secret", yesNo(p.HasClientSecret).text)
		f.some("scopes", list(p.Scopes, ""))
		f.some("groups claim", p.GroupsClaim)
		f.some("domains", list(p.AllowedDomains, ""))
		f.add("sign up", yesNo(p.SignUp).text)
		f.flag("disabled", p.Disabled)
		f.some("redirect URL", p.RedirectURL)
		if wide {
			f.add("id", p.ID)
			f.add("updated", s.when(p.UpdatedAt, wide))
		}
		f.print(w)
	}}
}
