package provision_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/render"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// publish adds a version of a config set of the default project, and makes the set when there is none.
func (h *house) publish(t *testing.T, name, content string) blueberry.ConfigSet {
	t.Helper()
	ctx, now := t.Context(), h.clock.now()
	values, err := render.ParseValues([]byte(content), nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	var set blueberry.ConfigSet
	err = h.store.Update(ctx, func(tx *store.Tx) error {
		set, err = tx.FindConfigSet(ctx, blueberry.DefaultProject, name)
		switch {
		case errors.Is(err, blueberry.NotFound):
			set = blueberry.ConfigSet{ID: blueberry.NewID(blueberry.ConfigSetID, now), Project: blueberry.DefaultProject, Name: name, Latest: 1, CreatedAt: now, UpdatedAt: now, Version: 1}
			if err := tx.InsertConfigSet(ctx, set); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			set.Latest++
			if err := tx.UpdateConfigSet(ctx, set); err != nil {
				return err
			}
		}
		return tx.InsertConfigVersion(ctx, blueberry.ConfigVersion{
			SetID: set.ID, Number: set.Latest, Author: "ann", Content: []byte(content), Digest: "sha256:" + hex.EncodeToString(sum[:]), Values: values, CreatedAt: now,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// follow runs the jobs that a new version leaves.
func (h *house) follow(t *testing.T, set blueberry.ConfigSet) {
	t.Helper()
	h.takeEnqueued()
	if _, err := h.ConfigPublished(t.Context(), blueberry.Job{Subject: set.ID}); err != nil {
		t.Fatal(err)
	}
	for _, job := range h.takeEnqueued() {
		if id, ok := strings.CutPrefix(job, string(blueberry.JobEnvironmentFollow)+" "); ok {
			if _, err := h.Follow(t.Context(), blueberry.Job{Subject: id}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func ptr[T any](v T) *T { return &v }

func wish(components ...blueberry.Component) provision.Wish {
	return provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: components}}
}

var web = blueberry.Component{Name: "web", Image: "acme/web:1"}

func (h *house) make(t *testing.T, name string, w provision.Wish) blueberry.Environment {
	t.Helper()
	e, err := h.Create(t.Context(), admin, provision.CreateRequest{Name: name, Wish: w})
	if err != nil {
		t.Fatal(err)
	}
	return h.until(t, e.ID, phase(blueberry.Ready))
}

// inGit proves that Git holds the desired revision byte for byte, and gives the digest of what it holds.
func (h *house) inGit(t *testing.T, e blueberry.Environment) string {
	t.Helper()
	rev, err := h.Revision(t.Context(), admin, e.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	files, err := h.git.Files(t.Context(), gitops.Dir(e.Target, e.Project, e.Name))
	if err != nil || len(files) != len(rev.Rendering.Files) {
		t.Fatalf("Git holds %d files, the rendering has %d (%v)", len(files), len(rev.Rendering.Files), err)
	}
	var held []blueberry.RenderedFile
	for _, f := range rev.Rendering.Files {
		if !bytes.Equal(files[f.Name], f.Content) {
			t.Errorf("%s in Git differs from the rendering", f.Name)
		}
		held = append(held, blueberry.RenderedFile{Name: f.Name, Content: files[f.Name]})
	}
	return blueberry.DigestOf(held)
}

func synced(n int) func(blueberry.Environment) bool {
	return func(e blueberry.Environment) bool {
		return e.Revision == n && e.Synced == n && e.Phase == blueberry.Ready
	}
}

func TestPlanIsWhatIsApplied(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		ctx := t.Context()
		plan, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "pr-1", Wish: wish(web)})
		if err != nil {
			t.Fatal(err)
		}
		if !plan.Changes() || len(plan.Objects) < 10 || !plan.DryRun.Done || h.count(t) != "0 environments, 0 events, 0 jobs" {
			t.Errorf("the plan has %d objects, dry run %+v, and leaves %s", len(plan.Objects), plan.DryRun, h.count(t))
		}
		e, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID})
		if err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, phase(blueberry.Ready))
		if got := h.inGit(t, e); got != plan.RenderingDigest {
			t.Errorf("Git holds %s, the plan said %s", got, plan.RenderingDigest)
		}

		change := provision.ChangeRequest{Wish: provision.Wish{Overrides: map[string]any{"web": map[string]any{"replicas": 3}}}}
		plan, err = h.Plan(ctx, admin, e.ID, provision.PlanRequest{Change: &change})
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Config) != 1 || plan.Config[0].Path != "web.replicas" || plan.Base != 1 || plan.Revision != 2 {
			t.Errorf("settings of the plan %+v, revision %d to %d", plan.Config, plan.Base, plan.Revision)
		}
		for range 2 {
			_, err = h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: plan.ID})
			if err != nil {
				break
			}
		}
		if !errors.Is(err, blueberry.Conflict) || !strings.Contains(err.Error(), "applied already") {
			t.Errorf("applied twice: %v", err)
		}
		e = h.until(t, e.ID, synced(2))
		if got := h.inGit(t, e); got != plan.RenderingDigest {
			t.Errorf("Git holds %s, the plan said %s", got, plan.RenderingDigest)
		}
		revs, err := h.Revisions(ctx, admin, blueberry.RevisionQuery{EnvironmentID: e.ID, Limit: 10})
		if err != nil || len(revs) != 2 || revs[0].Plan != plan.ID || revs[1].Plan == "" || revs[0].Commit == "" {
			t.Errorf("revisions %+v (%v)", revs, err)
		}

		plan, err = h.Plan(ctx, admin, e.ID, provision.PlanRequest{Destroy: true})
		if err != nil || len(plan.Objects) == 0 || plan.Objects[0].Action != blueberry.ObjectDeleted {
			t.Fatalf("plan of destroy: %+v (%v)", plan, err)
		}
		if e, err = h.Destroy(ctx, admin, e.ID, plan.ID, 0); err != nil || e.Phase != blueberry.Terminating {
			t.Errorf("destroy by plan: %s %v", e.Phase, err)
		}
		h.until(t, e.ID, phase(blueberry.Terminated))
	})
}

// TestPlanThatMoved changes each kind of input between plan and apply.
func TestPlanThatMoved(t *testing.T) {
	t.Parallel()
	code := func(image string) string {
		return "name: shop\nconfigSets: [base]\ncomponents: [{name: web, image: \"" + image + "\"}]\n"
	}
	for reason, c := range map[string]struct {
		move func(t *testing.T, h *house, e blueberry.Environment)
		want string // field that is named
	}{
		"a push":   {func(_ *testing.T, h *house, _ blueberry.Environment) { h.code.push(code("acme/web:2")) }, "inputs.commit." + shopRepository},
		"an image": {func(_ *testing.T, h *house, _ blueberry.Environment) { h.code.push(code("acme/web:2")) }, "inputs.image.web"},
		"a blueprint": {func(_ *testing.T, h *house, _ blueberry.Environment) {
			h.code.push(code("acme/web:1") + "lease: {max: 9}\n")
		}, "inputs.blueprint.shop"},
		"a config set": {func(t *testing.T, h *house, _ blueberry.Environment) { h.publish(t, "base", "web: {replicas: 4}") }, "inputs.config_set.base"},
		"a change": {func(t *testing.T, h *house, e blueberry.Environment) {
			if _, err := h.Change(t.Context(), admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Overrides: map[string]any{"web": map[string]any{"replicas": 5}}}}); err != nil {
				t.Fatal(err)
			}
			h.until(t, e.ID, synced(2))
		}, "inputs.environment.pr-1"},
		"a policy": {func(t *testing.T, h *house, _ blueberry.Environment) {
			h.rule(t, "warns", `@warn("") forbid(principal, action, resource is Environment);`)
		}, "inputs.policies"},
		"a quota": {func(t *testing.T, h *house, _ blueberry.Environment) {
			h.limit(t, blueberry.Limits{Pods: ptr(int64(1000))})
		}, "inputs.quota.default"},
		"another hand on the target": {func(t *testing.T, h *house, e blueberry.Environment) {
			if err := h.place.Delete(blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}); err != nil {
				t.Fatal(err)
			}
		}, "inputs.target.local"},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, storetest.SQLite(t))
			ctx := t.Context()
			h.publish(t, "base", "web: {replicas: 2}")
			h.code.push(code("acme/web:1"))
			e := h.make(t, "pr-1", provision.Wish{Repository: ptr(shopRepository), Ref: ptr("main")})
			change := provision.ChangeRequest{Refresh: true, Wish: provision.Wish{Overrides: map[string]any{"web": map[string]any{"env": map[string]any{"A": "b"}}}}}
			plan, err := h.Plan(ctx, admin, e.ID, provision.PlanRequest{Change: &change})
			if err != nil {
				t.Fatal(err)
			}
			c.move(t, h, e)
			before := h.count(t)
			_, err = h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: plan.ID})
			var refused *blueberry.Error
			if !errors.As(err, &refused) || refused.Kind != blueberry.Conflict || refused.Code != "PLAN_MOVED" {
				t.Fatalf("applied in spite of %s: %v", reason, err)
			}
			if !slices.ContainsFunc(refused.Fields, func(f blueberry.Fault) bool { return f.Field == c.want }) {
				t.Errorf("does not name %s: %v", c.want, refused.Fields)
			}
			if h.count(t) != before {
				t.Error("something was stored")
			}
			if strings.HasPrefix(c.want, "inputs.target") {
				return
			}
			if plan, err = h.Plan(ctx, admin, e.ID, provision.PlanRequest{Change: &change}); err != nil {
				t.Fatal(err)
			}
			if _, err = h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: plan.ID}); err != nil {
				t.Errorf("a plan made anew is refused: %v", err)
			}
		})
	}
}

func TestPlanThatMayNotBeApplied(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.make(t, "pr-1", wish(web))
	other := h.make(t, "pr-2", wish(web))
	change := provision.ChangeRequest{Wish: provision.Wish{Overrides: map[string]any{"web": map[string]any{"replicas": 3}}}}
	plan := func() blueberry.Plan {
		p, err := h.Plan(ctx, admin, e.ID, provision.PlanRequest{Change: &change})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	forged := plan()
	forged.ID = blueberry.NewID(blueberry.PlanID, h.clock.now())
	forged.Request = []byte(strings.Replace(string(forged.Request), "3", "9", 1))
	forged.Digest = forged.DigestInputs()
	if err := h.store.Update(ctx, func(tx *store.Tx) error { return tx.InsertPlan(ctx, forged) }); err != nil {
		t.Fatal(err)
	}
	late := plan()
	for reason, c := range map[string]struct {
		apply func() error
		want  string
	}{
		"forged": {func() error {
			_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: forged.ID})
			return err
		}, "PLAN_ALTERED"},
		"unknown": {func() error {
			_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: "pln_none"})
			return err
		}, "PLAN_NOT_FOUND"},
		"of another": {func() error {
			_, err := h.Change(ctx, admin, other.ID, provision.ChangeRequest{PlanID: plan().ID})
			return err
		}, "PLAN_OTHER"},
		"of other kind": {func() error { _, err := h.Destroy(ctx, admin, e.ID, plan().ID, 0); return err }, "PLAN_OTHER"},
		"and more": {func() error {
			_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: plan().ID, Wish: change.Wish})
			return err
		}, "VALIDATION_FAILED"},
		"too late": {func() error {
			h.clock.add(blueberry.PlanLifetime)
			_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: late.ID})
			h.clock.add(-blueberry.PlanLifetime)
			return err
		}, "PLAN_EXPIRED"},
	} {
		var got *blueberry.Error
		if err := c.apply(); !errors.As(err, &got) || got.Code != c.want {
			t.Errorf("%s: %v, want %s", reason, err, c.want)
		}
	}
	if now, err := h.Get(ctx, admin, e.ID); err != nil || now.Revision != 1 {
		t.Errorf("revision %d (%v)", now.Revision, err)
	}
}

func TestChangeWithoutDifference(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.make(t, "pr-1", wish(web))
	before := h.count(t)
	changed, err := h.Change(t.Context(), admin, e.ID, provision.ChangeRequest{Wish: wish(web)})
	if err != nil || changed.Plan.Changes() || changed.Environment.Revision != 1 || h.count(t) != before {
		t.Errorf("revision %d, plan changes %v, %s (%v)", changed.Environment.Revision, changed.Plan.Changes(), h.count(t), err)
	}
}

// TestRollbackUnderFire: a bad commit and a bad config version go out, are rolled back, and do not come back by themselves, whatever is delivered again;
// the next good ones do.
func TestRollbackUnderFire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		ctx := t.Context()
		code := func(image string) string {
			return "name: shop\nconfigSets: [base]\nconfigUpdates: automatic\ncomponents: [{name: web, image: \"" + image + "\"}]\n"
		}
		h.publish(t, "base", "web: {env: {MODE: good}}")
		good := h.code.push(code("acme/web:1"))
		e := h.make(t, "pr-1", provision.Wish{Repository: ptr(shopRepository), Ref: ptr("main")})

		bad := h.code.push(code("acme/web:bad"))
		if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
			t.Fatal(err)
		}
		h.follow(t, h.publish(t, "base", "web: {env: {MODE: bad}}"))
		e = h.until(t, e.ID, synced(3))
		changed, err := h.Rollback(ctx, admin, e.ID, provision.RollbackRequest{Number: 1, Reason: "it crashes"})
		if err != nil {
			t.Fatal(err)
		}
		if r := changed.Environment.Revision; r != 4 || changed.Environment.Source.Commit != good {
			t.Fatalf("revision %d at %s", r, changed.Environment.Source.Commit)
		}
		holds, err := h.Holds(ctx, admin, e.ID)
		want := []blueberry.PlanInput{{Kind: "commit", Name: shopRepository, Value: bad}, {Kind: "config_set", Name: "base", Value: "2"}}
		var got []blueberry.PlanInput
		for _, x := range holds {
			got = append(got, x.PlanInput)
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("holds -want +got\n%s%v", diff, err)
		}

		set, _ := h.find(t, "base")
		for i := range 20 { // syncs, deliveries again, new followers
			h.until(t, e.ID, synced(4))
			if i%2 == 0 {
				if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
					t.Fatal(err)
				}
			} else {
				h.follow(t, set)
			}
			h.clock.add(time.Second)
		}
		e, err = h.Get(ctx, admin, e.ID)
		rev, _ := h.Revision(ctx, admin, e.ID, 0)
		if err != nil || e.Revision != 4 || strings.Contains(text(rev), "bad") {
			t.Fatalf("the bad one is back: revision %d (%v)", e.Revision, err)
		}
		first, _ := h.Revision(ctx, admin, e.ID, 1)
		if as, err := render.Relabel(first.Rendering, 4); err != nil || as.Digest != rev.Rendering.Digest || h.inGit(t, e) != as.Digest {
			t.Errorf("revision 4 is not what revision 1 was: %v", err)
		}
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Ref: ptr(bad)}}); !errors.Is(err, blueberry.Conflict) || !strings.Contains(err.Error(), "held") {
			t.Errorf("asked for by name it is not refused: %v", err)
		}
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{ConfigSets: &[]string{"base@2"}}}); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("asked for by name it is not refused: %v", err)
		}

		h.code.push(code("acme/web:3")) // a new good commit
		if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
			t.Fatal(err)
		}
		e = h.until(t, e.ID, synced(5))
		h.follow(t, h.publish(t, "base", "web: {env: {MODE: better}}"))
		h.until(t, e.ID, synced(6))
		rev, _ = h.Revision(ctx, admin, e.ID, 0)
		if all := text(rev); !strings.Contains(all, "acme/web:3") || !strings.Contains(all, "better") || strings.Contains(all, "bad") {
			t.Error("the good ones did not go out, or a bad one did")
		}

		if n, err := h.ReleaseHolds(ctx, admin, e.ID, provision.HoldRelease{}); err != nil || n != 2 {
			t.Errorf("released %d (%v)", n, err)
		}
		if _, err := h.ReleaseHolds(ctx, admin, e.ID, provision.HoldRelease{}); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("nothing is held any more: %v", err)
		}
	})
}

func text(r blueberry.Revision) string {
	var b strings.Builder
	for _, f := range r.Rendering.Files {
		b.Write(f.Content)
	}
	return b.String()
}

func (h *house) find(t *testing.T, name string) (set blueberry.ConfigSet, err error) {
	t.Helper()
	err = h.store.View(t.Context(), func(tx *store.Tx) error {
		set, err = tx.FindConfigSet(t.Context(), blueberry.DefaultProject, name)
		return err
	})
	return set, err
}

// TestFollowerGetsAPlan: without leave to follow by itself, a new version becomes a plan, once.
func TestFollowerGetsAPlan(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	h.publish(t, "base", "web: {replicas: 2}")
	follows := h.make(t, "follows", provision.Wish{Blueprint: wish(web).Blueprint, ConfigSets: &[]string{"base"}})
	pins := h.make(t, "pins", provision.Wish{Blueprint: wish(web).Blueprint, ConfigSets: &[]string{"base@1"}})
	set := h.publish(t, "base", "web: {replicas: 4}")
	h.follow(t, set)
	h.follow(t, set)
	plans, err := h.Plans(ctx, admin, blueberry.PlanQuery{EnvironmentID: follows.ID, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	plans = slices.DeleteFunc(plans, func(p blueberry.Plan) bool { return !p.AppliedAt.IsZero() })
	if len(plans) != 1 || h.told(t, follows.ID)[blueberry.EnvironmentPlanProposed] != 1 || h.told(t, pins.ID)[blueberry.EnvironmentPlanProposed] != 0 {
		t.Fatalf("%d plans wait", len(plans))
	}
	if _, err := h.Change(ctx, admin, follows.ID, provision.ChangeRequest{PlanID: plans[0].ID}); err != nil {
		t.Fatal(err)
	}
	h.until(t, follows.ID, synced(2))
	h.follow(t, h.publish(t, "base", "web: {replicas: many}"))
	if n := h.told(t, follows.ID)[blueberry.EnvironmentUpdateRefused]; n != 1 {
		t.Errorf("a version that does not fit was told %d times", n)
	}
}

func (h *house) limit(t *testing.T, l blueberry.Limits) {
	t.Helper()
	if _, err := h.SetQuota(t.Context(), admin, blueberry.DefaultProject, blueberry.Quota{Limits: l}, 0); err != nil {
		t.Fatal(err)
	}
}

func (h *house) rule(t *testing.T, name, cedar string) {
	t.Helper()
	now := h.clock.now()
	err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertPolicy(t.Context(), blueberry.Policy{ID: blueberry.NewID(blueberry.PolicyID, now), Project: blueberry.DefaultProject, Name: name, Text: cedar, Author: "ann", CreatedAt: now, UpdatedAt: now, Version: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestQuota: what asks for more than is left is refused beforehand, with numbers, also when many ask at once.
func TestQuota(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		ctx := t.Context()
		h.limit(t, blueberry.Limits{Environments: ptr(int64(2))})
		type answer struct {
			id  string
			err error
		}
		answers := make(chan answer)
		for i := range 6 {
			go func() {
				e, err := h.Create(ctx, admin, provision.CreateRequest{Name: fmt.Sprintf("e-%d", i), Wish: wish(web)})
				answers <- answer{e.ID, err}
			}()
		}
		var made []string
		for range 6 {
			switch a := <-answers; {
			case a.err == nil:
				made = append(made, a.id)
			case !errors.Is(a.err, blueberry.Conflict) || !strings.Contains(a.err.Error(), "limit is 2"):
				t.Errorf("refused with %v", a.err)
			}
		}
		if len(made) != 2 {
			t.Fatalf("%d environments under a limit of 2", len(made))
		}
		plan, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "more", Wish: wish(web)})
		if err != nil || len(plan.Quota) != 1 || plan.Quota[0].Fits() || plan.Quota[0].Used != 2 || plan.Quota[0].Asked != 1 {
			t.Errorf("the plan says %+v (%v)", plan.Quota, err)
		}
		if _, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID}); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("applied over the quota: %v", err)
		}
		h.until(t, made[0], phase(blueberry.Ready))
		used := h.usage(t)
		h.limit(t, blueberry.Limits{Pods: ptr(used.Pods)})
		grow := provision.ChangeRequest{Wish: provision.Wish{Overrides: map[string]any{"web": map[string]any{"autoscaling": map[string]any{"maxReplicas": 12}}}}}
		if _, err := h.Change(ctx, admin, made[0], grow); !errors.Is(err, blueberry.Conflict) || !slices.Contains(faultsOf(err), "quota.pods quota_exceeded") {
			t.Errorf("a change may grow over the quota: %v", err)
		}
		shrink := provision.ChangeRequest{Wish: provision.Wish{Overrides: map[string]any{"web": map[string]any{"autoscaling": map[string]any{"maxReplicas": 4}}}}}
		if _, err := h.Change(ctx, admin, made[0], shrink); err != nil {
			t.Errorf("a change may not shrink: %v", err)
		}
	})
}

func (h *house) usage(t *testing.T) blueberry.Usage {
	t.Helper()
	state, err := h.ProjectState(t.Context(), admin, blueberry.DefaultProject)
	if err != nil {
		t.Fatal(err)
	}
	var all blueberry.Usage
	for _, u := range state.Used {
		all = all.Add(u)
	}
	return all
}

func TestPolicyDenies(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.rule(t, "images", `@id("by-digest") @message("is not pinned") @fix("name the image by its digest") forbid(principal, action, resource is Image) unless { resource.by_digest };`)
	before := h.count(t)
	_, err := h.Create(t.Context(), admin, provision.CreateRequest{Name: "pr-1", Wish: wish(web)})
	if !errors.Is(err, blueberry.Conflict) || !slices.Contains(faultsOf(err), "policies.default/images#by-digest policy_denied") || !strings.Contains(err.Error(), "name the image by its digest") {
		t.Errorf("refused with %v", err)
	}
	if h.count(t) != before {
		t.Error("something was stored")
	}
	pinned := blueberry.Component{Name: "web", Image: "acme/web@sha256:" + strings.Repeat("ab", 32)}
	h.make(t, "pr-1", wish(pinned))
}

// TestDriftThatIsReported: with the policy report, what another hand does is told once and left alone; with repair it is put back.
func TestDriftThatIsReported(t *testing.T) {
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
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return !e.DriftSince.IsZero() })
	h.clock.add(time.Minute)
	for range 3 {
		h.until(t, e.ID, func(blueberry.Environment) bool { return true })
	}
	if _, there := h.place.Labels(service); there || h.told(t, e.ID)[blueberry.EnvironmentDriftDetected] != 1 {
		t.Errorf("put back: %v; events %v", there, h.told(t, e.ID))
	}
	drift, err := h.Drift(ctx, admin, e.ID)
	if err != nil || len(drift.Objects) != 1 || drift.Objects[0].ObjectRef != service || !drift.Since.Equal(e.DriftSince) {
		t.Errorf("drift %+v (%v)", drift, err)
	}
	if _, err := h.SetDriftPolicy(ctx, admin, e.ID, blueberry.DriftPolicy{Mode: blueberry.DriftRepair}, 0); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool { return e.DriftSince.IsZero() })
	if _, there := h.place.Labels(service); !there {
		t.Error("was not put back")
	}
}

func TestWhyIsAnswered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.publish(t, "base", "all: {env: {LEVEL: info}}\nweb: {replicas: 3}")
	e := h.make(t, "pr-1", provision.Wish{
		Blueprint:  wish(blueberry.Component{Name: "web", Image: "acme/web:1", Values: map[string]any{"replicas": 2}}).Blueprint,
		ConfigSets: &[]string{"base"}, Overrides: map[string]any{"web": map[string]any{"replicas": 4}},
	})
	_, settings, err := h.Settings(t.Context(), admin, e.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(settings, func(s blueberry.Setting) bool { return s.Path == "web.replicas" })
	if i < 0 {
		t.Fatalf("no web.replicas among %d settings", len(settings))
	}
	var chain []string
	for _, s := range append([]blueberry.Shadow{{Origin: settings[i].Origin, Value: settings[i].Value}}, settings[i].Shadows...) {
		chain = append(chain, strings.TrimSpace(fmt.Sprintf("%v %s %s", s.Value, s.Layer, s.Name)))
	}
	if diff := cmp.Diff([]string{"4 environment", "3 config_set base", "2 blueprint", "2 chart web-service"}, chain); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLeaseOfTheBlueprint(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	w := wish(web)
	w.Blueprint.Lease = blueberry.LeaseBounds{Default: 4, Max: 8}
	e := h.make(t, "pr-1", w)
	if left := e.Lease.ExpiresAt.Sub(h.clock.now()); left != 4*time.Hour {
		t.Errorf("the lease is %s", left)
	}
	if e, err := h.Extend(ctx, admin, e.ID, 100, 0); err != nil || e.Lease.ExpiresAt.Sub(h.clock.now()) != 8*time.Hour {
		t.Errorf("extended to %s (%v)", e.Lease.ExpiresAt.Sub(h.clock.now()), err)
	}
	if _, err := h.Create(ctx, admin, provision.CreateRequest{Name: "pr-2", Hours: 9, Wish: w}); !slices.Contains(faultsOf(err), "ttl_hours range") {
		t.Errorf("longer than the blueprint allows: %v", err)
	}
}
