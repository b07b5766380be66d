package provision_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// TestPlansOfOthersAreNotThere: through no door does the id of a plan of another project say more than one that never was.
func TestPlansOfOthersAreNotThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	all := h.stock(t)
	ctx, mia := t.Context(), member(blueberry.RoleDeveloper.Grants()...)
	for name, door := range map[string]func(plan string) error{
		"create": func(plan string) error {
			_, err := h.Create(ctx, mia, provision.CreateRequest{PlanID: plan})
			return err
		},
		"create with a key": func(plan string) error {
			_, err := h.Create(ctx, mia, provision.CreateRequest{PlanID: plan, Key: "k"})
			return err
		},
		"create beside a project of ours": func(plan string) error {
			_, err := h.Create(ctx, mia, provision.CreateRequest{PlanID: plan, Project: own})
			return err
		},
		"change of ours": func(plan string) error {
			_, err := h.Change(ctx, mia, all[own].environment, provision.ChangeRequest{PlanID: plan})
			return err
		},
		"rollback of ours": func(plan string) error {
			_, err := h.Rollback(ctx, mia, all[own].environment, provision.RollbackRequest{PlanID: plan})
			return err
		},
		"destroy of ours": func(plan string) error {
			_, err := h.Destroy(ctx, mia, all[own].environment, plan, 0)
			return err
		},
		"read": func(plan string) error { _, err := h.PlanByID(ctx, mia, plan); return err },
	} {
		never := door("pln_none")
		for _, plan := range []string{all[other].plan, all[other].newPlan} {
			err := door(plan)
			if diff := cmp.Diff(strings.ReplaceAll(hears(never), "pln_none", plan), hears(err)); diff != "" || !errors.Is(err, blueberry.NotFound) {
				t.Errorf("%s: (-never +of another)\n%s", name, diff)
			}
		}
	}
}

// TestAKeyGivesNothingAway: the key of a request finds the environment for who made it, while they may create there.
func TestAKeyGivesNothingAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	all := h.stock(t)
	ctx, mia := t.Context(), member(blueberry.GrantEnvironmentsCreate)
	request := provision.CreateRequest{Project: own, Name: "keyed", Wish: wish(web), Key: "k"}
	byPlan := provision.CreateRequest{PlanID: all[own].newPlan, Key: "k"}
	made := map[string]string{}
	for name, r := range map[string]provision.CreateRequest{"request": request, "plan": byPlan} {
		first, err := h.Create(ctx, mia, r)
		again, err2 := h.Create(ctx, mia, r)
		if err := errors.Join(err, err2); err != nil || first.ID != again.ID {
			t.Fatalf("%s: %s, then %s (%v)", name, first.ID, again.ID, err)
		}
		made[name] = first.ID
	}
	for reason, tc := range map[string]struct {
		projects map[string][]blueberry.Grant
		kind     error
	}{
		"the grant is gone":   {map[string][]blueberry.Grant{own: {blueberry.GrantEnvironmentsRead}}, blueberry.Forbidden},
		"out of the project":  {map[string][]blueberry.Grant{other: {blueberry.GrantEnvironmentsCreate}}, blueberry.NotFound},
		"nothing is left":     {nil, blueberry.NotFound},
		"an empty membership": {map[string][]blueberry.Grant{own: {}}, blueberry.NotFound},
	} {
		mia.Projects = tc.projects
		for name, r := range map[string]provision.CreateRequest{"request": request, "plan": byPlan} {
			if e, err := h.Create(ctx, mia, r); !errors.Is(err, tc.kind) || e.ID != "" {
				t.Errorf("%s, %s: %q (%v)", reason, name, e.ID, err)
			}
		}
	}
	eve := member(blueberry.GrantEnvironmentsCreate)
	eve.ID = "usr_eve"
	if e, err := h.Create(ctx, eve, request); !errors.Is(err, blueberry.Invalid) || e.ID == made["request"] {
		t.Errorf("another person's key gives %q (%v)", e.ID, err)
	}
}

// TestReferencesStayInTheProject: a config set or a blueprint of another project is told as one that never was.
func TestReferencesStayInTheProject(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	all := h.stock(t)
	ctx, mia := t.Context(), member(blueberry.RoleDeveloper.Grants()...)
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		now := h.clock.now()
		set := blueberry.ConfigSet{ID: blueberry.NewID(blueberry.ConfigSetID, now), Project: other, Name: "theirs", Latest: 1, CreatedAt: now, UpdatedAt: now, Version: 1}
		entry := blueberry.CatalogueEntry{ID: blueberry.NewID(blueberry.BlueprintID, now), Project: other, Name: "theirs", Latest: 1, CreatedAt: now, UpdatedAt: now, Version: 1}
		return errors.Join(tx.InsertConfigSet(ctx, set), tx.InsertConfigVersion(ctx, blueberry.ConfigVersion{SetID: set.ID, Number: 1, Author: "ben", CreatedAt: now}),
			tx.InsertBlueprint(ctx, entry), tx.InsertBlueprintVersion(ctx, blueberry.CatalogueVersion{EntryID: entry.ID, Number: 1, Author: "ben", CreatedAt: now}))
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]func(ref string) provision.Wish{
		"config set": func(ref string) provision.Wish { w := wish(web); w.ConfigSets = &[]string{ref}; return w },
		"blueprint":  func(ref string) provision.Wish { return provision.Wish{Catalogue: &ref} },
	} {
		for door, try := range map[string]func(w provision.Wish) error{
			"create": func(w provision.Wish) error {
				_, err := h.Create(ctx, mia, provision.CreateRequest{Project: own, Name: "mine", Wish: w})
				return err
			},
			"plan": func(w provision.Wish) error {
				_, err := h.PlanCreate(ctx, mia, provision.CreateRequest{Project: own, Name: "mine", Wish: w})
				return err
			},
			"preview": func(w provision.Wish) error {
				_, err := h.Preview(ctx, mia, provision.PreviewRequest{Project: own, Wish: w})
				return err
			},
			"change": func(w provision.Wish) error {
				_, err := h.Change(ctx, mia, all[own].environment, provision.ChangeRequest{Wish: w})
				return err
			},
		} {
			theirs, never := try(w("theirs")), try(w("nobody"))
			if diff := cmp.Diff(strings.ReplaceAll(hears(never), "nobody", "theirs"), hears(theirs)); diff != "" || theirs == nil {
				t.Errorf("%s, %s: (-never +of another) %v\n%s", name, door, theirs, diff)
			}
		}
	}
}

// TestPoliciesSeeTheGrantsOfTheProject: a rule about grants is about those that who asks holds where the environment belongs.
func TestPoliciesSeeTheGrantsOfTheProject(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.stock(t)
	const text = `forbid(principal, action, resource is Environment) unless { principal.grants.contains("config:write") };`
	err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		now := h.clock.now()
		return tx.InsertPolicy(t.Context(), blueberry.Policy{ID: blueberry.NewID(blueberry.PolicyID, now), Name: "trusted", Text: text, CreatedAt: now, UpdatedAt: now, Version: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	for reason, tc := range map[string]struct {
		actor blueberry.Actor
		may   bool
	}{
		"held in the project":   {member(blueberry.GrantEnvironmentsCreate, blueberry.GrantConfigWrite), true},
		"not held":              {member(blueberry.GrantEnvironmentsCreate), false},
		"held everywhere":       {holding(blueberry.GrantEnvironmentsCreate, blueberry.GrantConfigWrite), true},
		"held in another alone": {blueberry.Actor{ID: "usr_3", Name: "ben", Projects: map[string][]blueberry.Grant{own: {blueberry.GrantEnvironmentsCreate}, other: {blueberry.GrantConfigWrite}}}, false},
	} {
		name := "p-" + strings.ReplaceAll(reason, " ", "-")
		_, err := h.Create(t.Context(), tc.actor, provision.CreateRequest{Project: own, Name: name, Wish: wish(web)})
		if (err == nil) != tc.may || err != nil && !errors.Is(err, blueberry.Conflict) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// TestAuditOfEnvironments: each entry names its project and the fields that changed, and no value of a parameter, an override or a config set.
func TestAuditOfEnvironments(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	all := h.stock(t)
	ctx, id := t.Context(), all[own].environment
	_, extended := h.Extend(ctx, admin, id, 1, 0)
	_, drift := h.SetDriftPolicy(ctx, admin, id, blueberry.DriftPolicy{Mode: blueberry.DriftReport, Ignore: []blueberry.DriftIgnore{{Kind: "Deployment", Name: "web", Path: "spec.replicas"}}}, 0)
	_, secret := h.Change(ctx, admin, id, provision.ChangeRequest{Wish: override("web", map[string]any{"env": map[string]any{"PRIVATE": "do-not-tell"}})})
	_, back := h.Rollback(ctx, admin, id, provision.RollbackRequest{Number: 1})
	four := int64(4)
	_, quota := h.SetQuota(ctx, admin, own, blueberry.Quota{Limits: blueberry.Limits{Environments: &four}}, 0)
	_, end := h.Destroy(ctx, admin, id, "", 0)
	if err := errors.Join(extended, drift, secret, back, quota, end); err != nil {
		t.Fatal(err)
	}
	var got []string
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.audit {
		if text := string(a.Before) + string(a.After) + a.Detail; strings.Contains(text, "do-not-tell") || strings.Contains(text, "PRIVATE") {
			t.Errorf("an entry has a value: %s", text)
		}
		if a.Project == other {
			continue
		}
		at := map[string]string{id: "environment", all[own].plan: "plan", all[own].newPlan: "plan", own: "project"}[a.Resource]
		got = append(got, strings.ReplaceAll(strings.Join([]string{a.Action, a.Project, at, string(a.Before), string(a.After)}, " "), id, "ID"))
	}
	want := []string{
		`environments:create own environment  {"expires_at":"2026-03-02T12:00:00Z","name":"pr-1","owner":"admin","revision":1,"target":"local"}`,
		`environments:update own environment {"revision":1} {"revision":2}`,
		`environments:plan own plan  {"base":0,"environment":"pr-2","environment_id":"","kind":"create","revision":1}`,
		`environments:plan own plan  {"base":2,"environment":"pr-1","environment_id":"ID","kind":"change","revision":3}`,
		`environments:extend own environment {"expires_at":"2026-03-02T12:00:00Z"} {"expires_at":"2026-03-02T13:00:00Z"}`,
		`environments:update own environment {"ignore":[],"mode":""} {"ignore":["Deployment web spec.replicas"],"mode":"report"}`,
		`environments:update own environment {"revision":2} {"revision":3}`,
		`environments:update own environment {"revision":3} {"revision":4}`,
		`projects:quota own project {"limits":{}} {"limits":{"environments":4}}`,
		`environments:delete own environment {"phase":"pending"} {"phase":"terminating"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
