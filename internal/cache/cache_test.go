package cache

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/cache/cachetest"
)

// each runs a test on every driver. The clock of a driver goes on by advance; Redis has its own, on which nothing waits.
func each(t *testing.T, f func(t *testing.T, open func(t *testing.T) *Cache)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		c := opened(t, Config{})
		f(t, func(*testing.T) *Cache { return c })
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		r := cachetest.Start(t)
		f(t, func(t *testing.T) *Cache { return opened(t, Config{URL: r.URL, Patience: time.Minute}) })
	})
}

func opened(t testing.TB, c Config) *Cache {
	t.Helper()
	out, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return out
}

func allow(t testing.TB, l Limiter, key string, limit Limit, now time.Time) Verdict {
	t.Helper()
	v, err := l.Allow(t.Context(), key, limit, now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func hourly(n int) Limit { return Limit{Rate: n, Per: time.Hour} }

func TestLimiterCounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(*testing.T) *Cache) {
		a, b, now := open(t), open(t), time.Now()
		for i := range 4 {
			l := []*Cache{a, b}[i%2]
			if v := allow(t, l, "ada", hourly(4), now); !v.OK || v.Limit != 4 || v.Remaining != 3-i || v.RetryAfter != 0 {
				t.Errorf("call %d of 4: %+v", i+1, v)
			}
		}
		for _, l := range []*Cache{a, b} {
			v := allow(t, l, "ada", hourly(4), now)
			if v.OK || v.Remaining != 0 || v.RetryAfter <= 0 || v.RetryAfter > 15*time.Minute || v.Reset <= 45*time.Minute || v.Reset > time.Hour {
				t.Errorf("fifth call: %+v, want a refusal that ends within 15 min", v)
			}
		}
		if v := allow(t, b, "grace", hourly(4), now); !v.OK || v.Remaining != 3 {
			t.Errorf("another key: %+v", v)
		}
		if v := allow(t, b, "ada", Limit{}, now); !v.OK {
			t.Errorf("no limit: %+v", v)
		}
		if v := allow(t, b, "burst", Limit{Rate: 60, Per: time.Hour, Burst: 1}, now); !v.OK {
			t.Errorf("first of a burst of 1: %+v", v)
		}
		if v := allow(t, b, "burst", Limit{Rate: 60, Per: time.Hour, Burst: 1}, now); v.OK || v.RetryAfter > time.Minute {
			t.Errorf("second of a burst of 1: %+v", v)
		}
	})
}

// TestLimiterIsExactUnderMany calls from many goroutines through two limiters: as many as the limit says are allowed.
func TestLimiterIsExactUnderMany(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(*testing.T) *Cache) {
		caches, now := []*Cache{open(t), open(t)}, time.Now()
		allow(t, caches[0], "warm", hourly(1), now)
		allow(t, caches[1], "warm", hourly(1), now)
		var passed atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for range 25 {
					if v, err := caches[i%2].Allow(context.Background(), "crowd", hourly(50), now); err == nil && v.OK {
						passed.Add(1)
					}
				}
			})
		}
		all.Wait()
		if n := passed.Load(); n != 50 {
			t.Errorf("%d calls passed, want 50", n)
		}
	})
}

func TestLimiterComesBackAtItsRate(t *testing.T) {
	t.Parallel()
	l, now := NewMemory(), time.Unix(1e9, 0)
	limit := Limit{Rate: 10, Per: time.Minute, Burst: 3}
	var got []bool
	for _, at := range []time.Duration{0, 0, 0, 0, 5999, 6000, 6001, 12000, 18000, 600000, 600000, 600000, 600000} {
		got = append(got, allow(t, l, "ada", limit, now.Add(at*time.Millisecond)).OK)
	}
	want := []bool{true, true, true, false, false, true, false, true, true, true, true, true, false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("allowed (-want +got):\n%s", diff)
	}
}

func TestLimiterSurvivesAClockThatGoesBack(t *testing.T) {
	t.Parallel()
	l, now := NewMemory(), time.Unix(1e9, 0)
	allow(t, l, "ada", hourly(2), now)
	allow(t, l, "ada", hourly(2), now)
	if v := allow(t, l, "ada", hourly(2), now.Add(-time.Hour)); v.OK || v.Remaining != 0 {
		t.Errorf("an hour before: %+v, want a refusal", v)
	}
}

func TestMemoryIsBoundedAndKeepsWhoIsRefused(t *testing.T) {
	t.Parallel()
	m, now := newMemory(shards*4), time.Unix(1e9, 0)
	for range 3 {
		allow(t, m, "attacker", hourly(3), now)
	}
	for i := range 10000 {
		allow(t, m, fmt.Sprint("other ", i), hourly(3), now)
	}
	if n := m.size(); n > shards*4 {
		t.Errorf("%d keys are kept, want at most %d", n, shards*4)
	}
	if v := allow(t, m, "attacker", hourly(3), now); v.OK {
		t.Error("a flood of keys freed the one that was refused")
	}
}

func TestMemoryForgetsIdleKeys(t *testing.T) {
	t.Parallel()
	m, now := newMemory(maxKeys), time.Unix(1e9, 0)
	for i := range 10000 {
		allow(t, m, fmt.Sprint(i), Limit{Rate: 1, Per: time.Second}, now)
	}
	now = now.Add(sweepEvery)
	for i := range 10000 {
		allow(t, m, fmt.Sprint("later ", i%shards), Limit{Rate: 1, Per: time.Second}, now)
	}
	if n := m.size(); n > 5000 {
		t.Errorf("%d keys are kept after they were idle", n)
	}
}

// log may be written by many.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), what)
}

func TestRedisGoesAndComesBack(t *testing.T) {
	t.Parallel()
	server := cachetest.Start(t)
	var said log
	var outages atomic.Int64
	logger := slog.New(slog.NewTextHandler(&said, nil))
	c := opened(t, Config{URL: server.URL, Patience: time.Minute, Logger: logger, OnOutage: func() { outages.Add(1) }})
	other := opened(t, Config{URL: server.URL, Patience: time.Minute})
	now := time.Now()
	allow(t, c, "ada", hourly(2), now)
	allow(t, other, "ada", hourly(2), now)
	server.Kill()
	var alone []bool
	for range 3 {
		now = now.Add(rest) // so that each call tries Redis again
		alone = append(alone, allow(t, c, "ada", hourly(2), now).OK)
	}
	if diff := cmp.Diff([]bool{true, true, false}, alone); diff != "" {
		t.Errorf("calls while Redis is away (-want +got):\n%s", diff)
	}
	if n, m := said.count("does not answer"), outages.Load(); n != 1 || m != 1 {
		t.Errorf("the outage was logged %d times and counted %d times, want once each", n, m)
	}
	server.Again() // empty
	now = now.Add(rest)
	for said.count("answers again") == 0 && t.Context().Err() == nil { // rueidis may need more than one try
		allow(t, c, "probe", hourly(1), now)
		now = now.Add(rest)
	}
	for said.count("answers again") == 1 && !both(t, c, other, now) { // until the other has found Redis too
		now = now.Add(rest)
	}
	if n := said.count("answers again"); n != 1 {
		t.Errorf("the return was logged %d times", n)
	}
}

// both reports whether two limiters count together: of two calls on a new key with room for one, one is refused.
func both(t *testing.T, a, b Limiter, now time.Time) bool {
	key := now.String()
	return allow(t, a, key, hourly(1), now).OK && !allow(t, b, key, hourly(1), now).OK
}

func TestRedisThatWasNeverThere(t *testing.T) {
	t.Parallel()
	server := cachetest.Start(t)
	server.Kill()
	var said log
	c := opened(t, Config{URL: server.URL, Patience: time.Minute, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	now := time.Now()
	if v := allow(t, c, "ada", hourly(1), now); !v.OK {
		t.Errorf("first call: %+v", v)
	}
	if v := allow(t, c, "ada", hourly(1), now); v.OK {
		t.Errorf("second call: %+v, want a refusal by memory", v)
	}
	server.Again()
	for said.count("answers again") == 0 && t.Context().Err() == nil {
		now = now.Add(rest)
		allow(t, c, "probe", hourly(1000), now)
	}
}

// TestRedisThatHangs accepts connections and says nothing: calls go on in memory.
func TestRedisThatHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var outages atomic.Int64
	c := opened(t, Config{URL: "redis://" + l.Addr().String(), Logger: slog.New(slog.DiscardHandler), OnOutage: func() { outages.Add(1) }})
	now := time.Now()
	var got []bool
	for range 3 {
		got = append(got, allow(t, c, "ada", hourly(2), now).OK)
	}
	if diff := cmp.Diff([]bool{true, true, false}, got); diff != "" || outages.Load() != 1 {
		t.Errorf("calls (-want +got):\n%s\noutages: %d", diff, outages.Load())
	}
}

func TestCallerWhoLeavesIsNoOutage(t *testing.T) {
	t.Parallel()
	server := cachetest.Start(t)
	var outages atomic.Int64
	c := opened(t, Config{URL: server.URL, Patience: time.Minute, Logger: slog.New(slog.DiscardHandler), OnOutage: func() { outages.Add(1) }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = c.Allow(ctx, "ada", hourly(1), time.Now())
	if outages.Load() != 0 {
		t.Error("a cancelled call was taken for an outage")
	}
}

func TestBusWakesEveryFollower(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(*testing.T) *Cache) {
		a, b := open(t), open(t)
		ctx, cancel := context.WithCancel(t.Context())
		here, there := a.Subscribe(ctx, "epoch"), b.Subscribe(ctx, "epoch")
		elsewhere := b.Subscribe(ctx, "other")
		if a != b { // through Redis: the first wake-up is that of the subscription
			<-here
			<-there
			<-elsewhere
		}
		if err := a.Publish(t.Context(), "epoch"); err != nil {
			t.Fatal(err)
		}
		<-here
		<-there
		select {
		case <-elsewhere:
			t.Error("a wake-up came under another topic")
		default:
		}
		cancel()
		for _, c := range []<-chan struct{}{here, there, elsewhere} {
			for range c { //nolint:revive // until it is closed
			}
		}
	})
}

func TestBusNeverWaitsForAFollower(t *testing.T) {
	t.Parallel()
	b := NewBus()
	c := b.Subscribe(t.Context(), "epoch")
	for range 100 {
		if err := b.Publish(t.Context(), "epoch"); err != nil {
			t.Fatal(err)
		}
	}
	<-c
	select {
	case <-c:
		t.Error("wake-ups that were not taken are told more than once")
	default:
	}
}

func TestBusComesBackAfterAnOutage(t *testing.T) {
	t.Parallel()
	server := cachetest.Start(t)
	a, b := opened(t, Config{URL: server.URL, Patience: time.Minute, Logger: slog.New(slog.DiscardHandler)}), opened(t, Config{URL: server.URL, Patience: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	here, there := a.Subscribe(t.Context(), "epoch"), b.Subscribe(t.Context(), "epoch")
	<-here
	<-there
	server.Kill()
	if err := a.Publish(t.Context(), "epoch"); err == nil {
		t.Error("publishing without Redis gives no error")
	}
	<-here // those in the process hear it
	server.Again()
	<-there // what may have been missed
	for err := a.Publish(t.Context(), "epoch"); err != nil && t.Context().Err() == nil; {
		err = a.Publish(t.Context(), "epoch")
	}
	<-there
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		url string
		ok  bool
	}{
		"none": {"", true}, "plain": {"redis://cache.test:6379", true}, "database": {"redis://cache.test/2", true}, "tls": {"rediss://blue@cache.test", true},
		"socket": {"unix:///run/redis.sock", true}, "password": {"redis://:hunter2@cache.test", false}, "password aside": {"redis://cache.test?password=hunter2", false},
		"web": {"http://cache.test", false}, "no host": {"redis://", false}, "broken": {"redis://:hunter2@[", false},
	} {
		err := CheckURL(tc.url)
		if (err == nil) != tc.ok {
			t.Errorf("%s: error is %v, want one: %v", name, err, !tc.ok)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
}

func BenchmarkMemory(b *testing.B) {
	l, now, limit := NewMemory(), time.Now(), Limit{Rate: 1000, Per: time.Minute}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = l.Allow(b.Context(), "token tok_06d5xw7k3c8qf2v9m4n1r0t6ya", limit, now)
	}
}

func BenchmarkRedis(b *testing.B) {
	c := opened(b, Config{URL: cachetest.Start(b).URL})
	now, limit := time.Now(), Limit{Rate: 1000000, Per: time.Minute}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = c.Allow(b.Context(), "token tok_06d5xw7k3c8qf2v9m4n1r0t6ya", limit, now)
	}
}
