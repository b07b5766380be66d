package kube_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

// environment is one on the real API server, removed when the test ends.
type environment struct {
	targettest.Bundle
	target.Ref
	hand *hand
	last []blueberry.RenderedFile
}

func newEnvironment(t *testing.T) *environment {
	t.Helper()
	b := open(t)
	e := &environment{Bundle: b, Ref: targettest.NewRef()}
	e.hand, _ = b.Hand.(*hand)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		targettest.Until(ctx, t, "the environment is gone", func() string {
			left, err := e.Driver.Remove(ctx, e.Ref, targettest.LedgerOf(e.last))
			if err != nil || len(left) > 0 {
				return fmt.Sprint(left, err)
			}
			return ""
		})
	})
	return e
}

// sync syncs until done, and gives all changes.
func (e *environment) sync(t *testing.T, files ...blueberry.RenderedFile) []target.Change {
	t.Helper()
	e.last = files
	var changed []target.Change
	targettest.Until(t.Context(), t, "all is applied", func() string {
		p, err := e.Driver.Sync(t.Context(), target.Desired{Ref: e.Ref, Revision: 1, Files: files})
		if errors.Is(err, blueberry.Unavailable) {
			return err.Error()
		}
		if err != nil {
			t.Fatalf("sync: %v", err)
		}
		changed = append(changed, p.Changed...)
		if !p.Done {
			return p.Waiting + " "
		}
		return ""
	})
	return changed
}

func (e *environment) compare(t *testing.T, files ...blueberry.RenderedFile) []blueberry.ObjectDiff {
	t.Helper()
	return targettest.Ask(t, "compare", func() ([]blueberry.ObjectDiff, error) {
		return e.Driver.(target.Comparer).Compare(t.Context(), target.Desired{Ref: e.Ref, Revision: 1, Files: files})
	})
}

func (e *environment) observe(t *testing.T) blueberry.Observation {
	t.Helper()
	return targettest.Ask(t, "observe", func() (blueberry.Observation, error) {
		return e.Driver.Observe(t.Context(), e.Ref, targettest.LedgerOf(e.last))
	})
}

const scaledDeployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: back, namespace: $ns, labels: $labels}
spec:
  replicas: 1
  selector: {matchLabels: {app: back}}
  template:
    metadata: {labels: {app: back}}
    spec: {containers: [{name: app, image: "registry.invalid/app:1.0"}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: back, namespace: $ns, labels: $labels}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: back}, minReplicas: 1, maxReplicas: 5}
`

func TestAnAutoscalerKeepsItsReplicas(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	docs := strings.Split(scaledDeployment, "---\n")
	files := []blueberry.RenderedFile{targettest.Platform(t, e.Ref), targettest.File(t, e.Ref, 0, "back", docs...)}
	e.sync(t, files...)
	deployment := files[1].Objects[0]
	scale := []byte(`{"spec": {"replicas": 3}}`) // by the subresource, as an autoscaler does
	_, err := e.hand.of(t, deployment).Patch(t.Context(), "back", types.MergePatchType, scale, metav1.PatchOptions{FieldManager: "scaler"}, "scale")
	if err != nil {
		t.Fatal(err)
	}
	targettest.Until(t.Context(), t, "the change is seen", func() string {
		if w := e.observe(t).Workloads; len(w) != 1 || w[0].Wanted != 3 {
			return fmt.Sprintf("%+v", w)
		}
		return ""
	})
	for range 2 {
		if e.observe(t).Drifted() {
			t.Error("what an autoscaler does is drift")
		}
		for _, x := range e.compare(t, files...) {
			if x.Action != blueberry.ObjectUnchanged {
				t.Errorf("%s would be changed: %+v", x.ObjectRef, x.Fields)
			}
		}
		if changed := e.sync(t, files...); len(changed) > 0 {
			t.Errorf("changed %v, want nothing", changed)
		}
		e.Driver = e.Reopen(t)
	}
	// Another revision takes the replicas as they are, too.
	files[1] = targettest.File(t, e.Ref, 0, "back", strings.Split(strings.ReplaceAll(scaledDeployment, "app:1.0", "app:2.0"), "---\n")...)
	if changed := e.sync(t, files...); len(changed) != 1 {
		t.Errorf("changed %v, want the Deployment", changed)
	}
	live := e.hand.get(t, deployment)
	if n, _, _ := unstructured.NestedInt64(live.Object, "spec", "replicas"); n != 3 {
		t.Errorf("the Deployment has %d replicas, want the 3 of the autoscaler", n)
	}
}

func TestAChangedJobIsReplaced(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	job := `apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: $ns, labels: $labels}
spec: {template: {metadata: {labels: $podlabels}, spec: {restartPolicy: Never, containers: [{name: job, image: "registry.invalid/job:%d"}]}}}
`
	file := func(version int) blueberry.RenderedFile {
		return targettest.File(t, e.Ref, 0, "migrate", fmt.Sprintf(job, version))
	}
	e.sync(t, targettest.Platform(t, e.Ref), file(1))
	before := e.hand.get(t, file(1).Objects[0])
	diffs := e.compare(t, targettest.Platform(t, e.Ref), file(2))
	if x := diffs[len(diffs)-1]; x.Action != blueberry.ObjectUpdated || !x.Checked || x.Refused || len(x.Fields) != 1 || x.Note == "" ||
		x.Fields[0].Path != "spec.template.spec.containers[name=job].image" {
		t.Errorf("the replacement compares as %+v, want one field and a note", x)
	}
	if changed := e.sync(t, targettest.Platform(t, e.Ref), file(2)); len(changed) == 0 {
		t.Error("the replacement is not told")
	}
	if after := e.hand.get(t, file(2).Objects[0]); after == nil || after.GetUID() == before.GetUID() {
		t.Error("the Job is not a new one")
	}
}

func TestLostLabelsAreRepaired(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	files := []blueberry.RenderedFile{targettest.Platform(t, e.Ref), targettest.Web(t, e.Ref, 0, "back", "registry.invalid/app:1.0")}
	e.sync(t, files...)
	service := files[1].Objects[1]
	e.hand.Patch(t, service, `{"metadata": {"labels": null}}`)
	targettest.Until(t.Context(), t, "the loss is seen", func() string {
		if len(e.observe(t).Missing()) == 0 {
			return "nothing is missing"
		}
		return ""
	})
	e.sync(t, files...)
	if labels, _ := e.hand.Labels(t, service); labels[blueberry.LabelEnvironment] != e.Environment {
		t.Errorf("the labels are %v", labels)
	}
}

func TestADefinitionAndItsObjects(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	group := "g" + strings.ReplaceAll(e.Environment, "-", "") + ".example.com"
	definition := `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gears.` + group + `, labels: $labels}
spec:
  group: ` + group + `
  scope: Namespaced
  names: {plural: gears, singular: gear, kind: Gear}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`
	gear := "apiVersion: " + group + "/v1\nkind: Gear\nmetadata: {name: first, namespace: $ns, labels: $labels}\nspec: {teeth: 12}\n"
	files := []blueberry.RenderedFile{targettest.Platform(t, e.Ref, definition), targettest.File(t, e.Ref, 0, "back", gear)}
	e.sync(t, files...)
	targettest.Until(t.Context(), t, "all is healthy", func() string {
		if o := e.observe(t); !o.Healthy() {
			return fmt.Sprintf("%+v", o)
		}
		return ""
	})
	gvr := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "gears"}
	patch := []byte(`{"spec": {"teeth": 13}}`)
	if _, err := e.hand.client.Resource(gvr).Namespace(e.Namespace).Patch(t.Context(), "first", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	targettest.Until(t.Context(), t, "the drift of a kind of its own is seen", func() string {
		if !e.observe(t).Drifted() {
			return "not drifted"
		}
		return ""
	})
}

func TestAPlaceThatIsDownFromTheStart(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there now
	d, err := kube.Open(kube.Config{REST: &rest.Config{Host: "http://" + l.Addr().String()}})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(d.Close)
	ref := targettest.NewRef()
	files := []blueberry.RenderedFile{targettest.Platform(t, ref)}
	for name, call := range map[string]func() error{
		"check":    func() error { return d.Check(t.Context()) },
		"sync":     func() error { _, err := d.Sync(t.Context(), target.Desired{Ref: ref, Files: files}); return err },
		"compare":  func() error { _, err := d.Compare(t.Context(), target.Desired{Ref: ref, Files: files}); return err },
		"capacity": func() error { _, err := d.Capacity(t.Context()); return err },
		"remove":   func() error { _, err := d.Remove(t.Context(), ref, nil); return err },
		"observe": func() error {
			_, err := d.Observe(t.Context(), ref, targettest.LedgerOf(files))
			return err
		},
	} {
		if err := call(); !errors.Is(err, blueberry.Unavailable) {
			t.Errorf("%s: got error %v, want one of kind unavailable", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- d.Watch(ctx, func(target.Ref) { t.Error("told of a change") }) }()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("watch: %v", err)
	}
}
