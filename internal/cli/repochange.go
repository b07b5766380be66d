package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type repoChangeOptions struct {
	oneRepository
	pullPolicyFlags
	url string
}

func newRepoChange(s *shared) *cobra.Command {
	o := &repoChangeOptions{oneRepository: oneRepository{shared: s}}
	c := o.command(&cobra.Command{
		Use: "change NAME", Short: "Change which pull requests get an environment",
		Long: `Changes what is named and leaves the rest; a flag with an empty value takes away what it names. The policy counts at once for every pull request that is open. NAME is a name or an id.`,
		Example: `  blueberry repo change acme/shop --label preview --drafts
  blueberry repo change acme/shop --label "" --at-once 5
  blueberry repo change acme/shop --off`,
	}, o.run)
	c.Flags().StringVar(&o.url, "url", "", "URL that Git clones from")
	o.pullPolicyFlags.flags(c, s)
	return c
}

func (o *repoChangeOptions) run(ctx context.Context, arg string) error {
	var r sdk.ChangeRepositoryRequest
	if o.named("url") {
		r.URL = &o.url
	}
	if r.URL == nil && !o.some() {
		return usageErrorf("name what is to change, as --label or --at-once")
	}
	if _, err := o.over(sdk.PullPolicy{}); err != nil {
		return err
	}
	client, was, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	if o.some() {
		policy, err := o.over(was.Policy)
		if err != nil {
			return err
		}
		r.Policy = &policy
	}
	changed, err := client.ChangeRepository(ctx, was.ID, r, sdk.IfMatch(was.Version))
	if err != nil {
		return err
	}
	return o.print(o.repositoryResult(changed))
}
