package render

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

var update = flag.Bool("update", false, "write testdata/golden")

const examples = "../../examples"

// sample is an environment of the sample application.
func sample(tb testing.TB) Input {
	tb.Helper()
	return inputOf(tb, filepath.Join(examples, "shop"))
}

// bare is the sample without what names its components: for other components.
func bare(tb testing.TB) Input {
	tb.Helper()
	in := sample(tb)
	in.Blueprint.Parameters, in.Blueprint.Computed = nil, nil
	return in
}

func inputOf(tb testing.TB, dir string) Input {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(dir, blueberry.BlueprintFile))
	if err != nil {
		tb.Fatal(err)
	}
	b, err := ParseBlueprint(content)
	if err != nil {
		tb.Fatal(err)
	}
	return Input{
		Project:   blueberry.Project{Name: blueberry.DefaultProject},
		Name:      "pr-1",
		Namespace: "default-pr-1",
		Revision:  1,
		Domain:    "localhost",
		Blueprint: b,
		Source:    os.DirFS(dir),
	}
}

// invalid gives the faults of an error of kind Invalid.
func invalid(tb testing.TB, err error) []blueberry.Fault {
	tb.Helper()
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Invalid {
		tb.Fatalf("want an Invalid error, got %v", err)
	}
	return e.Fields
}

// TestGolden holds every byte of every sample that is shipped. Run with -update after a change that is meant.
func TestGolden(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob(filepath.Join(examples, "*", blueberry.BlueprintFile))
	if err != nil || len(samples) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, s := range samples {
		r, err := Environment(inputOf(t, filepath.Dir(s)))
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		golden := filepath.Join("testdata", "golden", filepath.Base(filepath.Dir(s)))
		if *update {
			if err := os.MkdirAll(golden, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range r.Files {
			name := filepath.Join(golden, f.Name)
			if *update {
				if err := os.WriteFile(name, f.Content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(f.Content)); diff != "" {
				t.Errorf("%s: (-golden +now)\n%s", name, diff)
			}
		}
	}
}

// TestSameInputSameBytes also runs many renderings at once: they share the embedded chart.
func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	in := sample(t)
	first, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		t.Run("again", func(t *testing.T) {
			t.Parallel()
			again, err := Environment(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, again); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStoredBlueprint: a blueprint that went through JSON, as the record keeps it, renders to the same bytes.
func TestStoredBlueprint(t *testing.T) {
	t.Parallel()
	in := sample(t)
	in.Blueprint.Components[0].Values["replicas"] = 3
	first, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(in.Blueprint)
	if err != nil {
		t.Fatal(err)
	}
	in.Blueprint = blueberry.Blueprint{}
	if err := json.Unmarshal(stored, &in.Blueprint); err != nil {
		t.Fatal(err)
	}
	again, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	if first.Digest != again.Digest {
		t.Error("the stored blueprint renders to something else")
	}
}

// TestPullRulesAreInNoRendering: two blueprints that differ in what they say of pull requests, and of the files that components are built from, render the same.
func TestPullRulesAreInNoRendering(t *testing.T) {
	t.Parallel()
	in := sample(t)
	first, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Blueprint.PullRequests = blueberry.PullRules{Off: true, Labels: []string{"preview"}, AtOnce: 1, Hours: 9, Paths: []string{"src"}}
	again, err := Environment(in)
	if err != nil || again.Digest != first.Digest {
		t.Errorf("the rendering is another one: %v", err)
	}
}

// decodeFiles gives every object of a rendering by "Kind name".
func decodeFiles(t *testing.T, r Output) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for _, f := range r.Files {
		all, found := readManifests(f.Name, string(f.Content))
		if len(found) > 0 {
			t.Fatal(found)
		}
		var refs []blueberry.ObjectRef
		for _, m := range all {
			out[m.kind()+" "+m.name()] = m.object
			refs = append(refs, m.ref())
		}
		if diff := cmp.Diff(refs, f.Objects); diff != "" {
			t.Errorf("%s: Objects differ from Content: %s", f.Name, diff)
		}
	}
	return out
}

// TestRevisionRestartsNothing: another revision of the same blueprint differs in the revision label and nowhere in a pod.
func TestRevisionRestartsNothing(t *testing.T) {
	t.Parallel()
	in := sample(t)
	one, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Revision = 2
	two, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	a, b := decodeFiles(t, one), decodeFiles(t, two)
	for name, object := range a {
		if cmp.Equal(object, b[name]) {
			t.Errorf("%s does not carry its revision", name)
		}
		for _, template := range podTemplates(object) {
			if at(template, "metadata", "labels", blueberry.LabelRevision) != nil {
				t.Errorf("the pods of %s carry a revision", name)
			}
		}
		delete(child(object, "metadata", "labels"), blueberry.LabelRevision)
		delete(child(b[name], "metadata", "labels"), blueberry.LabelRevision)
		if diff := cmp.Diff(object, b[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	r, err := renderTree(t, chartOf(`
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  labels: {app.kubernetes.io/managed-by: Helm, app.kubernetes.io/name: postgres, blueberry.dev/project: stolen}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b, blueberry.dev/revision: "9"}}, spec: {containers: []}}
  volumeClaimTemplates: [{metadata: {name: data}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {jobTemplate: {spec: {template: {spec: {}}}}}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := decodeFiles(t, r)
	ours := map[string]any{"blueberry.dev/project": "default", "blueberry.dev/environment": "pr-1", "blueberry.dev/component": "web"}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for _, m := range []map[string]any{ours, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	db, cron := got["StatefulSet db"], got["CronJob nightly"]
	for reason, c := range map[string]struct{ want, got any }{
		"the chart's words stay, ours win": {with(map[string]any{
			"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": "postgres", "app.kubernetes.io/instance": "web",
			"app.kubernetes.io/component": "web", "app.kubernetes.io/part-of": "shop", "blueberry.dev/revision": "1",
		}), at(db, "metadata", "labels")},
		"selectors are left alone":      {map[string]any{"a": "b"}, at(db, "spec", "selector", "matchLabels")},
		"pods carry no revision":        {with(map[string]any{"a": "b"}), at(db, "spec", "template", "metadata", "labels")},
		"claims are labelled":           {ours, at(list(db, "spec", "volumeClaimTemplates")[0], "metadata", "labels")},
		"jobs of a CronJob":             {ours, at(cron, "spec", "jobTemplate", "metadata", "labels")},
		"pods of the jobs of a CronJob": {ours, at(cron, "spec", "jobTemplate", "spec", "template", "metadata", "labels")},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", reason, diff)
		}
	}
}

// TestTellsEverythingAtOnce: faults of several components, of schema and templates and objects, in one answer.
func TestTellsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	in := bare(t)
	in.Source = chartOf("apiVersion: v1\nkind: Node\nmetadata: {name: x}\n")
	in.Blueprint.Components = []blueberry.Component{
		{Name: "one", Image: "a:1", Values: map[string]any{
			"replicas": 0, "typo": 1, "env": map[string]any{"BAD-NAME": "x"}, "ingress": map[string]any{"paths": []any{"/", "x"}},
		}},
		{Name: "two", Chart: "c"},
		{Name: "three", Chart: "nowhere"},
		{Name: "four", Image: "a:1", Values: map[string]any{"blueberry": map[string]any{"host": "mine"}}},
	}
	var got []string
	_, err := Environment(in)
	for _, f := range invalid(t, err) {
		got = append(got, f.Field+" "+f.Code)
	}
	slices.Sort(got)
	want := []string{
		"components[0].values.env.BAD-NAME unknown",
		"components[0].values.ingress.paths[1] schema",
		"components[0].values.replicas schema",
		"components[0].values.typo unknown",
		"components[1] cluster_kind",
		"components[2].chart chart",
		"components[3].values.blueberry computed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s\n%v", diff, err)
	}
}

func TestSourceRequired(t *testing.T) {
	t.Parallel()
	in := bare(t)
	in.Source = nil
	in.Blueprint.Components = []blueberry.Component{{Name: "a", Chart: "c"}, {Name: "b", Kustomization: "k"}}
	_, err := Environment(in)
	if faults := invalid(t, err); len(faults) != 2 || faults[0].Field != "components[0].chart" || faults[1].Field != "components[1].kustomization" {
		t.Errorf("got %v", faults)
	}
}

// TestComputed: a chart of the repository finds what the platform computes, even when its schema allows nothing beside its own.
func TestComputed(t *testing.T) {
	t.Parallel()
	tree := chartOf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {host: {{ .Values.global.blueberry.host }}}\n",
		"values.schema.json", `{"type":"object","additionalProperties":false}`)
	r, err := renderTree(t, tree, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host := at(decodeFiles(t, r)["ConfigMap x"], "data", "host"); host != "web-pr-1.localhost" {
		t.Errorf("host is %v", host)
	}
	_, err = renderTree(t, chartOf(""), map[string]any{"global": map[string]any{"blueberry": map[string]any{"host": "mine"}}})
	if faults := invalid(t, err); len(faults) != 1 || faults[0].Field != "components[0].values.global.blueberry" {
		t.Errorf("got %v", faults)
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	in := sample(t)
	r, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"frontend-pr-1.localhost"}, r.Hosts); diff != "" {
		t.Error(diff)
	}
	in.Domain = ""
	if r, err = Environment(in); err != nil {
		t.Fatal(err)
	}
	if len(r.Hosts) != 0 {
		t.Errorf("no domain, yet %v", r.Hosts)
	}
	if decodeFiles(t, r)["Ingress frontend"] != nil {
		t.Error("no domain, yet an Ingress")
	}
}
