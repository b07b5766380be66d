package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type orphanListOptions struct {
	*shared
	limitFlags
	filter sdk.OrphanFilter
}

func newOrphanList(s *shared) *cobra.Command {
	o := &orphanListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List what is on a target and in no record, and the reverse", Aliases: []string{"ls"}, Args: exactly(0),
		Long:    `Lists what a scan has found: objects with Blueberry's labels of no living environment, files in Git of none, and living environments of which no object is there. A scan runs every six hours, and by blueberry target scan.`,
		Example: `  blueberry orphan list --target eu`,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Target, "target", "", "only of this target")
	f.StringVar(&o.filter.Kind, "kind", "", "objects, record or files")
	must(c.RegisterFlagCompletionFunc("target", s.completeTargets))
	must(c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"objects", "record", "files"}, cobra.ShellCompDirectiveNoFileComp)))
	o.limitFlags.flags(f)
	return c
}

func (o *orphanListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	o.filter.Limit = o.page()
	list, err := take(o.shared, o.limitFlags, client.AllOrphans(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: list, names: each(list, func(x sdk.Orphan) string { return x.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "TARGET", "KIND", "OF", "OBJECTS", "FOUND", "APPROVED", "MESSAGE"}, empty: "no orphans"}
		for _, x := range list {
			found := relative(o.streams.Now(), x.FoundAt)
			if wide {
				found = exact(x.FoundAt)
			}
			t.rows = append(t.rows, []cell{
				plainCell(x.ID), plainCell(x.Target), plainCell(x.Kind), plainCell(x.Project + "/" + x.Env), plainCell(fmt.Sprint(len(x.Objects))), plainCell(found),
				plainCell(x.ApprovedBy), plainCell(x.Message),
			})
		}
		return t
	}})
}
