package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
)

type object = map[string]any

// secret stands in a manifest, and in no verdict unless a rule's own message says it.
const secret = "hunter2"

func manifest(apiVersion, kind, name string, rest object) policy.Manifest {
	o := object{"apiVersion": apiVersion, "kind": kind, "metadata": object{"name": name, "labels": object{"app": name}, "annotations": object{"example.com/owner": "shop"}}}
	for k, v := range rest {
		o[k] = v
	}
	return policy.Manifest{ObjectRef: blueberry.ObjectRef{APIVersion: apiVersion, Kind: kind, Namespace: "shop-pr-1", Name: name}, Component: "backend", Object: o}
}

func question() policy.Question {
	digest := "@sha256:" + strings.Repeat("0a", 32)
	return policy.Question{
		Actor:       blueberry.Actor{Kind: blueberry.ActorToken, Name: "ci", Grants: []blueberry.Grant{blueberry.GrantEnvironmentsCreate}},
		Action:      blueberry.PlanCreate,
		Environment: blueberry.Environment{Project: "shop", Name: "pr-1", Target: "local", Lease: blueberry.Lease{ExpiresAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}},
		Inputs: blueberry.Inputs{
			Source:    blueberry.Source{Repository: "https://git.example.com/shop.git", Commit: "abc"},
			Sources:   []blueberry.ComponentSource{{Name: "web", Repository: "https://git.example.com/web.git", Commit: "def"}},
			Blueprint: blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "backend"}, {Name: "web"}}},
			Catalogue: blueberry.BlueprintRef{Global: true, Name: "shop", Version: 3},
		},
		Demand:     blueberry.Demand{CPU: 1500, Memory: 1 << 30, Pods: 3, Storage: 5},
		LeaseHours: 24,
		Manifests: []policy.Manifest{
			manifest("apps/v1", "Deployment", "backend", object{"spec": object{"replicas": int64(2), "ratio": 0.5, "nothing": nil, "template": object{"spec": object{
				"containers":     []any{object{"name": "web", "image": "ghcr.io/acme/backend:1" + digest, "env": []any{object{"name": "PASSWORD", "value": secret}}}},
				"initContainers": []any{object{"name": "init", "image": "nginx:1"}},
			}}}}),
			manifest("v1", "Service", "backend", object{"spec": object{"type": "NodePort"}}),
		},
	}
}

func verdicts(list []blueberry.PolicyVerdict) []string {
	var out []string
	for _, v := range list {
		word := "warns"
		if v.Denied {
			word = "denies"
		}
		line := fmt.Sprintf("%s %s %s: %s", v.Rule, word, v.Object, v.Message)
		if v.Fix != "" && !strings.HasPrefix(v.Fix, "correct the ") {
			line += " | " + v.Fix
		}
		out = append(out, line)
	}
	return out
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const deployment = "Deployment.apps shop-pr-1/backend"
	installation := func(text string) []blueberry.Policy { return []blueberry.Policy{{Name: "p", Text: text}} }
	for reason, c := range map[string]struct {
		policies []blueberry.Policy
		want     []string
	}{
		"no policies":       {nil, nil},
		"nothing forbidden": {installation(`forbid (principal, action, resource) when { false };`), nil},
		"what a rule says": {
			installation(`@id("lease") @message("too long") @fix("shorter") forbid (principal, action, resource is Environment) when { resource.lease_hours > 8 };`),
			[]string{"installation/p#lease denies environment pr-1: too long | shorter"},
		},
		"a rule without a word": {
			installation(`forbid (principal, action, resource is Object) when { false }; forbid (principal, action, resource is Environment);`),
			[]string{"installation/p#2 denies environment pr-1: the rule forbids it"},
		},
		"denials come first": {
			installation(`@id("a") @warn @message("m") forbid (principal, action, resource is Environment); @id("b") @message("m") forbid (principal, action, resource is Environment);`),
			[]string{"installation/p#b denies environment pr-1: m", "installation/p#a warns environment pr-1: m"},
		},
		"everything is asked about": {installation(`@warn forbid (principal, action, resource);`), []string{
			"installation/p#1 warns Deployment.apps shop-pr-1/backend: the rule forbids it", "installation/p#1 warns Service shop-pr-1/backend: the rule forbids it", "installation/p#1 warns environment pr-1: the rule forbids it",
			"installation/p#1 warns image ghcr.io/acme/backend:1@sha256:" + strings.Repeat("0a", 32) + " of " + deployment + ": the rule forbids it", "installation/p#1 warns image nginx:1 of " + deployment + ": the rule forbids it",
		}},
		"a project judges its own": {[]blueberry.Policy{
			{Project: "other", Name: "p", Text: `forbid (principal, action, resource);`}, {Project: "shop", Name: "p", Text: `forbid (principal, action, resource is Environment);`},
		}, []string{"shop/p#1 denies environment pr-1: the rule forbids it"}},
		"a rule that asks for what is not there": {
			installation(`@id("a") @warn forbid (principal, action, resource) when { resource.lease_hours > 48 };`),
			[]string{`installation/p#a denies Deployment.apps shop-pr-1/backend and 3 more: the rule could not be evaluated: there is no attribute "lease_hours"`},
		},
		"a record without the attribute": {
			installation(`forbid (principal, action, resource is Object) when { resource.labels["x"] == "y" && resource.kind == "Service" };`),
			[]string{`installation/p#1 denies Deployment.apps shop-pr-1/backend and 1 more: the rule could not be evaluated: there is no attribute "x"`},
		},
		"text and number": {
			installation(`forbid (principal, action, resource is Environment) when { resource.name > 3 };`),
			[]string{"installation/p#1 denies environment pr-1: the rule could not be evaluated: a value is of the wrong type: expected comparable value, got string"},
		},
		"number and text": {
			installation(`forbid (principal, action, resource is Environment) when { resource.pods > "x" };`),
			[]string{"installation/p#1 denies environment pr-1: the rule could not be evaluated: a value is of the wrong type: expected comparable value, got string"},
		},
		"a day and an hour": {
			installation(`forbid (principal, action, resource is Environment) when { datetime("2026-03-01") < duration("1h") };`),
			[]string{"installation/p#1 denies environment pr-1: the rule could not be evaluated: values of two types cannot be compared"},
		},
		"a condition that is none": {
			installation(`forbid (principal, action, resource is Environment) when { resource };`),
			[]string{"installation/p#1 denies environment pr-1: the rule could not be evaluated: a value is of the wrong type: expected bool, got (entity of type Environment)"},
		},
		"a number too large": {
			installation(`forbid (principal, action, resource is Environment) when { resource.memory * 9223372036854775807 > 1 };`),
			[]string{"installation/p#1 denies environment pr-1: the rule could not be evaluated: a number becomes too large"},
		},
		"a text that is no decimal": {
			installation(`forbid (principal, action, resource is Environment) when { decimal(resource.name).lessThan(decimal("1.0")) };`),
			[]string{"installation/p#1 denies environment pr-1: the rule could not be evaluated: a function cannot read the text that it is given"},
		},
		"an entity of elsewhere": {
			installation(`forbid (principal, action, resource is Environment) when { Environment::"other/x".name == "x" };`),
			[]string{"installation/p#1 denies environment pr-1: the rule could not be evaluated: it names an entity that is not known"},
		},
		"a function of too many": {
			installation(`forbid (principal, action, resource is Environment) when { decimal("1.0", "2.0") == decimal("1.0") };`),
			[]string{"installation/p#1 denies environment pr-1: the rule could not be evaluated: a function has the wrong number of arguments"},
		},
		"a policy that cannot be read": {
			installation(`permit (principal, action, resource);`),
			[]string{"installation/p denies environment pr-1: the policy could not be read: permits: rules forbid; what none forbids is allowed (line 1, column 1)"},
		},
	} {
		if diff := cmp.Diff(c.want, verdicts(policy.Judge(c.policies, question()))); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

// TestAttributes holds what rules see: each condition is true of its resource.
func TestAttributes(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("0a", 32)
	for head, conditions := range map[string][]string{
		"resource is Environment": {
			`principal is Token && principal == Token::"ci" && principal.name == "ci" && principal.kind == "token" && principal.grants == ["environments:create"]`,
			`action == Action::"create" && action in [Action::"create", Action::"change"]`, `context == {}`,
			`resource == Environment::"shop/pr-1" && resource.project == "shop" && resource.name == "pr-1" && resource.target == "local" && resource.kind == "preview" && resource.lease_hours == 24`,
			`resource.blueprint == "shop" && resource.catalogue == "global/shop@3" && resource.repository == "https://git.example.com/shop.git" && resource.commit == "abc"`,
			`resource.repositories == ["https://git.example.com/shop.git", "https://git.example.com/web.git"] && !resource.restricted`,
			`resource.cpu == 1500 && resource.memory == 1073741824 && resource.pods == 3 && resource.storage == 5 && resource.components == ["web", "backend"]`,
		},
		`resource == Object::"Deployment.apps shop-pr-1/backend"`: {
			`resource is Object && resource in Environment::"shop/pr-1" && resource.kind == "Deployment" && resource.group == "apps" && resource.name == "backend" && resource.namespace == "shop-pr-1"`,
			`resource.component == "backend" && resource.labels["app"] == "backend" && resource.annotations["example.com/owner"] == "shop" && resource.service_type == ""`,
			`resource.images == ["nginx:1", "ghcr.io/acme/backend:1@` + digest + `"] && resource.host_paths.isEmpty() && !resource.privileged && !resource.host_network && !resource.host_pid && !resource.host_ipc`,
			`resource.manifest.spec.replicas == 2 && resource.manifest.spec.ratio == "0.5" && !(resource.manifest.spec has nothing)`,
			`resource.manifest has metadata.name && resource.manifest["metadata"]["name"] == "backend"`, `resource has "\u{6d}anifest"`,
		},
		`resource == Object::"Service shop-pr-1/backend"`: {`resource.service_type == "NodePort" && resource.group == "" && resource.images == []`},
		`resource == Image::"nginx:1"`: {
			`resource in Environment::"shop/pr-1" && resource in Object::"Deployment.apps shop-pr-1/backend" && resource.reference == "nginx:1" && resource.component == "backend"`,
			`resource.object == "Deployment.apps shop-pr-1/backend" && resource.registry == "docker.io" && resource.repository == "library/nginx" && resource.tag == "1" && resource.digest == "" && !resource.by_digest`,
			`Object::"Deployment.apps shop-pr-1/backend".kind == "Deployment"`,
		},
	} {
		for _, condition := range conditions {
			p := blueberry.Policy{Name: "p", Text: "forbid (principal, action, " + head + ") when { " + condition + " };"}
			if err := policy.Check(p); err != nil {
				t.Errorf("%s: %v", condition, err)
			}
			if got := verdicts(policy.Judge([]blueberry.Policy{p}, question())); len(got) != 1 || !strings.Contains(got[0], "the rule forbids it") {
				t.Errorf("%s: %s does not hold: %q", head, condition, got)
			}
		}
	}
}

func TestKindsOfEnvironmentAndActor(t *testing.T) {
	t.Parallel()
	p := []blueberry.Policy{{Name: "p", Text: `
		@id("preview") forbid (principal is User, action, resource is Environment) when { resource.kind == "preview" };
		@id("ephemeral") forbid (principal is Job, action, resource is Environment) when { resource.kind == "ephemeral" };
		@id("standing") forbid (principal is Token, action, resource is Environment) when { resource.kind == "standing" };
		@id("client") forbid (principal is Client, action, resource is Environment) when { principal.kind == "client" };`}}
	for reason, c := range map[string]struct {
		actor blueberry.ActorKind
		name  string
		lease time.Time
		hours int
		want  string
	}{
		"of a pull request":       {blueberry.ActorUser, "pr-1", time.Time{}, 0, "installation/p#preview"},
		"with a lease":            {blueberry.ActorJob, "demo", time.Unix(1, 0), 0, "installation/p#ephemeral"},
		"with a lease to be made": {blueberry.ActorJob, "demo", time.Time{}, 8, "installation/p#ephemeral"},
		"an OAuth client":         {blueberry.ActorClient, "demo", time.Time{}, 0, "installation/p#client"},
		"without a lease":         {blueberry.ActorToken, "demo", time.Time{}, 0, "installation/p#standing"},
	} {
		q := policy.Question{Actor: blueberry.Actor{Kind: c.actor, Name: "x"}, Action: blueberry.PlanCreate, Environment: blueberry.Environment{Project: "shop", Name: c.name, Lease: blueberry.Lease{ExpiresAt: c.lease}}, LeaseHours: c.hours}
		if got := policy.Judge(p, q); len(got) != 1 || got[0].Rule != c.want {
			t.Errorf("%s: %v", reason, got)
		}
	}
}

// TestGrantsAreThoseOfTheProject: a rule about grants is about those that hold where the environment belongs.
func TestGrantsAreThoseOfTheProject(t *testing.T) {
	t.Parallel()
	p := []blueberry.Policy{{Name: "p", Text: `forbid (principal, action, resource is Environment) unless { principal.grants.contains("config:write") };`}}
	in := func(project string, g ...blueberry.Grant) map[string][]blueberry.Grant {
		return map[string][]blueberry.Grant{project: g}
	}
	for reason, c := range map[string]struct {
		actor blueberry.Actor
		may   bool
	}{
		"on the installation":                  {blueberry.Actor{Grants: []blueberry.Grant{blueberry.GrantConfigWrite}}, true},
		"in the project":                       {blueberry.Actor{Projects: in("shop", blueberry.GrantConfigWrite)}, true},
		"in the project, beside what is above": {blueberry.Actor{Grants: []blueberry.Grant{blueberry.GrantConfigRead}, Projects: in("shop", blueberry.GrantConfigWrite)}, true},
		"in another project":                   {blueberry.Actor{Projects: in("other", blueberry.GrantConfigWrite)}, false},
		"another grant":                        {blueberry.Actor{Projects: in("shop", blueberry.GrantConfigRead)}, false},
		"nothing":                              {blueberry.Actor{}, false},
	} {
		q := question()
		q.Actor = c.actor
		if got := policy.Judge(p, q); (len(got) == 0) != c.may {
			t.Errorf("%s: %v", reason, got)
		}
	}
}

func TestVerdictsAreBounded(t *testing.T) {
	t.Parallel()
	q := question()
	q.Manifests = nil
	for i := range 300 {
		q.Manifests = append(q.Manifests, manifest("v1", "ConfigMap", fmt.Sprintf("c-%03d", i), nil))
	}
	p := []blueberry.Policy{{Name: "p", Text: `@id("w") @warn forbid (principal, action, resource is Object); @id("d") forbid (principal, action, resource is Object) when { resource.name like "*0" };`}}
	got := policy.Judge(p, q)
	want := blueberry.PolicyVerdict{Rule: "more", Object: "environment pr-1", Message: "131 more verdicts are not told; 0 of them deny"}
	if len(got) != policy.MaxVerdicts || got[199] != want {
		t.Errorf("%d verdicts, last %+v", len(got), got[len(got)-1])
	}
	if n := slices.IndexFunc(got, func(v blueberry.PolicyVerdict) bool { return !v.Denied }); n != 30 {
		t.Errorf("%d verdicts deny, want 30 before all others", n)
	}
	slices.Reverse(q.Manifests)
	if diff := cmp.Diff(got, policy.Judge(p, q)); diff != "" {
		t.Errorf("another order of the objects gives another order of the verdicts:\n%s", diff)
	}
	twice := append(q.Manifests[:1:1], q.Manifests[0])
	if got := policy.Judge(p[:1], policy.Question{Manifests: twice}); len(got) != 1 {
		t.Errorf("one verdict said twice: %v", got)
	}
}

func BenchmarkJudge(b *testing.B) {
	q := question()
	q.Manifests = nil
	for i := range 500 {
		kind := []string{"Deployment", "Service", "ConfigMap", "Ingress"}[i%4]
		m := manifest("apps/v1", kind, fmt.Sprintf("o-%03d", i), object{"spec": object{"template": object{"spec": object{}}}})
		if kind == "Deployment" {
			m.Object["spec"] = question().Manifests[0].Object["spec"]
		}
		q.Manifests = append(q.Manifests, m)
	}
	for name, about := range map[string]string{"attributes": `resource.privileged || resource.images.contains("x:1")`, "manifest": `resource.manifest has spec.replicas && resource.manifest.spec.replicas > 100`} {
		var policies []blueberry.Policy
		for i := range 5 {
			var text strings.Builder
			for j := range 10 {
				kind := []string{"Object", "Object", "Object", "Image", "Environment"}[j%5]
				condition := about
				switch kind {
				case "Image":
					condition = `resource.registry == "evil.example"`
				case "Environment":
					condition = `resource.lease_hours > 100`
				}
				fmt.Fprintf(&text, "@id(\"r-%d\") @message(\"m\") forbid (principal, action, resource is %s) when { %s };\n", j, kind, condition)
			}
			policies = append(policies, blueberry.Policy{Name: fmt.Sprintf("p-%d", i), Text: text.String()})
		}
		b.Run("500 objects, 50 rules: "+name, func(b *testing.B) {
			for b.Loop() {
				if got := policy.Judge(policies, q); len(got) != 0 {
					b.Fatal(got[0])
				}
			}
		})
	}
}
