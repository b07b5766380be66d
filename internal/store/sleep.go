package store

import (
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// sleepColumn is a sleep in the column of its name. Most environments never sleep: theirs is {}.
type sleepColumn struct {
	Asleep   bool                 `json:"asleep,omitempty"`
	Why      blueberry.WakeReason `json:"why,omitempty"`
	By       string               `json:"by,omitempty"`
	Since    int64                `json:"since,omitempty"`
	Policy   policyColumn         `json:"policy,omitzero"`
	Replicas map[string]int       `json:"replicas,omitempty"`
	ActiveAt int64                `json:"active_at,omitempty"`
	Step     blueberry.TurnStep   `json:"step,omitempty"`
	Own      bool                 `json:"own,omitempty"`
	Seen     int64                `json:"seen,omitempty"`
}

// policyColumn is a sleep policy in the column of a project, and in sleepColumn.
type policyColumn struct {
	Idle     time.Duration  `json:"idle,omitempty"` // nanoseconds
	Windows  []windowColumn `json:"windows,omitempty"`
	TimeZone string         `json:"time_zone,omitempty"`
	Never    bool           `json:"never,omitempty"`
}

// IsZero reports whether nothing is said, so that it is left out.
func (c policyColumn) IsZero() bool {
	return c.Idle == 0 && len(c.Windows) == 0 && c.TimeZone == "" && !c.Never
}

type windowColumn struct {
	Days []time.Weekday `json:"days"`
	From int            `json:"from"`
	To   int            `json:"to"`
}

func sleepToColumn(s blueberry.Sleep) sleepColumn {
	return sleepColumn{
		Asleep: s.Asleep, Why: s.Why, By: s.By, Since: micros(s.Since), Policy: policyToColumn(s.Policy), Replicas: s.Replicas, ActiveAt: micros(s.ActiveAt),
		Step: s.Step, Own: s.Own, Seen: micros(s.Seen),
	}
}

func (c sleepColumn) sleep() blueberry.Sleep {
	return blueberry.Sleep{
		Asleep: c.Asleep, Why: c.Why, By: c.By, Since: timeOf(c.Since), Policy: c.Policy.policy(), Replicas: c.Replicas, ActiveAt: timeOf(c.ActiveAt),
		Step: c.Step, Own: c.Own, Seen: timeOf(c.Seen),
	}
}

func policyToColumn(p blueberry.SleepPolicy) policyColumn {
	c := policyColumn{Idle: p.Idle, TimeZone: p.TimeZone, Never: p.Never}
	for _, w := range p.Windows {
		c.Windows = append(c.Windows, windowColumn(w))
	}
	return c
}

func (c policyColumn) policy() blueberry.SleepPolicy {
	p := blueberry.SleepPolicy{Idle: c.Idle, TimeZone: c.TimeZone, Never: c.Never}
	for _, w := range c.Windows {
		p.Windows = append(p.Windows, blueberry.SleepWindow(w))
	}
	return p
}
