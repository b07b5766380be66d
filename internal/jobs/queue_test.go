package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestJobRunsAfterCommit(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ran := make(chan blueberry.Job, 10)
		b.works(jobs.Kind{Work: func(_ context.Context, j blueberry.Job) (jobs.Outcome, error) { ran <- j; return jobs.Outcome{}, nil }})
		tx, err := b.store.DB().BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.queue.Enqueue(t.Context(), tx, kind, "taken back"); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		b.enqueue("env_1")
		j := receive(t, ran, "the run")
		if j.Subject != "env_1" || j.Attempt != 1 || j.Kind != kind || j.State != blueberry.JobRunning {
			t.Errorf("got %+v", j)
		}
		done := b.only(blueberry.JobCompleted)
		if done.FinishedAt.IsZero() || done.LastError != "" {
			t.Errorf("got %+v", done)
		}
		if n := b.subjects(); n != 0 {
			t.Errorf("%d subjects are left", n)
		}
	})
}

func TestUnknownKindIsNotEnqueued(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		b.open(jobs.Kind{Work: func(context.Context, blueberry.Job) (jobs.Outcome, error) { return jobs.Outcome{}, nil }})
		b.inTx(func(tx *sql.Tx) error {
			if err := b.queue.Enqueue(t.Context(), tx, "test.other", "x"); err == nil {
				t.Error("was enqueued")
			}
			return nil
		})
	})
}

func TestOneJobOfASubjectIsAlive(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		b.open(jobs.Kind{Work: func(context.Context, blueberry.Job) (jobs.Outcome, error) { return jobs.Outcome{}, nil }})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { b.enqueue("env_1") })
		}
		wg.Wait()
		b.enqueue("env_2")
		if all := b.list(); len(all) != 2 {
			t.Errorf("got %+v", all)
		}
	})
}

// An enqueue that is not committed when the run ends holds the end back, so the run after it sees what was committed with it.
func TestEnqueueWhileTheJobEnds(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		begun, leave := make(chan struct{}, 10), make(chan struct{})
		b.works(jobs.Kind{Work: func(ctx context.Context, _ blueberry.Job) (jobs.Outcome, error) {
			begun <- struct{}{}
			select {
			case <-leave:
			case <-ctx.Done():
			}
			return jobs.Outcome{}, nil
		}})
		b.enqueue("env_1")
		receive(t, begun, "the first run")
		b.inTx(func(tx *sql.Tx) error {
			if err := b.queue.Enqueue(t.Context(), tx, kind, "env_1"); err != nil {
				return err
			}
			close(leave) // the run ends now, before this transaction does
			return nil
		})
		receive(t, begun, "the run after")
		b.only(blueberry.JobCompleted)
	})
}

func TestEnqueueDuringARunRunsAgain(t *testing.T) {
	for name, end := range map[string]struct {
		outcome jobs.Outcome
		err     error
		reason  string
	}{
		"done":    {jobs.Outcome{}, nil, "a job that is done runs once more"},
		"snoozed": {jobs.Outcome{Again: time.Hour}, nil, "a job that wanted to sleep does not"},
		"failed":  {jobs.Outcome{}, errors.New("no"), "a job that failed does not wait for its next attempt"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *bundle) {
				var runs atomic.Int32
				second := make(chan struct{})
				b.works(jobs.Kind{
					Backoff: func(int) time.Duration { return time.Hour },
					Work: func(context.Context, blueberry.Job) (jobs.Outcome, error) {
						if runs.Add(1) == 1 {
							b.enqueue("env_1") // after the last thing the run could read
							return end.outcome, end.err
						}
						close(second)
						return jobs.Outcome{}, nil
					},
				})
				b.enqueue("env_1")
				receive(t, second, end.reason)
				b.only(blueberry.JobCompleted)
			})
		})
	}
}

// Every enqueue commits with a change; when all is quiet the last run of each subject has seen the last change.
func TestNoEnqueueIsLost(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		const subjects, writers, writes = 4, 4, 30
		b.exec(`CREATE TABLE changes (subject text PRIMARY KEY, n bigint NOT NULL)`)
		for i := range subjects {
			b.exec(fmt.Sprintf(`INSERT INTO changes VALUES ('env_%d', 0)`, i))
		}
		var seen sync.Map
		b.works(jobs.Kind{Work: func(ctx context.Context, j blueberry.Job) (jobs.Outcome, error) {
			var n int
			if err := b.store.ReadDB().QueryRowContext(ctx, `SELECT n FROM changes WHERE subject = '`+j.Subject+`'`).Scan(&n); err != nil {
				return jobs.Outcome{}, err
			}
			seen.Store(j.Subject, n)
			return jobs.Outcome{}, nil
		}})
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for i := range writes {
					subject := fmt.Sprintf("env_%d", i%subjects)
					b.inTx(func(tx *sql.Tx) error {
						if _, err := tx.ExecContext(t.Context(), `UPDATE changes SET n = n + 1 WHERE subject = '`+subject+`'`); err != nil {
							return err
						}
						return b.queue.Enqueue(t.Context(), tx, kind, subject)
					})
				}
			})
		}
		wg.Wait()
		eventually(t, func() bool { return b.subjects() == 0 }, func() any { return b.list() })
		for i := range subjects {
			var want int
			subject := fmt.Sprintf("env_%d", i)
			if err := b.store.ReadDB().QueryRowContext(t.Context(), `SELECT n FROM changes WHERE subject = '`+subject+`'`).Scan(&want); err != nil {
				t.Fatal(err)
			}
			if got, _ := seen.Load(subject); got != want {
				t.Errorf("%s: the last run saw %v of %d changes", subject, got, want)
			}
		}
	})
}

func TestEnqueueWakesAJobThatWaits(t *testing.T) {
	for name, first := range map[string]struct {
		outcome jobs.Outcome
		err     error
		state   blueberry.JobState
		reason  string
	}{
		"snoozed":  {jobs.Outcome{Again: time.Hour}, nil, blueberry.JobWaiting, "a snoozed job runs now"},
		"retrying": {jobs.Outcome{}, errors.New("no"), blueberry.JobRetrying, "a retrying job runs now"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *bundle) {
				ran := make(chan int, 10)
				var runs atomic.Int32
				b.works(jobs.Kind{
					Backoff: func(int) time.Duration { return time.Hour },
					Work: func(context.Context, blueberry.Job) (jobs.Outcome, error) {
						n := int(runs.Add(1))
						ran <- n
						if n == 1 {
							return first.outcome, first.err
						}
						return jobs.Outcome{}, nil
					},
				})
				b.enqueue("env_1")
				receive(t, ran, "the first run")
				if j := b.only(first.state); time.Until(j.RunAt) < 50*time.Minute {
					t.Errorf("it waits until %s only", j.RunAt)
				}
				b.enqueue("env_1")
				receive(t, ran, first.reason)
				b.only(blueberry.JobCompleted)
			})
		})
	}
}

func TestSnoozeIsNoAttempt(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		attempts := make(chan int, 10)
		var runs atomic.Int32
		b.works(jobs.Kind{
			MaxAttempts: 2,
			Backoff:     func(int) time.Duration { return 0 },
			Work: func(_ context.Context, j blueberry.Job) (jobs.Outcome, error) {
				attempts <- j.Attempt
				switch n := runs.Add(1); {
				case n == 3:
					return jobs.Outcome{}, errors.New("once")
				case n <= 6:
					return jobs.Outcome{Again: time.Millisecond}, nil
				}
				return jobs.Outcome{}, nil
			},
		})
		b.enqueue("env_1")
		for i, want := range []int{1, 1, 1, 2, 1, 1, 1} {
			if got := receive(t, attempts, fmt.Sprintf("run %d", i+1)); got != want {
				t.Errorf("run %d is attempt %d, want %d", i+1, got, want)
			}
		}
		if j := b.only(blueberry.JobCompleted); j.LastError != "" {
			t.Errorf("a success leaves the error %q", j.LastError)
		}
	})
}

func TestFailuresBuryAJobAndItComesBack(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		ran := make(chan int, 20)
		var healed atomic.Bool
		b.works(jobs.Kind{
			MaxAttempts: 3,
			Backoff:     func(int) time.Duration { return time.Millisecond },
			Work: func(_ context.Context, j blueberry.Job) (jobs.Outcome, error) {
				ran <- j.Attempt
				if healed.Load() {
					return jobs.Outcome{}, nil
				}
				return jobs.Outcome{}, fmt.Errorf("failure %d \x00 \xff %s", j.Attempt, strings.Repeat("é", 5000))
			},
		})
		b.enqueue("env_1")
		for want := 1; want <= 3; want++ {
			if got := receive(t, ran, "the run"); got != want {
				t.Errorf("attempt %d, want %d", got, want)
			}
		}
		dead := b.only(blueberry.JobDead)
		if !strings.HasPrefix(dead.LastError, "failure 3") || len(dead.LastError) > 4100 {
			t.Errorf("last error is %.100q of %d bytes", dead.LastError, len(dead.LastError))
		}
		if d := b.depth(); d[blueberry.JobDead] != 1 || d[blueberry.JobWaiting] != 0 {
			t.Errorf("depth is %v", d)
		}

		// A new wish makes a fresh job, which fails as often; the dead one stays.
		b.enqueue("env_1")
		for range 3 {
			receive(t, ran, "the run of a fresh job")
		}
		eventually(t, func() bool { return len(b.list(blueberry.JobDead)) == 2 }, func() any { return b.list() })

		// A person retries: all attempts again, and the other dead job stays where it is.
		healed.Store(true)
		j, err := b.queue.Retry(t.Context(), blueberry.System(), dead.ID)
		if err != nil {
			t.Fatal(err)
		}
		if j.State != blueberry.JobWaiting || j.Attempt != 0 {
			t.Errorf("retried: %+v", j)
		}
		if got := receive(t, ran, "the retried run"); got != 1 {
			t.Errorf("attempt %d, want 1", got)
		}
		eventually(t, func() bool { return len(b.list(blueberry.JobCompleted)) == 1 }, func() any { return b.list() })
		if _, err := b.queue.Retry(t.Context(), blueberry.System(), dead.ID); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("a job that is done was retried: %v", err)
		}
	})
}

func TestRetryLeavesTheNewerJobAlone(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		var runs atomic.Int32
		b.works(jobs.Kind{MaxAttempts: 1, Work: func(context.Context, blueberry.Job) (jobs.Outcome, error) {
			if runs.Add(1) == 1 {
				return jobs.Outcome{}, errors.New("no")
			}
			return jobs.Outcome{Again: time.Hour}, nil
		}})
		b.enqueue("env_1")
		dead := b.only(blueberry.JobDead)
		b.enqueue("env_1")
		eventually(t, func() bool { return runs.Load() == 2 && len(b.list(blueberry.JobWaiting)) == 1 }, func() any { return b.list() })
		if _, err := b.queue.Retry(t.Context(), blueberry.System(), dead.ID); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("got %v, want a conflict", err)
		}
	})
}

func TestPanicAndTimeoutAreErrors(t *testing.T) {
	for name, test := range map[string]struct {
		work   jobs.Worker
		want   string
		reason string
	}{
		"panic": {func(context.Context, blueberry.Job) (jobs.Outcome, error) { panic("boom") }, "panic: boom", "a panic ends the run, not the process"},
		"timeout": {func(ctx context.Context, _ blueberry.Job) (jobs.Outcome, error) {
			<-ctx.Done()
			return jobs.Outcome{}, ctx.Err()
		}, "timed out after 50ms", "the error names the time"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *bundle) {
				b.works(jobs.Kind{Work: test.work, Timeout: 50 * time.Millisecond, MaxAttempts: 1})
				b.enqueue("env_1")
				if j := b.only(blueberry.JobDead); !strings.Contains(j.LastError, test.want) {
					t.Errorf("%s: last error is %q", test.reason, j.LastError)
				}
			})
		})
	}
}

// No two runs of a subject meet, in one process and in two.
func TestNoTwoRunsOfASubjectAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		var busy [5]atomic.Int32
		var total atomic.Int32
		k := jobs.Kind{Work: func(ctx context.Context, j blueberry.Job) (jobs.Outcome, error) {
			n := &busy[j.Subject[len(j.Subject)-1]-'0']
			if n.Add(1) != 1 {
				t.Errorf("two runs of %s at once", j.Subject)
			}
			defer n.Add(-1)
			total.Add(1)
			return jobs.Outcome{}, b.store.Ping(ctx) // work that takes a while
		}}
		b.works(k)
		if b.store.Dialect() == "postgres" {
			run(t, open(t, storetest.Open(t, b.dsn), k))
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for i := range busy {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						b.enqueue(fmt.Sprintf("env_%d", i))
					}
				}
			})
		}
		eventually(t, func() bool { return total.Load() > 100 }, func() any { return total.Load() })
		close(stop)
		wg.Wait()
	})
}

func TestStopLetsWorkEnd(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		begun, leave := make(chan struct{}), make(chan struct{})
		stop := b.works(jobs.Kind{Work: func(ctx context.Context, _ blueberry.Job) (jobs.Outcome, error) {
			close(begun)
			<-leave
			return jobs.Outcome{}, ctx.Err()
		}})
		b.enqueue("env_1")
		receive(t, begun, "the run")
		stopped := make(chan struct{})
		go func() { defer close(stopped); stop() }()
		close(leave)
		receive(t, stopped, "the end of Run")
		b.only(blueberry.JobCompleted)
	})
}

func TestStopCutsOffWorkThatGoesOn(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		begun := make(chan int, 10)
		k := jobs.Kind{MaxAttempts: 1, Work: func(ctx context.Context, j blueberry.Job) (jobs.Outcome, error) {
			begun <- j.Attempt
			<-ctx.Done()
			return jobs.Outcome{}, ctx.Err()
		}}
		q, err := jobs.Open(t.Context(), jobs.Config{
			DB: b.store.DB(), ReadDB: b.store.ReadDB(), Dialect: b.store.Dialect(), Workers: map[blueberry.JobKind]jobs.Kind{kind: k}, Drain: time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		b.queue = q
		stop := run(t, q)
		b.enqueue("env_1")
		receive(t, begun, "the run")
		stop()
		if j := b.only(blueberry.JobWaiting); j.Attempt != 0 || j.LastError != "" {
			t.Errorf("an interrupted run counts: %+v", j)
		}
		run(t, q)
		receive(t, begun, "the run after the restart")
	})
}

// While an installation is being upgraded, an old process may get a job of a kind that it does not know. It fails there, and runs where it is known.
func TestAKindThatThisProcessDoesNotKnow(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		const newer blueberry.JobKind = "test.newer"
		stop := b.works(jobs.Kind{Work: idle})
		ran := make(chan blueberry.Job, 1)
		q, err := jobs.Open(t.Context(), jobs.Config{
			DB: b.store.DB(), ReadDB: b.store.ReadDB(), Dialect: b.store.Dialect(), Logger: logger(t),
			Workers: map[blueberry.JobKind]jobs.Kind{newer: {Work: func(_ context.Context, j blueberry.Job) (jobs.Outcome, error) { ran <- j; return jobs.Outcome{}, nil }}},
		})
		if err != nil {
			t.Fatal(err)
		}
		enqueue := func() { b.inTx(func(tx *sql.Tx) error { return q.Enqueue(t.Context(), tx, newer, "env_1") }) }
		enqueue()
		var failed []blueberry.Job
		eventually(t, func() bool { failed = b.list(); return len(failed) == 1 && failed[0].LastError != "" }, func() any { return failed })
		if j := failed[0]; j.State != blueberry.JobRetrying || j.Attempt != 0 {
			t.Errorf("it counts as a failure: %+v", j)
		}
		b.enqueue("env_2") // the old process works on
		eventually(t, func() bool { return len(b.list(blueberry.JobCompleted)) == 1 }, func() any { return b.list() })
		stop()
		run(t, q)
		enqueue()
		if j := receive(t, ran, "the run where it is known"); j.Subject != "env_1" {
			t.Errorf("got %+v", j)
		}
	})
}

func BenchmarkJobs(b *testing.B) {
	for _, dialect := range []struct {
		name string
		open func(testing.TB) *storetest.Store
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		b.Run(dialect.name, func(b *testing.B) {
			s := dialect.open(b)
			var wg sync.WaitGroup
			q, err := jobs.Open(b.Context(), jobs.Config{DB: s.DB(), ReadDB: s.ReadDB(), Dialect: s.Dialect(), Workers: map[blueberry.JobKind]jobs.Kind{
				kind: {Work: func(context.Context, blueberry.Job) (jobs.Outcome, error) { wg.Done(); return jobs.Outcome{}, nil }},
			}})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- q.Run(ctx) }()
			for n := 0; b.Loop(); n++ {
				wg.Add(1)
				tx, err := s.DB().BeginTx(ctx, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := errors.Join(q.Enqueue(ctx, tx, kind, fmt.Sprint(n)), tx.Commit()); err != nil {
					b.Fatal(err)
				}
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
			cancel()
			if err := <-done; err != nil {
				b.Error(err)
			}
		})
	}
}
