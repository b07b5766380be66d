package audit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// memory is a witness that keeps the end in this process.
type memory struct {
	seq    int64
	hash   string
	broken error
}

func (m *memory) Last(context.Context) (int64, string, error) { return m.seq, m.hash, m.broken }

func (m *memory) Keep(_ context.Context, seq int64, hash string) error {
	m.seq, m.hash = seq, hash
	return nil
}

// Whoever rewrites the record, and has it sealed anew, gets no signature of a server that has seen the end before.
func TestARewrittenRecordIsNotSigned(t *testing.T) {
	t.Parallel()
	for name, rewrite := range map[string][]string{
		"cut short": {"DELETE FROM audit WHERE seq = 6", "UPDATE audit_head SET seq = 5, hash = (SELECT hash FROM audit WHERE seq = 5)"},
		"an entry taken out and all behind it sealed anew": {
			"DELETE FROM audit WHERE seq = 4", "DELETE FROM audit_checkpoints WHERE seq >= 4",
			"UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)", "UPDATE audit SET seq = 0, prev = '', hash = '' WHERE seq > 4",
		},
		"another chain of the same length": {"UPDATE audit SET hash = 'a' || substr(hash, 2) WHERE seq = 6", "UPDATE audit_head SET hash = 'a' || substr(hash, 2)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, storetest.SQLite(t))
			seen := &memory{}
			h.Witness = seen
			h.note(t, 6)
			if n := h.seal(t); n != 6 || seen.seq != 6 || len(seen.hash) != 64 {
				t.Fatalf("sealed %d, kept %+v", n, seen)
			}
			if name == "another chain of the same length" && seen.hash[0] == 'a' {
				seen.hash = "b" + seen.hash[1:] // the rewriting would change nothing
			}
			for _, q := range rewrite {
				if _, err := h.store.DB().ExecContext(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			h.note(t, 1)
			if n, err := h.Seal(t.Context()); err == nil || n != 0 {
				t.Errorf("%d entries of a record that was rewritten are signed: %v", n, err)
			}
		})
	}
}

func TestTheWitnessGoesAlong(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	seen := &memory{}
	h.Witness = seen
	for want := int64(3); want <= 9; want += 3 {
		h.note(t, 3)
		if h.seal(t); seen.seq != want {
			t.Errorf("kept is %d, want %d", seen.seq, want)
		}
	}
	seen.broken = errors.New("the disk is away")
	h.note(t, 1)
	if _, err := h.Seal(t.Context()); !errors.Is(err, seen.broken) {
		t.Errorf("a witness that cannot be read: %v", err)
	}
}
