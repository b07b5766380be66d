package provision

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Sleep lets an environment fall asleep: its pods go; data, addresses and lease stay. Asking for what is there already changes nothing. ifVersion 0 means any
// version.
func (p *Provisioner) Sleep(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) (blueberry.Environment, error) {
	return p.turnByHand(ctx, actor, id, true, ifVersion)
}

// Wake lets an environment run again, with as many pods as before. Asking for what is there already changes nothing.
func (p *Provisioner) Wake(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) (blueberry.Environment, error) {
	return p.turnByHand(ctx, actor, id, false, ifVersion)
}

func (p *Provisioner) turnByHand(ctx context.Context, actor blueberry.Actor, id string, asleep bool, ifVersion int64) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsOperate); err != nil {
		return blueberry.Environment{}, err
	}
	detail := actor.Name + " woke it"
	if asleep {
		detail = actor.Name + " put it to sleep"
	}
	return p.turnTo(ctx, actor, id, asleep, blueberry.ByHand, detail, ifVersion)
}

// WakeForRequest wakes an environment because someone opened one of its addresses. Of one that is awake it changes nothing.
func (p *Provisioner) WakeForRequest(ctx context.Context, id string) (blueberry.Environment, error) {
	if e, err := p.read(ctx, id); err != nil || alive(e) && !e.Sleep.Asleep {
		return e, err
	}
	return p.turnTo(ctx, blueberry.System(), id, false, blueberry.ByRequest, "someone opened one of its addresses", 0)
}

func (p *Provisioner) turnTo(ctx context.Context, actor blueberry.Actor, id string, asleep bool, why blueberry.WakeReason, detail string, ifVersion int64) (blueberry.Environment, error) {
	turned := false
	e, err := p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		turned = false
		if err := checkVersion(*e, ifVersion); err != nil {
			return false, err
		}
		if !alive(*e) {
			return false, blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ENDING", "%s is %s; it can neither sleep nor wake any more", e.Name, e.Phase)
		}
		if e.Sleep.Asleep == asleep {
			return false, nil
		}
		if !e.Phase.MaySleep() {
			return false, blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_NOT_MADE", "%s is %s; it can sleep when it was ready once", e.Name, e.Phase)
		}
		turned = true
		return true, p.turn(ctx, tx, e, actor, asleep, why, detail)
	})
	if err == nil && turned {
		p.at(acceptedStep(asleep))
	}
	return e, err
}

// awake is a Conflict of an environment that sleeps, for what can only be done to pods.
func awake(e blueberry.Environment, what string) error {
	if !e.Sleep.Asleep {
		return nil
	}
	return blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ASLEEP", "%s sleeps and cannot be %s; wake it first", e.Name, what)
}

// SetSleepPolicy says when an environment falls asleep and wakes by itself. The zero policy gives it that of its project again. It counts from now on.
// ifVersion 0 means any version.
func (p *Provisioner) SetSleepPolicy(ctx context.Context, actor blueberry.Actor, id string, policy blueberry.SleepPolicy, ifVersion int64) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsOperate); err != nil {
		return blueberry.Environment{}, err
	}
	var faults blueberry.Faults
	policy.Check(&faults, "")
	if err := faults.Err(); err != nil {
		return blueberry.Environment{}, err
	}
	own := !policy.IsZero()
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (_ bool, err error) {
		if err := checkVersion(*e, ifVersion); err != nil {
			return false, err
		}
		if err := changeable(*e); err != nil {
			return false, err
		}
		next := policy
		if !own {
			if next, err = projectSleep(ctx, tx, e.Project); err != nil {
				return false, err
			}
		}
		if e.Sleep.Own == own && e.Sleep.Policy.Equal(next) {
			return false, nil
		}
		was := e.Sleep.Policy
		e.Sleep.Own = own
		followPolicy(e, next, p.Now())
		if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
			return false, err
		}
		message := fmt.Sprintf("%s said when %s sleeps: %s", actor.Name, e.Name, policyText(next))
		if !own {
			message = fmt.Sprintf("%s gave %s the sleep policy of its project: %s", actor.Name, e.Name, policyText(next))
		}
		return true, p.act(ctx, tx, *e, actor, deed{
			blueberry.EnvironmentSleepPolicy, blueberry.GrantEnvironmentsOperate, message, sleepPolicyFields(was), sleepPolicyFields(next),
		})
	})
}
