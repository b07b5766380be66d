package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// readDue reads an environment, and tells whether time, or a policy of its project, calls for something of it.
func (p *Provisioner) readDue(ctx context.Context, id string) (e blueberry.Environment, due bool, err error) {
	err = p.Record.View(ctx, func(tx Tx) error {
		if e, err = tx.Environment(ctx, id); err != nil || !alive(e) {
			return err
		}
		now, next := p.Now(), e.NextDeadline()
		due = e.Lease.Expired(now) || e.Lease.DueWarning(now) != 0 || sleepDue(e, now) || next.After(now) && e.DeadlineAt.After(next)
		if due || e.Sleep.Own {
			return nil
		}
		policy, err := projectSleep(ctx, tx, e.Project)
		due = !policy.Equal(e.Sleep.Policy)
		return err
	})
	return e, due, err
}

func sleepDue(e blueberry.Environment, now time.Time) bool {
	next := e.Sleep.NextTurn(e.Phase)
	return !next.IsZero() && !now.Before(next)
}

// projectSleep is the sleep policy of a project; that of one that is gone says nothing.
func projectSleep(ctx context.Context, tx Tx, name string) (blueberry.SleepPolicy, error) {
	project, err := tx.Project(ctx, name)
	if errors.Is(err, blueberry.NotFound) {
		return blueberry.SleepPolicy{}, nil
	}
	return project.Sleep, err
}

// onTime does to an environment what time calls for: it ends with its lease, its people are warned of that, it falls asleep or wakes. It reports whether
// anything changed. What it decides by is read in the transaction that writes it, so whatever was extended or used meanwhile counts.
func (p *Provisioner) onTime(ctx context.Context, tx Tx, e *blueberry.Environment) (bool, error) {
	if !alive(*e) {
		return false, nil
	}
	now := p.Now()
	if e.Lease.Expired(now) {
		message := fmt.Sprintf("the lease of %s ended at %s", e.Name, e.Lease.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
		return true, p.end(ctx, tx, e, blueberry.System(), "LeaseExpired", blueberry.EnvironmentExpired, message)
	}
	warned, err := p.warn(ctx, tx, e)
	if err != nil {
		return false, err
	}
	turned, err := p.turnOnTime(ctx, tx, e)
	if err != nil {
		return false, err
	}
	late := false
	if next := e.NextDeadline(); next.After(now) && e.DeadlineAt.After(next) {
		e.DeadlineAt, late = next, true
	}
	return warned || turned || late, nil
}

// warn tells once that a lease ends soon. A mail follows by a job of its own: the event must not wait for a mail server.
func (p *Provisioner) warn(ctx context.Context, tx Tx, e *blueberry.Environment) (bool, error) {
	now := p.Now()
	due := e.Lease.DueWarning(now)
	if due == 0 {
		return false, nil
	}
	e.Lease.Warned = due
	if err := tx.Enqueue(ctx, blueberry.JobLeaseTell, e.ID); err != nil {
		return false, err
	}
	message := fmt.Sprintf("the lease of %s ends in %s, at %s", e.Name, leftText(e.Lease.ExpiresAt.Sub(now)), e.Lease.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
	return true, p.tell(ctx, tx, *e, blueberry.EnvironmentLeaseEnding, blueberry.System(), message)
}

// leftText says a time to come in whole hours or minutes, as people would.
func leftText(d time.Duration) string {
	if d = d.Round(time.Minute); d >= 2*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Round(time.Hour)/time.Hour))
	}
	return fmt.Sprintf("%d minutes", max(1, int(d/time.Minute)))
}

// turnOnTime takes over a policy that the project has changed, and puts the environment to sleep or wakes it when that policy says so now.
func (p *Provisioner) turnOnTime(ctx context.Context, tx Tx, e *blueberry.Environment) (changed bool, err error) {
	now := p.Now()
	if !e.Sleep.Own {
		policy, err := projectSleep(ctx, tx, e.Project)
		if err != nil {
			return false, err
		}
		if !policy.Equal(e.Sleep.Policy) {
			followPolicy(e, policy, now)
			changed = true
		}
	}
	if !e.Phase.MaySleep() {
		return changed, nil
	}
	if e.Sleep.Policy.Idle != 0 && !e.Sleep.Asleep {
		at, err := tx.Activity(ctx, e.ID)
		if err != nil {
			return false, err
		}
		if at.After(e.Sleep.ActiveAt) {
			e.Sleep.ActiveAt, changed = at, true
		}
	}
	if asleep, why, turn := e.Sleep.Turn(now); turn {
		return true, p.turn(ctx, tx, e, blueberry.System(), asleep, why, turnDetail(*e, asleep, why))
	}
	return e.Sleep.Look(now) || changed, nil
}

// followPolicy gives an environment another policy. It counts from now on: nothing falls asleep at once because nobody used it before.
func followPolicy(e *blueberry.Environment, policy blueberry.SleepPolicy, now time.Time) {
	e.Sleep.Policy, e.Sleep.Seen = policy, now
	if now.After(e.Sleep.ActiveAt) {
		e.Sleep.ActiveAt = now
	}
	e.DeadlineAt = e.NextDeadline()
}

// expire does to an environment what time calls for now, in a transaction of its own.
func (p *Provisioner) expire(ctx context.Context, id string) (blueberry.Environment, error) {
	asleep, turned := false, false
	e, err := p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		was := e.Sleep.Since
		changed, err := p.onTime(ctx, tx, e)
		asleep, turned = e.Sleep.Asleep, !e.Sleep.Since.Equal(was)
		return changed, err
	})
	if err == nil && turned {
		p.at(acceptedStep(asleep))
	}
	return e, err
}

// runDeadlines looks every second for environments whose deadline has come. A deadline is a row, so none is lost while no process runs.
func (p *Provisioner) runDeadlines(ctx context.Context) error {
	for pause(ctx, deadlineTick) {
		if err := p.keepTime(ctx); err != nil && ctx.Err() == nil {
			p.Logger.Error("look for deadlines", "error", err)
		}
	}
	return nil
}

// keepTime claims the environments whose deadline has come, does what time calls for, and has them looked at: all that in one transaction a page, and by no
// job, so that a thousand leases which end in one second all end in that second, however long the queue is. What cannot be done so is left to the job.
func (p *Provisioner) keepTime(ctx context.Context) error {
	for {
		n, err := p.keepPage(ctx, true)
		if err != nil && ctx.Err() == nil {
			p.Logger.Warn("deadlines of a page are left to their jobs", "error", err)
			n, err = p.keepPage(ctx, false)
		}
		if err != nil || n < sweepPage {
			return err
		}
	}
}

func (p *Provisioner) keepPage(ctx context.Context, act bool) (n int, err error) {
	var turned []bool
	err = p.Record.Update(ctx, func(tx Tx) error {
		turned = nil
		now := p.Now()
		until := now.Add(backstop)
		ids, err := tx.ClaimDueEnvironments(ctx, now, until, sweepPage)
		if err != nil {
			return err
		}
		n = len(ids)
		slices.Sort(ids)
		for _, id := range ids {
			if !act {
				break
			}
			asleep, did, err := p.keepOne(ctx, tx, id, until)
			if err != nil {
				return fmt.Errorf("deadline of %s: %w", id, err)
			}
			if did {
				turned = append(turned, asleep)
			}
		}
		return enqueueAll(ctx, tx, ids)
	})
	if err != nil {
		return 0, err
	}
	for _, asleep := range turned {
		p.at(acceptedStep(asleep))
	}
	return n, nil
}

// keepOne does what time calls for to an environment that was claimed until a time. It tells whether it turned, and to what.
func (p *Provisioner) keepOne(ctx context.Context, tx Tx, id string, until time.Time) (asleep, turned bool, err error) {
	e, err := tx.Environment(ctx, id)
	if err != nil {
		return false, false, err
	}
	was := e.Sleep.Since
	changed, err := p.onTime(ctx, tx, &e)
	if err != nil {
		return false, false, err
	}
	now := p.Now()
	if alive(e) {
		// The job that follows sets the finer deadlines of the phase. If it cannot, this one comes again, and never after the next thing that is due.
		e.DeadlineAt = until
		if next := e.NextDeadline(); next.After(now) && next.Before(until) {
			e.DeadlineAt, changed = next, true
		}
	}
	if !changed {
		return false, false, nil
	}
	e.UpdatedAt = now
	return e.Sleep.Asleep, !e.Sleep.Since.Equal(was), tx.UpdateEnvironment(ctx, e)
}
