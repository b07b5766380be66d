package app

import (
	"log/slog"
	"testing"
	"time"
)

// TestSteadyClock: each row is a minute-by-minute story of the machine's clock, and what is gone by.
func TestSteadyClock(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	type moment struct {
		after time.Duration // since the first
		by    time.Duration // how wrong the machine's clock is then
		want  time.Duration // how wrong ours is
	}
	tests := map[string]struct {
		reason  string
		moments []moment
	}{
		"even":        {"nothing jumps", []moment{{time.Minute, 0, 0}, {time.Hour, 0, 0}}},
		"slewed":      {"small steps are followed at once", []moment{{time.Minute, time.Second, time.Second}, {2 * time.Minute, 2 * time.Second, 2 * time.Second}}},
		"put right":   {"an hour ahead that is put right ends nothing early", []moment{{time.Minute, time.Hour, 0}, {9 * time.Minute, time.Hour, 0}, {10 * time.Minute, 0, 0}, {time.Hour, 0, 0}}},
		"back":        {"an hour behind that is put right ends nothing late", []moment{{time.Minute, -time.Hour, 0}, {5 * time.Minute, 0, 0}}},
		"believed":    {"what stands is the time", []moment{{time.Minute, time.Hour, 0}, {10 * time.Minute, time.Hour, 0}, {11 * time.Minute, time.Hour, time.Hour}, {time.Hour, time.Hour, time.Hour}}},
		"and again":   {"another jump is waited for anew", []moment{{time.Minute, time.Hour, 0}, {10 * time.Minute, 2 * time.Hour, 0}, {12 * time.Minute, 2 * time.Hour, 0}, {20 * time.Minute, 2 * time.Hour, 2 * time.Hour}}},
		"not looking": {"who was not asked for long does not believe at once", []moment{{3 * time.Hour, time.Hour, 0}, {3*time.Hour + 10*time.Minute, time.Hour, time.Hour}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var at moment
			c := &steadyClock{
				wall: func() time.Time { return noon.Add(at.after + at.by) }, elapsed: func() time.Duration { return time.Hour + at.after }, log: slog.New(slog.DiscardHandler),
			}
			c.Now()
			for _, at = range test.moments {
				if got := c.Now().Sub(noon.Add(at.after)); got != at.want {
					t.Errorf("%s: after %s we are wrong by %s, want %s", test.reason, at.after, got, at.want)
				}
			}
		})
	}
}

func TestTimeGoesOn(t *testing.T) {
	t.Parallel()
	c := newSteadyClock(slog.New(slog.DiscardHandler))
	if a, b := c.Now(), c.Now(); b.Before(a) || time.Since(a).Abs() > time.Minute {
		t.Errorf("%s, then %s", a, b)
	}
}
