package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type oauthClientCreateOptions struct {
	*shared
	public                             bool
	redirects, flows, grants, projects []string
}

func newOAuthClientCreate(s *shared) *cobra.Command {
	o := &oauthClientCreateOptions{shared: s}
	c := &cobra.Command{
		Use: "create NAME", Short: "Register an OAuth client",
		Long: `Registers a program that acts for users, or for itself. It never gets more than its maker holds. The secret of one that is not public is shown once: alone on the output.`,
		Example: `  blueberry oauth-client create Dashboards --flow authorization_code --flow refresh_token --redirect-uri https://dashboards.example.com/callback --grant environments:read
  blueberry oauth-client create nightly --flow client_credentials --grant environments:read --project shop > secret.txt`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.BoolVar(&o.public, "public", false, "it has no secret, as a program on a person's machine")
	f.StringSliceVar(&o.redirects, "redirect-uri", nil, "where codes may be sent, exactly; repeatable")
	f.StringSliceVar(&o.flows, "flow", nil, "way by which it gets tokens: authorization_code, client_credentials, refresh_token or device_code; repeatable")
	f.StringSliceVar(&o.grants, "grant", nil, "the most it can be given, as environments:read; repeatable")
	f.StringSliceVar(&o.projects, "project", nil, "nowhere but in this project; repeatable")
	must(c.RegisterFlagCompletionFunc("flow", cobra.FixedCompletions([]string{"authorization_code", "client_credentials", "refresh_token", "device_code"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("grant", s.completeGrants))
	return c
}

func (o *oauthClientCreateOptions) run(ctx context.Context, arg string) error {
	var wrong mistakes
	wrong.add(len(o.flows) == 0, "--flow is needed: authorization_code, client_credentials, refresh_token or device_code")
	wrong.add(len(o.grants) == 0, "--grant is needed: the most that it can be given")
	if err := wrong.err(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	made, err := client.CreateOAuthClient(ctx, sdk.CreateOAuthClientRequest{
		Name: arg, Public: o.public, RedirectURIs: o.redirects, Flows: each(o.flows, longFlow), Grants: o.grants, Projects: o.projects,
	})
	if err != nil {
		return err
	}
	if made.Secret == "" {
		return o.print(said(made, made.Client.ID, "registered "+made.Client.Name+" as "+made.Client.ID))
	}
	return o.madeClient(made, "registered")
}

// madeClient tells the secret of a client, which nobody can read again.
func (s *shared) madeClient(m sdk.MadeOAuthClient, done string) error {
	return s.revealed(m, m.Secret, fmt.Sprintf("%s %s: its client_id is %s, and its client_secret is not shown again", done, plainText(m.Client.Name), plainText(m.Client.ID)))
}
