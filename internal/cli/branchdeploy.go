package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type branchDeployOptions struct {
	oneBranch
	commit string
}

func newBranchDeploy(s *shared) *cobra.Command {
	o := &branchDeployOptions{oneBranch: oneBranch{shared: s}}
	c := o.command(&cobra.Command{
		Use: "deploy REPOSITORY BRANCH", Short: "Move the environment of a branch to the commit that the branch has",
		Long: `Has the environment of a branch move to the commit that the branch has now, where its rule waits for that. An environment that has ended is made again, also where the rule moves it by itself.

With --commit, the whole name of the commit that was looked at, it is refused when somebody has pushed meanwhile. Instead of both names, the id of the branch is enough.`,
		Example: `  blueberry branch deploy acme/shop release/2.1
  blueberry branch deploy acme/shop main --commit 9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b`,
	}, o.run)
	c.Flags().StringVar(&o.commit, "commit", "", "whole name of the commit that was looked at, of 40 or 64 hexadecimal digits")
	must(c.RegisterFlagCompletionFunc("commit", cobra.NoFileCompletions))
	return c
}

func (o *branchDeployOptions) run(ctx context.Context, args []string) error {
	if o.commit != "" && !wholeCommit.MatchString(o.commit) {
		return usageErrorf("--commit must be the whole name of the commit, 40 or 64 hexadecimal digits in lower case")
	}
	client, b, err := o.find(ctx, args)
	if err != nil {
		return err
	}
	if b, err = client.DeployBranch(ctx, b.ID, sdk.DeployBranchRequest{Commit: o.commit}); err != nil {
		return err
	}
	o.note("deployed %s of branch %s", plainText(b.Deployed), plainText(b.Name))
	return o.print(o.branchResult(b))
}
