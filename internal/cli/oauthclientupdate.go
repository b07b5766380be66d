package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type oauthClientUpdateOptions struct {
	*shared
	name                               string
	disabled                           bool
	redirects, flows, grants, projects []string
	named                              func(flag string) bool
}

func newOAuthClientUpdate(s *shared) *cobra.Command {
	o := &oauthClientUpdateOptions{shared: s}
	c := &cobra.Command{
		Use: "update ID", Short: "Change an OAuth client",
		Long:              `Changes what the flags name; a flag that can be repeated says all of its kind. One that is disabled is refused with its tokens, at once, on every server.`,
		Example:           `  blueberry oauth-client update cli_06d5xw7k3c8qf2v9m4n1r0t6ya --disabled`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeOAuthClients,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.name, "name", "", "name, as users see it when they are asked")
	f.BoolVar(&o.disabled, "disabled", false, "whether it and its tokens are refused")
	f.StringSliceVar(&o.redirects, "redirect-uri", nil, "where codes may be sent, exactly; repeatable")
	f.StringSliceVar(&o.flows, "flow", nil, "way by which it gets tokens: authorization_code, client_credentials, refresh_token or device_code; repeatable")
	f.StringSliceVar(&o.grants, "grant", nil, "the most it can be given, as environments:read; repeatable")
	f.StringSliceVar(&o.projects, "project", nil, "nowhere but in this project; repeatable")
	must(c.RegisterFlagCompletionFunc("flow", cobra.FixedCompletions([]string{"authorization_code", "client_credentials", "refresh_token", "device_code"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("grant", s.completeGrants))
	o.named = f.Changed
	return c
}

func (o *oauthClientUpdateOptions) run(ctx context.Context, arg string) error {
	var r sdk.UpdateOAuthClientRequest
	flows := each(o.flows, longFlow)
	given(o.named, "name", &r.Name, &o.name)
	given(o.named, "disabled", &r.Disabled, &o.disabled)
	given(o.named, "redirect-uri", &r.RedirectURIs, &o.redirects)
	given(o.named, "flow", &r.Flows, &flows)
	given(o.named, "grant", &r.Grants, &o.grants)
	given(o.named, "project", &r.Projects, &o.projects)
	if r == (sdk.UpdateOAuthClientRequest{}) {
		return errNothingNamed
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	x, err := client.GetOAuthClient(ctx, arg)
	if err != nil {
		return err
	}
	if x, err = client.UpdateOAuthClient(ctx, x.ID, r, sdk.IfMatch(x.Version)); err != nil {
		return err
	}
	return o.print(oauthClientResult(o.shared, x))
}
