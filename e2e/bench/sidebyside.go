package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/sdk"
)

// sideBySide: the same environments on the same API server, made through the driver kube, through the driver argocd, and by Argo CD alone, which an
// ApplicationSet feeds from the same files in Git. Measured is from the first request (for Argo CD alone: from the push, with a refresh right after it) until
// the API server holds every object of every environment.
func (b *bench) sideBySide(ctx context.Context) error {
	if with := os.Getenv("BLUEBERRY_TEST_WITH"); !strings.Contains(with, "argocd-applicationset") {
		return errors.New("Argo CD is not there: run this by make bench-argocd")
	}
	a, err := proxied(ctx)
	if err != nil {
		return err
	}
	defer a.close()
	kubeconfig := os.Getenv("BLUEBERRY_TEST_KUBECONFIG")
	kube, _, err := b.through(ctx, a, "kube", "--kubeconfig", kubeconfig)
	if err != nil {
		return fmt.Errorf("driver kube: %w", err)
	}
	what := fmt.Sprintf("%d environments, create → applied, ", b.side)
	row(what+"kube", kube.String(), "")
	argo, files, err := b.through(ctx, a, "argocd", "--kubeconfig", kubeconfig, "--target-driver", "argocd")
	if err != nil {
		return fmt.Errorf("driver argocd: %w", err)
	}
	row(what+"argocd", argo.String(), "")
	alone, err := b.alone(ctx, a, files)
	if err != nil {
		return fmt.Errorf("Argo CD alone: %w", err)
	}
	what = fmt.Sprintf("%d environments of %d objects, create → applied, ", b.side, objectsOf(files)/b.side)
	row(what+"kube", alone.ratio(kube), "5 times Argo CD alone")
	row(what+"argocd", alone.ratio(argo), "not slower than alone")
	row(what+"Argo CD alone", alone.String(), "")
	return nil
}

// course is when a half and all of the objects were there.
type course struct{ half, all time.Duration }

func (c course) String() string { return fmt.Sprintf("half %s, all %s", round(c.half), round(c.all)) }

func (c course) ratio(other course) string {
	return fmt.Sprintf("%s (%.1f times)", other, c.all.Seconds()/other.all.Seconds())
}

// object is what of a manifest is needed to find it.
type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
}

// rendered is the files of one environment, by name, with its namespace and how many objects they hold.
type rendered struct {
	name    string
	files   map[string][]byte
	objects []object
}

func objectsOf(list []rendered) int {
	n := 0
	for _, r := range list {
		n += len(r.objects)
	}
	return n
}

// through makes the environments by a server with the driver, and removes them again.
func (b *bench) through(ctx context.Context, a api, name string, args ...string) (course, []rendered, error) {
	s, err := b.host("side-"+name, args...).Start()
	if err != nil {
		return course{}, nil, err
	}
	defer s.Kill()
	began := time.Now()
	if _, err := createAll(ctx, s, "side", b.side, 8); err != nil {
		return course{}, nil, err
	}
	all, envs, err := b.renderings(ctx, s)
	if err != nil {
		return course{}, nil, err
	}
	took, err := watched(ctx, a, all, began)
	if err != nil {
		return took, nil, err
	}
	for _, id := range envs {
		if _, err := s.Client.DestroyEnvironment(ctx, id); err != nil {
			return took, nil, err
		}
	}
	for _, id := range envs {
		if _, err := s.WaitPhase(ctx, id, sdk.Terminated); err != nil {
			return took, nil, err
		}
	}
	return took, all, s.Stop()
}

func (b *bench) renderings(ctx context.Context, s *installation.Server) (out []rendered, ids []string, err error) {
	page, err := s.Client.ListEnvironments(ctx, sdk.EnvironmentFilter{Limit: 500})
	if err != nil {
		return nil, nil, err
	}
	for _, e := range page.Items {
		r, err := s.Client.GetEnvironmentRendering(ctx, e.ID, 0)
		if err != nil {
			return nil, nil, err
		}
		x := rendered{name: e.Name, files: map[string][]byte{}}
		for _, f := range r.Files {
			x.files[f.Path] = []byte(f.Content)
			for _, doc := range strings.Split(f.Content, "\n---\n") {
				var o object
				if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
					return nil, nil, err
				}
				x.objects = append(x.objects, o)
			}
		}
		out, ids = append(out, x), append(ids, e.ID)
	}
	return out, ids, nil
}

// watched looks until the API server holds as many objects of each kind as the files do.
func watched(ctx context.Context, a api, all []rendered, began time.Time) (course, error) {
	want, total := map[string]int{}, objectsOf(all)
	for _, r := range all {
		for _, o := range r.objects {
			want[listPath(o)]++
		}
	}
	paths := make([]string, 0, len(want))
	for p := range want {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	var took course
	err := lookUntil(ctx, 250*time.Millisecond, func() (bool, error) {
		have := 0
		for _, p := range paths {
			n, err := a.count(ctx, p, "blueberry.dev/revision") // on every object that was rendered, and on none that controllers made
			if err != nil {
				return false, err
			}
			have += min(n, want[p])
		}
		took.all = time.Since(began)
		if took.half == 0 && have*2 >= total {
			took.half = took.all
		}
		return have >= total, nil
	})
	return took, err
}

// listPath is where the API lists objects of the kind of all namespaces.
func listPath(o object) string {
	plural := strings.ToLower(o.Kind)
	switch {
	case strings.HasSuffix(plural, "y"):
		plural = strings.TrimSuffix(plural, "y") + "ies"
	case strings.HasSuffix(plural, "ss"):
		plural += "es"
	default:
		plural += "s"
	}
	if !strings.Contains(o.APIVersion, "/") {
		return "/api/" + o.APIVersion + "/" + plural
	}
	return "/apis/" + o.APIVersion + "/" + plural
}

const applicationSet = `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: side, namespace: argocd}
spec:
  goTemplate: true
  generators:
  - git: {repoURL: %[1]q, revision: main, directories: [{path: "side/*"}]}
  template:
    metadata: {name: "side-{{.path.basename}}"}
    spec:
      project: default
      source: {repoURL: %[1]q, targetRevision: main, path: "{{.path.path}}"}
      destination: {server: "https://kubernetes.default.svc", namespace: default}
      syncPolicy: {automated: {prune: true, selfHeal: true}}
`

const applicationSets = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/side"

// alone lets Argo CD make the environments from a repository of its own.
func (b *bench) alone(ctx context.Context, a api, all []rendered) (took course, err error) {
	repo, err := gitops.Open(ctx, gitops.Config{Dir: filepath.Join(b.dir, "alone.git")})
	if err != nil {
		return took, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- repo.Run(running) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	server := httptest.NewServer(http.StripPrefix("/alone.git", repo.Handler(func(context.Context, string) error { return nil })))
	defer server.Close()
	if _, err := repo.Commit(ctx, gitops.Change{Dir: "readme", Files: map[string][]byte{"README": []byte("side by side\n")}}); err != nil {
		return took, err
	}
	url := strings.Replace(server.URL, "http://", "http://git:token@", 1) + "/alone.git"
	if err := a.apply(ctx, applicationSets, fmt.Sprintf(applicationSet, url)); err != nil {
		return took, err
	}
	files := map[string][]byte{}
	for _, r := range all {
		for name, content := range r.files {
			files[r.name+"/"+name] = content
		}
	}
	began := time.Now()
	if _, err := repo.Commit(ctx, gitops.Change{Dir: "side", Files: files}); err != nil {
		return took, err
	}
	refresh := `{"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "side", "annotations": {"argocd.argoproj.io/application-set-refresh": "true"}}}`
	if err := a.do(ctx, http.MethodPatch, applicationSets, "application/merge-patch+json", []byte(refresh), nil); err != nil {
		return took, err
	}
	if took, err = watched(ctx, a, all, began); err != nil {
		return took, err
	}
	if err := a.do(ctx, http.MethodDelete, applicationSets, "", nil, nil); err != nil {
		return took, err
	}
	for _, r := range all {
		for _, o := range r.objects {
			if o.Kind == "Namespace" {
				if err := a.do(ctx, http.MethodDelete, "/api/v1/namespaces/"+o.Metadata.Name, "", nil, nil); err != nil {
					return took, err
				}
			}
		}
	}
	return took, nil
}
