package blueberry

import (
	"fmt"
	"time"
)

// Health is what a target says of one object or workload.
type Health string

// The healths (kstatus words, capabilities A4: the first four are no failure).
const (
	HealthCurrent    Health = "current"     // does what it should
	HealthInProgress Health = "in_progress" // on its way
	HealthMissing    Health = "missing"     // not there (yet, or any more)
	HealthUnknown    Health = "unknown"     // it does not say
	HealthFailed     Health = "failed"      // will not get there without a change
)

// ObjectState is one object of an environment as the target sees it.
type ObjectState struct {
	ObjectRef
	Component string
	Health    Health
	Message   string
	Warning   string // what should be known of an object that is current: an Ingress has no address
	Drifted   bool   // differs from what was last applied
}

// WorkloadState sums up the pods of one component.
type WorkloadState struct {
	Component string
	Wanted    int // pods that should be
	Scheduled int // pods with a node
	Started   int // pods whose containers all run
	Ready     int // pods that pass their probes
	Services  int // services that should have endpoints
	Reachable int // services that have one
	Failure   Failure
}

// Failure is why a workload is not where it should be. The zero Failure means that nothing is known to be wrong.
type Failure struct {
	Reason  string // CamelCase as Kubernetes says it: "ImagePullBackOff", "Unschedulable"
	Message string
	Hard    bool // will not pass without a change
}

// Observation is what a target reports of one environment now.
type Observation struct {
	At        time.Time
	Objects   []ObjectState
	Workloads []WorkloadState
}

// Missing tells which wanted objects are not there.
func (o Observation) Missing() []ObjectRef {
	var out []ObjectRef
	for _, x := range o.Objects {
		if x.Health == HealthMissing {
			out = append(out, x.ObjectRef)
		}
	}
	return out
}

// Drifted reports whether any object is missing or differs from what was applied.
func (o Observation) Drifted() bool {
	for _, x := range o.Objects {
		if x.Drifted || x.Health == HealthMissing {
			return true
		}
	}
	return false
}

// Failure is the first hard failure of a workload or object, else the first soft one, else zero.
func (o Observation) Failure() Failure {
	var soft Failure
	for _, w := range o.Workloads {
		if w.Failure.Hard {
			return Failure{w.Failure.Reason, w.Component + ": " + w.Failure.Message, true}
		}
		if soft.Reason == "" && w.Failure.Reason != "" {
			soft = Failure{w.Failure.Reason, w.Component + ": " + w.Failure.Message, false}
		}
	}
	for _, x := range o.Objects {
		if x.Health == HealthFailed {
			return Failure{"ObjectFailed", x.ObjectRef.String() + ": " + x.Message, true}
		}
	}
	return soft
}

// Healthy reports whether every object is current and every wanted pod is ready. An object whose state cannot be told is a warning, and no more.
func (o Observation) Healthy() bool {
	for _, x := range o.Objects {
		if x.Health != HealthCurrent && x.Health != HealthUnknown {
			return false
		}
	}
	for _, w := range o.Workloads {
		if w.Ready < w.Wanted || w.Reachable < w.Services {
			return false
		}
	}
	return len(o.Objects) > 0
}

// warnsOnly reports whether all that keeps an observation from being healthy are warnings (capabilities A4): objects that are missing, or whose state is
// not known. When nothing at all is there it is more than a warning.
func (o Observation) warnsOnly() bool {
	there := false
	for _, x := range o.Objects {
		switch x.Health {
		case HealthInProgress, HealthFailed:
			return false
		case HealthCurrent, HealthUnknown:
			there = true
		}
	}
	for _, w := range o.Workloads {
		if w.Ready < w.Wanted || w.Reachable < w.Services {
			return false
		}
	}
	return there && o.Failure() == (Failure{})
}

// Warnings are what should be known of objects that are no failure. Drift is told by its own events.
func (o Observation) Warnings() []string {
	var out []string
	for _, x := range o.Objects {
		switch {
		case x.Warning != "":
			out = append(out, fmt.Sprintf("%s: %s", x.ObjectRef, x.Warning))
		case x.Health == HealthUnknown:
			out = append(out, fmt.Sprintf("the state of %s cannot be told: %s", x.ObjectRef, x.Message))
		}
	}
	return out
}

// Conditions derives Scheduled, Started, Ready and Reachable from what was observed.
func (o Observation) Conditions() []Condition {
	var wanted, scheduled, started, ready, services, reachable int
	for _, w := range o.Workloads {
		wanted += w.Wanted
		scheduled += min(w.Scheduled, w.Wanted)
		started += min(w.Started, w.Wanted)
		ready += min(w.Ready, w.Wanted)
		services += w.Services
		reachable += min(w.Reachable, w.Services)
	}
	if len(o.Objects) == 0 {
		return nil // nothing was looked at, so nothing is known
	}
	fail := o.Failure()
	out := []Condition{
		step(Scheduled, scheduled, wanted, "pods have a node", fail),
		step(Started, started, wanted, "pods have started", fail),
		step(IsReady, ready, wanted, "pods are ready", fail),
		step(Reachable, reachable, services, "services have endpoints", Failure{}),
	}
	if n := len(o.Missing()); n > 0 {
		for i := range out {
			if out[i].Status == True { // of what is not there yet nothing is wanted: none of none is not all
				out[i].Status, out[i].Reason, out[i].Message = False, "Waiting", fmt.Sprintf("%d of %d objects are not there", n, len(o.Objects))
			}
		}
	}
	if out[2].Status == True {
		for _, x := range o.Objects {
			if x.Health != HealthCurrent && x.Health != HealthUnknown {
				out[2].Status, out[2].Reason = False, "ObjectNotCurrent"
				out[2].Message = fmt.Sprintf("%s is %s: %s", x.ObjectRef, x.Health, x.Message)
				break
			}
		}
	}
	if warnings := o.Warnings(); len(warnings) > 0 && out[3].Status == True {
		out[3].Message += "; warning: " + warnings[0]
	}
	return out
}

func step(t ConditionType, have, want int, what string, fail Failure) Condition {
	c := Condition{Type: t, Status: True, Reason: "Complete", Message: fmt.Sprintf("%d of %d %s", have, want, what)}
	if have < want {
		c.Status, c.Reason = False, "Waiting"
		if fail.Reason != "" {
			c.Reason, c.Message = fail.Reason, c.Message+"; "+fail.Message
		}
	}
	return c
}
