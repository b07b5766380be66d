package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type repoGetOptions struct{ oneRepository }

func newRepoGet(s *shared) *cobra.Command {
	o := &repoGetOptions{oneRepository{shared: s}}
	return o.command(&cobra.Command{
		Use: "get NAME", Short: "Show a repository and its policy",
		Long:    `Shows a repository, the address of its webhook, and which of its pull requests get an environment. NAME is a name or an id.`,
		Example: `  blueberry repo get acme/shop`,
	}, o.run)
}

func (o *repoGetOptions) run(ctx context.Context, arg string) error {
	_, r, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	return o.print(o.repositoryResult(r))
}
