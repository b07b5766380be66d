package cli

import (
	"context"
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type providerSetOptions struct {
	*shared
	r          sdk.SetIdentityProviderRequest
	secretFile string
	noSecret   bool
	named      func(flag string) bool
}

func newProviderSet(s *shared) *cobra.Command {
	o := &providerSetOptions{shared: s}
	c := &cobra.Command{
		Use: "set NAME", Short: "Make or change an identity provider",
		Long: `Makes an identity provider, or changes what the flags name of one that is there. Its secret is read from a file, or with - from the terminal, where it is not shown, or from the input: never from the command line.`,
		Example: `  blueberry provider set google --kind oidc --issuer https://accounts.google.com --client-id 1234.apps.googleusercontent.com --client-secret-file -
  blueberry provider set github --kind github --client-id Iv1.1234 --client-secret-file secret.txt --sign-up --allowed-domain example.com
  blueberry provider set google --disabled`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeProviders,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.r.Kind, "kind", "", "how it is spoken to: oidc, firebase or github")
	f.StringVar(&o.r.Label, "label", "", "on the button; else its name")
	f.StringVar(&o.r.Issuer, "issuer", "", "URL of the issuer; of firebase the project id; of github the URL of an enterprise server")
	f.StringVar(&o.r.ClientID, "client-id", "", "as the provider knows this installation")
	f.StringVar(&o.secretFile, "client-secret-file", "", "file with the client secret; - reads it from the terminal or the input")
	f.BoolVar(&o.noSecret, "no-client-secret", false, "remove the client secret that is kept")
	f.StringSliceVar(&o.r.Scopes, "scope", nil, "asked for beyond what is needed; repeatable")
	f.StringVar(&o.r.GroupsClaim, "groups-claim", "", "claim that lists groups; else groups")
	f.StringSliceVar(&o.r.AllowedDomains, "allowed-domain", nil, "domain of e-mail addresses that may sign up; repeatable; else all")
	f.BoolVar(&o.r.SignUp, "sign-up", false, "someone unknown gets an account; else only who was invited can come in")
	f.BoolVar(&o.r.Disabled, "disabled", false, "nobody can come in by it")
	o.named = f.Changed
	must(c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"oidc", "firebase", "github"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *providerSetOptions) run(ctx context.Context, arg string) error {
	if o.noSecret && o.secretFile != "" {
		return usageErrorf("--client-secret-file and --no-client-secret cannot be given together")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	was, err := client.GetIdentityProvider(ctx, arg)
	var problem *sdk.Problem
	isNew := errors.As(err, &problem) && problem.Status == http.StatusNotFound
	switch {
	case isNew && o.r.Kind == "":
		return usageErrorf("there is no identity provider %s yet: --kind is needed, which is oidc, firebase or github", arg)
	case err != nil && !isNew:
		return err
	}
	var options []sdk.CallOption
	r := o.r
	if !isNew {
		options = append(options, sdk.IfMatch(was.Version))
		r = o.over(was)
	}
	switch {
	case o.noSecret:
		r.ClientSecret = new(string)
	case o.secretFile != "":
		secret, err := o.secret(o.secretFile, "client secret")
		if err != nil {
			return err
		}
		r.ClientSecret = &secret
	}
	p, err := client.SetIdentityProvider(ctx, arg, r, options...)
	if err != nil {
		return err
	}
	return o.print(providerResult(o.shared, p))
}

// over gives what a provider is to be: as it is, but for the flags that were named.
func (o *providerSetOptions) over(p sdk.IdentityProvider) sdk.SetIdentityProviderRequest {
	r := sdk.SetIdentityProviderRequest{
		Kind: p.Kind, Label: p.Label, Issuer: p.Issuer, ClientID: p.ClientID, Scopes: p.Scopes, GroupsClaim: p.GroupsClaim, AllowedDomains: p.AllowedDomains,
		SignUp: p.SignUp, Disabled: p.Disabled,
	}
	text := func(flag string, to *string, value string) {
		if o.named(flag) {
			*to = value
		}
	}
	text("kind", &r.Kind, o.r.Kind)
	text("label", &r.Label, o.r.Label)
	text("issuer", &r.Issuer, o.r.Issuer)
	text("client-id", &r.ClientID, o.r.ClientID)
	text("groups-claim", &r.GroupsClaim, o.r.GroupsClaim)
	if o.named("scope") {
		r.Scopes = o.r.Scopes
	}
	if o.named("allowed-domain") {
		r.AllowedDomains = o.r.AllowedDomains
	}
	if o.named("sign-up") {
		r.SignUp = o.r.SignUp
	}
	if o.named("disabled") {
		r.Disabled = o.r.Disabled
	}
	return r
}
