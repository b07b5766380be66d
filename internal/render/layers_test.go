package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type values = map[string]any

// shop is an environment of a web-service "web" and of a chart "cache" that has a chart "deep" in it.
func shop(layers ...blueberry.Layer) Input {
	return Input{
		Project: blueberry.Project{Name: "shop"}, Name: "pr-1", Namespace: "shop-pr-1", Revision: 1, Domain: "dev.acme.test",
		SourceCommit: "c0ffee", BlueprintVersion: 4, BlueprintAuthor: "ann",
		Source: fstest.MapFS{
			"charts/redis/Chart.yaml":              {Data: []byte("apiVersion: v2\nname: redis\nversion: 1.0.0\n")},
			"charts/redis/values.yaml":             {Data: []byte("port: 6379\nresources: {limits: {cpu: 1}}\nglobal: {region: eu}\ndeep: {size: 2}\n")},
			"charts/redis/values.schema.json":      {Data: []byte(`{"properties": {"port": {"type": "integer", "maximum": 65535}, "list": {"items": {"type": "string"}}, "strict": {"additionalProperties": false}}}`)},
			"charts/redis/templates/cm.yaml":       {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache}\ndata: {values: {{ .Values | toJson | quote }}}\n")},
			"charts/redis/charts/deep/Chart.yaml":  {Data: []byte("apiVersion: v2\nname: deep\nversion: 1.0.0\n")},
			"charts/redis/charts/deep/values.yaml": {Data: []byte("size: 1\nmode: fast\nglobal: {region: us, tier: gold}\n")},
			"k/kustomization.yaml":                 {Data: []byte("resources: []\n")},
		},
		Blueprint: blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{
			{Name: "web", Image: "ghcr.io/acme/web:1", Values: values{"env": values{"LOG_LEVEL": "info", "KEPT": "yes"}}},
			{Name: "cache", Chart: "charts/redis", Values: values{"port": 7000}},
		}},
		Layers: layers,
	}
}

func set(name string, v values) blueberry.Layer {
	return blueberry.Layer{
		Origin: blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: name, Version: 3, Author: "bob", Commit: "beef"},
		Field:  "config_sets." + name + "@3", Values: v,
	}
}

func overrides(v values) blueberry.Layer {
	return blueberry.Layer{Origin: blueberry.Origin{Layer: blueberry.LayerEnvironment}, Field: "overrides", Values: v}
}

// story gives a setting in one line: its value and where it is from, then what it shadows.
func story(t *testing.T, settings []blueberry.Setting, path string) string {
	t.Helper()
	i := slices.IndexFunc(settings, func(s blueberry.Setting) bool { return s.Path == path })
	if i < 0 {
		return "nothing"
	}
	tell := func(o blueberry.Origin, v any) string { return fmt.Sprintf("%v (%s %s)", v, o.Layer, o.Name) }
	s := settings[i]
	out := tell(s.Origin, s.Value)
	if s.Deleted {
		out = "deleted (" + string(s.Layer) + " " + s.Name + ")"
	}
	for _, x := range s.Shadows {
		out += " < " + tell(x.Origin, x.Value)
	}
	return out
}

func TestLayers(t *testing.T) {
	t.Parallel()
	with := func(change func(*Input), layers ...blueberry.Layer) Input {
		in := shop(layers...)
		change(&in)
		return in
	}
	number := blueberry.Parameter{Name: "count", Type: blueberry.ParameterInteger, Default: 2.0, Sets: []string{"web.replicas", "cache.deep.size"}}
	region := blueberry.Parameter{Name: "region", Default: "eu", Sets: []string{"all.env.REGION"}}
	cases := map[string]struct {
		in         Input
		path, want string
		reason     string
	}{
		"chart default":          {shop(), "web.replicas", "2 (chart web-service)", "the built-in chart is a layer"},
		"port of a web-service":  {shop(), "web.port", "8080 (chart web-service)", "port and health are ordinary leaves"},
		"health":                 {shop(), "web.health", "/ (chart web-service)", "port and health are ordinary leaves"},
		"image":                  {shop(), "web.image", "ghcr.io/acme/web:1 (blueprint )", "the image too"},
		"who":                    {shop(), "web.blueberry.host", "web-pr-1.dev.acme.test (computed )", "what the platform computes"},
		"who, of a chart":        {shop(), "cache.global.blueberry.namespace", "shop-pr-1 (computed )", "what the platform computes"},
		"not the chart's image":  {shop(), "web.blueberry.image", "nothing", "the image is listed once"},
		"blueprint over chart":   {shop(), "cache.port", "7000 (blueprint ) < 6379 (chart redis)", "values of a component"},
		"chart over subchart":    {shop(), "cache.deep.size", "2 (chart redis) < 1 (chart redis/deep)", "a chart above has the word"},
		"subchart":               {shop(), "cache.deep.mode", "fast (chart redis/deep)", "defaults of a chart in a chart"},
		"globals go down":        {shop(), "cache.deep.global.region", "eu (chart redis) < us (chart redis/deep)", "Helm puts the globals above over those below"},
		"a layer's globals":      {shop(overrides(values{"cache": values{"global": values{"region": "ap"}}})), "cache.deep.global.region", "ap (environment ) < eu (chart redis) < us (chart redis/deep)", "they are of the layer that set them"},
		"globals above the rest": {shop(overrides(values{"cache": values{"deep": values{"global": values{"region": "ap"}}}})), "cache.deep.global.region", "eu (chart redis) < ap (environment ) < us (chart redis/deep)", "even above an override further down: so does Helm"},
		"globals that stay":      {shop(), "cache.deep.global.tier", "gold (chart redis/deep)", "what nobody above says"},
		"config sets in order":   {shop(set("a", values{"web": values{"env": values{"LOG_LEVEL": "warn"}}}), set("b", values{"web": values{"env": values{"LOG_LEVEL": "error"}}})), "web.env.LOG_LEVEL", "error (config_set b) < warn (config_set a) < info (blueprint )", "the later one wins"},
		"all, then its own":      {shop(set("a", values{"all": values{"replicas": 4}, "web": values{"replicas": 5}})), "web.replicas", "5 (config_set a) < 4 (config_set a) < 2 (chart web-service)", "what is said to one beats what is said to all"},
		"all reaches charts":     {shop(set("a", values{"all": values{"env": values{"A": "1"}}})), "cache.env.A", "1 (config_set a)", "every component that takes values"},
		"a later all wins":       {shop(set("a", values{"web": values{"replicas": 4}}), set("b", values{"all": values{"replicas": 5}})), "web.replicas", "5 (config_set b) < 4 (config_set a) < 2 (chart web-service)", "only within one document"},
		"override":               {shop(set("a", values{"web": values{"port": 9090}}), overrides(values{"web": values{"port": 9091}})), "web.port", "9091 (environment ) < 9090 (config_set a) < 8080 (chart web-service)", "overrides are on top"},
		"lists replace":          {shop(overrides(values{"web": values{"ingress": values{"paths": []any{"/x"}}}})), "web.ingress.paths", "[/x] (environment ) < [/] (chart web-service)", "a list is one leaf"},
		"null deletes":           {shop(overrides(values{"web": values{"env": values{"LOG_LEVEL": nil}}})), "web.env.LOG_LEVEL", "deleted (environment ) < info (blueprint )", "a deleted leaf is told"},
		"null deletes all below": {shop(overrides(values{"cache": values{"resources": nil}})), "cache.resources.limits.cpu", "deleted (environment ) < 1 (chart redis)", "leaf by leaf"},
		"null over nothing":      {shop(overrides(values{"cache": values{"nothing": nil}})), "cache.nothing", "<nil> (environment )", "it takes nothing away"},
		"null, then something":   {shop(set("a", values{"web": values{"env": nil}}), overrides(values{"web": values{"env": values{"LOG_LEVEL": "x"}}})), "web.env.LOG_LEVEL", "x (environment ) < <nil> (config_set a) < info (blueprint )", "the null is part of the story"},
		"what a null took":       {shop(set("a", values{"web": values{"env": nil}}), overrides(values{"web": values{"env": values{"LOG_LEVEL": "x"}}})), "web.env.KEPT", "nothing", "a null in the middle is final for the layers below"},
		"a reference":            {shop(overrides(values{"web": values{"env": values{"LOG_LEVEL": values{"secretRef": "a/b"}}}})), "web.env.LOG_LEVEL", "map[secretRef:a/b] (environment ) < info (blueprint )", "a reference is one leaf, and may replace a text"},
		"a parameter's default":  {with(func(in *Input) { in.Blueprint.Parameters = []blueberry.Parameter{number} }), "web.replicas", "2 (blueprint count) < 2 (chart web-service)", "it belongs to the blueprint"},
		"a chosen parameter": {with(func(in *Input) {
			in.Blueprint.Parameters, in.Parameters = []blueberry.Parameter{number}, values{"count": 6}
		}, set("a", values{"web": values{"replicas": 4}})), "web.replicas", "6 (environment count) < 4 (config_set a) < 2 (chart web-service)", "it lies above the config sets, and the default is out"},
		"both of its paths": {with(func(in *Input) {
			in.Blueprint.Parameters, in.Parameters = []blueberry.Parameter{number}, values{"count": 6}
		}), "cache.deep.size", "6 (environment count) < 2 (chart redis) < 1 (chart redis/deep)", "a parameter may set several"},
		"below an override": {with(func(in *Input) {
			in.Blueprint.Parameters, in.Parameters = []blueberry.Parameter{number}, values{"count": 6}
		}, overrides(values{"web": values{"replicas": 7}})), "web.replicas", "7 (environment ) < 6 (environment count) < 2 (chart web-service)", "overrides are on top"},
		"a parameter for all": {with(func(in *Input) { in.Blueprint.Parameters = []blueberry.Parameter{region} }), "cache.env.REGION", "eu (blueprint region)", "every component that takes values"},
		"null takes the default": {with(func(in *Input) {
			in.Blueprint.Parameters, in.Parameters = []blueberry.Parameter{region}, values{"region": nil}
		}), "web.env.REGION", "eu (blueprint region)", "a parameter that is null was not chosen"},
		"computed": {with(func(in *Input) {
			in.Blueprint.Computed = map[string]string{"web.env.X": "${project} ${environment} ${namespace} ${domain} ${web.host} ${web.url} ${cache.service}"}
		}), "web.env.X", "shop pr-1 shop-pr-1 dev.acme.test web-pr-1.dev.acme.test https://web-pr-1.dev.acme.test http://cache (computed )", "every name"},
		"computed over the rest": {with(func(in *Input) { in.Blueprint.Computed = map[string]string{"web.env.LOG_LEVEL": "c"} }), "web.env.LOG_LEVEL", "c (computed ) < info (blueprint )", "it lies on top"},
		"computed for all":       {with(func(in *Input) { in.Blueprint.Computed = map[string]string{"all.env.P": "${project}"} }), "cache.env.P", "shop (computed )", "every component that takes values"},
		"localhost": {with(func(in *Input) {
			in.Domain, in.Blueprint.Computed = "shop.localhost", map[string]string{"web.env.U": "${web.url}"}
		}), "web.env.U", "http://web-pr-1.shop.localhost (computed )", "no certificate there"},
		"no domain":                {with(func(in *Input) { in.Domain, in.Blueprint.Computed = "", map[string]string{"web.env.U": "u=${web.url}"} }), "web.env.U", "u= (computed )", "nothing is public"},
		"another port":             {with(func(in *Input) { in.Blueprint.Computed = map[string]string{"cache.w": "${web.service}"} }, overrides(values{"web": values{"service": values{"port": 81}}})), "cache.w", "http://web:81 (computed )", "where the component is reached"},
		"a private component":      {shop(overrides(values{"web": values{"ingress": values{"public": false}}})), "web.blueberry.host", " (computed )", "an override may close it"},
		"unknown to the blueprint": {shop(set("a", values{"nowhere": values{"x": 1}})), "nowhere.x", "nothing", "a config set is shared by many"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := Environment(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := story(t, out.Settings, c.path); got != c.want {
				t.Errorf("%s: %s is\n%s, want\n%s", c.reason, c.path, got, c.want)
			}
			settings, warnings, err := Settings(c.in)
			if diff := cmp.Diff(out.Settings, settings); err != nil || diff != "" {
				t.Errorf("Settings says something else: %v\n%s", err, diff)
			}
			if diff := cmp.Diff(out.Warnings, warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOrigin: every field of an origin.
func TestOrigin(t *testing.T) {
	t.Parallel()
	settings, _, err := Settings(shop(set("a", values{"web": values{"env": values{"A": "1"}}})))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]blueberry.Origin{}
	for _, s := range settings {
		got[s.Path] = s.Origin
	}
	for path, want := range map[string]blueberry.Origin{
		"web.env.A":       {Layer: blueberry.LayerConfigSet, Name: "a", Version: 3, Author: "bob", Commit: "beef"},
		"web.image":       {Layer: blueberry.LayerBlueprint, Version: 4, Author: "ann", Commit: "c0ffee"},
		"web.replicas":    {Layer: blueberry.LayerChart, Name: "web-service"},
		"cache.deep.mode": {Layer: blueberry.LayerChart, Name: "redis/deep", Commit: "c0ffee"},
	} {
		if got[path] != want {
			t.Errorf("%s is from %+v, want %+v", path, got[path], want)
		}
	}
	if !slices.IsSortedFunc(settings, func(a, b blueberry.Setting) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("the settings are not in order")
	}
}
