package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	denyAll  = "@id(\"none\")\n@message(\"nothing may be changed today\")\n@fix(\"wait for tomorrow\")\nforbid (principal, action, resource is Environment);\n"
	warnOnly = "@id(\"none\")\n@message(\"think twice\")\n@warn(\"\")\nforbid (principal, action, resource is Environment);\n"
)

func TestQuotaAndPoliciesBlockAPlan(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	none := int64(0)
	p := got[sdk.Project](t)(c.SetProjectQuota(ctx, "default", sdk.Quota{Limits: sdk.Limits{CPU: "1500m", Memory: "64Gi"}, Kinds: map[string]sdk.Limits{"preview": {Environments: &none}}}))
	if p.Quota.CPU != "1500m" || p.Quota.Memory != "64Gi" || *p.Quota.Kinds["preview"].Environments != 0 || p.Used.Environments != 0 {
		t.Errorf("project is %+v", p)
	}
	plan := got[sdk.Plan](t)(c.PlanNewEnvironment(ctx, shopRequest("pr-1")))
	misfit := slices.IndexFunc(plan.Quota, func(f sdk.Fit) bool { return !f.Fits })
	if plan.Appliable || misfit < 0 || plan.Quota[misfit].Resource != "environments" || len(plan.Blockers) != 1 {
		t.Errorf("plan is appliable %v, quota %+v, blockers %v", plan.Appliable, plan.Quota, plan.Blockers)
	}
	_, err := c.CreateEnvironment(ctx, shopRequest("pr-1"))
	problemOf(t, err, 409, "QUOTA_EXCEEDED")
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("demo")))
	if env.Kind != "ephemeral" {
		t.Errorf("kind is %s", env.Kind)
	}
	list := got[sdk.ProjectList](t)(c.ListProjects(ctx))
	if len(list.Items) != 1 || list.Items[0].Used.Environments != 1 || list.Items[0].UsedByKind["ephemeral"].Environments != 1 || list.Items[0].Used.CPU == "0" {
		t.Errorf("projects are %+v", list.Items)
	}

	policy := got[sdk.Policy](t)(c.CreatePolicy(ctx, sdk.CreatePolicyRequest{Installation: true, Name: "never", Text: denyAll}))
	if !policy.Installation || policy.Project != "" || policy.Author != "admin" {
		t.Errorf("policy is %+v", policy)
	}
	change := sdk.PlanEnvironmentRequest{Change: &sdk.ChangeEnvironmentRequest{Overrides: overrides("debug")}}
	plan = got[sdk.Plan](t)(c.PlanEnvironment(ctx, env.ID, change))
	if plan.Appliable || len(plan.Policies) != 1 || !plan.Policies[0].Denied || plan.Policies[0].Rule != "installation/never#none" || plan.Policies[0].Fix != "wait for tomorrow" {
		t.Errorf("policies say %+v", plan.Policies)
	}
	if len(plan.Blockers) != 1 || !strings.Contains(plan.Blockers[0], "nothing may be changed today") {
		t.Errorf("blockers are %v", plan.Blockers)
	}
	_, err = c.ChangeEnvironment(ctx, env.ID, *change.Change)
	problemOf(t, err, 409, "POLICY_DENIED")
	got[sdk.Policy](t)(c.UpdatePolicy(ctx, policy.ID, sdk.UpdatePolicyRequest{Text: warnOnly}))
	plan = got[sdk.Plan](t)(c.PlanEnvironment(ctx, env.ID, change))
	if !plan.Appliable || len(plan.Policies) != 1 || plan.Policies[0].Denied {
		t.Errorf("plan is appliable %v, policies say %+v", plan.Appliable, plan.Policies)
	}
	if found := got[sdk.PolicyList](t)(c.ListPolicies(ctx, "default")); len(found.Items) != 1 || found.Items[0].Text != warnOnly {
		t.Errorf("policies are %+v", found.Items)
	}
	if err := c.CheckPolicy(ctx, sdk.CreatePolicyRequest{Name: "x", Text: denyAll}); err != nil {
		t.Error(err)
	}
	if err := c.DeletePolicy(ctx, policy.ID); err != nil {
		t.Error(err)
	}
}

func TestDriftIsToldAndItsPolicyKept(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	ctx := t.Context()
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("pr-1")))
	ready(t, c, env.ID)
	policy := sdk.DriftPolicy{Mode: "report", Ignore: []sdk.DriftIgnore{{Kind: "Service", Name: "*", Path: "spec.ports"}}}
	env = got[sdk.Environment](t)(c.SetEnvironmentDriftPolicy(ctx, env.ID, policy))
	if env.Drift.Mode != "report" {
		t.Errorf("environment's drift is %+v", env.Drift)
	}
	_, err := c.SetEnvironmentDriftPolicy(ctx, env.ID, sdk.DriftPolicy{}, sdk.IfMatch(999))
	problemOf(t, err, 412, "VERSION_MOVED")
	ref := blueberry.ObjectRef{APIVersion: "v1", Kind: "ConfigMap", Namespace: env.Namespace, Name: "web-env"}
	if err := r.Place.Patch(ref, []byte(`{"data":{"LOG_LEVEL":"trace"}}`)); err != nil {
		t.Fatal(err)
	}
	drift := got[sdk.Drift](t)(c.GetEnvironmentDrift(ctx, env.ID))
	if diff := cmp.Diff(policy, drift.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if len(drift.Objects) != 1 || drift.Objects[0].Kind != "ConfigMap" || drift.Objects[0].Name != "web-env" || drift.At.IsZero() {
		t.Fatalf("drift is %+v", drift)
	}
	if f := drift.Objects[0].Fields; len(f) != 1 || f[0].Path != "data.LOG_LEVEL" || f[0].Op != "replace" || f[0].Before != "info" || f[0].After != "trace" {
		t.Errorf("fields are %+v", f)
	}
}

// ready waits for an environment by its events.
func ready(t *testing.T, c *sdk.Client, id string) {
	t.Helper()
	for e, err := range c.WatchEvents(t.Context(), id, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == string(blueberry.EnvironmentReady) {
			return
		}
	}
}
