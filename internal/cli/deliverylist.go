package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type deliveryListOptions struct {
	*shared
	limitFlags
	filter sdk.DeliveryFilter
	repo   string
}

func newDeliveryList(s *shared) *cobra.Command {
	o := &deliveryListOptions{shared: s}
	verdicts := []string{"accepted", "ignored", "duplicate", "unreadable", "refused"}
	c := &cobra.Command{
		Use: "list", Short: "List what hosts sent, and what became of it", Aliases: []string{"ls"}, Args: exactly(0),
		Long: `Lists what hosts sent in the last 30 days, newest first. A delivery is accepted when it says news of a pull request, ignored when it is about nothing to act on, a duplicate when it came before, unreadable when it is not in the form of the host, and refused when no secret of the repository signed it.`,
		Example: `  blueberry delivery list --verdict refused
  blueberry delivery list --repo acme/shop --limit 10`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	f.StringVar(&o.repo, "repo", "", "only of this repository: its name in the project, or its id")
	f.StringVar(&o.filter.Pull, "pull", "", "only about the pull request with this id")
	f.StringVar(&o.filter.Verdict, "verdict", "", "accepted, ignored, duplicate, unreadable or refused")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("repo", s.completeRepositories))
	must(c.RegisterFlagCompletionFunc("pull", s.completePulls))
	must(c.RegisterFlagCompletionFunc("verdict", cobra.FixedCompletions(verdicts, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *deliveryListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.filter.Repository, err = repositoryID(ctx, client, o.filter.Project, o.repo); err != nil {
		return err
	}
	o.filter.Limit = o.page()
	found, err := take(o.shared, o.limitFlags, client.AllDeliveries(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: found, names: each(found, func(d sdk.Delivery) string { return d.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "CAME", "EVENT", "ACTION", "VERDICT", "WHY"}, empty: "no deliveries"}
		if wide {
			t.head = []string{"ID", "CAME", "EVENT", "ACTION", "VERDICT", "PROJECT", "REPOSITORY", "PULL REQUEST", "HOST", "HOST'S ID", "BYTES", "FROM", "REPLAY OF", "WHY"}
		}
		for _, d := range found {
			row := []cell{plainCell(d.ID), plainCell(o.when(d.ReceivedAt, wide)), plainCell(d.Event), plainCell(d.Action), verdictCell(d.Verdict)}
			if wide {
				row = append(row, plainCell(d.Project), plainCell(d.RepositoryID), plainCell(d.PullID), plainCell(d.Host), plainCell(d.HostID), plainCell(strconv.Itoa(d.Size)),
					plainCell(d.From), plainCell(d.ReplayOf))
			}
			t.rows = append(t.rows, append(row, plainCell(d.Reason)))
		}
		return t
	}})
}

func verdictCell(verdict string) cell {
	c := plainCell(verdict)
	switch verdict {
	case "accepted":
		c.colour = green
	case "unreadable":
		c.colour = yellow
	case "refused":
		c.colour = red
	}
	return c
}
