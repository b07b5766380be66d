package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func event(message string) blueberry.Event {
	return blueberry.Event{Type: blueberry.EnvironmentRequested, EnvironmentID: "env_1", Project: "default", Environment: "pr-1", Actor: "ada", Message: message, At: start}
}

func TestEventsComeBackInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var told []int64
		s.OnCommit(func(last int64) { told = append(told, last) })
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.AppendEvent(ctx, event("one")), tx.AppendEvent(ctx, event("two")))
		})
		failure := errors.New("no")
		if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.AppendEvent(ctx, event("never")), failure)
		}); !errors.Is(err, failure) {
			t.Errorf("got %v", err)
		}
		other := event("three")
		other.EnvironmentID = "env_2"
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AppendEvent(ctx, other) })

		read := func(q blueberry.EventQuery) []string {
			var out []string
			for _, e := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Event, error) { return tx.Events(ctx, q) }) {
				if !blueberry.HasIDPrefix(e.ID, blueberry.EventID) || !e.At.Equal(start) || e.Actor != "ada" {
					t.Errorf("got %+v", e)
				}
				out = append(out, fmt.Sprint(e.Seq, " ", e.Message))
			}
			return out
		}
		for name, test := range map[string]struct {
			query blueberry.EventQuery
			want  []string
		}{
			"all":         {blueberry.EventQuery{}, []string{"1 one", "2 two", "3 three"}},
			"environment": {blueberry.EventQuery{EnvironmentID: "env_1"}, []string{"1 one", "2 two"}},
			"page":        {blueberry.EventQuery{After: 1, Limit: 1}, []string{"2 two"}},
			"end":         {blueberry.EventQuery{After: 3}, nil},
		} {
			if d := cmp.Diff(test.want, read(test.query)); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
		if d := cmp.Diff([]int64{2, 3}, told); d != "" {
			t.Errorf("told:\n%s", d)
		}
		if last := view(t, s, func(ctx context.Context, tx *store.Tx) (int64, error) { return tx.MaxEventSeq(ctx) }); last != 3 {
			t.Errorf("last is %d", last)
		}
	})
}

// While many write, a reader that goes on from the last Seq it saw misses nothing.
func TestAReaderOfEventsMissesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const writers, each = 8, 25
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
						for range 1 + (w+i)%3 {
							if err := tx.AppendEvent(ctx, event(fmt.Sprint(w, i))); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		written := make(chan struct{})
		go func() { defer close(written); wg.Wait() }()
		var seen []int64
		for over := false; ; {
			var after int64
			if len(seen) > 0 {
				after = seen[len(seen)-1]
			}
			got := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Event, error) {
				return tx.Events(ctx, blueberry.EventQuery{After: after})
			})
			for _, e := range got {
				seen = append(seen, e.Seq)
			}
			if over && len(got) == 0 {
				break
			}
			select {
			case <-written:
				over = true
			default:
			}
		}
		total := int64(count(t, s, "events"))
		if int64(len(seen)) != total || seen[len(seen)-1] != total || !slices.IsSorted(seen) {
			t.Errorf("saw %d of %d events, the last was %d", len(seen), total, seen[len(seen)-1])
		}
	})
}

func TestAPanicLetsTheConnectionGo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = s.Update(t.Context(), func(tx *store.Tx) error {
				if err := tx.InsertEnvironment(t.Context(), environment("pr-1", start)); err != nil {
					t.Error(err)
				}
				panic("boom")
			})
		}()
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertEnvironment(ctx, environment("pr-1", start))
		}) // not held, not there
	})
}

func TestViewWritesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, write := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"row": func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertEnvironment(ctx, environment("pr-1", start))
			},
			"event": func(ctx context.Context, tx *store.Tx) error { return tx.AppendEvent(ctx, event("x")) },
			"job":   func(ctx context.Context, tx *store.Tx) error { return tx.Enqueue(ctx, "k", "s") },
		} {
			if _, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (int, error) { return 0, write(ctx, tx) }); err == nil {
				t.Errorf("%s was written", name)
			}
		}
	})
}

// A view is one state: what commits beside it does not come in.
func TestViewIsASnapshot(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.View(t.Context(), func(tx *store.Tx) error {
			before, err := tx.CountEnvironmentsByPhase(t.Context())
			if err != nil {
				return err
			}
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertEnvironment(ctx, environment("pr-1", start))
			})
			after, err := tx.CountEnvironmentsByPhase(t.Context())
			if len(before)+len(after) != 0 {
				t.Errorf("saw %v, then %v", before, after)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Two transactions that lock two rows crosswise: PostgreSQL ends one of them, and Update runs it again.
func TestADeadlockIsRunAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := environment("a", start), environment("b", start)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEnvironment(ctx, a), tx.InsertEnvironment(ctx, b))
		})
		var both sync.WaitGroup
		both.Add(2)
		var runs atomic.Int32
		var waited sync.Map
		cross := func(first, second string) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
				runs.Add(1)
				for i, id := range []string{first, second} {
					e, err := tx.Environment(ctx, id)
					if err != nil {
						return err
					}
					e.Synced++
					if err := tx.UpdateEnvironment(ctx, e); err != nil {
						return err
					}
					if _, again := waited.LoadOrStore(first+second, true); i == 0 && !again && s.Dialect() == store.Postgres { // SQLite has one writer: they never meet
						both.Done()
						both.Wait()
					}
				}
				return nil
			})
		}
		errs := make(chan error, 2)
		insist := func(first, second string) {
			for {
				err := cross(first, second)
				var moved *blueberry.Error
				if errors.As(err, &moved) && moved.Code == "VERSION_MOVED" {
					continue // the other one committed between our read and our write: that is for the caller to know
				}
				errs <- err
				return
			}
		}
		go insist(a.ID, b.ID)
		go insist(b.ID, a.ID)
		for range 2 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if s.Dialect() == store.Postgres && runs.Load() < 3 {
			t.Errorf("there were %d runs and so no deadlock", runs.Load())
		}
		if got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
			return tx.Environment(ctx, a.ID)
		}); got.Synced != 2 {
			t.Errorf("%d of 2 updates", got.Synced)
		}
	})
}

func TestEnqueueIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		enqueue := func(ctx context.Context, tx *store.Tx) error {
			return tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, "env_1")
		}
		if err := tryUpdate(t, s, enqueue); err == nil {
			t.Error("a store without an enqueuer enqueued")
		}
		if _, err := s.DB().ExecContext(t.Context(), "CREATE TABLE jobs (what text)"); err != nil {
			t.Fatal(err)
		}
		s.SetEnqueuer(func(ctx context.Context, tx *sql.Tx, kind blueberry.JobKind, subject string) error {
			_, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO jobs VALUES ('%s %s')", kind, subject))
			return err
		})
		failure := errors.New("no")
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return errors.Join(enqueue(ctx, tx), failure) })
		if !errors.Is(err, failure) || count(t, s, "jobs") != 0 {
			t.Errorf("%v; %d jobs of a transaction that failed", err, count(t, s, "jobs"))
		}
		update(t, s, enqueue)
		if n := count(t, s, "jobs"); n != 1 {
			t.Errorf("%d jobs", n)
		}
	})
}

func TestReopenFindsEverything(t *testing.T) {
	t.Parallel()
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		e := environment("pr-1", start)
		for range 2 {
			s, err := store.Open(t.Context(), store.Config{DSN: dsn})
			if err != nil {
				t.Fatal(err)
			}
			if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) }); err != nil && !errors.Is(err, blueberry.Conflict) {
				t.Error(err)
			}
			if n := count(t, s, "environments"); n != 1 {
				t.Errorf("%d environments", n)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Replicas start together on one empty database.
func TestManyOpenAtOnce(t *testing.T) {
	t.Parallel()
	dsn := storetest.EmptyPostgresDSN(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := store.Open(t.Context(), store.Config{DSN: dsn, MaxConns: 3})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestSQLiteFileIsOursAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new dir", "with ? and % and #")
	path := filepath.Join(dir, "b&b.db")
	dsn := (&url.URL{Scheme: "sqlite", Path: path}).String()
	s := storetest.Open(t, dsn)
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		return tx.InsertEnvironment(ctx, environment("pr-1", start))
	})
	for _, suffix := range []string{"", "-wal", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", suffix, info.Mode())
		}
	}
	_, err := store.Open(t.Context(), store.Config{DSN: dsn})
	wantError(t, "the file of another store", err, blueberry.Unavailable)
	if want := fmt.Sprintf("in use by process %d", os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %q", err, want)
	}
}

func TestDSNsThatAreNone(t *testing.T) {
	t.Parallel()
	for dsn, reason := range map[string]string{
		"":                                   "it is empty",
		"mysql://user:geheim@host/db":        "there is no such dialect",
		"sqlite://relative.db":               "a path is absolute",
		"sqlite:///":                         "a directory is no file",
		"sqlite:///x.db?_pragma=x":           "pragmas are ours",
		"postgres://user:geheim@ho st/db":    "it is no URL",
		"postgres://user:geheim@host:no/x":   "the port is none",
		"postgres://u:geheim@127.0.0.1:1/db": "nobody listens there",
	} {
		_, err := store.Open(t.Context(), store.Config{DSN: dsn})
		if err == nil {
			t.Errorf("%q was opened although %s", dsn, reason)
		} else if strings.Contains(err.Error(), "geheim") {
			t.Errorf("the password is in the error %q", err)
		}
	}
}
