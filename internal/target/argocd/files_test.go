package argocd_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/argocd"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
)

// unreachable opens a driver that nothing answers: what it says without asking.
func unreachable(t *testing.T) *argocd.Driver {
	t.Helper()
	d, err := argocd.Open(argocd.Config{
		Kube: kube.Config{REST: &rest.Config{Host: "https://127.0.0.1:1"}}, Target: "local", Repository: "https://git.example.org/gitops.git", Username: "argocd", Password: "secret-word",
		Contains: func(context.Context, string, string) (bool, error) { return false, nil },
	})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(d.Close)
	return d
}

var shop = target.Ref{Project: "shop", Environment: "pr-1", Namespace: "shop-pr-1"}

func applicationOf(t *testing.T, d *argocd.Driver, ignore ...blueberry.DriftIgnore) map[string]any {
	t.Helper()
	files := d.Files(shop, ignore)
	content, ok := files["apps/shop-pr-1.yaml"]
	if !ok || len(files) != 1 {
		t.Fatalf("files: %v", files)
	}
	var out map[string]any
	if err := yaml.Unmarshal(content, &out); err != nil {
		t.Fatalf("read: %v", err)
	}
	return out
}

func TestApplicationInGit(t *testing.T) {
	t.Parallel()
	u := applicationOf(t, unreachable(t))
	for path, want := range map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata.name": "blueberry-local-shop-pr-1", "metadata.namespace": "argocd",
		"spec.project": "blueberry-local-shop", "spec.source.path": "targets/local/shop/pr-1", "spec.source.repoURL": "https://git.example.org/gitops.git",
		"spec.source.targetRevision": "main", "spec.destination.namespace": "shop-pr-1", "spec.destination.server": "https://kubernetes.default.svc",
		"spec.syncPolicy.automated.prune": true, "spec.syncPolicy.automated.selfHeal": true,
	} {
		if got, _, _ := unstructured.NestedFieldNoCopy(u, strings.Split(path, ".")...); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if meta, _ := u["metadata"].(map[string]any); meta["finalizers"] != nil {
		t.Error("it has a finalizer: deleting it would delete what runs")
	}
}

func TestFieldsLeftToOthersInTheWordsOfArgo(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		rule blueberry.DriftIgnore
		want map[string]any
	}{
		"a field of a kind": {
			blueberry.DriftIgnore{Kind: "Deployment.apps", Name: "*", Path: "spec.replicas"},
			map[string]any{"group": "apps", "kind": "Deployment", "jqPathExpressions": []any{`.["spec"]? | .["replicas"]?`}},
		},
		"a kind of any group": {
			blueberry.DriftIgnore{Kind: "Rollout", Name: "*", Path: "spec"},
			map[string]any{"group": "*", "kind": "Rollout", "jqPathExpressions": []any{`.["spec"]?`}},
		},
		"a pattern of names, and a key with a dot": {
			blueberry.DriftIgnore{Kind: "*", Name: "web-*.v?", Path: `metadata.annotations["example.com/x"]`},
			map[string]any{"group": "*", "kind": "*", "jqPathExpressions": []any{
				`select(.metadata.name | test("^web-[^/]*\\.v[^/]$")) | .["metadata"]? | .["annotations"]? | .["example.com/x"]?`,
			}},
		},
		"an item of a list by its name": {
			blueberry.DriftIgnore{Kind: "*", Name: "*", Path: "spec.containers[name=a\"b].image"},
			map[string]any{"group": "*", "kind": "*", "jqPathExpressions": []any{`.["spec"]? | .["containers"]? | .[]? | select(.name? == "a\"b") | .["image"]?`}},
		},
		"a key that is a number": {
			blueberry.DriftIgnore{Kind: "ConfigMap", Name: "*", Path: "data.1"},
			map[string]any{"group": "*", "kind": "ConfigMap", "jqPathExpressions": []any{`.["data"]? | if type == "array" then .[1] else .["1"]? end`}},
		},
	} {
		u := applicationOf(t, unreachable(t), c.rule)
		got, _, _ := unstructured.NestedSlice(u, "spec", "ignoreDifferences")
		if len(got) != 2 { // the first are the controllers that share objects with us
			t.Errorf("%s: %d rules: %v", reason, len(got), got)
			continue
		}
		if diff := cmp.Diff(any(c.want), got[1]); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	t.Parallel()
	contains := func(context.Context, string, string) (bool, error) { return false, nil }
	for reason, c := range map[string]argocd.Config{
		"no target":     {Repository: "https://git.example.org/x.git", Contains: contains},
		"no repository": {Target: "local", Contains: contains},
		"no history":    {Target: "local", Repository: "https://git.example.org/x.git"},
	} {
		c.Kube = kube.Config{REST: &rest.Config{Host: "https://127.0.0.1:1"}}
		if _, err := argocd.Open(c); err == nil {
			t.Errorf("%s: opened", reason)
		}
	}
}

func TestNothingThatAnswersIsUnavailable(t *testing.T) {
	t.Parallel()
	d := unreachable(t)
	for name, call := range map[string]func() error{
		"sync": func() error {
			_, err := d.Sync(t.Context(), target.Desired{Ref: shop, Commit: strings.Repeat("a", 40)})
			return err
		},
		"remove":  func() error { _, err := d.Remove(t.Context(), shop, nil); return err },
		"release": func() error { return d.Release(t.Context(), shop) },
		"check":   func() error { return d.Check(t.Context()) },
	} {
		if err := call(); !isKind(err, blueberry.Unavailable) || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
