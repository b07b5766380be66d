package devcluster

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// realHelper is the helper that was built of the module; `make test` provides it.
func realHelper(t *testing.T) string {
	t.Helper()
	bin := os.Getenv("BLUEBERRY_TEST_DEVCLUSTER_BIN")
	if bin == "" {
		t.Fatal("BLUEBERRY_TEST_DEVCLUSTER_BIN names no helper: `make test` builds it and sets it")
	}
	return bin
}

// realCluster is a cluster of the real components.
type realCluster struct {
	*Cluster
	bin, dir string
}

func startReal(t *testing.T, bin, dir string) *realCluster {
	t.Helper()
	w := &words{}
	c, err := Start(t.Context(), Options{Bin: bin, Dir: dir, Progress: w})
	if err != nil {
		t.Fatalf("Start: %v\n%s", err, w)
	}
	r := &realCluster{Cluster: c, bin: bin, dir: dir}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return r
}

// kubectl runs the helper's kubectl and gives what it says.
func (r *realCluster) kubectl(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), r.bin, append([]string{"kubectl", "--kubeconfig", r.Kubeconfig()}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", errors.Join(err, errors.New(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

func (r *realCluster) must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, err := r.kubectl(t, stdin, args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// What was acknowledged is there after every way in which a cluster can end, and the kubeconfig stays good.
func TestRealClusterKeepsItsObjects(t *testing.T) {
	t.Parallel()
	bin, dir := realHelper(t), filepath.Join(t.TempDir(), "cluster")
	ends := map[string]func(t *testing.T, r *realCluster){
		"stopped": func(t *testing.T, r *realCluster) {
			t.Helper()
			if err := r.Stop(t.Context()); err != nil {
				t.Errorf("Stop: %v", err)
			}
		},
		"killed": func(t *testing.T, r *realCluster) {
			t.Helper()
			if err := r.process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-r.Done()
		},
		"asked by a signal": func(t *testing.T, r *realCluster) {
			t.Helper()
			if err := r.process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := r.Wait(); err != nil {
				t.Errorf("Wait: %v", err)
			}
		},
	}
	var kubeconfig []byte
	for name, end := range ends {
		r := startReal(t, bin, dir)
		r.must(t, "", "create", "configmap", strings.ReplaceAll(name, " ", "-"))
		end(t, r)
		data, err := os.ReadFile(r.Kubeconfig())
		if err != nil {
			t.Fatal(err)
		}
		if kubeconfig != nil && !bytes.Equal(data, kubeconfig) {
			t.Errorf("the kubeconfig changed after %q", name)
		}
		kubeconfig = data
	}
	r := startReal(t, bin, dir)
	for name := range ends {
		r.must(t, "", "get", "configmap", strings.ReplaceAll(name, " ", "-"))
	}
	if got := r.must(t, "", "get", "--raw", "/version"); !strings.Contains(got, `"gitVersion": "v1.`) {
		t.Errorf("version %s, want the one of the module", got)
	}
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}, annotations: {ANNOTATIONS}}
    spec: {containers: [{name: web, image: IMAGE}], initContainers: [{name: init, image: init:1}]}
`

const job = `
apiVersion: batch/v1
kind: Job
metadata: {name: NAME}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {ANNOTATIONS}}
    spec: {restartPolicy: Never, containers: [{name: work, image: IMAGE}]}
`

func TestRealPods(t *testing.T) {
	t.Parallel()
	r := startReal(t, realHelper(t), filepath.Join(t.TempDir(), "cluster"))
	waiting := "{.items[*].status.containerStatuses[*].state.waiting.reason}"
	for name, tc := range map[string]struct {
		reason                        string
		manifest, annotations, image  string
		kind, selector, path, becomes string
	}{
		"works": {
			reason: "pods are ready by themselves", manifest: deployment, image: "web:1",
			kind: "deployment/works", path: "{.status.readyReplicas}", becomes: "2",
		},
		"late": {
			reason: "blueberry.dev/ready-after delays it", manifest: deployment, image: "web:1", annotations: `blueberry.dev/ready-after: 1s`,
			kind: "deployment/late", path: "{.status.readyReplicas}", becomes: "2",
		},
		"crashes": {
			reason: "blueberry.dev/fail is the reason", manifest: deployment, image: "web:1", annotations: `blueberry.dev/fail: CrashLoopBackOff`,
			kind: "pods", selector: "app=crashes", path: waiting, becomes: "CrashLoopBackOff CrashLoopBackOff",
		},
		"misconfigured": {
			reason: "any reason will do", manifest: deployment, image: "web:1", annotations: `blueberry.dev/fail: CreateContainerConfigError`,
			kind: "pods", selector: "app=misconfigured", path: waiting, becomes: "CreateContainerConfigError CreateContainerConfigError",
		},
		"unpullable": {
			reason: "the image's name says so", manifest: deployment, image: "registry.example/broken:1",
			kind: "pods", selector: "app=unpullable", path: waiting, becomes: "ImagePullBackOff ImagePullBackOff",
		},
		"done": {
			reason: "jobs complete", manifest: job, image: "work:1",
			kind: "job/done", path: "{.status.succeeded}", becomes: "1",
		},
		"failed": {
			reason: "jobs fail when asked to", manifest: job, image: "work:1", annotations: `blueberry.dev/fail: Error`,
			kind: "job/failed", path: "{.status.failed}", becomes: "1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manifest := strings.NewReplacer("NAME", name, "ANNOTATIONS", tc.annotations, "IMAGE", tc.image).Replace(tc.manifest)
			r.must(t, manifest, "apply", "-f", "-")
			args := []string{"get", tc.kind, "-o", "jsonpath=" + tc.path}
			if tc.selector != "" {
				args = append(args, "-l", tc.selector)
			}
			await(t, tc.reason, func() bool { return r.must(t, "", args...) == tc.becomes })
			if strings.HasPrefix(tc.manifest, "\napiVersion: apps") && tc.becomes == "2" {
				if got := r.must(t, "", "logs", "deployment/"+name); !strings.Contains(got, "pretended") {
					t.Errorf("log %q, want one that says why it is empty", got)
				}
			}
			// Waits until the pods are gone too.
			r.must(t, manifest, "delete", "--cascade=foreground", "-f", "-")
		})
	}
}
