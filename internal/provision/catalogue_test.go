package provision_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

// release adds a version of a blueprint of the default project's catalogue, and makes the entry when there is none.
func (h *house) release(t *testing.T, b blueberry.Blueprint, source blueberry.Source) blueberry.CatalogueEntry {
	t.Helper()
	ctx, now := t.Context(), h.clock.now()
	var entry blueberry.CatalogueEntry
	err := h.store.Update(ctx, func(tx *store.Tx) (err error) {
		entry, err = tx.FindBlueprint(ctx, blueberry.DefaultProject, b.Name)
		switch {
		case errors.Is(err, blueberry.NotFound):
			entry = blueberry.CatalogueEntry{ID: blueberry.NewID(blueberry.BlueprintID, now), Project: blueberry.DefaultProject, Name: b.Name, Latest: 1, CreatedAt: now, UpdatedAt: now, Version: 1}
			if err := tx.InsertBlueprint(ctx, entry); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			entry.Latest++
			if err := tx.UpdateBlueprint(ctx, entry); err != nil {
				return err
			}
		}
		return tx.InsertBlueprintVersion(ctx, blueberry.CatalogueVersion{EntryID: entry.ID, Number: entry.Latest, Author: "ann", Source: source, Digest: "sha256:x", Blueprint: b, CreatedAt: now})
	})
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

// TestCatalogueIsFollowed: an environment of a blueprint of the catalogue goes with its versions, if the blueprint lets it, also where only some may
// ask for it; one that is rolled back stays away.
func TestCatalogueIsFollowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		ctx := t.Context()
		b := blueberry.Blueprint{
			Name: "kit", ConfigUpdates: blueberry.ConfigAutomatic, Access: blueberry.BlueprintAccess{Actors: []string{"admin"}},
			Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}},
		}
		h.release(t, b, blueberry.Source{})
		ben := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_ben", Name: "ben", Grants: []blueberry.Grant{blueberry.GrantAll}}
		if _, err := h.Create(ctx, ben, provision.CreateRequest{Name: "other", Wish: provision.Wish{Catalogue: ptr("kit")}}); !slices.Contains(faultsOf(err), "blueprint forbidden") {
			t.Errorf("the blueprint is not for ben: %v", err)
		}
		follows := h.make(t, "follows", provision.Wish{Catalogue: ptr("kit")})
		pins := h.make(t, "pins", provision.Wish{Catalogue: ptr("kit@1")})

		publish := func(image string) {
			b.Components = []blueberry.Component{{Name: "web", Image: image}}
			entry := h.release(t, b, blueberry.Source{})
			h.takeEnqueued()
			if _, err := h.BlueprintPublished(ctx, blueberry.Job{Subject: entry.ID}); err != nil {
				t.Fatal(err)
			}
			for _, e := range []blueberry.Environment{follows, pins} {
				if _, err := h.Follow(ctx, blueberry.Job{Subject: e.ID}); err != nil {
					t.Fatal(err)
				}
			}
		}
		publish("acme/web:bad")
		h.until(t, follows.ID, synced(2))
		if e, err := h.Get(ctx, admin, pins.ID); err != nil || e.Revision != 1 {
			t.Errorf("the one that names version 1 is at revision %d (%v)", e.Revision, err)
		}
		if _, err := h.Rollback(ctx, admin, follows.ID, provision.RollbackRequest{Number: 1}); err != nil {
			t.Fatal(err)
		}
		h.until(t, follows.ID, synced(3))
		if _, err := h.Follow(ctx, blueberry.Job{Subject: follows.ID}); err != nil {
			t.Fatal(err)
		}
		if e, err := h.Get(ctx, admin, follows.ID); err != nil || e.Revision != 3 || h.told(t, e.ID)[blueberry.EnvironmentHeld] == 0 {
			t.Errorf("what was rolled back is back: revision %d, %v (%v)", e.Revision, h.told(t, e.ID), err)
		}
		publish("acme/web:3")
		h.until(t, follows.ID, synced(4))
		rev, err := h.RevisionInputs(ctx, admin, follows.ID, 0)
		if err != nil || rev.Catalogue.Version != 3 || !rev.Catalogue.Follow || rev.Catalogue.Name != "kit" {
			t.Errorf("made of %+v (%v)", rev.Catalogue, err)
		}
	})
}

// TestCatalogueWithFiles: the files of a blueprint's components come from where it was published, at that commit, also when the environment changes later.
func TestCatalogueWithFiles(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	commit := h.code.pushFiles(map[string]string{"deploy/kustomization.yaml": "resources: [cm.yaml]\n", "deploy/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: published}\n"})
	b := blueberry.Blueprint{Name: "kit", Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}, {Name: "extras", Kustomization: "deploy"}}}
	h.release(t, b, blueberry.Source{Repository: shopRepository, Ref: "main", Commit: commit})
	h.code.pushFiles(map[string]string{"deploy/kustomization.yaml": "resources: [cm.yaml]\n", "deploy/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: later}\n"})
	e := h.make(t, "pr-1", provision.Wish{Catalogue: ptr("kit")})
	for n, w := range []provision.Wish{{}, {Overrides: map[string]any{"web": map[string]any{"replicas": 3}}}} {
		if n > 0 {
			if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: w}); err != nil {
				t.Fatal(err)
			}
		}
		rev, err := h.Revision(ctx, admin, e.ID, 0)
		if err != nil || !slices.ContainsFunc(rev.Rendering.Files, func(f blueberry.RenderedFile) bool { return f.Component == "extras" && containsText(f, "published") }) {
			t.Errorf("revision %d is not made of the files that were published (%v)", rev.Number, err)
		}
	}
}

// TestReportedDriftOutlivesAnOutage: a target that was away must not be an occasion to put back what is only to be told.
func TestReportedDriftOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.make(t, "pr-1", wish(web))
	if _, err := h.SetDriftPolicy(ctx, admin, e.ID, blueberry.DriftPolicy{Mode: blueberry.DriftReport}, 0); err != nil {
		t.Fatal(err)
	}
	service := blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}
	if err := h.place.Delete(service); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool { return !e.DriftSince.IsZero() })
	h.place.SetFaults(sim.Faults{Unreachable: true})
	h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Synced).Reason == blueberry.ReasonTargetUnavailable
	})
	h.place.SetFaults(sim.Faults{})
	h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Synced).Status == blueberry.True
	})
	if _, there := h.place.Labels(service); there {
		t.Error("what is only to be told was put back")
	}
	if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Overrides: map[string]any{"web": map[string]any{"replicas": 3}}}}); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, synced(2))
	if _, there := h.place.Labels(service); !there {
		t.Error("the next revision did not put it back")
	}
}

// TestPlanOfATargetThatIsDown: the plan says that nobody was asked, and can be applied.
func TestPlanOfATargetThatIsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.make(t, "pr-1", wish(web))
	h.place.SetFaults(sim.Faults{Unreachable: true})
	change := provision.ChangeRequest{Wish: provision.Wish{Overrides: map[string]any{"web": map[string]any{"replicas": 3}}}}
	plan, err := h.Plan(ctx, admin, e.ID, provision.PlanRequest{Change: &change})
	if err != nil || plan.DryRun.Done || plan.DryRun.Reason == "" || len(plan.Objects) == 0 {
		t.Fatalf("the plan says %+v of %d objects (%v)", plan.DryRun, len(plan.Objects), err)
	}
	h.place.SetFaults(sim.Faults{})
	if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: plan.ID}); err != nil {
		t.Errorf("a target that is back has not moved: %v", err)
	}
	h.until(t, e.ID, synced(2))
}
