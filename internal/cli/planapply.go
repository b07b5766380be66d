package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type planApplyOptions struct {
	*shared
	waitFlags
	yes bool
}

func newPlanApply(s *shared) *cobra.Command {
	o := &planApplyOptions{shared: s}
	c := &cobra.Command{
		Use: "apply ID", Short: "Do what a plan says",
		Long: `Applies a plan: just what it says, once, and only while none of its inputs has moved. It shows the plan and asks first; --yes goes on without asking, and is needed where there is nobody to ask.

With --wait the command ends when the environment is ready, or gone.`,
		Example: `  blueberry plan apply pln_06d5xw7k3c8qf2v9m4n1r0t6ya --yes --wait`,
		Args:    exactly(1),
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	o.waitFlags.flags(f, "ready, or gone")
	return c
}

func (o *planApplyOptions) run(ctx context.Context, id string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	plan, err := client.GetPlan(ctx, id)
	if err != nil {
		return err
	}
	if !o.yes {
		p := o.picture(o.output == "wide")
		p.colours = o.streams.colours(o.streams.ErrTerminal)
		p.plan(o.streams.Now(), plan)
		if sure, err := o.agreed(false, p.text.String()); err != nil || !sure {
			return err
		}
	}
	made, err := o.apply(ctx, client, plan)
	if err != nil {
		return err
	}
	return o.print(made)
}

// apply calls the operation that the plan is of.
func (o *planApplyOptions) apply(ctx context.Context, client *sdk.Client, plan sdk.Plan) (result, error) {
	var changed sdk.ChangedEnvironment
	var err error
	switch plan.Kind {
	case "create":
		return o.created(ctx, client, o.waitFlags, sdk.CreateEnvironmentRequest{PlanID: plan.ID})
	case "destroy":
		return o.destroyed(ctx, client, o.waitFlags, sdk.Environment{ID: plan.EnvironmentID}, sdk.ApplyPlan(plan.ID))
	case "change":
		changed, err = client.ChangeEnvironment(ctx, plan.EnvironmentID, sdk.ChangeEnvironmentRequest{PlanID: plan.ID})
	case "rollback":
		changed, err = client.RollbackEnvironment(ctx, plan.EnvironmentID, sdk.RollbackEnvironmentRequest{PlanID: plan.ID})
	default:
		return result{}, fmt.Errorf("a plan to %s is not known here: this program is older than the server", plainText(plan.Kind))
	}
	if err != nil {
		return result{}, err
	}
	return o.changed(ctx, client, o.waitFlags, changed)
}
