package render

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// faultsOf gives the faults of an input as "field code", sorted.
func faultsOf(t *testing.T, in Input) ([]string, []blueberry.Fault) {
	t.Helper()
	_, err := Environment(in)
	if err == nil {
		return nil, nil
	}
	faults := invalid(t, err)
	var out []string
	for _, f := range faults {
		out = append(out, f.Field+" "+f.Code)
	}
	return sorted(out), faults
}

func TestLayerFaults(t *testing.T) {
	t.Parallel()
	with := func(change func(*blueberry.Blueprint), layers ...blueberry.Layer) Input {
		in := shop(layers...)
		change(&in.Blueprint)
		return in
	}
	choose := func(in Input, v values) Input { in.Parameters = v; return in }
	number := func(b *blueberry.Blueprint) {
		b.Parameters = []blueberry.Parameter{{Name: "count", Type: blueberry.ParameterInteger, Required: true, Sets: []string{"web.replicas"}}}
	}
	secret := "s3cr3t-" + "p4ssw0rd"
	cases := map[string]struct {
		in     Input
		want   []string
		says   string // part of a message
		reason string
	}{
		"a mapping becomes text": {
			shop(set("a", values{"web": values{"env": "text"}})),
			[]string{"config_sets.a@3.web.env type"},
			"must be a mapping, is text: the blueprint has one here (set by config set a, version 3)", "helm would warn and lose it",
		},
		"a mapping of the chart": {shop(overrides(values{"cache": values{"resources": []any{}}})), []string{"overrides.cache.resources type"}, "chart redis has one here (set by the overrides)", "the same"},
		"text becomes a mapping": {shop(overrides(values{"cache": values{"port": values{"a": 1}}})), []string{"overrides.cache.port type"}, "must not be a mapping: the blueprint has none here", "the same"},
		"between two layers": {
			shop(set("a", values{"web": values{"env": values{"X": "1"}}}), set("b", values{"web": values{"env": values{"X": values{"y": 1}}}})),
			[]string{"config_sets.b@3.web.env.X type"},
			"config set a, version 3 has none here", "the upper one is told",
		},
		"values of a chart in the chart": {shop(overrides(values{"cache": values{"deep": "text"}})), []string{"overrides.cache.deep type"}, "chart redis has one here", "helm refuses it"},
		"no values of a chart in it":     {withoutDeep(overrides(values{"cache": values{"deep": nil}})), []string{"overrides.cache.deep type"}, "must be a mapping, is empty", "helm refuses it where the chart above says nothing"},
		"from all":                       {shop(set("a", values{"all": values{"env": "text"}})), []string{"config_sets.a@3.all.env type"}, "", "told where it was said"},
		"a list becomes a reference":     {shop(overrides(values{"web": values{"command": values{"secretRef": "a/b"}}})), []string{"overrides.web.command type"}, "", "a reference is as good as a scalar, and no better"},
		"computed below a text":          {with(func(b *blueberry.Blueprint) { b.Computed = map[string]string{"cache.deep.mode.x": "y"} }), []string{"computed[cache.deep.mode.x] type"}, "chart redis/deep has none here", "the blueprint is told"},
		"globals that are text":          {shop(overrides(values{"cache": values{"global": "text"}})), []string{"overrides.cache.global type"}, "", "there the platform puts its own"},
		"no mapping for a component":     {shop(overrides(values{"web": 5})), []string{"overrides.web type"}, "must be a mapping of values, is a number", "a document is keyed by component"},
		"unknown component":              {shop(overrides(values{"wbe": values{}})), []string{"overrides.wbe unknown"}, "", "an override is meant"},
		"a kustomization": {
			with(func(b *blueberry.Blueprint) {
				b.Components = append(b.Components, blueberry.Component{Name: "k", Kustomization: "k"})
			}, overrides(values{"k": values{"x": 1}})),
			[]string{"overrides.k forbidden"},
			"takes no values", "it takes none",
		},

		"schema, by a config set":  {shop(set("a", values{"web": values{"replicas": 0}})), []string{"config_sets.a@3.web.replicas schema"}, "(set by config set a, version 3)", "it goes to the layer that set the value"},
		"schema, by an override":   {shop(overrides(values{"cache": values{"port": 70000}})), []string{"overrides.cache.port schema"}, "(set by the overrides)", "the same of a chart's own schema"},
		"schema, by a parameter":   {choose(with(number), values{"count": 0}), []string{"parameters.count schema"}, "(set by parameter count)", "the same"},
		"schema, by a default":     {with(func(b *blueberry.Blueprint) { number(b); b.Parameters[0].Default = 0.0 }), []string{"parameters[0].default schema"}, "", "the same, in the blueprint"},
		"schema, by the blueprint": {with(func(b *blueberry.Blueprint) { b.Components[0].Values["replicas"] = 0 }), []string{"components[0].values.replicas schema"}, "", "as it always was"},
		"schema, shadowed":         {with(func(b *blueberry.Blueprint) { b.Components[0].Values["replicas"] = 0 }, overrides(values{"web": values{"replicas": 3}})), nil, "", "what does not count is not wrong"},
		"schema, an item":          {shop(overrides(values{"cache": values{"list": []any{"a", 5}}})), []string{"overrides.cache.list[1] schema"}, "", "with its place in the list"},
		"schema, unknown":          {shop(overrides(values{"web": values{"typo": 1}})), []string{"overrides.web.typo unknown"}, "", "a value that the chart does not know"},
		"schema, unknown mapping":  {shop(set("a", values{"all": values{"ingress": values{"host": values{"x": 1}}}}), set("b", values{"web": values{"ingress": values{"host": values{"y": 1}}}})), []string{"config_sets.b@3.web.ingress.host unknown"}, "", "the highest layer that has a part of it"},
		"schema, taken away":       {shop(overrides(values{"web": values{"replicas": nil}})), []string{"overrides.web.replicas schema"}, "missing", "a null that makes something be missing"},
		"port":                     {shop(overrides(values{"web": values{"port": 70000}})), []string{"overrides.web.port schema"}, "", "where it was set, not where the chart finds it"},
		"health":                   {shop(set("a", values{"all": values{"health": "x"}})), []string{"config_sets.a@3.all.health schema"}, "", "the same"},
		"image, bad":               {shop(overrides(values{"web": values{"image": "nginx"}})), []string{"overrides.web.image image_unpinned"}, "", "the rule of the blueprint's own"},
		"image, no text":           {shop(overrides(values{"web": values{"image": 5}})), []string{"overrides.web.image type"}, "", "the same"},
		"image, missing":           {with(func(b *blueberry.Blueprint) { b.Components[0].Image = "" }), []string{"components[0].image required"}, "", "nobody set it"},
		"image, by a layer":        {with(func(b *blueberry.Blueprint) { b.Components[0].Image = "" }, set("a", values{"web": values{"image": "a:1"}})), nil, "", "a layer may"},
		"image, taken away":        {shop(overrides(values{"web": values{"image": nil}})), []string{"overrides.web.image required"}, "", "the null is told"},
		"blueprint's schema": {with(func(b *blueberry.Blueprint) {
			b.Schema = values{"properties": values{"web": values{"properties": values{"replicas": values{"maximum": 3}}}}}
		}, overrides(values{"web": values{"replicas": 4}})), []string{"overrides.web.replicas schema"}, "", "of the effective values"},
		"blueprint's schema, absent": {with(func(b *blueberry.Blueprint) {
			b.Schema = values{"properties": values{"web": values{"required": []any{"special"}}}}
		}), []string{"components[0].values schema"}, "", "nobody set it"},
		"no schema":               {with(func(b *blueberry.Blueprint) { b.Schema = values{"type": 5} }), []string{"schema schema"}, "", "it has to be one"},
		"a schema from elsewhere": {with(func(b *blueberry.Blueprint) { b.Schema = values{"$ref": "https://example.invalid/x"} }), []string{"schema schema"}, "", "nothing is fetched"},

		"required, missing": {with(func(b *blueberry.Blueprint) { b.Fields.Required = []string{"web.env.TEAM", "*.owner"} }), []string{"config.cache.owner required", "config.web.env.TEAM required", "config.web.owner required"}, "", "each by its path"},
		"required, set": {with(func(b *blueberry.Blueprint) {
			b.Fields.Required = []string{"web.env.TEAM", "web.env.LOG_*", "web.resources"}
		}, set("a", values{"web": values{"env": values{"TEAM": "x"}}})), nil, "", "by someone"},
		"required, taken away": {with(func(b *blueberry.Blueprint) { b.Fields.Required = []string{"web.env.LOG_LEVEL"} }, overrides(values{"web": values{"env": values{"LOG_LEVEL": nil}}})), []string{"config.web.env.LOG_LEVEL required"}, "", "null is not set"},
		"required of no one":   {with(func(b *blueberry.Blueprint) { b.Fields.Required = []string{"nowhere.x"} }), []string{"config.nowhere.x required"}, "", "no such component"},
		"parameter, unknown":   {choose(shop(), values{"x": 1}), []string{"parameters.x unknown"}, "", ""},
		"parameter, missing":   {with(number), []string{"parameters.count required"}, "", ""},
		"parameter, wrong":     {choose(with(number), values{"count": "many"}), []string{"parameters.count type"}, "", ""},
		"computed, unknown": {with(func(b *blueberry.Blueprint) {
			b.Computed = map[string]string{"web.env.X": "${web.port} ${nope} ${cache.url}"}
		}), []string{"computed[web.env.X] unknown", "computed[web.env.X] unknown"}, "${nope} is not known", "each"},
		"computed, overlapping": {with(func(b *blueberry.Blueprint) { b.Computed = map[string]string{"cache.e": "x", "cache.e.X": "y"} }), []string{"computed[cache.e.X] type"}, "", ""},
		"computed, reserved":    {with(func(b *blueberry.Blueprint) { b.Computed = map[string]string{"web.blueberry.host": "x"} }), []string{"computed[web.blueberry.host] computed"}, "", "the platform's own"},
		"sets, reserved": {with(func(b *blueberry.Blueprint) {
			number(b)
			b.Parameters[0].Required, b.Parameters[0].Sets = false, []string{"cache.global.blueberry.host"}
		}), []string{"parameters[0].sets[0] computed"}, "", "the platform's own"},
		"sets, overlapping": {choose(with(func(b *blueberry.Blueprint) { number(b); b.Parameters[0].Sets = []string{"cache.x", "cache.x.y"} }), values{"count": 1}), []string{"parameters[0].sets type"}, "", ""},
		"service, no size": {with(func(b *blueberry.Blueprint) {
			b.Services = []blueberry.ServiceSlot{{Name: "db", Kind: "postgres", Size: "big"}}
		}), []string{"services[0].size quantity"}, "", ""},

		"secret, blueprint": {with(func(b *blueberry.Blueprint) { b.Components[0].Values["env"] = values{"DB_PASSWORD": secret} }), []string{"components[0].values.env.DB_PASSWORD secret_literal"}, "a password", "in every layer"},
		"secret, default": {with(func(b *blueberry.Blueprint) {
			b.Parameters = []blueberry.Parameter{{Name: "pw", Default: secret, Sets: []string{"web.env.DB_PASSWORD"}}}
		}), []string{"parameters[0].default secret_literal"}, "", "in every layer"},
		"secret, config set": {shop(set("a", values{"all": values{"env": values{"DB_PASSWORD": secret}}})), []string{"config_sets.a@3.all.env.DB_PASSWORD secret_literal"}, "", "once, not for each component"},
		"secret, parameter": {choose(with(func(b *blueberry.Blueprint) {
			b.Parameters = []blueberry.Parameter{{Name: "pw", Sets: []string{"web.env.DB_PASSWORD", "web.env.PASSWORD"}}}
		}), values{"pw": secret}), []string{"parameters.pw secret_literal"}, "", "once"},
		"secret, override": {shop(overrides(values{"web": values{"args": []any{"--password", secret}}})), []string{"overrides.web.args secret_literal"}, "", "in a list"},
		"secret, computed": {with(func(b *blueberry.Blueprint) {
			b.Computed = map[string]string{"web.env.DB": "postgres://a:" + secret + "@db/${project}"}
		}), []string{"computed[web.env.DB] secret_literal"}, "", "around a placeholder"},
		"secret, public there": {shop(publicSet(set("a", values{"web": values{"env": values{"DB_PASSWORD": secret}}}), "web.env.DB_*")), nil, "", "the config set says so"},
		"secret, public here":  {with(func(b *blueberry.Blueprint) { b.Fields.Public = []string{"*.env.DB_PASSWORD"} }, overrides(values{"web": values{"env": values{"DB_PASSWORD": secret}}})), nil, "", "the blueprint says so"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, faults := faultsOf(t, c.in)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s\n%v", c.reason, diff, faults)
			}
			if c.says != "" && !slices.ContainsFunc(faults, func(f blueberry.Fault) bool { return strings.Contains(f.Message, c.says) }) {
				t.Errorf("no fault says %q: %v", c.says, faults)
			}
			for _, f := range faults {
				if strings.Contains(f.String(), secret) {
					t.Errorf("a fault repeats the secret: %v", f)
				}
			}
		})
	}
}

func publicSet(l blueberry.Layer, patterns ...string) blueberry.Layer {
	l.Public = patterns
	return l
}

// withoutDeep is the shop whose chart says nothing of the chart in it.
func withoutDeep(layers ...blueberry.Layer) Input {
	in := shop(layers...)
	in.Source.(fstest.MapFS)["charts/redis/values.yaml"] = &fstest.MapFile{Data: []byte("port: 1\n")}
	return in
}

// TestEveryLayerAtOnce: faults of every layer and of several components, in one answer.
func TestEveryLayerAtOnce(t *testing.T) {
	t.Parallel()
	in := shop(
		set("a", values{"web": values{"replicas": 0, "env": values{"TOKEN": "9f3b1c7a2d4e"}}, "cache": values{"port": 70000}}),
		overrides(values{"web": values{"image": "nginx"}, "nowhere": values{}}),
	)
	in.Parameters = values{"x": 1}
	in.Blueprint.Fields.Required = []string{"cache.owner"}
	got, faults := faultsOf(t, in)
	want := []string{
		"config.cache.owner required", "config_sets.a@3.cache.port schema", "config_sets.a@3.web.env.TOKEN secret_literal", "config_sets.a@3.web.replicas schema",
		"overrides.nowhere unknown", "overrides.web.image image_unpinned", "parameters.x unknown",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s\n%v", diff, faults)
	}
}

// TestFieldClasses: what a layer may not set is dropped with a warning, or refused when the request is strict.
func TestFieldClasses(t *testing.T) {
	t.Parallel()
	classes := func(b *blueberry.Blueprint) {
		b.Fields.Forbidden = []string{"*.resources", "web.env.DB_*", "cache.**.size"}
		b.Computed = map[string]string{"web.env.URL": "${web.url}", "all.env.TEAM": "x"}
		b.Parameters = []blueberry.Parameter{{Name: "cpu", Sets: []string{"web.resources.limits.cpu"}}}
	}
	cases := map[string]struct {
		layers     []blueberry.Layer
		parameters values
		want       []string // "field code"
		path       string   // a setting that must not be of the layer
		reason     string
	}{
		"forbidden":               {[]blueberry.Layer{set("a", values{"web": values{"resources": values{"limits": values{"cpu": "4"}}}})}, nil, []string{"config_sets.a@3.web.resources forbidden_field"}, "web.resources.limits.cpu", "the whole that is forbidden, once"},
		"below what is forbidden": {[]blueberry.Layer{overrides(values{"web": values{"env": values{"DB_HOST": "x", "OK": "y"}}})}, nil, []string{"overrides.web.env.DB_HOST forbidden_field"}, "web.env.DB_HOST", "the rest stays"},
		"for all":                 {[]blueberry.Layer{set("a", values{"all": values{"resources": values{"limits": values{"cpu": "4"}}}})}, nil, []string{"config_sets.a@3.all.resources forbidden_field", "config_sets.a@3.all.resources forbidden_field"}, "cache.resources.limits.cpu", "for each component"},
		"deep":                    {[]blueberry.Layer{overrides(values{"cache": values{"deep": values{"size": 9}}})}, nil, []string{"overrides.cache.deep.size forbidden_field"}, "cache.deep.size", "at any depth"},
		"a null around it":        {[]blueberry.Layer{overrides(values{"cache": values{"deep": nil}})}, nil, []string{"overrides.cache.deep forbidden_field"}, "cache.deep.size", "it would take away what is forbidden"},
		"a null, and then more":   {[]blueberry.Layer{set("a", values{"web": values{"env": values{}}}), overrides(values{"cache": values{"resources": nil}})}, nil, []string{"overrides.cache.resources forbidden_field"}, "cache.resources.limits.cpu", "the same"},
		"computed":                {[]blueberry.Layer{overrides(values{"web": values{"env": values{"URL": "mine"}}})}, nil, []string{"overrides.web.env.URL computed_field"}, "web.env.URL", "by the blueprint"},
		"computed for all":        {[]blueberry.Layer{set("a", values{"cache": values{"env": values{"TEAM": "mine"}}})}, nil, []string{"config_sets.a@3.cache.env.TEAM computed_field"}, "cache.env.TEAM", "by the blueprint"},
		"the platform's own":      {[]blueberry.Layer{overrides(values{"web": values{"blueberry": values{"host": "mine"}}, "cache": values{"global": values{"blueberry": values{"host": "mine"}}}})}, nil, []string{"overrides.cache.global.blueberry computed_field", "overrides.web.blueberry computed_field"}, "web.blueberry.host", "always"},
		"a parameter":             {nil, values{"cpu": "4"}, []string{"parameters.cpu forbidden_field"}, "web.resources.limits.cpu", "a parameter is a layer of the request"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := shop(c.layers...)
			classes(&in.Blueprint)
			in.Parameters = c.parameters
			out, err := Environment(in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range out.Warnings {
				got = append(got, w.Field+" "+w.Code)
				if !strings.Contains(w.Message, "dropped") {
					t.Errorf("%q does not say what became of the value", w.Message)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", c.reason, diff)
			}
			i := slices.IndexFunc(out.Settings, func(s blueberry.Setting) bool { return s.Path == c.path })
			if i >= 0 && (out.Settings[i].Layer == blueberry.LayerEnvironment || out.Settings[i].Layer == blueberry.LayerConfigSet) {
				t.Errorf("%s is what the layer says: %v", c.path, out.Settings[i])
			}
			in.Strict = true
			strict, faults := faultsOf(t, in)
			if diff := cmp.Diff(c.want, strict); diff != "" {
				t.Errorf("strict: (-want +got)\n%s\n%v", diff, faults)
			}
		})
	}
}

// TestWarnings: a config set may name components that a blueprint has not.
func TestWarnings(t *testing.T) {
	t.Parallel()
	in := shop(set("a", values{"nowhere": values{"x": 1}, "k": values{"y": 1}}))
	in.Blueprint.Components = append(in.Blueprint.Components, blueberry.Component{Name: "k", Kustomization: "k"})
	in.Source.(fstest.MapFS)["k/kustomization.yaml"] = &fstest.MapFile{Data: []byte("resources: [cm.yaml]\n")}
	in.Source.(fstest.MapFS)["k/cm.yaml"] = &fstest.MapFile{Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: k}\n")}
	in.Strict = true
	out, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	want := []blueberry.Warning{
		{Code: "unknown_component", Field: "config_sets.a@3.k", Message: "component k is a kustomization, which takes no values; its values are left out"},
		{Code: "unknown_component", Field: "config_sets.a@3.nowhere", Message: `there is no component "nowhere"; its values are left out`},
	}
	if diff := cmp.Diff(want, out.Warnings); diff != "" {
		t.Error(diff)
	}
}

// TestGlobalsOfAChart: a chart whose own globals are no mapping finds the platform's all the same.
func TestGlobalsOfAChart(t *testing.T) {
	t.Parallel()
	r, err := renderTree(t, chartOf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {host: {{ .Values.global.blueberry.host }}}\n", "values.yaml", "global: text\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if host := at(decodeFiles(t, r)["ConfigMap x"], "data", "host"); host != "web-pr-1.localhost" {
		t.Errorf("host is %v", host)
	}
}

// TestInputStays: merging does not touch what it was given.
func TestInputStays(t *testing.T) {
	t.Parallel()
	build := func() Input {
		in := shop(set("a", values{"all": values{"env": values{"A": 1, "URL": "x"}}, "web": 5, "nowhere": values{}}), overrides(values{"cache": values{"deep": values{"mode": nil}}}))
		in.Blueprint.Computed = map[string]string{"web.env.URL": "y"}
		return in
	}
	in := build()
	_, _ = Environment(in)
	want := build()
	if diff := cmp.Diff(want.Layers, in.Layers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want.Blueprint, in.Blueprint); diff != "" {
		t.Error(diff)
	}
}
