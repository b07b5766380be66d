package targettest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// listedDoc is a Deployment with fields of every sort: in a map, of an item with a name, in a list that is one value.
const listedDoc = `apiVersion: apps/v1
kind: Deployment
metadata: {name: $name, namespace: $ns, labels: $labels, annotations: {example.com/note: ours, example.com/other: ours}}
spec:
  replicas: 1
  minReadySeconds: 1
  selector: {matchLabels: {blueberry.dev/component: $name}}
  template:
    metadata: {labels: $podlabels}
    spec: {containers: [{name: app, image: "registry.invalid/app:1.0", args: [a, b, c]}]}
`

func (s *scene) ignoring() []blueberry.DriftIgnore {
	rules := []blueberry.DriftIgnore{
		{Kind: "ConfigMap", Name: "ba*", Path: "data.GREETING"},
		{Kind: "Deployment.apps", Name: "back", Path: "spec.replicas"},
		{Kind: "*", Name: "back", Path: `metadata.annotations["example.com/note"]`},
		{Kind: "Deployment", Name: "back", Path: "spec.template.spec.containers[name=app].image"},
		{Kind: "Deployment", Name: "front", Path: "spec"}, // of nothing
	}
	if !s.Itself { // an item of a list that is one value, which no policy may name
		rules = append(rules, blueberry.DriftIgnore{Kind: "Deployment", Name: "back", Path: "spec.template.spec.containers[name=app].args[1]"})
	}
	return rules
}

// second is the argument that another hand writes, where a rule leaves it to others.
func (s *scene) second() string {
	if s.Itself {
		return "b"
	}
	return "x"
}

const (
	othersConfig     = `{"data": {"GREETING": "go away"}}`
	othersDeployment = `{"metadata": {"annotations": {"example.com/note": "theirs"}}, "spec": {"replicas": 2, "template": {"spec": {"containers": [
		{"name": "app", "image": "registry.invalid/app:9.9", "args": ["a", "SECOND", "c"]}]}}}}`
)

// theirs tells what of the others' changes is not there any more.
func (s *scene) theirs(t testing.TB) string {
	t.Helper()
	return cmp.Diff(map[string]any{
		"ConfigMap data.GREETING": "go away", "Deployment spec.replicas": int64(2), `Deployment metadata.annotations["example.com/note"]`: "theirs",
		"Deployment spec.template.spec.containers[name=app].image": "registry.invalid/app:9.9",
		"Deployment spec.template.spec.containers[name=app].args":  []any{"a", s.second(), "c"},
	}, s.fields(t))
}

// fields are those of the test, as they are on the place.
func (s *scene) fields(t testing.TB) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, at := range []string{
		"ConfigMap data.GREETING", "Deployment spec.replicas", `Deployment metadata.annotations["example.com/note"]`,
		"Deployment spec.template.spec.containers[name=app].image", "Deployment spec.template.spec.containers[name=app].args",
	} {
		kind, path, _ := strings.Cut(at, " ")
		object, _ := s.Hand.Object(t, s.object(t, kind, "back"))
		keys, _ := blueberry.SplitPath(path)
		out[at], _ = target.Field(object, keys)
	}
	return out
}

// listed is an environment with fields that are left to others.
func (s *scene) listed(t testing.TB, change ...string) target.Desired {
	doc := strings.NewReplacer(change...).Replace(listedDoc)
	d := s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "back", doc, configDoc))
	d.Ignore, d.LeaveAlone = s.ignoring(), true
	return d
}

// applied syncs until done, and gives the objects that were changed.
func (s *scene) applied(t testing.TB, d target.Desired) map[string]bool {
	t.Helper()
	changed := map[string]bool{}
	eventually(t, "all is applied", func() string {
		p := s.sync(t, d)
		for _, c := range p.Changed {
			changed[c.Kind+" "+c.Name] = true
		}
		return blank(p.Done, p.Waiting)
	})
	return changed
}

func testIgnore(t *testing.T, s *scene) {
	d := s.listed(t)
	s.settle(t, d) // makes them as the files say
	s.settled(t, d)
	if got := s.fields(t); got["ConfigMap data.GREETING"] != "hello" || got["Deployment spec.replicas"] != int64(1) {
		t.Errorf("made as %v, want as the files say", got)
	}
	s.Hand.Patch(t, s.object(t, "ConfigMap", "back"), othersConfig)
	s.Hand.Patch(t, s.object(t, "Deployment", "back"), strings.Replace(othersDeployment, "SECOND", s.second(), 1))
	for _, driver := range []target.Driver{s.Driver, s.Reopen(t)} {
		s.Driver = driver
		for range 2 {
			if changed := s.applied(t, d); len(changed) > 0 {
				t.Errorf("changed %v, want nothing", changed)
			}
			if diff := s.theirs(t); diff != "" {
				t.Errorf("put back what is left to others (-want +got):\n%s", diff)
			}
			if got := differences(s.compare(t, d)); len(got) > 0 {
				t.Errorf("differs: %v", got)
			}
		}
		eventually(t, "nothing drifts", func() string { return blank(!s.observe(t).Drifted(), "drifted") })
	}
	// What is beside it is ours as ever.
	s.Hand.Patch(t, s.object(t, "Deployment", "back"), `{"metadata": {"annotations": {"example.com/other": "theirs"}}, "spec": {"minReadySeconds": 7}}`)
	eventually(t, "the drift is seen", func() string { return blank(s.observe(t).Drifted(), "not drifted") })
	want := []string{`update Deployment back metadata.annotations["example.com/other"]: theirs → ours`, "update Deployment back spec.minReadySeconds: 7 → 1"}
	if diff := cmp.Diff(want, differences(s.compare(t, d))); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	d.LeaveAlone = false
	if changed := s.applied(t, d); len(changed) != 1 || !changed["Deployment back"] {
		t.Errorf("changed %v, want the Deployment", changed)
	}
	// And a new revision goes out around it.
	d = s.listed(t, "minReadySeconds: 1", "minReadySeconds: 2", "app:1.0", "app:2.0", "[a, b, c]", "[a, b, d]", "replicas: 1", "replicas: 5")
	want = []string{"update Deployment back spec.minReadySeconds: 1 → 2", "update Deployment back spec.template.spec.containers[name=app].args: [a " + s.second() + " c] → [a " + s.second() + " d]"}
	if diff := cmp.Diff(want, differences(s.compare(t, d))); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	s.applied(t, d)
	if diff := strings.ReplaceAll(s.theirs(t), " ", ""); !strings.Contains(diff, `"c"`) || strings.Contains(diff, "app:2.0") {
		t.Errorf("after the new revision (-want +got):\n%s", diff)
	}
	s.settled(t, d)
}

func testIgnoreChanges(t *testing.T, s *scene) {
	d := s.listed(t)
	ours := d
	ours.Ignore, ours.LeaveAlone, d.LeaveAlone = nil, false, false
	s.settle(t, ours)
	if changed := s.applied(t, d); len(changed) > 0 {
		t.Errorf("a list of what is ignored changed %v", changed)
	}
	s.Hand.Patch(t, s.object(t, "ConfigMap", "back"), othersConfig)
	s.Hand.Patch(t, s.object(t, "Deployment", "back"), strings.Replace(othersDeployment, "SECOND", s.second(), 1))
	if changed := s.applied(t, d); len(changed) > 0 {
		t.Errorf("changed %v, want nothing", changed)
	}
	if diff := s.theirs(t); diff != "" {
		t.Errorf("put back what is left to others (-want +got):\n%s", diff)
	}
	// What leaves the list is ours again, though no file has changed.
	eventually(t, "the field of each rule but that of nothing differs", func() string { // the place's own controllers still write beside the hand
		got := differences(s.compare(t, ours))
		return blank(len(got) == len(s.ignoring())-1, fmt.Sprint(got))
	})
	if changed := s.applied(t, ours); len(changed) != 2 {
		t.Errorf("changed %v, want both objects", changed)
	}
	if got := s.fields(t); got["ConfigMap data.GREETING"] != "hello" || got["Deployment spec.replicas"] != int64(1) {
		t.Errorf("without the list there is %v, want what the files say", got)
	}
	s.healthy(t)
	s.settled(t, ours)
}
