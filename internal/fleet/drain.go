package fleet

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// DrainPlan is what a drain does, as of now: it removes those with a lease, and leaves those that stand.
type DrainPlan struct {
	Environments []blueberry.Environment // with a lease that is not pinned, and not yet being removed; in the order of ids, without conditions and hosts
	Standing     []blueberry.Environment // without a lease, or pinned: someone has to move or remove them
	Going        int                     // are being removed already
	Hidden       int                     // of all of these, that the actor may not read
}

// Drain cordons a target and has every environment with a lease removed from it, or tells only what that would do. The removals are the work of
// JobTargetDrain, whose subject is the target's name and which provision does: it goes on until none is left, and looks before each page whether the target
// is still draining, so that Cordon and Uncordon end it. A drain that is asked for again while it is under way begins its work anew.
func (f *Fleet) Drain(ctx context.Context, actor blueberry.Actor, name, reason string, plan bool) (DrainPlan, error) {
	if err := actor.Can(blueberry.GrantTargetsWrite); err != nil {
		return DrainPlan{}, err
	}
	if !plan {
		if _, err := f.changeState(ctx, actor, name, blueberry.TargetDraining, reason); err != nil {
			return DrainPlan{}, err
		}
	}
	var out DrainPlan
	err := f.Record.View(ctx, func(tx Tx) error {
		out = DrainPlan{}
		if _, err := tx.Target(ctx, name); err != nil {
			return err
		}
		for after := ""; ; {
			page, err := tx.LiveNamespaces(ctx, name, after, blueberry.MaxPageSize)
			if err != nil {
				return err
			}
			for _, e := range page {
				out.add(actor, e)
				after = e.ID
			}
			if len(page) < blueberry.MaxPageSize {
				return nil
			}
		}
	})
	return out, err
}

func (p *DrainPlan) add(actor blueberry.Actor, e blueberry.Environment) {
	switch {
	case actor.CanIn(e.Project, blueberry.GrantEnvironmentsRead) != nil:
		p.Hidden++
	case e.Phase == blueberry.Terminating:
		p.Going++
	case e.Drains():
		p.Environments = append(p.Environments, e)
	default:
		p.Standing = append(p.Standing, e)
	}
}
