package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type oauthClientGetOptions struct{ *shared }

func newOAuthClientGet(s *shared) *cobra.Command {
	o := &oauthClientGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show an OAuth client",
		Args:              exactly(1),
		ValidArgsFunction: s.completeOAuthClients,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *oauthClientGetOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	x, err := client.GetOAuthClient(ctx, arg)
	if err != nil {
		return err
	}
	return o.print(oauthClientResult(o.shared, x))
}

func oauthClientResult(s *shared, x sdk.OAuthClient) result {
	return result{value: x, names: []string{x.ID}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("id", x.ID)
		f.add("name", x.Name)
		f.flag("public", x.Public)
		f.flag("trusted", x.Trusted)
		f.flag("disabled", x.Disabled)
		f.add("flows", list(each(x.Flows, shortFlow), "none"))
		f.add("redirects to", list(x.RedirectURIs, "nowhere"))
		f.add("grants", list(x.Grants, "none"))
		f.add("projects", list(x.Projects, "all"))
		f.add("created", s.when(x.CreatedAt, wide)+" by "+x.CreatedBy)
		f.add("last used", s.when(x.LastUsedAt, wide))
		f.print(w)
	}}
}
