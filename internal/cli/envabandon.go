package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envAbandonOptions struct {
	oneEnvironment
	waitFlags
	reason string
	yes    bool
}

func newEnvAbandon(s *shared) *cobra.Command {
	o := &envAbandonOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "abandon NAME", Short: "End a removal whose target is gone for good",
		Long: `Ends a removal that cannot end by itself, because the cluster that ran the environment does not exist any more. Its files in Git, its record and its name are freed; what the target may still hold is named in the receipt instead of proven gone. Should the target come back, "blueberry target scan" finds it there.

It asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Example: `  blueberry env abandon pr-42 --reason "the cluster was deleted"`,
	}, o.run)
	f := c.Flags()
	f.StringVar(&o.reason, "reason", "", "why; for the receipt, the audit and people")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	o.waitFlags.flags(f, "gone")
	return c
}

func (o *envAbandonOptions) run(ctx context.Context, args []string) error {
	if o.reason == "" {
		return usageErrorf("--reason is needed")
	}
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	if !o.yes {
		what := fmt.Sprintf("This ends the removal of %s, in project %s, without a proof: what target %s still holds of it stays there",
			plainText(env.Name), plainText(env.Project), plainText(env.Target))
		if sure, err := o.agreed(false, what); err != nil || !sure {
			return err
		}
	}
	if env, err = client.AbandonEnvironment(ctx, env.ID, o.reason); err != nil {
		return err
	}
	if o.wait {
		env, err = o.waitUntil(ctx, client, env, o.timeout, func(e sdk.Environment) (bool, error) { return e.Phase == sdk.Terminated, nil })
		if err != nil {
			return err
		}
	}
	return o.print(o.standing(env, env))
}
