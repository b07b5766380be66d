package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type archiveListOptions struct {
	*shared
	limitFlags
	filter sdk.ArchiveFilter
}

func newArchiveList(s *shared) *cobra.Command {
	o := &archiveListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List what is kept of environments that ended or failed", Aliases: []string{"ls"}, Args: exactly(0),
		Long: `Lists archives, newest first: of environments that are gone, and of those that failed and are still there.`,
		Example: `  blueberry archive list --name pr-42
  blueberry archive list --project shop --state failed`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	f.StringVar(&o.filter.Environment, "name", "", "only of environments with this name")
	f.StringVar(&o.filter.State, "state", "", "terminated or failed")
	must(c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"terminated", "failed"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	o.limitFlags.flags(f)
	return c
}

func (o *archiveListOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	o.filter.Limit = o.page()
	list, err := take(o.shared, o.limitFlags, client.AllArchives(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: list, names: each(list, func(a sdk.Archive) string { return a.EnvironmentID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "NAME", "PROJECT", "STATE", "WHY", "ARCHIVED", "LOGS UNTIL", "UNDO UNTIL"}, empty: "no archives"}
		when := func(a sdk.Archive) []cell {
			now := o.streams.Now()
			return []cell{plainCell(relative(now, a.ArchivedAt)), plainCell(relative(now, a.LogsUntil)), plainCell(relative(now, a.UndoUntil))}
		}
		if wide {
			t.head = append(t.head, "PURGED", "OWNER", "RESTORED AS")
			when = func(a sdk.Archive) []cell {
				return []cell{
					plainCell(exact(a.ArchivedAt)), plainCell(exact(a.LogsUntil)), plainCell(exact(a.UndoUntil)), plainCell(exact(a.PurgeAt)), plainCell(a.Owner),
					plainCell(a.RestoredAs),
				}
			}
		}
		for _, a := range list {
			t.rows = append(t.rows, append([]cell{plainCell(a.EnvironmentID), plainCell(a.Environment), plainCell(a.Project), plainCell(a.State), plainCell(a.Reason)}, when(a)...))
		}
		return t
	}})
}
