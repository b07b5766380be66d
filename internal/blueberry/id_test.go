package blueberry_test

import (
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// The bounds of a time hold for every id that was made in it.
func TestTheTimeOfAnID(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 10, 0, 0, 123999000, time.UTC)
	first, next := blueberry.FirstID(blueberry.AuditID, at), blueberry.FirstID(blueberry.AuditID, at.Add(time.Millisecond))
	for range 100 {
		id := blueberry.NewID(blueberry.AuditID, at)
		if id < first || id >= next || !blueberry.HasIDPrefix(first, blueberry.AuditID) {
			t.Fatalf("%s is not between %s and %s", id, first, next)
		}
		if got, ok := blueberry.IDTime(id); !ok || !got.Equal(at.Truncate(time.Millisecond)) {
			t.Fatalf("%s was made at %v", id, got)
		}
	}
	for _, none := range []string{"", "aud", "aud_", "aud_1", "aud_" + "u0000000000000000000000000", first + "0"} {
		if _, ok := blueberry.IDTime(none); ok {
			t.Errorf("%q has a time", none)
		}
	}
}
