package kube_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

// with reports whether the API server of the tests has more than Kubernetes: "rollouts", "metrics".
func with(what string) bool {
	for _, w := range strings.Split(os.Getenv("BLUEBERRY_TEST_WITH"), ",") {
		if w == what {
			return true
		}
	}
	return false
}

func TestUsageIsThatOfTheMetricsServer(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	e.sync(t, targettest.Platform(t, e.Ref), targettest.Web(t, e.Ref, 0, "back", "registry.invalid/app:1.0"))
	d, _ := e.Driver.(*kube.Driver)
	if !with("metrics") {
		_, err := d.Usage(t.Context(), e.Ref)
		var own *blueberry.Error
		if !errors.As(err, &own) || own.Kind != blueberry.Unavailable || own.Code != "METRICS_MISSING" {
			t.Errorf("got error %v, want METRICS_MISSING", err)
		}
		return
	}
	var list []target.PodUsage
	targettest.Until(t.Context(), t, "the pod is measured", func() string {
		list = targettest.Ask(t, "usage", func() ([]target.PodUsage, error) { return d.Usage(t.Context(), e.Ref) })
		if len(list) == 1 {
			return ""
		}
		return fmt.Sprint(list)
	})
	u := list[0] // what it asks for is the default of the namespace
	if u.Component != "back" || !strings.HasPrefix(u.Pod, "back-") || u.At.IsZero() || u.CPURequest != 50 || u.CPULimit != 500 ||
		u.MemoryRequest != 64<<20 || u.MemLimit != 512<<20 {
		t.Errorf("usage %+v", u)
	}
}

// TestUsageIsSummedUp: what the API says in any of its forms.
func TestUsageIsSummedUp(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.HandleFunc("GET /api/v1/namespaces/"+s.ref.Namespace+"/pods", func(w http.ResponseWriter, _ *http.Request) {
		pod, bare := s.pod("web"), s.pod("bare")
		pod["spec"] = map[string]any{
			"initContainers": []any{
				map[string]any{"name": "once", "resources": map[string]any{"requests": map[string]any{"cpu": "4"}}},
				map[string]any{"name": "side", "restartPolicy": "Always", "resources": map[string]any{"requests": map[string]any{"cpu": "100m", "memory": "1Ki"}, "limits": map[string]any{"cpu": "1"}}},
			},
			"containers": []any{map[string]any{"name": "app", "resources": map[string]any{"requests": map[string]any{"cpu": "0.5"}, "limits": map[string]any{"cpu": "2", "memory": "1G"}}}},
		}
		answer(w, map[string]any{"kind": "PodList", "apiVersion": "v1", "metadata": map[string]any{}, "items": []any{bare, pod, s.pod("young")}})
	})
	measured := func(name string, usage ...map[string]any) map[string]any {
		var list []any
		for _, u := range usage {
			list = append(list, map[string]any{"name": "app", "usage": u})
		}
		return map[string]any{"apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics", "metadata": map[string]any{"name": name}, "timestamp": "2026-05-01T10:00:00Z", "containers": list}
	}
	s.HandleFunc("GET /apis/metrics.k8s.io/v1beta1/namespaces/"+s.ref.Namespace+"/pods", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": map[string]any{}, "items": []any{
			measured("web", map[string]any{"cpu": "1500000n", "memory": "12Mi"}, map[string]any{"cpu": "2m", "memory": "100"}), measured("bare"), measured("gone"),
		}})
	})
	got, err := s.Usage(t.Context(), s.ref)
	if err != nil || len(got) != 2 {
		t.Fatalf("usage %+v, %v; want that of two pods", got, err)
	}
	at := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	want := target.PodUsage{Component: "web", Pod: "web", At: at, CPU: 4, Memory: 12<<20 + 100, CPURequest: 600, CPULimit: 3000, MemoryRequest: 1024}
	if got[1] != want {
		t.Errorf("got %+v, want %+v", got[1], want)
	}
	if want := (target.PodUsage{Component: "bare", Pod: "bare", At: at}); got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
}

// TestARolloutIsRestartedByItsController does with a Rollout what the suite does with the workloads of Kubernetes.
func TestARolloutIsRestartedByItsController(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	files := []blueberry.RenderedFile{targettest.Platform(t, e.Ref), targettest.File(t, e.Ref, 0, "step", rolloutDoc)}
	if !with("rollouts") { // then it is a kind that nobody knows
		d, _ := e.Driver.(*kube.Driver)
		if list, err := d.Replicas(t.Context(), e.Ref); err != nil || len(list) > 0 {
			t.Errorf("replicas %v, %v; want none", list, err)
		}
		return
	}
	e.sync(t, files...)
	d, _ := e.Driver.(*kube.Driver)
	rollout := files[1].Objects[0]
	list, err := d.Restart(t.Context(), e.Ref, "", time.Now())
	if err != nil || len(list) != 1 || list[0] != rollout {
		t.Fatalf("restarted %v, %v; want %v", list, err, rollout)
	}
	if err := d.Scale(t.Context(), e.Ref, rollout, 2); err != nil {
		t.Fatalf("scale: %v", err)
	}
	if n, err := d.Replicas(t.Context(), e.Ref); err != nil || n[rollout] != 2 {
		t.Errorf("replicas %v, %v; want 2", n, err)
	}
	targettest.Until(t.Context(), t, "the controller has restarted it", func() string {
		live := e.hand.get(t, rollout)
		asked, _, _ := unstructured.NestedString(live.Object, "spec", "restartAt")
		done, _, _ := unstructured.NestedString(live.Object, "status", "restartedAt")
		if asked != "" && asked == done {
			return ""
		}
		return asked + " " + done
	})
	if e.observe(t).Drifted() {
		t.Error("a restart is drift")
	}
	if changed := e.sync(t, files...); len(changed) > 0 {
		t.Errorf("the next sync changed %v", changed)
	}
	for _, x := range e.compare(t, files...) {
		if x.Action != blueberry.ObjectUnchanged {
			t.Errorf("%s would be changed: %+v", x.ObjectRef, x.Fields)
		}
	}
	e.hand.Patch(t, rollout, `{"spec": {"paused": true}}`)
	if _, err := d.Restart(t.Context(), e.Ref, "", time.Now()); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("a restart of what is paused: got error %v, want conflict", err)
	}
}

// TestARestartOutlivesARepair: when an apply is refused because of what others wrote, their fields are taken over and out; a restart is none of that.
func TestARestartOutlivesARepair(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	files := []blueberry.RenderedFile{targettest.Platform(t, e.Ref), targettest.Web(t, e.Ref, 0, "back", "registry.invalid/app:1.0")}
	e.sync(t, files...)
	deployment := files[1].Objects[0]
	d, _ := e.Driver.(*kube.Driver)
	if _, err := d.Restart(t.Context(), e.Ref, "back", time.Now()); err != nil {
		t.Fatalf("restart: %v", err)
	}
	note := func() string {
		s, _, _ := unstructured.NestedString(e.hand.get(t, deployment).Object, "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")
		return s
	}
	before := note()
	// Another hand's field that ours cannot stand beside: the apply is invalid before it is taken out.
	e.hand.Patch(t, deployment, `{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}`)
	files[1] = targettest.File(t, e.Ref, 0, "back", strings.Replace(string(files[1].Content), "  template:", "  strategy: {rollingUpdate: {maxSurge: 2}}\n  template:", 1))
	e.last = files
	targettest.Until(t.Context(), t, "it is repaired", func() string {
		p, err := d.Sync(t.Context(), target.Desired{Ref: e.Ref, Revision: 2, Files: files})
		if err != nil || !p.Done {
			return fmt.Sprintf("%+v, %v", p, err)
		}
		return ""
	})
	if after := note(); before == "" || after != before {
		t.Errorf("the note of the restart was %q and is %q", before, after)
	}
}

// TestAScanKnowsWhatItsOwnerLeft: an object whose controller is gone is nobody's; one whose controller lives is not told.
func TestAScanKnowsWhatItsOwnerLeft(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	labels := map[string]any{blueberry.LabelProject: "p", blueberry.LabelEnvironment: "e"}
	object := func(name, owner string) map[string]any {
		meta := map[string]any{"name": name, "namespace": "n", "uid": "uid-" + name, "creationTimestamp": "2026-05-01T10:00:00Z", "labels": labels}
		if owner != "" {
			meta["ownerReferences"] = []any{map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": "uid-" + owner, "controller": true}}
		}
		return map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": meta}
	}
	list := func(more string, items ...any) map[string]any {
		return map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": map[string]any{"resourceVersion": "5", "continue": more}, "items": items}
	}
	s.HandleFunc("GET /api/v1", func(w http.ResponseWriter, _ *http.Request) {
		resource := func(name, kind string) map[string]any {
			return map[string]any{"name": name, "kind": kind, "namespaced": true, "verbs": []string{"list", "delete", "get"}}
		}
		answer(w, map[string]any{"kind": "APIResourceList", "groupVersion": "v1", "resources": []any{resource("configmaps", "ConfigMap"), resource("pods", "Pod"), resource("secrets", "Secret")}})
	})
	asked := 0
	s.HandleFunc("GET /api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("limit") != "500" || r.FormValue("labelSelector") != blueberry.LabelEnvironment {
			t.Errorf("asked with %s", r.URL.RawQuery)
		}
		switch r.FormValue("continue") {
		case "":
			answer(w, list("next", object("of-scanned", "scanned"), object("free", "")))
		case "next": // the place lets an old listing go on, with its newest state
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusGone)
			answer(w, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired", "metadata": map[string]any{"continue": "newest"}})
		case "newest":
			answer(w, list("", object("of-unlabelled", "unlabelled"), object("of-gone", "gone"), object("of-replaced", "replaced"), object("of-unlabelled-2", "unlabelled")))
		}
	})
	s.HandleFunc("GET /api/v1/configmaps", func(w http.ResponseWriter, _ *http.Request) { answer(w, list("", object("scanned", ""))) })
	s.HandleFunc("GET /api/v1/secrets", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "Forbidden", "no") })
	s.HandleFunc("GET /api/v1/namespaces/n/configmaps/unlabelled", func(w http.ResponseWriter, _ *http.Request) {
		asked++
		answer(w, object("unlabelled", ""))
	})
	s.HandleFunc("GET /api/v1/namespaces/n/configmaps/replaced", func(w http.ResponseWriter, _ *http.Request) { answer(w, object("another", "")) })
	s.HandleFunc("GET /api/v1/namespaces/n/configmaps/gone", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "NotFound", "no") })
	var got []string
	err := s.Scan(t.Context(), func(ref target.Ref, o blueberry.ObjectRef, since time.Time) {
		if ref != (target.Ref{Project: "p", Environment: "e", Namespace: blueberry.Namespace("p", "e")}) || since.Year() != 2026 {
			t.Errorf("%s is of %+v since %s", o, ref, since)
		}
		got = append(got, o.Name)
	})
	if want := "scanned free of-gone of-replaced"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("found %v, %v; want %s", got, err, want)
	}
	if asked != 1 {
		t.Errorf("one owner was asked for %d times", asked)
	}
}

// TestEventsOfBothForms: the kubelet writes the old one, newer controllers another.
func TestEventsOfBothForms(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	e.sync(t, targettest.Platform(t, e.Ref), targettest.Web(t, e.Ref, 0, "back", "registry.invalid/app:1.0"))
	e.observe(t)
	d, _ := e.Driver.(*kube.Driver)
	events := e.hand.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "events"}).Namespace(e.Namespace)
	for name, fields := range map[string]map[string]any{
		"old": {
			"type": "Warning", "reason": "BackOff", "message": "back-off", "count": int64(7), "firstTimestamp": "2026-05-01T10:00:00Z", "lastTimestamp": "2026-05-01T11:00:00Z",
			"source": map[string]any{"component": "kubelet"}, "involvedObject": map[string]any{"kind": "Pod", "name": "back-7d4b9-x2x8k", "namespace": e.Namespace, "apiVersion": "v1"},
		},
		"new": {
			"type": "Normal", "reason": "Done", "message": "is done", "eventTime": "2026-05-01T10:30:00.123456Z", "action": "Doing", "reportingComponent": "example.com/one", "reportingInstance": "one-1",
			"series": map[string]any{"count": int64(3), "lastObservedTime": "2026-05-01T12:00:00.000000Z"}, "involvedObject": map[string]any{"kind": "Service", "name": "back", "namespace": e.Namespace},
		},
	} {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Event", "metadata": map[string]any{"name": name}}}
		for k, v := range fields {
			u.Object[k] = v
		}
		if _, err := events.Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
			t.Fatalf("create event: %v", err)
		}
	}
	list, err := d.Events(t.Context(), e.Ref)
	if err != nil {
		t.Fatalf("events: %v", err)
	}
	by := map[string]target.PlaceEvent{}
	for _, x := range list {
		by[x.Reason+" "+x.Source] = x
	}
	if x := by["BackOff kubelet"]; !x.Warning || x.Count != 7 || x.Component != "back" || x.Last.Sub(x.First) != time.Hour {
		t.Errorf("the old form is read as %+v", x)
	}
	if x := by["Done example.com/one"]; x.Warning || x.Count != 3 || x.Component != "back" || x.First.Format("15:04:05.000000") != "10:30:00.123456" || x.Last.Hour() != 12 {
		t.Errorf("the new form is read as %+v", x)
	}
}

// TestAServerThatNeverAnswersALog: what is begun and not answered ends with its time-out, as Unavailable.
func TestAServerThatNeverAnswersALog(t *testing.T) {
	t.Parallel()
	s := newStub(t)
	s.pods("a")
	s.log("a", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Logs(ctx, s.ref, target.LogQuery{}, func(target.LogLine) error { return nil }); !errors.Is(err, blueberry.Unavailable) || ctx.Err() != nil {
		t.Errorf("got error %v, want one of kind unavailable in time", err)
	}
}
