package devcluster

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// module writes a small module with the name of the real one, that needs no network and says a word.
func module(t *testing.T, word string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "devcluster")
	for name, text := range map[string]string{
		"go.mod":            "module " + modulePath + "\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v1.36.3\n\nreplace k8s.io/kubernetes => ./kubernetes\n",
		"kubernetes/go.mod": "module k8s.io/kubernetes\n\ngo 1.26.0\n",
		"kubernetes/k.go":   "package kubernetes\n\nconst Name = \"kubernetes\"\n",
		"main_test.go":      "package main\n",
	} {
		put(t, filepath.Join(dir, name), text)
	}
	say(t, dir, word)
	return dir
}

func say(t *testing.T, dir, word string) {
	t.Helper()
	put(t, filepath.Join(dir, "main.go"), "package main\n\nimport \"k8s.io/kubernetes\"\n\nfunc main() { print(kubernetes.Name, \""+word+"\") }\n")
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, source, bin string) (said, progress string) {
	t.Helper()
	w := &words{}
	path, err := Builder{Source: source, Bin: bin, Progress: w}.Build(t.Context())
	if err != nil {
		t.Fatalf("Build: %v\n%s", err, w)
	}
	out, err := exec.Command(path).CombinedOutput()
	if err != nil {
		t.Fatalf("run what was built: %v", err)
	}
	return string(out), w.String()
}

func TestBuild(t *testing.T) {
	t.Parallel()
	source, bin := module(t, "one"), filepath.Join(t.TempDir(), "bin", "devcluster")
	steps := []struct {
		reason string
		do     func()
		said   string
		built  bool
	}{
		{"nothing is there", func() {}, "one", true},
		{"nothing changed", func() {}, "one", false},
		{"a test is not part of the binary", func() { put(t, filepath.Join(source, "main_test.go"), "package main // x\n") }, "one", false},
		{"a source changed", func() { say(t, source, "two") }, "two", true},
		{"an embedded file may have changed", func() { put(t, filepath.Join(source, "x.yaml"), "x") }, "two", true},
		{"the binary is gone", func() { remove(t, bin) }, "two", true},
		{"the key is gone, as after a crash", func() { remove(t, bin+".key") }, "two", true},
		{"the key is rubbish", func() { put(t, bin+".key", "x") }, "two", true},
		{"another Go built it", func() {
			k, err := readKey(bin, false)
			if err != nil {
				t.Fatal(err)
			}
			put(t, bin+".key", key{sources: k.sources, golang: "go1.1"}.String())
		}, "two", true},
		{"nothing changed", func() {}, "two", false},
	}
	for _, s := range steps {
		s.do()
		said, progress := build(t, source, bin)
		if said != "kubernetes"+s.said || (progress != "") != s.built {
			t.Errorf("%s: the binary says %q, want %q; built %t, want %t:\n%s", s.reason, said, s.said, progress != "", s.built, progress)
		}
	}
}

func TestBuildOfBrokenSources(t *testing.T) {
	t.Parallel()
	source, bin := module(t, "one"), filepath.Join(t.TempDir(), "devcluster")
	build(t, source, bin)
	put(t, filepath.Join(source, "broken.go"), "package main\n\nvar x int = \"text\"\n")
	_, err := Builder{Source: source, Bin: bin}.Build(t.Context())
	if !errors.Is(err, blueberry.Unavailable) || !strings.Contains(err.Error(), "broken.go:3") {
		t.Errorf("Build: %v, want Unavailable with file and line", err)
	}
	remove(t, filepath.Join(source, "broken.go"))
	if said, progress := build(t, source, bin); said != "kubernetesone" || progress != "" {
		t.Errorf("after a failed build the old binary says %q, and was built anew: %t", said, progress != "")
	}
}

func TestBuildTwiceAtOnce(t *testing.T) {
	t.Parallel()
	source, bin := module(t, "one"), filepath.Join(t.TempDir(), "devcluster")
	w := &words{}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if _, err := (Builder{Source: source, Bin: bin, Progress: w}).Build(t.Context()); err != nil {
				t.Errorf("Build: %v", err)
			}
		})
	}
	all.Wait()
	if n := strings.Count(w.String(), "built the development cluster"); n != 1 {
		t.Errorf("built %d times, want once:\n%s", n, w)
	}
}

func TestBuildBrokenOff(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Builder{Source: module(t, "one"), Bin: filepath.Join(t.TempDir(), "devcluster")}.Build(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Build: %v, want Canceled", err)
	}
}

// Not parallel: it changes PATH and the working directory.
func TestBuildWithoutGoOrSources(t *testing.T) {
	source, bin := module(t, "one"), filepath.Join(t.TempDir(), "devcluster")
	build(t, source, bin)
	t.Setenv("PATH", t.TempDir())
	if said, _ := build(t, source, bin); said != "kubernetesone" {
		t.Errorf("without Go the binary says %q", said)
	}
	say(t, source, "two")
	_, err := Builder{Source: source, Bin: bin}.Build(t.Context())
	if !errors.Is(err, blueberry.Unavailable) || !strings.Contains(err.Error(), "install Go") || !strings.Contains(err.Error(), "--kubeconfig") {
		t.Errorf("Build without Go: %v, want what to do", err)
	}
	t.Chdir(t.TempDir())
	if said, _ := build(t, "", bin); said != "kubernetesone" {
		t.Errorf("without sources the binary says %q", said)
	}
	for _, b := range []Builder{{Source: t.TempDir(), Bin: bin}, {Bin: filepath.Join(t.TempDir(), "devcluster")}} {
		if _, err := b.Build(t.Context()); !errors.Is(err, blueberry.Unavailable) {
			t.Errorf("Build without sources: %v, want Unavailable", err)
		}
	}
}

func TestSourceIsFound(t *testing.T) {
	source := module(t, "one")
	below := filepath.Join(filepath.Dir(source), "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	got, err := findSource("")
	if err != nil {
		t.Fatal(err)
	}
	if want, err := filepath.EvalSymlinks(source); err != nil || got != want && got != source {
		t.Errorf("source %q, want %q (%v)", got, source, err)
	}
}

func TestLdflags(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		part    part
		version string
		want    []string
	}{
		"the cluster": {base(), "v1.36.3", []string{"component-base/version.gitVersion=v1.36.3", "version.gitMajor=1", "version.gitMinor=36"}},
		"Argo CD":     {partOf(ArgoCD), "v3.5.3", []string{"argo-cd/v3/common.version=3.5.3"}},
		"metrics":     {partOf(Metrics), "v0.9.0", []string{"version.gitVersion=v0.9.0"}},
	} {
		got := tc.part.ldflags(tc.version)
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: ldflags %q lack %q", name, got, want)
			}
		}
	}
}

// withRollouts adds a small module with the name of the one of Argo Rollouts below the small module of the cluster.
func withRollouts(t *testing.T, source, word string) {
	t.Helper()
	p := partOf(Rollouts)
	for name, text := range map[string]string{
		"go.mod":                                   "module " + p.module() + "\n\ngo 1.26.0\n\ntool " + p.pkg + "\n\nrequire " + p.upstream + " v1.10.1\n\nreplace " + p.upstream + " => ./upstream // " + word + "\n",
		"upstream/go.mod":                          "module " + p.upstream + "\n\ngo 1.26.0\n",
		"upstream/utils/version/version.go":        "package version\n\nvar version string\n\nfunc Version() string { return version }\n",
		"upstream/cmd/rollouts-controller/m.go":    "package main\n\nimport \"" + p.upstream + "/utils/version\"\n\nfunc main() { print(\"" + word + " \", version.Version()) }\n",
		"upstream/manifests/crds/rollout-crd.yaml": "kind: " + word + "\n",
	} {
		put(t, filepath.Join(source, p.dir, name), text)
	}
}

func TestBuildOfExtras(t *testing.T) {
	t.Parallel()
	source, bin := module(t, "one"), filepath.Join(t.TempDir(), "bin", "devcluster")
	withRollouts(t, source, "first")
	definition := bin + "-rollouts.d/rollout-crd.yaml"
	steps := []struct {
		reason        string
		do            func()
		with          []string
		said          string
		cluster, more bool // built
	}{
		{"not asked for", func() {}, nil, "", true, false},
		{"asked for", func() {}, []string{Rollouts}, "first 1.10.1", false, true},
		{"nothing changed", func() {}, []string{Rollouts}, "first 1.10.1", false, false},
		{"only the cluster changed", func() { say(t, source, "two") }, []string{Rollouts}, "first 1.10.1", true, false},
		{"only the extra changed", func() { withRollouts(t, source, "second") }, []string{Rollouts}, "second 1.10.1", false, true},
		{"what it needs is gone", func() { removeAll(t, bin+"-rollouts.d") }, []string{Rollouts}, "second 1.10.1", false, true},
	}
	for _, s := range steps {
		s.do()
		w := &words{}
		if _, err := (Builder{Source: source, Bin: bin, With: s.with, Progress: w}).Build(t.Context()); err != nil {
			t.Fatalf("%s: Build: %v\n%s", s.reason, err, w)
		}
		for what, want := range map[string]bool{"built the development cluster": s.cluster, "built Argo Rollouts": s.more} {
			if got := strings.Contains(w.String(), what); got != want {
				t.Errorf("%s: %s: %t, want %t:\n%s", s.reason, what, got, want, w)
			}
		}
		if s.said == "" {
			continue
		}
		out, err := exec.Command(bin + "-rollouts").CombinedOutput()
		if err != nil || string(out) != s.said {
			t.Errorf("%s: it says %q (%v), want %q", s.reason, out, err, s.said)
		}
		word, _, _ := strings.Cut(s.said, " ")
		if text, err := os.ReadFile(definition); err != nil || string(text) != "kind: "+word+"\n" {
			t.Errorf("%s: %s holds %q (%v), want the one of %s", s.reason, definition, text, err, word)
		}
	}
}

func TestBuildOfUnknownExtra(t *testing.T) {
	t.Parallel()
	_, err := Builder{Source: module(t, "one"), Bin: filepath.Join(t.TempDir(), "devcluster"), With: []string{Rollouts, "argo"}}.Build(t.Context())
	if !errors.Is(err, blueberry.Invalid) || !strings.Contains(err.Error(), `"argo"`) || !strings.Contains(err.Error(), ArgoCD) {
		t.Errorf("Build: %v, want Invalid with the known names", err)
	}
}

func removeAll(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
