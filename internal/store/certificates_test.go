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

func TestCertificates(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		old := blueberry.Certificate{Serial: "0a", Name: "old", NotBefore: start, NotAfter: start.Add(time.Hour), IssuedBy: "ada"}
		young := blueberry.Certificate{Serial: "0b", Name: "young", NotBefore: start.Add(time.Minute), NotAfter: start.Add(2 * time.Hour), IssuedBy: "ada"}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			for _, c := range []blueberry.Certificate{old, young} {
				if err := tx.InsertCertificate(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
		list := func(at time.Time) []blueberry.Certificate {
			return view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Certificate, error) {
				return tx.Certificates(ctx, at)
			})
		}
		if d := cmp.Diff([]blueberry.Certificate{young, old}, list(start)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]blueberry.Certificate{young}, list(start.Add(time.Hour))); d != "" {
			t.Errorf("one that has ended: %s", d)
		}
		for _, by := range []string{"eve", "bob"} { // the second comes too late
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.RevokeCertificate(ctx, young.Serial, by, start.Add(time.Minute))
			})
		}
		young.RevokedAt, young.RevokedBy = start.Add(time.Minute), "eve"
		if d := cmp.Diff(young, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Certificate, error) {
			return tx.Certificate(ctx, "0b")
		})); d != "" {
			t.Error(d)
		}
		revoked := func(at time.Time) []string {
			return view(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) { return tx.RevokedCertificates(ctx, at) })
		}
		if d := cmp.Diff([]string{"0b"}, revoked(start)); d != "" {
			t.Error(d)
		}
		if got := revoked(start.Add(2 * time.Hour)); len(got) != 0 {
			t.Errorf("revoked are %v that have ended", got)
		}
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Certificate, error) {
			return tx.Certificate(ctx, "0c")
		})
		wantError(t, "no certificate", err, blueberry.NotFound)
	})
}
