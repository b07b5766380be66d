package blueberry

import (
	"slices"
	"time"
)

// WakeReason is why an environment is awake or asleep.
type WakeReason string

// The reasons, of falling asleep and of waking.
const (
	ByHand     WakeReason = "hand"     // someone asked for it
	BySchedule WakeReason = "schedule" // its hours began or ended
	ByIdleness WakeReason = "idle"     // nobody used it
	ByRequest  WakeReason = "request"  // someone opened one of its addresses
	ByDeploy   WakeReason = "deploy"   // it was made or changed
	ByShell    WakeReason = "exec"     // someone opened a shell in it
)

// Bounds of a sleep policy.
const (
	MinIdle         = 5 * time.Minute
	MaxIdle         = 7 * 24 * time.Hour
	MaxSleepWindows = 14
)

// IdleMargin is how much later than its minutes an idle environment falls asleep: what a gateway has noted may be so old before it is in the record.
const IdleMargin = 15 * time.Second

// Sleep is whether an environment should sleep, and what decides on it.
type Sleep struct {
	Asleep   bool           // what is desired: no pods run; data, addresses and Git stay
	Why      WakeReason     // of the last turn; empty for an environment that never slept
	By       string         // name of the actor; the platform's for schedule and idleness
	Since    time.Time      // of the last turn
	Step     TurnStep       // how far the last turn came
	Policy   SleepPolicy    // its own, or that of its project
	Own      bool           // the policy is its own: that of the project does not reach it
	Replicas map[string]int // by ObjectRef.String(): how many ran when it fell asleep, of workloads whose manifest leaves the number to an autoscaler
	ActiveAt time.Time      // last request, deploy or shell, as of the last look
	Seen     time.Time      // edges of windows up to this time have been looked at and called for nothing
}

// TurnStep is how far a turn came: to sleep, or awake.
type TurnStep string

// The steps of a turn. An environment in none of them is as Asleep says.
const (
	TurnAsked   TurnStep = "asked"   // recorded; the target holds it as it was before
	TurnApplied TurnStep = "applied" // the target holds it as Asleep says; its pods are on their way
)

// SleepPolicy says when an environment sleeps by itself. The zero policy of an environment is that of its project, of a project never.
type SleepPolicy struct {
	Idle     time.Duration // without use; 0 for never
	Windows  []SleepWindow
	TimeZone string // of the windows, as "Europe/Zurich"; empty means UTC
	Never    bool   // not by itself, whatever the project says; then nothing else is set
}

// IsZero reports whether the policy says nothing.
func (p SleepPolicy) IsZero() bool {
	return p.Idle == 0 && len(p.Windows) == 0 && p.TimeZone == "" && !p.Never
}

// Equal reports whether two policies say the same in the same words.
func (p SleepPolicy) Equal(o SleepPolicy) bool {
	return p.Idle == o.Idle && p.TimeZone == o.TimeZone && p.Never == o.Never && slices.EqualFunc(p.Windows, o.Windows, func(a, b SleepWindow) bool {
		return a.From == b.From && a.To == b.To && slices.Equal(a.Days, b.Days)
	})
}

// SleepWindow is a span of every week in which an environment sleeps. It may go past midnight, and past the end of the week.
type SleepWindow struct {
	Days     []time.Weekday // on which it begins
	From, To int            // minutes of the day: 0 to 1439; To not after From is on the next day
}

// Check notes what is wrong with a policy.
func (p SleepPolicy) Check(f *Faults, field string) {
	if p.Idle != 0 && (p.Idle < MinIdle || p.Idle > MaxIdle) {
		f.Add(JoinField(field, "idle_minutes"), "range", "is %d minutes, must be 0 for never, or %d to %d", p.Idle/time.Minute, MinIdle/time.Minute, MaxIdle/time.Minute)
	}
	if p.Never && (p.Idle != 0 || len(p.Windows) > 0) {
		f.Add(JoinField(field, "never"), "exclusive", "leaves no room for idle minutes and windows")
	}
	if _, err := time.LoadLocation(p.TimeZone); err != nil || p.TimeZone == "Local" {
		f.Add(JoinField(field, "time_zone"), "unknown", "%q is no time zone, as Europe/Zurich", p.TimeZone)
	}
	if len(p.Windows) > MaxSleepWindows {
		f.Add(JoinField(field, "windows"), "too_many", "has %d windows, at most %d are allowed", len(p.Windows), MaxSleepWindows)
	}
	for i, w := range p.Windows {
		at := JoinField(field, "windows["+itoa(i)+"]")
		if len(w.Days) == 0 {
			f.Add(at+".days", "required", "must name at least one day")
		}
		for j, d := range w.Days {
			if d < time.Sunday || d > time.Saturday {
				f.Add(at+".days["+itoa(j)+"]", "enum", "is no day of the week")
			} else if slices.Contains(w.Days[:j], d) {
				f.Add(at+".days["+itoa(j)+"]", "duplicate", "is named twice")
			}
		}
		if w.From < 0 || w.From > 1439 {
			f.Add(at+".from", "range", "is no time of day, as 19:00")
		}
		if w.To < 0 || w.To > 1439 {
			f.Add(at+".to", "range", "is no time of day, as 07:00")
		}
	}
}

// location is the zone of the windows. A zone that this machine does not know any more is read as UTC.
func (p SleepPolicy) location() *time.Location {
	if loc, err := time.LoadLocation(p.TimeZone); err == nil {
		return loc
	}
	return time.UTC
}

// Within reports whether a window holds the time. The hours are those of the wall clock: on the day on which the clocks change a window is an hour longer
// or shorter.
func (p SleepPolicy) Within(at time.Time) bool {
	if len(p.Windows) == 0 {
		return false
	}
	return p.within(at.In(p.location()))
}

func (p SleepPolicy) within(at time.Time) bool {
	for _, w := range p.Windows {
		for day := -1; day <= 0; day++ { // one that began yesterday, or today
			if from, to, on := w.span(at, day); on && !at.Before(from) && at.Before(to) {
				return true
			}
		}
	}
	return false
}

// span is the window that begins so many days after the day of at; false when it does not begin on that day.
func (w SleepWindow) span(at time.Time, day int) (from, to time.Time, on bool) {
	y, m, d := at.Date()
	d += day
	if !slices.Contains(w.Days, time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Weekday()) { // of the calendar: there are places where a day has no midnight
		return from, to, false
	}
	from = time.Date(y, m, d, 0, w.From, 0, 0, at.Location())
	if w.To <= w.From {
		d++
	}
	return from, time.Date(y, m, d, 0, w.To, 0, 0, at.Location()), true
}

// edgeDays is how far ahead edges are looked for. A week holds all there are, unless one falls into the hour that a change of the clocks leaves out.
const edgeDays = 15

// edges are the times after at when a window begins or ends, in their order.
func (p SleepPolicy) edges(at time.Time) []time.Time {
	if len(p.Windows) == 0 {
		return nil
	}
	var out []time.Time
	at = at.In(p.location())
	for _, w := range p.Windows {
		for day := -1; day <= edgeDays; day++ {
			from, to, on := w.span(at, day)
			if !on || !from.Before(to) { // the clocks left it out
				continue
			}
			for _, t := range []time.Time{from, to} {
				if t.After(at) {
					out = append(out, t)
				}
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// NextEdge is the first time after at when a window begins or ends; zero when there are no windows.
func (p SleepPolicy) NextEdge(at time.Time) time.Time {
	if all := p.edges(at); len(all) > 0 {
		return all[0]
	}
	return time.Time{}
}

// IdleAt is when an environment that nobody uses any more falls asleep; zero for never.
func (s Sleep) IdleAt() time.Time {
	if s.Policy.Idle == 0 || s.ActiveAt.IsZero() {
		return time.Time{}
	}
	return s.ActiveAt.Add(s.Policy.Idle + IdleMargin)
}

// since is from when on edges of windows count: what was done by hand, or by use, holds until the next one.
func (s Sleep) since() time.Time {
	since := s.Since
	if s.Seen.After(since) {
		since = s.Seen
	}
	if !s.Asleep && s.ActiveAt.After(since) {
		since = s.ActiveAt
	}
	return since
}

// turnsAt reports whether an edge of a window turns the environment: the evening puts it to sleep, and the morning wakes what an evening put to sleep.
func (s Sleep) turnsAt(within bool) bool {
	return within != s.Asleep && (within || s.Why == BySchedule)
}

// MaySleep reports whether an environment in this phase can fall asleep: it was made, and is not being removed.
func (p Phase) MaySleep() bool {
	switch p {
	case Pending, Provisioning, Terminating, Terminated:
		return false
	}
	return true
}

// NextTurn is when time alone turns the environment, if nothing else happens: the first time at which Turn says so; zero for never.
func (s Sleep) NextTurn(phase Phase) time.Time {
	if !phase.MaySleep() {
		return time.Time{}
	}
	var next time.Time
	if !s.Asleep || s.Why == BySchedule {
		for _, edge := range s.Policy.edges(s.since()) {
			if s.turnsAt(s.Policy.within(edge)) {
				next = edge.UTC()
				break
			}
		}
	}
	if idle := s.IdleAt(); !s.Asleep && !idle.IsZero() && (next.IsZero() || idle.Before(next)) {
		next = idle
	}
	return next
}

// Turn is what an environment should do at a time: the reason to fall asleep or to wake, and whether there is one. What someone did by hand, or what a
// request or a deploy woke, holds until the next edge of a window, or until it is idle again.
func (s Sleep) Turn(now time.Time) (asleep bool, why WakeReason, turn bool) {
	if s.missed(now) {
		if within := s.Policy.Within(now); s.turnsAt(within) {
			return within, BySchedule, true
		}
	}
	if idle := s.IdleAt(); !s.Asleep && !idle.IsZero() && !now.Before(idle) {
		return true, ByIdleness, true
	}
	return false, "", false
}

// missed reports whether an edge of a window lies between the last turn and now.
func (s Sleep) missed(now time.Time) bool {
	edge := s.Policy.NextEdge(s.since())
	return !edge.IsZero() && !now.Before(edge)
}

// Look notes that the edges up to now called for nothing, so that they are not looked at again: one that was missed while no process ran, and has been
// overtaken by the next. It reports whether there was one.
func (s *Sleep) Look(now time.Time) bool {
	if !s.missed(now) {
		return false
	}
	s.Seen = now
	return true
}

// WakeEntry is one line of the ledger of why an environment was awake or asleep.
type WakeEntry struct {
	EnvironmentID string
	Seq           int64 // from 1; given by the record
	Asleep        bool
	Why           WakeReason
	By            string
	Detail        string // "no request, deploy or shell for 30 minutes"
	At            time.Time
}
