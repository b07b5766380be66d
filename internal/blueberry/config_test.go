package blueberry_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestConfigRefs(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		want  blueberry.ConfigRef
		again string // how it is written
		ok    bool
	}{
		"shop":                  {blueberry.ConfigRef{Name: "shop"}, "shop", true},
		"shop@3":                {blueberry.ConfigRef{Name: "shop", Version: 3}, "shop@3", true},
		"shop@latest":           {blueberry.ConfigRef{Name: "shop"}, "shop", true},
		"global/shop":           {blueberry.ConfigRef{Global: true, Name: "shop"}, "global/shop", true},
		"global/shop@12":        {blueberry.ConfigRef{Global: true, Name: "shop", Version: 12}, "global/shop@12", true},
		"global":                {blueberry.ConfigRef{Name: "global"}, "global", true},
		"a@999999999":           {blueberry.ConfigRef{Name: "a", Version: 999999999}, "a@999999999", true},
		strings.Repeat("a", 40): {blueberry.ConfigRef{Name: strings.Repeat("a", 40)}, strings.Repeat("a", 40), true},
		strings.Repeat("a", 41): {},
		"":                      {},
		"shop@0":                {},
		"shop@-1":               {},
		"shop@03":               {},
		"shop@1000000000":       {},
		"shop@":                 {},
		"shop@v3":               {},
		"Shop":                  {},
		"shop-":                 {},
		"-shop":                 {},
		"other/shop":            {},
		"global/":               {},
		"global/global/shop":    {},
		"shop\n":                {},
		" shop":                 {},
	} {
		got, ok := blueberry.ParseConfigRef(text)
		if ok != c.ok || got != c.want {
			t.Errorf("%q: %+v %v", text, got, ok)
		}
		if ok && got.String() != c.again {
			t.Errorf("%q is written %q", text, got)
		}
		if ok && got.Follows() != (c.want.Version == 0) {
			t.Errorf("%q follows: %v", text, got.Follows())
		}
	}
	if p := (blueberry.ConfigRef{Name: "a"}).Project("shop"); p != "shop" {
		t.Errorf("looked for in %q", p)
	}
	if p := (blueberry.ConfigRef{Global: true, Name: "a"}).Project("shop"); p != "" {
		t.Errorf("a global one is looked for in %q", p)
	}
}

func TestBlueprintRefs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]blueberry.BlueprintRef{
		"shop": {Name: "shop"}, "shop@3": {Name: "shop", Version: 3}, "global/shop@latest": {Global: true, Name: "shop"},
		"": {}, "shop@0": {}, "Shop": {}, "a/b": {}, strings.Repeat("a", 41): {}, "shop\n": {},
	} {
		got, ok := blueberry.ParseBlueprintRef(text)
		if ok != (want.Name != "") || got != want {
			t.Errorf("%q: %+v %v", text, got, ok)
		}
		if ok && got.String() != strings.TrimSuffix(text, "@latest") {
			t.Errorf("%q is written %q", text, got)
		}
	}
	if s := (blueberry.BlueprintRef{Global: true, Version: 3}).String(); s != "" {
		t.Errorf("no blueprint is written %q", s)
	}
}

func TestRefsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name, global, version := rapid.StringMatching(`[a-z]([a-z0-9-]{0,38}[a-z0-9])?`).Draw(t, "name"), rapid.Bool().Draw(t, "global"), rapid.IntRange(0, 999999999).Draw(t, "version")
		set := blueberry.ConfigRef{Global: global, Name: name, Version: version}
		if got, ok := blueberry.ParseConfigRef(set.String()); !ok || got != set {
			t.Fatalf("%q is read as %+v", set, got)
		}
		b := blueberry.BlueprintRef{Global: global, Name: name, Version: version}
		if got, ok := blueberry.ParseBlueprintRef(b.String()); !ok || got != b {
			t.Fatalf("%q is read as %+v", b, got)
		}
	})
}

func TestConfigRefFaults(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range blueberry.MaxConfigSets + 1 {
		many = append(many, fmt.Sprintf("set-%d", i))
	}
	for reason, c := range map[string]struct {
		refs []string
		want []string
	}{
		"none":                   {nil, nil},
		"good":                   {[]string{"a", "b@3", "global/a"}, nil},
		"as many as are allowed": {many[:blueberry.MaxConfigSets], nil},
		"too many":               {many, []string{"x: names 21 config sets, at most 20 are allowed"}},
		"twice, two versions":    {[]string{"a@3", "b", "a@latest"}, []string{"x[2]: a is named twice"}},
		"twice, global":          {[]string{"global/a", "global/a@3"}, []string{"x[1]: global/a is named twice"}},
		"every fault":            {[]string{"A", "a", "a", "b@0"}, []string{`x[0]: "A" is not a reference to a config set: name, name@3 or global/name`, "x[2]: a is named twice", `x[3]: "b@0" is not a reference to a config set: name, name@3 or global/name`}},
	} {
		var f blueberry.Faults
		refs := f.CheckConfigRefs("x", c.refs)
		var got []string
		for _, x := range f {
			got = append(got, x.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
		if len(c.refs) <= blueberry.MaxConfigSets && len(refs) != len(c.refs)-len(c.want) {
			t.Errorf("%s: %d references", reason, len(refs))
		}
	}
}

func TestLayersOfInputs(t *testing.T) {
	t.Parallel()
	in := blueberry.Inputs{
		Config: []blueberry.ConfigUse{
			{ConfigRef: blueberry.ConfigRef{Name: "shop"}, Number: 3},
			{ConfigRef: blueberry.ConfigRef{Global: true, Name: "logging", Version: 2}, Number: 2},
		},
		Overrides: object{"backend": object{"replicas": 1}},
	}
	var got []string
	for _, l := range in.Layers(func(u blueberry.ConfigUse) blueberry.ConfigVersion {
		return blueberry.ConfigVersion{Author: "ada", Values: object{"all": object{"v": u.Number}}, Source: blueberry.Source{Commit: "abc"}}
	}) {
		got = append(got, fmt.Sprintf("%s %s %d %s %s %s %v", l.Layer, l.Name, l.Version, l.Author, l.Commit, l.Field, l.Values))
	}
	want := []string{
		"config_set shop 3 ada abc config_sets.shop@3 map[all:map[v:3]]",
		"config_set global/logging 2 ada abc config_sets.global/logging@2 map[all:map[v:2]]",
		"environment  0   overrides map[backend:map[replicas:1]]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if list := (blueberry.Inputs{}).Layers(nil); list != nil {
		t.Errorf("layers of nothing: %v", list)
	}
}
