package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Extend adds hours to what is left of the lease, never past 168 hours from now. ifVersion 0 means any version.
func (p *Provisioner) Extend(ctx context.Context, actor blueberry.Actor, id string, hours int, ifVersion int64) (blueberry.Environment, error) {
	if err := actor.Can(blueberry.GrantEnvironmentsExtend); err != nil {
		return blueberry.Environment{}, err
	}
	var faults blueberry.Faults
	faults.CheckHours("hours", hours)
	if err := faults.Err(); err != nil {
		return blueberry.Environment{}, err
	}
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if err := checkVersion(*e, ifVersion); err != nil {
			return false, err
		}
		now := p.Now()
		if e.Phase == blueberry.Terminating || e.Phase == blueberry.Terminated || e.Lease.Expired(now) {
			return false, blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ENDING", "%s is %s; its lease cannot be extended any more", e.Name, endingWord(*e))
		}
		before := e.Lease
		e.Lease = e.Lease.Extend(now, hours)
		e.DeadlineAt = e.NextDeadline()
		if e.Lease == before {
			return false, nil
		}
		message := fmt.Sprintf("%s extended the lease of %s by %s to %s", actor.Name, e.Name, e.Lease.ExpiresAt.Sub(before.ExpiresAt).Round(1e9), e.Lease.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
		// The reconciler sets the finer deadlines of the phase again.
		if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
			return false, err
		}
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentLeaseExtended, actor, blueberry.GrantEnvironmentsExtend, message)
	})
}

func endingWord(e blueberry.Environment) string {
	if e.Phase == blueberry.Terminating || e.Phase == blueberry.Terminated {
		return string(e.Phase)
	}
	return "expired"
}

// Destroy begins the removal of an environment; asking again changes nothing. ifVersion 0 means any version.
func (p *Provisioner) Destroy(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) (blueberry.Environment, error) {
	if err := actor.Can(blueberry.GrantEnvironmentsDelete); err != nil {
		return blueberry.Environment{}, err
	}
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if e.Phase == blueberry.Terminating || e.Phase == blueberry.Terminated {
			return false, nil
		}
		if err := checkVersion(*e, ifVersion); err != nil {
			return false, err
		}
		return true, p.end(ctx, tx, e, actor, "DestroyRequested", blueberry.EnvironmentDestroyAsked, fmt.Sprintf("%s asked to destroy %s", actor.Name, e.Name))
	})
}

// end takes an environment to terminating; from here on nothing is synced to its target any more.
func (p *Provisioner) end(ctx context.Context, tx Tx, e *blueberry.Environment, actor blueberry.Actor, reason string, t blueberry.EventType, message string) error {
	if err := e.Move(blueberry.Terminating, reason, message, p.Now()); err != nil {
		return err
	}
	e.DeadlineAt = e.NextDeadline()
	if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
		return err
	}
	return p.tell(ctx, tx, *e, t, actor, blueberry.GrantEnvironmentsDelete, message)
}

func checkVersion(e blueberry.Environment, want int64) error {
	if want != 0 && want != e.Version {
		return blueberry.Errorf(blueberry.PreconditionFailed, "VERSION_MOVED", "%s is at version %d, the request was made for version %d", e.Name, e.Version, want)
	}
	return nil
}

// versionMoved reports whether a write lost against another one, so that it is worth beginning anew.
func versionMoved(err error) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && e.Kind == blueberry.Conflict && e.Code == "VERSION_MOVED"
}
