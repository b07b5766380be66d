package kube

import (
	"fmt"
	"hash/maphash"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// shared is a Deployment that we applied and that others have written into.
const shared = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: back
  annotations: {note: theirs, ours: x}
  finalizers: [example.com/hold]
  managedFields:
  - {manager: old-hand, operation: Update, time: "2026-11-01T08:00:00Z", fieldsV1: {f:spec: {f:replicas: {}}}}
  - manager: blueberry
    operation: Apply
    time: "2026-11-01T09:00:00Z"
    fieldsV1:
      f:metadata: {f:annotations: {f:ours: {}}}
      f:spec:
        f:template: {f:spec: {f:containers: {'k:{"name":"app"}': {.: {}, f:name: {}, f:args: {}, f:ports: {'k:{"containerPort":80,"protocol":"TCP"}': {.: {}, f:containerPort: {}}}}}}}
  - manager: kubectl-edit
    operation: Update
    time: "2026-11-02T09:00:00Z"
    fieldsV1:
      f:metadata: {f:annotations: {f:note: {}}, f:finalizers: {'v:"example.com/hold"': {}}}
      f:spec:
        f:template: {f:spec: {f:containers: {'k:{"name":"app"}': {f:image: {}, f:command: {}}, 'k:{"name":"side"}': {.: {}, f:name: {}, f:image: {}}}}}
  - {manager: scaler, operation: Update, subresource: scale, time: "2026-11-03T09:00:00Z", fieldsV1: {f:spec: {f:replicas: {}}}}
spec:
  replicas: 3
  paused: false
  template:
    spec:
      containers:
      - {name: app, image: "app:9", args: [a, b], command: [c, d], ports: [{containerPort: 80, protocol: TCP}]}
      - {name: side, image: "side:1"}
`

func read(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	js, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(js); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOwnership(t *testing.T) {
	t.Parallel()
	live := read(t, shared)
	const containers = "spec.template.spec.containers"
	cases := map[string]struct {
		reason string
		path   string
		owner  string
		since  string
		part   any // what we send along when the path is left to others; nil for nothing
	}{
		"a field of another":     {reason: "we neither own it nor may take it", path: containers + "[name=app].image", owner: "kubectl-edit", since: "2026-11-02T09:00:00Z"},
		"a field of ours":        {reason: "left out it would be reset", path: containers + "[name=app].args", part: []any{"a", "b"}},
		"part of a list of ours": {reason: "the list is one value", path: containers + "[name=app].args[1]", part: "b"},
		"part of a list of another": {
			reason: "the list is one value, so sending ours takes it whole", path: containers + "[name=app].command[1]", owner: "kubectl-edit", since: "2026-11-02T09:00:00Z", part: "d",
		},
		"an item of ours, by its place": {
			reason: "of the item only what is ours", path: containers + "[0]",
			part: map[string]any{"name": "app", "args": []any{"a", "b"}, "ports": []any{map[string]any{"containerPort": int64(80)}}},
		},
		"an item of another":     {reason: "not ours to send", path: containers + "[name=side]", owner: "kubectl-edit", since: "2026-11-02T09:00:00Z"},
		"below an item by keys":  {reason: "the keys of the item are not its name", path: containers + "[name=app].ports[0].containerPort", part: int64(80)},
		"several owners":         {reason: "the last one counts", path: "spec.replicas", owner: "scaler", since: "2026-11-03T09:00:00Z"},
		"an item by its value":   {reason: "a set", path: "metadata.finalizers[0]", owner: "kubectl-edit", since: "2026-11-02T09:00:00Z"},
		"a map of several":       {reason: "of the map only what is ours", path: "metadata.annotations", part: map[string]any{"ours": "x"}},
		"a field of nobody":      {reason: "a default", path: "spec.paused"},
		"what is not there":      {reason: "has no owner", path: "spec.template.spec.volumes[name=x]"},
		"an item that is no one": {reason: "has no owner", path: containers + "[name=gone].image"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, ok := blueberry.SplitPath(c.path)
			if !ok {
				t.Fatalf("%s is no path", c.path)
			}
			who, since := owner(live, keys)
			if who != c.owner || !since.IsZero() && since.Format(time.RFC3339) != c.since || since.IsZero() != (c.since == "") {
				t.Errorf("%s: owned by %q since %s, want %q since %s", c.reason, who, since, c.owner, c.since)
			}
			part, ok := ourPart(live, keys)
			if diff := cmp.Diff(c.part, part); diff != "" || ok != (c.part != nil) {
				t.Errorf("%s: we send %v (%t), want %v", c.reason, part, ok, c.part)
			}
		})
	}
}

// TestOwnedOverlooksWhatIsLeft: when another hand takes a field that is left to others, the fingerprint of what we own stays as it was.
func TestOwnedOverlooksWhatIsLeft(t *testing.T) {
	t.Parallel()
	const ours = `{apiVersion: v1, kind: X, metadata: {name: x, managedFields: [{manager: blueberry, operation: Apply, fieldsV1: %s}]},
spec: {replicas: 1, list: [{name: a, v: 1}], deep: {er: 1}}}`
	seed := maphash.MakeSeed()
	left := newExempt(seed, []string{"spec.replicas", "spec.list[name=a].v", "spec.deep.er", "spec.none", "no[path"})
	sum := func(fields string, left *exempt) uint64 { return owned(seed, read(t, fmt.Sprintf(ours, fields)), left) }
	all := `{f:spec: {f:replicas: {}, f:list: {'k:{"name":"a"}': {.: {}, f:name: {}, f:v: {}}}, f:deep: {f:er: {}}}}`
	some := `{f:spec: {f:list: {'k:{"name":"a"}': {.: {}, f:name: {}}}}}`
	if sum(all, left) != sum(some, left) {
		t.Error("the loss of what is left to others changes the fingerprint")
	}
	if sum(all, nil) == sum(some, nil) {
		t.Error("the loss of what is ours does not change the fingerprint")
	}
	if sum(some, left) == sum(`{f:spec: {}}`, left) {
		t.Error("the loss of what is ours beside it does not change the fingerprint")
	}
	if newExempt(seed, []string{"no[path"}) != nil || newExempt(seed, nil) != nil {
		t.Error("nothing that can be left is something")
	}
}

func TestStandInNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "back", "-bad", "bad-", "a.b", "Upper", "", string(make([]byte, 41)), "a-name-of-just-sixty-three-characters-which-is-the-limit-of-many"} {
		got := standInName(name)
		switch {
		case name == "" && got == "":
			continue
		case got == name, got[0] != name[0], len(name) > 1 && got[len(got)-1] != name[len(name)-1]:
			t.Errorf("%q is tried as %q, want another name that begins and ends as it", name, got)
		case len(got) > 50 && len(got) != len(name):
			t.Errorf("%q of %d characters is tried with %d", name, len(name), len(got))
		}
	}
}

// FuzzOwners: what the API notes is read as far as it can be.
func FuzzOwners(f *testing.F) {
	f.Add(shared, "spec.template.spec.containers[name=app].image")
	f.Add(`{metadata: {managedFields: [{manager: blueberry, operation: Apply, fieldsV1: {'k:{': {}, 'v:': 1, 'i:x': [], f:spec: 7}}]}, spec: [1, {name: []}]}`, "spec[1].name[0]")
	f.Add(`{metadata: {managedFields: [7, {fieldsV1: []}, {fieldsV1: {f:spec: {'k:{"name":"a"}': {}}}}]}, spec: [{name: a}, {name: a}]}`, "spec[name=a]")
	seed := maphash.MakeSeed()
	f.Fuzz(func(t *testing.T, object, path string) {
		js, err := yaml.YAMLToJSON([]byte("apiVersion: v1\nkind: X\n" + object))
		u := &unstructured.Unstructured{}
		if err != nil || u.UnmarshalJSON(js) != nil {
			return
		}
		left := newExempt(seed, []string{path})
		owned(seed, u, left)
		body := u.DeepCopy()
		left.leave(body, u)
		left.overlook(body, u)
		for _, keys := range left.keys() {
			owner(u, keys)
			want, there := target.Field(u.Object, keys)
			if got, ok := target.Field(body.Object, keys); there && !blueberry.SameValue(got, want) {
				t.Fatalf("at %q there is %v (%t), want the live %v", keys, got, ok, want)
			}
		}
	})
}

func (e *exempt) keys() [][]string {
	if e == nil {
		return nil
	}
	return e.paths
}
