package provision_test

import (
	"context"
	"crypto/sha1" //nolint:gosec // a name, not a protection
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// memory is a GitOps repository that keeps nothing but the newest files, for thousands of environments.
type memory struct {
	mu  sync.Mutex
	dir map[string]map[string][]byte
}

func (m *memory) Commit(_ context.Context, c gitops.Change) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dir == nil {
		m.dir = map[string]map[string][]byte{}
	}
	m.dir[c.Dir] = c.Files
	sum := sha1.Sum(fmt.Append(nil, c.Dir, c.Subject)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:]), nil
}

func (m *memory) Files(_ context.Context, dir string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dir[dir], nil
}

func (m *memory) Names(_ context.Context, dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.dir[dir])), nil
}

// scaleRun is many environments that live for a while on a clock of their own, with a queue that does only so much a second.
type scaleRun struct {
	*house
	t      *testing.T
	random *rand.Rand
	due    map[string]time.Time // the queue: when an environment is to be looked at
	budget int                  // looks a second
	ids    []string
	ends   map[string]time.Time
	used   map[string]bool // has traffic
	idle   map[string]bool // sleeps without
}

// TestLifeAtScale: leases end in time and never early through ten restarts, nobody with traffic falls asleep, and everybody without does. The queue is kept
// busy, so that what is in time does not owe it to an idle one. BLUEBERRY_TEST_SOAK=1 does it with 5,000 environments.
func TestLifeAtScale(t *testing.T) {
	t.Parallel()
	n := 100
	if os.Getenv("BLUEBERRY_TEST_SOAK") != "" {
		n = 5000
	}
	h := newHouse(t, storetest.SQLite(t))
	h.Repository = &memory{}
	r := &scaleRun{
		house: h, t: t, random: rand.New(rand.NewPCG(5, 7)), due: map[string]time.Time{}, budget: n / 20, ends: map[string]time.Time{}, used: map[string]bool{}, idle: map[string]bool{},
	}
	r.populate(n)
	r.live(40 * time.Minute)
	r.judge()
}

// populate makes the environments, ready, then gives them what the run is about: ends within it, a fifth of them in one second; policies; traffic.
func (r *scaleRun) populate(n int) {
	for i := range n {
		r.ids = append(r.ids, r.create(r.t, fmt.Sprintf("pr-%d", i), fixed("web", 1)).ID)
	}
	for _, id := range r.ids {
		r.until(r.t, id, phase(blueberry.Ready))
	}
	now := r.clock.now()
	together := now.Add(30 * time.Minute)
	for i, id := range r.ids {
		end := now.Add(time.Duration(r.random.Int64N(int64(35 * time.Minute))))
		if i%5 == 0 {
			end = together.Add(time.Duration(r.random.Int64N(int64(time.Second))))
		}
		if i%5 == 1 {
			end = now.Add(2 * time.Hour)
		}
		r.ends[id], r.idle[id], r.used[id] = end.Truncate(time.Microsecond), i%2 == 0, i%4 == 0
		err := r.store.Update(r.t.Context(), func(tx *store.Tx) error {
			e, err := tx.Environment(r.t.Context(), id)
			if err != nil {
				return err
			}
			e.Lease = blueberry.Lease{ExpiresAt: r.ends[id]}
			if r.idle[id] {
				e.Sleep.Policy, e.Sleep.Own, e.Sleep.ActiveAt = blueberry.SleepPolicy{Idle: blueberry.MinIdle}, true, now
			}
			e.DeadlineAt = e.NextDeadline()
			return tx.UpdateEnvironment(r.t.Context(), e)
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	r.takeEnqueued()
}

// live lets time pass second by second. At ten of them the server ends, is away for three seconds, and has everything looked at when it is back.
func (r *scaleRun) live(d time.Duration) {
	began := r.clock.now()
	var noted map[string]time.Time
	for second := range int(d / time.Second) {
		r.clock.add(began.Add(time.Duration(second)*time.Second + time.Duration(r.random.Int64N(int64(time.Second)))).Sub(r.clock.now()))
		now := r.clock.now()
		if noted == nil {
			noted = map[string]time.Time{}
		}
		for i, id := range r.ids { // traffic: each a little more often than it may be idle
			if r.used[id] && (second+i*7)%290 == 0 {
				noted[id] = now
			}
		}
		if second%14 == 0 { // as seldom as a gateway may note it
			if err := r.Touch(r.t.Context(), noted); err != nil {
				r.t.Fatal(err)
			}
			noted = nil
		}
		switch away := second % (int(d/time.Second) / 10); {
		case away == 100:
			r.Provisioner = r.again()
			for i, id := range r.ids { // a hundred each half a second
				r.look(id, now.Add(3*time.Second+time.Duration(i/100)*500*time.Millisecond))
			}
			continue
		case away > 100 && away <= 102:
			continue
		}
		if err := r.KeepTime(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		r.work(now)
	}
}

func (r *scaleRun) look(id string, at time.Time) {
	if was, there := r.due[id]; !there || at.Before(was) {
		r.due[id] = at
	}
}

// work does what the queue does in a second.
func (r *scaleRun) work(now time.Time) {
	for _, job := range r.takeEnqueued() {
		kind, id, _ := strings.Cut(job, " ")
		if blueberry.JobKind(kind) == blueberry.JobEnvironmentReconcile {
			r.look(id, now)
		}
	}
	ids := slices.SortedFunc(maps.Keys(r.due), func(a, b string) int {
		if c := r.due[a].Compare(r.due[b]); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	for _, id := range ids[:min(r.budget, len(ids))] {
		if r.due[id].After(now) {
			return
		}
		delete(r.due, id)
		out, err := r.Reconcile(r.t.Context(), blueberry.Job{Kind: blueberry.JobEnvironmentReconcile, Subject: id})
		if err != nil {
			r.t.Fatal(err)
		}
		if out.Again > 0 {
			r.look(id, now.Add(out.Again))
		}
	}
}

// judge reads the events of the run.
func (r *scaleRun) judge() {
	r.t.Helper()
	ended, slept, warned := map[string]time.Time{}, map[string]time.Time{}, map[string]int{}
	q := blueberry.EventQuery{Limit: 500}
	for {
		events, err := r.Events(r.t.Context(), admin, q)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, e := range events {
			q.After = e.Seq
			switch e.Type {
			case blueberry.EnvironmentExpired:
				ended[e.EnvironmentID] = e.At
			case blueberry.EnvironmentFallingAsleep:
				slept[e.EnvironmentID] = e.At
			case blueberry.EnvironmentLeaseEnding:
				warned[e.EnvironmentID]++
			}
		}
		if len(events) == 0 {
			break
		}
	}
	var lags []time.Duration
	now := r.clock.now()
	for _, id := range r.ids {
		at, over := ended[id]
		if want := !r.ends[id].After(now.Add(-5 * time.Second)); over != want {
			r.t.Errorf("%s ended: %v; its lease ends at %s, it is %s", id, over, r.ends[id], now)
		}
		if over {
			lags = append(lags, at.Sub(r.ends[id]))
		}
		if warned[id] > 2 { // that of a day and that of two hours are due at once, then that of half an hour
			r.t.Errorf("%s was warned of %d times", id, warned[id])
		}
		_, asleep := slept[id]
		if r.used[id] && asleep {
			r.t.Errorf("%s has traffic and fell asleep", id)
		}
		if lived := r.ends[id].Sub(now.Add(-40 * time.Minute)); r.idle[id] && !r.used[id] && lived > 6*time.Minute && !asleep {
			r.t.Errorf("%s has no traffic and does not sleep", id)
		}
	}
	slices.Sort(lags)
	p := func(q int) time.Duration { return lags[(len(lags)-1)*q/100].Round(time.Millisecond) }
	r.t.Logf("%d environments, %d leases ended: lag p50 %s, p99 %s, max %s; %d fell asleep", len(r.ids), len(lags), p(50), p(99), p(100), len(slept))
	if lags[0] < 0 || p(99) > 5*time.Second {
		r.t.Errorf("lag from %s to %s, p99 %s", lags[0], p(100), p(99))
	}
}

// BenchmarkDeadlines is the cost of a second in which nothing is due, with 10,000 environments that are ready or asleep.
func BenchmarkDeadlines(b *testing.B) {
	h := newHouse(b, storetest.SQLite(b))
	windows := []blueberry.SleepWindow{{Days: []time.Weekday{1, 2, 3, 4, 5}, From: 19 * 60, To: 7 * 60}}
	h.fill(b, 10_000, func(i int, e *blueberry.Environment) {
		e.Sleep.Policy = blueberry.SleepPolicy{Idle: time.Hour, TimeZone: "Europe/Zurich", Windows: windows}
		if i%2 == 0 {
			e.Phase, e.Sleep.Asleep, e.Sleep.Why, e.Sleep.Since = blueberry.Sleeping, true, blueberry.BySchedule, h.clock.now()
		}
	})
	for b.Loop() {
		if err := h.KeepTime(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLeasesEnd is what the end of one lease costs, among a hundred that end in one second.
func BenchmarkLeasesEnd(b *testing.B) {
	h := newHouse(b, storetest.SQLite(b))
	h.fill(b, b.N, func(i int, e *blueberry.Environment) {
		e.Lease = blueberry.Lease{ExpiresAt: h.clock.now().Add(time.Minute), Warned: 30 * time.Minute}
	})
	h.clock.add(time.Minute)
	b.ResetTimer()
	if err := h.KeepTime(b.Context()); err != nil {
		b.Fatal(err)
	}
}

var _ provision.Repository = (*memory)(nil)
