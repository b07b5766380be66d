package blueberry_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestAmountsAreReadAndWrittenExactly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		amount blueberry.Amount
		shown  string
		cents  string
		reason string
	}{
		"0.031":                   {31_000, "0.031", "0.03", "what a core costs"},
		"0":                       {0, "0.00", "0.00", "nothing"},
		"12":                      {12_000_000, "12.00", "12.00", "whole"},
		"0.000001":                {1, "0.000001", "less than 0.01", "the least"},
		"1.005":                   {1_005_000, "1.005", "1.01", "half is up"},
		"":                        {reason: "no number"},
		".5":                      {reason: "no digit before the point"},
		"1.":                      {reason: "no digit behind it"},
		"-1":                      {reason: "below zero"},
		"1e3":                     {reason: "not decimal"},
		"0.0000001":               {reason: "more than six digits"},
		"99999999999999999999999": {reason: "too large"},
		"1,5":                     {reason: "a comma"},
		"٣":                       {reason: "digits of another script"},
	} {
		got, err := blueberry.ParseAmount(text)
		if want.shown == "" {
			if err == nil {
				t.Errorf("%s: %q was read as %s", want.reason, text, got)
			}
			continue
		}
		if err != nil || got != want.amount || got.String() != want.shown || got.Cents() != want.cents {
			t.Errorf("%s: %q is %d, %s, %s, %v", want.reason, text, got, got, got.Cents(), err)
		}
	}
	if got := blueberry.Amount(-1_234_500).String(); got != "-1.2345" {
		t.Errorf("below zero: %s", got)
	}
	if got := blueberry.Amount(math.MinInt64).String(); got != "-9223372036854.775808" {
		t.Errorf("the least of all: %s", got)
	}
}

func euros() blueberry.Prices {
	return blueberry.Prices{Currency: "EUR", CPUHour: 31_000, MemoryHour: 4_000, StorageMonth: 100_000}
}

func TestRequestsArePriced(t *testing.T) {
	t.Parallel()
	for reason, x := range map[string]struct {
		part             blueberry.ComponentRequests
		cpu, mem, volume blueberry.Amount
	}{
		"one of each":            {blueberry.ComponentRequests{CPU: 1000, Memory: 1 << 30, Storage: 1 << 30}, 31_000, 4_000, 137}, // 100000/730 = 136.99
		"a small web program":    {blueberry.ComponentRequests{CPU: 50, Memory: 64 << 20}, 1_550, 250, 0},
		"half a millionth is up": {blueberry.ComponentRequests{CPU: 1, Memory: 1 << 17}, 31, 0, 0}, // 4000/8192 = 0.49
		"a volume of 100 GiB":    {blueberry.ComponentRequests{Storage: 100 << 30}, 0, 0, 13_699},
		"nothing":                {blueberry.ComponentRequests{}, 0, 0, 0},
		"no sense":               {blueberry.ComponentRequests{CPU: -5, Memory: math.MinInt64, Storage: -1}, 0, 0, 0},
		"without measure":        {blueberry.ComponentRequests{CPU: math.MaxInt64}, 34902897112121344, 0, 0}, // counted as a trillion cores
	} {
		x.part.Component = "web"
		rate := euros().Rate(blueberry.Requests{Parts: []blueberry.ComponentRequests{x.part}})
		want := blueberry.CostPart{ComponentRequests: x.part, CPUCost: x.cpu, MemoryCost: x.mem, StorageCost: x.volume}
		if d := cmp.Diff([]blueberry.CostPart{want}, rate.Parts); d != "" {
			t.Errorf("%s:\n%s", reason, d)
		}
	}
}

func TestPricesTellEveryFault(t *testing.T) {
	t.Parallel()
	var f blueberry.Faults
	blueberry.Prices{Currency: "eur", CPUHour: -1, MemoryHour: blueberry.MaxPrice + 1}.Check(&f)
	var got []string
	for _, x := range f {
		got = append(got, x.Field+" "+x.Code)
	}
	if d := cmp.Diff([]string{"currency pattern", "cpu_hour range", "memory_hour range"}, got); d != "" {
		t.Error(d)
	}
	f = nil
	if blueberry.Prices.Check(blueberry.Prices{Currency: "EUR"}, &f); len(f) != 1 {
		t.Errorf("prices of nothing: %+v", f)
	}
	f = nil
	if euros().Check(&f); len(f) > 0 {
		t.Errorf("good prices: %+v", f)
	}
}

func TestWhichPricesHold(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(h int) time.Time { return begin.Add(time.Duration(h) * time.Hour) }
	set := func(target string, h int, cpu blueberry.Amount) blueberry.Prices {
		return blueberry.Prices{Target: target, Currency: "EUR", CPUHour: cpu, Since: at(h)}
	}
	sheet := blueberry.PriceSheet{
		{Target: "eu", Removed: true, Since: at(6)}, set("eu", 4, 3), set("", 2, 1), set("us", 0, 9), {Removed: true, Since: at(8)}, set("", 8, 7), {Removed: true, Since: at(10)},
	}
	for hour, want := range map[int]blueberry.Amount{0: 0, 1: 0, 2: 1, 3: 1, 4: 3, 5: 3, 6: 1, 7: 1, 8: 7, 9: 7, 10: 0} {
		p, ok := sheet.At("eu", at(hour))
		if p.CPUHour != want || ok != (want != 0) {
			t.Errorf("at %d: %d, %v; want %d", hour, p.CPUHour, ok, want)
		}
	}
	if now := sheet.Current(at(9)); len(now) != 2 || now[0].CPUHour != 7 || now[1].Target != "us" {
		t.Errorf("current: %+v", now)
	}
}

// life is an environment that went through phases at random, by a clock that now and then is set back, with its spans as they were recorded.
type life struct {
	env    blueberry.Environment
	spans  []blueberry.CostSpan
	sheet  blueberry.PriceSheet
	latest time.Time
}

func randomLife(r *rand.Rand) life {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	l := life{env: blueberry.Environment{ID: "env_1", Target: "eu", Phase: blueberry.Provisioning, Revision: 1}, latest: now}
	var last blueberry.CostSpan
	for range 3 + r.IntN(30) {
		now = now.Add(time.Duration(r.Int64N(int64(30 * time.Hour))))
		if r.IntN(6) == 0 {
			now = now.Add(-time.Duration(r.Int64N(int64(40 * time.Hour))))
		}
		if now.After(l.latest) {
			l.latest = now
		}
		switch r.IntN(4) {
		case 0:
			l.env.Revision++
		case 1:
			l.env.Sleep.Asleep = !l.env.Sleep.Asleep
		case 2:
			l.sheet = append(l.sheet, blueberry.Prices{
				Target: []string{"", "eu"}[r.IntN(2)], Currency: []string{"EUR", "CHF"}[r.IntN(2)], Since: now, Removed: r.IntN(4) == 0,
				CPUHour: blueberry.Amount(r.Int64N(1e6)), MemoryHour: blueberry.Amount(r.Int64N(1e5)), StorageMonth: blueberry.Amount(r.Int64N(1e6)),
			})
		}
		l.env.Requests = blueberry.Requests{Revision: l.env.Revision, Parts: []blueberry.ComponentRequests{
			{Component: "web", CPU: r.Int64N(4000), Memory: r.Int64N(8 << 30)}, {Component: "db", CPU: r.Int64N(4000), Storage: r.Int64N(99 << 30)},
		}}
		l.env.UpdatedAt = now
		ended, begun := blueberry.NextSpan(last, l.env)
		if ended != nil {
			l.spans[len(l.spans)-1] = *ended
		}
		if begun != nil {
			last = *begun
			l.spans = append(l.spans, last)
		}
	}
	return l
}

func TestSpansPartTime(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		l := randomLife(rand.New(rand.NewPCG(seed, 1)))
		for i, s := range l.spans {
			switch last := i == len(l.spans)-1; {
			case s.Seq != int64(i)+1:
				t.Fatalf("seed %d: span %d has the number %d", seed, i, s.Seq)
			case last != s.EndedAt.IsZero():
				t.Fatalf("seed %d: span %d of %d ends at %v", seed, i, len(l.spans), s.EndedAt)
			case !last && s.EndedAt.Before(s.BeganAt):
				t.Fatalf("seed %d: span %d ends before it began", seed, i)
			case !last && !s.EndedAt.Equal(l.spans[i+1].BeganAt):
				t.Fatalf("seed %d: between span %d and the next there is a gap, or time that is counted twice", seed, i)
			}
		}
	}
}

func TestPartsSumToTheTotal(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		l := randomLife(rand.New(rand.NewPCG(seed, 2)))
		c := blueberry.CostOf(l.env, l.spans, l.sheet, l.latest)
		if c == nil {
			continue
		}
		var soFar, awake, asleep blueberry.Amount
		for _, p := range c.Parts {
			if p.Awake() != p.CPUCost+p.MemoryCost+p.StorageCost {
				t.Fatalf("seed %d: a part is not the sum of its own: %+v", seed, p)
			}
			soFar, awake, asleep = soFar+p.SoFar, awake+p.Awake(), asleep+p.Asleep()
		}
		if soFar != c.SoFar || c.Priced && (awake != c.Awake || asleep != c.Asleep) {
			t.Fatalf("seed %d: %d %d %d, of parts %d %d %d", seed, c.SoFar, c.Awake, c.Asleep, soFar, awake, asleep)
		}
		// What was counted does not change by prices that are set later, nor by asking twice.
		more := append(blueberry.PriceSheet{{Currency: c.Currency, CPUHour: 5e5, Since: l.latest}, {Target: "eu", Currency: c.Currency, CPUHour: 5e5, Since: l.latest}}, l.sheet...)
		if again := blueberry.CostOf(l.env, l.spans, more, l.latest); again.SoFar != c.SoFar {
			t.Fatalf("seed %d: later prices changed what was counted: %s, %s", seed, c.SoFar, again.SoFar)
		}
	}
}

func TestWhatAnEnvironmentCost(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(h float64) time.Time { return begin.Add(time.Duration(h * float64(time.Hour))) }
	parts := []blueberry.ComponentRequests{{Component: "web", Pods: 1, CPU: 1000, Memory: 1 << 30}, {Component: "db", Pods: 1, CPU: 1000, Storage: 730 << 30}}
	spans := []blueberry.CostSpan{
		{Seq: 1, Revision: 1, Parts: parts, BeganAt: at(0), EndedAt: at(2)},
		{Seq: 2, Revision: 1, Asleep: true, Parts: parts, BeganAt: at(2), EndedAt: at(4)},
		{Seq: 3, Revision: 1, Parts: parts, BeganAt: at(4)},
	}
	env := blueberry.Environment{
		Target: "eu", Phase: blueberry.Ready, Revision: 1, Requests: blueberry.Requests{Revision: 1, Parts: parts, NotCounted: []string{"db: Job seed runs only for a while"}},
		Lease: blueberry.Lease{ExpiresAt: at(15)},
	}
	from := func(h float64, p blueberry.Prices) blueberry.Prices { p.Since = at(h); return p }
	if c := blueberry.CostOf(env, spans, nil, at(5)); c != nil {
		t.Errorf("without prices: %+v", c)
	}
	dear := euros()
	dear.CPUHour = 131_000
	c := blueberry.CostOf(env, spans, blueberry.PriceSheet{from(1, euros()), from(4.5, dear)}, at(5))
	// web 35000 awake; db 31000 + 100000 of its volume. 1 h awake, 2 h asleep, half an hour awake, and half an hour at 100000 more each.
	want := &blueberry.EnvironmentCost{
		Currency: "EUR", Priced: true, Now: 366_000, Awake: 366_000, Asleep: 100_000, SoFar: 52_500 + 67_500 + 131_000 + 200_000 + 65_500 + 115_500,
		ToLeaseEnd: 3_660_000, Ends: true, NotCounted: env.Requests.NotCounted, Since: at(0), Unpriced: time.Hour, AsOf: at(5),
		Parts: []blueberry.CostPart{
			{ComponentRequests: parts[0], CPUCost: 131_000, MemoryCost: 4_000, SoFar: 35_000 + 17_500 + 67_500},
			{ComponentRequests: parts[1], CPUCost: 131_000, StorageCost: 100_000, SoFar: 131_000 + 200_000 + 65_500 + 115_500},
		},
	}
	if d := cmp.Diff(want, c); d != "" {
		t.Error(d)
	}

	francs := euros()
	francs.Currency = "CHF"
	env.Sleep.Asleep = true
	spans[2].EndedAt, spans[2].Revision = at(5), 1
	spans = append(spans, blueberry.CostSpan{Seq: 4, Revision: 1, Asleep: true, Parts: parts[1:], BeganAt: at(5)})
	c = blueberry.CostOf(env, spans, blueberry.PriceSheet{from(1, euros()), from(5, francs)}, at(6))
	if c.Currency != "CHF" || c.SoFar != 100_000 || c.Now != 100_000 || c.ToLeaseEnd != 900_000 || len(c.Others) != 1 || c.Others[0] != (blueberry.Money{Currency: "EUR", Amount: 532_000}) {
		t.Errorf("another currency: %+v", c)
	}
	c = blueberry.CostOf(env, spans, blueberry.PriceSheet{from(1, euros()), {Removed: true, Since: at(5)}}, at(6))
	if c == nil || c.Priced || c.Currency != "EUR" || c.SoFar != 532_000 || c.Now != 0 || c.Unpriced != 2*time.Hour {
		t.Errorf("prices that are gone: %+v", c)
	}
	env.Phase = blueberry.Terminated
	spans[3].EndedAt = at(6)
	if c := blueberry.CostOf(env, spans, blueberry.PriceSheet{from(1, euros())}, at(600)); c.SoFar != 532_000+100_000 || c.Now != 0 || c.ToLeaseEnd != 0 || c.Ends || len(c.Parts) != 2 {
		t.Errorf("of one that is gone: %+v", c)
	}
}

func TestPlansAreCompared(t *testing.T) {
	t.Parallel()
	before := blueberry.Requests{Parts: []blueberry.ComponentRequests{{Component: "web", CPU: 1000}}}
	after := blueberry.Requests{Parts: []blueberry.ComponentRequests{{Component: "web", CPU: 2000, Storage: 730 << 30}}, NotCounted: []string{"web: Job seed runs only for a while"}}
	c := blueberry.NewPlanCost(euros(), before, after, 90*time.Minute)
	if c.Before.Awake() != 31_000 || c.After.Awake() != 162_000 || c.After.Asleep() != 100_000 || c.ToLeaseEnd != 243_000 || !c.Ends || len(c.NotCounted) != 1 {
		t.Errorf("%+v", c)
	}
	if c := blueberry.NewPlanCost(euros(), before, after, 0); c.Ends || c.ToLeaseEnd != 0 {
		t.Errorf("without an end: %+v", c)
	}
}
