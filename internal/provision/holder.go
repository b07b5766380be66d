package provision

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// retryTarget is how soon a place is asked again for what it did not do at once, and tells no change of.
const retryTarget = backstop / 6

// takeOver lets the driver that held an environment before let go of it, so that the present one can hold it; nothing that runs is touched. Of an outcome
// that is not nil the work ends there for now.
func (p *Provisioner) takeOver(ctx context.Context, place Place, e blueberry.Environment) (blueberry.Environment, *blueberry.JobOutcome, error) {
	if place.Target.Driver == "" || e.HeldBy == place.Target.Driver || e.HeldBy == "" && e.Commit == "" {
		return e, nil, nil
	}
	if e.HeldBy == "" { // it is older than the note of who holds it, when a target had one driver for good
		e, err := p.change(ctx, e.ID, func(_ Tx, e *blueberry.Environment) (bool, error) {
			e.HeldBy = place.Target.Driver
			return true, nil
		})
		return e, nil, err
	}
	if place.Former != nil {
		if again, err := p.withdraw(ctx, place.Former, e); err != nil || again != nil {
			return e, again, err
		}
	}
	if place.Release != nil {
		err := place.Release(ctx, refOf(e))
		var refused *blueberry.Error
		switch {
		case errors.As(err, &refused):
			reason := blueberry.ReasonRefused
			if refused.Kind == blueberry.Unavailable {
				reason = blueberry.ReasonTargetUnavailable
			}
			return e, &blueberry.JobOutcome{Again: retryTarget}, p.blocked(ctx, e.ID, blueberry.Synced, reason, err)
		case err != nil:
			return e, nil, fmt.Errorf("let driver %s go of %s: %w", e.HeldBy, e.Name, err)
		}
	}
	e, err := p.change(ctx, e.ID, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if e.HeldBy == place.Target.Driver {
			return false, nil
		}
		message := fmt.Sprintf("driver %s holds %s now, which %s let go", place.Target.Driver, e.Name, e.HeldBy)
		e.HeldBy = place.Target.Driver
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentHandedOver, blueberry.System(), message)
	})
	return e, nil, err
}

// withdraw removes from Git what tells a place to sync an environment by itself. The manifests stay.
func (p *Provisioner) withdraw(ctx context.Context, d target.Delivery, e blueberry.Environment) (*blueberry.JobOutcome, error) {
	dir := gitops.Dir(e.Target, e.Project, e.Name)
	files, err := p.Repository.Files(ctx, dir)
	if err == nil {
		_, err = p.commitWithin(ctx, gitops.Change{
			Dir: dir, Files: files, Subject: fmt.Sprintf("%s/%s: no longer synced", e.Project, e.Name),
			Environment: e.ID, Revision: e.Revision, Actor: blueberry.System().Name, Beside: gone(besides(d, e)),
		})
	}
	if errors.Is(err, blueberry.Unavailable) {
		return &blueberry.JobOutcome{Again: retryRepository}, p.blocked(ctx, e.ID, blueberry.Committed, blueberry.ReasonRepositoryUnavailable, err)
	}
	if err != nil {
		return nil, fmt.Errorf("commit that %s is no longer synced: %w", e.Name, err)
	}
	return nil, nil
}

// besides are the files that a place with deliveries needs in Git for an environment, by path in the repository.
func besides(d target.Delivery, e blueberry.Environment) map[string][]byte {
	out := map[string][]byte{}
	for name, content := range d.Files(refOf(e), e.Drift.Ignore) {
		out[path.Join("targets", e.Target, name)] = content
	}
	return out
}

// gone is the same without content: as a change, their removal.
func gone(files map[string][]byte) map[string][]byte {
	for name := range files {
		files[name] = nil
	}
	return files
}

// admit asks a place with deliveries whether it takes what is about to be committed: after the commit it takes whatever is there. Of an outcome that is not
// nil the work ends there for now.
func (p *Provisioner) admit(ctx context.Context, d target.Delivery, e blueberry.Environment, want target.Desired) (*blueberry.JobOutcome, error) {
	err := d.Admit(ctx, want)
	switch {
	case errors.Is(err, blueberry.Unavailable):
		return &blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonTargetUnavailable, err)
	case errors.Is(err, blueberry.Invalid), errors.Is(err, blueberry.Conflict), errors.Is(err, blueberry.Forbidden):
		return &blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonRefused, err)
	case err != nil:
		return nil, fmt.Errorf("ask target %s: %w", e.Target, err)
	}
	return nil, nil
}

// moved tells a place with deliveries that Git has something new for it. If it does not hear, it finds out by itself, later.
func (p *Provisioner) moved(ctx context.Context, d target.Delivery, e blueberry.Environment) {
	if err := d.Moved(ctx, refOf(e)); err != nil && ctx.Err() == nil {
		p.Logger.Warn("tell target of a commit", "target", e.Target, "environment", e.ID, "error", err)
	}
}

// delivered remembers as what this process has seen which environment committed. What stands beside the manifests follows from more than the revision, so
// it is committed once more after a start, and when that changed.
type delivered struct{ of sync.Map } // environment id → heldAs

func (d *delivered) has(e blueberry.Environment) bool {
	as, ok := d.of.Load(e.ID)
	return ok && as == heldAsOf(e)
}

func (d *delivered) add(e blueberry.Environment) { d.of.Store(e.ID, heldAsOf(e)) }

func (d *delivered) drop(id string) { d.of.Delete(id) }
