package blueberry

import "time"

// Lease lengths, in hours (capabilities A5).
const (
	MinLeaseHours     = 1
	MaxLeaseHours     = 168
	DefaultLeaseHours = 24
)

// DefaultMaxPinHours is how long an environment may be pinned in a project that says nothing about it; MaxPinHours is the most that one may say.
const (
	DefaultMaxPinHours = 30 * 24
	MaxPinHours        = 366 * 24
)

// CheckHours notes a length of time that a lease cannot have.
func (f *Faults) CheckHours(field string, hours int) {
	if hours < MinLeaseHours || hours > MaxLeaseHours {
		f.Add(field, "range", "is %d hours, must be %d to %d", hours, MinLeaseHours, MaxLeaseHours)
	}
}

// Lease says until when an environment lives. The zero lease never ends.
type Lease struct {
	ExpiresAt time.Time
	PinnedBy  string        // name of the actor that pinned it past what a lease can last; empty when it is not pinned
	Warned    time.Duration // before the end, of the last warning that was given: one of LeaseWarnings; 0 for none
}

// NewLease lasts the hours from now.
func NewLease(now time.Time, hours int) Lease {
	return Lease{ExpiresAt: now.Add(time.Duration(hours) * time.Hour)}.forgetLongerWarnings(now)
}

// Pin gives a lease that lasts the hours from now, whatever was left of it.
func (l Lease) Pin(now time.Time, hours int, by string) Lease {
	l = NewLease(now, hours)
	l.PinnedBy = by
	return l.forgetLongerWarnings(now)
}

// Unpin gives a lease that lasts no longer than one that was asked for now could.
func (l Lease) Unpin(now time.Time, most int) Lease {
	l.PinnedBy = ""
	if end := now.Add(time.Duration(most) * time.Hour); l.ExpiresAt.After(end) {
		l.ExpiresAt = end
	}
	return l.forgetLongerWarnings(now)
}

// Extend adds hours to what is left, and never past 168 hours from now.
func (l Lease) Extend(now time.Time, hours int) Lease {
	return l.ExtendWithin(now, hours, MaxLeaseHours)
}

// ExtendWithin adds hours to what is left, and never past most hours from now.
func (l Lease) ExtendWithin(now time.Time, hours, most int) Lease {
	end := l.ExpiresAt.Add(time.Duration(hours) * time.Hour)
	if most := now.Add(time.Duration(most) * time.Hour); end.After(most) {
		end = most
	}
	if !end.After(l.ExpiresAt) {
		return l // it is pinned, or the clock was set back: time is added, never taken
	}
	l.ExpiresAt = end
	return l.forgetLongerWarnings(now)
}

// forgetLongerWarnings lets warnings be given again that are ahead once more. One that is due at this very moment is not given for what someone just
// asked for: of a lease of two hours nobody is told that it ends within a day.
func (l Lease) forgetLongerWarnings(now time.Time) Lease {
	l.Warned = 0
	for _, w := range LeaseWarnings() { // the longest first
		if l.ExpiresAt.Sub(now) <= w {
			l.Warned = w
		}
	}
	return l
}

// LeaseWarnings are how long before the end of a lease its people are warned, the longest first.
func LeaseWarnings() []time.Duration {
	return []time.Duration{24 * time.Hour, 2 * time.Hour, 30 * time.Minute}
}

// NextWarning is when the next warning is due; zero when there is none to come.
func (l Lease) NextWarning() time.Time {
	if l.ExpiresAt.IsZero() {
		return time.Time{}
	}
	for _, w := range LeaseWarnings() {
		if l.Warned == 0 || w < l.Warned {
			return l.ExpiresAt.Add(-w)
		}
	}
	return time.Time{}
}

// DueWarning is the shortest of LeaseWarnings that is due and was not given; 0 for none. What was missed while no process ran is not made up one by one.
func (l Lease) DueWarning(now time.Time) time.Duration {
	var due time.Duration
	if l.ExpiresAt.IsZero() || l.Expired(now) {
		return 0
	}
	for _, w := range LeaseWarnings() {
		if (l.Warned == 0 || w < l.Warned) && !now.Before(l.ExpiresAt.Add(-w)) {
			due = w
		}
	}
	return due
}

// Expired reports whether the lease has ended; it never has before its time.
func (l Lease) Expired(now time.Time) bool { return !l.ExpiresAt.IsZero() && !now.Before(l.ExpiresAt) }

// HoursLeft is what is left of the lease, in hours rounded up; 0 when it has ended or never does.
func (l Lease) HoursLeft(now time.Time) int {
	if l.ExpiresAt.IsZero() || l.Expired(now) {
		return 0
	}
	return int((l.ExpiresAt.Sub(now) + time.Hour - 1) / time.Hour)
}

// ExtendLink lets whoever has it extend one lease once.
type ExtendLink struct {
	URL       string // with the token; a secret
	Hours     int
	ExpiresAt time.Time
}
