package render

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const scoreFile = `apiVersion: score.dev/v1b1
metadata:
  name: shop-backend
  annotations:
    acme.test/team: checkout
  tier: 2
containers:
  web:
    image: ghcr.io/acme/backend:1.4.2
    command: [/bin/serve]
    args: ["--listen", ":8080"]
    variables:
      NAME: ${metadata.name}
      TEAM: team ${metadata.annotations.acme\.test/team}, tier ${metadata.tier}
      PRICE: 5$ or $${metadata.name}
    resources:
      requests: {cpu: 250m, memory: 64Mi}
      limits: {memory: 256Mi}
    livenessProbe: {httpGet: {path: /healthz, port: 8080}}
    readinessProbe: {httpGet: {path: /healthz, port: 8080, scheme: HTTP}}
service:
  ports:
    www: {port: 81, targetPort: 8080, protocol: TCP}
resources:
  db: {type: postgres, class: small, id: main, metadata: {annotations: {a: b}}, params: {version: 16}}
`

// scored is an input with one Score component.
func scoreInput(file string, layers ...blueberry.Layer) Input {
	in := shop(layers...)
	in.Source = fstest.MapFS{"deploy/score.yaml": {Data: []byte(file)}}
	in.Blueprint.Components = []blueberry.Component{{Name: "web", Score: "deploy/score.yaml"}}
	return in
}

func TestScore(t *testing.T) {
	t.Parallel()
	w, err := parseScore([]byte(scoreFile))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"image": "ghcr.io/acme/backend:1.4.2", "command": []any{"/bin/serve"}, "args": []any{"--listen", ":8080"}, "port": 8080.0, "health": "/healthz",
		"service":   map[string]any{"port": 81.0},
		"env":       map[string]any{"NAME": "shop-backend", "TEAM": "team checkout, tier 2", "PRICE": "5$ or ${metadata.name}"},
		"resources": map[string]any{"requests": map[string]any{"cpu": "250m", "memory": "64Mi"}, "limits": map[string]any{"memory": "256Mi"}},
	}
	if diff := cmp.Diff(want, w.values); diff != "" {
		t.Error(diff)
	}
	out, err := Environment(scoreInput(scoreFile, overrides(values{"web": values{"env": values{"NAME": "mine"}}})))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"web.env.NAME":                "mine (environment ) < shop-backend (blueprint deploy/score.yaml)",
		"web.image":                   "ghcr.io/acme/backend:1.4.2 (blueprint deploy/score.yaml)",
		"web.port":                    "8080 (blueprint deploy/score.yaml) < 8080 (chart web-service)",
		"web.resources.limits.memory": "256Mi (blueprint deploy/score.yaml) < 512Mi (chart web-service)",
		"web.resources.limits.cpu":    "500m (chart web-service)",
	} {
		if got := story(t, out.Settings, path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if out.Images["web"] != "ghcr.io/acme/backend:1.4.2" || len(out.Hosts) != 1 {
		t.Errorf("images %v, hosts %v", out.Images, out.Hosts)
	}
	objects := decodeFiles(t, out)
	if got := at(objects["ConfigMap web-env"], "data", "TEAM"); got != "team checkout, tier 2" {
		t.Errorf("TEAM is %v", got)
	}
	if got := text(list(objects["Deployment web"], "spec", "template", "spec", "containers")[0], "livenessProbe", "httpGet", "path"); got != "/healthz" {
		t.Errorf("the probe asks %v", got)
	}
}

func TestScoreFaults(t *testing.T) {
	t.Parallel()
	base := "apiVersion: score.dev/v1b1\nmetadata: {name: x}\n"
	container := func(more string) string { return base + "containers:\n  web: {image: 'a:1', " + more + "}\n" }
	service := func(port string) string {
		return base + "containers: {web: {image: 'a:1'}}\nservice: {ports: {" + port + "}}\n"
	}
	cases := map[string]struct {
		file string
		want []string // "field code (line, column)"
		says string
	}{
		"empty":         {"", []string{" required (line 1, column 1)"}, ""},
		"a list":        {"- a", []string{" type (line 1, column 1)"}, ""},
		"nothing":       {"{}", []string{"apiVersion enum (line 1, column 1)", "containers required (line 1, column 1)", "metadata.name required (line 1, column 1)"}, ""},
		"another kind":  {"apiVersion: v1\nmetadata: {name: x}\ncontainers: {web: {image: 'a:1'}}\n", []string{"apiVersion enum (line 1, column 13)"}, ""},
		"unknown":       {base + "kind: X\ncontainers: {web: {image: 'a:1', ports: []}}\n", []string{"containers.web.ports unknown (line 4, column 34)", "kind unknown (line 3, column 1)"}, "known are"},
		"metadata":      {"apiVersion: score.dev/v1b1\nmetadata: {name: 5}\ncontainers: {web: {image: 'a:1'}}\n", []string{"metadata.name required (line 2, column 18)", "metadata.name type (line 2, column 18)"}, ""},
		"no metadata":   {"apiVersion: score.dev/v1b1\nmetadata: text\ncontainers: {web: {image: 'a:1'}}\n", []string{"metadata type (line 2, column 11)", "metadata.name required (line 2, column 11)"}, ""},
		"two":           {base + "containers: {a: {image: 'a:1'}, b: {image: 'b:1'}}\n", []string{"containers unsupported (line 3, column 13)"}, "exactly one"},
		"none":          {base + "containers: {}\n", []string{"containers unsupported (line 3, column 13)"}, "exactly one"},
		"no image":      {base + "containers: {web: {}}\n", []string{"containers.web.image required (line 3, column 19)"}, ""},
		"files":         {container("files: {/etc/x: {content: y}}"), []string{"containers.web.files unsupported (line 4, column 30)"}, "files are not supported"},
		"files, a list": {container("files: [{target: /etc/x, content: y}]"), []string{"containers.web.files unsupported (line 4, column 30)"}, "files are not supported"},
		"volumes":       {container("volumes: {/data: {source: x}}"), []string{"containers.web.volumes unsupported (line 4, column 32)"}, "volumes are not supported"},
		"before":        {container("before: {other: {ready: started}}"), []string{"containers.web.before unsupported (line 4, column 31)"}, ""},
		"no files":      {container("files: {}"), nil, ""},
		"exec":          {container("livenessProbe: {exec: {command: [x]}}"), []string{"containers.web.livenessProbe.exec unsupported (line 4, column 45)"}, "runs a command"},
		"headers":       {container("livenessProbe: {httpGet: {path: /, port: 80, httpHeaders: []}}"), []string{"containers.web.livenessProbe.httpGet.httpHeaders unsupported (line 4, column 81)"}, ""},
		"HTTPS":         {container("livenessProbe: {httpGet: {path: /, port: 80, scheme: HTTPS}}"), []string{"containers.web.livenessProbe.httpGet.scheme unsupported (line 4, column 76)"}, ""},
		"two paths":     {container("livenessProbe: {httpGet: {path: /a, port: 80}}, readinessProbe: {httpGet: {path: /b, port: 80}}"), []string{"containers.web.readinessProbe.httpGet unsupported (line 4, column 97)"}, "one path"},
		"no path":       {container("livenessProbe: {httpGet: {port: 80}}"), []string{"containers.web.livenessProbe.httpGet.path pattern (line 4, column 48)"}, ""},
		"another port":  {service("www: {port: 80}") + "# \n", nil, ""},
		"probe's port":  {base + "service: {ports: {www: {port: 80}}}\ncontainers: {web: {image: 'a:1', livenessProbe: {httpGet: {path: /, port: 90}}}}\n", []string{"containers.web.livenessProbe.httpGet.port unsupported (line 4, column 75)"}, "asks port 90"},
		"two ports":     {service("a: {port: 80}, b: {port: 81}"), []string{"service.ports unsupported (line 4, column 18)"}, "a component has one"},
		"UDP":           {service("a: {port: 80, protocol: UDP}"), []string{"service.ports.a.protocol unsupported (line 4, column 43)"}, ""},
		"port range":    {service("a: {port: 0, targetPort: 70000}"), []string{"service.ports.a.port range (line 4, column 29)", "service.ports.a.targetPort range (line 4, column 44)"}, ""},
		"number":        {container("variables: {A: 5}"), []string{"containers.web.variables.A type (line 4, column 38)"}, "quotes"},
		"resource":      {container("variables: {A: '${resources.db.host}'}") + "resources: {db: {type: postgres}}\n", []string{"containers.web.variables.A unsupported (line 4, column 38)"}, "resource db of type postgres is not provided by this installation"},
		"no resource":   {container("variables: {A: '${resources.db.host}'}"), []string{"containers.web.variables.A unknown (line 4, column 38)"}, ""},
		"no metadatum":  {container("variables: {A: '${metadata.x}'}"), []string{"containers.web.variables.A unknown (line 4, column 38)"}, ""},
		"placeholder":   {container("variables: {A: '${nope}'}"), []string{"containers.web.variables.A unknown (line 4, column 38)"}, "$$"},
		"resource type": {base + "containers: {web: {image: 'a:1'}}\nresources: {db: {class: x}}\n", []string{"resources.db.type required (line 4, column 17)"}, ""},
		"resource key":  {base + "containers: {web: {image: 'a:1'}}\nresources: {db: {type: x, properties: {}}}\n", []string{"resources.db.properties unknown (line 4, column 27)"}, ""},
		"aliases":       {base + "containers: &c {web: *c}\n", []string{"containers.web.web unknown (line 3, column 17)", "containers.web.image required (line 3, column 13)"}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseScore([]byte(c.file))
			var got []string
			if err != nil {
				for _, f := range invalid(t, err) {
					got = append(got, f.Field+" "+f.Code+" "+f.Message[strings.LastIndex(f.Message, "("):])
				}
			}
			if diff := cmp.Diff(sorted(slices.Clone(c.want)), sorted(got)); diff != "" {
				t.Errorf("(-want +got)\n%s\n%v", diff, err)
			}
			if c.says != "" && !strings.Contains(err.Error(), c.says) {
				t.Errorf("does not say %q: %v", c.says, err)
			}
		})
	}
}

// TestScoreInPlace: what is wrong with a Score file is told below the component, values that do not fit at their place in the file.
func TestScoreInPlace(t *testing.T) {
	t.Parallel()
	base := "apiVersion: score.dev/v1b1\nmetadata: {name: x}\n"
	missing := scoreInput(base)
	missing.Blueprint.Components[0].Score = "nowhere.yaml"
	directory := scoreInput(base)
	directory.Blueprint.Components[0].Score = "deploy"
	none := scoreInput(base)
	none.Source = nil
	large := scoreInput(strings.Repeat("# ", maxDocumentSize))
	cases := map[string]struct {
		in   Input
		want []string
	}{
		"a fault of the file":   {scoreInput(base), []string{"components[0].score.containers required"}},
		"no such file":          {missing, []string{"components[0].score score"}},
		"a directory":           {directory, []string{"components[0].score score"}},
		"too large":             {large, []string{"components[0].score score"}},
		"no repository":         {none, []string{"components[0].score source_required"}},
		"a variable's name":     {scoreInput(base + "containers: {web: {image: 'a:1', variables: {BAD-NAME: x}}}\n"), []string{"components[0].score.containers.web.variables.BAD-NAME unknown"}},
		"a quantity":            {scoreInput(base + "containers: {web: {image: 'a:1', resources: {limits: {cpu: much}}}}\n"), []string{"components[0].score.containers.web.resources.limits.cpu schema"}},
		"an image":              {scoreInput(base + "containers: {web: {image: nginx}}\n"), []string{"components[0].score.containers.web.image image_unpinned"}},
		"an image that is open": {scoreInput(base + "containers: {web: {image: .}}\n"), []string{"components[0].values.image required"}},
		"and is set":            {scoreInput(base+"containers: {web: {image: .}}\n", overrides(values{"web": values{"image": "a:1"}})), nil},
		"a secret":              {scoreInput(base + "containers: {web: {image: 'a:1', variables: {DB_PASSWORD: s3cr3t-value}}}\n"), []string{"components[0].score.containers.web.variables.DB_PASSWORD secret_literal"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, faults := faultsOf(t, c.in)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s\n%v", diff, faults)
			}
		})
	}
}

func FuzzScore(f *testing.F) {
	f.Add([]byte(scoreFile))
	f.Add([]byte(`{"apiVersion":"score.dev/v1b1","metadata":{"name":"x"},"containers":{"a":{"image":".","variables":{"A":"${metadata.name}$${x}${"}}}}`))
	f.Add([]byte("containers: &c {web: *c}\n"))
	f.Add([]byte("metadata: {<<: {name: x}}\nservice: {ports: {a: {port: 1e9}}}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var read any
		var err error
		bounded(t, func() {
			w, e := parseScore(content)
			if read, err = any(w.values), e; e != nil {
				read = any(map[string]any(nil))
			}
		})
		checkParsed(t, content, read, err)
	})
}
