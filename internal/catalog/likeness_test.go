package catalog

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// valuePaths are paths of the built-in chart's values, with values that fit and some that do not.
func valuePaths() map[string][]any {
	return map[string][]any{
		"replicas": {1.0, 2.0, nil, "many"}, "image": {"acme/a:1", "acme/b:2", nil}, "port": {80.0, 90.0}, "health": {"/a", "/b"},
		"env": {nil, map[string]any{}}, "env.A": {"x", "y", nil, map[string]any{"secretRef": "db/a"}, []any{1.0}}, "env.B": {"x", 1.0, nil}, "env.C": {"x"},
		"resources": {nil}, "resources.requests": {nil}, "resources.requests.cpu": {"100m", "200m", nil, 1.0}, "resources.limits.memory": {"1Gi", "2Gi", true},
		"autoscaling.enabled": {true, false, nil}, "autoscaling.maxReplicas": {3.0, 9.0, nil}, "ingress.public": {true, false}, "ingress.paths": {[]any{"/"}, []any{"/x"}},
		"probes.startup.periodSeconds": {5.0, nil}, "nowhere": {1.0}, "nowhere.a": {1.0, 2.0},
	}
}

// document draws values for some components, beside those that it begins with.
func document(t *rapid.T, name string, from map[string]any, most int) map[string]any {
	doc := clone(from)
	paths := valuePaths()
	names := rapid.SampledFrom([]string{"all", "backend", "frontend"})
	keys := rapid.SampledFrom(slices.Sorted(maps.Keys(paths)))
	for range rapid.IntRange(0, most).Draw(t, name) {
		component, path := names.Draw(t, "component"), keys.Draw(t, "path")
		put(doc, component+"."+path, rapid.SampledFrom(paths[path]).Draw(t, "value"))
	}
	return doc
}

func clone(m map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if below, ok := v.(map[string]any); ok {
			v = clone(below)
		}
		out[k] = v
	}
	return out
}

func put(doc map[string]any, path string, v any) {
	keys, _ := blueberry.SplitPath(path)
	for _, k := range keys[:len(keys)-1] {
		below, ok := doc[k].(map[string]any)
		if !ok {
			below = map[string]any{}
			doc[k] = below
		}
		doc = below
	}
	doc[keys[len(keys)-1]] = v
}

// TestWhatIsAlikeChangesAlike: when two groups are alike and neither is at fault before, the change does the same to both. That is what lets ten thousand
// groups be judged by a few.
func TestWhatIsAlikeChangesAlike(t *testing.T) {
	t.Parallel()
	alike := 0
	check := func(t *rapid.T) {
		was := blueberry.ConfigVersion{SetID: "set", Number: 1, Values: document(t, "was", nil, 3)}
		next := blueberry.ConfigVersion{SetID: "set", Number: 2, Values: document(t, "next", was.Values, 2)}
		b := blueberry.Blueprint{
			Name: "shop", Components: []blueberry.Component{{Name: "backend", Image: "acme/a:1"}, {Name: "frontend", Image: "acme/b:1", Values: map[string]any{"env": map[string]any{"A": "z"}}}},
			Parameters: []blueberry.Parameter{{Name: "a", Sets: []string{"all.env.A"}}, {Name: "c", Sets: []string{"frontend.env.C"}}},
			Fields: blueberry.FieldClasses{
				Required:  rapid.SampledFrom([][]string{nil, {"backend.env.A"}, {"*.env"}, {"*.nowhere"}}).Draw(t, "required"),
				Forbidden: rapid.SampledFrom([][]string{nil, {"*.resources"}, {"backend.env.A"}}).Draw(t, "forbidden"),
			},
		}
		if rapid.Bool().Draw(t, "schema") {
			b.Schema = map[string]any{"properties": map[string]any{"backend": map[string]any{"properties": map[string]any{"replicas": map[string]any{"maximum": 1.0}}}}}
		}
		common := rapid.SampledFrom([]string{"env.A", "replicas", "nowhere.a"}).Draw(t, "common")
		value := rapid.SampledFrom(valuePaths()[common]).Draw(t, "value")
		var sides [2]merged
		for i := range sides {
			overrides := document(t, "overrides", nil, 2)
			put(overrides, "backend."+common, value)
			in := blueberry.Inputs{
				Blueprint: b, Overrides: overrides, Parameters: map[string]any{"c": rapid.SampledFrom([]string{"p", "q"}).Draw(t, "parameter")},
				Config: []blueberry.ConfigUse{{ConfigRef: blueberry.ConfigRef{Name: "shop"}, SetID: "set", Number: 1}},
			}
			sides[i] = merged{inputs: in, touched: touchedBy(was, next)}
			sides[i].before = render.Input{
				Project: blueberry.Project{Name: "default"}, Name: "pr-1", Namespace: "default-pr-1", Revision: 1, Domain: "invalid", Blueprint: b, Parameters: in.Parameters,
				Layers: in.Layers(func(blueberry.ConfigUse) blueberry.ConfigVersion { return was }),
			}
			sides[i].after = sides[i].before
			in.Config[0].Number = 2
			sides[i].after.Layers = in.Layers(func(blueberry.ConfigUse) blueberry.ConfigVersion { return next })
			in.Config[0].Number = 1
		}
		one, ok := sides[0].likeness()
		two, ok2 := sides[1].likeness()
		if !ok || !ok2 {
			t.Fatal("these blueprints have rules of single paths only")
		}
		if one != two {
			return
		}
		var groups [2]group
		for i, m := range sides {
			if err := groups[i].merge(m.before, m.after); err != nil {
				t.Fatal(err)
			}
			if _, _, err := render.Settings(m.before); err != nil {
				if !errors.Is(err, blueberry.Invalid) {
					t.Fatal(err)
				}
				return // what is at fault is compared by itself
			}
		}
		alike++
		if diff := cmp.Diff(groups[0].ImpactGroup, groups[1].ImpactGroup); diff != "" {
			t.Fatalf("overrides %v and %v, version %v after %v\n%s", sides[0].inputs.Overrides, sides[1].inputs.Overrides, next.Values, was.Values, diff)
		}
	}
	for range 10 { // few pairs are alike
		rapid.Check(t, check)
	}
	if alike == 0 {
		t.Error("no pair was alike: the test says nothing")
	}
}

func TestSchemasThatLookAtMoreThanOneValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		schema map[string]any
		want   bool
	}{
		"values":     {"each by itself", map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"maximum": 1.0, "items": map[string]any{"required": []any{"x"}}}}, "additionalProperties": false}, true},
		"required":   {"what is there depends on what is beside it", map[string]any{"properties": map[string]any{"a": map[string]any{"required": []any{"b"}}}}, false},
		"conditions": {"they compare", map[string]any{"if": true, "then": false}, false},
		"choice":     {"they compare", map[string]any{"additionalProperties": map[string]any{"anyOf": []any{true}}}, false},
		"elsewhere":  {"nobody knows what is there", map[string]any{"patternProperties": map[string]any{"^a": map[string]any{"$ref": "#/$defs/x"}}}, false},
		"new":        {"a word that nobody knew here", map[string]any{"frobnicate": 1.0}, false},
		"no schema":  {"it says nothing that can be understood", map[string]any{"additionalProperties": 3.0}, false},
	} {
		if got := isLocal(c.schema); got != c.want {
			t.Errorf("%s: %v, want %v, because %s", name, got, c.want, c.reason)
		}
	}
	wild := merged{inputs: blueberry.Inputs{Blueprint: blueberry.Blueprint{Fields: blueberry.FieldClasses{Required: []string{"backend.env.DB_*"}}}}}
	if _, ok := wild.likeness(); ok {
		t.Error("a required pattern looks at more than one value")
	}
}
