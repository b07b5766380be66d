package audit_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestEntryIsFoundWhereverItIs: in the record and in an archive, by who may read it there, and by nobody else.
func TestEntryIsFoundWhereverItIs(t *testing.T) {
	t.Parallel()
	h := manyArchives(t, 3)
	for _, want := range h.list(t, owner, blueberry.AuditQuery{Limit: 500}) {
		got, err := h.Entry(t.Context(), owner, want.ID)
		if err != nil {
			t.Fatalf("%s: %v", want.ID, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", want.ID, d)
		}
		admin := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_x", Name: "x", Projects: map[string][]blueberry.Grant{"elsewhere": blueberry.RoleAdmin.Grants()}}
		if _, err := h.Entry(t.Context(), admin, want.ID); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("%s for the admin of another project: %v", want.ID, err)
		}
	}
	for _, id := range []string{"", "aud_", "aud_nothing", "usr_06d5xw7k3c8qf2v9m4n1r0t6ya", blueberry.NewID(blueberry.AuditID, h.Now())} {
		if _, err := h.Entry(t.Context(), owner, id); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
