package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
)

// Extend adds hours to what is left of the lease, never past 168 hours from now, or what the blueprint allows. ifVersion 0 means any version.
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
		now := p.Now()
		if e.Phase == blueberry.Terminating || e.Phase == blueberry.Terminated || e.Lease.Expired(now) {
			return false, blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ENDING", "%s is %s; its lease cannot be extended any more", e.Name, endingWord(*e))
		}
		before := e.Lease
		rev, err := tx.RevisionInputs(ctx, e.ID, e.Revision)
		if err != nil {
			return false, err
		}
		most := blueberry.MaxLeaseHours
		if bound := rev.Blueprint.Lease.Max; bound != 0 {
			most = bound
		}
		e.Lease = e.Lease.ExtendWithin(now, hours, most)
		e.DeadlineAt = e.NextDeadline()
		if e.Lease == before {
			return false, nil
		}
		policies, err := tx.Policies(ctx, e.Project)
		if err != nil {
			return false, err
		}
		verdicts := policy.Judge(policies, policy.Question{
			Actor: actor, Action: blueberry.PlanChange, Environment: *e, Inputs: rev.Inputs, Demand: e.Demand, LeaseHours: e.Lease.HoursLeft(now),
		})
		if err := Blockers(blueberry.Plan{Policies: verdicts}); err != nil {
			return false, err
		}
		message := fmt.Sprintf("%s extended the lease of %s by %s to %s", actor.Name, e.Name, e.Lease.ExpiresAt.Sub(before.ExpiresAt).Round(1e9), e.Lease.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
		// The reconciler sets the finer deadlines of the phase again.
		if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
			return false, err
		}
		return true, p.act(ctx, tx, *e, actor, deed{
			blueberry.EnvironmentLeaseExtended, blueberry.GrantEnvironmentsExtend, message, leaseFields(before), leaseFields(e.Lease),
		})
	})
}

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
