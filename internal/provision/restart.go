package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Restarted is the answer to a restart.
type Restarted struct {
	Environment blueberry.Environment
	Workloads   []blueberry.ObjectRef // that make their pods anew
}

// Restart has the pods of a component made anew (empty: of all), without an interruption where the workload allows it.
func (p *Provisioner) Restart(ctx context.Context, actor blueberry.Actor, id, component string) (Restarted, error) {
	e, op, err := p.operable(ctx, actor, id, component, "restarted")
	if err != nil {
		return Restarted{}, err
	}
	list, err := op.Restart(ctx, refOf(e), component, p.Now())
	if err != nil {
		return Restarted{}, err
	}
	e, err = p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if alive(*e) && !e.Sleep.Asleep {
			e.Sleep.ActiveAt = p.Now()
		}
		message := fmt.Sprintf("%s restarted %s of %s", actor.Name, namesOf(list), e.Name)
		return true, p.act(ctx, tx, *e, actor, deed{blueberry.EnvironmentRestarted, blueberry.GrantEnvironmentsOperate, message, nil, map[string]any{"component": component}})
	})
	return Restarted{Environment: e, Workloads: list}, err
}

// operable gives an environment whose pods an actor may move, and the driver that can. what is said of one that sleeps: it cannot be restarted.
func (p *Provisioner) operable(ctx context.Context, actor blueberry.Actor, id, component, what string) (e blueberry.Environment, op target.Operator, err error) {
	var rev blueberry.Revision
	err = p.Record.View(ctx, func(tx Tx) error {
		if e, err = environmentFor(ctx, tx, actor, id, blueberry.GrantEnvironmentsOperate); err != nil {
			return err
		}
		rev, err = tx.RevisionInputs(ctx, id, e.Revision)
		return err
	})
	if err != nil {
		return e, nil, err
	}
	if err := changeable(e); err != nil {
		return e, nil, err
	}
	if err := awake(e, what); err != nil {
		return e, nil, err
	}
	if component != "" {
		if err := componentOf(rev, component); err != nil {
			return e, nil, err
		}
	}
	place, err := p.place(e.Target)
	if err != nil {
		return e, nil, err
	}
	op, ok := place.Driver.(target.Operator)
	if !ok {
		return e, nil, blueberry.Errorf(blueberry.Unavailable, "TARGET_CANNOT_OPERATE", "the driver of target %s cannot move pods by hand", e.Target)
	}
	return e, op, nil
}

// componentOf is a fault of "component" when a revision has none of that name.
func componentOf(rev blueberry.Revision, name string) error {
	var names []string
	for _, c := range rev.Blueprint.Components {
		names = append(names, c.Name)
	}
	if slices.Contains(names, name) {
		return nil
	}
	return blueberry.Faults{{Field: "component", Code: "unknown", Message: fmt.Sprintf("there is no component %q; there are %s", name, strings.Join(names, ", "))}}.Err()
}

func namesOf(list []blueberry.ObjectRef) string {
	const most = 3
	var names []string
	for _, o := range list[:min(most, len(list))] {
		names = append(names, o.Kind+" "+o.Name)
	}
	s := strings.Join(names, ", ")
	if len(list) > most {
		s += fmt.Sprintf(" and %d more", len(list)-most)
	}
	return s
}

// Redeploy brings the desired revision to the target anew: it is committed if Git does not hold it, applied in full, and all pods are made anew. One that
// sleeps wakes.
func (p *Provisioner) Redeploy(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsOperate); err != nil {
		return blueberry.Environment{}, err
	}
	e, err := p.read(ctx, id)
	if err != nil {
		return e, err
	}
	if err := changeable(e); err != nil {
		return e, err
	}
	// First, because it needs the target: when that is away nothing is recorded. One that sleeps, or was never applied, makes its pods anew anyway.
	if !e.Sleep.Asleep && e.Synced != 0 {
		if _, op, err := p.operable(ctx, actor, id, "", "deployed"); err != nil {
			return e, err
		} else if _, err := op.Restart(ctx, refOf(e), "", p.Now()); err != nil && !errors.Is(err, blueberry.NotFound) {
			return e, err
		}
	}
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if err := changeable(*e); err != nil {
			return false, err
		}
		now := p.Now()
		e.Commit, e.Synced, e.DriftSince = "", 0, time.Time{}
		for _, c := range []blueberry.ConditionType{blueberry.Committed, blueberry.Synced} {
			p.set(e, c, blueberry.Unknown, "NotYet", "")
		}
		if e.Phase.MaySleep() { // it was made once
			if err := e.Move(blueberry.Updating, "Redeploying", fmt.Sprintf("revision %d is on its way again", e.Revision), now); err != nil {
				return false, err
			}
			e.PhaseSince = now
		}
		if err := p.deployed(ctx, tx, e, actor); err != nil {
			return false, err
		}
		e.DeadlineAt = e.NextDeadline()
		if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
			return false, err
		}
		message := fmt.Sprintf("%s deployed revision %d of %s again", actor.Name, e.Revision, e.Name)
		return true, p.act(ctx, tx, *e, actor, deed{blueberry.EnvironmentRedeployed, blueberry.GrantEnvironmentsOperate, message, nil, map[string]any{"revision": e.Revision}})
	})
}
