package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type noticeListOptions struct {
	*shared
	limitFlags
	filter       sdk.NoticeFilter
	subscription string
	mine         bool
}

func newNoticeList(s *shared) *cobra.Command {
	o := &noticeListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List what subscriptions were told", Aliases: []string{"ls"}, Args: exactly(0),
		Long: `Lists what subscriptions were told in the last 30 days, or are to be, newest first. A notice waits for its time or its next attempt, was delivered, or is dead: given up after 12 attempts or a day, or because the receiver does not want it.`,
		Example: `  blueberry notice list --state dead
  blueberry notice list --subscription release-room --limit 10
  blueberry notice list --mine`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	f.StringVar(&o.subscription, "subscription", "", "only of this subscription: its name in the project, or its id")
	f.StringVar(&o.filter.State, "state", "", "waiting, delivered or dead")
	f.BoolVar(&o.mine, "mine", false, "of what you were told yourself (blueberry preferences)")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("subscription", s.completeSubscriptions))
	must(c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"waiting", "delivered", "dead"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *noticeListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.mine && (o.filter.Project != "" || o.subscription != "") {
		return usageErrorf("--mine excludes --project and --subscription")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.filter.Subscription, err = subscriptionID(ctx, client, o.filter.Project, o.subscription); err != nil {
		return err
	}
	o.filter.Limit = o.page()
	all := client.AllNotices
	if o.mine {
		all = client.AllOwnNotices
	}
	found, err := take(o.shared, o.limitFlags, all(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(o.noticesResult(found))
}

func (s *shared) noticeTable(found []sdk.Notice, wide bool) table {
	t := table{head: []string{"ID", "MADE", "EVENT", "STATE", "TRIES", "WHY"}, empty: "no notices"}
	if wide {
		t.head = []string{"ID", "MADE", "EVENT", "STATE", "TRIES", "PROJECT", "SUBSCRIPTION", "EVENT ID", "NEXT", "MESSAGE", "WHY"}
	}
	for _, n := range found {
		row := []cell{plainCell(n.ID), plainCell(s.when(n.CreatedAt, wide)), plainCell(n.EventType), noticeCell(n.State), plainCell(strconv.Itoa(n.Tries))}
		if wide {
			row = append(row, plainCell(projectOrAll(n.Project)), plainCell(n.SubscriptionID), plainCell(n.EventID), plainCell(s.when(n.NextAt, wide)), plainCell(n.Message))
		}
		t.rows = append(t.rows, append(row, plainCell(lastError(n))))
	}
	return t
}

func noticeCell(state string) cell {
	c := plainCell(state)
	switch state {
	case "delivered":
		c.colour = green
	case "waiting":
		c.colour = yellow
	case "dead":
		c.colour = red
	}
	return c
}

// lastError is why a notice was not delivered, so far; empty when it was, or was not tried.
func lastError(n sdk.Notice) string {
	if len(n.Attempts) == 0 {
		return ""
	}
	return n.Attempts[len(n.Attempts)-1].Error
}
