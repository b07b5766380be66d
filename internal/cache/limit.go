package cache

import (
	"context"
	"fmt"
	"time"
)

// Limit allows Rate calls in each Per, evenly spread, and Burst of them at once.
type Limit struct {
	Rate  int // 0 means no limit
	Per   time.Duration
	Burst int // 0 means Rate
}

// Off reports whether it limits nothing.
func (l Limit) Off() bool { return l.Rate <= 0 || l.Per <= 0 }

// Quota is how many calls are allowed at once.
func (l Limit) Quota() int {
	if l.Burst > 0 {
		return l.Burst
	}
	return l.Rate
}

// Window is the time in which a used-up quota is whole again.
func (l Limit) Window() time.Duration { return l.each() * time.Duration(l.Quota()) }

// String gives the limit as people say it.
func (l Limit) String() string {
	if l.Off() {
		return "no limit"
	}
	unit := l.Per.String()
	switch l.Per {
	case time.Second:
		unit = "second"
	case time.Minute:
		unit = "minute"
	case time.Hour:
		unit = "hour"
	}
	return fmt.Sprintf("%d per %s", l.Rate, unit)
}

// each is the time that one call takes of the quota.
func (l Limit) each() time.Duration { return max(l.Per/time.Duration(l.Rate), 1) }

// Verdict is the answer to one call.
type Verdict struct {
	OK         bool
	Limit      int           // calls that are allowed at once
	Remaining  int           // of them
	Reset      time.Duration // until Remaining is Limit again, if nobody calls
	RetryAfter time.Duration // until a call is allowed; 0 when this one was
}

// Limiter counts calls by key.
type Limiter interface {
	// Allow counts a call, unless it is refused: a refused call costs nothing. An error is that of ctx; the caller decides what it means.
	Allow(ctx context.Context, key string, l Limit, now time.Time) (Verdict, error)
}

// verdict makes the answer of the generic cell rate algorithm: full is how long it takes until the quota of a key is whole again.
func (l Limit) verdict(ok bool, full time.Duration) Verdict {
	v := Verdict{OK: ok, Limit: l.Quota(), Reset: max(full, 0)}
	v.Remaining = min(max(int((l.Window()-v.Reset)/l.each()), 0), v.Limit)
	if !ok {
		v.RetryAfter = max(full+l.each()-l.Window(), 1)
	}
	return v
}

// take is one call at now on a quota that is whole again at the time given. It gives when it will be whole after the call.
func (l Limit) take(whole, now time.Time) (time.Time, Verdict) {
	if whole.Before(now) {
		whole = now
	}
	next := whole.Add(l.each())
	if next.Sub(now) > l.Window() {
		return whole, l.verdict(false, whole.Sub(now))
	}
	return next, l.verdict(true, next.Sub(now))
}
