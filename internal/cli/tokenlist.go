package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type tokenListOptions struct {
	*shared
	limitFlags
	filter        sdk.APITokenFilter
	user, account string
}

func newTokenList(s *shared) *cobra.Command {
	o := &tokenListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List API tokens", Aliases: []string{"ls"},
		Long: `Lists one's own API tokens, those of a user, or those of a service account, newest first.`,
		Example: `  blueberry token list
  blueberry token list --user '*' --unused-days 30`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().StringVar(&o.user, "user", "", "those of this user, by address or id; * for all; else one's own")
	must(c.RegisterFlagCompletionFunc("user", s.completeUsers))
	f := c.Flags()
	f.StringVar(&o.account, "service-account", "", "those of this service account, as PROJECT/NAME or by id")
	f.IntVar(&o.filter.UnusedDays, "unused-days", 0, "only those that were not used for so many days")
	f.BoolVar(&o.filter.Ended, "ended", false, "those that are revoked or have expired, too")
	o.limitFlags.flags(f)
	return c
}

func (o *tokenListOptions) run(ctx context.Context) error {
	var wrong mistakes
	wrong.check(o.check())
	wrong.add(o.filter.UnusedDays < 0, "--unused-days must not be below 0")
	wrong.add(o.user != "" && o.account != "", "--user and --service-account cannot be given together")
	if err := wrong.err(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.filter.User, err = o.userID(ctx, client, o.user); err != nil {
		return err
	}
	if o.account != "" {
		a, err := o.serviceAccountOf(ctx, client, defaultProject, o.account)
		if err != nil {
			return err
		}
		o.filter.ServiceAccount = a.ID
	}
	o.filter.Limit = o.page()
	tokens, err := take(o.shared, o.limitFlags, client.AllAPITokens(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: tokens, names: each(tokens, func(t sdk.APIToken) string { return t.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "NAME", "STATE", "EXPIRES", "LAST USED", "PROJECTS"}, empty: "no API tokens"}
		if wide {
			t.head = append(t.head, "HINT", "CREATED", "BY", "OF", "GRANTS")
		}
		for _, x := range tokens {
			row := []cell{
				plainCell(x.ID), plainCell(x.Name), tokenState(o.streams.Now(), x), plainCell(o.when(x.ExpiresAt, wide)), plainCell(o.when(x.LastUsedAt, wide)), {text: list(x.Projects, "all")},
			}
			if wide {
				row = append(row, plainCell(x.Hint), plainCell(exact(x.CreatedAt)), plainCell(x.CreatedBy), plainCell(first(x.UserID, x.ServiceAccountID)), cell{text: list(x.Grants, "none")})
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

func tokenState(now time.Time, t sdk.APIToken) cell {
	switch {
	case !t.RevokedAt.IsZero():
		return cell{"revoked", grey}
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return cell{"expired", grey}
	case !t.ExpiresAt.IsZero() && t.ExpiresAt.Sub(now) < 14*24*time.Hour:
		return cell{"expires soon", yellow}
	}
	return cell{"active", green}
}

// userID is the id of a user that is named by address; "*" and nothing stay as they are.
func (s *shared) userID(ctx context.Context, client *sdk.Client, user string) (string, error) {
	if user == "" || user == "*" || strings.HasPrefix(user, "usr_") {
		return user, nil
	}
	u, err := client.GetUser(ctx, user)
	return u.ID, err
}

// tokenOf finds the API token that an argument names: by id, or by a name that only one of one's own has.
func (s *shared) tokenOf(ctx context.Context, client *sdk.Client, ref string) (sdk.APIToken, error) {
	if strings.HasPrefix(ref, "tok_") {
		return client.GetAPIToken(ctx, ref)
	}
	var found []sdk.APIToken
	for t, err := range client.AllAPITokens(ctx, sdk.APITokenFilter{Limit: maxPage}) {
		if err != nil {
			return t, err
		}
		if t.Name == ref {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return sdk.APIToken{}, unknownError{fmt.Errorf("none of your API tokens is called %s; give its id", ref)}
	case 1:
		return found[0], nil
	}
	return sdk.APIToken{}, refusedError{fmt.Errorf("more than one of your API tokens is called %s; give its id", ref)}
}

// completeTokens gives one's own API tokens.
func (s *shared) completeTokens(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListAPITokens(ctx, sdk.APITokenFilter{Limit: 100})
		return each(page.Items, func(t sdk.APIToken) cobra.Completion { return cobra.CompletionWithDesc(t.ID, plainText(t.Name)) }), err
	})
}
