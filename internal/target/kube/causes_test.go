package kube_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

// injected is one fault on the real API server, and what must be said of it.
type injected struct {
	docs   []string                           // of component web, beside the platform's
	change func(t *testing.T, e *environment) // after the namespace is there, before the rest is
	broken func(t *testing.T, e *environment) // when all is there
	want   blueberry.CauseCode
	says   string // part of the message
	proof  string // part of some evidence
}

// TestCauses injects faults one by one and asks, at each change that the driver tells, until the right cause comes first.
func TestCauses(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	took := map[string]string{}
	t.Cleanup(func() {
		for _, fault := range slices.Sorted(maps.Keys(took)) {
			t.Logf("%-45s → %s", fault, took[fault])
		}
		t.Logf("%d faults", len(took))
	})
	all := map[string]injected{}
	for _, list := range []map[string]injected{schedulingFaults(), imageFaults(), containerFaults(), jobFaults(), deniedFaults(), networkFaults(), otherFaults()} {
		maps.Copy(all, list)
	}
	for fault, c := range all {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cause, after := c.run(t)
			mu.Lock()
			defer mu.Unlock()
			took[fault] = fmt.Sprintf("%s after %.2f s: %s", cause.Code, after.Seconds(), cause.Message)
		})
	}
}

func (c injected) run(t *testing.T) (blueberry.Cause, time.Duration) {
	t.Helper()
	e := newEnvironment(t)
	files := []blueberry.RenderedFile{targettest.Platform(t, e.Ref)}
	if c.change != nil {
		e.sync(t, files...)
		c.change(t, e)
	}
	docs := slices.Clone(c.docs)
	for i := range docs {
		docs[i] = replace(docs[i], "$env", e.Environment)
	}
	files = append(files, targettest.File(t, e.Ref, 0, "web", docs...))
	began := time.Now()
	e.sync(t, files...)
	if c.broken != nil {
		c.broken(t, e)
		began = time.Now()
	}
	cause := e.explainUntil(t, c.want, c.says)
	after := time.Since(began)
	if cause.Fix == "" || cause.Step != c.want.Step() {
		t.Errorf("cause %+v has no fix, or another step than %s", cause, c.want.Step())
	}
	if !slices.ContainsFunc(cause.Evidence, func(x blueberry.Evidence) bool { return strings.Contains(x.Text, c.proof) }) {
		t.Errorf("no evidence of %+v has %q", cause, c.proof)
	}
	return cause, after
}

// explainUntil asks at each change that the driver tells, as provision does, until a cause comes first.
func (e *environment) explainUntil(t *testing.T, want blueberry.CauseCode, says string) blueberry.Cause {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	backstop := time.NewTicker(30 * time.Second) // what is explained late is told by no change
	defer backstop.Stop()
	changed := make(chan struct{}, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		_ = e.Driver.Watch(ctx, func(r target.Ref) {
			if r.Environment != "" && r.Environment != e.Environment {
				return
			}
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	})
	for {
		causes := e.explain(t)
		if len(causes) > 0 && causes[0].Code == want && strings.Contains(causes[0].Message, says) {
			return causes[0]
		}
		select {
		case <-changed:
		case <-backstop.C:
		case <-ctx.Done():
			t.Fatalf("cause %s (%q) never came first; in the end: %s", want, says, asText(causes))
		}
	}
}

func (e *environment) explain(t testing.TB) []blueberry.Cause {
	t.Helper()
	return targettest.Ask(t, "explain", func() ([]blueberry.Cause, error) {
		return e.Driver.(target.Explainer).Explain(t.Context(), e.Ref, targettest.LedgerOf(e.last))
	})
}

func asText(v any) string {
	js, _ := json.MarshalIndent(v, "", " ")
	return string(js)
}

// asleep keeps kwok from a pod once it waits for its containers, so that a test can say what a kubelet would.
const asleep = `{blueberry.dev/fail: ContainerCreating}`

// deploymentOf is a Deployment whose pods have this spec. kwok lives their pods; with annotations it may not.
func deploymentOf(annotations, spec string) string {
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: $name, namespace: $ns, labels: $labels}
spec:
  replicas: 1
  selector: {matchLabels: {blueberry.dev/component: $name}}
  template:
    metadata: {labels: $podlabels, annotations: ` + annotations + `}
    spec: ` + spec + "\n"
}

// pod waits for the one pod of the component, until kwok has left it alone.
func (e *environment) pod(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	pods := e.hand.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(e.Namespace)
	var pod *unstructured.Unstructured
	targettest.Until(t.Context(), t, "the pod waits", func() string {
		list, err := pods.List(t.Context(), metav1.ListOptions{LabelSelector: blueberry.LabelComponent + "=web"})
		if err != nil || len(list.Items) != 1 {
			return fmt.Sprint(len(list.Items), " pods; ", err)
		}
		pod = &list.Items[0]
		if started, _, _ := unstructured.NestedString(pod.Object, "status", "startTime"); started == "" {
			return "it has not started"
		}
		return ""
	})
	return pod
}

// status writes what a kubelet would of the pod: by field of its status.
func (e *environment) status(t *testing.T, fields string) *unstructured.Unstructured {
	t.Helper()
	pod := e.pod(t)
	pods := e.hand.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(e.Namespace)
	now := time.Now().UTC()
	fields = strings.NewReplacer("$now", now.Format(time.RFC3339), "$before", now.Add(-10*time.Second).Format(time.RFC3339)).Replace(fields)
	_, err := pods.Patch(t.Context(), pod.GetName(), types.MergePatchType, []byte(`{"status": {`+fields+`}}`), metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatalf("patch pod: %v", err)
	}
	return pod
}

// container is the status of the pod's one container.
func containerIs(state string) string {
	return `"containerStatuses": [{"name": "app", "image": "registry.invalid/app:1.0", "imageID": "", "ready": false, "restartCount": 0, ` + state + `}]`
}

// event writes what a kubelet would note.
func (e *environment) event(t *testing.T, about *unstructured.Unstructured, fieldPath, kind, reason, message string) {
	t.Helper()
	now := time.Now().UTC().Format(time.RFC3339)
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Event",
		"metadata": map[string]any{"generateName": about.GetName() + ".", "namespace": e.Namespace},
		"involvedObject": map[string]any{
			"apiVersion": about.GetAPIVersion(), "kind": about.GetKind(), "namespace": e.Namespace, "name": about.GetName(), "uid": string(about.GetUID()), "fieldPath": fieldPath,
		},
		"type": kind, "reason": reason, "message": message, "firstTimestamp": now, "lastTimestamp": now, "count": int64(1),
		"source": map[string]any{"component": "kubelet"},
	}}
	events := e.hand.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "events"}).Namespace(e.Namespace)
	if _, err := events.Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
		t.Fatalf("create event: %v", err)
	}
}

const appSpec = `{containers: [{name: app, image: "registry.invalid/app:1.0"}]}`

// node makes a node without a kubelet, with taints and a condition Ready, which is told anew until the test ends: else it would count as lost.
func (e *environment) node(t *testing.T, taints, ready string) string {
	t.Helper()
	name := e.Environment
	e.hand.Create(t, fmt.Sprintf(`{apiVersion: v1, kind: Node, metadata: {name: %s, labels: {kubernetes.io/hostname: %s}}, spec: {taints: %s}}`, name, name, taints))
	nodes := e.hand.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "nodes"})
	t.Cleanup(func() { _ = nodes.Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}) })
	made := time.Now().UTC().Format(time.RFC3339)
	beat := func() error {
		status := fmt.Sprintf(`{"status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10"}, "capacity": {"cpu": "4", "memory": "8Gi", "pods": "10"}, "conditions": [
			{"type": "Ready", "status": %q, "reason": "KubeletNotReady", "message": "container runtime is down", "lastHeartbeatTime": %q, "lastTransitionTime": %q}]}}`,
			ready, time.Now().UTC().Format(time.RFC3339), made)
		_, err := nodes.Patch(t.Context(), name, types.MergePatchType, []byte(status), metav1.PatchOptions{}, "status")
		return err
	}
	if err := beat(); err != nil {
		t.Fatalf("patch node: %v", err)
	}
	go func() {
		beats := time.NewTicker(10 * time.Second)
		defer beats.Stop()
		for {
			select {
			case <-beats.C:
				_ = beat()
			case <-t.Context().Done():
				return
			}
		}
	}()
	targettest.Until(t.Context(), t, "the place takes the node as "+ready, func() string { // a new node is not ready at first, whatever it says
		n, err := nodes.Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatalf("read node: %v", err)
		}
		if list, _, _ := unstructured.NestedSlice(n.Object, "spec", "taints"); ready == "True" && strings.Contains(asText(list), "not-ready") {
			return "it is tainted"
		}
		return ""
	})
	return name
}
