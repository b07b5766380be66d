package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Orphans reads one page of what scans found, by id.
func (p *Provisioner) Orphans(ctx context.Context, actor blueberry.Actor, q blueberry.OrphanQuery) ([]blueberry.Orphan, error) {
	if err := actor.Can(blueberry.GrantOrphansRead); err != nil {
		return nil, err
	}
	return view(ctx, p, func(tx Tx) ([]blueberry.Orphan, error) { return tx.Orphans(ctx, q) })
}

// Orphan reads one.
func (p *Provisioner) Orphan(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Orphan, error) {
	if err := actor.Can(blueberry.GrantOrphansRead); err != nil {
		return blueberry.Orphan{}, err
	}
	return view(ctx, p, func(tx Tx) (blueberry.Orphan, error) { return tx.Orphan(ctx, id) })
}

// ApproveOrphan allows the removal of an orphan, which then begins. Conflict when a living environment has its name or namespace by now, when someone has
// allowed it already, and for a record without objects, of which there is nothing to remove. From then on, until it is gone, none of its name is made.
func (p *Provisioner) ApproveOrphan(ctx context.Context, actor blueberry.Actor, id string) (o blueberry.Orphan, err error) {
	if err := actor.Can(blueberry.GrantOrphansRemove); err != nil {
		return o, err
	}
	return o, p.Record.Update(ctx, func(tx Tx) error {
		if o, err = tx.Orphan(ctx, id); err != nil {
			return err
		}
		if o.Kind == blueberry.OrphanRecord {
			return blueberry.Errorf(blueberry.Conflict, "ORPHAN_WITHOUT_OBJECTS", "there is nothing of %s to remove on target %s: redeploy or destroy the environment", o.Env, o.Target)
		}
		if _, err := tx.LockTarget(ctx, o.Target); err != nil && !errors.Is(err, blueberry.NotFound) { // so that none of its name is made meanwhile
			return err
		}
		holder, err := holderOf(ctx, tx, o)
		if err != nil {
			return err
		}
		if holder != "" {
			return blueberry.Errorf(blueberry.Conflict, "ORPHAN_TAKEN", "environment %s has the name or namespace of the orphan on target %s: it is none any more", holder, o.Target)
		}
		now := p.Now()
		if err := tx.ApproveOrphan(ctx, id, actor.Name, now); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, blueberry.JobOrphanRemove, id); err != nil {
			return err
		}
		message := fmt.Sprintf("%s allowed the removal of an orphan of %s/%s from target %s: %s", actor.Name, o.Project, o.Env, o.Target, o.Message)
		o.ApprovedBy, o.ApprovedAt = actor.Name, now
		if err := tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.OrphanApproved, Environment: o.Env, Actor: actor.Name, Message: message, At: now}); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, blueberry.AuditEntry{Actor: actor, Action: string(blueberry.GrantOrphansRemove), Resource: id, Detail: message, At: now})
	})
}

// RemoveOrphan is the worker of orphan.remove: it removes what someone allowed to be removed, unless an environment has taken its name meanwhile.
func (p *Provisioner) RemoveOrphan(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	var o blueberry.Orphan
	holder, err := view(ctx, p, func(tx Tx) (_ string, err error) {
		if o, err = tx.Orphan(ctx, job.Subject); err != nil {
			return "", err
		}
		return holderOf(ctx, tx, o)
	})
	switch {
	case errors.Is(err, blueberry.NotFound) || err == nil && o.ApprovedAt.IsZero():
		return blueberry.JobOutcome{}, nil
	case err != nil:
		return blueberry.JobOutcome{}, err
	case holder != "":
		return blueberry.JobOutcome{}, p.closeOrphan(ctx, o, blueberry.OrphanKept,
			fmt.Sprintf("removed nothing of %s/%s from target %s: environment %s has taken its name", o.Project, o.Env, o.Target, holder))
	}
	if o.Kind == blueberry.OrphanFiles {
		return p.removeFiles(ctx, o)
	}
	place, err := p.place(o.Target)
	if err != nil {
		return blueberry.JobOutcome{Again: backstop}, nil //nolint:nilerr // its driver may be open again then
	}
	var ledger []blueberry.LedgerEntry
	for _, x := range o.Objects {
		ledger = append(ledger, blueberry.LedgerEntry{ObjectRef: x})
	}
	left, err := place.Driver.Remove(ctx, target.Ref{Project: o.Project, Environment: o.Env, Namespace: o.Namespace}, ledger)
	if errors.Is(err, blueberry.Unavailable) {
		return blueberry.JobOutcome{Again: backstop}, nil
	}
	if err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("remove orphan %s from target %s: %w", o.ID, o.Target, err)
	}
	if len(left) > 0 {
		err := p.Record.Update(ctx, func(tx Tx) error { return tx.SetOrphanLeftovers(ctx, o.ID, left[:min(len(left), maxOrphanObjects)]) })
		again := retryTarget
		if p.Now().Sub(o.ApprovedAt) > time.Minute {
			again = backstop
		}
		return blueberry.JobOutcome{Again: again}, err
	}
	return blueberry.JobOutcome{}, p.closeOrphan(ctx, o, blueberry.OrphanGone,
		fmt.Sprintf("removed the orphan of %s/%s from target %s, which %s allowed", o.Project, o.Env, o.Target, o.ApprovedBy))
}

// removeFiles removes a directory from Git.
func (p *Provisioner) removeFiles(ctx context.Context, o blueberry.Orphan) (blueberry.JobOutcome, error) {
	dir := gitops.Dir(o.Target, o.Project, o.Env)
	_, err := p.commitWithin(ctx, gitops.Change{Dir: dir, Subject: fmt.Sprintf("%s/%s: orphan removed", o.Project, o.Env), Actor: o.ApprovedBy})
	if errors.Is(err, blueberry.Unavailable) {
		return blueberry.JobOutcome{Again: retryRepository}, nil
	}
	if err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("remove orphan %s from Git: %w", o.ID, err)
	}
	return blueberry.JobOutcome{}, p.closeOrphan(ctx, o, blueberry.OrphanGone, fmt.Sprintf("removed %s from Git, which %s allowed", dir, o.ApprovedBy))
}

func (p *Provisioner) closeOrphan(ctx context.Context, o blueberry.Orphan, t blueberry.EventType, message string) error {
	return p.Record.Update(ctx, func(tx Tx) error {
		if _, err := tx.Orphan(ctx, o.ID); err != nil {
			if errors.Is(err, blueberry.NotFound) { // told already
				return nil
			}
			return err
		}
		if err := tx.DeleteOrphan(ctx, o.ID); err != nil {
			return err
		}
		return tx.AppendEvent(ctx, blueberry.Event{Type: t, Environment: o.Env, Actor: blueberry.System().Name, Message: message, At: p.Now()})
	})
}
