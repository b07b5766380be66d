package provision

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// Reasons of an environment that is on its way to sleep, or awake.
const (
	reasonFallingAsleep = "FallingAsleep"
	reasonWaking        = "Waking"
)

// turn records that an environment should sleep, or be awake, from now on. That is desired state: it goes through Git to the target.
func (p *Provisioner) turn(ctx context.Context, tx Tx, e *blueberry.Environment, actor blueberry.Actor, asleep bool, why blueberry.WakeReason, detail string) error {
	reason, message := reasonWaking, "wakes: "+detail
	if asleep {
		reason, message = reasonFallingAsleep, "falls asleep: "+detail
	}
	now := p.Now()
	if err := e.Move(blueberry.Updating, reason, message, now); err != nil {
		return err
	}
	e.PhaseSince, e.Commit, e.DriftSince = now, "", time.Time{}
	blueberry.RenewConditions(e.Conditions, now)
	return p.noteTurn(ctx, tx, e, actor, asleep, why, detail)
}

// noteTurn changes what is desired of the sleep of an environment, and writes down why: by event and ledger, and what a person did to the audit as well.
func (p *Provisioner) noteTurn(ctx context.Context, tx Tx, e *blueberry.Environment, actor blueberry.Actor, asleep bool, why blueberry.WakeReason, detail string) error {
	now, before := p.Now(), sleepFields(e.Sleep)
	e.Sleep.Asleep, e.Sleep.Why, e.Sleep.By, e.Sleep.Since, e.Sleep.Step, e.Sleep.Seen = asleep, why, actor.Name, now, blueberry.TurnAsked, time.Time{}
	if !asleep {
		e.Sleep.ActiveAt = now
	}
	e.DeadlineAt = e.NextDeadline()
	if err := tx.AppendWake(ctx, blueberry.WakeEntry{EnvironmentID: e.ID, Asleep: asleep, Why: why, By: actor.Name, Detail: detail, At: now}); err != nil {
		return err
	}
	if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
		return err
	}
	t, message := blueberry.EnvironmentWaking, fmt.Sprintf("%s wakes: %s", e.Name, detail)
	if asleep {
		t, message = blueberry.EnvironmentFallingAsleep, fmt.Sprintf("%s falls asleep: %s", e.Name, detail)
	}
	if why != blueberry.ByHand {
		return p.tell(ctx, tx, *e, t, actor, message)
	}
	return p.act(ctx, tx, *e, actor, deed{t, blueberry.GrantEnvironmentsOperate, message, before, sleepFields(e.Sleep)})
}

func sleepFields(s blueberry.Sleep) map[string]any { return map[string]any{"asleep": s.Asleep} }

// turnDetail says why time turned an environment.
func turnDetail(e blueberry.Environment, asleep bool, why blueberry.WakeReason) string {
	switch {
	case why == blueberry.ByIdleness:
		return fmt.Sprintf("no request, deploy or shell for %s", leftText(e.Sleep.Policy.Idle))
	case asleep:
		return "its hours of sleep have begun"
	}
	return "its hours of sleep are over"
}

// deployed notes that someone has changed an environment, which counts as use, and wakes it. What comes by itself does neither: it is there when it wakes.
func (p *Provisioner) deployed(ctx context.Context, tx Tx, e *blueberry.Environment, actor blueberry.Actor) error {
	if actor.Kind == blueberry.ActorJob {
		return nil
	}
	if e.Sleep.Asleep {
		return p.noteTurn(ctx, tx, e, actor, false, blueberry.ByDeploy, actor.Name+" changed it")
	}
	e.Sleep.ActiveAt = p.Now()
	return nil
}

// arrived notes that an environment has come to where its last turn was to bring it, and that use is counted from when it became ready. quiet says that the
// event of the phase is not to be told: that it is awake says it all.
func (p *Provisioner) arrived(ctx context.Context, tx Tx, e *blueberry.Environment, before blueberry.Phase) (quiet bool, err error) {
	awake := e.Phase == blueberry.Ready && !e.Sleep.Asleep
	if awake && before != blueberry.Ready && before != blueberry.Degraded {
		e.Sleep.ActiveAt = p.Now()
	}
	if e.Sleep.Step != blueberry.TurnApplied || !awake && e.Phase != blueberry.Sleeping {
		return false, nil
	}
	e.Sleep.Step = ""
	took := p.Now().Sub(e.Sleep.Since).Round(100 * time.Millisecond)
	if awake {
		return before == blueberry.Updating && e.Sleep.Why != blueberry.ByDeploy, p.tell(ctx, tx, *e, blueberry.EnvironmentAwake, blueberry.System(), fmt.Sprintf("%s is awake after %s", e.Name, took))
	}
	return true, p.tell(ctx, tx, *e, blueberry.EnvironmentAsleep, blueberry.System(), fmt.Sprintf("%s is asleep after %s", e.Name, took))
}

// asDesired gives a revision as the target should hold it now: that of an environment that sleeps runs nothing.
func asDesired(e blueberry.Environment, rev blueberry.Revision) (blueberry.Revision, error) {
	if !e.Sleep.Asleep {
		return rev, nil
	}
	var err error
	if rev.Rendering, err = render.Asleep(rev.Rendering); err != nil {
		return rev, fmt.Errorf("put revision %d to sleep: %w", rev.Number, err)
	}
	return rev, nil
}

// turnedSince reports whether an environment turned since it was read.
func turnedSince(read, now blueberry.Environment) bool {
	return read.Sleep.Asleep != now.Sleep.Asleep || !read.Sleep.Since.Equal(now.Sleep.Since)
}

// turnApplied notes that the target holds an environment as its last turn was to have it.
func turnApplied(e *blueberry.Environment) bool {
	if e.Sleep.Step != blueberry.TurnAsked {
		return false
	}
	e.Sleep.Step = blueberry.TurnApplied
	if !e.Sleep.Asleep {
		e.Sleep.Replicas = nil
	}
	return true
}

// atRest tells the step of an environment that has come to rest; step is that of its turn before.
func (p *Provisioner) atRest(e blueberry.Environment, step blueberry.TurnStep) {
	switch arrived := step != "" && e.Sleep.Step == ""; {
	case e.Phase == blueberry.Ready:
		p.at(StepReady)
		if arrived {
			p.at(StepAwake)
		}
	case arrived:
		p.at(StepAsleep)
	}
}

func appliedStep(asleep bool) string {
	if asleep {
		return StepSleepApplied
	}
	return StepWakeApplied
}

func acceptedStep(asleep bool) string {
	if asleep {
		return StepSleepAccepted
	}
	return StepWakeAccepted
}

// turnText is what the subject of a commit says beside the number of the revision.
func turnText(s blueberry.Sleep) string {
	switch {
	case s.Asleep:
		return ", asleep"
	case s.Step == blueberry.TurnAsked:
		return ", awake"
	}
	return ""
}
