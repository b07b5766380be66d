package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type accessReviewOptions struct {
	*shared
	filter sdk.ReviewFilter
	unused bool
}

func newAccessReview(s *shared) *cobra.Command {
	o := &accessReviewOptions{shared: s}
	c := &cobra.Command{
		Use: "review", Short: "Show who has what, and what of it nobody uses",
		Long: `Shows every user, service account and API token with what they hold and by which way, and when it was last used. --unused shows only what nobody used for so long.`,
		Example: `  blueberry access review --project shop
  blueberry access review --unused --unused-days 30`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only what counts in this project")
	f.IntVar(&o.filter.UnusedDays, "unused-days", 0, "after how many days without use something counts as unused; else 90")
	f.BoolVar(&o.unused, "unused", false, "only what is unused")
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *accessReviewOptions) run(ctx context.Context) error {
	if o.filter.UnusedDays < 0 {
		return usageErrorf("--unused-days must be at least 1")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	r, err := client.GetAccessReview(ctx, o.filter)
	if err != nil {
		return err
	}
	if o.unused {
		r.Users = slices.DeleteFunc(r.Users, func(u sdk.UserReview) bool { return !u.Unused })
		r.ServiceAccounts = slices.DeleteFunc(r.ServiceAccounts, func(a sdk.ServiceAccountReview) bool { return !a.Unused })
		r.APITokens = slices.DeleteFunc(r.APITokens, func(t sdk.APITokenReview) bool { return !t.Unused })
		r.OAuthClients = slices.DeleteFunc(r.OAuthClients, func(c sdk.OAuthClientReview) bool { return !c.Unused })
	}
	if r.Truncated {
		fmt.Fprintln(o.streams.Err, "there is more than one answer holds; ask for one project with --project")
	}
	var names []string
	for _, row := range reviewRows(r) {
		names = append(names, row.id)
	}
	return o.print(result{value: r, names: names, table: func(wide bool) table {
		t := table{head: []string{"KIND", "WHO", "HOLDS", "LAST USED", "UNUSED"}, empty: "nobody has anything"}
		if wide {
			t.head = append(t.head, "ID")
		}
		for _, x := range reviewRows(r) {
			unused := yesNo(x.unused)
			if x.unused {
				unused.colour = yellow
			}
			row := []cell{plainCell(x.kind), plainCell(x.who), {text: list(x.holds, "nothing")}, plainCell(o.when(x.used, wide)), unused}
			if wide {
				row = append(row, plainCell(x.id))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// reviewRow is one who has something.
type reviewRow struct {
	kind, who, id string
	holds         []string
	used          time.Time
	unused        bool
}

func reviewRows(r sdk.AccessReview) []reviewRow {
	var out []reviewRow
	for _, u := range r.Users {
		holds := each(u.Roles, func(h sdk.Holding) string { return h.Role + " " + placeOf(h.Project) + " by " + h.By })
		out = append(out, reviewRow{"user", u.User.Email, u.User.ID, holds, u.User.LastSeenAt, u.Unused})
	}
	for _, a := range r.ServiceAccounts {
		holds := []string{a.ServiceAccount.Role + " " + placeOf(a.ServiceAccount.Project)}
		out = append(out, reviewRow{"service account", serviceAccountName(a.ServiceAccount), a.ServiceAccount.ID, holds, a.LastUsedAt, a.Unused})
	}
	for _, t := range r.APITokens {
		out = append(out, reviewRow{"API token", t.Of + " " + t.Token.Name, t.Token.ID, t.Token.Grants, t.Token.LastUsedAt, t.Unused})
	}
	for _, c := range r.OAuthClients {
		out = append(out, reviewRow{"OAuth client", c.Client.Name, c.Client.ID, c.Client.Grants, c.Client.LastUsedAt, c.Unused})
	}
	return out
}
