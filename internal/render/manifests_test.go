package render

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// awkward are objects whose texts and numbers are easily lost on the way through YAML.
const awkward = `
apiVersion: v1
kind: ConfigMap
metadata: {name: texts, labels: {blueberry.dev/revision: "77"}}
data:
  a: "---\n# not a document\n---\n"
  b: |+
    ends in empty lines


  c: "  blueberry.dev/revision: \"1\"\n"
  d: "0755"
  e: "1e3"
  f: "yes"
  g: "\ttab\u00a0\u2028"
  h: ""
---
apiVersion: example.dev/v1
kind: Thing
metadata: {name: numbers, annotations: {n: "1"}}
spec: {a: 1, b: 1.5, c: 9223372036854775807, d: 1e21, e: -0.0, f: null, g: [], h: {}, i: true, j: 12345678901234567890}
z: |+
  the last key ends in empty lines


---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 2, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: 'c:1'}]}}}
`

// everySample gives inputs of every sample, of every chart of the corpus, and of awkward objects.
func everySample(t *testing.T) map[string]Input {
	t.Helper()
	out := map[string]Input{"shop": sample(t), "layers": shop(), "score": scoreInput(scoreFile)}
	charts, err := filepath.Glob(filepath.Join(corpus, "*"))
	if err != nil || len(charts) == 0 {
		t.Fatal(err)
	}
	for _, c := range append(charts, "awkward") {
		in := bare(t)
		in.Source = os.DirFS(corpus)
		in.APIVersions = []string{"cert-manager.io/v1"}
		name := filepath.Base(c)
		in.Blueprint.Components = []blueberry.Component{{Name: "web", Chart: name}}
		if name == "awkward" {
			in.Source = chartOf(awkward)
			in.Blueprint.Components[0].Chart = "c"
		}
		in.Project.ClusterKinds = []string{"CustomResourceDefinition", "ClusterRole", "Namespace"}
		if _, err := Environment(in); err != nil {
			t.Logf("%s does not render by itself: %v", name, err)
			continue
		}
		out[name] = in
	}
	return out
}

// TestRelabel: the same manifests as another revision are what rendering as that revision gives, byte for byte.
func TestRelabel(t *testing.T) {
	t.Parallel()
	samples := everySample(t)
	if len(samples) < 6 {
		t.Fatalf("only %d samples", len(samples))
	}
	for name, in := range samples {
		first, err := Environment(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		in.Revision = 42
		want, err := Environment(in)
		if err != nil {
			t.Fatal(err)
		}
		before := first.Digest
		got, err := Relabel(first.Rendering, 42)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want.Rendering, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if blueberry.DigestOf(first.Files) != before {
			t.Errorf("%s: the rendering itself was changed", name)
		}
		back, err := Relabel(got, in.Revision-41)
		if err != nil || back.Digest != first.Digest {
			t.Errorf("%s: there and back is another: %v", name, err)
		}
	}
	if _, err := Relabel(blueberry.Rendering{Files: []blueberry.RenderedFile{{Name: "x", Content: []byte("kind: X\n")}}}, 1); err == nil {
		t.Error("a file that write did not make is taken")
	}
}

func TestManifests(t *testing.T) {
	t.Parallel()
	r, err := renderTree(t, chartOf(awkward), nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Manifests(r.Files)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Manifest{}
	for _, m := range all {
		got[m.Kind+" "+m.Name] = m
	}
	spec := got["Thing numbers"].Object["spec"]
	want := map[string]any{
		"a": int64(1), "b": 1.5, "c": int64(9223372036854775807), "d": 1e21, "e": got["Thing numbers"].Object["spec"].(map[string]any)["e"], "f": nil, "g": []any{}, "h": map[string]any{}, "i": true,
		"j": 12345678901234567890.0,
	}
	if diff := cmp.Diff(want, spec); diff != "" {
		t.Error(diff)
	}
	data := got["ConfigMap texts"].Object["data"].(map[string]any)
	if data["b"] != "ends in empty lines\n\n\n" || data["a"] != "---\n# not a document\n---\n" || data["d"] != "0755" {
		t.Errorf("texts are %q", data)
	}
	if z := got["Thing numbers"].Object["z"]; z != "the last key ends in empty lines\n\n\n" {
		t.Errorf("z is %q", z)
	}
	web := got["Deployment web"]
	if web.Component != "web" || web.APIVersion != "apps/v1" || web.Namespace != "default-pr-1" {
		t.Errorf("%+v", web)
	}
	if ns := got["Namespace default-pr-1"]; ns.Component != blueberry.PlatformComponent || len(all) != r.Count() {
		t.Errorf("%d objects of %d, %+v", len(all), r.Count(), ns)
	}
}

// TestDiff: what differs, object by object; applying it to what was gives what is.
func TestDiff(t *testing.T) {
	t.Parallel()
	render := func(change func(*Input), layers ...blueberry.Layer) Output {
		in := shop(layers...)
		change(&in)
		out, err := Environment(in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	same := func(*Input) {}
	one := render(same)
	cases := map[string]struct {
		to   Output
		want []string // "action Kind name: paths"
	}{
		"nothing":    {one, nil},
		"a revision": {render(func(in *Input) { in.Revision = 9 }), nil},
		"an image":   {render(same, overrides(values{"web": values{"image": "a:2"}})), []string{`update Deployment web: spec.template.spec.containers[name=web].image`}},
		"a new one":  {render(same, overrides(values{"web": values{"egress": []any{values{"cidr": "10.0.0.0/8"}}}})), []string{"create NetworkPolicy web-egress: "}},
		"one that goes": {render(same, overrides(values{"web": values{"ingress": values{"public": false}}})), []string{
			"delete Ingress web: ", "delete NetworkPolicy allow-public-web: ",
		}},
		"a component": {render(func(in *Input) { in.Blueprint.Components = in.Blueprint.Components[:1] }), []string{"delete ConfigMap cache: "}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diffs, err := Diff(one.Files, c.to.Files)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range diffs {
				var paths []string
				for _, f := range d.Fields {
					paths = append(paths, f.Path)
				}
				got = append(got, string(d.Action)+" "+d.Kind+" "+d.Name+": "+strings.Join(paths, " "))
			}
			if diff := cmp.Diff(c.want, sorted(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			applyDiff(t, one, c.to, diffs)
		})
	}
}

func applyDiff(t *testing.T, from, to Output, diffs []blueberry.ObjectDiff) {
	t.Helper()
	objects := func(o Output) map[string]map[string]any {
		all, err := Manifests(o.Files)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]map[string]any{}
		for _, m := range all {
			out[m.String()] = withoutRevision(m.Object)
		}
		return out
	}
	got := objects(from)
	for _, d := range diffs {
		after, err := blueberry.ApplyFields(got[d.String()], d.Fields)
		if err != nil {
			t.Fatalf("%s: %v", d.ObjectRef, err)
		}
		if got[d.String()] = after; after == nil {
			delete(got, d.String())
		}
	}
	if diff := cmp.Diff(objects(to), got); diff != "" {
		t.Errorf("applied, it is not what it should be: (-want +got)\n%s", diff)
	}
}

// TestSourceLine: the line that says where an object is from cannot bring anything else.
func TestSourceLine(t *testing.T) {
	t.Parallel()
	name := "c/templates/x\n---\napiVersion: v1\nkind: Node\nmetadata: {name: stolen}\n---\n# .yaml"
	r, err := renderTree(t, fstest.MapFS{
		"c/Chart.yaml": {Data: []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n")},
		name:           {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")},
	}, nil)
	if err != nil {
		return // the chart is refused: as good
	}
	all, err := Manifests(r.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Kind == "Node" {
			t.Error("the name of a file became an object")
		}
	}
	if len(all) != r.Count() || bytes.Contains(r.Files[1].Content, []byte("\nkind: Node")) {
		t.Errorf("%d objects, %d were meant:\n%s", len(all), r.Count(), r.Files[1].Content)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if v := Version(); !strings.HasPrefix(v, "sha256:") || v != Version() || len(v) != len("sha256:")+64 {
		t.Errorf("version is %q", v)
	}
}
