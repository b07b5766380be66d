package render

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/cmd"
	"pgregory.net/rapid"
)

const corpus = "testdata/charts"

// oneHelm: the helm CLI keeps its settings in variables of its process.
var oneHelm sync.Mutex

// helmTemplate runs the helm CLI's own code: `helm template NAME CHART --include-crds`.
func helmTemplate(chart string, values map[string]any) (string, error) {
	oneHelm.Lock()
	defer oneHelm.Unlock()
	args := []string{"template", "rel", chart, "--include-crds", "--namespace", "ns", "--kube-version", "v1.36.3", "--api-versions", "cert-manager.io/v1"}
	if values != nil {
		file, err := os.CreateTemp("", "values-*.json")
		if err != nil {
			return "", err
		}
		defer func() { _ = os.Remove(file.Name()) }()
		if err := json.NewEncoder(file).Encode(values); err != nil {
			return "", err
		}
		if err := file.Close(); err != nil {
			return "", err
		}
		args = append(args, "--values", file.Name())
	}
	var out bytes.Buffer
	root, err := cmd.NewRootCmd(&out, args, func(bool) {})
	if err != nil {
		return "", err
	}
	root.SetArgs(args)
	root.SetErr(io.Discard)
	root.SilenceErrors, root.SilenceUsage = true, true
	err = root.Execute()
	return out.String(), err
}

// ours renders the same chart with our code, before hooks, labels and rules, so that it can be held against helm's.
func ours(chart string, values map[string]any) ([]manifest, []problem) {
	caps, err := capabilities("v1.36.3", []string{"cert-manager.io/v1"})
	if err != nil {
		return nil, []problem{{message: err.Error()}}
	}
	v, _ := normal(values).(map[string]any)
	if v == nil {
		v = map[string]any{}
	}
	c, err := loadChart(os.DirFS(corpus), chart)
	if err != nil {
		return nil, []problem{{message: err.Error()}}
	}
	o := &opened{chart: c}
	merged, failed := o.coalesce(v)
	if failed != nil {
		return nil, []problem{*failed}
	}
	if found := checkChartSchema(c, merged, "values"); len(found) > 0 {
		return nil, found
	}
	return o.run(v, nil, chartRelease{name: "rel", namespace: "ns", caps: caps})
}

// objects gives what a rendering holds as sorted JSON, without what we do to hooks.
func objects(t interface{ Fatalf(string, ...any) }, all []manifest) []string {
	var out []string
	for _, m := range applyHooks(slices.Clone(all)) {
		b, err := json.Marshal(m.object)
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		out = append(out, string(b))
	}
	slices.Sort(out)
	return out
}

func TestLikeHelm(t *testing.T) {
	cases := map[string]struct {
		chart  string
		values map[string]any
		reason string
	}{
		"functions":          {chart: "functions", reason: "every function gives what helm's gives"},
		"functions values":   {chart: "functions", values: map[string]any{"name": "x", "replicas": 1e9, "nested": map[string]any{"b": nil, "c": "x"}, "greeting": "{{ .Values.none }}|{{ .Nope }}"}, reason: "no value is empty, null deletes"},
		"streams":            {chart: "streams", reason: "documents, lists, hooks, CRDs"},
		"streams bare":       {chart: "streams", values: map[string]any{"hooks": false}, reason: "a file may render to nothing"},
		"umbrella":           {chart: "umbrella", reason: "conditions, tags, alias, imports, globals, archives, libraries"},
		"umbrella tags":      {chart: "umbrella", values: map[string]any{"tags": map[string]any{"async": true, "extra": false}}, reason: "tags switch"},
		"umbrella alias":     {chart: "umbrella", values: map[string]any{"second": map[string]any{"enabled": true, "port": 7}, "cache": map[string]any{"enabled": false}}, reason: "an alias is a chart of its own"},
		"umbrella condition": {chart: "umbrella", values: map[string]any{"queue": map[string]any{"on": true}, "packed": map[string]any{"leaf": map[string]any{"enabled": false}}}, reason: "a condition beats a tag"},
		"umbrella null":      {chart: "umbrella", values: map[string]any{"own": map[string]any{"gone": nil}, "global": map[string]any{"region": nil, "tier": map[string]any{"a": nil}}, "cache": map[string]any{"drop": nil, "enabled": true}}, reason: "null deletes, also in charts below"},
		"umbrella packed":    {chart: "umbrella", values: map[string]any{"packed": map[string]any{"enabled": false}, "imported": nil}, reason: "an archive can be off; an import fills a deleted table"},
		"legacy":             {chart: "legacy", values: map[string]any{"replicas": 4}, reason: "charts of the first format with requirements.yaml"},
		"schema":             {chart: "schema", values: map[string]any{"name": "abc", "replicas": 3}, reason: "values that fit"},
		"merge":              {chart: "merge", reason: "values of three levels"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := helmTemplate(filepath.Join(corpus, c.chart), c.values)
			if err != nil {
				t.Fatalf("helm: %v", err)
			}
			theirs, found := readManifests("helm", text)
			if len(found) > 0 {
				t.Fatalf("helm's output: %v", found)
			}
			got, found := ours(c.chart, c.values)
			if len(found) > 0 {
				t.Fatalf("ours: %v", found)
			}
			if diff := cmp.Diff(objects(t, theirs), objects(t, got)); diff != "" {
				t.Errorf("%s: (-helm +ours)\n%s", c.reason, diff)
			}
		})
	}
}

// TestRefusesLikeHelm: what helm refuses, we refuse.
func TestRefusesLikeHelm(t *testing.T) {
	cases := map[string]struct {
		chart  string
		values map[string]any
	}{
		"schema":           {"schema", map[string]any{"replicas": 0}},
		"schema below":     {"schema", map[string]any{"inner": map[string]any{"size": 11}}},
		"schema required":  {"schema", map[string]any{"replicas": nil}},
		"schema ref":       {"schema", map[string]any{"name": "ABC"}},
		"table expected":   {"merge", map[string]any{"a": "text"}},
		"tpl fails":        {"functions", map[string]any{"greeting": "{{ fail \"no\" }}"}},
		"tpl is broken":    {"functions", map[string]any{"greeting": "{{ if }}"}},
		"wrong type":       {"functions", map[string]any{"nested": "text"}},
		"unknown function": {"functions", map[string]any{"greeting": "{{ env \"HOME\" }}"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := helmTemplate(filepath.Join(corpus, c.chart), c.values); err == nil {
				t.Fatal("helm accepts it")
			}
			if _, found := ours(c.chart, c.values); len(found) == 0 {
				t.Error("helm refuses it, we accept it")
			}
		})
	}
}

// TestMergesLikeHelm: values of any shape end up in the templates as helm puts them there, and what helm refuses is refused.
func TestMergesLikeHelm(t *testing.T) {
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Just[any](true), rapid.Map(rapid.IntRange(-5, 2_000_000), func(i int) any { return float64(i) }),
		rapid.Map(rapid.SampledFrom([]string{"", "text", "{{ .Values.x }}", "yes"}), func(s string) any { return s }),
		rapid.Just[any]([]any{1.0, nil}),
	)
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return leaf
		}
		below := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "x", "y", "k", "l", "m", "n", "z", "global", "enabled"}), value(depth-1), 0, 4)
		return rapid.OneOf(leaf, rapid.Map(below, func(m map[string]any) any { return m }), rapid.Map(below, func(m map[string]any) any { return m }))
	}
	rapid.Check(t, func(t *rapid.T) {
		values, ok := value(4).Draw(t, "values").(map[string]any)
		if !ok {
			values = nil
		}
		text, err := helmTemplate(filepath.Join(corpus, "merge"), values)
		got, found := ours("merge", values)
		if (err != nil) != (len(found) > 0) {
			t.Fatalf("helm: %v, ours: %v", err, found)
		}
		if err != nil {
			return
		}
		theirs, _ := readManifests("helm", text)
		if diff := cmp.Diff(objects(t, theirs), objects(t, got)); diff != "" {
			t.Fatalf("(-helm +ours)\n%s", diff)
		}
	})
}

// TestCorpusIsNotEmpty keeps the corpus honest: a case that renders nothing compares nothing.
func TestCorpusIsNotEmpty(t *testing.T) {
	t.Parallel()
	for _, chart := range []string{"functions", "streams", "umbrella", "legacy", "merge"} {
		got, found := ours(chart, nil)
		if len(got) == 0 || len(found) > 0 {
			t.Errorf("%s renders %d objects: %v", chart, len(got), found)
		}
	}
}
