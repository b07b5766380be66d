package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type tokenCreateOptions struct {
	*shared
	r       sdk.CreateAPITokenRequest
	account string
}

func newTokenCreate(s *shared) *cobra.Command {
	o := &tokenCreateOptions{shared: s}
	c := &cobra.Command{
		Use: "create NAME", Short: "Create an API token",
		Long: `Makes an API token for a program, of oneself or of a service account. It never may do more than its maker, at any moment. What it may do is said by --grant or by --role, and where by --project.

The secret is shown once: alone on the output, so that it can go into a file or a variable. With -o json it is in the field secret.`,
		Example: `  blueberry token create laptop --role viewer > token.txt
  blueberry token create ci --grant environments:create --grant environments:read --project shop --days 30
  blueberry token create ci --service-account shop/ci --role developer`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringSliceVar(&o.r.Grants, "grant", nil, "what it may do, as environments:read; repeatable")
	f.StringVar(&o.r.Role, "role", "", "the grants of a role instead: owner, admin, maintainer, developer or viewer")
	f.StringSliceVar(&o.r.Projects, "project", nil, "nowhere but in this project; repeatable")
	f.StringVar(&o.account, "service-account", "", "make it for this service account, as PROJECT/NAME or by id")
	f.IntVar(&o.r.Days, "days", 0, "how long it works, up to 365; else 90")
	must(c.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"owner", "admin", "maintainer", "developer", "viewer"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("grant", s.completeGrants))
	return c
}

func (o *tokenCreateOptions) run(ctx context.Context, arg string) error {
	var wrong mistakes
	wrong.add(len(o.r.Grants) == 0 && o.r.Role == "", "--grant or --role is needed: what the token may do")
	wrong.add(len(o.r.Grants) > 0 && o.r.Role != "", "--grant and --role cannot be given together")
	wrong.add(o.r.Days < 0 || o.r.Days > 365, "--days is 1 to 365, not %d", o.r.Days)
	if err := wrong.err(); err != nil {
		return err
	}
	o.r.Name = arg
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.account != "" {
		a, err := o.serviceAccountOf(ctx, client, defaultProject, o.account)
		if err != nil {
			return err
		}
		o.r.ServiceAccountID = a.ID
	}
	made, err := client.CreateAPIToken(ctx, o.r)
	if err != nil {
		return err
	}
	return o.madeToken(made, "created")
}

// madeToken tells the secret of a token, which nobody can read again.
func (s *shared) madeToken(m sdk.MadeAPIToken, done string) error {
	about := fmt.Sprintf("%s API token %s (%s), which works until %s; its secret is not shown again", done, plainText(m.Token.Name), plainText(m.Token.ID), exact(m.Token.ExpiresAt))
	if until := m.Token.PreviousUntil; !until.IsZero() {
		about += "; the one before works until " + exact(until)
	}
	return s.revealed(m, m.Secret, about)
}

// completeGrants gives every grant there is.
func (s *shared) completeGrants(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListRoles(ctx)
		return found.Grants, err
	})
}
