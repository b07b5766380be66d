package catalog_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
)

var update = flag.Bool("update", false, "write golden files anew")

const caseBlueprint = `
name: shop
components:
  - {name: web, image: "ghcr.io/acme/web:1", values: {replicas: 1}}
parameters:
  - {name: replicas, type: integer, min: 1, max: 5, sets: [web.replicas]}
fields: {forbidden: [web.resources]}
schema: {properties: {web: {properties: {replicas: {maximum: 4}}}}}
`

// tree is a directory with a blueprint and its cases.
func tree(cases string, more map[string]string) fstest.MapFS {
	out := fstest.MapFS{"blueberry.yaml": {Data: []byte(caseBlueprint)}, "blueberry.test.yaml": {Data: []byte(cases)}}
	for name, content := range more {
		out[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return out
}

// runCases gives the differences of each case.
func runCases(t *testing.T, tree fs.FS, o catalog.TestOptions) map[string][]string {
	t.Helper()
	report, err := catalog.Test(t.Context(), tree, o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, c := range report.Cases {
		out[c.Name] = nil
		for _, d := range c.Differences {
			out[c.Name] = append(out[c.Name], strings.TrimSpace(d.Kind+" "+d.File+" "+d.Object+" "+d.Field+" "+d.Code))
		}
		if c.Passed != (len(c.Differences) == 0) {
			t.Errorf("%s passed: %v", c.Name, c.Passed)
		}
	}
	return out
}

func TestCases(t *testing.T) {
	t.Parallel()
	more := map[string]string{
		"policies/images.cedar": "@id(\"registry\")\nforbid (principal, action, resource is Image) unless { resource.registry == \"ghcr.io\" };\n",
		"config/three.yaml":     "web: {replicas: 3, resources: {limits: {cpu: 1}}}\n",
		"config/secret.yaml":    "web: {env: {TOKEN: ghp_0123456789abcdefghijABCDEFGHIJ012345}}\n",
	}
	got := runCases(t, tree(`
policies: [policies/images.cedar]
cases:
  - name: plain
  - {name: everything said, environment: pr-1, project: acme, domain: example.com, hours: 8, parameters: {replicas: 2}, overrides: {web: {env: {A: "1"}}}, strict: true}
  - {name: warned, config: [config/three.yaml], expect: {warnings: [forbidden_field]}}
  - {name: warned of too little, expect: {warnings: [forbidden_field]}}
  - {name: warned of too much, config: [config/three.yaml], expect: {warnings: []}}
  - {name: strict, config: [config/three.yaml], strict: true, expect: {faults: [{field: config_sets.three.web.resources, code: forbidden_field}]}}
  - {name: parameter, parameters: {replicas: 9, x: 1}, expect: {faults: [{field: parameters.replicas, code: range}, {field: parameters.x, code: unknown}]}}
  - {name: refused after all, parameters: {replicas: 9}}
  - {name: not refused, expect: {faults: [{field: parameters.replicas, code: range}]}}
  - {name: schema, overrides: {web: {replicas: 5}}, expect: {faults: [{field: overrides.web.replicas, code: schema}]}}
  - {name: secret, config: [config/secret.yaml], expect: {faults: [{field: config_sets.secret.web.env.TOKEN, code: secret_literal}]}}
  - {name: denied, overrides: {web: {image: "acme/web:1"}}, expect: {denied: ["default/images#registry"]}}
  - {name: denied after all, overrides: {web: {image: "acme/web:1"}}}
  - {name: not denied, expect: {denied: ["default/images#registry"]}}
`, more), catalog.TestOptions{})
	want := map[string][]string{
		"plain": nil, "everything said": nil, "warned": nil, "strict": nil, "parameter": nil, "schema": nil, "secret": nil, "denied": nil,
		"warned of too little": {"warning    forbidden_field"},
		"warned of too much":   {"warning   config_sets.three.web.resources forbidden_field"},
		"refused after all":    {"fault   parameters.replicas range"},
		"not refused":          {"fault   parameters.replicas range"},
		"denied after all":     {"policy  image acme/web:1 of Deployment.apps default-preview/web  default/images#registry"},
		"not denied":           {"policy    default/images#registry"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	files := tree("cases: [{name: small, golden: golden/small}]", nil)
	if got := runCases(t, files, catalog.TestOptions{})["small"]; len(got) < 2 || !strings.HasPrefix(got[0], "golden golden/small/00-environment.yaml") {
		t.Errorf("without golden files: %q", got)
	}
	update := catalog.TestOptions{
		Write:  func(name string, content []byte) error { files[name] = &fstest.MapFile{Data: content}; return nil },
		Remove: func(name string) error { delete(files, name); return nil },
	}
	files["golden/small/07-old.yaml"] = &fstest.MapFile{Data: []byte("a: 1\n")}
	files["golden/small/README.md"] = &fstest.MapFile{Data: []byte("kept\n")}
	report, err := catalog.Test(t.Context(), files, update)
	if err != nil || len(report.Cases[0].Written) != 2 || !slices.Equal(report.Cases[0].Removed, []string{"golden/small/07-old.yaml"}) {
		t.Fatalf("%+v (%v)", report, err)
	}
	if report, err = catalog.Test(t.Context(), files, update); err != nil || len(report.Cases[0].Written) != 0 {
		t.Errorf("an update without need wrote %q (%v)", report.Cases[0].Written, err)
	}
	if got := runCases(t, files, catalog.TestOptions{}); got["small"] != nil {
		t.Errorf("after an update: %q", got)
	}

	const web = "golden/small/00-web.yaml"
	golden := string(files[web].Data)
	deployment := "golden " + web + " Deployment.apps default-preview/web"
	for name, c := range map[string]struct {
		reason  string
		content string
		want    []string
	}{
		"fields": {"each field is told", strings.NewReplacer("minReplicas: 1", "minReplicas: 2", "image: ghcr.io/acme/web:1", "image: ghcr.io/acme/web:0").Replace(golden), []string{
			deployment + " spec.template.spec.containers[name=web].image", "golden " + web + " HorizontalPodAutoscaler.autoscaling default-preview/web spec.minReplicas",
		}},
		"bytes":   {"a comment is no field", strings.Replace(golden, "# web-service/", "# mine/", 1), []string{"golden " + web}},
		"objects": {"each object is told", golden + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: default-preview}\n", []string{"golden " + web + " ConfigMap default-preview/more"}},
		"broken":  {"what cannot be read differs", "a: [", []string{"golden " + web}},
	} {
		other := maps.Clone(files)
		other[web] = &fstest.MapFile{Data: []byte(c.content)}
		got := runCases(t, other, catalog.TestOptions{})["small"]
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (%s): -want +got\n%s", name, c.reason, diff)
		}
	}
	for says, edit := range map[string]string{
		`spec.minReplicas: is 1, and should be 2`:                          strings.Replace(golden, "minReplicas: 1", "minReplicas: 2", 1),
		`spec.minReplicas: is 1, and should not be there`:                  strings.Replace(golden, "minReplicas: 1", "", 1),
		`spec.more: is not there, and should be {"a":[1,"x"]}`:             strings.Replace(golden, "minReplicas: 1", "minReplicas: 1\n  more: {a: [1, x]}", 1),
		`holds the same objects in other bytes: line 2 is "# web-service/`: strings.Replace(golden, "# web-service/", "# mine/", 1),
		`it is no rendered file): line 1 should be "---", and is "# mine"`: "# mine\n" + golden,
	} {
		other := maps.Clone(files)
		other[web] = &fstest.MapFile{Data: []byte(edit)}
		report, err := catalog.Test(t.Context(), other, catalog.TestOptions{})
		if err != nil || len(report.Cases[0].Differences) != 1 || !strings.Contains(report.Cases[0].Differences[0].String(), says) {
			t.Errorf("want %q, got %v (%v)", says, report.Cases[0].Differences, err)
		}
	}
	extra := maps.Clone(files)
	extra["golden/small/09-more.yaml"] = &fstest.MapFile{Data: []byte("a: 1\n")}
	if diff := cmp.Diff([]string{"golden golden/small/09-more.yaml"}, runCases(t, extra, catalog.TestOptions{})["small"]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestBadCases(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		cases  string
		want   []string // field, code, and where
	}{
		"unknown fields": {"a typing mistake must not pass", "casse: []\ncases:\n  - name: a\n    gloden: x\n    expect: {fault: []}\n", []string{
			"blueberry.test.yaml.casse unknown (line 1, column 1)", "blueberry.test.yaml.cases[0].gloden unknown (line 4, column 5)", "blueberry.test.yaml.cases[0].expect.fault unknown (line 5, column 14)",
		}},
		"types": {"each is told", "policies: x\ncases:\n- {name: 1, environment: A, hours: 0.5, strict: maybe, parameters: [], config: [1, ../x, ''], golden: /x, overrides: {a: 012, b: yes}}\n", []string{
			"blueberry.test.yaml.policies type (line 1, column 11)", "blueberry.test.yaml.cases[0].name type (line 3, column 10)", "blueberry.test.yaml.cases[0].environment pattern (line 3, column 26)",
			"blueberry.test.yaml.cases[0].hours type (line 3, column 36)", "blueberry.test.yaml.cases[0].strict type (line 3, column 49)", "blueberry.test.yaml.cases[0].parameters type (line 3, column 68)",
			"blueberry.test.yaml.cases[0].config[0] type (line 3, column 81)", "blueberry.test.yaml.cases[0].config[1] path (line 3, column 84)", "blueberry.test.yaml.cases[0].config[2] path (line 3, column 90)",
			"blueberry.test.yaml.cases[0].golden path (line 3, column 103)", "blueberry.test.yaml.cases[0].overrides.a type (line 3, column 122)", "blueberry.test.yaml.cases[0].overrides.b ambiguous (line 3, column 130)",
			"blueberry.test.yaml.cases[0].name required (line 3, column 3)",
		}},
		"doubled": {"which one?", "cases:\n- {name: a, golden: x}\n- {name: a, golden: ./x, name: b}\n", []string{
			"blueberry.test.yaml.cases[1].name duplicate (line 3, column 26)", "blueberry.test.yaml.cases[1].name duplicate (line 3, column 3)", "blueberry.test.yaml.cases[1].golden duplicate (line 3, column 3)",
		}},
		"refused with manifests": {"there are none", "cases: [{name: a, golden: x, expect: {faults: [{field: a, code: b}]}}]", []string{"blueberry.test.yaml.cases[0].golden exclusive (line 1, column 9)"}},
		"empty":                  {"nothing would be tested", "", []string{"blueberry.test.yaml required (line 1, column 1)"}},
		"no cases":               {"nothing would be tested", "cases: []", []string{"blueberry.test.yaml.cases required (line 1, column 1)"}},
		"two documents":          {"which one?", "cases: []\n---\ncases: []\n", []string{"blueberry.test.yaml syntax (line 2, column 1)"}},
		"no YAML":                {"it cannot be read", "cases: [", []string{"blueberry.test.yaml syntax "}},
		"missing files":          {"each is told", "policies: [a.cedar]\ncases: [{name: a, config: [b.yaml]}]", []string{"blueberry.test.yaml.policies[0] file_not_found ", "blueberry.test.yaml.cases[0].config[0] file_not_found "}},
		"broken policies":        {"rules are checked like those of a server", "policies: [bad.cedar, other/bad.cedar]\ncases: [{name: a}]", []string{"blueberry.test.yaml.policies[0].text syntax ", "blueberry.test.yaml.policies[1] duplicate "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := catalog.Test(t.Context(), tree(c.cases, map[string]string{"bad.cedar": "forbid (", "other/bad.cedar": "forbid (principal, action, resource);"}), catalog.TestOptions{})
			var e *blueberry.Error
			if !errors.As(err, &e) {
				t.Fatalf("%s: %v", c.reason, err)
			}
			var got []string
			for _, f := range e.Fields {
				at := ""
				if i := strings.LastIndex(f.Message, "(line "); i >= 0 && !strings.Contains(f.Field, "policies[") {
					at = f.Message[i:]
				}
				got = append(got, f.Field+" "+f.Code+" "+at)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want +got\n%s\n%v", c.reason, diff, err)
			}
		})
	}
}

func TestChosenCases(t *testing.T) {
	t.Parallel()
	files := tree("cases: [{name: a}, {name: b}, {name: c}]", nil)
	if diff := cmp.Diff(map[string][]string{"c": nil, "a": nil}, runCases(t, files, catalog.TestOptions{Cases: []string{"c", "a"}})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	_, err := catalog.Test(t.Context(), files, catalog.TestOptions{Cases: []string{"d"}})
	if diff := cmp.Diff([]string{"invalid VALIDATION_FAILED", "case unknown"}, refusalOf(err)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, missing := range []string{"blueberry.yaml", "blueberry.test.yaml"} {
		files := tree("cases: [{name: a}]", nil)
		delete(files, missing)
		if _, err := catalog.Test(t.Context(), files, catalog.TestOptions{}); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

// TestCasesBelowTheRoot: what the cases name lies beside them, what the blueprint names below the root.
func TestCasesBelowTheRoot(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"deploy/blueberry.yaml":      {Data: []byte("name: shop\ncomponents: [{name: cache, chart: charts/cache}]\n")},
		"deploy/blueberry.test.yaml": {Data: []byte("cases: [{name: a, config: [config/a.yaml], golden: golden}]\n")},
		"deploy/config/a.yaml":       {Data: []byte("cache: {size: 7}\n")},
		"charts/cache/Chart.yaml":    {Data: []byte("apiVersion: v2\nname: cache\nversion: 1.0.0\n")},
		"charts/cache/templates/map.yaml": {
			Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache}\ndata: {size: \"{{ .Values.size }}\"}\n"),
		},
	}
	o := catalog.TestOptions{File: "deploy/blueberry.test.yaml"}
	o.Write = func(name string, content []byte) error { files[name] = &fstest.MapFile{Data: content}; return nil }
	report, err := catalog.Test(t.Context(), files, o)
	if err != nil || report.Failed() > 0 || !slices.Contains(report.Cases[0].Written, "deploy/golden/00-cache.yaml") {
		t.Fatalf("%+v (%v)", report, err)
	}
	if !bytes.Contains(files["deploy/golden/00-cache.yaml"].Data, []byte(`size: "7"`)) {
		t.Errorf("rendered %s", files["deploy/golden/00-cache.yaml"].Data)
	}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	report, err := catalog.Test(t.Context(), tree("cases: [{name: \"a <&> \\x01\"}, {name: b, expect: {denied: [x, y]}}]", nil), catalog.TestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.WriteJUnit(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out.Bytes(), &got); err != nil || len(got.Suites) != 1 || len(got.Suites[0].Cases) != 2 {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	s := got.Suites[0]
	if s.Name != "blueprint shop" || s.Tests != 2 || s.Failures != 1 || s.Cases[0].Failure != nil || s.Cases[1].Failure.Message != "2 differences" || strings.Count(s.Cases[1].Failure.Text, "\n") != 1 {
		t.Errorf("%s", out.Bytes())
	}
}

// TestSampleCases runs the cases of the sample application, as its CI would.
func TestSampleCases(t *testing.T) {
	t.Parallel()
	const sample = "../../examples/shop"
	var o catalog.TestOptions
	if *update {
		o.Write = func(name string, content []byte) error {
			return errors.Join(os.MkdirAll(filepath.Join(sample, filepath.Dir(name)), 0o755), os.WriteFile(filepath.Join(sample, name), content, 0o644))
		}
		o.Remove = func(name string) error { return os.Remove(filepath.Join(sample, name)) }
	}
	report, err := catalog.Test(t.Context(), os.DirFS(sample), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Cases {
		for _, d := range c.Differences {
			t.Errorf("%s: %s", c.Name, d)
		}
	}
	if len(report.Cases) < 4 {
		t.Errorf("only %d cases ran", len(report.Cases))
	}
}

// FuzzCases: no file of cases brings the reader down or makes it work without end.
func FuzzCases(f *testing.F) {
	for _, s := range []string{
		"cases: [{name: a}]", "policies: [a]\ncases:\n- name: a\n  overrides: {web: {replicas: 012}}\n", "a: &a [*a]\ncases: *a", "cases: [{<<: {name: a}}]", "{", "- 1", "cases: [{name: !!binary aaaa}]",
		"x: &x [1,1]\ny: &y [*x,*x]\nz: &z [*y,*y]\ncases: [{name: a, overrides: {a: *z}}]", "\xff", "cases: [{name: a, parameters: {a: .inf, b: 1e999, c: 2020-01-01}}]", "? [a]\n: b",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		files := tree("", nil)
		files["blueberry.test.yaml"] = &fstest.MapFile{Data: content}
		report, err := catalog.Test(t.Context(), files, catalog.TestOptions{Cases: []string{"none of them"}})
		var e *blueberry.Error
		if !errors.As(err, &e) {
			t.Errorf("%+v (%v)", report, err)
		}
	})
}

// TestCasesOfOtherRepositories: what is not read for a test keeps no case of the rest from passing, and is told.
func TestCasesOfOtherRepositories(t *testing.T) {
	t.Parallel()
	files := tree("cases:\n  - {name: whole}\n  - {name: too many, overrides: {web: {replicas: none}}}\n", map[string]string{"blueberry.yaml": `
name: shop
repositories: [{name: front, url: "https://git.example.com/front"}]
components:
  - {name: web, image: "ghcr.io/acme/web:1"}
  - {name: chart, repository: front, chart: chart}
  - {name: kustom, repository: front, kustomization: deploy/k}
  - {name: score, repository: front, score: score.yaml}
computed: {chart.tag: "${commit}", web.env.IMAGE: "${image}"}
`})
	report, err := catalog.Test(t.Context(), files, catalog.TestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	whole, many := report.Cases[0], report.Cases[1]
	var warned []string
	for _, w := range whole.Warnings {
		if w.Code == "repository_unread" {
			warned = append(warned, w.Field)
		}
	}
	if want := []string{"components[1].repository", "components[2].repository", "components[3].repository"}; !whole.Passed || !cmp.Equal(warned, want) {
		t.Errorf("passed %v, warned of %q: %v", whole.Passed, warned, whole.Differences)
	}
	if many.Passed {
		t.Error("a fault of the rest is not seen")
	}
}
