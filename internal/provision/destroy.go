package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Destroy begins the removal of an environment; asking again changes nothing. planID, if set, is the plan that is applied; ifVersion 0 means any version.
func (p *Provisioner) Destroy(ctx context.Context, actor blueberry.Actor, id, planID string, ifVersion int64) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsDelete); err != nil {
		return blueberry.Environment{}, err
	}
	e, err := p.read(ctx, id)
	if err != nil || !alive(e) && planID == "" {
		return e, err
	}
	a := application{
		planID: planID, kind: blueberry.PlanDestroy, grant: blueberry.GrantEnvironmentsDelete, subject: id, alone: true, ifVersion: ifVersion,
		request: planRequest{Destroy: true, Subject: id},
	}
	_, err = p.apply(ctx, actor, a, func(tx Tx, d *draft) error {
		e, err := tx.Environment(ctx, id)
		if err != nil || !alive(e) {
			return err
		}
		if err := checkVersion(e, ifVersion); err != nil {
			return err
		}
		if e.Revision != d.base.Number {
			return errMoved
		}
		if err := p.end(ctx, tx, &e, actor, "DestroyRequested", blueberry.EnvironmentDestroyAsked, fmt.Sprintf("%s asked to destroy %s", actor.Name, e.Name)); err != nil {
			return err
		}
		e.UpdatedAt = p.Now()
		return tx.UpdateEnvironment(ctx, e)
	})
	var ending *blueberry.Error
	if errors.As(err, &ending) && ending.Code == "ENVIRONMENT_ENDING" && planID == "" {
		err = nil // someone else was quicker, or its lease ended
	}
	if err != nil {
		return blueberry.Environment{}, err
	}
	return p.read(ctx, id)
}

func (p *Provisioner) draftDestroy(ctx context.Context, actor blueberry.Actor, r planRequest) (*draft, error) {
	d, err := p.begin(ctx, actor, r, blueberry.PlanDestroy)
	if err != nil {
		return nil, err
	}
	if !alive(d.env) {
		return d, blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ENDING", "%s is %s already", d.env.Name, d.env.Phase)
	}
	d.holds = nil
	d.inputs = append(d.inputs, blueberry.PlanInput{Kind: blueberry.InputPolicies, Value: policiesText(d.res.policies)})
	return d, nil
}

// end takes an environment to terminating; from here on nothing is synced to its target any more.
func (p *Provisioner) end(ctx context.Context, tx Tx, e *blueberry.Environment, actor blueberry.Actor, reason string, t blueberry.EventType, message string) error {
	before := phaseFields(*e)
	if err := e.Move(blueberry.Terminating, reason, message, p.Now()); err != nil {
		return err
	}
	e.DeadlineAt, e.Cause = e.NextDeadline(), ""
	if err := tx.PutReceipt(ctx, newReceipt(*e, actor.Name)); err != nil {
		return err
	}
	if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
		return err
	}
	return p.act(ctx, tx, *e, actor, deed{t, blueberry.GrantEnvironmentsDelete, message, before, phaseFields(*e)})
}
