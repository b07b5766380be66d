package provision_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/render"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func refusedWith(err error) string {
	var e *blueberry.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// TestUndoMakesTheSameAgain: byte for byte, but for the label that says which revision it is.
func TestUndoMakesTheSameAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		ctx := t.Context()
		e := h.create(t, "pr-1")
		h.until(t, e.ID, phase(blueberry.Ready))
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Blueprint: &blueberry.Blueprint{
			Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "acme/web:2", Values: map[string]any{"replicas": 2}}},
		}}}); err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Phase == blueberry.Ready && e.Synced == 2 })
		old, err := h.Revision(ctx, admin, e.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{}); refusedWith(err) != "UNDO_TOO_EARLY" {
			t.Errorf("while it lives: %v", err)
		}
		ended := h.destroy(t, e.ID)
		h.clock.add(blueberry.UndoWindow - time.Second)
		again, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{Hours: 5, Key: "k"})
		if err != nil {
			t.Fatal(err)
		}
		if same, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{Hours: 5, Key: "k"}); err != nil || same.ID != again.ID {
			t.Errorf("the same request made %s and %s (%v)", again.ID, same.ID, err)
		}
		if _, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{}); len(faultsOf(err)) != 1 || faultsOf(err)[0] != "name taken" {
			t.Errorf("twice: %v", err)
		}
		rev, err := h.Revision(ctx, admin, again.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		want, err := render.Relabel(old.Rendering, 1)
		if err != nil || rev.Rendering.Digest != want.Digest || rev.Number != 1 {
			t.Errorf("digest %s, want %s (%v)", rev.Rendering.Digest, want.Digest, err)
		}
		for i, f := range rev.Rendering.Files {
			if !bytes.Equal(bytes.ReplaceAll(old.Rendering.Files[i].Content, []byte(`revision: "2"`), []byte(`revision: "1"`)), f.Content) {
				t.Errorf("%s differs in more than its revision", f.Name)
			}
		}
		if diff := cmp.Diff(old.Inputs, rev.Inputs); diff != "" {
			t.Errorf("inputs -old +new\n%s", diff)
		}
		again = h.until(t, again.ID, phase(blueberry.Ready))
		if !cmp.Equal(again.Hosts, e.Hosts) || again.Demand != ended.Demand || again.Lease.HoursLeft(h.clock.now()) != 5 || again.Namespace != e.Namespace {
			t.Errorf("made again as %+v", again)
		}
		a, err := h.Archive(ctx, admin, e.ID)
		if err != nil || a.RestoredAs != again.ID {
			t.Errorf("restored as %q, want %q (%v)", a.RestoredAs, again.ID, err)
		}
		if n := h.told(t, again.ID); n[blueberry.EnvironmentRestored] != 1 {
			t.Errorf("told %v", n)
		}
	})
}

func TestUndoHasItsTime(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	h.destroy(t, e.ID)
	h.clock.add(blueberry.UndoWindow)
	if _, err := h.Undo(t.Context(), admin, e.ID, provision.UndoRequest{}); refusedWith(err) != "UNDO_TOO_LATE" || !errors.Is(err, blueberry.Conflict) {
		t.Errorf("after the window: %v", err)
	}
	if _, err := h.Undo(t.Context(), admin, "env_none", provision.UndoRequest{}); !errors.Is(err, blueberry.NotFound) {
		t.Errorf("of what never was: %v", err)
	}
}

// TestUndoUnderAnotherName renders the same inputs anew.
func TestUndoUnderAnotherName(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e, err := h.Create(ctx, admin, provision.CreateRequest{Name: "pr-1", Hours: 24, Wish: provision.Wish{Repository: ptr(shopRepository)}})
	if err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, phase(blueberry.Ready))
	old, err := h.Revision(ctx, admin, e.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	h.destroy(t, e.ID)
	h.code.push("name: shop\ncomponents: [{name: web, image: \"acme/web:99\"}]\n") // is not what it was made of
	again, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{Name: "pr-2"})
	if err != nil {
		t.Fatal(err)
	}
	rev, err := h.Revision(ctx, admin, again.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if rev.Source.Commit != old.Source.Commit || again.Namespace != "default-pr-2" || rev.Rendering.Digest == old.Rendering.Digest {
		t.Errorf("made of %s in %s", rev.Source.Commit, again.Namespace)
	}
	h.until(t, again.ID, phase(blueberry.Ready))
}

// TestUndoIsJudged as a create is: by quota, target and grants, every fault at once.
func TestUndoIsJudged(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	h.destroy(t, e.ID)
	reader := blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_2", Name: "reader", Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead}}
	if _, err := h.Undo(ctx, reader, e.ID, provision.UndoRequest{}); !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("without the grant: %v", err)
	}
	_, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{Name: "Bad Name", Target: "moon", Hours: 999})
	if diff := cmp.Diff([]string{"name pattern", "ttl_hours range", "target unknown"}, faultsOf(err)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	none := int64(0)
	if _, err := h.SetQuota(ctx, admin, "default", blueberry.Quota{Limits: blueberry.Limits{Environments: &none}}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{}); refusedWith(err) != "QUOTA_EXCEEDED" {
		t.Errorf("over the quota: %v", err)
	}
}

// TestUndoThatIsKilled before its answer is not made twice.
func TestUndoThatIsKilled(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	h.destroy(t, e.ID)
	died := h.killAt(provision.StepUndone, 1)
	err := h.survive(func() error {
		_, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{Key: "k"})
		return err
	})
	if !errors.Is(err, errKilled) || !died() {
		t.Fatalf("was not killed: %v", err)
	}
	again, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	h.until(t, again.ID, phase(blueberry.Ready))
}

// TestCordonedTargetTakesNothingNew: neither of a create nor of an undo.
func TestCordonedTargetTakesNothingNew(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	h.destroy(t, e.ID)
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		return tx.InsertTarget(ctx, blueberry.Target{Name: "local", Driver: "sim", Domain: "localhost", State: blueberry.TargetCordoned, Reason: "is moved", CreatedAt: h.clock.now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Undo(ctx, admin, e.ID, provision.UndoRequest{})
	if diff := cmp.Diff([]string{"target cordoned"}, faultsOf(err)); diff != "" {
		t.Errorf("undo -want +got\n%s", diff)
	}
	_, err = h.Create(ctx, admin, provision.CreateRequest{Name: "pr-2", Hours: 1, Wish: provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}}}}})
	if diff := cmp.Diff([]string{"target cordoned"}, faultsOf(err)); diff != "" {
		t.Errorf("create -want +got\n%s", diff)
	}
}
