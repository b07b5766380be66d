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

// tearDown removes an environment in the safe order: nothing is synced any more since the phase is terminating; then workloads and namespace, proven
// gone; then the files in Git, proven gone; only then it is terminated.
func (p *Provisioner) tearDown(ctx context.Context, e blueberry.Environment) (blueberry.JobOutcome, error) {
	place, err := p.place(e.Target)
	if err != nil {
		return blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonTargetUnavailable, err)
	}
	p.synced.drop(e.ID)
	ledger, err := p.ledger(ctx, e.ID)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	left, err := place.Driver.Remove(ctx, target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}, ledger)
	switch {
	case errors.Is(err, blueberry.Unavailable):
		return blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonTargetUnavailable, err)
	case errors.Is(err, blueberry.Invalid), errors.Is(err, blueberry.Conflict), errors.Is(err, blueberry.Forbidden):
		return blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonRefused, err)
	case err != nil:
		return blueberry.JobOutcome{}, fmt.Errorf("remove from target %s: %w", e.Target, err)
	case len(left) > 0:
		err := p.remaining(ctx, e.ID, left)
		p.at(StepRemoving)
		return blueberry.JobOutcome{Again: backstop}, err
	}
	p.at(StepRemoved)
	if err := p.receipt(ctx, e.ID, ledger); err != nil {
		return blueberry.JobOutcome{}, err
	}
	p.at(StepReceipted)
	return p.erase(ctx, e)
}

// remaining says what still stands in the way.
func (p *Provisioner) remaining(ctx context.Context, id string, left []blueberry.ObjectRef) error {
	message := fmt.Sprintf("%s is still there", left[0])
	if n := len(left) - 1; n > 0 {
		message = fmt.Sprintf("%s and %d more objects are still there", left[0], n)
	}
	_, err := p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if e.Phase != blueberry.Terminating {
			return false, nil
		}
		write := p.unblock(ctx, tx, e, blueberry.Synced)
		write = p.set(e, blueberry.Synced, blueberry.False, "Removing", message) || write
		if e.Message == message {
			return write, nil
		}
		return true, e.Move(blueberry.Terminating, e.Reason, message, p.Now())
	})
	return err
}

// receipt writes down that every object is proven gone.
func (p *Provisioner) receipt(ctx context.Context, id string, ledger []blueberry.LedgerEntry) error {
	now := p.Now()
	var put []blueberry.LedgerEntry
	for _, l := range ledger {
		if l.GoneAt.IsZero() {
			l.GoneAt = now
			put = append(put, l)
		}
	}
	if len(put) == 0 {
		return nil
	}
	return p.Record.Update(ctx, func(tx Tx) error { return tx.PutLedger(ctx, id, put) })
}

// erase removes the environment's files from Git and ends its life.
func (p *Provisioner) erase(ctx context.Context, e blueberry.Environment) (blueberry.JobOutcome, error) {
	dir := gitops.Dir(e.Target, e.Project, e.Name)
	sha, err := p.commitWithin(ctx, gitops.Change{
		Dir: dir, Subject: fmt.Sprintf("%s/%s: removed", e.Project, e.Name), Environment: e.ID, Revision: e.Revision, Actor: blueberry.System().Name,
	})
	if errors.Is(err, blueberry.Unavailable) {
		return blueberry.JobOutcome{Again: retryRepository}, p.blocked(ctx, e.ID, blueberry.Committed, blueberry.ReasonRepositoryUnavailable, err)
	}
	if err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("commit removal: %w", err)
	}
	files, err := p.Repository.Files(ctx, dir)
	if err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("prove that %s is gone from Git: %w", dir, err)
	}
	if len(files) > 0 { // someone pushed them meanwhile
		return blueberry.JobOutcome{Again: time.Second}, nil
	}
	p.at(StepErased)
	_, err = p.change(ctx, e.ID, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if e.Phase != blueberry.Terminating {
			return false, nil
		}
		now := p.Now()
		if err := e.Move(blueberry.Terminated, e.Reason, "every object and file is proven gone", now); err != nil {
			return false, err
		}
		e.TerminatedAt, e.DeadlineAt = now, e.NextDeadline()
		if sha != "" {
			e.Commit = sha
		}
		for _, t := range []blueberry.ConditionType{blueberry.Committed, blueberry.Synced, blueberry.Scheduled, blueberry.Started, blueberry.IsReady, blueberry.Reachable} {
			p.set(e, t, blueberry.False, "Removed", "")
		}
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentTerminated, blueberry.System(), fmt.Sprintf("removed %s; every object and file is proven gone", e.Name))
	})
	if err == nil {
		p.at(StepTerminated)
	}
	return blueberry.JobOutcome{}, err
}
