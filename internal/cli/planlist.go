package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type planListOptions struct {
	*shared
	limitFlags
	project string
}

func newPlanList(s *shared) *cobra.Command {
	o := &planListOptions{shared: s}
	c := &cobra.Command{
		Use: "list NAME", Short: "List the plans of an environment", Aliases: []string{"ls"},
		Long:              `Lists the plans of an environment, newest first: those that wait to be applied, those that were, and for a while those that expired. Every change has a plan, also one that was made without asking.`,
		Example:           `  blueberry plan list pr-42`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the environment")
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *planListOptions) run(ctx context.Context, ref string) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, true)
	if err != nil {
		return err
	}
	plans, err := take(o.shared, o.limitFlags, client.AllEnvironmentPlans(ctx, env.ID, sdk.PlanWindow{Limit: o.page()}))
	if err != nil {
		return err
	}
	names := each(plans, func(p sdk.Plan) string { return p.ID })
	return o.print(result{value: plans, names: names, table: func(wide bool) table { return planTable(o.streams.Now(), wide, plans) }})
}

func planTable(now time.Time, wide bool, plans []sdk.Plan) table {
	t := table{head: []string{"ID", "KIND", "REVISION", "STATE", "MADE", "BY", "REASON"}, empty: "no plans"}
	if wide {
		t.head = []string{"ID", "KIND", "REVISION", "STATE", "CREATED", "EXPIRES", "APPLIED", "BY", "OBJECTS", "VALUES", "REASON"}
	}
	for _, p := range plans {
		row := []cell{plainCell(p.ID), plainCell(p.Kind), plainCell(revisionStep(p)), planState(now, p)}
		if wide {
			row = append(row, plainCell(exact(p.CreatedAt)), plainCell(exact(p.ExpiresAt)), plainCell(exact(p.AppliedAt)), plainCell(p.Actor),
				plainCell(fmt.Sprint(len(p.Objects))), plainCell(fmt.Sprint(len(p.Config))))
		} else {
			row = append(row, plainCell(relative(now, p.CreatedAt)), plainCell(p.Actor))
		}
		t.rows = append(t.rows, append(row, plainCell(p.Reason)))
	}
	return t
}

func revisionStep(p sdk.Plan) string {
	switch {
	case p.Kind == "destroy":
		return fmt.Sprintf("%d → none", p.Base)
	case p.Base == 0 || p.Base == p.Revision:
		return fmt.Sprint(p.Revision)
	}
	return fmt.Sprintf("%d → %d", p.Base, p.Revision)
}

// planState says in a word what can be done with a plan.
func planState(now time.Time, p sdk.Plan) cell {
	switch {
	case !p.AppliedAt.IsZero():
		return cell{"applied", green}
	case !p.Changes:
		return cell{"no difference", grey}
	case !now.Before(p.ExpiresAt):
		return cell{"expired", grey}
	case !p.Appliable:
		return cell{"blocked", red}
	}
	return cell{"waits", yellow}
}
