package target_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

func object() map[string]any {
	return map[string]any{
		"spec": map[string]any{
			"replicas":   int64(1),
			"containers": []any{map[string]any{"name": "app", "image": "a:1"}, map[string]any{"name": "side", "args": []any{"x", "y"}}},
		},
		"metadata": map[string]any{"annotations": map[string]any{"example.com/a": "b"}},
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	like := object()
	like["spec"].(map[string]any)["volumes"] = []any{map[string]any{"name": "v", "size": "1"}}
	const none = "(none)"
	cases := map[string]struct {
		reason string
		path   string
		was    any
		set    any // what is there after setting "new"; nil when that changes nothing
		added  bool
	}{
		"a field":                   {reason: "of a map of a map", path: "spec.replicas", was: int64(1), set: "new"},
		"a key with dots":           {reason: "keys are quoted in brackets", path: `metadata.annotations["example.com/a"]`, was: "b", set: "new"},
		"an item by its name":       {reason: "as differences name it", path: "spec.containers[name=app].image", was: "a:1", set: "new"},
		"an item by its place":      {reason: "as differences name it", path: "spec.containers[1].args[0]", was: "x", set: "new"},
		"a field that is not there": {reason: "maps are made on the way", path: "status.deep.field", was: none, set: "new"},
		"an item after the last":    {reason: "a list grows at its end", path: "spec.containers[1].args[2]", was: none, set: "new"},
		"an item beyond":            {reason: "a list has no holes", path: "spec.containers[1].args[3]", was: none},
		"a field of another item":   {reason: "an item that is not wanted is not made for a field of it", path: "spec.containers[name=old].image", was: none},
		"an item of no list":        {reason: "nor is its list", path: "spec.volumes[name=v].size", was: none},
		"below a value":             {reason: "what has another shape is left alone", path: "spec.replicas.more", was: none},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, ok := blueberry.SplitPath(c.path)
			if !ok {
				t.Fatalf("%s is no path", c.path)
			}
			get := func(o map[string]any) any {
				if v, ok := target.Field(o, keys); ok {
					return v
				}
				return none
			}
			o := object()
			if got := get(o); got != c.was {
				t.Errorf("%s: got %v, want %v", c.reason, got, c.was)
			}
			target.SetField(o, like, keys, "new")
			if c.set == nil {
				if diff := cmp.Diff(object(), o); diff != "" {
					t.Errorf("%s: changed (-before +after):\n%s", c.reason, diff)
				}
				return
			}
			if got := get(o); got != c.set {
				t.Errorf("%s: set, and got %v", c.reason, got)
			}
			target.DropField(o, keys)
			if got := get(o); got == c.set {
				t.Errorf("%s: dropped, and got %v", c.reason, got)
			}
		})
	}
}

func TestAnItemIsAdded(t *testing.T) {
	t.Parallel()
	like := object()
	item := map[string]any{"name": "v"}
	like["spec"].(map[string]any)["volumes"] = []any{item}
	o := object()
	target.SetField(o, like, []string{"spec", "volumes", "name=v"}, item)
	if got, ok := target.Field(o, []string{"spec", "volumes", "0"}); !ok || !blueberry.SameValue(got, item) {
		t.Errorf("got %v, want the item in a list of its own", got)
	}
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	rules := []blueberry.DriftIgnore{
		{Kind: "Deployment", Name: "*", Path: "spec.replicas"},
		{Kind: "Deployment.apps", Name: "back", Path: "spec.replicas"},
		{Kind: "*", Name: "ba?k", Path: "metadata.annotations"},
		{Kind: "Service", Name: "back", Path: "spec"},
	}
	got := target.Ignored(rules, blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Name: "back"})
	if diff := cmp.Diff([]string{"metadata.annotations", "spec.replicas"}, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

// TestFieldsAreThoseOfDifferences: every path of a difference finds the field on the side that has it.
func TestFieldsAreThoseOfDifferences(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := tree(t, 3), tree(t, 3)
		for _, f := range blueberry.DiffFields(before, after) {
			keys, _ := blueberry.SplitPath(f.Path)
			if got, ok := target.Field(before, keys); ok != f.HasBefore || ok && !blueberry.SameValue(got, f.Before) {
				t.Fatalf("%s of %v is %v, want %v", f.Path, before, got, f.Before)
			}
			if got, ok := target.Field(after, keys); ok != f.HasAfter || ok && !blueberry.SameValue(got, f.After) {
				t.Fatalf("%s of %v is %v, want %v", f.Path, after, got, f.After)
			}
		}
	})
}

// tree draws an object.
func tree(t *rapid.T, depth int) map[string]any {
	out := map[string]any{}
	for i := range rapid.IntRange(0, 3).Draw(t, "fields") {
		key := rapid.SampledFrom([]string{"a", "b", "c.d", "name"}).Draw(t, "key")
		switch n := rapid.IntRange(0, 4).Draw(t, "sort"); {
		case n == 0 && depth > 0:
			out[key] = tree(t, depth-1)
		case n == 1 && depth > 0:
			var list []any
			for j := range rapid.IntRange(0, 3).Draw(t, "items") {
				item := tree(t, depth-1)
				item["name"] = fmt.Sprintf("n%d", j)
				list = append(list, item)
			}
			out[key] = list
		case n == 2:
			out[key] = []any{int64(i), "x"}
		default:
			out[key] = rapid.SampledFrom([]any{"x", "y", int64(1), true, nil}).Draw(t, "value")
		}
	}
	return out
}
