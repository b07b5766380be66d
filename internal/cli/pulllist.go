package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type pullListOptions struct {
	*shared
	limitFlags
	filter sdk.PullFilter
	repo   string
}

func newPullList(s *shared) *cobra.Command {
	o := &pullListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List pull requests, and what became of their environments", Aliases: []string{"ls"}, Args: exactly(0),
		Long: `Lists what hosts said last of pull requests, newest first. The outcome of one is built when its environment was asked for, waiting for room, blocked by something that does not answer or has its name, refused when its commit asks for what is not possible, skipped when the policy wants none, or ended.`,
		Example: `  blueberry pull list --repo acme/shop --state open
  blueberry pull list --outcome refused -o wide`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.filter.Project, "project", "", "only of this project")
	f.StringVar(&o.repo, "repo", "", "only of this repository: its name in the project, or its id")
	f.StringVar(&o.filter.State, "state", "", "open, closed or merged")
	f.StringVar(&o.filter.Outcome, "outcome", "", "skipped, waiting, blocked, refused, built or ended")
	o.limitFlags.flags(f)
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	must(c.RegisterFlagCompletionFunc("repo", s.completeRepositories))
	must(c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"open", "closed", "merged"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("outcome", cobra.FixedCompletions([]string{"skipped", "waiting", "blocked", "refused", "built", "ended"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

// repositoryID is the id of the repository that a flag names; empty for none.
func repositoryID(ctx context.Context, client *sdk.Client, project, arg string) (string, error) {
	if arg == "" {
		return "", nil
	}
	r, err := findRepository(ctx, client, first(project, defaultProject), arg)
	return r.ID, err
}

func (o *pullListOptions) run(ctx context.Context) error {
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
	pulls, err := take(o.shared, o.limitFlags, client.AllPulls(ctx, o.filter))
	if err != nil {
		return err
	}
	return o.print(result{value: pulls, names: each(pulls, func(p sdk.PullRequest) string { return p.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "REPOSITORY", "NUMBER", "STATE", "OUTCOME", "UPDATED", "WHY"}, empty: "no pull requests"}
		if wide {
			t.head = []string{"ID", "REPOSITORY", "NUMBER", "STATE", "OUTCOME", "UPDATED", "PROJECT", "AUTHOR", "FROM", "TO", "COMMIT", "ENVIRONMENT", "TITLE", "WHY"}
		}
		for _, p := range pulls {
			row := []cell{
				plainCell(p.ID), plainCell(p.BaseRepository), plainCell(strconv.Itoa(p.Number)), plainCell(p.State), outcomeCell(p.Outcome), plainCell(o.when(p.UpdatedAt, wide)),
			}
			if wide {
				row = append(row, plainCell(p.Project), plainCell(p.Author), plainCell(headText(p)), plainCell(p.BaseRef), plainCell(p.HeadCommit), plainCell(p.EnvironmentID),
					plainCell(p.Title))
			}
			t.rows = append(t.rows, append(row, plainCell(p.Message)))
		}
		return t
	}})
}

// headText says where a pull request comes from.
func headText(p sdk.PullRequest) string {
	if !p.Fork {
		return p.HeadRef
	}
	return fmt.Sprintf("%s of %s", p.HeadRef, first(p.HeadRepository, "a repository that is gone"))
}

func outcomeCell(outcome string) cell {
	c := plainCell(outcome)
	switch outcome {
	case "built":
		c.colour = green
	case "waiting", "blocked":
		c.colour = yellow
	case "refused":
		c.colour = red
	}
	return c
}
