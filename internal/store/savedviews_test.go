package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestSavedViews(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada, ben := user("usr_1"), user("usr_2")
		ben.Email = "ben@example.com"
		first := whole[blueberry.SavedView](1)
		first.UserID, first.Name = ada.ID, "Z first"
		second, other := first, first
		second.Name, second.Query = "a second", "phase=failed"
		other.UserID = ben.ID
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertUser(ctx, ada), tx.InsertUser(ctx, ben), tx.PutSavedView(ctx, second), tx.PutSavedView(ctx, first), tx.PutSavedView(ctx, other))
		})
		of := func(id string) []blueberry.SavedView {
			return view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.SavedView, error) { return tx.SavedViews(ctx, id) })
		}
		if diff := cmp.Diff([]blueberry.SavedView{first, second}, of(ada.ID)); diff != "" {
			t.Errorf("hers (-want +got):\n%s", diff)
		}
		second.Page, second.Query = "pulls", "state=open"
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutSavedView(ctx, second) })
		if diff := cmp.Diff([]blueberry.SavedView{first, second}, of(ada.ID)); diff != "" {
			t.Errorf("after a second time (-want +got):\n%s", diff)
		}
		drop := func(id, name string) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteSavedView(ctx, id, name) })
		}
		if err := drop(ada.ID, first.Name); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "what is gone", drop(ada.ID, first.Name), blueberry.NotFound, "VIEW_NOT_FOUND")
		if diff := cmp.Diff([]blueberry.SavedView{other}, of(ben.ID)); diff != "" {
			t.Errorf("his (-want +got):\n%s", diff)
		}
		lost := first
		lost.UserID = "usr_none"
		wantCode(t, "of nobody", tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutSavedView(ctx, lost) }), blueberry.NotFound, "USER_NOT_FOUND")
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteUser(ctx, ben.ID, ben.Version) })
		if got := of(ben.ID); len(got) != 0 {
			t.Errorf("of who is gone: %v", got)
		}
	})
}
