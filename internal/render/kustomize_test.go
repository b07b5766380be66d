package render

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func tree(files ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i+1 < len(files); i += 2 {
		out[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return out
}

func kustomized(t *testing.T, files fstest.MapFS) (Output, error) {
	t.Helper()
	in := bare(t)
	in.Source = files
	in.Blueprint.Components = []blueberry.Component{{Name: "extras", Kustomization: "k"}}
	return Environment(in)
}

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base}\ndata: {a: '1'}\n"

// TestLikeKustomize: what is built from the tree is what kustomize builds from a disk.
func TestLikeKustomize(t *testing.T) {
	t.Parallel()
	files := tree(
		"base/kustomization.yaml", "resources: [cm.yaml, deploy.yaml]\n",
		"base/cm.yaml", configMap,
		"base/deploy.yaml", workload("Deployment", "replicas: 1", ""),
		"parts/debug/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: p.yaml}]\n",
		"parts/debug/p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base}\ndata: {debug: 'on'}\n",
		"k/kustomization.yaml", `
resources: [../base]
components: [../parts/debug]
namePrefix: pre-
commonAnnotations: {home: "https://example.invalid/x"}
images: [{name: c, newTag: "2"}]
configMapGenerator:
  - name: generated
    files: [app.conf, renamed=app.conf]
    literals: [URL=https://example.invalid/]
transformers: [labels.yaml, '{apiVersion: builtin, kind: AnnotationsTransformer, metadata: {name: x}, annotations: {at: "https://example.invalid"}, fieldSpecs: [{path: metadata/annotations, create: true}]}']
patches:
  - target: {kind: Deployment}
    patch: |-
      - {op: replace, path: /spec/replicas, value: 3}
`,
		"k/app.conf", "a = 1\n",
		"k/labels.yaml", "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {team: x}\nfieldSpecs: [{path: metadata/labels, create: true}]\n",
	)
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	m, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(dir, "k"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	theirs, found := readManifests("kustomize", string(want))
	got, ourFound := kustomization(files, "k")
	if len(found)+len(ourFound) > 0 {
		t.Fatal(found, ourFound)
	}
	if diff := cmp.Diff(objects(t, theirs), objects(t, got)); diff != "" {
		t.Errorf("(-kustomize +ours)\n%s", diff)
	}
	if len(got) != 3 {
		t.Errorf("%d objects", len(got))
	}
}

// TestKustomizeStaysInside: nothing is fetched, run or read from outside the tree, and the fault names what was asked for.
func TestKustomizeStaysInside(t *testing.T) {
	t.Parallel()
	k := "k/kustomization.yaml"
	cases := map[string]struct {
		files fstest.MapFS
		says  string
	}{
		"a remote file":           {tree(k, "resources: ['https://example.invalid/x.yaml']\n"), "https://example.invalid/x.yaml"},
		"a remote base":           {tree(k, "resources: [github.com/acme/repo]\n"), "github.com/acme/repo"},
		"a remote base by git":    {tree(k, "resources: ['git@example.invalid:acme/repo']\n"), "git@example.invalid:acme/repo"},
		"a forced git":            {tree(k, "resources: ['git::https://example.invalid/acme/repo']\n"), "git::"},
		"a base of a file URL":    {tree(k, "resources: ['file:///etc']\n"), "file:///etc"},
		"a remote component":      {tree(k, "components: ['https://example.invalid/acme/repo?ref=main']\n"), "?ref=main"},
		"of another case":         {tree(k, "Resources: ['HTTPS://example.invalid/x.yaml']\n"), "HTTPS://example.invalid/x.yaml"},
		"through an alias":        {tree(k, "namePrefix: &a 'https://example.invalid/x.yaml'\nresources: [*a]\n"), "https://example.invalid"},
		"in binary":               {tree(k, "resources: [!!binary aHR0cHM6Ly9leGFtcGxlLmludmFsaWQvL3gueWFtbAo=]\n"), "https://example.invalid"},
		"a key that is a URL":     {tree(k, "resources: [\"https://example.invalid/x: y\\n\"]\n"), "https://example.invalid/x"},
		"a remote patch":          {tree(k, "patches: [{path: 'https://example.invalid/p.yaml'}]\n"), "https://example.invalid/p.yaml"},
		"a remote CRD":            {tree(k, "crds: ['https://example.invalid/c.json']\n"), "https://example.invalid/c.json"},
		"a remote generated file": {tree(k, "configMapGenerator: [{name: x, files: ['k=https://example.invalid/f']}]\n"), "https://example.invalid/f"},
		"a remote replacement":    {tree(k, "replacements: [{path: 'https://example.invalid/r'}]\n"), "https://example.invalid/r"},
		"in the base":             {tree(k, "resources: [../b]\n", "b/kustomization.yml", "bases: ['https://example.invalid/acme/repo']\n"), "b/kustomization.yml"},
		"in a plugin's file":      {tree(k, "transformers: [t.yaml]\nresources: [c.yaml]\n", "k/c.yaml", configMap, "k/t.yaml", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: https://example.invalid/p\n"), "https://example.invalid/p"},
		"in an inline plugin":     {tree(k, "resources: [c.yaml]\ntransformers: ['{apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, path: \"https://example.invalid/p\"}']\n", "k/c.yaml", configMap), "https://example.invalid/p"},
		"plugins of a directory":  {tree(k, "transformers: [../t]\n", "t/kustomization.yaml", "resources: []\n"), "../t"},
		"a plugin that runs":      {tree(k, "generators: [g.yaml]\n", "k/g.yaml", "apiVersion: example.dev/v1\nkind: Run\nmetadata: {name: x, annotations: {config.kubernetes.io/function: \"exec: {path: ./x}\"}}\n"), ""},
		"a chart":                 {tree(k, "helmCharts: [{name: x, repo: 'https://example.invalid'}]\n"), "helmCharts"},
		"openapi":                 {tree(k, "openapi: {path: x.json}\n", "k/x.json", "{}"), "openapi"},
		"a file outside":          {tree(k, "resources: [../secret.yaml]\n", "secret.yaml", configMap), "secret.yaml"},
		"a file of the machine":   {tree(k, "resources: [../../../../etc/passwd]\n"), "passwd"},
		"an absolute path":        {tree(k, "resources: [/etc/passwd]\n"), "passwd"},
		"a cycle":                 {tree(k, "resources: [../b]\n", "b/kustomization.yaml", "resources: [../k]\n"), "cycle"},
		"a file not there":        {tree(k, "resources: [x.yaml]\n"), "x.yaml"},
		"no kustomization":        {tree("k/x", ""), "kustomization"},
		"nothing there":           {tree("j/x", ""), "no directory k"},
		"not YAML":                {tree(k, "a: [\n"), "kustomization.yaml"},
		"a secret":                {tree(k, "secretGenerator: [{name: x, literals: [password=hunter2]}]\n"), "in the clear"},
		"a file too large":        {tree(k, "configMapGenerator: [{name: x, files: [big]}]\n", "k/big", strings.Repeat("x", maxFileSize+1)), "big"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := kustomized(t, c.files)
			faults := invalid(t, err)
			if len(faults) != 1 || !strings.HasPrefix(faults[0].Field, "components[0]") || !strings.Contains(faults[0].Message, c.says) {
				t.Errorf("got %v", faults)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the fault tells the secret")
			}
		})
	}
}
