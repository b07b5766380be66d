package blueberry_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type object = map[string]any

// lines gives fields as people would read them.
func lines(diff []blueberry.FieldDiff) []string {
	var out []string
	for _, d := range diff {
		text := func(v any, there bool) string {
			if !there {
				return "-"
			}
			b, err := json.Marshal(v)
			if err != nil {
				return err.Error()
			}
			return string(b)
		}
		line := fmt.Sprintf("%s: %s > %s", d.Path, text(d.Before, d.HasBefore), text(d.After, d.HasAfter))
		if d.Index > 0 {
			line += fmt.Sprintf(" at %d", d.Index)
		}
		out = append(out, line)
	}
	return out
}

func TestDiffFields(t *testing.T) {
	t.Parallel()
	named := func(names ...string) []any {
		out := []any{}
		for _, n := range names {
			out = append(out, object{"name": n, "image": n + ":1"})
		}
		return out
	}
	for reason, c := range map[string]struct {
		before, after object
		want          []string
	}{
		"both absent":           {nil, nil, nil},
		"made":                  {nil, object{"a": 1}, []string{`: - > {"a":1}`}},
		"made empty":            {nil, object{}, []string{`: - > {}`}},
		"gone":                  {object{"a": 1}, nil, []string{`: {"a":1} > -`}},
		"same":                  {object{"a": object{"b": []any{1, "x", nil}}}, object{"a": object{"b": []any{1, "x", nil}}}, nil},
		"numbers of any type":   {object{"a": 1, "b": int64(2), "c": 3.0, "d": json.Number("4"), "e": 0.5}, object{"a": 1.0, "b": json.Number("2.0"), "c": 3, "d": int64(4), "e": json.Number("5e-1")}, nil},
		"large numbers":         {object{"a": int64(math.MaxInt64), "b": json.Number("18446744073709551616")}, object{"a": int64(math.MaxInt64 - 1), "b": json.Number("18446744073709551617")}, []string{"a: 9223372036854775807 > 9223372036854775806", "b: 18446744073709551616 > 18446744073709551617"}},
		"a number and its text": {object{"a": 1}, object{"a": "1"}, []string{`a: 1 > "1"`}},
		"null is not absent":    {object{"a": nil}, object{"b": nil}, []string{"a: null > -", "b: - > null"}},
		"an empty map appears":  {object{"a": object{}}, object{"a": object{"b": object{}}}, []string{"a.b: - > {}"}},
		"a map becomes text":    {object{"a": object{"b": 1}}, object{"a": "x"}, []string{`a: {"b":1} > "x"`}},
		"awkward keys": {
			object{"annotations": object{"a.b/c": "1", "a/c": "1", `q"q`: "1", "": "1"}},
			object{"annotations": object{"a.b/c": "2", "a/c": "2", `q"q`: "2", "": "2"}},
			[]string{`annotations.a/c: "1" > "2"`, `annotations[""]: "1" > "2"`, `annotations["a.b/c"]: "1" > "2"`, `annotations["q\"q"]: "1" > "2"`},
		},
		"scalars of a list": {object{"args": []any{"a", "b"}}, object{"args": []any{"a", "c"}}, []string{`args: ["a","b"] > ["a","c"]`}},
		"items by name": {
			object{"c": named("web", "old", "log")},
			object{"c": append(named("init"), object{"name": "web", "image": "web:2"}, object{"name": "log", "image": "log:1"}, object{"name": "z.z"})},
			[]string{`c[name=init]: - > {"image":"init:1","name":"init"}`, `c[name=old]: {"image":"old:1","name":"old"} > -`, `c[name=web].image: "web:1" > "web:2"`, `c[name=z.z]: - > {"name":"z.z"} at 3`},
		},
		"items in another order": {object{"c": named("a", "b")}, object{"c": named("b", "a")}, []string{`c: [{"image":"a:1","name":"a"},{"image":"b:1","name":"b"}] > [{"image":"b:1","name":"b"},{"image":"a:1","name":"a"}]`}},
		"two of one name":        {object{"c": named("a", "a")}, object{"c": named("a")}, []string{`c: [{"image":"a:1","name":"a"},{"image":"a:1","name":"a"}] > [{"image":"a:1","name":"a"}]`}},
		"a name no path holds":   {object{"c": []any{object{"name": "a]", "x": 1}}}, object{"c": []any{object{"name": "a]", "x": 2}}}, []string{`c: [{"name":"a]","x":1}] > [{"name":"a]","x":2}]`}},
		"items without names":    {object{"p": []any{object{"port": 1}, object{"port": 2}}}, object{"p": []any{object{"port": 1}, object{"port": 3}}}, []string{"p[1].port: 2 > 3"}},
		"more without names":     {object{"p": []any{object{"port": 1}}}, object{"p": []any{object{"port": 1}, object{"port": 3}}}, []string{`p: [{"port":1}] > [{"port":1},{"port":3}]`}},
		"first of a list":        {object{"c": []any{}}, object{"c": named("a")}, []string{`c[name=a]: - > {"image":"a:1","name":"a"}`}},
		"last of a list":         {object{"c": named("a")}, object{"c": []any{}}, []string{`c[name=a]: {"image":"a:1","name":"a"} > -`}},
	} {
		diff := blueberry.DiffFields(c.before, c.after)
		if d := cmp.Diff(c.want, lines(diff)); d != "" {
			t.Errorf("%s: -want +got\n%s", reason, d)
		}
		got, err := blueberry.ApplyFields(c.before, diff)
		if err != nil || (got == nil) != (c.after == nil) || c.after != nil && !blueberry.SameValue(got, c.after) {
			t.Errorf("%s: applied gives %v with %v", reason, got, err)
		}
	}
}

func TestApplyFieldsRefusesAnotherObject(t *testing.T) {
	t.Parallel()
	was := object{"a": object{"b": "hunter2"}, "c": []any{object{"name": "x"}, object{"name": "y"}}, "l": []any{object{"p": 1}}}
	field := func(path string, before, after any) blueberry.FieldDiff {
		return blueberry.FieldDiff{Path: path, Before: before, After: after, HasBefore: before != nil, HasAfter: after != nil}
	}
	for reason, c := range map[string]struct {
		before object
		diff   []blueberry.FieldDiff
	}{
		"another value":             {was, []blueberry.FieldDiff{field("a.b", "other", "new")}},
		"there already":             {was, []blueberry.FieldDiff{field("a.b", nil, "new")}},
		"not there":                 {was, []blueberry.FieldDiff{field("a.z", "x", nil)}},
		"parent not there":          {was, []blueberry.FieldDiff{field("z.z", nil, "x")}},
		"below text":                {was, []blueberry.FieldDiff{field("a.b.c", nil, "x")}},
		"no such item":              {was, []blueberry.FieldDiff{field("c[name=z].image", nil, "x")}},
		"no such index":             {was, []blueberry.FieldDiff{field("l[1].p", 1, 2)}},
		"an item of another name":   {was, []blueberry.FieldDiff{field("c[name=z]", nil, object{"name": "q"})}},
		"an item without a place":   {was, []blueberry.FieldDiff{{Path: "c[name=z]", After: object{"name": "z"}, HasAfter: true, Index: 3}}},
		"no path":                   {was, []blueberry.FieldDiff{field("a..b", "x", "y")}},
		"no object":                 {nil, []blueberry.FieldDiff{field("a", nil, "y")}},
		"another whole object":      {was, []blueberry.FieldDiff{field("", object{"a": 1}, nil)}},
		"made though it is there":   {was, []blueberry.FieldDiff{field("", nil, object{})}},
		"whole object that is text": {nil, []blueberry.FieldDiff{field("", nil, "x")}},
		"whole object and a field":  {nil, []blueberry.FieldDiff{field("", nil, object{}), field("a", nil, 1)}},
	} {
		kept := fmt.Sprint(c.before)
		if got, err := blueberry.ApplyFields(c.before, c.diff); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: gave %v with %v", reason, got, err)
		}
		if fmt.Sprint(c.before) != kept {
			t.Errorf("%s: the object was written to", reason)
		}
	}
}

// tree draws an object as Kubernetes has them: maps with awkward keys, lists of scalars, of maps and of maps with names.
func tree(depth int) *rapid.Generator[object] {
	keys := rapid.SampledFrom([]string{"a", "b", "name", "spec", "a.b", "x/y", "example.com/x", `q"q`, "", "[0]", "name=a", "2", "sp ace", "üñ", "new\nline", `back\slash`})
	return rapid.Custom(func(t *rapid.T) object {
		out := object{}
		for range rapid.IntRange(0, 4).Draw(t, "keys") {
			out[keys.Draw(t, "key")] = value(depth-1).Draw(t, "value")
		}
		return out
	})
}

func value(depth int) *rapid.Generator[any] {
	scalars := []any{nil, true, false, "", "x", "name", 0, 1, int64(1), 1.0, json.Number("1"), 1.5, json.Number("1.5"), int64(math.MaxInt64), json.Number("99999999999999999999"), object{}, []any{}}
	return rapid.Custom(func(t *rapid.T) any {
		shape := rapid.IntRange(0, 4).Draw(t, "shape")
		if depth <= 0 {
			shape = 0
		}
		n := rapid.IntRange(0, 4).Draw(t, "items")
		list := []any{}
		switch shape {
		case 1:
			return tree(depth).Draw(t, "map")
		case 2: // names, nearly always each of its own
			for range n {
				item := tree(depth-1).Draw(t, "item")
				item["name"] = rapid.SampledFrom([]any{"a", "b", "c", "d", "e", "a.b", "a]", "", 1}).Draw(t, "name")
				list = append(list, item)
			}
			return list
		case 3:
			for range n {
				list = append(list, tree(depth-1).Draw(t, "item"))
			}
			return list
		case 4:
			for range n {
				list = append(list, value(depth-1).Draw(t, "item"))
			}
			return list
		}
		return rapid.SampledFrom(scalars).Draw(t, "scalar")
	})
}

func TestAppliedFieldsGiveTheOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := tree(4).Draw(t, "before"), tree(4).Draw(t, "after")
		if rapid.Bool().Draw(t, "near") { // else the two seldom have anything in common
			for key, v := range before {
				if rapid.IntRange(0, 3).Draw(t, "keep") > 0 {
					after[key] = v
				}
			}
		}
		text := fmt.Sprintf("%#v", before)
		diff := blueberry.DiffFields(before, after)
		got, err := blueberry.ApplyFields(before, diff)
		if err != nil || !blueberry.SameValue(got, after) {
			t.Fatalf("%v with %v\nwant %v\ndiff %v", got, err, after, lines(diff))
		}
		if now := fmt.Sprintf("%#v", before); now != text {
			t.Fatalf("the object was written to:\n%s\n%s", text, now)
		}
		if rest := blueberry.DiffFields(got, after); len(rest) != 0 {
			t.Fatalf("left over: %v", lines(rest))
		}
		if (len(diff) == 0) != blueberry.SameValue(before, after) {
			t.Fatalf("%d fields differ", len(diff))
		}
		seen := map[string]bool{}
		for i, d := range diff {
			if seen[d.Path] || i > 0 && diff[i-1].Path > d.Path {
				t.Fatalf("paths are doubled or out of order: %v", lines(diff))
			}
			seen[d.Path] = true
		}
	})
}

// TestListsGiveTheOther is about lists with names alone: what goes, what comes and what moves.
func TestListsGiveTheOther(t *testing.T) {
	t.Parallel()
	list := rapid.Custom(func(t *rapid.T) []any {
		out := []any{}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g"}), 0, 7, rapid.ID).Draw(t, "names") {
			out = append(out, object{"name": name, "v": rapid.IntRange(0, 1).Draw(t, "v")})
		}
		return out
	})
	rapid.Check(t, func(t *rapid.T) {
		before, after := object{"l": list.Draw(t, "before")}, object{"l": list.Draw(t, "after")}
		diff := blueberry.DiffFields(before, after)
		got, err := blueberry.ApplyFields(before, diff)
		if err != nil || cmp.Diff(after, got) != "" {
			t.Fatalf("%v with %v\ndiff %v", got, err, lines(diff))
		}
	})
}

func TestCompareSettings(t *testing.T) {
	t.Parallel()
	chart, set := blueberry.Origin{Layer: blueberry.LayerChart, Name: "web"}, blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: "shop", Version: 3}
	before := []blueberry.Setting{
		{Path: "b.same", Value: 1, Origin: chart},
		{Path: "b.changed", Value: "x", Origin: chart},
		{Path: "b.gone", Value: []any{1}, Origin: chart},
		{Path: "b.deleted", Value: true, Origin: chart},
		{Path: "b.list", Value: []any{object{"a": 1}}, Origin: chart},
		{Path: "b.back", Deleted: true, Origin: set},
		{Path: "b.never", Deleted: true, Origin: set},
		{Path: "b.null", Value: nil, Origin: chart},
	}
	after := []blueberry.Setting{
		{Path: "b.same", Value: 1.0, Origin: set, Shadows: []blueberry.Shadow{{Origin: chart, Value: 1}}},
		{Path: "b.new", Value: nil, Origin: set},
		{Path: "b.changed", Value: "y", Origin: set},
		{Path: "b.deleted", Deleted: true, Origin: set},
		{Path: "b.list", Value: []any{object{"a": 2}}, Origin: chart},
		{Path: "b.back", Value: 1, Origin: chart},
		{Path: "b.unset", Deleted: true, Origin: set},
		{Path: "b.null", Value: object{}, Origin: chart},
	}
	var got []string
	for _, c := range blueberry.CompareSettings(before, after) {
		text := func(s *blueberry.Setting) string {
			switch {
			case s == nil:
				return "-"
			case s.Path != c.Path:
				return "setting of " + s.Path
			case s.Deleted:
				return "deleted"
			}
			return fmt.Sprintf("%v (%s)", s.Value, s.Layer)
		}
		got = append(got, fmt.Sprintf("%s: %s > %s", c.Path, text(c.Before), text(c.After)))
	}
	want := []string{
		"b.back: deleted > 1 (chart)", "b.changed: x (chart) > y (config_set)", "b.deleted: true (chart) > deleted", "b.gone: [1] (chart) > -",
		"b.list: [map[a:1]] (chart) > [map[a:2]] (chart)", "b.new: - > <nil> (config_set)", "b.null: <nil> (chart) > map[] (chart)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if same := blueberry.CompareSettings(after, after); same != nil {
		t.Errorf("a list and itself: %v", same)
	}
}
