package provision_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func override(component string, values map[string]any) provision.Wish {
	return provision.Wish{Overrides: map[string]any{component: values}}
}

// TestCatalogueOverARepositoryOfItsOwn: an environment of a blueprint of the catalogue, with the files of another branch, stays at its commit when something
// else changes, and takes the newest of its branch when it is refreshed.
func TestCatalogueOverARepositoryOfItsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	tree := func(data string) map[string]string {
		return map[string]string{"deploy/kustomization.yaml": "resources: [cm.yaml]\n", "deploy/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: " + data + "}\n"}
	}
	published := h.code.pushFiles(tree("published"))
	h.release(t, blueberry.Blueprint{Name: "kit", Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}, {Name: "extras", Kustomization: "deploy"}}},
		blueberry.Source{Repository: shopRepository, Ref: "main", Commit: published})
	branch := h.code.pushFiles(tree("branch"))
	e := h.make(t, "pr-1", provision.Wish{Catalogue: ptr("kit"), Repository: ptr(shopRepository), Ref: ptr("pr-branch")})
	holds := func(want string) {
		t.Helper()
		rev, err := h.Revision(ctx, admin, e.ID, 0)
		if err != nil || !slices.ContainsFunc(rev.Rendering.Files, func(f blueberry.RenderedFile) bool { return f.Component == "extras" && containsText(f, want) }) || rev.Source.Ref != "pr-branch" {
			t.Errorf("revision %d of %+v does not hold %q (%v)", rev.Number, rev.Source, want, err)
		}
	}
	holds("branch")
	later := h.code.pushFiles(tree("later"))
	if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: override("web", map[string]any{"replicas": 3})}); err != nil {
		t.Fatal(err)
	}
	holds("branch")
	if got, err := h.Get(ctx, admin, e.ID); err != nil || got.Source.Commit != branch {
		t.Errorf("at %s, want %s (%v)", got.Source.Commit, branch, err)
	}
	if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Get(ctx, admin, e.ID); err != nil || got.Source.Commit != later {
		t.Errorf("at %s, want %s (%v)", got.Source.Commit, later, err)
	}
	latest := h.code.pushFiles(tree("latest"))
	if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Ref: ptr("pr-branch")}}); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Get(ctx, admin, e.ID); err != nil || got.Source.Commit != latest {
		t.Errorf("at %s, want %s (%v)", got.Source.Commit, latest, err)
	}
}

// TestHeldDefaultStaysAway: a set that is held does not come in by a newer blueprint that names it, and does not stand in the way of unrelated changes.
func TestHeldDefaultStaysAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	kit := func(image string, sets ...blueberry.ConfigRef) {
		entry := h.release(t, blueberry.Blueprint{
			Name: "kit", ConfigUpdates: blueberry.ConfigAutomatic, ConfigSets: sets, Components: []blueberry.Component{{Name: "web", Image: image}},
		}, blueberry.Source{})
		h.takeEnqueued()
		if _, err := h.BlueprintPublished(ctx, blueberry.Job{Subject: entry.ID}); err != nil {
			t.Fatal(err)
		}
	}
	h.publish(t, "bad", "web: {env: {MODE: bad}}")
	kit("acme/web:1")
	e := h.make(t, "pr-1", provision.Wish{Catalogue: ptr("kit")})
	follow := func() {
		t.Helper()
		if _, err := h.Follow(ctx, blueberry.Job{Subject: e.ID}); err != nil {
			t.Fatal(err)
		}
	}
	kit("acme/web:2", blueberry.ConfigRef{Name: "bad"})
	follow()
	h.until(t, e.ID, synced(2))
	if _, err := h.Rollback(ctx, admin, e.ID, provision.RollbackRequest{Number: 1}); err != nil {
		t.Fatal(err)
	}
	kit("acme/web:3", blueberry.ConfigRef{Name: "bad"})
	follow()
	rev, err := h.Revision(ctx, admin, e.ID, 0)
	if err != nil || rev.Number != 3 || strings.Contains(text(rev), "MODE") {
		t.Errorf("the held set came in with revision %d (%v)", rev.Number, err)
	}
	if n := h.told(t, e.ID)[blueberry.EnvironmentUpdateRefused]; n != 1 {
		t.Errorf("told %d times that it cannot follow", n)
	}
}

// TestHeldPinOfTheBlueprint: a version that a blueprint pins and that is held is passed over, for people too, who did not name it.
func TestHeldPinOfTheBlueprint(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	h.publish(t, "base", "web: {env: {MODE: good}}")
	h.code.push("name: shop\nconfigSets: [base@1]\ncomponents: [{name: web, image: \"acme/web:1\"}]\n")
	e := h.make(t, "pr-1", provision.Wish{Repository: ptr(shopRepository), Ref: ptr("main")})
	h.publish(t, "base", "web: {env: {MODE: bad}}")
	h.code.push("name: shop\nconfigSets: [base@2]\ncomponents: [{name: web, image: \"acme/web:1\"}]\n")
	if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Rollback(ctx, admin, e.ID, provision.RollbackRequest{Number: 1}); err != nil {
		t.Fatal(err)
	}
	h.code.push("name: shop\nconfigSets: [base@2]\ncomponents: [{name: web, image: \"acme/web:2\"}]\n")
	if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
		t.Fatal(err)
	}
	rev, err := h.Revision(ctx, admin, e.ID, 0)
	if err != nil || !strings.Contains(text(rev), "acme/web:2") || strings.Contains(text(rev), "bad") || rev.Config[0].String() != "base@1" || rev.Config[0].Number != 1 {
		t.Errorf("revision %d is made of %+v (%v)", rev.Number, rev.Config, err)
	}
	if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: override("web", map[string]any{"replicas": 3})}); err != nil {
		t.Errorf("an unrelated change is refused: %v", err)
	}
}

// TestLeaseRuleHoldsForExtensions: a rule about leases cannot be got around by asking for a short one and extending it.
func TestLeaseRuleHoldsForExtensions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	h.rule(t, "leases", `@message("is too long") forbid(principal, action, resource is Environment) when { resource.lease_hours > 8 } unless { principal.grants.contains("*:*") };`)
	ben := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_ben", Name: "ben", Grants: []blueberry.Grant{
		blueberry.GrantEnvironmentsCreate, blueberry.GrantEnvironmentsExtend, blueberry.GrantEnvironmentsPlan, blueberry.GrantEnvironmentsRead,
	}}
	if _, err := h.Create(ctx, ben, provision.CreateRequest{Name: "long", Hours: 9, Wish: wish(web)}); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("ben may have 9 hours: %v", err)
	}
	e, err := h.Create(ctx, ben, provision.CreateRequest{Name: "short", Hours: 4, Wish: wish(web)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Extend(ctx, ben, e.ID, 5, 0); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("ben may extend to 9 hours: %v", err)
	}
	if _, err := h.Extend(ctx, ben, e.ID, 4, 0); err != nil {
		t.Errorf("ben may not extend to 8 hours: %v", err)
	}
	plan, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "long", Hours: 100, Wish: wish(web)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Create(ctx, ben, provision.CreateRequest{PlanID: plan.ID}); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("ben may apply what only admin may have: %v", err)
	}
	if _, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID}); err != nil {
		t.Errorf("admin may not: %v", err)
	}
}

// TestPlanWhenRoomCame: a plan that did not fit when it was made is applied when it does.
func TestPlanWhenRoomCame(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	h.limit(t, blueberry.Limits{Environments: ptr(int64(1))})
	first := h.make(t, "first", wish(web))
	plan, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "second", Wish: wish(web)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID}); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("applied without room: %v", err)
	}
	if _, err := h.Destroy(ctx, admin, first.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	h.until(t, first.ID, phase(blueberry.Terminated))
	if _, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID}); err != nil {
		t.Errorf("refused though there is room: %v", err)
	}
}

// TestRollbackPastADeletedSet: an old revision comes back although a config set that it was made of is gone.
func TestRollbackPastADeletedSet(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		ctx := t.Context()
		set := h.publish(t, "base", "web: {replicas: 4}")
		w := wish(web)
		w.ConfigSets = &[]string{"base"}
		e := h.make(t, "pr-1", w)
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{ConfigSets: &[]string{}}}); err != nil {
			t.Fatal(err)
		}
		if err := h.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteConfigSet(ctx, set) }); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Rollback(ctx, admin, e.ID, provision.RollbackRequest{Number: 1}); err != nil {
			t.Errorf("does not come back: %v", err)
		}
	})
}

// TestDestroyByMany: however many ask at once, nobody is told that it is not possible.
func TestDestroyByMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		e := h.make(t, "pr-1", wish(web))
		answers := make(chan error)
		for range 8 {
			go func() {
				_, err := h.Destroy(t.Context(), admin, e.ID, "", 0)
				answers <- err
			}()
		}
		for range 8 {
			if err := <-answers; err != nil {
				t.Errorf("refused with %v", err)
			}
		}
		if n := h.told(t, e.ID)[blueberry.EnvironmentDestroyAsked]; n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// TestOnePlanByMany: of many who apply a plan at once one succeeds, and the others are told that it was applied.
func TestOnePlanByMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		plan, err := h.PlanCreate(t.Context(), admin, provision.CreateRequest{Name: "pr-1", Wish: wish(web)})
		if err != nil {
			t.Fatal(err)
		}
		answers := make(chan error)
		for range 8 {
			go func() {
				_, err := h.Create(t.Context(), admin, provision.CreateRequest{PlanID: plan.ID})
				answers <- err
			}()
		}
		made := 0
		for range 8 {
			var e *blueberry.Error
			switch err := <-answers; {
			case err == nil:
				made++
			case !errors.As(err, &e) || e.Kind != blueberry.Conflict:
				t.Errorf("refused with %v", err)
			}
		}
		if made != 1 {
			t.Errorf("applied %d times", made)
		}
	})
}

func TestSmallMatters(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.make(t, "pr-1", wish(web))
	for reason, c := range map[string]struct {
		do   func() error
		want string // code, or empty
	}{
		"nothing is no change": {func() error {
			changed, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Parameters: map[string]any{}, Overrides: map[string]any{}}})
			if err == nil && changed.Environment.Revision != 1 {
				err = fmt.Errorf("revision %d", changed.Environment.Revision)
			}
			return err
		}, ""},
		"a stale version, though nothing would change": {func() error {
			_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: wish(web), IfVersion: 1})
			return err
		}, "VERSION_MOVED"},
		"a ref without a repository": {func() error {
			_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Ref: ptr("main")}})
			return err
		}, "VALIDATION_FAILED"},
		"faults name the place in the request": {func() error {
			_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{ConfigSets: &[]string{"bad!", "missing"}}})
			if got := faultsOf(err); !slices.Contains(got, "config_sets[0] pattern") || !slices.Contains(got, "config_sets[1] unknown") {
				return fmt.Errorf("faults %v", got)
			}
			return err
		}, "VALIDATION_FAILED"},
		"back to where it is": {func() error {
			_, err := h.Rollback(ctx, admin, e.ID, provision.RollbackRequest{Number: 1})
			return err
		}, "VALIDATION_FAILED"},
	} {
		err := c.do()
		var refused *blueberry.Error
		if code := ""; errors.As(err, &refused) {
			code = refused.Code
			if code != c.want {
				t.Errorf("%s: %v, want %q", reason, err, c.want)
			}
		} else if err != nil || c.want != "" {
			t.Errorf("%s: %v, want %q", reason, err, c.want)
		}
	}
	h.code.push("name: other\ncomponents: [{name: web, image: \"acme/web:9\"}]\n")
	if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Repository: ptr(shopRepository), Path: ptr("blueberry.yaml")}}); err != nil {
		t.Fatal(err)
	}
	if rev, err := h.RevisionInputs(ctx, admin, e.ID, 0); err != nil || rev.Blueprint.Name != "other" || rev.Source.Path != "blueberry.yaml" {
		t.Errorf("the blueprint of the repository was named, and %s is used (%v)", rev.Blueprint.Name, err)
	}
}

// TestPlanOfAnotherReplica: what one server planned another one applies, though each signs with a key of its own.
func TestPlanOfAnotherReplica(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	ring, err := keys.Open(filepath.Join(t.TempDir(), "signing-key"))
	if err != nil {
		t.Fatal(err)
	}
	other := &provision.Provisioner{
		Record: h.Record, Sources: h.Sources, Repository: h.Repository, Places: h.Places, Default: h.Default, Now: h.Now, Logger: h.Logger, Signer: ring,
	}
	plan, err := other.PlanCreate(ctx, admin, provision.CreateRequest{Name: "pr-1", Wish: wish(web)})
	if err != nil {
		t.Fatal(err)
	}
	var refused *blueberry.Error
	if _, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID}); !errors.As(err, &refused) || refused.Code != "PLAN_ALTERED" {
		t.Errorf("signed with a key that nobody knows: %v", err)
	}
	if err := h.store.Update(ctx, func(tx *store.Tx) error { return tx.PutSigningKey(ctx, ring.ID(), ring.Public(), h.clock.now()) }); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID}); err != nil {
		t.Errorf("is not applied: %v", err)
	}
}
