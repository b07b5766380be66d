package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type envUnpinOptions struct{ oneEnvironment }

func newEnvUnpin(s *shared) *cobra.Command {
	o := &envUnpinOptions{oneEnvironment{shared: s}}
	return o.command(&cobra.Command{
		Use: "unpin NAME", Short: "Let an environment end as others do", Long: `Takes a pin away: the environment then ends no later than a lease that is asked for now could.`,
	}, o.run)
}

func (o *envUnpinOptions) run(ctx context.Context, args []string) error {
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	if env, err = client.UnpinEnvironment(ctx, env.ID); err != nil {
		return err
	}
	return o.print(o.ends(env))
}
