package store_test

import (
	"errors"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// TestClaimBelongsToOneProcess: on PostgreSQL a second process is told that the claim is taken, until the first lets it go. On SQLite the whole record
// has one process already.
func TestClaimBelongsToOneProcess(t *testing.T) {
	t.Parallel()
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		first := storetest.Open(t, dsn)
		release, err := first.Claim(t.Context(), "thing")
		if err != nil {
			t.Fatal(err)
		}
		if first.Dialect() == store.SQLite {
			release()
			return
		}
		second := storetest.Open(t, dsn)
		if _, err := second.Claim(t.Context(), "thing"); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("a second process got the claim: %v", err)
		}
		release()
		again, err := second.Claim(t.Context(), "thing")
		if err != nil {
			t.Fatalf("after it was let go: %v", err)
		}
		again()
	})
}
