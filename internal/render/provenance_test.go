package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Values of random stacks. The first letter of a key says what it holds, so that few stacks contradict themselves: m a mapping, s a scalar, a reference or a
// list. Subcharts and globals are mappings too.
func randomLeaf() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just[any](nil), rapid.Just[any](true), rapid.Map(rapid.IntRange(0, 3), func(i int) any { return float64(i) }),
		rapid.Map(rapid.SampledFrom([]string{"", "u", "v", "w"}), func(s string) any { return s }),
		rapid.Map(rapid.SampledFrom([]string{"db/a", "db/b"}), func(s string) any { return map[string]any{"secretRef": s} }),
		rapid.Just[any]([]any{}), rapid.Just[any]([]any{1.0, nil, map[string]any{"k": "v"}}),
	)
}

func randomValues(depth int, keys ...string) *rapid.Generator[map[string]any] {
	keys = append([]string{"m", "m2", "m.3", "s", "s2", "s 3", "s4", "global"}, keys...)
	return rapid.Custom(func(t *rapid.T) map[string]any {
		out := map[string]any{}
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 0, 5, rapid.ID[string]).Draw(t, "keys") {
			isLeaf := key[0] == 's'
			if key != "global" && rapid.IntRange(0, 400).Draw(t, "odd") == 400 { // a layer that contradicts another
				isLeaf = !isLeaf
			}
			switch {
			case isLeaf:
				out[key] = randomLeaf().Draw(t, "leaf")
			case rapid.IntRange(0, 9).Draw(t, "null") == 9:
				out[key] = nil
			case depth > 0:
				below := keys[8:]
				if key != "global" && !slices.Contains(below, key) {
					below = nil
				}
				out[key] = randomValues(depth-1, below...).Draw(t, "below")
			default:
				out[key] = map[string]any{}
			}
		}
		return out
	})
}

// randomChart is a chart "umbrella" with charts a (which has c) and b in it, each with values of its own; b may have another name, be disabled, or give
// values to the one above.
func randomChart() *rapid.Generator[fs.FS] {
	return rapid.Custom(func(t *rapid.T) fs.FS {
		tree := fstest.MapFS{}
		write := func(dir, meta string, keys ...string) {
			content, err := json.Marshal(randomValues(3, keys...).Draw(t, "values of "+dir))
			if err != nil {
				t.Fatal(err)
			}
			tree[dir+"/Chart.yaml"] = &fstest.MapFile{Data: []byte("apiVersion: v2\nversion: 1.0.0\n" + meta)}
			tree[dir+"/values.yaml"] = &fstest.MapFile{Data: content}
		}
		meta := "name: umbrella\n"
		if rapid.Bool().Draw(t, "named") {
			meta += "dependencies:\n- {name: a, version: 1.0.0, repository: 'https://example.invalid'}\n- {name: b, version: 1.0.0, repository: 'https://example.invalid'"
			for _, more := range []string{", alias: d", ", condition: s.on", ", import-values: [{child: m, parent: m2}]", ", tags: [t]"} {
				if rapid.IntRange(0, 2).Draw(t, "more") == 0 {
					meta += more
				}
			}
			meta += "}\n"
		}
		write("chart", meta, "a", "b", "d")
		write("chart/charts/a", "name: a\n", "c")
		write("chart/charts/a/charts/c", "name: c\n")
		write("chart/charts/b", "name: b\n")
		return tree
	})
}

// randomStack is an input of one component with its chart and up to six layers.
func randomStack() *rapid.Generator[Input] {
	return rapid.Custom(func(t *rapid.T) Input {
		doc := func() map[string]any {
			out := map[string]any{}
			for _, key := range []string{blueberry.AllComponents, "web"} {
				if rapid.IntRange(0, 3).Draw(t, "has") > 0 {
					out[key] = randomValues(4, "a", "b", "c", "d").Draw(t, key)
				}
			}
			return out
		}
		own, _ := doc()["web"].(map[string]any)
		in := Input{
			Project: blueberry.Project{Name: "shop"}, Name: "pr-1", Namespace: "shop-pr-1", Revision: 1, Domain: "localhost", SourceCommit: "c0ffee",
			Source:    randomChart().Draw(t, "chart"),
			Blueprint: blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Chart: "chart", Values: own}}},
		}
		n := rapid.IntRange(0, 5).Draw(t, "layers")
		for i := range n {
			l := blueberry.Layer{Origin: blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: fmt.Sprintf("set%d", i), Version: i + 1}, Field: fmt.Sprintf("config_sets.set%d", i), Values: doc()}
			if i == n-1 && rapid.Bool().Draw(t, "override") {
				l.Origin, l.Field = blueberry.Origin{Layer: blueberry.LayerEnvironment}, "overrides"
			}
			in.Layers = append(in.Layers, l)
		}
		return in
	})
}

// documents lists what each layer says to the component, lowest first.
func documents(in Input) (origins []blueberry.Origin, docs []map[string]any) {
	add := func(o blueberry.Origin, v any) {
		if m, ok := v.(map[string]any); ok {
			origins, docs = append(origins, o), append(docs, m)
		}
	}
	add(blueberry.Origin{Layer: blueberry.LayerBlueprint, Commit: in.SourceCommit}, in.Blueprint.Components[0].Values)
	for _, l := range in.Layers {
		add(l.Origin, l.Values[blueberry.AllComponents])
		add(l.Origin, l.Values["web"])
	}
	return origins, docs
}

// helmMerge is what the helm CLI makes of the layers as files, and of the chart's defaults below them.
func helmMerge(in Input) (files, effective map[string]any, err error) {
	_, docs := documents(in)
	files = map[string]any{}
	for _, d := range docs {
		files = loader.MergeMaps(files, d)
	}
	c, err := loadChart(in.Source, "chart")
	if err != nil {
		return nil, nil, err
	}
	if err := chartutil.ProcessDependencies(c, files); err != nil {
		return nil, nil, err
	}
	effective, err = util.CoalesceValues(c, files)
	return files, effective, err
}

// leaves lists the leaves of values by path. Nulls are left out: to a template they are not there.
func leaves(path string, v any, out map[string]any) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 || blueberry.IsSecretRef(v) {
		if v != nil {
			out[path] = v
		}
		return
	}
	for k, x := range m {
		leaves(blueberry.JoinPath(path, k), x, out)
	}
}

// replay applies the chain of every setting, lowest layer first, and gives what comes of it.
func replay(settings []blueberry.Setting) map[string]any {
	out := map[string]any{}
	for _, s := range settings {
		for _, shadow := range slices.Backward(s.Shadows) {
			out[s.Path] = shadow.Value
		}
		if out[s.Path] = s.Value; s.Deleted || s.Value == nil {
			delete(out, s.Path)
		}
	}
	return out
}

// TestProvenance: for random stacks over random charts, replaying the provenance gives what Helm makes of the same layers; the layer that a setting names has
// the value, no layer above it has another, and what it shadows stands in the order of the layers.
func TestProvenance(t *testing.T) {
	merged, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in := randomStack().Draw(t, "stack")
		settings, _, err := Settings(in)
		if err != nil {
			refused++
			var e *blueberry.Error
			if !errors.As(err, &e) || slices.ContainsFunc(e.Fields, func(f blueberry.Fault) bool { return f.Code != "type" }) {
				if _, _, theirs := helmMerge(in); theirs == nil {
					t.Fatalf("refused, and neither for a contradiction nor by helm: %v", err)
				}
			}
			return
		}
		merged++
		files, effective, err := helmMerge(in)
		if err != nil {
			t.Fatalf("helm refuses it: %v", err)
		}
		want := map[string]any{}
		leaves("web", effective, want)
		delete(want, "web.global") // there the platform puts its own
		got := replay(settings)
		for path, v := range want { // what Helm makes for the charts in a chart, though nobody says so
			if m, ok := v.(map[string]any); ok && len(m) == 0 && got[path] == nil && madeByHelm(path) {
				delete(want, path)
			}
		}
		for path := range got {
			if strings.HasPrefix(path, "web.global.blueberry.") {
				delete(got, path)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-helm +replayed)\n%s", diff)
		}
		for _, s := range settings {
			if s.Layer != blueberry.LayerComputed {
				checkChain(t, in, files, s)
			}
		}
		again, _, err := Settings(in)
		if diff := cmp.Diff(settings, again); err != nil || diff != "" {
			t.Fatalf("the same input, another answer: %v %s", err, diff)
		}
	})
	if refused > merged {
		t.Errorf("%d stacks of %d contradict themselves: that proves too little", refused, merged+refused)
	}
}

func madeByHelm(path string) bool {
	keys, _ := blueberry.SplitPath(path)
	return slices.Contains([]string{"global", "a", "b", "c", "d"}, keys[len(keys)-1])
}

// isNothing: an empty mapping that is merged with a reference changes nothing.
func isNothing(v, effective any) bool {
	m, ok := v.(map[string]any)
	return ok && len(m) == 0 && blueberry.IsSecretRef(effective)
}

// checkChain holds one setting against the documents of the layers.
func checkChain(t *rapid.T, in Input, files map[string]any, s blueberry.Setting) {
	keys, _ := blueberry.SplitPath(s.Path)
	keys = keys[1:]
	origins, docs := documents(in)
	if slices.Contains(keys[1:], "global") {
		return // globals of a chart above come in between: TestLayers
	}
	rank := func(o blueberry.Origin) int {
		if o.Layer == blueberry.LayerChart {
			return -1 - strings.Count(o.Name, "/")
		}
		return slices.Index(origins, o)
	}
	last := -1 // the highest document that has the path, or a null above it
	for i, d := range docs {
		if v, ok := (&share{values: d}).at(keys); ok && !isNothing(v, s.Value) {
			last = i
		}
	}
	v, set := (&share{values: files}).at(keys)
	set = set && !isNothing(v, s.Value) && (v != nil || s.Value == nil) // a null for a chart in the chart brings its defaults back
	switch {
	case s.Deleted:
		if rank(s.Origin) < 0 {
			break // one chart took it away from a chart in it
		}
		found := false
		for n := 1; n <= len(keys); n++ {
			v, ok := (&share{values: files}).at(keys[:n])
			found = found || ok && v == nil
		}
		if !found {
			t.Fatalf("%s: says it is deleted by %v, and no layer's null is left", s.Path, s.Origin)
		}
	case set && s.Layer == blueberry.LayerChart:
		t.Fatalf("%s: says the chart set it; layer %v did", s.Path, origins[last])
	case set && origins[last] != s.Origin:
		t.Fatalf("%s: says %v set it; %v did", s.Path, s.Origin, origins[last])
	case !set && keys[0] == "global": // Helm carried it up from a chart in the chart
	case !set && s.Layer != blueberry.LayerChart:
		var all []any
		for _, d := range docs {
			all = append(all, d[keys[0]])
		}
		t.Fatalf("%s: says %v set it; no layer did: %+v, %v", s.Path, s.Origin, s, all)
	}
	for before, x := rank(s.Origin), 0; x < len(s.Shadows); x++ {
		now := rank(s.Shadows[x].Origin)
		if now > before {
			t.Fatalf("%s: what it shadows is not in the order of the layers: %v behind rank %d", s.Path, s.Shadows[x].Origin, before)
		}
		before = now
	}
}
