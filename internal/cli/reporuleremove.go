package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type repoRuleRemoveOptions struct {
	oneRepository
	branch string
}

func newRepoRuleRemove(s *shared) *cobra.Command {
	o := &repoRuleRemoveOptions{oneRepository: oneRepository{shared: s}}
	c := o.command(&cobra.Command{
		Use: "remove NAME --branch BRANCH", Short: "Remove a rule", Aliases: []string{"rm"},
		Long:    `Removes the rule of a branch or pattern. The environments that it made stay until their leases end; nothing moves them any more. NAME is a name or an id of the repository.`,
		Example: `  blueberry repo rule remove acme/shop --branch 'release/*'`,
	}, o.run)
	c.Flags().StringVar(&o.branch, "branch", "", "branch or pattern of the rule, as it was given")
	must(c.RegisterFlagCompletionFunc("branch", cobra.NoFileCompletions))
	return c
}

func (o *repoRuleRemoveOptions) run(ctx context.Context, arg string) error {
	if o.branch == "" {
		return usageErrorf("--branch is needed: that of the rule")
	}
	client, r, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	rules := slices.DeleteFunc(slices.Clone(r.Rules), func(x sdk.BranchRule) bool { return x.Branch == o.branch })
	if len(rules) == len(r.Rules) {
		return unknownError{fmt.Errorf("repository %s has no rule of branch %s", r.Name, o.branch)}
	}
	changed, err := client.ChangeRepository(ctx, r.ID, sdk.ChangeRepositoryRequest{Rules: &rules}, sdk.IfMatch(r.Version))
	if err != nil {
		return err
	}
	return o.print(o.rulesResult(changed))
}
