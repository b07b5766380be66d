package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// oneBranch is what commands about one branch share.
type oneBranch struct {
	*shared
	project string
}

// command makes a command whose arguments name the branch: its id, or a repository and a name.
func (o *oneBranch) command(c *cobra.Command, run func(ctx context.Context, args []string) error) *cobra.Command {
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) != 1 && len(args) != 2 {
			return usageErrorf("takes an id, or a repository and a branch: %s", c.UseLine())
		}
		return nil
	}
	c.ValidArgsFunction = o.completeRepositories
	c.RunE = func(c *cobra.Command, args []string) error { return run(c.Context(), args) }
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the repository")
	must(c.RegisterFlagCompletionFunc("project", o.completeProjects))
	return c
}

// find gives the branch that arguments name.
func (o *oneBranch) find(ctx context.Context, args []string) (*sdk.Client, sdk.Branch, error) {
	client, err := o.client()
	if err != nil {
		return nil, sdk.Branch{}, err
	}
	if len(args) == 1 {
		if !strings.HasPrefix(args[0], "brn_") {
			return nil, sdk.Branch{}, usageErrorf("%s is no id of a branch: name the repository and the branch", args[0])
		}
		b, err := client.GetBranch(ctx, args[0])
		return client, b, err
	}
	r, err := findRepository(ctx, client, o.project, args[0])
	if err != nil {
		return nil, sdk.Branch{}, err
	}
	found, err := client.ListBranches(ctx, sdk.BranchFilter{Repository: r.ID, Name: args[1], Limit: 1})
	if err == nil && len(found.Items) == 0 {
		err = unknownError{fmt.Errorf("no rule of repository %s is of branch %s, or it has not been heard of yet", args[0], args[1])}
	}
	if err != nil {
		return nil, sdk.Branch{}, err
	}
	return client, found.Items[0], nil
}

type branchGetOptions struct{ oneBranch }

func newBranchGet(s *shared) *cobra.Command {
	o := &branchGetOptions{oneBranch{shared: s}}
	return o.command(&cobra.Command{
		Use: "get REPOSITORY BRANCH", Short: "Show a branch, and what became of its environment",
		Long:    `Shows where a branch is, and how far its environment is. Instead of both names, the id of the branch is enough.`,
		Example: `  blueberry branch get acme/shop main`,
	}, o.run)
}

func (o *branchGetOptions) run(ctx context.Context, args []string) error {
	_, b, err := o.find(ctx, args)
	if err != nil {
		return err
	}
	return o.print(o.branchResult(b))
}

func (s *shared) branchResult(b sdk.Branch) result {
	return result{value: b, names: []string{b.ID}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("branch", b.Name)
		f.add("id", b.ID)
		f.add("repository", b.RepositoryID)
		f.add("project", b.Project)
		f.add("commit", branchCommit(b.HeadCommit, true))
		f.add("outcome", first(b.Outcome, "not looked at yet"))
		f.some("why", b.Message)
		f.some("environment", b.Environment)
		f.some("built commit", b.BuiltCommit)
		if b.DeployedBy != "" {
			f.add("deployed", fmt.Sprintf("%s by %s, %s", b.Deployed, b.DeployedBy, s.when(b.DeployedAt, wide)))
		}
		f.add("updated", s.when(b.UpdatedAt, wide))
		f.print(w)
	}}
}
