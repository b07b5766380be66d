package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const accepted = `
apiVersion: blueberry.dev/v1
kind: Blueprint
name: shop
components:
  - name: backend
    image: ghcr.io/acme/backend:1.4.2
    port: 8080
    health: /healthz
    wave: 1
    values: {replicas: 2, env: {A: "1", B: true}, list: [1, null, 1.5], word: text, day: 2024-01-02}
  - name: cache
    chart: deploy/charts/cache
  - name: extras
    kustomization: deploy/extras
`

const complete = `
name: shop
components:
  - {name: backend, values: {env: {REGION: eu}}, paths: [backend/**, "**/*.proto", go.mod]}
  - {name: worker, score: deploy/score.yaml, wave: 2}
  - {name: front, chart: chart, repository: web}
repositories:
  - {name: web, url: "https://git.example.com/acme/web.git", ref: main, match: branch}
  - {name: docs, url: "git@git.example.com:acme/docs", match: fixed}
parameters:
  - {name: count, type: integer, help: "how many", default: 2, min: 1, max: 9, sets: [backend.replicas, worker.replicas]}
  - {name: region, enum: [eu, us], pattern: "[a-z]+", required: true, sets: [all.env.REGION]}
  - {name: debug, type: boolean, default: false, sets: ['backend.env["a.b"]']}
schema: {properties: {backend: {properties: {replicas: {maximum: 9}}}}}
fields: {required: [backend.image], forbidden: ["*.resources"], public: ["*.env.PUBLIC_*"]}
computed: {backend.env.URL: "${backend.url}/${worker.service}"}
services: [{name: db, kind: postgres, size: 1Gi}]
egress: [{cidr: 10.1.0.0/16, ports: [5432]}, {cidr: 192.0.2.1/32}]
configSets: [shop@3, global/logging, extra@latest]
configUpdates: automatic
lease: {default: 8, max: 48}
access: {projects: [shop], actors: [ci]}
pullRequests: {off: true, bases: [main], labels: [preview], drafts: true, bots: true, atOnce: 3, hours: 8, paths: [src/**], pathsIgnore: ["**/*.md"]}
`

// TestParseComplete: every part of a blueprint.
func TestParseComplete(t *testing.T) {
	t.Parallel()
	low, high := 1.0, 9.0
	want := blueberry.Blueprint{
		Name: "shop",
		Components: []blueberry.Component{
			{Name: "backend", Values: map[string]any{"env": map[string]any{"REGION": "eu"}}, Paths: []string{"backend/**", "**/*.proto", "go.mod"}},
			{Name: "worker", Score: "deploy/score.yaml", Wave: 2},
			{Name: "front", Chart: "chart", Repository: "web"},
		},
		Repositories: []blueberry.SideRepository{
			{Name: "web", URL: "https://git.example.com/acme/web.git", Ref: "main", Match: blueberry.MatchBranch},
			{Name: "docs", URL: "git@git.example.com:acme/docs", Match: blueberry.MatchFixed},
		},
		Parameters: []blueberry.Parameter{
			{Name: "count", Type: blueberry.ParameterInteger, Help: "how many", Default: 2.0, Min: &low, Max: &high, Sets: []string{"backend.replicas", "worker.replicas"}},
			{Name: "region", Enum: []any{"eu", "us"}, Pattern: "[a-z]+", Required: true, Sets: []string{"all.env.REGION"}},
			{Name: "debug", Type: blueberry.ParameterBoolean, Default: false, Sets: []string{`backend.env["a.b"]`}},
		},
		Schema:        map[string]any{"properties": map[string]any{"backend": map[string]any{"properties": map[string]any{"replicas": map[string]any{"maximum": 9.0}}}}},
		Fields:        blueberry.FieldClasses{Required: []string{"backend.image"}, Forbidden: []string{"*.resources"}, Public: []string{"*.env.PUBLIC_*"}},
		Computed:      map[string]string{"backend.env.URL": "${backend.url}/${worker.service}"},
		Services:      []blueberry.ServiceSlot{{Name: "db", Kind: "postgres", Size: "1Gi"}},
		Egress:        []blueberry.Egress{{CIDR: "10.1.0.0/16", Ports: []int{5432}}, {CIDR: "192.0.2.1/32"}},
		ConfigSets:    []blueberry.ConfigRef{{Name: "shop", Version: 3}, {Global: true, Name: "logging"}, {Name: "extra"}},
		ConfigUpdates: blueberry.ConfigAutomatic,
		Lease:         blueberry.LeaseBounds{Default: 8, Max: 48},
		Access:        blueberry.BlueprintAccess{Projects: []string{"shop"}, Actors: []string{"ci"}},
		PullRequests: blueberry.PullRules{
			Off: true, Bases: []string{"main"}, Labels: []string{"preview"}, Drafts: true, Bots: true, AtOnce: 3, Hours: 8, Paths: []string{"src/**"}, PathsIgnore: []string{"**/*.md"},
		},
	}
	got, err := ParseBlueprint([]byte(complete))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseBlueprint(t *testing.T) {
	t.Parallel()
	want := blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{
		{
			Name: "backend", Image: "ghcr.io/acme/backend:1.4.2", Port: 8080, Health: "/healthz", Wave: 1,
			Values: map[string]any{
				"replicas": 2.0, "env": map[string]any{"A": "1", "B": true}, "list": []any{1.0, nil, 1.5}, "word": "text", "day": "2024-01-02",
			},
		},
		{Name: "cache", Chart: "deploy/charts/cache"},
		{Name: "extras", Kustomization: "deploy/extras"},
	}}
	cases := map[string]struct{ content, reason string }{
		"yaml":  {accepted, "the form people write"},
		"short": {strings.ReplaceAll(strings.ReplaceAll(accepted, "apiVersion: blueberry.dev/v1\n", ""), "kind: Blueprint\n", ""), "the version may be left out"},
		"json": {"{\n\t\"name\": \"shop\",\n\t\"components\": [{\"name\": \"backend\", \"image\": \"ghcr.io\\/acme/backend:1.4.2\", \"port\": 8080, \"health\": \"/healthz\", \"wave\": 1,\n" +
			`"values": {"replicas": 2, "env": {"A": "1", "B": true}, "list": [1, null, 1.5], "word": "te\u0078t", "day": "2024-01-02"}},` +
			`{"name": "cache", "chart": "deploy/charts/cache"}, {"name": "extras", "kustomization": "deploy/extras"}]}`, "JSON with tabs and escapes, as an API sends it"},
		"aliases": {strings.Replace(accepted, "values: {replicas: 2,", "values: {<<: {replicas: 2, word: other},", 1), "merge keys give way to what is set"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseBlueprint([]byte(c.content))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", c.reason, diff)
			}
		})
	}
}

func TestParseBlueprintFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		content string
		want    []string // "field code (line, column)", in the order of the document
	}{
		"empty":         {"", []string{" required (line 1, column 1)"}},
		"a comment":     {"# nothing\n", []string{" required (line 1, column 1)"}},
		"a list":        {"- a\n", []string{" type (line 1, column 1)"}},
		"text":          {"text", []string{" type (line 1, column 1)"}},
		"syntax":        {"name: a\n  bad: : x\n", []string{" syntax (line 2, column 3)"}},
		"a tab":         {"name: a\ncomponents:\n\t- name: b\n", []string{" syntax (line 3, column 2)"}},
		"two documents": {"name: a\n---\nname: b\n", []string{" syntax (line 2, column 1)"}},
		"nothing set": {"{}", []string{
			"components required (line 1, column 1)", "name required (line 1, column 1)",
		}},
		"of another kind": {"apiVersion: v2\nkind: Pod\nname: a\ncomponents: [{name: b, image: 'c:1'}]\n", []string{
			"apiVersion enum (line 1, column 13)", "kind enum (line 2, column 7)",
		}},
		"unknown, doubled, of the wrong type": {"name: a\ntypo: 1\nname: b\ncomponents:\n  - name: [x]\n    image: c:1\n    port: eighty\n    values: text\n    colour: red\n", []string{
			"components[0].colour unknown (line 9, column 5)", "components[0].name type (line 5, column 11)", "components[0].port type (line 7, column 11)",
			"components[0].values type (line 8, column 13)", "name duplicate (line 3, column 1)", "typo unknown (line 2, column 1)",
		}},
		"rules of the noun": {"name: a\ncomponents:\n  - name: Backend\n    image: c\n    wave: 100\n  - name: b\n    chart: ../x\n  - name: b\n    image: c:1\n", []string{
			"components[0].image image_unpinned (line 4, column 12)", "components[0].name pattern (line 3, column 11)", "components[0].wave range (line 5, column 11)",
			"components[1].chart path (line 7, column 12)", "components[2].name duplicate (line 8, column 11)",
		}},
		"ambiguous values": {"name: a\ncomponents:\n- name: b\n  image: c:1\n  values:\n    a: yes\n    b: NO\n    c: 0644\n    d: .nan\n    e: 12345678901234567890\n    f: !!binary aGk=\n    g: 'yes'\n", []string{
			"components[0].values.a ambiguous (line 6, column 8)", "components[0].values.b ambiguous (line 7, column 8)", "components[0].values.c ambiguous (line 8, column 8)",
			"components[0].values.d type (line 9, column 8)", "components[0].values.e range (line 10, column 8)", "components[0].values.f type (line 11, column 8)",
		}},
		"a number for a name": {"name: 5\ncomponents: [{name: b, image: 'c:1'}]\n", []string{"name type (line 1, column 7)"}},
		"doubled in values":   {"name: a\ncomponents: [{name: b, image: 'c:1', values: {x: 1, x: 2}}]\n", []string{"components[0].values.x duplicate (line 2, column 53)"}},
		"json":                {"{\"name\": \"a\",\n  \"components\": [{\"name\": \"b\", \"image\": \"c:1\", \"port\": \"x\"}], \"name\": \"c\"}", []string{"components[0].port type (line 2, column 56)", "name duplicate (line 2, column 63)"}},
		"parts of the wrong type": {"name: a\ncomponents: [{name: b}]\nparameters: {}\nschema: 5\nfields: {required: x, unknown: []}\ncomputed: []\nservices: x\negress: [{cidr: 5, ports: [x]}]\nconfigSets: [5]\nconfigUpdates: 1\nlease: {max: long}\naccess: []\n", []string{
			"access type (line 12, column 9)", "computed type (line 6, column 11)", "configSets[0] type (line 9, column 14)", "configUpdates type (line 10, column 16)",
			"egress[0].cidr type (line 8, column 17)", "egress[0].ports[0] type (line 8, column 28)", "fields.required type (line 5, column 20)", "fields.unknown unknown (line 5, column 23)",
			"lease.max type (line 11, column 14)", "parameters type (line 3, column 13)", "schema type (line 4, column 9)", "services type (line 7, column 11)",
		}},
		"parts that cannot be": {"name: a\ncomponents:\n- {name: b}\n- {name: all, score: ../x, port: 5}\nparameters:\n- {name: A, type: x, sets: []}\n- {name: p, type: integer, default: 1.5, min: x, required: maybe, sets: [c.x, b, b.blueberry.host]}\nschema: {type: 5}\n" +
			"fields: {required: ['[']}\ncomputed: {b.env.X: '${nope}', c.x: y}\nservices: [{name: db, kind: db2, size: big}]\negress: [{cidr: 10.1.1.1/8, ports: [0]}]\nconfigSets: [Shop, a, a@2]\nconfigUpdates: never\nlease: {default: 9, max: 8}\n", []string{
			"components[1].name reserved (line 4, column 10)", "components[1].port forbidden (line 4, column 34)", "components[1].score path (line 4, column 22)",
			"computed[b.env.X] unknown (line 10, column 21)", "computed[c.x] unknown (line 10, column 37)",
			"configSets[0] pattern (line 13, column 14)", "configSets[2] duplicate (line 13, column 23)", "configUpdates enum (line 14, column 16)",
			"egress[0].cidr cidr (line 12, column 17)", "egress[0].ports[0] range (line 12, column 37)", "fields.required[0] pattern (line 9, column 21)", "lease.default range (line 15, column 18)",
			"parameters[0].name pattern (line 6, column 10)", "parameters[0].sets required (line 6, column 28)", "parameters[0].type enum (line 6, column 19)",
			"parameters[1].default type (line 7, column 37)", "parameters[1].min type (line 7, column 47)", "parameters[1].required type (line 7, column 60)",
			"parameters[1].sets[0] unknown (line 7, column 74)", "parameters[1].sets[1] path (line 7, column 79)", "parameters[1].sets[2] computed (line 7, column 82)",
			"schema schema (line 8, column 9)", "services[0].kind enum (line 11, column 29)", "services[0].size quantity (line 11, column 40)",
		}},
		"repositories and paths": {"name: a\nrepositories:\n- {name: Web, match: newest}\n- {name: x, url: 'https://h/a.git', ref: 5}\n- {name: x, url: 'https://h/a/', branch: b}\ncomponents:\n" +
			"- {name: b, repository: y, paths: [/abs, '../x', 'a/[', ok/**]}\n- {name: c, paths: b/**, repository: x}\n", []string{
			"components[0].paths[0] pattern (line 7, column 36)", "components[0].paths[1] pattern (line 7, column 42)", "components[0].paths[2] pattern (line 7, column 50)",
			"components[0].repository unknown (line 7, column 25)", "components[1].paths type (line 8, column 20)", "repositories[0].match enum (line 3, column 22)",
			"repositories[0].name pattern (line 3, column 10)", "repositories[0].url required (line 3, column 3)", "repositories[1].ref type (line 4, column 42)",
			"repositories[2].branch unknown (line 5, column 34)", "repositories[2].name duplicate (line 5, column 10)", "repositories[2].url duplicate (line 5, column 18)",
		}},
		"secrets": {"name: a\ncomponents: [{name: b, values: {env: {DB_PASSWORD: s3cr3t-value}}}]\nparameters: [{name: p, default: s3cr3t-value, sets: [b.env.PASSWORD]}]\ncomputed: {b.env.U: 'redis://:s3cr3t-value@cache'}\n", []string{
			"components[0].values.env.DB_PASSWORD secret_literal (line 2, column 52)", "computed[b.env.U] secret_literal (line 4, column 21)", "parameters[0].default secret_literal (line 3, column 33)",
		}},
		"an alias of itself": {"name: a\ncomponents: [{name: b, image: 'c:1', values: &v {v: *v}}]\n", []string{"components[0].values" + strings.Repeat(".v", maxDocumentDepth-2) + " too_deep (line 2, column 46)"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseBlueprint([]byte(c.content))
			var got []string
			for _, f := range invalid(t, err) {
				got = append(got, f.Field+" "+f.Code+" "+f.Message[strings.LastIndex(f.Message, "("):])
			}
			if diff := cmp.Diff(c.want, sorted(got)); diff != "" {
				t.Errorf("(-want +got)\n%s\n%v", diff, err)
			}
		})
	}
}

func TestParseBlueprintBounds(t *testing.T) {
	t.Parallel()
	bomb := "name: a\nx: &a [1,1,1,1,1,1,1,1,1,1]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("y%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	bomb += "components: [{name: b, image: 'c:1', values: {x: *j}}]\n"
	_, err := ParseBlueprint([]byte(bomb))
	if !strings.Contains(err.Error(), "aliases") {
		t.Errorf("an alias bomb: %v", err)
	}
	// A mapping of many keys, merged many times: the work is bounded, not only what comes of it.
	keys := strings.Builder{}
	for i := range 40_000 {
		fmt.Fprintf(&keys, "k%d: 1, ", i)
	}
	_, err = ParseBlueprint([]byte("name: a\nx: &a {" + keys.String() + "}\ncomponents: [{name: b, image: 'c:1', values: {<<: [" + strings.Repeat("*a,", 100_000) + "]}}]\n"))
	if !strings.Contains(err.Error(), "aliases") {
		t.Errorf("a merge bomb: %v", err)
	}
	_, err = ParseBlueprint([]byte("name: a\n" + strings.Repeat("x: 1\n", 50_000)))
	if n := len(invalid(t, err)); n != maxFaults+1 {
		t.Errorf("many faults: %d are told", n)
	}
	_, err = ParseBlueprint([]byte("name: a\ncomponents: " + strings.Repeat("[", 9_000)))
	if !errors.Is(err, blueberry.Invalid) {
		t.Errorf("deep: %v", err)
	}
	_, err = ParseBlueprint(make([]byte, maxDocumentSize+1))
	if !errors.Is(err, blueberry.TooLarge) {
		t.Errorf("large: %v", err)
	}
}

func FuzzParseBlueprint(f *testing.F) {
	f.Add([]byte(accepted))
	f.Add([]byte(`{"name":"a","components":[{"name":"b","image":"c:1","values":{"x":[1,{"y":null}]}}]}`))
	f.Add([]byte("name: &a a\ncomponents: [{name: *a, image: 'c:1', values: &v {<<: {x: 1}, v: *v}}]\n"))
	f.Add([]byte(complete))
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("--- !!binary x\n...\n--- \n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var b blueberry.Blueprint
		var err error
		bounded(t, func() { b, err = ParseBlueprint(content) })
		if err != nil {
			var e *blueberry.Error
			if !errors.As(err, &e) {
				t.Fatalf("not one of ours: %v", err)
			}
			for _, x := range e.Fields {
				if !strings.HasSuffix(x.Message, ")") || !strings.Contains(x.Message, "(line ") {
					t.Errorf("no position: %v", x)
				}
			}
			return
		}
		if err := b.Check(); err != nil {
			t.Fatalf("accepted, but not valid: %v", err)
		}
		// What is accepted survives being stored: JSON can hold it, and it reads back the same.
		stored, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		var again blueberry.Blueprint
		if err := json.Unmarshal(stored, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestBlueprintSchema: docs/blueprint.schema.json, which editors use, accepts what ParseBlueprint accepts and refuses what it says of shape.
func TestBlueprintSchema(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../docs/blueprint.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(content)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("blueprint", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("blueprint")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(examples, "*", blueberry.BlueprintFile))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	samples := map[string]string{"accepted": accepted, "complete": complete}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		samples[f] = string(b)
	}
	for name, s := range samples {
		if err := schema.Validate(plain(t, s)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, s := range map[string]string{
		"unknown field":          "name: a\ntypo: 1\ncomponents: [{name: b, image: 'c:1'}]\n",
		"no components":          "name: a\ncomponents: []\n",
		"no name":                "components: [{name: b, image: 'c:1'}]\n",
		"bad name":               "name: a\ncomponents: [{name: B, image: 'c:1'}]\n",
		"a reserved name":        "name: a\ncomponents: [{name: all, image: 'c:1'}]\n",
		"score and image":        "name: a\ncomponents: [{name: b, image: 'c:1', score: x}]\n",
		"parameter of no type":   "name: a\ncomponents: [{name: b}]\nparameters: [{name: p, type: x, sets: [b.x]}]\n",
		"parameter of nothing":   "name: a\ncomponents: [{name: b}]\nparameters: [{name: p}]\n",
		"computed nowhere":       "name: a\ncomponents: [{name: b}]\ncomputed: {x: z}\n",
		"a service of no kind":   "name: a\ncomponents: [{name: b}]\nservices: [{name: db, kind: x}]\n",
		"an opening to no net":   "name: a\ncomponents: [{name: b}]\negress: [{cidr: everywhere}]\n",
		"a config set's name":    "name: a\ncomponents: [{name: b}]\nconfigSets: [A]\n",
		"a long lease":           "name: a\ncomponents: [{name: b}]\nlease: {max: 169}\n",
		"an unknown class":       "name: a\ncomponents: [{name: b}]\nfields: {secret: []}\n",
		"no name of it":          "name: a\ncomponents: [{image: 'c:1'}]\n",
		"image and chart":        "name: a\ncomponents: [{name: b, image: 'c:1', chart: x}]\n",
		"values of kustomize":    "name: a\ncomponents: [{name: b, kustomization: x, values: {a: 1}}]\n",
		"wave out of range":      "name: a\ncomponents: [{name: b, image: 'c:1', wave: 100}]\n",
		"paths outside":          "name: a\ncomponents: [{name: b, image: 'c:1', paths: [../x]}]\n",
		"pull requests of forks": "name: a\ncomponents: [{name: b, image: 'c:1'}]\npullRequests: {forks: true}\n",
		"a target of them":       "name: a\ncomponents: [{name: b, image: 'c:1'}]\npullRequests: {target: x}\n",
		"too many at once":       "name: a\ncomponents: [{name: b, image: 'c:1'}]\npullRequests: {atOnce: 1001}\n",
		"a label of nothing":     "name: a\ncomponents: [{name: b, image: 'c:1'}]\npullRequests: {labels: ['']}\n",
		"a path of them outside": "name: a\ncomponents: [{name: b, image: 'c:1'}]\npullRequests: {pathsIgnore: [../x]}\n",
		"a path from the root":   "name: a\ncomponents: [{name: b, image: 'c:1', paths: [/x]}]\n",
		"a repository alone":     "name: a\nrepositories: [{name: x}]\ncomponents: [{name: b, image: 'c:1'}]\n",
		"a match of no kind":     "name: a\nrepositories: [{name: x, url: 'https://h/x', match: newest}]\ncomponents: [{name: b, image: 'c:1'}]\n",
		"untagged image":         "name: a\ncomponents: [{name: b, image: c}]\n",
	} {
		if _, err := ParseBlueprint([]byte(s)); err == nil {
			t.Errorf("%s: ParseBlueprint accepts it", name)
		}
		if schema.Validate(plain(t, s)) == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
}
