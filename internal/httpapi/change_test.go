package httpapi_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

func quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // text is always JSON
	}
	return string(data)
}

func overrides(level string) map[string]any {
	return map[string]any{"web": map[string]any{"env": map[string]any{"LOG_LEVEL": level}}}
}

func TestAPlanIsAppliedOnceAndJustAsItSays(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	r := shopRequest("pr-1")
	r.Parameters, r.Overrides = map[string]any{"replicas": 2}, map[string]any{"web": map[string]any{"env": map[string]any{"A": "1"}, "resources": map[string]any{"requests": map[string]any{"cpu": "9"}}}}
	plan := got[sdk.Plan](t)(c.PlanNewEnvironment(ctx, r))
	if plan.Kind != "create" || !plan.Changes || !plan.Appliable || len(plan.Blockers) != 0 || plan.Revision != 1 || plan.Base != 0 || plan.EnvironmentID != "" {
		t.Errorf("plan is %+v", plan)
	}
	if !strings.HasPrefix(plan.ID, "pln_") || !strings.HasPrefix(plan.Digest, "sha256:") || plan.KeyID == "" || len(plan.Signature) != 64 || plan.Cost != nil || plan.Lease.Hours != 24 {
		t.Errorf("plan is %+v", plan)
	}
	if plan.ExpiresAt.Sub(plan.CreatedAt) != blueberry.PlanLifetime || !plan.AppliedAt.IsZero() || len(plan.Objects) == 0 || len(plan.Config) == 0 {
		t.Errorf("plan is %+v", plan)
	}
	if len(plan.Warnings) != 1 || plan.Warnings[0].Code != "forbidden_field" {
		t.Errorf("warnings are %+v, want the dropped field", plan.Warnings)
	}
	promised := got[sdk.Rendering](t)(c.GetPlanRendering(ctx, plan.ID))
	if promised.Digest != plan.RenderingDigest || len(promised.Files) == 0 {
		t.Errorf("rendering of the plan is %s with %d files, want %s", promised.Digest, len(promised.Files), plan.RenderingDigest)
	}

	both := shopRequest("pr-1")
	both.PlanID = plan.ID
	_, err := c.CreateEnvironment(ctx, both)
	if p := problemOf(t, err, 422, "VALIDATION_FAILED"); !slices.Equal(fieldsOf(p), []string{"plan_id exclusive"}) {
		t.Errorf("faults are %v", fieldsOf(p))
	}
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{PlanID: plan.ID}))
	if env.Name != "pr-1" || env.Kind != "preview" || env.Drift.Mode != "repair" || env.Demand.Pods == 0 {
		t.Errorf("environment is %+v", env)
	}
	kept := got[sdk.Rendering](t)(c.GetEnvironmentRendering(ctx, env.ID, 1))
	kept.Commit = "" // it may be committed already
	if diff := cmp.Diff(promised, kept); diff != "" {
		t.Errorf("what was applied is not what the plan said (-plan +revision):\n%s", diff)
	}
	_, err = c.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{PlanID: plan.ID})
	problemOf(t, err, 409, "PLAN_APPLIED")
	plan = got[sdk.Plan](t)(c.GetPlan(ctx, plan.ID))
	if plan.Appliable || len(plan.Blockers) != 1 || plan.AppliedAt.IsZero() || plan.AppliedRevision != 1 {
		t.Errorf("applied plan is %+v", plan)
	}
}

func TestAChangeMakesARevisionOnlyWithADifference(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	ctx := t.Context()
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("pr-1")))
	changed := got[sdk.ChangedEnvironment](t)(c.ChangeEnvironment(ctx, env.ID, sdk.ChangeEnvironmentRequest{Overrides: overrides("debug"), Reason: "log more"}))
	if changed.Environment.Revision != 2 || !changed.Plan.Changes || changed.Plan.Base != 1 {
		t.Errorf("change gives revision %d by plan %+v", changed.Environment.Revision, changed.Plan)
	}
	if plan := got[sdk.Plan](t)(c.GetPlan(ctx, changed.Plan.ID)); plan.AppliedRevision != 2 || plan.Appliable || plan.AppliedAt.IsZero() {
		t.Errorf("the plan that was made inside is kept as %+v", plan)
	}
	again := got[sdk.ChangedEnvironment](t)(c.ChangeEnvironment(ctx, env.ID, sdk.ChangeEnvironmentRequest{Overrides: overrides("debug")}))
	if again.Environment.Revision != 2 || again.Plan.Changes {
		t.Errorf("the same again gives revision %d by plan %+v", again.Environment.Revision, again.Plan)
	}
	_, err := c.ChangeEnvironment(ctx, env.ID, sdk.ChangeEnvironmentRequest{Overrides: overrides("warn")}, sdk.IfMatch(999))
	problemOf(t, err, 412, "VERSION_MOVED")
	api := r.API(t)
	a := ask(t, api, "PATCH", "/v1/environments/"+env.ID, `{"parameters":{"replicas":3}}`, "Idempotency-Key", "k")
	if a.StatusCode != 202 || a.Header.Get("ETag") == "" || a.Header.Get("Location") != "/v1/environments/"+env.ID {
		t.Errorf("change answers %d, ETag %q, Location %q: %s", a.StatusCode, a.Header.Get("ETag"), a.Header.Get("Location"), a.text)
	}
	if b := ask(t, api, "PATCH", "/v1/environments/"+env.ID, `{"parameters":{"replicas":3}}`, "Idempotency-Key", "k"); b.text != a.text || b.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("with the same key the answer is another: %d %s", b.StatusCode, b.text)
	}

	var numbers []int
	for rev, err := range c.AllEnvironmentRevisions(ctx, env.ID, sdk.Window{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, rev.Number)
		if rev.Blueprint != nil {
			t.Errorf("the list holds the blueprint of revision %d", rev.Number)
		}
	}
	if diff := cmp.Diff([]int{3, 2, 1}, numbers); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
	rev := got[sdk.Revision](t)(c.GetEnvironmentRevision(ctx, env.ID, 2))
	if rev.Reason != "log more" || rev.Author != "admin" || rev.PlanID != changed.Plan.ID || rev.Blueprint == nil || len(rev.Blueprint.Parameters) != 1 || rev.Source.Commit == "" {
		t.Errorf("revision is %+v", rev)
	}
	if diff := cmp.Diff(overrides("debug"), rev.Overrides); diff != "" {
		t.Errorf("overrides (-want +got):\n%s", diff)
	}
	var plans []string
	for p, err := range c.AllEnvironmentPlans(ctx, env.ID, sdk.PlanWindow{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p.Kind)
	}
	if len(plans) < 2 || plans[0] != "change" {
		t.Errorf("plans are %v", plans)
	}
}

func TestSettingsSayWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	set := got[sdk.EditedConfigSet](t)(c.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "shop", Content: shopValues}))
	r := shopRequest("pr-1")
	r.ConfigSets, r.Overrides = []string{"shop"}, map[string]any{"web": map[string]any{"args": []any{"a", "b"}, "podAnnotations": map[string]any{"acme.test/x": "1"}}}
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, r))
	s := got[sdk.EnvironmentSettings](t)(c.GetEnvironmentSettings(ctx, env.ID, 0, "web.env.LOG_LEVEL"))
	want := []sdk.Setting{{
		Path: "web.env.LOG_LEVEL", Value: "debug", Origin: sdk.Origin{Layer: "config_set", Name: "shop", Version: 1, Author: "admin"},
		Shadows: []sdk.Shadow{{Value: "info", Origin: sdk.Origin{Layer: "blueprint"}}},
	}}
	for i := range s.Settings {
		for j := range s.Settings[i].Shadows {
			s.Settings[i].Shadows[j].Origin = sdk.Origin{Layer: s.Settings[i].Shadows[j].Origin.Layer}
		}
	}
	if diff := cmp.Diff(want, s.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(overrides("debug"), s.Values); diff != "" || s.Revision != 1 {
		t.Errorf("values of revision %d (-want +got):\n%s", s.Revision, diff)
	}
	all := got[sdk.EnvironmentSettings](t)(c.GetEnvironmentSettings(ctx, env.ID, 1, ""))
	for path, n := range map[string]int{"web": len(all.Settings), `web.podAnnotations["acme.test/x"]`: 1, "web.args[1]": 1, "web.env.LOG": 0, "nothing": 0} {
		if s := got[sdk.EnvironmentSettings](t)(c.GetEnvironmentSettings(ctx, env.ID, 1, path)); len(s.Settings) != n {
			t.Errorf("%s has %d settings, want %d", path, len(s.Settings), n)
		}
	}
	read := got[sdk.Environment](t)(c.GetEnvironment(ctx, env.ID))
	if diff := cmp.Diff([]string{"shop@1"}, read.ConfigSets); diff != "" {
		t.Errorf("config sets (-want +got):\n%s", diff)
	}
	users := got[sdk.EnvironmentUseList](t)(c.ListConfigSetUsers(ctx, set.ConfigSet.ID))
	if len(users.Items) != 1 || users.Items[0].Name != "pr-1" || !users.Items[0].Follows || users.Items[0].Number != 1 {
		t.Errorf("users are %+v", users.Items)
	}
	err := c.DeleteConfigSet(ctx, set.ConfigSet.ID)
	if p := problemOf(t, err, 409, "CONFIG_SET_USED"); !slices.Equal(fieldsOf(p), []string{"users.default/pr-1 used"}) {
		t.Errorf("faults are %v", fieldsOf(p))
	}
}

func TestAPlanOfWhatMovedIsRefusedByName(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	set := got[sdk.EditedConfigSet](t)(c.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "shop", Content: shopValues})).ConfigSet
	r := shopRequest("pr-1")
	r.ConfigSets = []string{"shop"}
	plan := got[sdk.Plan](t)(c.PlanNewEnvironment(ctx, r))
	got[sdk.EditedConfigSet](t)(c.EditConfigSet(ctx, set.ID, sdk.EditConfigSetRequest{Content: "web: {}\n"}))
	_, err := c.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{PlanID: plan.ID})
	if p := problemOf(t, err, 409, "PLAN_MOVED"); !slices.Contains(fieldsOf(p), "inputs.config_set.shop moved") {
		t.Errorf("faults are %v", fieldsOf(p))
	}
}

func TestRollbackHoldsUntilReleased(t *testing.T) {
	t.Parallel()
	rooms, c := rooms(t)
	ctx := t.Context()
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("pr-1")))
	bad := rooms.Push(shopRepository, map[string]string{"blueberry.yaml": strings.Replace(shopBlueprint, "acme/web:1", "acme/web:2", 1)})
	fresh := got[sdk.ChangedEnvironment](t)(c.RefreshEnvironment(ctx, env.ID))
	if fresh.Environment.Revision != 2 || fresh.Environment.Source.Commit != bad {
		t.Fatalf("refresh gives revision %d of commit %s", fresh.Environment.Revision, fresh.Environment.Source.Commit)
	}
	plan := got[sdk.Plan](t)(c.PlanEnvironment(ctx, env.ID, sdk.PlanEnvironmentRequest{Rollback: &sdk.RollbackEnvironmentRequest{Revision: 1, Reason: "broken"}}))
	if plan.Kind != "rollback" || len(plan.Config) == 0 {
		t.Errorf("plan is %+v", plan)
	}
	back := got[sdk.ChangedEnvironment](t)(c.RollbackEnvironment(ctx, env.ID, sdk.RollbackEnvironmentRequest{PlanID: plan.ID}))
	if back.Environment.Revision != 3 {
		t.Fatalf("rollback gives revision %d", back.Environment.Revision)
	}
	rev := got[sdk.Revision](t)(c.GetEnvironmentRevision(ctx, env.ID, 3))
	if rev.RestoredFrom != 1 || rev.Reason != "broken" {
		t.Errorf("revision is %+v", rev)
	}
	diff := got[sdk.RevisionDiff](t)(c.DiffEnvironmentRevisions(ctx, env.ID, 0, 0))
	if diff.From.Number != 2 || diff.To.Number != 3 || len(diff.Inputs) == 0 || len(diff.Objects) == 0 || diff.Objects[0].Fields[0].Op != "replace" {
		t.Errorf("diff is %+v", diff)
	}
	if d := got[sdk.RevisionDiff](t)(c.DiffEnvironmentRevisions(ctx, env.ID, 1, 3)); len(d.Config)+len(d.Objects)+len(d.Inputs) != 0 {
		t.Errorf("revision 3 is not equal to 1: %+v", d)
	}
	holds := got[sdk.HoldList](t)(c.ListEnvironmentHolds(ctx, env.ID))
	if !slices.ContainsFunc(holds.Items, func(h sdk.Hold) bool {
		return h.Kind == "commit" && h.Value == bad && h.By == "admin" && h.Reason == "broken"
	}) {
		t.Errorf("holds are %+v", holds.Items)
	}
	if again := got[sdk.ChangedEnvironment](t)(c.RefreshEnvironment(ctx, env.ID)); again.Environment.Revision != 3 {
		t.Errorf("a held commit came back as revision %d", again.Environment.Revision)
	}
	released := got[sdk.ReleasedHolds](t)(c.ReleaseEnvironmentHolds(ctx, env.ID, sdk.ReleaseHoldsRequest{}))
	if released.Released != len(holds.Items) {
		t.Errorf("%d holds were released of %d", released.Released, len(holds.Items))
	}
	_, err := c.ReleaseEnvironmentHolds(ctx, env.ID, sdk.ReleaseHoldsRequest{})
	problemOf(t, err, 404, "HOLD_NOT_FOUND")
}

func TestDestroyByAPlan(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("pr-1")))
	plan := got[sdk.Plan](t)(c.PlanEnvironment(ctx, env.ID, sdk.PlanEnvironmentRequest{Destroy: true}))
	if plan.Kind != "destroy" || !plan.Changes || plan.Revision != 0 {
		t.Errorf("plan is %+v", plan)
	}
	_, err := c.DestroyEnvironment(ctx, env.ID, sdk.ApplyPlan("pln_0"))
	problemOf(t, err, 404, "PLAN_NOT_FOUND")
	gone := got[sdk.Environment](t)(c.DestroyEnvironment(ctx, env.ID, sdk.ApplyPlan(plan.ID)))
	if gone.Phase != sdk.Terminating && gone.Phase != sdk.Terminated {
		t.Errorf("environment is %s", gone.Phase)
	}
	_, err = c.ChangeEnvironment(ctx, env.ID, sdk.ChangeEnvironmentRequest{Overrides: overrides("debug")})
	problemOf(t, err, 409, "ENVIRONMENT_ENDING")
}
