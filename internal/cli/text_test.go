package cli

import (
	"testing"
	"time"
	"unicode"
)

func TestParseHours(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"24h": 24, "24": 24, "7d": 168, "0": 0, "1h": 1, "169": 169, "-1h": -1} {
		if got, err := parseHours(in); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "h", "d", "90m", "1h30m", "1.5h", "24 h", "+5", "99999999999h", "24hh", "٢٤"} {
		if got, err := parseHours(in); err == nil {
			t.Errorf("%q is taken as %d", in, got)
		}
	}
}

func FuzzParseHours(f *testing.F) {
	for _, s := range []string{"24h", "7d", "-3", "9223372036854775807d", "1h2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := parseHours(s); err == nil && (n > 24*(1<<31) || n < -24*(1<<31)) {
			t.Errorf("%q is %d", s, n)
		}
	})
}

func FuzzPlainText(f *testing.F) {
	f.Add("\x1b[2J\u009b\n")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range plainText(s) {
			if unicode.IsControl(r) {
				t.Errorf("%q keeps %q", s, r)
			}
		}
	})
}

func TestTimesForPeople(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	for want, d := range map[string]time.Duration{
		"now": 0, "in 5s": 5 * time.Second, "5s ago": -5 * time.Second, "in 1m30s": 90 * time.Second, "in 2m": 2 * time.Minute, "in 45m": 45*time.Minute + 20*time.Second,
		"in 1h30m": 90 * time.Minute, "in 3h": 3 * time.Hour, "in 24h": 24*time.Hour - 300*time.Millisecond, "in 23h": 23*time.Hour + 5*time.Minute, "in 7d": 168 * time.Hour, "in 14d": 14*24*time.Hour - 20*time.Minute,
	} {
		if got := relative(now, now.Add(d)); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
	if got := relative(now, time.Time{}); got != "-" {
		t.Errorf("no time is %q", got)
	}
}
