package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envHistoryOptions struct {
	*shared
	limitFlags
	project string
}

func newEnvHistory(s *shared) *cobra.Command {
	o := &envHistoryOptions{shared: s}
	c := &cobra.Command{
		Use: "history NAME", Short: "List the revisions of an environment",
		Long: "Lists the revisions of an environment, newest first: who made each, why, and of what. `blueberry env diff` compares two of them, `blueberry env rollback` brings one back.",
		Example: `  blueberry env history pr-42
  blueberry env history pr-42 --limit 1 -o name`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the environment")
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *envHistoryOptions) run(ctx context.Context, ref string) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, true)
	if err != nil {
		return err
	}
	revisions, err := take(o.shared, o.limitFlags, client.AllEnvironmentRevisions(ctx, env.ID, sdk.Window{Limit: o.page()}))
	if err != nil {
		return err
	}
	names := each(revisions, func(r sdk.Revision) string { return strconv.Itoa(r.Number) })
	return o.print(result{value: revisions, names: names, table: func(wide bool) table { return o.table(wide, revisions) }})
}

func (o *envHistoryOptions) table(wide bool, revisions []sdk.Revision) table {
	t := table{head: []string{"REVISION", "WHEN", "AUTHOR", "COMMIT", "CONFIG", "REASON"}, empty: "no revisions"}
	if wide {
		t.head = []string{"REVISION", "CREATED", "AUTHOR", "SOURCE", "BLUEPRINT", "CONFIG", "PLAN", "GIT", "REASON"}
	}
	for _, r := range revisions {
		row := []cell{plainCell(strconv.Itoa(r.Number))}
		config := plainCell(strings.Join(each(r.ConfigSets, configUseText), ","))
		if wide {
			row = append(row, plainCell(exact(r.CreatedAt)), plainCell(r.Author), plainCell(sourceText(r.Source)), plainCell(r.BlueprintRef), config,
				plainCell(r.PlanID), plainCell(r.Commit))
		} else {
			row = append(row, plainCell(relative(o.streams.Now(), r.CreatedAt)), plainCell(r.Author), plainCell(shortCommit(r.Source.Commit, false)), config)
		}
		t.rows = append(t.rows, append(row, plainCell(r.Reason)))
	}
	return t
}

// configUseText is a config set with the version that is merged: "global/logging@7".
func configUseText(u sdk.ConfigUse) string {
	return withoutVersion(u.Ref) + "@" + strconv.Itoa(u.Number)
}
