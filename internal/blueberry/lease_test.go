package blueberry_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestLeaseWarnings(t *testing.T) {
	t.Parallel()
	hours := func(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Hour))) }
	lease := func(warned time.Duration, end float64) blueberry.Lease {
		return blueberry.Lease{ExpiresAt: hours(end), Warned: warned}
	}
	for reason, c := range map[string]struct {
		lease blueberry.Lease
		now   time.Time
		due   time.Duration
		next  time.Time
	}{
		"none that never ends":                    {blueberry.Lease{}, noon, 0, time.Time{}},
		"none before its time":                    {lease(0, 30), hours(6).Add(-1), 0, hours(6)},
		"a day before":                            {lease(0, 30), hours(6), 24 * time.Hour, hours(6)},
		"once":                                    {lease(24*time.Hour, 30), hours(7), 0, hours(28)},
		"two hours before":                        {lease(24*time.Hour, 30), hours(28), 2 * time.Hour, hours(28)},
		"half an hour before":                     {lease(2*time.Hour, 30), hours(29.5), 30 * time.Minute, hours(29.5)},
		"no fourth":                               {lease(30*time.Minute, 30), hours(29.9), 0, time.Time{}},
		"the shortest of those that were missed":  {lease(0, 30), hours(29), 2 * time.Hour, hours(6)},
		"none of one that is over":                {lease(0, 30), hours(30), 0, hours(6)},
		"none that is longer than what was asked": {blueberry.NewLease(noon, 2), noon, 0, hours(1.5)},
		"nor as long as it":                       {blueberry.NewLease(noon, 24), noon, 0, hours(22)},
		"an hour's":                               {blueberry.NewLease(noon, 1), noon, 0, hours(0.5)},
		"again when it was extended past it":      {lease(30*time.Minute, 1).Extend(hours(0.9), 24), hours(0.9), 0, hours(1)},
		"not what is due by an extension":         {lease(2*time.Hour, 1).Extend(hours(0.5), 1), hours(0.5), 0, hours(1.5)},
		"of a pin":                                {blueberry.Lease{}.Pin(noon, 500, "ada"), noon, 0, hours(476)},
		"of what was unpinned":                    {blueberry.Lease{}.Pin(noon, 500, "ada").Unpin(noon, 168), noon, 0, hours(144)},
	} {
		if got := c.lease.DueWarning(c.now); got != c.due {
			t.Errorf("%s: due %s, want %s", reason, got, c.due)
		}
		if got := c.lease.NextWarning(); !got.Equal(c.next) {
			t.Errorf("%s: next %s, want %s", reason, got, c.next)
		}
	}
}

func TestPinnedLease(t *testing.T) {
	t.Parallel()
	pinned := blueberry.NewLease(noon, 24).Pin(noon, 500, "ada")
	for reason, c := range map[string]struct {
		got  blueberry.Lease
		end  time.Duration
		name string
	}{
		"pinned":                             {pinned, 500 * time.Hour, "ada"},
		"extending takes nothing away":       {pinned.Extend(noon, 168), 500 * time.Hour, "ada"},
		"a shorter pin is a shorter one":     {pinned.Pin(noon, 100, "ben"), 100 * time.Hour, "ben"},
		"unpinned: no more than any":         {pinned.Unpin(noon, 168), 168 * time.Hour, ""},
		"unpinned: no more than its own":     {pinned.Unpin(noon, 8), 8 * time.Hour, ""},
		"unpinned at its end: what was left": {pinned.Unpin(noon.Add(499*time.Hour), 168), 500 * time.Hour, ""},
	} {
		if got := c.got.ExpiresAt.Sub(noon); got != c.end || c.got.PinnedBy != c.name {
			t.Errorf("%s: ends after %s, pinned by %q", reason, got, c.got.PinnedBy)
		}
	}
	if got := blueberry.NewLease(noon, 24).Extend(noon.Add(-3*time.Hour), 168); got.ExpiresAt.Before(noon.Add(24 * time.Hour)) {
		t.Errorf("a clock that was set back took time away: %s", got.ExpiresAt)
	}
}

// TestEveryWarningOnce: whenever one looks, whatever the clock does between looks, each warning is given at most once, and none of what is over.
func TestEveryWarningOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := blueberry.NewLease(noon, rapid.IntRange(blueberry.MinLeaseHours, blueberry.MaxLeaseHours).Draw(t, "hours"))
		now, given := noon, map[time.Duration]int{}
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(-3700, 5*3600).Draw(t, "passes")) * time.Second)
			due := l.DueWarning(now)
			if next := l.NextWarning(); (due != 0) != (!next.IsZero() && !now.Before(next) && !l.Expired(now)) {
				t.Fatalf("due %s at %s, the next is at %s", due, now, next)
			}
			if due == 0 {
				continue
			}
			if left := l.ExpiresAt.Sub(now); left > due || left <= 0 {
				t.Fatalf("warned of %s when %s are left", due, left)
			}
			if given[due]++; given[due] > 1 {
				t.Fatalf("warned of %s twice", due)
			}
			l.Warned = due
		}
	})
}
