package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func orphan(name string) blueberry.Orphan {
	return blueberry.Orphan{
		ID: blueberry.NewID(blueberry.OrphanID, start), Target: "local", Kind: blueberry.OrphanObjects, Project: "default", Env: name, Namespace: "default-" + name,
		Objects: []blueberry.ObjectRef{{APIVersion: "v1", Kind: "Namespace", Name: "default-" + name}}, Message: "1 object of no environment", FoundAt: start, SeenAt: start,
	}
}

func orphanByID(t *testing.T, s *store.Store, id string) (blueberry.Orphan, error) {
	t.Helper()
	return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Orphan, error) { return tx.Orphan(ctx, id) })
}

func TestAnOrphanThatIsSeenAgainKeepsItsApproval(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := orphan("pr-1")
		again := orphan("pr-1")
		again.Objects, again.Message, again.FoundAt, again.SeenAt = nil, "2", start.Add(time.Hour), start.Add(time.Hour)
		left := []blueberry.ObjectRef{{APIVersion: "v1", Kind: "Pod", Namespace: "x", Name: "y"}}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutOrphan(ctx, want), tx.ApproveOrphan(ctx, want.ID, "ada", start), tx.SetOrphanLeftovers(ctx, want.ID, left), tx.PutOrphan(ctx, again))
		})
		want.Objects, want.Message, want.SeenAt, want.ApprovedBy, want.ApprovedAt, want.Leftovers = nil, "2", again.SeenAt, "ada", start, left
		got, err := orphanByID(t, s, want.ID)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v:\n%s", err, d)
		}
		_, err = orphanByID(t, s, again.ID)
		wantCode(t, "the second id", err, blueberry.NotFound, "ORPHAN_NOT_FOUND")
	})
}

func TestOneOfManyApprovesAnOrphan(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := orphan("pr-1")
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutOrphan(ctx, o) })
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
					return tx.ApproveOrphan(ctx, o.ID, fmt.Sprint(i+1), start)
				})
				if err == nil {
					won.Add(int32(i + 1))
					return
				}
				wantCode(t, "an approval that lost", err, blueberry.Conflict, "ORPHAN_APPROVED")
			})
		}
		wg.Wait()
		got, err := orphanByID(t, s, o.ID)
		if err != nil || got.ApprovedBy != fmt.Sprint(won.Load()) {
			t.Errorf("%d got it, the orphan says %q, %v", won.Load(), got.ApprovedBy, err)
		}
		err = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.ApproveOrphan(ctx, "orp_none", "ada", start) })
		wantCode(t, "none", err, blueberry.NotFound, "ORPHAN_NOT_FOUND")
		err = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SetOrphanLeftovers(ctx, "orp_none", nil) })
		wantCode(t, "leftovers of none", err, blueberry.NotFound, "ORPHAN_NOT_FOUND")
	})
}

func TestOrphansAreListedAndDropped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one, two, files, elsewhere := orphan("pr-1"), orphan("pr-2"), orphan("pr-1"), orphan("pr-1")
		one.ID, two.ID, files.ID, elsewhere.ID = "orp_1", "orp_2", "orp_3", "orp_4"
		files.Kind, elsewhere.Target, two.SeenAt = blueberry.OrphanFiles, "away", start.Add(time.Hour)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutOrphan(ctx, elsewhere), tx.PutOrphan(ctx, two), tx.PutOrphan(ctx, files), tx.PutOrphan(ctx, one))
		})
		list := func(q blueberry.OrphanQuery) (ids []string) {
			t.Helper()
			for _, o := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Orphan, error) { return tx.Orphans(ctx, q) }) {
				ids = append(ids, o.ID)
			}
			return ids
		}
		for reason, c := range map[string]struct {
			q    blueberry.OrphanQuery
			want []string
		}{
			"all":         {blueberry.OrphanQuery{}, []string{"orp_1", "orp_2", "orp_3", "orp_4"}},
			"a page":      {blueberry.OrphanQuery{Limit: 2, After: "orp_1"}, []string{"orp_2", "orp_3"}},
			"of a target": {blueberry.OrphanQuery{Target: "away"}, []string{"orp_4"}},
			"of a kind":   {blueberry.OrphanQuery{Kind: blueberry.OrphanFiles}, []string{"orp_3"}},
		} {
			if d := cmp.Diff(c.want, list(c.q)); d != "" {
				t.Errorf("%s:\n%s", reason, d)
			}
		}
		var dropped int
		update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			if err := tx.ApproveOrphan(ctx, files.ID, "ada", start); err != nil {
				return err
			}
			dropped, err = tx.DropOrphansUnseen(ctx, "local", start.Add(time.Minute))
			return err
		})
		if d := cmp.Diff([]string{"orp_2", "orp_3", "orp_4"}, list(blueberry.OrphanQuery{})); d != "" || dropped != 1 {
			t.Errorf("dropped %d:\n%s", dropped, d)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.DeleteOrphan(ctx, two.ID), tx.DeleteOrphan(ctx, two.ID))
		})
		if d := cmp.Diff([]string{"orp_3", "orp_4"}, list(blueberry.OrphanQuery{})); d != "" {
			t.Error(d)
		}
	})
}
