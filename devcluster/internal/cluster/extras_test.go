package cluster

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// extras makes every extra the test binary, with small definitions beside it.
func extras(t *testing.T, names ...string) map[string]string {
	t.Helper()
	dir, with := t.TempDir(), map[string]string{}
	for _, name := range names {
		with[name] = filepath.Join(dir, name)
		if err := os.Symlink(os.Args[0], with[name]); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{
			"thing-crd.yaml":        definitionOf("things"),
			"argocd-cm.yaml":        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\n",
			"git-verify-wrapper.sh": "#!/bin/sh\n",
			"gpg-wrapper.sh":        "#!/bin/sh\n",
		} {
			put(t, filepath.Join(with[name]+".d", file), text)
		}
	}
	return with
}

func definitionOf(plural string) string {
	return "metadata: {name: " + plural + ".example.com}\nspec: {group: example.com, names: {plural: " + plural + "}, versions: [{name: v1, served: true}, {name: v0}]}\n"
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRunWithExtras(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	with := extras(t, Extras()...)
	r := startWith(t, Options{Dir: dir, With: with})
	p := r.places(t)
	if !strings.HasPrefix(p.ArgoCD, "http://127.0.0.1:") {
		t.Errorf("Argo CD is at %q, want a loopback address", p.ArgoCD)
	}
	if info, err := os.Stat(p.ArgoCDAdminPassword); err != nil || info.Mode().Perm() != 0o600 || info.Size() < 20 {
		t.Errorf("password of admin: %v %v, want a file of a long word with mode 0600", info, err)
	}
	r.finish(t)
	d := r.diary(t)
	at := func(line string) int { return slices.Index(d, line) }
	definition := "PATCH /apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com"
	for _, line := range []string{
		definition, "PATCH /api/v1/namespaces/argocd/configmaps/argocd-cm", "PATCH /api/v1/namespaces/argocd/secrets/argocd-secret",
		"PATCH /apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/default", "PATCH " + metricsAPIService,
	} {
		if at(line) < 0 {
			t.Errorf("%s was not done", line)
		}
	}
	for _, name := range []string{argoRepo, argoController, argoServer, argoSets, rolloutsController, metricsServer} {
		starts, ends := at(name+" starts"), at(name+" ends")
		if starts < at(definition) || ends < starts || at("kube-apiserver ends") < ends {
			t.Errorf("%s starts at %d and ends at %d, want after the definitions (%d) and before the API server (%d)",
				name, starts, ends, at(definition), at("kube-apiserver ends"))
		}
	}

	// Definitions are applied once, and again when they change; the extra that is gone is not in the way.
	if err := os.Remove(filepath.Join(dir, diary)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(with[rollouts]+".d", "other-crd.yaml"), definitionOf("others"))
	delete(with, metrics)
	delete(with, argoCDBenchmark)
	r = startWith(t, Options{Dir: dir, With: with})
	again := r.places(t)
	r.finish(t)
	d = r.diary(t)
	if again != p {
		t.Errorf("places %+v after %+v, want them to stay", again, p)
	}
	if at(definition) < 0 || slices.Index(d[at(definition)+1:], definition) >= 0 {
		t.Errorf("diary %q, want the definitions of rollouts once, and not those of argocd", d)
	}
	if at("DELETE "+metricsAPIService) < 0 || at(metricsServer+" starts") >= 0 || at(argoSets+" starts") >= 0 {
		t.Errorf("diary %q, want no more of metrics and ApplicationSets", d)
	}
}

func TestRunRefusesExtras(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	unfinished := extras(t, rollouts)
	if err := os.RemoveAll(unfinished[rollouts] + ".d"); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		with map[string]string
		want string
	}{
		"unknown":             {map[string]string{"argo": os.Args[0]}, `"argo"`},
		"not there":           {map[string]string{argoCD: missing}, missing},
		"not a program":       {map[string]string{argoCD: t.TempDir()}, "not a program"},
		"without definitions": {unfinished, "build the program again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startWith(t, Options{Dir: t.TempDir(), With: tc.with})
			if err := <-r.ended; err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Run: %v, want an error with %s", err, tc.want)
			}
		})
	}
}

// Not parallel: it changes PATH.
func TestRunWithoutRedis(t *testing.T) {
	with := extras(t, argoCD)
	t.Setenv("PATH", t.TempDir())
	r := startWith(t, Options{Dir: t.TempDir(), With: with})
	if err := <-r.ended; err == nil || !strings.Contains(err.Error(), "redis-server") || !strings.Contains(err.Error(), "install") {
		t.Errorf("Run without redis-server: %v, want how to install it", err)
	}
}

func TestExecIsOffByDefault(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		r := startWith(t, Options{Dir: t.TempDir(), Exec: on})
		r.places(t)
		r.finish(t)
		text, err := os.ReadFile(filepath.Join(r.dir, "kwok.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(text), "ClusterExec"); got != on {
			t.Errorf("with Exec %t kwok may exec: %t", on, got)
		}
	}
}

func TestDefinitionWithoutSchema(t *testing.T) {
	t.Parallel()
	text := "apiVersion: v1\nkind: C\nmetadata: {name: x}\nspec: {group: g, versions: [{name: v1, served: true, schema: {openAPIV3Schema: {type: string}}}]}\n"
	got, err := withoutSchema([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"apiVersion":"v1","kind":"C","metadata":{"name":"x"},"spec":{"group":"g","versions":[{"name":"v1",` +
		`"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}},"served":true}]}}`
	if string(got) != want {
		t.Errorf("without schema: %s, want %s", got, want)
	}
}
