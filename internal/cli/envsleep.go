package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envSleepOptions struct {
	oneEnvironment
	waitFlags
}

func newEnvSleep(s *shared) *cobra.Command {
	o := &envSleepOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "sleep NAME", Short: "Let an environment run nothing until it is woken",
		Long:    `Stops every pod of an environment. Its data, addresses and lease stay. A request through the wake gateway, a change or blueberry env wake wakes it.`,
		Example: `  blueberry env sleep pr-42 --wait`,
	}, o.run)
	o.waitFlags.flags(c.Flags(), "asleep")
	return c
}

func (o *envSleepOptions) run(ctx context.Context, args []string) error {
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	if env, err = client.SleepEnvironment(ctx, env.ID); err != nil {
		return err
	}
	if o.wait {
		env, err = o.waitUntil(ctx, client, env, o.timeout, reaching(sdk.Sleeping))
		if err != nil {
			return err
		}
	}
	return o.print(o.standing(env, env))
}
