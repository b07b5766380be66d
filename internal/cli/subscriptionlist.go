package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type subscriptionListOptions struct {
	*shared
	limitFlags
	filter sdk.SubscriptionFilter
}

func newSubscriptionList(s *shared) *cobra.Command {
	o := &subscriptionListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List who is told of events, and whether it arrives", Aliases: []string{"ls"}, Args: exactly(0),
		Example: `  blueberry subscription list --project shop`,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *subscriptionListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	o.filter.Limit = o.page()
	found, err := take(o.shared, o.limitFlags, client.AllSubscriptions(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: found, names: each(found, subscriptionRef), table: func(wide bool) table {
		t := table{head: []string{"NAME", "PROJECT", "KIND", "EVENTS", "STATE"}, empty: "no subscriptions"}
		if wide {
			t.head = []string{"NAME", "PROJECT", "KIND", "EVENTS", "ID", "ENDPOINT", "LAST DELIVERED", "STATE"}
		}
		for _, x := range found {
			row := []cell{plainCell(x.Name), plainCell(projectOrAll(x.Project)), plainCell(x.Kind), plainCell(strings.Join(x.Events, ","))}
			if wide {
				row = append(row, plainCell(x.ID), plainCell(x.Endpoint), plainCell(o.when(x.Health.DeliveredAt, wide)))
			}
			t.rows = append(t.rows, append(row, o.subscriptionState(x, wide)))
		}
		return t
	}})
}
