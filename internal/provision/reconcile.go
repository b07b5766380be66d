package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Reconcile is the worker of environment.reconcile: it looks at what is desired and what is observed, does what is needful now, and says when it
// wants to look again. It never waits for a workload: a watch, a deadline or the backstop calls it again.
func (p *Provisioner) Reconcile(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	out, err := p.reconcile(ctx, job)
	if err != nil && ctx.Err() == nil {
		// The queue tries again; until then the environment says why nothing moves. If even that cannot be written, the queue has the error.
		_ = p.blocked(ctx, job.Subject, blueberry.Synced, blueberry.ReasonRetrying, err)
	}
	return out, err
}

func (p *Provisioner) reconcile(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	e, due, err := p.readDue(ctx, job.Subject)
	if errors.Is(err, blueberry.NotFound) || e.Phase == blueberry.Terminated {
		return blueberry.JobOutcome{}, nil
	}
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	if due {
		if e, err = p.expire(ctx, e.ID); err != nil {
			return blueberry.JobOutcome{}, err
		}
	}
	if e.Phase == blueberry.Terminating {
		return p.tearDown(ctx, e)
	}
	return p.raise(ctx, e)
}

func (p *Provisioner) read(ctx context.Context, id string) (e blueberry.Environment, err error) {
	err = p.Record.View(ctx, func(tx Tx) error {
		e, err = tx.Environment(ctx, id)
		return err
	})
	return e, err
}

// raise brings an environment that should live nearer to its desired revision.
func (p *Provisioner) raise(ctx context.Context, e blueberry.Environment) (blueberry.JobOutcome, error) {
	if err := p.countOld(ctx, e); err != nil {
		return blueberry.JobOutcome{}, err
	}
	place, err := p.place(e.Target)
	if err != nil {
		return blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonTargetUnavailable, err)
	}
	if e.Phase == blueberry.Pending {
		if e, err = p.start(ctx, e.ID); err != nil {
			return blueberry.JobOutcome{}, err
		}
		p.at(StepStarted)
	}
	if !alive(e) {
		return blueberry.JobOutcome{Again: time.Millisecond}, nil // ended while we looked
	}
	e, again, err := p.takeOver(ctx, place, e)
	if err != nil || again != nil {
		return orNothing(again), err
	}
	delivery, delivers := place.Driver.(target.Delivery)
	if e.Commit == "" || delivers && !p.delivered.has(e) {
		done, out, err := p.commit(ctx, place, e)
		if !done {
			return out, err
		}
		if delivers {
			if e.HeldBy == "" { // the commit has noted it
				e.HeldBy = place.Target.Driver
			}
			p.delivered.add(e)
			p.moved(ctx, delivery, e)
		}
		if e, err = p.read(ctx, e.ID); err != nil || !alive(e) || e.Commit == "" {
			return blueberry.JobOutcome{Again: time.Millisecond}, err // ended or changed while we looked
		}
	}
	return p.align(ctx, place, e)
}

func orNothing(o *blueberry.JobOutcome) blueberry.JobOutcome {
	if o == nil {
		return blueberry.JobOutcome{}
	}
	return *o
}

func alive(e blueberry.Environment) bool {
	return e.Phase != blueberry.Terminating && e.Phase != blueberry.Terminated
}

func (p *Provisioner) start(ctx context.Context, id string) (blueberry.Environment, error) {
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if e.Phase != blueberry.Pending {
			return false, nil
		}
		if err := e.Move(blueberry.Provisioning, "InProgress", "waits for its commit", p.Now()); err != nil {
			return false, err
		}
		e.DeadlineAt = e.NextDeadline()
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentProvisioning, blueberry.System(), fmt.Sprintf("began to make %s on %s", e.Name, e.Target))
	})
}

// desired is the revision that the target should hold, as it should hold it now.
func (p *Provisioner) desired(ctx context.Context, e blueberry.Environment) (rev blueberry.Revision, err error) {
	err = p.Record.View(ctx, func(tx Tx) error {
		rev, err = tx.Revision(ctx, e.ID, e.Revision)
		return err
	})
	if err != nil {
		return rev, fmt.Errorf("read revision %d: %w", e.Revision, err)
	}
	return asDesired(e, rev)
}

func (p *Provisioner) ledger(ctx context.Context, id string) (list []blueberry.LedgerEntry, err error) {
	err = p.Record.View(ctx, func(tx Tx) error {
		list, err = tx.LedgerOf(ctx, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	return list, nil
}

// align asks the target for what is missing, then reads what is there and judges it.
func (p *Provisioner) align(ctx context.Context, place Place, e blueberry.Environment) (blueberry.JobOutcome, error) {
	ledger, err := p.ledger(ctx, e.ID)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	ref := target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}
	want, prune := split(ledger, e.Revision)
	obs, err := place.Driver.Observe(ctx, ref, want)
	if err == nil && p.onlyReports(place, e) && len(prune) == 0 {
		err = p.report(ctx, place, e)
	} else if err == nil && (obs.Drifted() || len(prune) > 0 || !p.known(e)) {
		if rest := p.synced.rest(e.ID, p.Now()); rest > 0 && p.known(e) {
			return blueberry.JobOutcome{Again: rest}, nil // someone else keeps writing what is ours: not in a loop
		}
		rev, err2 := p.desired(ctx, e)
		if err2 != nil {
			return blueberry.JobOutcome{}, err2
		}
		var prog target.Progress
		prog, err = p.sync(ctx, place, e, rev, target.Desired{
			Ref: ref, Revision: rev.Number, Files: rev.Rendering.Files, Ignore: e.Drift.Ignore, LeaveAlone: e.Drift.Reports(), Prune: prune, Commit: e.Commit,
		})
		if err == nil {
			p.at(StepApplied)
			if e, err = p.applied(ctx, e, rev, prog); err != nil {
				return blueberry.JobOutcome{}, err
			}
			obs, err = place.Driver.Observe(ctx, ref, want)
		}
	}
	switch {
	case errors.Is(err, blueberry.Unavailable):
		return blueberry.JobOutcome{Again: backstop}, p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonTargetUnavailable, err)
	case errors.Is(err, blueberry.Invalid), errors.Is(err, blueberry.Conflict), errors.Is(err, blueberry.Forbidden):
		if err := p.blocked(ctx, e.ID, blueberry.Synced, blueberry.ReasonRefused, err); err != nil {
			return blueberry.JobOutcome{}, err
		}
		return p.judged(ctx, place, e, want, obs)
	case err != nil:
		return blueberry.JobOutcome{}, fmt.Errorf("sync with target %s: %w", e.Target, err)
	}
	return p.judged(ctx, place, e, want, obs)
}

// onlyReports reports whether what others altered is told and left alone now. A place that puts things right by itself has to be told first that it shall not.
func (p *Provisioner) onlyReports(place Place, e blueberry.Environment) bool {
	if !e.Drift.Reports() || e.Synced != e.Revision || e.Sleep.Step == blueberry.TurnAsked {
		return false
	}
	_, byItself := place.Driver.(target.Delivery)
	return !byItself || p.known(e)
}

// settled reports whether the target held the desired revision in full once.
func settled(e blueberry.Environment) bool {
	return e.Synced == e.Revision && blueberry.GetCondition(e.Conditions, blueberry.Synced).Status == blueberry.True
}

// known reports whether this process has seen the target hold the desired revision in full, and nothing since that says otherwise.
func (p *Provisioner) known(e blueberry.Environment) bool {
	return settled(e) && p.synced.has(e.ID, heldAsOf(e))
}

// split parts the ledger into what the revision wants and what an earlier one left behind.
func split(ledger []blueberry.LedgerEntry, revision int) (want []blueberry.LedgerEntry, prune []blueberry.ObjectRef) {
	for _, l := range ledger {
		switch {
		case l.Revision == revision:
			want = append(want, l)
		case l.GoneAt.IsZero():
			prune = append(prune, l.ObjectRef)
		}
	}
	return want, prune
}

// applied records what a Sync did: how far it came, what it repaired, what it has proven gone.
func (p *Provisioner) applied(ctx context.Context, e blueberry.Environment, rev blueberry.Revision, prog target.Progress) (blueberry.Environment, error) {
	again, as, repaired := e.Synced == rev.Number && e.Sleep.Step != blueberry.TurnAsked, heldAsOf(e), false
	read := e
	e, err := p.change(ctx, e.ID, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if !alive(*e) || e.Revision != rev.Number || turnedSince(read, *e) {
			return false, nil
		}
		write := p.unblock(ctx, tx, e, blueberry.Synced)
		if err := p.pruned(ctx, tx, e.ID, prog.Pruned); err != nil {
			return false, err
		}
		if again && len(prog.Changed) > 0 {
			repaired = true
			message := fmt.Sprintf("repaired %s of %s", changes(prog.Changed), e.Name)
			if err := p.tell(ctx, tx, *e, blueberry.EnvironmentDriftRepaired, blueberry.System(), message); err != nil {
				return false, err
			}
		}
		if !prog.Done {
			waits := blueberry.Condition{Type: blueberry.Synced, Status: blueberry.False, Reason: blueberry.ReasonWaiting, Code: prog.Code, Message: prog.Waiting}
			return blueberry.SetCondition(e.Conditions, waits, p.Now()) || write, nil
		}
		write = p.set(e, blueberry.Synced, blueberry.True, blueberry.ReasonDone, fmt.Sprintf("the target holds revision %d", rev.Number)) || write
		if !e.DriftSince.IsZero() {
			e.DriftSince, write = time.Time{}, true
		}
		write = turnApplied(e) || write
		if e.Synced == rev.Number {
			return write, nil
		}
		e.Synced = rev.Number
		return true, p.tell(ctx, tx, *e, blueberry.EnvironmentSynced, blueberry.System(), fmt.Sprintf("applied all %d objects of revision %d of %s", rev.Rendering.Count(), rev.Number, e.Name))
	})
	if err == nil && repaired {
		p.synced.repaired(e.ID, p.Now())
	}
	if err == nil && prog.Done {
		p.synced.add(e.ID, as)
		p.at(StepSynced)
	}
	return e, err
}

func (p *Provisioner) pruned(ctx context.Context, tx Tx, id string, gone []blueberry.ObjectRef) error {
	if len(gone) == 0 {
		return nil
	}
	ledger, err := tx.LedgerOf(ctx, id)
	if err != nil {
		return err
	}
	is := map[blueberry.ObjectRef]bool{}
	for _, g := range gone {
		is[g] = true
	}
	var put []blueberry.LedgerEntry
	for _, l := range ledger {
		if is[l.ObjectRef] {
			l.GoneAt = p.Now()
			put = append(put, l)
		}
	}
	return tx.PutLedger(ctx, id, put)
}

func changes(list []target.Change) string {
	const most = 3
	s := ""
	for i, c := range list {
		if i == most {
			return fmt.Sprintf("%s and %d more objects", s, len(list)-most)
		}
		if i > 0 {
			s += ", "
		}
		s += c.ObjectRef.String()
		if c.Created {
			s += " (was deleted)"
		}
	}
	return s
}

// judge records what was observed and the phase that follows from it.
func (p *Provisioner) judge(ctx context.Context, id string, revision int, obs blueberry.Observation, found []blueberry.Cause) (blueberry.JobOutcome, error) {
	var step blueberry.TurnStep
	e, err := p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if !alive(*e) || e.Revision != revision {
			return false, nil
		}
		now, before, write := p.Now(), e.Phase, false
		step = e.Sleep.Step
		for _, c := range obs.Conditions() {
			write = blueberry.SetCondition(e.Conditions, c, now) || write
		}
		v := verdictOfProbes(e.Judge(obs, now), *e, found)
		write = write || v.Phase != e.Phase || v.Reason != e.Reason || v.Message != e.Message
		if err := e.Move(v.Phase, v.Reason, v.Message, now); err != nil {
			return false, err
		}
		quiet, err := p.arrived(ctx, tx, e, before)
		if err != nil {
			return false, err
		}
		told, err := p.tellCause(ctx, tx, e, firstCause(*e, found, now))
		if err != nil {
			return false, err
		}
		write = write || told || e.Sleep.Step != step
		next := e.NextDeadline()
		if !v.LookAt.IsZero() && (next.IsZero() || v.LookAt.Before(next)) {
			next = v.LookAt
		}
		write = write || !next.Equal(e.DeadlineAt)
		e.DeadlineAt = next
		if e.Phase == before || quiet {
			return write || e.Phase != before, nil
		}
		return true, p.tellPhase(ctx, tx, *e, before)
	})
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	switch {
	case !alive(e) || e.Revision != revision:
		return blueberry.JobOutcome{Again: time.Millisecond}, nil
	case e.Phase == blueberry.Ready, e.Phase == blueberry.Sleeping:
		p.atRest(e, step)
		return blueberry.JobOutcome{}, nil // the watch and the deadlines call again
	}
	return blueberry.JobOutcome{Again: backstop}, nil
}

func (p *Provisioner) tellPhase(ctx context.Context, tx Tx, e blueberry.Environment, before blueberry.Phase) error {
	t, message := blueberry.EventType(""), ""
	switch e.Phase {
	case blueberry.Ready:
		t, message = blueberry.EnvironmentReady, fmt.Sprintf("%s became ready after %s", e.Name, p.Now().Sub(e.CreatedAt).Round(100*time.Millisecond))
		if e.Revision > 1 {
			message = fmt.Sprintf("%s became ready at revision %d", e.Name, e.Revision)
		}
		if before == blueberry.Degraded || before == blueberry.Failed {
			t, message = blueberry.EnvironmentRecovered, fmt.Sprintf("%s recovered", e.Name)
		}
	case blueberry.Degraded:
		t, message = blueberry.EnvironmentDegraded, fmt.Sprintf("%s degraded: %s", e.Name, e.Message)
	case blueberry.Failed:
		t, message = blueberry.EnvironmentFailed, fmt.Sprintf("%s failed: %s", e.Name, e.Message)
		if err := tx.Enqueue(ctx, blueberry.JobEnvironmentArchive, e.ID); err != nil {
			return err
		}
	default:
		return nil
	}
	return p.tell(ctx, tx, e, t, blueberry.System(), message)
}
