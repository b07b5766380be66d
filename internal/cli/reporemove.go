package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type repoRemoveOptions struct {
	oneRepository
	yes bool
}

func newRepoRemove(s *shared) *cobra.Command {
	o := &repoRemoveOptions{oneRepository: oneRepository{shared: s}}
	c := o.command(&cobra.Command{
		Use: "remove NAME", Short: "Forget a repository",
		Long: `Forgets a repository, with what its host sent and what is known of its pull requests. Their environments stay until their leases end or someone destroys them. It asks first; --yes goes on without asking, and is needed where there is nobody to ask. NAME is a name or an id.`,
	}, o.run)
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *repoRemoveOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, r, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("This forgets repository %s with its deliveries and what is known of its pull requests. Their environments stay until their leases end.", plainText(r.Name))
	if sure, err := o.agreed(o.yes, what); err != nil || !sure {
		return err
	}
	if err := client.RemoveRepository(ctx, r.ID); err != nil {
		return err
	}
	return o.print(said(r, repositoryRef(r), "forgot "+r.Name))
}
