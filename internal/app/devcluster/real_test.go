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

func startReal(t *testing.T, bin, dir string, with ...string) *realCluster {
	t.Helper()
	w := &words{}
	c, err := Start(t.Context(), Options{Bin: bin, Dir: dir, With: with, Exec: true, Progress: w})
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

// unhealthy is the path to the messages of events of one Deployment's pods.
func unhealthy(name string) string {
	return `{range .items[?(@.reason=="Unhealthy")]}{.involvedObject.name} {.message}{"\n"}{end}` + name
}

// firstWords are the first words of the messages of one Deployment's events, in no order but alike.
func firstWords(text string) string {
	lines := strings.Split(text, "\n")
	name := lines[len(lines)-1]
	var words []string
	for _, line := range lines[:len(lines)-1] {
		if pod, message, _ := strings.Cut(line, " "); strings.HasPrefix(pod, name+"-") {
			word, _, _ := strings.Cut(message, " ")
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// A test can be the kubelet of a pod.
func TestRealPodWithoutKubelet(t *testing.T) {
	t.Parallel()
	r := startReal(t, realHelper(t), filepath.Join(t.TempDir(), "cluster"))
	for name, how := range map[string]string{"ours": "none", "goes": "delete", "other": "kwok"} {
		annotation := "blueberry.dev/kubelet: " + how
		if name == "other" {
			annotation = ""
		}
		r.must(t, strings.NewReplacer("NAME", name, "ANNOTATIONS", annotation, "IMAGE", "web:1").Replace(pod), "apply", "-f", "-")
	}
	phase := func(name string) string { return r.must(t, "", "get", "pod", name, "-o", "jsonpath={.status.phase}") }
	await(t, "another is ready", func() bool { return phase("other") == "Running" })
	if ours, goes := phase("ours"), phase("goes"); ours != "Pending" || goes != "Pending" {
		t.Errorf("phases %q and %q, want them left alone", ours, goes)
	}
	r.must(t, "", "patch", "pod", "ours", "--subresource=status", "--type=merge", "-p", `{"status":{"phase":"Running"}}`)
	if got := phase("ours"); got != "Running" {
		t.Errorf("phase %q after ours", got)
	}
	r.must(t, "", "delete", "pod", "goes", "other") // waits for it
	r.must(t, "", "delete", "pod", "ours", "--wait=false")
	if got := r.must(t, "", "get", "pod", "ours", "-o", "jsonpath={.metadata.deletionTimestamp}"); got == "" {
		t.Error("the pod that is ours went by itself")
	}
	r.must(t, "", "delete", "pod", "ours", "--force", "--grace-period=0")
}

const pod = `
apiVersion: v1
kind: Pod
metadata: {name: NAME, annotations: {ANNOTATIONS}}
spec: {containers: [{name: web, image: IMAGE}]}
`

func TestRealLogsAndExec(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cluster")
	r := startReal(t, realHelper(t), dir)
	r.must(t, strings.NewReplacer("NAME", "web", "ANNOTATIONS", "", "IMAGE", "web:1").Replace(pod), "apply", "-f", "-")
	await(t, "it runs", func() bool { return r.must(t, "", "get", "pod", "web", "-o", "jsonpath={.status.phase}") == "Running" })
	if got := r.must(t, "", "logs", "web", "--tail=1"); got != "ready" {
		t.Errorf("last line %q", got)
	}
	if got := r.must(t, "", "logs", "web", "--previous"); !strings.Contains(got, "panic") {
		t.Errorf("log before %q, want how it ended", got)
	}
	follow := exec.CommandContext(t.Context(), r.bin, "kubectl", "--kubeconfig", r.Kubeconfig(), "logs", "-f", "web")
	w := &words{}
	follow.Stdout = w
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "what was there is read", func() bool { return strings.Contains(w.String(), "ready") })
	log, err := os.OpenFile(filepath.Join(dir, "kwok", "pod.log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.WriteString(time.Now().UTC().Format(time.RFC3339Nano) + " stdout F one more\n"); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "the new line is followed", func() bool { return strings.Contains(w.String(), "one more") })
	if err := follow.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = follow.Wait() // killed
	if got := r.must(t, "", "exec", "web", "--", "sh", "-c", "echo out; echo err >&2"); got != "out" {
		t.Errorf("exec said %q", got)
	}
	if got := r.must(t, "echo from stdin; exit\n", "exec", "-i", "web", "--", "sh"); got != "from stdin" {
		t.Errorf("exec with input said %q", got)
	}
}

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
		"out-of-memory": {
			reason: "it died for want of memory", manifest: deployment, image: "web:1", annotations: `blueberry.dev/fail: OOMKilled`,
			kind: "pods", selector: "app=out-of-memory", becomes: "OOMKilled OOMKilled",
			path: "{.items[*].status.containerStatuses[*].lastState.terminated.reason}",
		},
		"completed": {
			reason: "it ends at once", manifest: deployment, image: "web:1", annotations: `blueberry.dev/fail: Completed`,
			kind: "pods", selector: "app=completed", path: "{.items[*].status.containerStatuses[*].state.terminated.reason}", becomes: "Completed Completed",
		},
		"init-crashes": {
			reason: "the init container crashes", manifest: deployment, image: "web:1", annotations: `blueberry.dev/fail: InitCrash`,
			kind: "pods", selector: "app=init-crashes", becomes: "CrashLoopBackOff CrashLoopBackOff",
			path: "{.items[*].status.initContainerStatuses[*].state.waiting.reason}",
		},
		"init-stuck": {
			reason: "the init container does not end", manifest: deployment, image: "web:1", annotations: `blueberry.dev/fail: InitStuck`,
			kind: "pods", selector: "app=init-stuck", path: waiting, becomes: "PodInitializing PodInitializing",
		},
		"unready": {
			reason: "it runs and says so by event", manifest: deployment, image: "web:1", annotations: `blueberry.dev/fail: ReadinessProbe`,
			kind: "events", path: unhealthy("unready"), becomes: "Readiness Readiness",
		},
		"killed": {
			reason: "it is killed three times", manifest: deployment, image: "web:1", annotations: `blueberry.dev/fail: LivenessProbe`,
			kind: "pods", selector: "app=killed", path: "{.items[*].status.containerStatuses[*].restartCount}", becomes: "3 3",
		},
		"told": {
			reason: "the message can be chosen", manifest: deployment, image: "web:1",
			annotations: `blueberry.dev/fail: ErrImagePull, blueberry.dev/fail-message: "no such: \"image\""`,
			kind:        "pods", selector: "app=told", path: "{.items[0].status.containerStatuses[*].state.waiting.message}", becomes: `no such: "image"`,
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
			await(t, tc.reason, func() bool {
				got := r.must(t, "", args...)
				if tc.kind == "events" {
					got = firstWords(got)
				}
				return got == tc.becomes
			})
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
