package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type branchListOptions struct {
	*shared
	limitFlags
	filter sdk.BranchFilter
	repo   string
}

func newBranchList(s *shared) *cobra.Command {
	o := &branchListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List branches that have environments of their own", Aliases: []string{"ls"}, Args: exactly(0),
		Long: `Lists the branches that a rule of their repository is or was of, newest first, and what became of their environments. The outcome of one is built when its environment was asked for, waiting when a commit waits to be deployed, blocked by something that does not answer or has its name, refused when its commit asks for what is not possible, skipped when no rule is of it any more, or ended.`,
		Example: `  blueberry branch list --repo acme/shop
  blueberry branch list --outcome waiting`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	f.StringVar(&o.repo, "repo", "", "only of this repository: its name in the project, or its id")
	f.StringVar(&o.filter.Outcome, "outcome", "", "skipped, waiting, blocked, refused, built or ended")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("repo", s.completeRepositories))
	must(c.RegisterFlagCompletionFunc("outcome", cobra.FixedCompletions([]string{"skipped", "waiting", "blocked", "refused", "built", "ended"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *branchListOptions) run(ctx context.Context) error {
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
	branches, err := take(o.shared, o.limitFlags, client.AllBranches(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: branches, names: each(branches, func(b sdk.Branch) string { return b.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "BRANCH", "COMMIT", "ENVIRONMENT", "OUTCOME", "UPDATED", "WHY"}, empty: "no branches"}
		if wide {
			t.head = []string{"ID", "BRANCH", "COMMIT", "ENVIRONMENT", "OUTCOME", "UPDATED", "PROJECT", "REPOSITORY", "BUILT", "DEPLOYED BY", "WHY"}
		}
		for _, b := range branches {
			row := []cell{
				plainCell(b.ID), plainCell(b.Name), plainCell(branchCommit(b.HeadCommit, wide)), plainCell(b.Environment), outcomeCell(b.Outcome), plainCell(o.when(b.UpdatedAt, wide)),
			}
			if wide {
				row = append(row, plainCell(b.Project), plainCell(b.RepositoryID), plainCell(b.BuiltCommit), plainCell(b.DeployedBy))
			}
			t.rows = append(t.rows, append(row, plainCell(b.Message)))
		}
		return t
	}})
}

// branchCommit is where a branch is.
func branchCommit(commit string, whole bool) string {
	switch {
	case commit == "":
		return "gone"
	case whole || len(commit) < 12:
		return commit
	}
	return commit[:12]
}
