package devcluster

import (
	"bytes"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// realExtras are the extras whose binaries `make test` provides, beside the helper.
func realExtras(t *testing.T) []string {
	t.Helper()
	with := strings.Split(os.Getenv("BLUEBERRY_TEST_WITH"), ",")
	for _, name := range []string{ArgoCD, Rollouts, Metrics} {
		if !slices.Contains(with, name) {
			t.Fatalf("BLUEBERRY_TEST_WITH does not name %s: run the tests by `go run ./e2e/testenv -with argocd,rollouts,metrics -- go test ...`", name)
		}
	}
	return []string{ArgoCD, Rollouts, Metrics}
}

// repository is a Git repository behind HTTP that wants a password.
type repository struct{ dir, url string }

const repositoryPassword = "a password with : and / and % in it"

func newRepository(t *testing.T) *repository {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	r := &repository{dir: filepath.Join(t.TempDir(), "work")}
	put(t, filepath.Join(r.dir, "app", "objects.yaml"), "")
	r.git(t, "init", "-q", "-b", "main")
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Join(r.dir, ".git"), "GIT_HTTP_EXPORT_ALL=1"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, password, _ := req.BasicAuth(); password != repositoryPassword {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		req.Header.Set("Git-Protocol", "") // the CGI hands it over in another way
		backend.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *repository) git(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", r.dir, "-c", "user.name=x", "-c", "user.email=x@x"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v: %s", args[0], err, out)
	}
}

func (r *repository) commit(t *testing.T, objects string) {
	t.Helper()
	put(t, filepath.Join(r.dir, "app", "objects.yaml"), objects)
	r.git(t, "add", ".")
	r.git(t, "commit", "-q", "-m", "objects")
}

const application = `
apiVersion: v1
kind: Secret
metadata: {name: repository, namespace: argocd, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {type: git, url: "AT", username: x, password: "WORD"}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: app, namespace: argocd}
spec:
  project: default
  source: {repoURL: "AT", targetRevision: main, path: app}
  destination: {server: "https://kubernetes.default.svc", namespace: default}
  syncPolicy: {automated: {prune: true, selfHeal: true}}
`

const rollout = `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {canary: {}}
  template:
    metadata: {labels: {app: web}, annotations: {kwok.x-k8s.io/usage-cpu: 70m}}
    spec: {containers: [{name: web, image: "web:VERSION"}]}
`

// The real Argo CD deploys from a Git repository with a password, the real Argo Rollouts makes the pods, and the real
// metrics-server measures them.
func TestRealExtras(t *testing.T) {
	t.Parallel()
	r := startReal(t, realHelper(t), filepath.Join(t.TempDir(), "cluster"), realExtras(t)...)
	repo := newRepository(t)
	repo.commit(t, strings.ReplaceAll(rollout, "VERSION", "1"))
	r.must(t, strings.NewReplacer("AT", repo.url, "WORD", repositoryPassword).Replace(application), "apply", "-f", "-")
	state := func() string {
		return r.must(t, "", "get", "-n", "argocd", "application", "app", "-o", "jsonpath={.status.sync.status} {.status.health.status} {.status.summary.images}")
	}
	await(t, "the Application is synced", func() bool { return state() == `Synced Healthy ["web:1"]` })
	repo.commit(t, strings.ReplaceAll(rollout, "VERSION", "2"))
	r.must(t, "", "annotate", "-n", "argocd", "application", "app", "argocd.argoproj.io/refresh=normal")
	await(t, "the next commit is too", func() bool { return state() == `Synced Healthy ["web:2"]` })
	tracking := r.must(t, "", "get", "rollout", "web", "-o", `jsonpath={.metadata.annotations.argocd\.argoproj\.io/tracking-id}`)
	if !strings.HasPrefix(tracking, "app:argoproj.io/Rollout:") {
		t.Errorf("tracking annotation %q, want one", tracking)
	}

	password, err := os.ReadFile(r.ArgoCD().AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"username":"admin","password":"` + strings.TrimSpace(string(password)) + `"}`
	resp, err := http.Post(r.ArgoCD().URL+"/api/v1/session", "application/json", bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("sign-in as admin: %s %v", resp.Status, err)
	}

	await(t, "the pods are measured", func() bool {
		out, err := r.kubectl(t, "", "top", "pods", "--no-headers")
		return err == nil && strings.Count(out, "70m") == 2
	})
}
