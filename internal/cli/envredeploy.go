package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envRedeployOptions struct {
	oneEnvironment
	waitFlags
}

func newEnvRedeploy(s *shared) *cobra.Command {
	o := &envRedeployOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "redeploy NAME", Short: "Commit and apply the revision of an environment anew", Long: `Commits and applies the very revision that an environment has, and makes its pods anew. An environment that sleeps wakes.`,
		Example: `  blueberry env redeploy pr-42 --wait`,
	}, o.run)
	o.waitFlags.flags(c.Flags(), "ready")
	return c
}

func (o *envRedeployOptions) run(ctx context.Context, args []string) error {
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	if env, err = client.RedeployEnvironment(ctx, env.ID); err != nil {
		return err
	}
	if o.wait {
		env, err = o.waitUntil(ctx, client, env, o.timeout, reaching(sdk.Ready))
		if err != nil {
			return err
		}
	}
	return o.print(o.standing(env, env))
}
