package blueberry_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

var weekdays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}

// nights are the nights of working days; weekend is from Friday evening to Monday morning in two windows.
func nights(tz string) blueberry.SleepPolicy {
	return blueberry.SleepPolicy{TimeZone: tz, Windows: []blueberry.SleepWindow{{Days: weekdays, From: 19 * 60, To: 7 * 60}}}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	every := []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	for reason, c := range map[string]struct {
		policy blueberry.SleepPolicy
		at     string // in its zone
		want   bool
	}{
		"no window":                              {blueberry.SleepPolicy{Idle: time.Hour}, "2026-06-01 03:00", false},
		"before it begins":                       {nights("Europe/Zurich"), "2026-06-01 18:59", false},
		"as it begins":                           {nights("Europe/Zurich"), "2026-06-01 19:00", true},
		"past midnight":                          {nights("Europe/Zurich"), "2026-06-02 06:59", true},
		"as it ends":                             {nights("Europe/Zurich"), "2026-06-02 07:00", false},
		"past the end of its last day":           {nights("Europe/Zurich"), "2026-06-06 06:59", true},
		"on a day on which none begins":          {nights("Europe/Zurich"), "2026-06-06 20:00", false},
		"the night before its first day":         {nights("Europe/Zurich"), "2026-06-01 06:00", false},
		"past the end of the week":               {blueberry.SleepPolicy{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{time.Saturday}, From: 23 * 60, To: 60}}}, "2026-06-07 00:59", true},
		"from and to are one: a day":             {blueberry.SleepPolicy{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{time.Sunday}, From: 60, To: 60}}}, "2026-06-08 00:59", true},
		"from and to are one: and no more":       {blueberry.SleepPolicy{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{time.Sunday}, From: 60, To: 60}}}, "2026-06-08 01:00", false},
		"the hour that is left out":              {blueberry.SleepPolicy{TimeZone: "Europe/Zurich", Windows: []blueberry.SleepWindow{{Days: every, From: 60, To: 4 * 60}}}, "2026-03-29 03:30", true},
		"the hour that comes twice":              {blueberry.SleepPolicy{TimeZone: "America/New_York", Windows: []blueberry.SleepWindow{{Days: every, From: 60, To: 4 * 60}}}, "2026-11-01 01:30", true},
		"a window in the hour that is left out":  {blueberry.SleepPolicy{TimeZone: "Europe/Zurich", Windows: []blueberry.SleepWindow{{Days: every, From: 130, To: 170}}}, "2026-03-29 12:00", false},
		"a day that has no midnight":             {blueberry.SleepPolicy{TimeZone: "Asia/Beirut", Windows: []blueberry.SleepWindow{{Days: []time.Weekday{time.Sunday}, From: 0, To: 6 * 60}}}, "2026-03-29 05:00", true},
		"a zone that this machine does not know": {blueberry.SleepPolicy{TimeZone: "Moon/Sea", Windows: []blueberry.SleepWindow{{Days: every, From: 0, To: 60}}}, "2026-06-01 00:30", true},
		"two that overlap":                       {blueberry.SleepPolicy{Windows: []blueberry.SleepWindow{{Days: every, From: 0, To: 60}, {Days: every, From: 30, To: 90}}}, "2026-06-01 01:15", true},
	} {
		loc, err := time.LoadLocation(c.policy.TimeZone)
		if err != nil {
			loc = time.UTC
		}
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, loc)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.policy.Within(at.UTC()); got != c.want {
			t.Errorf("%s: %v", reason, got)
		}
	}
}

// TestNightsOfTheClockChange: the hours are those of the wall clock, so a night is an hour shorter or longer.
func TestNightsOfTheClockChange(t *testing.T) {
	t.Parallel()
	every := []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	for reason, c := range map[string]struct {
		zone, evening string
		hours         int
	}{
		"Zurich in spring":   {"Europe/Zurich", "2026-03-28 19:00", 11},
		"Zurich in autumn":   {"Europe/Zurich", "2026-10-24 19:00", 13},
		"New York in spring": {"America/New_York", "2026-03-07 19:00", 11},
		"New York in autumn": {"America/New_York", "2026-10-31 19:00", 13},
		"an ordinary night":  {"America/New_York", "2026-06-01 19:00", 12},
	} {
		p := blueberry.SleepPolicy{TimeZone: c.zone, Windows: []blueberry.SleepWindow{{Days: every, From: 19 * 60, To: 7 * 60}}}
		evening, err := time.ParseInLocation("2006-01-02 15:04", c.evening, zone(t, c.zone))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.NextEdge(evening.Add(-time.Second)); !got.Equal(evening) {
			t.Errorf("%s: begins %s", reason, got)
		}
		if got := p.NextEdge(evening).Sub(evening); got != time.Duration(c.hours)*time.Hour {
			t.Errorf("%s: lasts %s", reason, got)
		}
	}
}

func TestTurn(t *testing.T) {
	t.Parallel()
	monday := func(day, hour, minute int) time.Time { return time.Date(2026, 6, day, hour, minute, 0, 0, time.UTC) } // the 1st is one
	idle := blueberry.SleepPolicy{Idle: 30 * time.Minute}
	for reason, c := range map[string]struct {
		sleep blueberry.Sleep
		next  time.Time // zero: never
		why   blueberry.WakeReason
	}{
		"never":                                  {blueberry.Sleep{ActiveAt: monday(1, 12, 0)}, time.Time{}, ""},
		"its hours begin":                        {blueberry.Sleep{Policy: nights(""), ActiveAt: monday(1, 12, 0)}, monday(1, 19, 0), blueberry.BySchedule},
		"woken in the night: until the next":     {blueberry.Sleep{Policy: nights(""), Since: monday(1, 20, 0), Why: blueberry.ByHand}, monday(2, 19, 0), blueberry.BySchedule},
		"used in the night: until the next":      {blueberry.Sleep{Policy: nights(""), Since: monday(1, 12, 0), ActiveAt: monday(1, 20, 0)}, monday(2, 19, 0), blueberry.BySchedule},
		"morning wakes whom evening laid down":   {blueberry.Sleep{Asleep: true, Why: blueberry.BySchedule, Policy: nights(""), Since: monday(1, 19, 0)}, monday(2, 7, 0), blueberry.BySchedule},
		"use does not hold up the morning":       {blueberry.Sleep{Asleep: true, Why: blueberry.BySchedule, Policy: nights(""), Since: monday(1, 19, 0), ActiveAt: monday(2, 8, 0)}, monday(2, 7, 0), blueberry.BySchedule},
		"morning wakes no one else":              {blueberry.Sleep{Asleep: true, Why: blueberry.ByHand, Policy: nights(""), Since: monday(1, 15, 0)}, time.Time{}, ""},
		"nor who was idle":                       {blueberry.Sleep{Asleep: true, Why: blueberry.ByIdleness, Policy: nights(""), Since: monday(1, 20, 0)}, time.Time{}, ""},
		"from Friday night into the weekend":     {blueberry.Sleep{Policy: nights(""), Since: monday(6, 9, 0)}, monday(8, 19, 0), blueberry.BySchedule},
		"idle":                                   {blueberry.Sleep{Policy: idle, ActiveAt: monday(1, 12, 0)}, monday(1, 12, 30).Add(blueberry.IdleMargin), blueberry.ByIdleness},
		"who sleeps cannot be idle":              {blueberry.Sleep{Asleep: true, Policy: idle, ActiveAt: monday(1, 12, 0)}, time.Time{}, ""},
		"edges that were looked at do not count": {blueberry.Sleep{Policy: nights(""), ActiveAt: monday(1, 12, 0), Seen: monday(2, 12, 0)}, monday(2, 19, 0), blueberry.BySchedule},
		"all week long: there is no morning": {blueberry.Sleep{
			Asleep: true, Why: blueberry.BySchedule, Since: monday(1, 12, 0),
			Policy: blueberry.SleepPolicy{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, From: 0, To: 0}}},
		}, time.Time{}, ""},
	} {
		next := c.sleep.NextTurn(blueberry.Ready)
		if !next.Equal(c.next) {
			t.Errorf("%s: next turn %s, want %s", reason, next, c.next)
		}
		if next.IsZero() {
			continue
		}
		if _, _, turn := c.sleep.Turn(next.Add(-time.Nanosecond)); turn {
			t.Errorf("%s: turns early", reason)
		}
		asleep, why, turn := c.sleep.Turn(next)
		if !turn || asleep == c.sleep.Asleep || why != c.why {
			t.Errorf("%s: at its time %v %q %v", reason, asleep, why, turn)
		}
		for _, p := range []blueberry.Phase{blueberry.Pending, blueberry.Provisioning, blueberry.Terminating, blueberry.Terminated} {
			if got := c.sleep.NextTurn(p); !got.IsZero() {
				t.Errorf("%s: one that is %s turns at %s", reason, p, got)
			}
		}
	}
}

// TestMissedEdges: who was not looked at from evening to noon is not put to sleep at noon, and not looked at for that again and again.
func TestMissedEdges(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s := blueberry.Sleep{Policy: nights(""), ActiveAt: noon}
	later := noon.AddDate(0, 0, 1)
	if _, _, turn := s.Turn(later); turn {
		t.Error("slept at noon")
	}
	if !s.Look(later) || s.Look(later) {
		t.Error("an edge is to be noted once")
	}
	if want := time.Date(2026, 6, 2, 19, 0, 0, 0, time.UTC); !s.NextTurn(blueberry.Ready).Equal(want) {
		t.Errorf("next turn %s, want %s", s.NextTurn(blueberry.Ready), want)
	}
}

func anyPolicy(t *rapid.T) blueberry.SleepPolicy {
	p := blueberry.SleepPolicy{
		TimeZone: rapid.SampledFrom([]string{"", "Europe/Zurich", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Asia/Beirut"}).Draw(t, "zone"),
		Idle:     rapid.SampledFrom([]time.Duration{0, 0, blueberry.MinIdle, 30 * time.Minute, 26 * time.Hour}).Draw(t, "idle"),
	}
	minute := rapid.OneOf(rapid.IntRange(0, 1439), rapid.IntRange(0, 240)) // often in the hours in which clocks change
	for range rapid.IntRange(0, 4).Draw(t, "windows") {
		days := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID[int]).Draw(t, "days")
		w := blueberry.SleepWindow{From: minute.Draw(t, "from"), To: minute.Draw(t, "to")}
		for _, d := range days {
			w.Days = append(w.Days, time.Weekday(d))
		}
		p.Windows = append(p.Windows, w)
	}
	return p
}

func anyTime(t *rapid.T, label string) time.Time {
	near := rapid.SampledFrom([]time.Time{
		time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), // Zurich changes its clocks
		time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC), // New York does
		time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
	}).Draw(t, label+" near")
	return near.Add(time.Duration(rapid.IntRange(-3*24*3600, 3*24*3600).Draw(t, label)) * time.Second)
}

func anySleep(t *rapid.T) blueberry.Sleep {
	s := blueberry.Sleep{Policy: anyPolicy(t), Asleep: rapid.Bool().Draw(t, "asleep"), Since: anyTime(t, "since")}
	s.Why = rapid.SampledFrom([]blueberry.WakeReason{blueberry.ByHand, blueberry.BySchedule, blueberry.ByIdleness, blueberry.ByRequest}).Draw(t, "why")
	if rapid.Bool().Draw(t, "was used") {
		s.ActiveAt = s.Since.Add(time.Duration(rapid.IntRange(-3600, 48*3600).Draw(t, "used")) * time.Second)
	}
	return s
}

// TestNextTurnIsWhenTurnFirstSaysSo: before it nothing turns, at it something does, and a zero one means never.
func TestNextTurnIsWhenTurnFirstSaysSo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anySleep(t)
		from := s.Since
		if !s.Asleep && s.ActiveAt.After(from) {
			from = s.ActiveAt
		}
		next := s.NextTurn(blueberry.Ready)
		end := next
		if next.IsZero() {
			end = from.AddDate(0, 0, 20)
		}
		times := []time.Time{from, end.Add(-time.Nanosecond)}
		for at := from; at.Before(end); at = at.Add(23 * time.Minute) {
			times = append(times, at)
		}
		for edge := s.Policy.NextEdge(from); !edge.IsZero() && edge.Before(end); edge = s.Policy.NextEdge(edge) {
			times = append(times, edge, edge.Add(-time.Nanosecond))
		}
		for _, at := range times {
			if at.Before(from) || !at.Before(end) {
				continue
			}
			if asleep, why, turn := s.Turn(at); turn {
				t.Fatalf("turns at %s (asleep %v, %s), next turn is %s", at, asleep, why, next)
			}
		}
		if next.IsZero() {
			return
		}
		asleep, why, turn := s.Turn(next)
		if !turn || asleep == s.Asleep {
			t.Fatalf("at its next turn %s: asleep %v, %q, %v", next, asleep, why, turn)
		}
	})
}

// TestEdgesPartTheTime: between two edges nothing changes, whatever the clocks do.
func TestEdgesPartTheTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPolicy(t)
		at := anyTime(t, "at")
		for range 20 {
			edge := p.NextEdge(at)
			if edge.IsZero() {
				if p.Within(at) {
					t.Fatal("within a window that does not end")
				}
				return
			}
			if !edge.After(at) {
				t.Fatalf("the edge after %s is %s", at, edge)
			}
			step := edge.Sub(at) / 7
			for probe := at; probe.Before(edge); probe = probe.Add(max(step, 1)) {
				if p.Within(probe) != p.Within(edge.Add(-time.Nanosecond)) {
					t.Fatalf("changes between %s and %s, at or before %s", at, edge, probe)
				}
			}
			at = edge
		}
	})
}

// TestLifeOfTurns follows an environment over weeks: it is looked at when its next turn comes, and never more often than edges and use call for.
func TestLifeOfTurns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anySleep(t)
		now := s.Since
		for range 40 {
			next := s.NextTurn(blueberry.Ready)
			if next.IsZero() {
				return
			}
			late := time.Duration(rapid.IntRange(0, 36*3600).Draw(t, "late")) * time.Second
			if next.Add(late).Before(now) {
				late = now.Sub(next)
			}
			now = next.Add(late)
			asleep, why, turn := s.Turn(now)
			if turn {
				if asleep == s.Asleep {
					t.Fatal("turns to what it is")
				}
				s.Asleep, s.Why, s.Since, s.Seen = asleep, why, now, time.Time{}
				if !asleep {
					s.ActiveAt = now
				}
			} else {
				s.Look(now)
			}
			if after := s.NextTurn(blueberry.Ready); !after.IsZero() && !after.After(now) {
				t.Fatalf("at %s it is to be looked at for %s again: %+v", now, after, s)
			}
		}
	})
}

func TestCheckSleepPolicy(t *testing.T) {
	t.Parallel()
	window := func(w blueberry.SleepWindow) blueberry.SleepPolicy {
		return blueberry.SleepPolicy{Windows: []blueberry.SleepWindow{w}}
	}
	for reason, c := range map[string]struct {
		policy blueberry.SleepPolicy
		want   []string
	}{
		"nothing":            {blueberry.SleepPolicy{}, nil},
		"all of it":          {blueberry.SleepPolicy{Idle: time.Hour, TimeZone: "Europe/Zurich", Windows: nights("").Windows}, nil},
		"too short a time":   {blueberry.SleepPolicy{Idle: time.Minute}, []string{"sleep.idle_minutes range"}},
		"below nothing":      {blueberry.SleepPolicy{Idle: -time.Minute}, []string{"sleep.idle_minutes range"}},
		"no zone":            {blueberry.SleepPolicy{TimeZone: "Moon/Sea"}, []string{"sleep.time_zone unknown"}},
		"the machine's own":  {blueberry.SleepPolicy{TimeZone: "Local"}, []string{"sleep.time_zone unknown"}},
		"no day":             {window(blueberry.SleepWindow{To: 60}), []string{"sleep.windows[0].days required"}},
		"an eighth day":      {window(blueberry.SleepWindow{Days: []time.Weekday{7}}), []string{"sleep.windows[0].days[0] enum"}},
		"a day twice":        {window(blueberry.SleepWindow{Days: []time.Weekday{1, 1}}), []string{"sleep.windows[0].days[1] duplicate"}},
		"no time of day":     {window(blueberry.SleepWindow{Days: weekdays, From: 1440, To: -1}), []string{"sleep.windows[0].from range", "sleep.windows[0].to range"}},
		"never and at night": {blueberry.SleepPolicy{Never: true, Windows: nights("").Windows}, []string{"sleep.never exclusive"}},
		"fifteen windows":    {blueberry.SleepPolicy{Windows: slices.Repeat(nights("").Windows, 15)}, []string{"sleep.windows too_many"}},
	} {
		var f blueberry.Faults
		c.policy.Check(&f, "sleep")
		var got []string
		for _, x := range f {
			got = append(got, x.Field+" "+x.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", reason, got, c.want)
		}
	}
}

// BenchmarkNextTurn: it is asked whenever an environment is looked at.
func BenchmarkNextTurn(b *testing.B) {
	for name, p := range map[string]blueberry.SleepPolicy{"none": {}, "nights": nights("Europe/Zurich"), "fourteen": {Windows: slices.Repeat(nights("").Windows, 14)}} {
		s := blueberry.Sleep{Policy: p, ActiveAt: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
		b.Run(fmt.Sprint(name), func(b *testing.B) {
			for b.Loop() {
				s.NextTurn(blueberry.Ready)
			}
		})
	}
}
