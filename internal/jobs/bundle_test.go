package jobs_test

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

const kind blueberry.JobKind = "test.work"

// bundle is what a test of the queue has.
type bundle struct {
	t     *testing.T
	dsn   string
	store *storetest.Store
	queue *jobs.Queue
}

// each runs a test on both databases, on a fresh record and without a queue yet.
func each(t *testing.T, f func(t *testing.T, b *bundle)) {
	t.Helper()
	t.Parallel()
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		f(t, &bundle{t: t, dsn: dsn, store: storetest.Open(t, dsn)})
	})
}

// works opens the queue of the test with one kind, and runs it.
func (b *bundle) works(k jobs.Kind) (stop func()) {
	b.t.Helper()
	b.open(k)
	return run(b.t, b.queue)
}

func (b *bundle) open(k jobs.Kind) {
	b.t.Helper()
	b.queue = open(b.t, b.store, k)
}

func open(t *testing.T, s *storetest.Store, k jobs.Kind) *jobs.Queue {
	t.Helper()
	q, err := jobs.Open(t.Context(), jobs.Config{
		DB: s.DB(), ReadDB: s.ReadDB(), Dialect: s.Dialect(), Workers: map[blueberry.JobKind]jobs.Kind{kind: k}, Logger: logger(t), Drain: time.Minute,
	})
	if err != nil {
		t.Fatalf("open the queue: %v", err)
	}
	return q
}

func logger(t *testing.T) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("test", t.Name())
}

// run works until the test ends, or until stop is called.
func run(t *testing.T, q *jobs.Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func (b *bundle) enqueue(subject string) {
	b.t.Helper()
	b.inTx(func(tx *sql.Tx) error { return b.queue.Enqueue(b.t.Context(), tx, kind, subject) })
}

func (b *bundle) inTx(f func(tx *sql.Tx) error) {
	b.t.Helper()
	tx, err := b.store.DB().BeginTx(b.t.Context(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		b.t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) list(states ...blueberry.JobState) []blueberry.Job {
	b.t.Helper()
	page, _, err := b.queue.List(b.t.Context(), blueberry.System(), blueberry.JobQuery{States: states})
	if err != nil {
		b.t.Fatal(err)
	}
	return page
}

// only waits until there is one job and it is in the state, and gives it.
func (b *bundle) only(state blueberry.JobState) blueberry.Job {
	b.t.Helper()
	var all []blueberry.Job
	eventually(b.t, func() bool {
		all = b.list()
		return len(all) == 1 && all[0].State == state
	}, func() any { return all })
	return all[0]
}

const patience = 5 * time.Minute // for a busy machine; no test takes it when all is well

// eventually polls until ok, or fails with what was there last.
func eventually(t *testing.T, ok func() bool, last func() any) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("did not come about; last: %+v", last())
		case <-poll.C:
		}
	}
}

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

func (b *bundle) exec(query string) {
	b.t.Helper()
	if _, err := b.store.DB().ExecContext(b.t.Context(), query); err != nil {
		b.t.Fatal(err)
	}
}

// subjects counts the subjects that have a job alive.
func (b *bundle) subjects() (n int) {
	b.t.Helper()
	if err := b.store.ReadDB().QueryRowContext(b.t.Context(), `SELECT count(*) FROM job_subjects`).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *bundle) depth() map[blueberry.JobState]int {
	b.t.Helper()
	d, err := b.queue.Depth(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}
