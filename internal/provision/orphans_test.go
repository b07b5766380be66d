package provision_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func (h *archiveHouse) scan(t *testing.T) []blueberry.Orphan {
	t.Helper()
	h.clock.add(time.Minute)
	if _, err := h.Scan(t.Context(), blueberry.Job{Kind: blueberry.JobTargetScan, Subject: "local"}); err != nil {
		t.Fatal(err)
	}
	list, err := h.Orphans(t.Context(), admin, blueberry.OrphanQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// leave makes what a removal that went wrong would have left: the namespace and a service with the labels of an environment.
func (h *archiveHouse) leave(t *testing.T, project, name string) {
	t.Helper()
	ns := blueberry.Namespace(project, name)
	labels := fmt.Sprintf("labels: {blueberry.dev/project: %s, blueberry.dev/environment: %s}", project, name)
	for _, doc := range []string{
		fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, %s}\n", ns, labels),
		fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: %s, %s}\nspec: {ports: [{port: 80}]}\n", ns, labels),
	} {
		if err := h.place.Create([]byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
}

// installation counts events that are of no environment.
func (h *archiveHouse) installation(t *testing.T, want blueberry.EventType) int {
	t.Helper()
	list, err := h.Events(t.Context(), admin, blueberry.EventQuery{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range list {
		if e.Type == want {
			n++
		}
	}
	return n
}

func TestOrphanIsFoundToldOnceAndRemovedWhenAllowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		ctx := t.Context()
		living := h.create(t, "living")
		h.until(t, living.ID, phase(blueberry.Ready))
		gone := h.create(t, "gone")
		h.until(t, gone.ID, phase(blueberry.Ready))
		h.destroy(t, gone.ID)
		if list := h.scan(t); len(list) > 0 {
			t.Fatalf("found %+v where all is in order", list)
		}
		h.leave(t, "default", "gone")
		var list []blueberry.Orphan
		for range 3 {
			list = h.scan(t)
		}
		if len(list) != 1 || list[0].Kind != blueberry.OrphanObjects || list[0].Namespace != "default-gone" || len(list[0].Objects) != 2 || !strings.Contains(list[0].Message, "which ended at") {
			t.Fatalf("found %+v", list)
		}
		o := list[0]
		if n := h.installation(t, blueberry.OrphanFound); n != 1 || !o.SeenAt.After(o.FoundAt) {
			t.Errorf("told %d times; found %s, seen %s", n, o.FoundAt, o.SeenAt)
		}
		if _, err := h.RemoveOrphan(ctx, blueberry.Job{Subject: o.ID}); err != nil || len(h.place.Labelled(refTo(gone))) != 2 {
			t.Fatalf("removed without anyone's word (%v)", err)
		}
		reader := blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_2", Name: "reader", Grants: []blueberry.Grant{blueberry.GrantOrphansRead}}
		if _, err := h.ApproveOrphan(ctx, reader, o.ID); !errors.Is(err, blueberry.Forbidden) {
			t.Errorf("allowed without the grant: %v", err)
		}
		h.takeEnqueued()
		if _, err := h.ApproveOrphan(ctx, admin, o.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.takeEnqueued(); len(got) != 1 || got[0] != "orphan.remove "+o.ID {
			t.Errorf("enqueued %v", got)
		}
		if _, err := h.ApproveOrphan(ctx, admin, o.ID); refusedWith(err) != "ORPHAN_APPROVED" {
			t.Errorf("allowed twice: %v", err)
		}
		for range 5 {
			out, err := h.RemoveOrphan(ctx, blueberry.Job{Subject: o.ID})
			if err != nil {
				t.Fatal(err)
			}
			if out.Again == 0 {
				break
			}
		}
		if left := h.place.Labelled(refTo(gone)); len(left) > 0 || h.installation(t, blueberry.OrphanGone) != 1 {
			t.Errorf("left %v, told %d times", left, h.installation(t, blueberry.OrphanGone))
		}
		if list := h.scan(t); len(list) > 0 {
			t.Errorf("found %+v", list)
		}
		if e := h.until(t, living.ID, phase(blueberry.Ready)); len(h.place.Labelled(refTo(e))) == 0 {
			t.Error("what lives was touched")
		}
	})
}

// TestOrphanWhoseNameIsTaken: what lives under a name and what is removed under it never meet.
func TestOrphanWhoseNameIsTaken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		ctx := t.Context()
		h.leave(t, "default", "pr-1")
		h.leave(t, "default", "pr-2")
		list := h.scan(t)
		if len(list) != 2 || !strings.Contains(list[0].Message, "does not know") {
			t.Fatalf("found %+v", list)
		}
		held, free := list[0], list[1]
		e := h.until(t, h.create(t, held.Env).ID, phase(blueberry.Ready))
		had := len(h.place.Labelled(refTo(e)))
		if _, err := h.ApproveOrphan(ctx, admin, held.ID); refusedWith(err) != "ORPHAN_TAKEN" {
			t.Errorf("allowed: %v", err)
		}
		if _, err := h.ApproveOrphan(ctx, admin, free.ID); err != nil {
			t.Fatal(err)
		}
		request := provision.CreateRequest{
			Name: free.Env, Hours: 24, Wish: provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}}}},
		}
		if _, err := h.Create(ctx, admin, request); !slices.Equal(faultsOf(err), []string{"name orphan_leaving"}) {
			t.Errorf("made while the orphan of its name is removed: %v", err)
		}
		// A server of before this rule may have allowed one whose name is taken: its removal still looks.
		if err := s.Update(ctx, func(tx *store.Tx) error { return tx.ApproveOrphan(ctx, held.ID, "ada", h.Now()) }); err != nil {
			t.Fatal(err)
		}
		for _, o := range []blueberry.Orphan{held, free} {
			if _, err := h.RemoveOrphan(ctx, blueberry.Job{Subject: o.ID}); err != nil {
				t.Errorf("remove %s: %v", o.Env, err)
			}
		}
		if left := len(h.place.Labelled(refTo(e))); left != had {
			t.Errorf("of %d objects of what lives %d are left", had, left)
		}
		if h.installation(t, blueberry.OrphanKept) != 1 || h.installation(t, blueberry.OrphanGone) != 1 {
			t.Error("not told what became of them")
		}
		h.until(t, h.create(t, free.Env).ID, phase(blueberry.Ready))
	})
}

// TestRecordWithoutObjects is reported, and nothing of it can be removed.
func TestRecordWithoutObjects(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	for _, o := range h.place.Labelled(refTo(e)) {
		if _, there := h.place.Labels(o); there {
			if err := h.place.Delete(o); err != nil {
				t.Fatal(err)
			}
		}
	}
	list := h.scan(t)
	if len(list) != 1 || list[0].Kind != blueberry.OrphanRecord || list[0].Env != "pr-1" {
		t.Fatalf("found %+v", list)
	}
	if _, err := h.ApproveOrphan(t.Context(), admin, list[0].ID); refusedWith(err) != "ORPHAN_WITHOUT_OBJECTS" {
		t.Errorf("allowed: %v", err)
	}
	h.until(t, e.ID, phase(blueberry.Ready)) // it is put back
	if list := h.scan(t); len(list) > 0 {
		t.Errorf("found %+v", list)
	}
}

// TestFilesOfNoEnvironment in the GitOps repository are found, and go when someone allows it.
func TestFilesOfNoEnvironment(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	dir := gitops.Dir("local", "default", "old")
	if _, err := h.git.Commit(ctx, gitops.Change{Dir: dir, Files: map[string][]byte{"00-environment.yaml": []byte("kind: Namespace\n"), "01-web.yaml": []byte("x: 1\n")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.git.Commit(ctx, gitops.Change{Dir: "targets/local/apps/others", Files: map[string][]byte{"readme.md": []byte("not ours\n")}}); err != nil {
		t.Fatal(err)
	}
	list := h.scan(t)
	if len(list) != 1 || list[0].Kind != blueberry.OrphanFiles || list[0].Env != "old" || len(list[0].Objects) != 2 {
		t.Fatalf("found %+v", list)
	}
	if _, err := h.ApproveOrphan(ctx, admin, list[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.RemoveOrphan(ctx, blueberry.Job{Subject: list[0].ID}); err != nil {
		t.Fatal(err)
	}
	names, err := h.git.Names(ctx, "targets/local")
	if err != nil || strings.Contains(strings.Join(names, " "), "default/old") || !strings.Contains(strings.Join(names, " "), "others/readme.md") {
		t.Errorf("Git has %v (%v)", names, err)
	}
	if list := h.scan(t); len(list) > 0 {
		t.Errorf("found %+v", list)
	}
}

// TestDrainEndsWhatHasALease and lets stand what is pinned, and stops when it is called off.
func TestDrainEndsWhatHasALease(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	leased, pinned := h.create(t, "leased"), h.create(t, "pinned")
	h.until(t, leased.ID, phase(blueberry.Ready))
	pinned = h.until(t, pinned.ID, phase(blueberry.Ready))
	if _, err := h.Pin(ctx, admin, pinned.ID, 48, "a demo", 0); err != nil {
		t.Fatal(err)
	}
	put := func(state blueberry.TargetState) {
		t.Helper()
		err := h.store.Update(ctx, func(tx *store.Tx) error {
			x, err := tx.Target(ctx, "local")
			if errors.Is(err, blueberry.NotFound) {
				return tx.InsertTarget(ctx, blueberry.Target{Name: "local", Driver: "sim", Domain: "localhost", State: state, Reason: "is moved", CreatedAt: h.clock.now()})
			}
			if err != nil {
				return err
			}
			x.State = state
			return tx.UpdateTarget(ctx, x)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(blueberry.TargetCordoned)
	drain := func() {
		t.Helper()
		if _, err := h.Drain(ctx, blueberry.Job{Kind: blueberry.JobTargetDrain, Subject: "local"}); err != nil {
			t.Fatal(err)
		}
	}
	drain()
	if e, err := h.Get(ctx, admin, leased.ID); err != nil || e.Phase != blueberry.Ready {
		t.Errorf("a target that is only cordoned was drained: %s (%v)", e.Phase, err)
	}
	put(blueberry.TargetDraining)
	drain()
	drain()
	e := h.until(t, leased.ID, phase(blueberry.Terminated))
	if e.Reason != "TargetDrained" {
		t.Errorf("ended because %s", e.Reason)
	}
	if e, err := h.Get(ctx, admin, pinned.ID); err != nil || e.Phase != blueberry.Ready {
		t.Errorf("what is pinned is %s (%v)", e.Phase, err)
	}
}

// TestScanOfATargetThatCannot: who asks for it is told.
func TestScanOfATargetThatCannot(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	place, err := h.Places.Place("local")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.ScanTarget(t.Context(), admin, "local"); err != nil {
		t.Error(err)
	}
	if err := h.ScanTarget(t.Context(), admin, "moon"); !errors.Is(err, blueberry.NotFound) {
		t.Errorf("of no target: %v", err)
	}
	place.Driver = plainDriver{place.Driver}
	h.Places = provision.FixedPlaces(map[string]provision.Place{"local": place})
	if err := h.ScanTarget(t.Context(), admin, "local"); refusedWith(err) != "TARGET_CANNOT_SCAN" {
		t.Errorf("of a driver that cannot: %v", err)
	}
}
