package cli

import (
	"context"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type pullApproveOptions struct {
	*shared
	commit string
}

func newPullApprove(s *shared) *cobra.Command {
	o := &pullApproveOptions{shared: s}
	c := &cobra.Command{
		Use: "approve ID --commit COMMIT", Short: "Vouch for one commit of somebody whom nobody knows", Args: exactly(1), ValidArgsFunction: s.completePulls,
		Long: `Vouches for one commit of a pull request that comes from a fork of an outsider. Its restricted environment goes, and one as those of members have is made: with secrets, and configured by the commit itself. The next push falls back to a restricted one.

COMMIT is the whole name of the commit that was looked at, and must be the one that the pull request has now: when somebody has pushed meanwhile, it is refused.`,
		Example: `  blueberry pull approve pul_06d5xw7k3c8qf2v9m4n1r0t6ya --commit 9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b`,
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.commit, "commit", "", "whole name of the commit, of 40 or 64 hexadecimal digits")
	must(c.RegisterFlagCompletionFunc("commit", cobra.NoFileCompletions)) // who does not look should have to
	return c
}

var wholeCommit = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

func (o *pullApproveOptions) run(ctx context.Context, id string) error {
	var wrong mistakes
	wrong.add(!wholeCommit.MatchString(o.commit), "--commit is needed: the whole name of the commit, 40 or 64 hexadecimal digits in lower case")
	if err := wrong.err(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.ApprovePull(ctx, id, sdk.ApprovePullRequest{Commit: o.commit})
	if err != nil {
		return err
	}
	o.note("approved %s of pull request %d", plainText(p.ApprovedCommit), p.Number)
	return o.print(o.onePull(p))
}
