package blueberry

import (
	"fmt"
	"time"
)

// judgeAsleep decides the phase of an environment that should sleep: it does when the target holds it so and wants no pod any more. What keeps pods that
// nobody can scale away (a bare pod, what an operator makes) does not hold it up for longer than the grace.
func (e Environment) judgeAsleep(o Observation, now time.Time) Verdict {
	stay := Verdict{Phase: e.Phase, Reason: e.Reason, Message: e.Message}
	if e.Synced != e.Revision || e.Sleep.Step == TurnAsked {
		if e.Phase == Updating {
			stay.Reason, stay.Message = "FallingAsleep", e.why(o)
		}
		return stay
	}
	if len(o.Objects) == 0 {
		return stay // nothing was looked at, so nothing is known
	}
	asleep := Verdict{Phase: Sleeping, Reason: "Asleep", Message: "no pod runs; data and addresses stay"}
	for _, w := range o.Workloads {
		if w.Wanted == 0 {
			continue
		}
		text := fmt.Sprintf("component %s still wants %d pods", w.Component, w.Wanted)
		if graceEnd := e.unreadySince().Add(ReadinessGrace); e.Phase != Sleeping && now.Before(graceEnd) {
			return Verdict{Phase: e.Phase, Reason: "FallingAsleep", Message: text, LookAt: graceEnd}
		}
		asleep.Message = "sleeps as far as it can: " + text
		break
	}
	return asleep
}
