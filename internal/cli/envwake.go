package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envWakeOptions struct {
	oneEnvironment
	waitFlags
}

func newEnvWake(s *shared) *cobra.Command {
	o := &envWakeOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "wake NAME", Short: "Wake an environment that sleeps",
		Example: `  blueberry env wake pr-42 --wait`,
	}, o.run)
	o.waitFlags.flags(c.Flags(), "ready")
	return c
}

func (o *envWakeOptions) run(ctx context.Context, args []string) error {
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	if env, err = client.WakeEnvironment(ctx, env.ID); err != nil {
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
