package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
)

// Extend adds hours to what is left of the lease, never past 168 hours from now, 8 of one that is restricted, or what the blueprint allows. ifVersion 0 means any version.
func (p *Provisioner) Extend(ctx context.Context, actor blueberry.Actor, id string, hours int, ifVersion int64) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsExtend); err != nil {
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
		if err := p.leaseLives(*e); err != nil {
			return false, err
		}
		rev, most, err := leaseBound(ctx, tx, *e)
		if err != nil {
			return false, err
		}
		after := e.Lease.ExtendWithin(p.Now(), hours, most)
		if after == e.Lease {
			return false, nil
		}
		if err := p.leaseAllowed(ctx, tx, actor, *e, rev, after); err != nil {
			return false, err
		}
		return true, p.extended(ctx, tx, e, actor, after, "")
	})
}

// leaseLives tells why a lease cannot be changed any more.
func (p *Provisioner) leaseLives(e blueberry.Environment) error {
	if alive(e) && !e.Lease.Expired(p.Now()) {
		return nil
	}
	return blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ENDING", "%s is %s; its lease cannot be extended any more", e.Name, endingWord(e))
}

// leaseBound is how many hours a lease of the environment may last, and the revision that says so.
func leaseBound(ctx context.Context, tx Tx, e blueberry.Environment) (rev blueberry.Revision, most int, err error) {
	if rev, err = tx.RevisionInputs(ctx, e.ID, e.Revision); err != nil {
		return rev, 0, err
	}
	return rev, rev.Blueprint.Lease.Most(e.Restricted), nil
}

// leaseAllowed asks the policies whether an environment may have a lease.
func (p *Provisioner) leaseAllowed(ctx context.Context, tx Tx, actor blueberry.Actor, e blueberry.Environment, rev blueberry.Revision, l blueberry.Lease) error {
	policies, err := tx.Policies(ctx, e.Project)
	if err != nil {
		return err
	}
	e.Lease = l
	verdicts := policy.Judge(policies, policy.Question{
		Actor: actor, Action: blueberry.PlanChange, Environment: e, Inputs: rev.Inputs, Demand: e.Demand, LeaseHours: l.HoursLeft(p.Now()),
	})
	return Blockers(blueberry.Plan{Policies: verdicts})
}

// extended records a longer lease. by says how, if not by a request of the actor.
func (p *Provisioner) extended(ctx context.Context, tx Tx, e *blueberry.Environment, actor blueberry.Actor, after blueberry.Lease, by string) error {
	message := fmt.Sprintf("%s extended the lease of %s%s by %s to %s", actor.Name, e.Name, by, after.ExpiresAt.Sub(e.Lease.ExpiresAt).Round(1e9), endText(after))
	return p.setLease(ctx, tx, e, actor, after, blueberry.EnvironmentLeaseExtended, message)
}

// setLease records another lease.
func (p *Provisioner) setLease(ctx context.Context, tx Tx, e *blueberry.Environment, actor blueberry.Actor, l blueberry.Lease, t blueberry.EventType, message string) error {
	before := e.Lease
	e.Lease = l
	e.DeadlineAt = e.NextDeadline()
	// The reconciler sets the finer deadlines of the phase again.
	if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
		return err
	}
	return p.act(ctx, tx, *e, actor, deed{t, blueberry.GrantEnvironmentsExtend, message, leaseFields(before), leaseFields(l)})
}

func endText(l blueberry.Lease) string { return l.ExpiresAt.UTC().Format("2006-01-02 15:04 MST") }

func endingWord(e blueberry.Environment) string {
	if e.Phase == blueberry.Terminating || e.Phase == blueberry.Terminated {
		return string(e.Phase)
	}
	return "expired"
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
