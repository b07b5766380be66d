package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type sessionListOptions struct {
	*shared
	limitFlags
	user string
}

func newSessionList(s *shared) *cobra.Command {
	o := &sessionListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List live sessions", Aliases: []string{"ls"},
		Long: `Lists one's own sessions with a browser, or those of a user, newest first.`,
		Example: `  blueberry session list
  blueberry session list --user ada@example.com`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().StringVar(&o.user, "user", "", "those of this user, by address or id; * for all; else one's own")
	must(c.RegisterFlagCompletionFunc("user", s.completeUsers))
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *sessionListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	user, err := o.userID(ctx, client, o.user)
	if err != nil {
		return err
	}
	sessions, err := take(o.shared, o.limitFlags, client.AllSessions(ctx, sdk.SessionFilter{User: user, Limit: o.page()}))
	if err != nil {
		return err
	}
	return o.print(result{value: sessions, names: each(sessions, func(x sdk.Session) string { return x.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "METHOD", "ADDRESS", "SIGNED IN", "LAST SEEN", "EXPIRES", "DEVICE"}, empty: "no sessions"}
		if wide {
			t.head = append(t.head, "USER")
		}
		for _, x := range sessions {
			row := []cell{
				plainCell(x.ID), plainCell(x.Method), plainCell(x.Address), plainCell(o.when(x.CreatedAt, wide)), plainCell(o.when(x.LastSeenAt, wide)),
				plainCell(o.when(x.ExpiresAt, wide)), plainCell(x.UserAgent),
			}
			if wide {
				row = append(row, plainCell(x.UserID))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// completeSessions gives one's own sessions.
func (s *shared) completeSessions(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListSessions(ctx, sdk.SessionFilter{Limit: 100})
		return each(page.Items, func(x sdk.Session) cobra.Completion {
			return cobra.CompletionWithDesc(x.ID, plainText(x.Method+" "+x.Address))
		}), err
	})
}
