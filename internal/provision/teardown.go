package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// evidencePatience is how long a removal waits for objects that cannot be written: evidence comes before speed, and an end comes before evidence.
const evidencePatience = 10 * time.Minute

// tearDown removes an environment in the safe order (capabilities A6): its logs are kept; nothing is synced any more, neither by us, since the phase is
// terminating, nor by a place from Git; then workloads and namespace, proven gone; then the files in Git, proven gone; then the archive; only then it is
// terminated. The receipt is written on the way. Of what was abandoned nothing is asked or proven any more: it is named, and the rest goes.
func (p *Provisioner) tearDown(ctx context.Context, e blueberry.Environment) (blueberry.JobOutcome, error) {
	p.synced.drop(e.ID)
	p.delivered.drop(e.ID)
	p.causes.drop(e.ID)
	p.probes.drop(e.ID)
	ledger, err := p.ledger(ctx, e.ID)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	r, err := p.openReceipt(ctx, e)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	place, err := p.place(e.Target)
	if !r.Abandoned.At.IsZero() {
		if r.LogsAt.IsZero() {
			note(&r, NoteNoLogs)
		}
		leftBehind(&r, ledger)
		return p.erase(ctx, place, e, r) // of a target that cannot be opened: without the files of its driver
	}
	if err != nil {
		return blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonTargetUnavailable, err)
	}
	if again, err := p.stop(ctx, place, e, &r, ledger); err != nil || again != nil {
		return orNothing(again), err
	}
	left, err := place.Driver.Remove(ctx, refOf(e), ledger)
	switch {
	case errors.Is(err, blueberry.Unavailable):
		return blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonTargetUnavailable, err)
	case errors.Is(err, blueberry.Invalid), errors.Is(err, blueberry.Conflict), errors.Is(err, blueberry.Forbidden):
		return blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonRefused, err)
	case err != nil:
		return blueberry.JobOutcome{}, fmt.Errorf("remove from target %s: %w", e.Target, err)
	}
	looked(&r, ledger, left, p.Now())
	if len(left) > 0 {
		again, err := p.remaining(ctx, place, e, r, left)
		p.at(StepRemoving)
		return blueberry.JobOutcome{Again: again}, err
	}
	r.Leftovers = nil
	p.at(StepRemoved)
	if err := p.receipt(ctx, r, ledger); err != nil {
		return blueberry.JobOutcome{}, err
	}
	p.at(StepReceipted)
	return p.erase(ctx, place, e, r)
}

// stop is what comes before anything is removed: the logs are kept, and no place syncs the environment from Git any more. Of an outcome that is not nil the
// work ends there for now.
func (p *Provisioner) stop(ctx context.Context, place Place, e blueberry.Environment, r *blueberry.Receipt, ledger []blueberry.LedgerEntry) (*blueberry.JobOutcome, error) {
	began := *r
	if r.LogsAt.IsZero() {
		if again, err := p.keepLogs(ctx, place, e, r, ledger); err != nil || again != nil {
			return again, err
		}
		r.LogsAt = p.Now()
	}
	p.at(StepLogsKept)
	if r.StoppedAt.IsZero() || e.HeldBy != "" && e.HeldBy != place.Target.Driver {
		if _, again, err := p.takeOver(ctx, place, e); err != nil || again != nil {
			return again, err
		}
		if d, ok := place.Driver.(target.Delivery); ok {
			if again, err := p.withdraw(ctx, d, e); err != nil || again != nil {
				return again, err
			}
		}
		r.StoppedAt = p.Now()
	}
	if !r.LogsAt.Equal(began.LogsAt) || !r.StoppedAt.Equal(began.StoppedAt) {
		if err := p.putReceipt(ctx, *r); err != nil {
			return nil, err
		}
	}
	p.at(StepStopped)
	return nil, nil
}

// receipt writes down that every object is proven gone.
func (p *Provisioner) receipt(ctx context.Context, r blueberry.Receipt, ledger []blueberry.LedgerEntry) error {
	now := p.Now()
	var put []blueberry.LedgerEntry
	for _, l := range ledger {
		if l.GoneAt.IsZero() {
			l.GoneAt = now
			put = append(put, l)
		}
	}
	return p.Record.Update(ctx, func(tx Tx) error {
		if err := writeReceipt(ctx, tx, r); err != nil || len(put) == 0 {
			return err
		}
		return tx.PutLedger(ctx, r.EnvironmentID, put)
	})
}

// waits says what a removal waits for that is not its target or Git, and tells it once.
func (p *Provisioner) waits(ctx context.Context, id, message string) error {
	_, err := p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if e.Phase != blueberry.Terminating || e.Message == message {
			return false, nil
		}
		if err := e.Move(blueberry.Terminating, e.Reason, message, p.Now()); err != nil {
			return false, err
		}
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentBlocked, blueberry.System(), e.Name+" "+message)
	})
	return err
}
