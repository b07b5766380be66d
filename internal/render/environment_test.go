package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

var update = flag.Bool("update", false, "write testdata/golden")

const examples = "../../examples"

// sample is an environment of the sample application.
func sample(t testing.TB) Input {
	t.Helper()
	return inputOf(t, filepath.Join(examples, "shop"))
}

func inputOf(t testing.TB, dir string) Input {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, blueberry.BlueprintFile))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseBlueprint(content)
	if err != nil {
		t.Fatal(err)
	}
	return Input{
		Project:   blueberry.Project{Name: blueberry.DefaultProject},
		Name:      "pr-1",
		Namespace: "default-pr-1",
		Revision:  1,
		Domain:    "localhost",
		Blueprint: b,
		Source:    os.DirFS(dir),
	}
}

// invalid gives the faults of an error of kind Invalid.
func invalid(t testing.TB, err error) []blueberry.Fault {
	t.Helper()
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Invalid {
		t.Fatalf("want an Invalid error, got %v", err)
	}
	return e.Fields
}

// TestGolden holds every byte of every sample that is shipped. Run with -update after a change that is meant.
func TestGolden(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob(filepath.Join(examples, "*", blueberry.BlueprintFile))
	if err != nil || len(samples) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, s := range samples {
		r, err := Environment(inputOf(t, filepath.Dir(s)))
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		golden := filepath.Join("testdata", "golden", filepath.Base(filepath.Dir(s)))
		if *update {
			if err := os.MkdirAll(golden, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range r.Files {
			name := filepath.Join(golden, f.Name)
			if *update {
				if err := os.WriteFile(name, f.Content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(f.Content)); diff != "" {
				t.Errorf("%s: (-golden +now)\n%s", name, diff)
			}
		}
	}
}

// TestSameInputSameBytes also runs many renderings at once: they share the embedded chart.
func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	in := sample(t)
	first, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		t.Run("again", func(t *testing.T) {
			t.Parallel()
			again, err := Environment(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, again); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStoredBlueprint: a blueprint that went through JSON, as the record keeps it, renders to the same bytes.
func TestStoredBlueprint(t *testing.T) {
	t.Parallel()
	in := sample(t)
	in.Blueprint.Components[0].Values["replicas"] = 3
	first, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(in.Blueprint)
	if err != nil {
		t.Fatal(err)
	}
	in.Blueprint = blueberry.Blueprint{}
	if err := json.Unmarshal(stored, &in.Blueprint); err != nil {
		t.Fatal(err)
	}
	again, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	if first.Digest != again.Digest {
		t.Error("the stored blueprint renders to something else")
	}
}

// decodeFiles gives every object of a rendering by "Kind name".
func decodeFiles(t *testing.T, r blueberry.Rendering) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for _, f := range r.Files {
		all, found := readManifests(f.Name, string(f.Content))
		if len(found) > 0 {
			t.Fatal(found)
		}
		var refs []blueberry.ObjectRef
		for _, m := range all {
			out[m.kind()+" "+m.name()] = m.object
			refs = append(refs, m.ref())
		}
		if diff := cmp.Diff(refs, f.Objects); diff != "" {
			t.Errorf("%s: Objects differ from Content: %s", f.Name, diff)
		}
	}
	return out
}

// TestRevisionRestartsNothing: another revision of the same blueprint differs in the revision label and nowhere in a pod.
func TestRevisionRestartsNothing(t *testing.T) {
	t.Parallel()
	in := sample(t)
	one, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Revision = 2
	two, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	a, b := decodeFiles(t, one), decodeFiles(t, two)
	for name, object := range a {
		if cmp.Equal(object, b[name]) {
			t.Errorf("%s does not carry its revision", name)
		}
		for _, template := range podTemplates(object) {
			if at(template, "metadata", "labels", blueberry.LabelRevision) != nil {
				t.Errorf("the pods of %s carry a revision", name)
			}
		}
		delete(child(object, "metadata", "labels"), blueberry.LabelRevision)
		delete(child(b[name], "metadata", "labels"), blueberry.LabelRevision)
		if diff := cmp.Diff(object, b[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	r, err := renderTree(t, chartOf(`
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  labels: {app.kubernetes.io/managed-by: Helm, app.kubernetes.io/name: postgres, blueberry.dev/project: stolen}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b, blueberry.dev/revision: "9"}}, spec: {containers: []}}
  volumeClaimTemplates: [{metadata: {name: data}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {jobTemplate: {spec: {template: {spec: {}}}}}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := decodeFiles(t, r)
	ours := map[string]any{"blueberry.dev/project": "default", "blueberry.dev/environment": "pr-1", "blueberry.dev/component": "web"}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for _, m := range []map[string]any{ours, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	db, cron := got["StatefulSet db"], got["CronJob nightly"]
	for reason, c := range map[string]struct{ want, got any }{
		"the chart's words stay, ours win": {with(map[string]any{
			"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": "postgres", "app.kubernetes.io/instance": "web",
			"app.kubernetes.io/component": "web", "app.kubernetes.io/part-of": "shop", "blueberry.dev/revision": "1",
		}), at(db, "metadata", "labels")},
		"selectors are left alone":      {map[string]any{"a": "b"}, at(db, "spec", "selector", "matchLabels")},
		"pods carry no revision":        {with(map[string]any{"a": "b"}), at(db, "spec", "template", "metadata", "labels")},
		"claims are labelled":           {ours, at(list(db, "spec", "volumeClaimTemplates")[0], "metadata", "labels")},
		"jobs of a CronJob":             {ours, at(cron, "spec", "jobTemplate", "metadata", "labels")},
		"pods of the jobs of a CronJob": {ours, at(cron, "spec", "jobTemplate", "spec", "template", "metadata", "labels")},
	} {
		if diff := cmp.Diff(any(c.want), any(c.got)); diff != "" {
			t.Errorf("%s: %s", reason, diff)
		}
	}
}

func TestRefusesObjects(t *testing.T) {
	t.Parallel()
	object := func(kind, rest string) string { return "---\nkind: " + kind + "\n" + rest + "\n" }
	cases := map[string]struct {
		template string
		allowed  []string // cluster kinds of the project
		code     string   // empty: it is accepted
		says     string
	}{
		"no apiVersion":       {object("ConfigMap", "metadata: {name: x}"), nil, "manifest", "apiVersion"},
		"no kind":             {"apiVersion: v1\nmetadata: {name: x}", nil, "manifest", "kind"},
		"no name":             {object("ConfigMap", "apiVersion: v1"), nil, "manifest", "metadata.name"},
		"metadata is text":    {object("ConfigMap", "apiVersion: v1\nmetadata: text"), nil, "manifest", "metadata"},
		"labels are a list":   {object("ConfigMap", "apiVersion: v1\nmetadata: {name: x, labels: [a]}"), nil, "manifest", "labels"},
		"a list of text":      {object("List", "apiVersion: v1\nitems: [text]"), nil, "manifest", "item 1"},
		"text":                {"just a text", nil, "yaml", "document 1"},
		"broken YAML":         {"a: [", nil, "yaml", "c/templates/object.yaml"},
		"generateName":        {object("Job", "apiVersion: batch/v1\nmetadata: {generateName: x-}"), nil, "generate_name", "name"},
		"Namespace":           {object("Namespace", "apiVersion: v1\nmetadata: {name: x}"), []string{"Namespace"}, "cluster_kind", "one namespace"},
		"ClusterRole":         {object("ClusterRole", "apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}"), nil, "cluster_kind", "ClusterRole"},
		"ClusterRole allowed": {object("ClusterRole", "apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}"), []string{"ClusterRole.rbac.authorization.k8s.io"}, "", ""},
		"other group allowed": {object("ClusterRole", "apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}"), []string{"ClusterRole.example.dev"}, "cluster_kind", ""},
		"in a List":           {object("List", "apiVersion: v1\nitems: [{apiVersion: v1, kind: PersistentVolume, metadata: {name: x}}]"), nil, "cluster_kind", "PersistentVolume"},
		"other namespace":     {object("ConfigMap", "apiVersion: v1\nmetadata: {name: x, namespace: kube-system}"), nil, "namespace", "kube-system"},
		"own namespace":       {object("ConfigMap", "apiVersion: v1\nmetadata: {name: x, namespace: default-pr-1}"), nil, "", ""},
		"secret with data":    {object("Secret", "apiVersion: v1\nmetadata: {name: x}\nstringData: {password: hunter2}"), nil, "secret_literal", "Secret x"},
		"secret without data": {object("Secret", "apiVersion: v1\nmetadata: {name: x}\ndata: {}"), nil, "", ""},
		"twice":               {object("ConfigMap", "apiVersion: v1\nmetadata: {name: x}") + object("ConfigMap", "apiVersion: v1\nmetadata: {name: x}"), nil, "duplicate", "ConfigMap x"},
		"twice by version":    {object("HorizontalPodAutoscaler", "apiVersion: autoscaling/v1\nmetadata: {name: x}") + object("HorizontalPodAutoscaler", "apiVersion: autoscaling/v2\nmetadata: {name: x}"), nil, "duplicate", ""},
		"ours":                {object("ServiceAccount", "apiVersion: v1\nmetadata: {name: default}"), nil, "duplicate", "Blueberry"},
		"kind of a CRD": {
			object("CustomResourceDefinition", "apiVersion: apiextensions.k8s.io/v1\nmetadata: {name: x}\nspec: {group: example.dev, scope: Cluster, names: {kind: Galaxy}}") +
				object("Galaxy", "apiVersion: example.dev/v1\nmetadata: {name: x}"),
			[]string{"CustomResourceDefinition"}, "cluster_kind", "Galaxy",
		},
		"unknown kind": {object("Galaxy", "apiVersion: example.dev/v1\nmetadata: {name: x}"), nil, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := sample(t)
			in.Project.ClusterKinds = c.allowed
			in.Source = chartOf(c.template)
			in.Blueprint.Components = []blueberry.Component{{Name: "web", Chart: "c"}}
			r, err := Environment(in)
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				for name, o := range decodeFiles(t, r) {
					if cluster := strings.HasPrefix(name, "ClusterRole") || strings.HasPrefix(name, "Namespace"); cluster == (at(o, "metadata", "namespace") == "default-pr-1") {
						t.Errorf("%s is in namespace %v", name, at(o, "metadata", "namespace"))
					}
				}
				return
			}
			faults := invalid(t, err)
			if len(faults) != 1 || faults[0].Code != c.code || faults[0].Field != "components[0]" || !strings.Contains(faults[0].Message, c.says) {
				t.Errorf("got %v", faults)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the fault tells the secret")
			}
		})
	}
}

// TestTellsEverythingAtOnce: faults of several components, of schema and templates and objects, in one answer.
func TestTellsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	in := sample(t)
	in.Source = chartOf("apiVersion: v1\nkind: Node\nmetadata: {name: x}\n")
	in.Blueprint.Components = []blueberry.Component{
		{Name: "one", Image: "a:1", Values: map[string]any{
			"replicas": 0, "typo": 1, "env": map[string]any{"BAD-NAME": "x"}, "ingress": map[string]any{"paths": []any{"/", "x"}},
		}},
		{Name: "two", Chart: "c"},
		{Name: "three", Chart: "nowhere"},
		{Name: "four", Image: "a:1", Values: map[string]any{"blueberry": map[string]any{"host": "mine"}}},
	}
	var got []string
	_, err := Environment(in)
	for _, f := range invalid(t, err) {
		got = append(got, f.Field+" "+f.Code)
	}
	slices.Sort(got)
	want := []string{
		"components[0].values.env.BAD-NAME unknown",
		"components[0].values.ingress.paths[1] schema",
		"components[0].values.replicas schema",
		"components[0].values.typo unknown",
		"components[1] cluster_kind",
		"components[2].chart chart",
		"components[3].values.blueberry computed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s\n%v", diff, err)
	}
}

func TestSourceRequired(t *testing.T) {
	t.Parallel()
	in := sample(t)
	in.Source = nil
	in.Blueprint.Components = []blueberry.Component{{Name: "a", Chart: "c"}, {Name: "b", Kustomization: "k"}}
	_, err := Environment(in)
	if faults := invalid(t, err); len(faults) != 2 || faults[0].Field != "components[0].chart" || faults[1].Field != "components[1].kustomization" {
		t.Errorf("got %v", faults)
	}
}

func TestTemplateFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ template, helper, says string }{
		"fail":           {"\n\n{{ fail \"pick a size\" }}", "", "c/templates/object.yaml:3:3: pick a size"},
		"required":       {"{{ required \"size is required\" .Values.size }}", "", "c/templates/object.yaml:1:3: size is required"},
		"in a helper":    {"x: {{ include \"h\" . }}", "\n{{ define \"h\" }}{{ fail \"deep\" }}{{ end }}", "c/templates/object.yaml:1:6: deep (at c/templates/_h.tpl:2:19)"},
		"no function":    {"\n{{ nofunction }}", "", "c/templates/object.yaml:2: function \"nofunction\" not defined"},
		"not closed":     {"{{ if true }}", "", "c/templates/object.yaml:1: unexpected EOF"},
		"nil pointer":    {"{{ .Values.a.b.c }}", "", "c/templates/object.yaml:1:10: nil pointer evaluating interface {}.b"},
		"no template":    {"{{ include \"nowhere\" . }}", "", "c/templates/object.yaml:1:3: no template \"nowhere\" is defined"},
		"no environment": {"{{ env \"HOME\" }}", "", "c/templates/object.yaml:1: function \"env\" not defined"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := renderTree(t, chartOf(c.template, "templates/_h.tpl", c.helper), nil)
			faults := invalid(t, err)
			if len(faults) != 1 || faults[0].Message != c.says {
				t.Errorf("got  %v\nwant %s", faults, c.says)
			}
		})
	}
}

// TestTimeAndChance: what would differ each time is refused by the name of its template; what is asked for and not used is not.
func TestTimeAndChance(t *testing.T) {
	t.Parallel()
	cm := func(v string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {v: " + v + "}\n"
	}
	cases := map[string]struct {
		v  string
		ok bool
	}{
		"now":                 {`{{ now | unixEpoch | quote }}`, false},
		"the year":            {`{{ now | date "2006" | quote }}`, false},
		"the day of the week": {`{{ now | date "Mon" | quote }}`, false},
		"random":              {`{{ randAlphaNum 5 | quote }}`, false},
		"random number":       {`"{{ randInt 1 3 }}"`, false},
		"uuid":                {`{{ uuidv4 | quote }}`, false},
		"certificate":         {`{{ $ca := genCA "x" 1 }}{{ (genSignedCert "x" nil nil 1 $ca).Cert | quote }}`, false},
		"password hash":       {`{{ htpasswd "a" "b" | quote }}`, false},
		"shuffle":             {`{{ shuffle "abc" | quote }}`, false},
		"ago":                 {`{{ ago (toDate "2006-01-02" "2020-01-01") | quote }}`, false},
		"date of nothing":     {`{{ date "2006-01-02" "text" | quote }}`, false},
		"a default not used":  {`{{ "given" | default (randAlphaNum 5) | quote }}`, true},
		"a given time":        {`{{ dateInZone "2006" 0 "UTC" | quote }}`, true},
		"order of a mapping":  {`{{ keys (dict "c" 1 "a" 2 "b" 3) | join "" | quote }}`, true},
		"its values":          {`{{ values (dict "c" 1 "a" 2 "b" 3) | toJson | quote }}`, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, err := renderTree(t, chartOf(cm(c.v)), nil)
			if c.ok {
				if err != nil {
					t.Fatal(err)
				}
				for range 5 {
					if again, err := renderTree(t, chartOf(cm(c.v)), nil); err != nil || again.Digest != first.Digest {
						t.Fatalf("differs: %v", err)
					}
				}
				return
			}
			faults := invalid(t, err)
			if len(faults) != 1 || faults[0].Code != "not_repeatable" || !strings.Contains(faults[0].Message, "c/templates/object.yaml") {
				t.Errorf("got %v", faults)
			}
		})
	}
}

func TestHooksAndOrder(t *testing.T) {
	t.Parallel()
	hook := func(kind, name, when, weight string) string {
		return "---\napiVersion: v1\nkind: " + kind + "\nmetadata: {name: " + name + ", annotations: {helm.sh/hook: '" + when + "', helm.sh/hook-weight: '" + weight + "', helm.sh/hook-delete-policy: x}}\n"
	}
	r, err := renderTree(t, chartOf(
		"apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\napiVersion: example.dev/v1\nkind: Thing\nmetadata: {name: t}\n"+
			hook("Pod", "after", "post-install", "0")+hook("Pod", "second", "pre-upgrade, pre-install", "10")+hook("Pod", "first", "pre-install", "-1")+
			hook("Pod", "test", "test", "0")+hook("Pod", "delete", "pre-delete", "0")+hook("Pod", "both", "post-delete,post-install", "1"),
	), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range r.Files[1].Objects {
		got = append(got, o.Name)
	}
	if diff := cmp.Diff([]string{"first", "second", "c", "s", "t", "after", "both"}, got); diff != "" {
		t.Error(diff)
	}
	if bytes.Contains(r.Files[1].Content, []byte("helm.sh/hook")) {
		t.Error("a hook's annotation is left, which some targets would act upon")
	}
}

// TestComputed: a chart of the repository finds what the platform computes, even when its schema allows nothing beside its own.
func TestComputed(t *testing.T) {
	t.Parallel()
	tree := chartOf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {host: {{ .Values.global.blueberry.host }}}\n",
		"values.schema.json", `{"type":"object","additionalProperties":false}`)
	r, err := renderTree(t, tree, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host := at(decodeFiles(t, r)["ConfigMap x"], "data", "host"); host != "web-pr-1.localhost" {
		t.Errorf("host is %v", host)
	}
	_, err = renderTree(t, chartOf(""), map[string]any{"global": map[string]any{"blueberry": map[string]any{"host": "mine"}}})
	if faults := invalid(t, err); len(faults) != 1 || faults[0].Field != "components[0].values.global.blueberry" {
		t.Errorf("got %v", faults)
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	in := sample(t)
	if diff := cmp.Diff([]string{"frontend-pr-1.localhost"}, Hosts(in)); diff != "" {
		t.Error(diff)
	}
	in.Domain = ""
	if got := Hosts(in); len(got) != 0 {
		t.Errorf("no domain, yet %v", got)
	}
	r, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	if decodeFiles(t, r)["Ingress frontend"] != nil {
		t.Error("no domain, yet an Ingress")
	}
}

// TestOpenings: the pods behind an Ingress of any chart are open to the ingress controllers, and no others.
func TestOpenings(t *testing.T) {
	t.Parallel()
	r, err := renderTree(t, chartOf(`
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: front}, ports: [{port: 80, targetPort: 8080}, {port: 81}]}
---
apiVersion: v1
kind: Service
metadata: {name: inner}
spec: {selector: {app: inner}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: x}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: front, port: {number: 80}}}}]}}]}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := decodeFiles(t, r)
	policy := got["NetworkPolicy allow-public-front"]
	if diff := cmp.Diff(any(map[string]any{"app": "front"}), at(policy, "spec", "podSelector", "matchLabels")); diff != "" {
		t.Error(diff)
	}
	ports := list(list(policy, "spec", "ingress")[0], "ports")
	if len(ports) != 2 || ports[0]["port"] != json.Number("8080") || ports[1]["port"] != json.Number("81") {
		t.Errorf("ports are %v", ports)
	}
	if got["NetworkPolicy allow-public-inner"] != nil {
		t.Error("a service that nobody made public is open")
	}
}

// TestQuotaAdmits: what is rendered fits into the quota when every workload runs its most pods and changes.
func TestQuotaAdmits(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		tree        fstest.MapFS
		pods, cpu   string
		memoryLimit string
	}{
		"nothing":    {chartOf(""), "10", "1", "1Gi"},
		"replicas":   {chartOf(workload("Deployment", "replicas: 4", "requests: {cpu: 2}")), "15", "11", "1Gi"},
		"autoscaled": {chartOf(workload("Deployment", "replicas: 1", "requests: {cpu: 1}") + "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\nspec: {maxReplicas: 8, scaleTargetRef: {kind: Deployment, name: w}}\n"), "20", "11", "1Gi"},
		"by limit":   {chartOf(workload("StatefulSet", "replicas: 1", "limits: {cpu: 500m}")), "12", "2", "1Gi"},
		"daemon":     {chartOf(workload("DaemonSet", "x: 1", "requests: {cpu: 100m}")), "20", "2", "1Gi"},
		"large":      {chartOf(workload("Deployment", "replicas: 1", "requests: {memory: 6Gi}")), "12", "1100m", "6Gi"},
		"hostile":    {chartOf(workload("Deployment", "replicas: 99999999999999999999", "requests: {cpu: -5}")), "12", "1100m", "1Gi"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := renderTree(t, c.tree, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := decodeFiles(t, r)
			hard, _ := at(got["ResourceQuota environment"], "spec", "hard").(map[string]any)
			limit := at(list(got["LimitRange environment"], "spec", "limits")[0], "default", "memory")
			if hard["pods"] != c.pods || hard["requests.cpu"] != c.cpu || limit != c.memoryLimit {
				t.Errorf("pods %v, cpu %v, limit %v; want %s, %s, %s", hard["pods"], hard["requests.cpu"], limit, c.pods, c.cpu, c.memoryLimit)
			}
		})
	}
}

func workload(kind, spec, resources string) string {
	return "apiVersion: apps/v1\nkind: " + kind + "\nmetadata: {name: w}\nspec:\n  " + spec + "\n  template: {spec: {containers: [{name: c, image: 'c:1', resources: {" + resources + "}}]}}\n"
}
