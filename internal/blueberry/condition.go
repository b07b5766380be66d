package blueberry

import (
	"errors"
	"time"
)

// ConditionType names one step between a request and a reachable workload.
type ConditionType string

// The conditions, in the order in which they become true: the waterfall a person reads when asking why it is not ready.
const (
	Rendered  ConditionType = "Rendered"  // the exact manifests exist
	Committed ConditionType = "Committed" // Git holds them
	Synced    ConditionType = "Synced"    // the target holds them
	Scheduled ConditionType = "Scheduled" // every pod has a node
	Started   ConditionType = "Started"   // every container runs
	IsReady   ConditionType = "Ready"     // every probe passes, every object is current
	Reachable ConditionType = "Reachable" // every service has an endpoint
)

// Status of a condition.
type Status string

// The three states of a condition.
const (
	True    Status = "True"
	False   Status = "False"
	Unknown Status = "Unknown"
)

// Condition is one step with its reason.
type Condition struct {
	Type    ConditionType
	Status  Status
	Reason  string // one CamelCase word
	Code    string // of the error or the progress that it was set by: one of the Code constants; empty when neither had one
	Message string
	Since   time.Time // when Status last changed
}

// NewConditions are those of an environment whose manifests were just rendered.
func NewConditions(now time.Time) []Condition {
	out := []Condition{{Type: Rendered, Status: True, Reason: "Rendered", Since: now}}
	for _, t := range []ConditionType{Committed, Synced, Scheduled, Started, IsReady, Reachable} {
		out = append(out, Condition{Type: t, Status: Unknown, Reason: "NotYet", Since: now})
	}
	return out
}

// RenewConditions makes the conditions in place those of an environment that just got a newer revision: Rendered is done anew, Committed and Synced are not yet.
// What runs is what was observed of it, until something else is.
func RenewConditions(list []Condition, now time.Time) {
	for i := range list {
		switch list[i].Type {
		case Rendered:
			list[i] = Condition{Type: Rendered, Status: True, Reason: "Rendered", Since: now}
		case Committed, Synced:
			list[i] = Condition{Type: list[i].Type, Status: Unknown, Reason: "NotYet", Since: now}
		}
	}
}

// SetCondition changes one condition in place; Since moves only when the status does. It reports whether anything changed.
func SetCondition(list []Condition, c Condition, now time.Time) bool {
	for i := range list {
		if list[i].Type != c.Type {
			continue
		}
		c.Since = now
		if list[i].Status == c.Status {
			c.Since = list[i].Since
		}
		changed := list[i] != c
		list[i] = c
		return changed
	}
	return false
}

// ConditionCode is what a condition that is set by an error keeps of it: the code of the error, or else of its first fault. Empty for an error of another sort.
func ConditionCode(err error) string {
	var e *Error
	switch {
	case !errors.As(err, &e):
		return ""
	case e.Code == "" && len(e.Fields) > 0:
		return e.Fields[0].Code
	}
	return e.Code
}

// GetCondition gives one condition of the list; Unknown when it is not there.
func GetCondition(list []Condition, t ConditionType) Condition {
	for _, c := range list {
		if c.Type == t {
			return c
		}
	}
	return Condition{Type: t, Status: Unknown}
}
