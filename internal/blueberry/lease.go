package blueberry

import "time"

// Lease lengths, in hours (capabilities A5).
const (
	MinLeaseHours     = 1
	MaxLeaseHours     = 168
	DefaultLeaseHours = 24
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
}

// NewLease lasts the hours from now.
func NewLease(now time.Time, hours int) Lease {
	return Lease{ExpiresAt: now.Add(time.Duration(hours) * time.Hour)}
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
	if end.Before(l.ExpiresAt) {
		return l // the clock was set back: time is added, never taken
	}
	return Lease{ExpiresAt: end}
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
