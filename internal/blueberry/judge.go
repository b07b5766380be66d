package blueberry

import (
	"fmt"
	"time"
)

// Verdict is what an observation means for the phase of an environment.
type Verdict struct {
	Phase   Phase
	Reason  string
	Message string
	LookAt  time.Time // when time alone changes the verdict; zero when only the target can
}

// ReasonReady is the reason of a verdict that waits for nothing: everything asked for runs.
const ReasonReady = "Ready"

// Judge decides the phase from what was observed. A state that may still pass is not a failure until the grace is over: an environment that is not
// ready stays in its phase, with its conditions saying why (capabilities A4). Terminating and terminated environments are not judged.
func (e Environment) Judge(o Observation, now time.Time) Verdict {
	if e.Sleep.Asleep && e.Phase.MaySleep() {
		return e.judgeAsleep(o, now)
	}
	synced := e.Synced == e.Revision && e.Sleep.Step != TurnAsked
	if synced && o.Healthy() {
		v := Verdict{Phase: Ready, Reason: ReasonReady, Message: "everything asked for runs"}
		if warnings := o.Warnings(); len(warnings) > 0 {
			v.Message += "; warning: " + warnings[0]
		}
		return v
	}
	fail := o.Failure()
	graceEnd := e.unreadySince().Add(ReadinessGrace)
	stay := Verdict{Phase: e.Phase, Reason: e.Reason, Message: e.Message}
	switch e.Phase {
	case Pending, Provisioning:
		budgetEnd := e.CreatedAt.Add(ProvisionBudget)
		if !now.Before(budgetEnd) {
			return Verdict{Phase: Failed, Reason: "ProvisioningTimeout", Message: fmt.Sprintf("not ready after %s; %s", ProvisionBudget, e.why(o))}
		}
		if refusal := e.refusal(); refusal != "" && !now.Before(graceEnd) {
			return Verdict{Phase: Failed, Reason: "Refused", Message: refusal}
		}
		if fail.Hard && !now.Before(graceEnd) {
			return Verdict{Phase: Failed, Reason: fail.Reason, Message: fail.Message}
		}
		stay.Phase, stay.Reason, stay.Message = Provisioning, "InProgress", e.why(o)
		stay.LookAt = budgetEnd
	case Ready, Updating:
		budgetEnd := e.updateBudgetEnd()
		if e.Phase == Updating && !now.Before(budgetEnd) {
			return Verdict{Phase: Failed, Reason: "UpdateTimeout", Message: fmt.Sprintf("not ready %s after the update began; %s", ProvisionBudget, e.why(o))}
		}
		if e.Phase == Updating && now.Before(graceEnd) && budgetEnd.Before(graceEnd) {
			stay.LookAt = budgetEnd
		}
		if synced && !now.Before(graceEnd) && o.warnsOnly() {
			v := Verdict{Phase: e.Phase, Reason: "Warning", Message: e.why(o)}
			if e.Phase == Updating {
				v.LookAt = budgetEnd
			}
			return v
		}
		if !now.Before(graceEnd) {
			v := Verdict{Phase: Degraded, Reason: "NotReady", Message: e.why(o)}
			if fail.Reason != "" {
				v.Reason, v.Message = fail.Reason, fail.Message
			}
			return v
		}
		stay.Reason, stay.Message = "NotReadyYet", e.why(o)
	case Degraded, Failed:
		if fail.Reason != "" {
			stay.Reason, stay.Message = fail.Reason, fail.Message
		}
		return stay
	default:
		return stay
	}
	if stay.LookAt.IsZero() || graceEnd.Before(stay.LookAt) && graceEnd.After(now) {
		stay.LookAt = graceEnd
	}
	return stay
}

// updateBudgetEnd is when an update has lasted too long: counted from its newest revision.
func (e Environment) updateBudgetEnd() time.Time {
	since := e.PhaseSince
	if c := GetCondition(e.Conditions, Rendered); c.Since.After(since) {
		since = c.Since
	}
	return since.Add(ProvisionBudget)
}

// unreadySince is when the grace began: for a ready environment when it last stopped being so, for one on its way the last time that it came a step
// nearer to its workloads. A target that was down for an hour does not make the first slow start a failure.
func (e Environment) unreadySince() time.Time {
	since := e.PhaseSince
	if e.Phase == Ready {
		var first time.Time
		for _, t := range []ConditionType{Synced, IsReady, Reachable} {
			if c := GetCondition(e.Conditions, t); c.Status == False && (first.IsZero() || c.Since.Before(first)) {
				first = c.Since
			}
		}
		if !first.IsZero() {
			return first
		}
		return since
	}
	for _, t := range []ConditionType{Committed, Synced} {
		if c := GetCondition(e.Conditions, t); c.Status == True && c.Since.After(since) {
			since = c.Since
		}
	}
	return since
}

// refusal is the message of a target that does not take what it was asked to hold.
func (e Environment) refusal() string {
	if c := GetCondition(e.Conditions, Synced); c.Status == False && c.Reason == ReasonRefused {
		return c.Message
	}
	return ""
}

// why is the first step of the waterfall that is not done.
func (e Environment) why(o Observation) string {
	list := append([]Condition(nil), e.Conditions...)
	for _, c := range o.Conditions() {
		SetCondition(list, c, time.Time{})
	}
	for _, c := range list {
		if c.Status != True {
			if c.Message == "" {
				return fmt.Sprintf("waits for %s", c.Type)
			}
			return fmt.Sprintf("%s: %s", c.Type, c.Message)
		}
	}
	return "everything asked for runs"
}

// Reasons of the conditions Committed and Synced.
const (
	ReasonDone                  = "Complete"
	ReasonRepositoryUnavailable = "RepositoryUnavailable"
	ReasonTargetUnavailable     = "TargetUnavailable"
	ReasonRefused               = "Refused"
	ReasonWaiting               = "Waiting"
	ReasonRetrying              = "Retrying"
)
