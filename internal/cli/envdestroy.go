package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envDestroyOptions struct {
	*shared
	planFlags
	waitFlags
	project string
}

func newEnvDestroy(s *shared) *cobra.Command {
	o := &envDestroyOptions{shared: s}
	c := &cobra.Command{
		Use: "destroy NAME", Short: "Destroy an environment",
		Long: `Removes everything of an environment: its objects, its namespace and its files in Git. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.

With --plan it shows every object that goes, and what the policies say. With --wait the command ends when all of it is proven gone.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	o.planFlags.flags(f, "do not ask")
	o.waitFlags.flags(f, "gone")
	return c
}

func (o *envDestroyOptions) run(ctx context.Context, ref string) error {
	if !o.plan && !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, false)
	if err != nil {
		return err
	}
	if o.plan {
		plan, err := client.PlanEnvironment(ctx, env.ID, sdk.PlanEnvironmentRequest{Destroy: true})
		if err != nil {
			return err
		}
		return o.settle(ctx, client, o.planFlags, plan, func(id string) (result, error) {
			return o.destroyed(ctx, client, o.waitFlags, env, sdk.ApplyPlan(id))
		})
	}
	if !o.yes {
		what, err := o.effect(ctx, client, env)
		if err != nil {
			return err
		}
		if sure, err := o.agreed(false, what); err != nil || !sure {
			return err
		}
	}
	gone, err := o.destroyed(ctx, client, o.waitFlags, env)
	if err != nil {
		return err
	}
	return o.print(gone)
}

// effect tells what goes.
func (o *envDestroyOptions) effect(ctx context.Context, client *sdk.Client, env sdk.Environment) (string, error) {
	objects, err := client.ListEnvironmentObjects(ctx, env.ID)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("This removes %s (%s) of %s, in project %s:\n  %d objects and the namespace %s on target %s\n  its files in Git",
		plainText(env.Name), env.Phase, plainText(env.Owner), plainText(env.Project), len(objects.Items), plainText(env.Namespace), plainText(env.Target)), nil
}

// destroyed begins the removal, waits for its end if that is asked for, and gives what is to be printed.
func (s *shared) destroyed(ctx context.Context, client *sdk.Client, w waitFlags, env sdk.Environment, options ...sdk.CallOption) (result, error) {
	env, err := client.DestroyEnvironment(ctx, env.ID, options...)
	if err != nil {
		return result{}, err
	}
	if w.wait {
		env, err = s.waitUntil(ctx, client, env, w.timeout, func(e sdk.Environment) (bool, error) { return e.Phase == sdk.Terminated, nil })
		if err != nil {
			return result{}, err
		}
	}
	return s.standing(env, env), nil
}
