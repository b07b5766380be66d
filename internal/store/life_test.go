package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// fillLife puts a row into every table that came with migration 9.
func fillLife(ctx context.Context, tx *store.Tx, e blueberry.Environment) error {
	_, err := tx.ClaimRetention(ctx, "logs", start, time.Hour)
	return errors.Join(err,
		tx.InsertTarget(ctx, fullTarget("local")),
		tx.TouchActivity(ctx, map[string]time.Time{e.ID: start}),
		tx.AppendWake(ctx, blueberry.WakeEntry{EnvironmentID: e.ID, Asleep: true, Why: blueberry.ByHand, By: "ada", At: start}),
		tx.PutReceipt(ctx, receipt(e)), tx.PutArchive(ctx, archive(e)), tx.PutOrphan(ctx, orphan("pr-9")),
		tx.AppendPrices(ctx, prices("", start)),
	)
}

func receipt(e blueberry.Environment) blueberry.Receipt {
	return blueberry.Receipt{
		EnvironmentID: e.ID, Project: e.Project, Environment: e.Name, Target: e.Target, Reason: "LeaseExpired", By: "system", BeganAt: start,
		Cost: &blueberry.EnvironmentCost{Currency: "EUR", SoFar: 1_234_567, Parts: []blueberry.CostPart{{ComponentRequests: blueberry.ComponentRequests{Component: "web", Pods: 1}, SoFar: 1_234_567}}, AsOf: start},
		Lines: []blueberry.ReceiptLine{{
			System: "git", Object: "environments/default/pr-1", MadeAt: start, GoneAt: start.Add(1500 * time.Microsecond), Waited: 1500 * time.Microsecond, Control: "no such path",
		}},
		Leftovers: []blueberry.Leftover{{ObjectRef: blueberry.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: e.Namespace}, Finalizers: []string{"x"}, Message: "ö\x00\xff"}},
	}
}

func archive(e blueberry.Environment) blueberry.Archive {
	r := receipt(e)
	return blueberry.Archive{
		EnvironmentID: e.ID, Project: e.Project, Environment: e.Name, Target: e.Target, Owner: e.Owner, State: blueberry.ArchivedEnded, Reason: "LeaseExpired", Revision: 2,
		Receipt: &r, Files: []blueberry.ArchiveFile{{Name: "record.json", Size: 1 << 40}}, CreatedAt: e.CreatedAt, ArchivedAt: start, LogsUntil: start.Add(time.Hour), PurgeAt: start.Add(2 * time.Hour),
	}
}

func TestTheLifeOfAProjectIsWrittenByVersion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		set := func(p blueberry.Project) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SetProjectLife(ctx, p) })
		}
		read := func() blueberry.Project {
			return view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Project, error) {
				return tx.Project(ctx, blueberry.DefaultProject)
			})
		}
		want := read()
		if want.MaxPinHours != 0 || !cmp.Equal(want.Sleep, blueberry.SleepPolicy{}) {
			t.Errorf("a project that nobody changed has %+v", want)
		}
		want.MaxPinHours, want.Sleep = -1, sleepPolicy()
		if err := set(want); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "from an old version", set(want), blueberry.Conflict, "VERSION_MOVED")
		wantCode(t, "of none", set(blueberry.Project{Name: "none"}), blueberry.NotFound, "PROJECT_NOT_FOUND")
		want.Version++
		if d := cmp.Diff(want, read()); d != "" {
			t.Error(d)
		}
		made := blueberry.Project{Name: "made", MaxPinHours: 5, Sleep: blueberry.SleepPolicy{Never: true}, CreatedAt: start, Version: 1}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertProject(ctx, made) })
		if d := cmp.Diff(made, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Project, error) { return tx.Project(ctx, "made") })); d != "" {
			t.Error(d)
		}
	})
}

// When an object was made is what was written first, also when that is not known.
func TestTheLedgerKeepsWhenAnObjectWasMade(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		entry := func(name string, made time.Time) blueberry.LedgerEntry {
			return blueberry.LedgerEntry{ObjectRef: blueberry.ObjectRef{APIVersion: "v1", Kind: "Secret", Name: name}, Revision: 1, MadeAt: made}
		}
		later := start.Add(time.Hour)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEnvironment(ctx, e),
				tx.PutLedger(ctx, e.ID, []blueberry.LedgerEntry{entry("known", start), entry("old", time.Time{})}),
				tx.PutLedger(ctx, e.ID, []blueberry.LedgerEntry{entry("known", later), entry("new", later), entry("old", later)}))
		})
		want := []blueberry.LedgerEntry{entry("known", start), entry("new", later), entry("old", time.Time{})}
		if d := cmp.Diff(want, view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.LedgerEntry, error) {
			return tx.LedgerOf(ctx, e.ID)
		})); d != "" {
			t.Error(d)
		}
	})
}

func TestActivityMovesOnlyForward(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e, other := environment("pr-1", start), environment("pr-2", start)
		later := start.Add(time.Minute)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEnvironment(ctx, e), tx.InsertEnvironment(ctx, other), tx.TouchActivity(ctx, nil),
				tx.TouchActivity(ctx, map[string]time.Time{e.ID: later, "env_none": later, "\x00": later}), tx.TouchActivity(ctx, map[string]time.Time{e.ID: start}))
		})
		for id, want := range map[string]time.Time{e.ID: later, other.ID: {}, "env_none": {}, "\x00": {}} {
			if got := view(t, s, func(ctx context.Context, tx *store.Tx) (time.Time, error) { return tx.Activity(ctx, id) }); !got.Equal(want) {
				t.Errorf("%q was active at %v, want %v", id, got, want)
			}
		}
		if got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
			return tx.Environment(ctx, e.ID)
		}); got.Version != e.Version {
			t.Errorf("the version moved to %d", got.Version)
		}
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (int, error) {
			return 0, tx.TouchActivity(ctx, map[string]time.Time{e.ID: later})
		})
		if err == nil {
			t.Error("a View wrote")
		}
	})
}

// Gateways note thousands at once, and two of them the same ones.
func TestActivityOfThousands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const n = 5000
		e := environment("pr-0", start)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) })
		copied := strings.NewReplacer("id, project, name, namespace", "'env_' || n, project, 'pr-' || n, 'pr-' || n").Replace(oldEnvironments)
		if _, err := s.DB().ExecContext(t.Context(), fmt.Sprintf(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)
			INSERT INTO environments (`+oldEnvironments+`) SELECT `+copied+` FROM environments, numbers`, n)); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				at := map[string]time.Time{}
				for j := range n {
					at[fmt.Sprintf("env_%d", j+1)] = start.Add(time.Duration(i) * time.Second)
				}
				if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.TouchActivity(ctx, at) }); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var count int
		if err := s.ReadDB().QueryRowContext(t.Context(), fmt.Sprintf("SELECT count(*) FROM activity WHERE at = %d", start.Add(2*time.Second).UnixMicro())).Scan(&count); err != nil || count != n {
			t.Errorf("%d are as the last gateway said, %v", count, err)
		}
	})
}

func TestHostsFindTheirEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		first, second := environment("pr-1", start), environment("pr-2", start.Add(time.Second))
		first.Hosts, second.Hosts = []string{"Web.example.test", "web.example.test", "api.example.test"}, []string{"web.example.test"}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEnvironment(ctx, first), tx.InsertEnvironment(ctx, second))
		})
		check := func(when, host, want string) {
			t.Helper()
			got, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
				return tx.EnvironmentByHost(ctx, host)
			})
			if want == "" {
				wantCode(t, when, err, blueberry.NotFound, "HOST_UNKNOWN")
			} else if err != nil || got.ID != want {
				t.Errorf("%s: %s is of %q, %v, want %s", when, host, got.ID, err, want)
			}
		}
		check("of two", "WEB.example.test", first.ID)
		check("of one", "api.example.test", first.ID)
		check("of none", "none\x00", "")
		first.Hosts = []string{"api.example.test", "new.example.test"}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, first) })
		check("given away", "web.example.test", second.ID)
		check("kept", "api.example.test", first.ID)
		check("added", "new.example.test", first.ID)
		second.Phase = blueberry.Terminated
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, second) })
		check("terminated", "web.example.test", "")

		want := "INDEX sqlite_autoindex_environment_hosts_1 (host=?)"
		explain := "EXPLAIN QUERY PLAN "
		if s.Dialect() == store.Postgres {
			explain, want = "SET enable_seqscan = off; EXPLAIN ", "Index" // a table of three rows is read whole otherwise
		}
		if plan := lines(t, s, explain+"SELECT environment_id FROM environment_hosts WHERE host = 'x'"); !strings.Contains(plan, want) {
			t.Errorf("the look-up is:\n%s", plan)
		}
	})
}

func TestTheWakeLedgerIsReadNewestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) })
		const n = 8
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
					return tx.AppendWake(ctx, blueberry.WakeEntry{EnvironmentID: e.ID, Asleep: true, Why: blueberry.ByIdleness, By: "system", Detail: "no request\x00", At: start})
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		read := func(before int64, limit int) (seqs []int64) {
			for _, w := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.WakeEntry, error) {
				return tx.WakeEntries(ctx, e.ID, before, limit)
			}) {
				seqs = append(seqs, w.Seq)
				w.Seq = 0
				if d := cmp.Diff(blueberry.WakeEntry{EnvironmentID: e.ID, Asleep: true, Why: blueberry.ByIdleness, By: "system", Detail: "no request\uFFFD", At: start}, w); d != "" {
					t.Error(d)
				}
			}
			return seqs
		}
		if d := cmp.Diff([]int64{8, 7, 6, 5, 4, 3, 2, 1}, read(0, 0)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]int64{3, 2}, read(4, 2)); d != "" {
			t.Error(d)
		}
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.AppendWake(ctx, blueberry.WakeEntry{EnvironmentID: "env_none"})
		})
		wantCode(t, "of none", err, blueberry.NotFound, "ENVIRONMENT_NOT_FOUND")
	})
}

func TestOneServerRunsARetentionRule(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		claim := func(now time.Time, every time.Duration) (won int32) {
			var count atomic.Int32
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
						ok, err := tx.ClaimRetention(ctx, "logs", now, every)
						if ok {
							count.Add(1)
						}
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			return count.Load()
		}
		for _, c := range []struct {
			reason string
			after  time.Duration
			every  time.Duration
			want   int32
		}{
			{"the first time at once", 0, time.Hour, 1},
			{"within the period", 59 * time.Minute, time.Hour, 0},
			{"the next period", time.Hour, time.Hour, 1},
			{"a shorter period counts from now on", time.Hour + time.Minute, 10 * time.Minute, 1},
			{"a clock that was set back", -time.Hour, 10 * time.Minute, 1},
		} {
			if got := claim(start.Add(c.after), c.every); got != c.want {
				t.Errorf("%s: %d claims, want %d", c.reason, got, c.want)
			}
		}
		runs := func() map[string]blueberry.RetentionRun {
			return view(t, s, func(ctx context.Context, tx *store.Tx) (map[string]blueberry.RetentionRun, error) {
				return tx.RetentionRuns(ctx)
			})
		}
		if got := runs(); len(got) != 0 {
			t.Errorf("before the first run there are %v", got)
		}
		run := blueberry.RetentionRun{Rule: "logs", Began: start, Ended: start.Add(time.Second), Removed: 3, Detail: "of 2 archives"}
		other := blueberry.RetentionRun{Rule: "plans", Began: start, Error: "no"}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutRetentionRun(ctx, other), tx.PutRetentionRun(ctx, blueberry.RetentionRun{Rule: "logs", Began: start, Error: "x"}), tx.PutRetentionRun(ctx, run))
		})
		if d := cmp.Diff(map[string]blueberry.RetentionRun{"logs": run, "plans": other}, runs()); d != "" {
			t.Error(d)
		}
		if got := claim(start.Add(-time.Hour+time.Minute), 10*time.Minute); got != 0 {
			t.Error("a run that was noted freed the claim")
		}
	})
}

func TestWhatTheSweepsFind(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		put := func(name string, change func(*blueberry.Environment)) string {
			e := environment(name, start)
			e.DeadlineAt = start.Add(24 * time.Hour)
			change(&e)
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) })
			return e.ID
		}
		now := start.Add(25 * time.Hour)
		failed := put("failed", func(e *blueberry.Environment) {
			e.Phase, e.DeadlineAt = blueberry.Failed, now
			e.Lease = blueberry.Lease{}
		})
		put("failed-pinned", func(e *blueberry.Environment) {
			e.Phase, e.DeadlineAt = blueberry.Failed, now
			e.Lease = blueberry.Lease{PinnedBy: "ada"}
		})
		put("failed-late", func(e *blueberry.Environment) {
			e.Phase, e.PhaseSince, e.DeadlineAt = blueberry.Failed, now, now
			e.Lease = blueberry.Lease{}
		})
		ended := put("ended", func(e *blueberry.Environment) { e.DeadlineAt = now.Add(-time.Second) })
		late := put("late", func(e *blueberry.Environment) { e.Lease = blueberry.Lease{} })
		going := put("going", func(e *blueberry.Environment) {
			e.Phase, e.DeadlineAt = blueberry.Terminating, now.Add(-59*time.Second)
		})
		put("gone", func(e *blueberry.Environment) { e.Phase = blueberry.Terminated })
		put("fine", func(e *blueberry.Environment) { e.Lease, e.DeadlineAt = blueberry.Lease{}, time.Time{} })
		ids := func(f func(ctx context.Context, tx *store.Tx) ([]string, error)) []string {
			t.Helper()
			return view(t, s, f)
		}
		if d := cmp.Diff([]string{failed}, ids(func(ctx context.Context, tx *store.Tx) ([]string, error) { return tx.FailedBefore(ctx, now, 10) })); d != "" {
			t.Errorf("failed:\n%s", d)
		}
		if d := cmp.Diff(sorted([]string{ended, late}), sorted(ids(func(ctx context.Context, tx *store.Tx) ([]string, error) { return tx.OverdueEnvironments(ctx, now, 10) }))); d != "" {
			t.Errorf("overdue:\n%s", d)
		}
		if got := ids(func(ctx context.Context, tx *store.Tx) ([]string, error) { return tx.OverdueEnvironments(ctx, now, 1) }); len(got) != 1 {
			t.Errorf("at most one: %v", got)
		}
		var names []string
		var last string
		for range 3 {
			for _, e := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Environment, error) {
				return tx.LiveNamespaces(ctx, "local", last, 3)
			}) {
				names, last = append(names, e.Name), e.ID
				if e.ID == going && (e.Phase != blueberry.Terminating || e.Namespace != "default-going" || e.Project != "default" || !e.CreatedAt.Equal(start)) {
					t.Errorf("it is %+v", e)
				}
			}
		}
		if d := cmp.Diff([]string{"ended", "failed", "failed-late", "failed-pinned", "fine", "going", "late"}, sorted(names)); d != "" {
			t.Errorf("living:\n%s", d)
		}
	})
}
