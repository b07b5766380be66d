package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
)

// guideRules gives the rules that the guide shows, by the id of the first of each block.
func guideRules(t *testing.T) map[string]blueberry.Policy {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "guide", "policies.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]blueberry.Policy{}
	for _, block := range strings.Split(string(text), "```cedar\n")[1:] {
		rules, _, closed := strings.Cut(block, "```")
		_, after, _ := strings.Cut(rules, `@id("`)
		id, _, named := strings.Cut(after, `"`)
		if !closed || !named {
			t.Fatalf("a block without end or id:\n%s", block)
		}
		out[id] = blueberry.Policy{Name: "guide", Text: rules}
	}
	return out
}

// TestGuide proves that the examples of the guide do what it says.
func TestGuide(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("0a", 32)
	pod := func(spec object) policy.Manifest { return manifest("v1", "Pod", "p", object{"spec": spec}) }
	image := func(reference string) policy.Manifest {
		return pod(object{"containers": []any{object{"image": reference}}})
	}
	rules := guideRules(t)
	cases := map[string]map[string]struct {
		change func(*policy.Question)
		want   []string // rule and object
	}{
		"no-node-ports": {
			"a port of every node": {func(*policy.Question) {}, []string{"no-node-ports Service shop-pr-1/backend"}},
			"of the cluster alone": {func(q *policy.Question) { q.Manifests = []policy.Manifest{manifest("v1", "Service", "s", nil)} }, nil},
		},
		"two-replicas": {
			"two": {func(*policy.Question) {}, nil},
			"one": {func(q *policy.Question) {
				q.Manifests = []policy.Manifest{manifest("apps/v1", "Deployment", "d", object{"spec": object{"replicas": 1}})}
			}, []string{"two-replicas Deployment.apps shop-pr-1/d"}},
			"not said": {func(q *policy.Question) {
				q.Manifests = []policy.Manifest{manifest("apps/v1", "Deployment", "d", nil)}
			}, nil},
		},
		"registries": {
			"of ours": {func(q *policy.Question) {
				q.Manifests = []policy.Manifest{image("ghcr.io/acme/app" + digest), image("registry.acme.example/x/y:1" + digest)}
			}, nil},
			"by tag":             {func(q *policy.Question) { q.Manifests = []policy.Manifest{image("ghcr.io/acme/app:1")} }, []string{"by-digest image ghcr.io/acme/app:1 of Pod shop-pr-1/p"}},
			"of others, by tag":  {func(q *policy.Question) { q.Manifests = []policy.Manifest{image("nginx:1")} }, []string{"by-digest image nginx:1 of Pod shop-pr-1/p", "registries image nginx:1 of Pod shop-pr-1/p"}},
			"of another account": {func(q *policy.Question) { q.Manifests = []policy.Manifest{image("ghcr.io/acmeevil/app" + digest)} }, []string{"registries image ghcr.io/acmeevil/app" + digest + " of Pod shop-pr-1/p"}},
			"by a name alike": {func(q *policy.Question) {
				q.Manifests = []policy.Manifest{image("ghcr.io.evil.example/acme/app" + digest)}
			}, []string{"registries image ghcr.io.evil.example/acme/app" + digest + " of Pod shop-pr-1/p"}},
		},
		"no-host-paths": {
			"none": {func(*policy.Question) {}, nil},
			"a path": {func(q *policy.Question) {
				q.Manifests = []policy.Manifest{pod(object{"volumes": []any{object{"hostPath": object{"path": "/etc"}}}})}
			}, []string{"no-host-paths Pod shop-pr-1/p"}},
			"the network": {func(q *policy.Question) { q.Manifests = []policy.Manifest{pod(object{"hostNetwork": true})} }, []string{"no-host Pod shop-pr-1/p"}},
			"root": {func(q *policy.Question) {
				q.Manifests = []policy.Manifest{pod(object{"containers": []any{object{"securityContext": object{"privileged": true}}}})}
			}, []string{"no-host Pod shop-pr-1/p"}},
		},
		"short-leases": {
			"a day":                      {func(*policy.Question) {}, []string{"short-leases environment pr-1"}},
			"eight hours":                {func(q *policy.Question) { q.LeaseHours = 8 }, nil},
			"for ever":                   {func(q *policy.Question) { q.LeaseHours = 0 }, []string{"short-leases environment pr-1"}},
			"a day of an administrator":  {func(q *policy.Question) { q.Actor.Grants = []blueberry.Grant{blueberry.GrantAll} }, nil},
			"a change of what has a day": {func(q *policy.Question) { q.Action = blueberry.PlanChange }, nil},
		},
	}
	for id, p := range rules {
		if err := policy.Check(p); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if cases[id] == nil {
			t.Errorf("nothing tries the example %s", id)
		}
	}
	for id, list := range cases {
		for reason, c := range list {
			q := question()
			c.change(&q)
			var got []string
			for _, v := range policy.Judge([]blueberry.Policy{rules[id]}, q) {
				got = append(got, strings.TrimPrefix(v.Rule, "installation/guide#")+" "+v.Object)
				if v.Denied == (id == "two-replicas") || v.Message == "the rule forbids it" {
					t.Errorf("%s, %s: %+v", id, reason, v)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s, %s: -want +got\n%s", id, reason, diff)
			}
		}
	}
}
