package app

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// TestControlsOfComments: what a comment asks for is done by the operations of people, in the name of who wrote it.
func TestControlsOfComments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newTierHouse(t, s)
		ctx, base := t.Context(), t.TempDir()
		const blueprint = `name: shop
components: [{name: web, image: "registry.example.com/shop:1", values: {env: {LEVEL: info}}}]
`
		first := h.commit(base, blueprint)
		added, err := h.pulls.Add(ctx, h.admin, source.RepositoryWish{Name: "acme/shop", Host: blueberry.HostGeneric, URL: base})
		if err != nil {
			t.Fatal(err)
		}
		id := blueberry.NewID(blueberry.PullID, time.Now())
		if err := s.Update(ctx, func(tx *store.Tx) error {
			return tx.InsertPull(ctx, blueberry.PullRequest{
				ID: id, RepositoryID: added.Repository.ID, Project: blueberry.DefaultProject, Number: 7, Title: "x", Author: "ada", Relation: blueberry.RelationMember,
				State: blueberry.PullOpen, HeadRef: "main", HeadCommit: first, HeadRepo: "acme/shop", BaseRepo: "acme/shop", BaseRef: "main", HostAt: time.Now(),
			})
		}); err != nil {
			t.Fatal(err)
		}
		_, e, _ := h.settle(id)
		c := pullControls{h.provisioner, s}
		actor := blueberry.Actor{
			Kind: blueberry.ActorJob, ID: added.Repository.ID, Name: "wim on github", Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleDeveloper.Grants()},
		}
		for _, x := range []struct {
			keys    []string
			value   any
			changes bool
		}{
			{[]string{"web", "env", "LEVEL"}, "debug", true},
			{[]string{"web", "env", "GREETING"}, "two", true},
			{[]string{"web", "env", "GREETING"}, "two", false},
			{[]string{"web", "replicas"}, int64(2), true},
		} {
			plan, err := c.Set(ctx, actor, e.ID, x.keys, x.value, "wim set it")
			if err != nil || plan.Changes() != x.changes {
				t.Fatalf("%q: changes %v, %v", x.keys, plan.Changes(), err)
			}
		}
		_, e, manifests := h.settle(id)
		for _, want := range []string{"debug", "GREETING", "two"} {
			if !strings.Contains(manifests, want) {
				t.Errorf("the manifests lack %q", want)
			}
		}
		var refused *blueberry.Error
		if _, err := c.Set(ctx, actor, e.ID, []string{"nobody", "a"}, 1, "x"); !errors.As(err, &refused) || len(refused.Fields) == 0 {
			t.Errorf("a component that is not there: %v", err)
		}
		was := e.Lease.ExpiresAt
		if err := c.Extend(ctx, actor, e.ID, 5); err != nil {
			t.Fatal(err)
		}
		second := h.commit(base, strings.ReplaceAll(blueprint, "shop:1", "shop:2"))
		wish := source.EnvironmentWish{Project: blueberry.DefaultProject, Name: e.Name, Repository: base, Commit: second, Branch: "main"}
		plan, blocked, err := c.Plan(ctx, actor, e.ID, wish)
		if err != nil || blocked != nil || len(plan.Objects) == 0 || !plan.Changes() {
			t.Errorf("of the next commit: %+v, %v, %v", plan.Objects, blocked, err)
		}
		wish.Name = "pr-8"
		if plan, _, err := c.Plan(ctx, actor, "", wish); err != nil || plan.Kind != blueberry.PlanCreate || plan.Environment != "pr-8" {
			t.Errorf("of a new one: %+v, %v", plan, err)
		}
		if lines, err := c.Logs(ctx, actor, e.ID, "web", 5); err != nil || len(lines) > 5 {
			t.Errorf("%d lines, %v", len(lines), err)
		}
		if err := errors.Join(c.Sleep(ctx, actor, e.ID), c.Wake(ctx, actor, e.ID)); err != nil {
			t.Error(err)
		}
		e, err = h.provisioner.Get(ctx, h.admin, e.ID)
		if err != nil || !e.Lease.ExpiresAt.After(was) {
			t.Errorf("the lease ends at %s, %v", e.Lease.ExpiresAt, err)
		}
		named := 0
		if err := s.View(ctx, func(tx *store.Tx) error {
			list, err := tx.Audit(ctx, blueberry.AuditQuery{Actor: "wim on github", Limit: 50})
			named = len(list)
			return err
		}); err != nil || named < 7 {
			t.Errorf("%d entries name who wrote, %v", named, err)
		}
		nobody := blueberry.Actor{Kind: blueberry.ActorHost, ID: "x", Name: "x"}
		if _, err := c.Set(ctx, nobody, e.ID, []string{"web", "a"}, 1, "x"); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("one without rights: %v", err)
		}
	})
}

// TestOverride: one value more changes nothing of what is there.
func TestOverride(t *testing.T) {
	t.Parallel()
	was := map[string]any{"web": map[string]any{"env": map[string]any{"A": "1"}, "replicas": 1}, "api": "odd"}
	got := override(was, []string{"web", "env", "B"}, "2")
	got = override(got, []string{"api", "env"}, nil)
	env := got["web"].(map[string]any)["env"].(map[string]any)
	if env["A"] != "1" || env["B"] != "2" || got["web"].(map[string]any)["replicas"] != 1 {
		t.Errorf("it became %v", got)
	}
	if len(was["web"].(map[string]any)["env"].(map[string]any)) != 1 || was["api"] != "odd" {
		t.Errorf("what was there became %v", was)
	}
	if v, there := got["api"].(map[string]any)["env"]; v != nil || !there {
		t.Error("a null is not kept")
	}
	if len(override(nil, []string{"a", "b"}, 1)) != 1 {
		t.Error("of nothing nothing is made")
	}
}
