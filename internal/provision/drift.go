package provision

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// keepPlans is how long an expired plan can still be read.
const keepPlans = 24 * time.Hour

// Drift asks the target what differs on it from the desired revision, object by object and field by field. What the policy ignores is left out.
func (p *Provisioner) Drift(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Drift, error) {
	type state struct {
		e   blueberry.Environment
		rev blueberry.Revision
	}
	s, err := viewOf(ctx, p, actor, id, func(tx Tx, e blueberry.Environment) (s state, err error) {
		s.e = e
		if s.rev, err = tx.Revision(ctx, id, s.e.Revision); err != nil {
			return s, err
		}
		s.rev, err = asDesired(s.e, s.rev)
		return s, err
	})
	if err != nil {
		return blueberry.Drift{}, err
	}
	if err := changeable(s.e); err != nil {
		return blueberry.Drift{}, err
	}
	place, err := p.place(s.e.Target)
	if err != nil {
		return blueberry.Drift{}, err
	}
	out := blueberry.Drift{At: p.Now(), Since: s.e.DriftSince, Policy: s.e.Drift}
	out.Objects, err = p.compare(ctx, place, s.e, s.rev)
	return out, err
}

// compare asks the target what differs: Before is desired, After is live.
func (p *Provisioner) compare(ctx context.Context, place Place, e blueberry.Environment, rev blueberry.Revision) ([]blueberry.ObjectDiff, error) {
	comparer, ok := place.Driver.(target.Comparer)
	if !ok {
		return nil, blueberry.Errorf(blueberry.Unavailable, "TARGET_CANNOT_COMPARE", "target %s cannot be asked what differs on it", e.Target)
	}
	ctx, cancel := context.WithTimeout(ctx, planLook)
	defer cancel()
	objects, err := comparer.Compare(ctx, desiredOf(e, rev))
	if err != nil {
		return nil, err
	}
	objects = slices.DeleteFunc(objects, func(o blueberry.ObjectDiff) bool { return o.Action == blueberry.ObjectUnchanged })
	for i := range objects {
		for j, f := range objects[i].Fields {
			f.Before, f.After, f.HasBefore, f.HasAfter = f.After, f.Before, f.HasAfter, f.HasBefore
			objects[i].Fields[j] = f
		}
	}
	return objects, nil
}

// SetDriftPolicy says what is done about what another hand alters. ifVersion 0 means any version.
func (p *Provisioner) SetDriftPolicy(ctx context.Context, actor blueberry.Actor, id string, policy blueberry.DriftPolicy, ifVersion int64) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsUpdate); err != nil {
		return blueberry.Environment{}, err
	}
	var faults blueberry.Faults
	policy.Check(&faults, "")
	if err := faults.Err(); err != nil {
		return blueberry.Environment{}, err
	}
	if policy.Mode == "" {
		policy.Mode = blueberry.DriftRepair
	}
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if err := checkVersion(*e, ifVersion); err != nil {
			return false, err
		}
		if err := changeable(*e); err != nil {
			return false, err
		}
		if e.Drift.Mode == policy.Mode && slices.Equal(e.Drift.Ignore, policy.Ignore) {
			return false, nil
		}
		was := e.Drift
		e.Drift = policy
		if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
			return false, err
		}
		message := fmt.Sprintf("%s set the drift policy of %s to %s, with %d ignored fields", actor.Name, e.Name, policy.Mode, len(policy.Ignore))
		return true, p.act(ctx, tx, *e, actor, deed{
			blueberry.EnvironmentDriftPolicy, blueberry.GrantEnvironmentsUpdate, message, driftFields(was), driftFields(policy),
		})
	})
}

// report looks at an environment whose drift is told and left alone. It notes when it was first seen, and when it is gone.
func (p *Provisioner) report(ctx context.Context, place Place, e blueberry.Environment) error {
	rev, err := p.desired(ctx, e)
	if err != nil {
		return err
	}
	objects, err := p.compare(ctx, place, e, rev)
	if err != nil {
		return err
	}
	if (len(objects) > 0) == !e.DriftSince.IsZero() && settled(e) {
		return nil
	}
	_, err = p.change(ctx, e.ID, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if !alive(*e) || e.Revision != rev.Number {
			return false, nil
		}
		write := p.unblock(ctx, tx, e, blueberry.Synced)
		write = p.set(e, blueberry.Synced, blueberry.True, blueberry.ReasonDone, fmt.Sprintf("the target holds revision %d, and what others made of it", e.Revision)) || write
		if (len(objects) > 0) == !e.DriftSince.IsZero() {
			return write, nil
		}
		if len(objects) == 0 {
			e.DriftSince = time.Time{}
			return true, p.tell(ctx, tx, *e, blueberry.EnvironmentDriftGone, blueberry.System(), e.Name+" is as desired again")
		}
		e.DriftSince = p.Now()
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentDriftDetected, blueberry.System(), fmt.Sprintf("%s differs on %s: %s", e.Name, e.Target, differing(objects)))
	})
	return err
}

func differing(objects []blueberry.ObjectDiff) string {
	const most = 3
	s := ""
	for i, o := range objects {
		if i == most {
			return fmt.Sprintf("%s and %d more objects", s, len(objects)-most)
		}
		if i > 0 {
			s += ", "
		}
		s += o.ObjectRef.String()
		switch {
		case o.Action == blueberry.ObjectCreated:
			s += " (is missing)"
		case len(o.Fields) > 0:
			s += fmt.Sprintf(" (%s", o.Fields[0].Path)
			if n := len(o.Fields) - 1; n > 0 {
				s += fmt.Sprintf(" and %d more", n)
			}
			s += ")"
		}
	}
	return s
}
