package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type userListOptions struct {
	*shared
	limitFlags
	filter sdk.UserFilter
}

func newUserList(s *shared) *cobra.Command {
	o := &userListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List users", Aliases: []string{"ls"},
		Long: `Lists the accounts of people.`,
		Example: `  blueberry user list --status pending_invite
  blueberry user list --project shop -o wide`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Search, "search", "", "only with this text in the address or name")
	f.StringVar(&o.filter.Status, "status", "", "only with this status: pending_invite, active or inactive")
	f.StringVar(&o.filter.Project, "project", "", "only members of this project")
	f.StringVar(&o.filter.Sort, "sort", "email", "order: email, created_at or last_seen_at, with - before it the other way round")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("status", cobra.FixedCompletions([]string{"pending_invite", "active", "inactive"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions([]string{"email", "-created_at", "-last_seen_at"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *userListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	o.filter.Limit = o.page()
	users, err := take(o.shared, o.limitFlags, client.AllUsers(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: users, names: each(users, func(u sdk.User) string { return u.Email }), table: func(wide bool) table {
		t := table{head: []string{"EMAIL", "NAME", "STATUS", "OWNER", "INVITATION", "LAST SEEN"}, empty: "no users"}
		if wide {
			t.head = append(t.head, "BREAK GLASS", "CREATED", "ID")
		}
		for _, u := range users {
			row := []cell{plainCell(u.Email), plainCell(u.Name), userStatus(u.Status), yesNo(u.Owner), invitationCell(u.Invitation), plainCell(o.when(u.LastSeenAt, wide))}
			if wide {
				row = append(row, yesNo(u.BreakGlass), plainCell(exact(u.CreatedAt)), plainCell(u.ID))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

func userStatus(status string) cell {
	c := plainCell(status)
	switch status {
	case "active":
		c.colour = green
	case "inactive":
		c.colour = grey
	case "pending_invite":
		c.colour = yellow
	}
	return c
}

func invitationCell(i sdk.Invitation) cell {
	if i.State == "failed" {
		return cell{text: plainText("failed: " + i.Error), colour: red}
	}
	return plainCell(i.State)
}

// completeUsers gives the addresses of users, for the first argument.
func (s *shared) completeUsers(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListUsers(ctx, sdk.UserFilter{Search: typed, Limit: 100})
		return each(page.Items, func(u sdk.User) cobra.Completion {
			return cobra.CompletionWithDesc(u.Email, plainText(first(u.Name, u.Status)))
		}), err
	})
}
