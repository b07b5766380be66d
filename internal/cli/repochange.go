package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type repoChangeOptions struct {
	oneRepository
	pullPolicyFlags
	host hostFlags
	url  string
}

func newRepoChange(s *shared) *cobra.Command {
	o := &repoChangeOptions{oneRepository: oneRepository{shared: s}}
	c := o.command(&cobra.Command{
		Use: "change NAME", Short: "Change which pull requests get an environment, or how the host is spoken to",
		Long: `Changes what is named and leaves the rest; a flag with an empty value takes away what it names. The policy counts at once for every pull request that is open. NAME is a name or an id.`,
		Example: `  blueberry repo change acme/shop --label preview --drafts
  blueberry repo change acme/shop --label "" --at-once 5
  blueberry repo change acme/shop --credential token.txt
  blueberry repo change acme/shop --off`,
	}, o.run)
	c.Flags().StringVar(&o.url, "url", "", "URL that Git clones from")
	o.pullPolicyFlags.flags(c, s)
	o.host.flags(c)
	return c
}

func (o *repoChangeOptions) run(ctx context.Context, arg string) error {
	var r sdk.ChangeRepositoryRequest
	if o.named("url") {
		r.URL = &o.url
	}
	if o.host.named("credential") {
		credential, err := o.host.read(o.shared)
		if err != nil {
			return err
		}
		r.Credential = &credential
	}
	if r.URL == nil && r.Credential == nil && !o.some() && !o.host.some() {
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
	if o.host.some() {
		api := o.host.over(was.HostAPI)
		r.HostAPI = &api
	}
	changed, err := client.ChangeRepository(ctx, was.ID, r, sdk.IfMatch(was.Version))
	if err != nil {
		return err
	}
	return o.print(o.repositoryResult(changed))
}
