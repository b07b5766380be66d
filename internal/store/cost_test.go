package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func prices(target string, since time.Time) blueberry.Prices {
	return blueberry.Prices{Target: target, Currency: "EUR", CPUHour: 31_000, MemoryHour: 4_000, StorageMonth: 100_000, Since: since, By: "ada"}
}

func TestPricesAreKeptAndNeverChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		later := prices("", start)
		later.CPUHour = 40_000
		gone := blueberry.Prices{Target: "eu", Since: start.Add(time.Hour), By: "bob", Removed: true}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			for _, p := range []blueberry.Prices{prices("", start), prices("eu", start), prices("us", start), later, gone} {
				if err := tx.AppendPrices(ctx, p); err != nil {
					return err
				}
			}
			return nil
		})
		later.Since = start.Add(time.Microsecond) // of one moment the second is the later
		want := blueberry.PriceSheet{prices("", start), prices("eu", start), later, gone}
		if d := cmp.Diff(want, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.PriceSheet, error) {
			return tx.Prices(ctx, "eu", false)
		})); d != "" {
			t.Errorf("of a target:\n%s", d)
		}
		if all := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.PriceSheet, error) { return tx.Prices(ctx, "", true) }); len(all) != 5 {
			t.Errorf("of all: %+v", all)
		}
	})
}

// What an environment costs is written with what it becomes, and with nothing else.
func TestSpansFollowTheEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		e.Requests = blueberry.Requests{Revision: 1, Parts: []blueberry.ComponentRequests{{Component: "web", Pods: 1, CPU: 250, Memory: 1 << 30}}}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) })
		write := func(after time.Duration, change func(e *blueberry.Environment)) {
			t.Helper()
			change(&e)
			e.UpdatedAt = start.Add(after)
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, e) })
			e.Version++
		}
		write(time.Minute, func(e *blueberry.Environment) { e.Phase = blueberry.Provisioning })
		write(2*time.Minute, func(e *blueberry.Environment) { e.Phase = blueberry.Ready })
		write(3*time.Minute, func(e *blueberry.Environment) { e.Sleep.Asleep, e.Sleep.Step = true, blueberry.TurnAsked })
		write(4*time.Minute, func(e *blueberry.Environment) { e.Phase, e.Sleep.Step = blueberry.Sleeping, "" })
		write(time.Minute, func(e *blueberry.Environment) { // a clock that was set back
			e.Phase, e.Sleep.Asleep, e.Revision = blueberry.Updating, false, 2
			e.Requests = blueberry.Requests{Revision: 2, Parts: []blueberry.ComponentRequests{{Component: "web", Pods: 2, CPU: 500, Memory: 2 << 30}}}
		})
		stale := e
		stale.Phase, stale.Version, stale.UpdatedAt = blueberry.Failed, 1, start.Add(5*time.Minute)
		if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, stale) }); err == nil {
			t.Error("another writer's version was written")
		}
		write(9*time.Minute, func(e *blueberry.Environment) { e.Phase = blueberry.Terminating })
		write(11*time.Minute, func(e *blueberry.Environment) {
			e.Phase, e.TerminatedAt = blueberry.Terminated, start.Add(10*time.Minute)
		})
		write(12*time.Minute, func(e *blueberry.Environment) { e.Message = "again" })

		at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
		one, two := []blueberry.ComponentRequests{{Component: "web", Pods: 1, CPU: 250, Memory: 1 << 30}}, e.Requests.Parts
		want := []blueberry.CostSpan{
			{EnvironmentID: e.ID, Seq: 1, Revision: 1, Parts: one, BeganAt: at(1), EndedAt: at(4)},
			{EnvironmentID: e.ID, Seq: 2, Revision: 1, Asleep: true, Parts: one, BeganAt: at(4), EndedAt: at(4)},
			{EnvironmentID: e.ID, Seq: 3, Revision: 2, Parts: two, BeganAt: at(4), EndedAt: at(10)},
		}
		read := func() []blueberry.CostSpan {
			return view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.CostSpan, error) { return tx.CostSpans(ctx, e.ID) })
		}
		if d := cmp.Diff(want, read()); d != "" {
			t.Error(d)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PurgeEnvironment(ctx, e.ID) })
		if left := read(); len(left) > 0 {
			t.Errorf("left behind: %+v", left)
		}
	})
}
