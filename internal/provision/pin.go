package provision

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Pin gives an environment a lease that lasts the hours from now, past what a lease can last otherwise. Its owner may, and who may update the project, for as
// long as the project allows. ifVersion 0 means any version.
func (p *Provisioner) Pin(ctx context.Context, actor blueberry.Actor, id string, hours int, reason string, ifVersion int64) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsExtend); err != nil {
		return blueberry.Environment{}, err
	}
	if e, err := p.read(ctx, id); err != nil || e.Restricted { // which it is to its end
		if err == nil {
			err = p.deny(ctx, e, actor, blueberry.GrantEnvironmentsExtend, "pin")
		}
		return blueberry.Environment{}, err
	}
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if err := p.pinnable(actor, *e, ifVersion); err != nil {
			return false, err
		}
		project, err := tx.Project(ctx, e.Project)
		if err != nil {
			return false, err
		}
		most := project.PinHours()
		if most == 0 {
			return false, blueberry.Errorf(blueberry.Conflict, "PIN_FORBIDDEN", "project %s does not let its environments be pinned", e.Project)
		}
		var faults blueberry.Faults
		if hours < blueberry.MinLeaseHours || hours > most {
			faults.Add("hours", "range", "is %d hours, project %s allows %d to %d", hours, e.Project, blueberry.MinLeaseHours, most)
		}
		faults.CheckText("reason", reason, blueberry.MaxConfigMessage)
		if err := faults.Err(); err != nil {
			return false, err
		}
		after := e.Lease.Pin(p.Now(), hours, actor.Name)
		rev, _, err := leaseBound(ctx, tx, *e)
		if err != nil {
			return false, err
		}
		if err := p.leaseAllowed(ctx, tx, actor, *e, rev, after); err != nil {
			return false, err
		}
		message := fmt.Sprintf("%s pinned %s until %s", actor.Name, e.Name, endText(after))
		if reason != "" {
			message += ": " + reason
		}
		return true, p.setLease(ctx, tx, e, actor, after, blueberry.EnvironmentPinned, message)
	})
}

// Unpin gives a pinned environment a lease that lasts no longer than one that is asked for now; of one that is not pinned it changes nothing.
func (p *Provisioner) Unpin(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsExtend); err != nil {
		return blueberry.Environment{}, err
	}
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if err := p.pinnable(actor, *e, ifVersion); err != nil {
			return false, err
		}
		if e.Lease.PinnedBy == "" {
			return false, nil
		}
		_, most, err := leaseBound(ctx, tx, *e)
		if err != nil {
			return false, err
		}
		after := e.Lease.Unpin(p.Now(), most)
		message := fmt.Sprintf("%s took the pin off %s, which lives until %s", actor.Name, e.Name, endText(after))
		return true, p.setLease(ctx, tx, e, actor, after, blueberry.EnvironmentUnpinned, message)
	})
}

// pinnable tells why an actor may not pin an environment.
func (p *Provisioner) pinnable(actor blueberry.Actor, e blueberry.Environment, ifVersion int64) error {
	if err := checkVersion(e, ifVersion); err != nil {
		return err
	}
	if !owns(actor, e) {
		if err := actor.CanIn(e.Project, blueberry.GrantProjectsUpdate); err != nil {
			return err
		}
	}
	return p.leaseLives(e)
}

// owns reports whether the actor asked for the environment, or acts for the one who did.
func owns(actor blueberry.Actor, e blueberry.Environment) bool {
	return e.Owner != "" && (actor.Name == e.Owner || actor.OnBehalfOf == e.Owner)
}
