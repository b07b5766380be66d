package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// operator is the name under which the API notes what people have us do beside the manifests: it is not ours as the manifests are, so it is no drift, and
// an apply leaves it alone.
const operator = "blueberry-operator"

// restartedAt is the annotation by which kubectl, too, lets pods be made anew.
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// movable are the kinds of workloads that run on and can be moved by hand.
func movable() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "apps", Version: "v1", Kind: "StatefulSet"},
		{Group: "apps", Version: "v1", Kind: "DaemonSet"},
		{Group: "argoproj.io", Version: "v1alpha1", Kind: "Rollout"},
	}
}

// workload is one that is there.
type workload struct {
	resource
	*unstructured.Unstructured
}

func (w workload) ref() blueberry.ObjectRef {
	return blueberry.ObjectRef{APIVersion: w.GetAPIVersion(), Kind: w.GetKind(), Namespace: w.GetNamespace(), Name: w.GetName()}
}

// workloads lists those of an environment, ordered by name. What others control, or what is being deleted, is not among them.
func (d *Driver) workloads(ctx context.Context, ref target.Ref, component string) ([]workload, error) {
	var out []workload
	for _, gvk := range movable() {
		r, known, err := d.resource(ctx, gvk)
		if err != nil {
			return nil, err
		}
		if !known {
			continue
		}
		options := metav1.ListOptions{LabelSelector: environmentLabels(ref, component)}
		err = d.eachPage(ctx, r.GroupVersionResource, ref.Namespace, options, func(page []unstructured.Unstructured) {
			for i := range page {
				if page[i].GetDeletionTimestamp() == nil && !controlled(&page[i]) {
					out = append(out, workload{r, &page[i]})
				}
			}
		})
		if gone(err) { // the kind went away
			d.kinds.forget()
			continue
		}
		if err != nil {
			return nil, lacking(ctx, "list the workloads of "+ref.Namespace, "list "+r.GroupResource().String(), err)
		}
	}
	slices.SortFunc(out, func(a, b workload) int { return strings.Compare(a.ref().String(), b.ref().String()) })
	return out, nil
}

// Restart implements target.Operator. Pods are replaced as the strategy of the workload says. A workload that is paused would not be restarted before someone
// lets it go on, so it is Conflict.
func (d *Driver) Restart(ctx context.Context, ref target.Ref, component string, now time.Time) ([]blueberry.ObjectRef, error) {
	list, err := d.workloads(ctx, ref, component)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, blueberry.Errorf(blueberry.NotFound, "WORKLOAD_NOT_FOUND", "%s has no workload that can be restarted", subjectOf(component))
	}
	var paused []string
	for _, w := range list {
		if stop, _, _ := unstructured.NestedBool(w.Object, "spec", "paused"); stop {
			paused = append(paused, w.ref().String())
		}
	}
	if len(paused) > 0 {
		return nil, blueberry.Errorf(blueberry.Conflict, "WORKLOAD_PAUSED", "%s is paused, so a restart would wait until it goes on", strings.Join(paused, ", "))
	}
	var out []blueberry.ObjectRef
	for _, w := range list {
		if err := d.restart(ctx, w, now.UTC().Format(time.RFC3339)); err != nil {
			return out, err
		}
		out = append(out, w.ref())
	}
	return out, nil
}

func (d *Driver) restart(ctx context.Context, w workload, at string) error {
	spec := map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": map[string]any{restartedAt: at}}}}
	if w.GetKind() == "Rollout" { // its controller does it pod by pod, and its template stays as it is
		spec = map[string]any{"restartAt": at}
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": w.GetUID()}, "spec": spec}) // this very one
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := d.dynamic.Resource(w.GroupVersionResource).Namespace(w.GetNamespace())
	_, err = client.Patch(ctx, w.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: operator})
	return moveFault(ctx, "restart", w.ref(), "patch "+w.GroupResource().String(), err)
}

// moveFault tells why a workload could not be moved.
func moveFault(ctx context.Context, doing string, o blueberry.ObjectRef, right string, err error) error {
	switch {
	case err == nil:
		return nil
	case gone(err):
		return blueberry.Errorf(blueberry.NotFound, "WORKLOAD_NOT_FOUND", "%s is not there", o)
	case replaced(err):
		return blueberry.Errorf(blueberry.Conflict, "WORKLOAD_REPLACED", "%s was replaced in this moment; try again", o)
	case apierrors.IsForbidden(err) && !byRule(err):
		return lacking(ctx, doing+" "+o.String(), right, err)
	}
	if faults := refusal(o, err); faults != nil {
		return &blueberry.Error{Kind: blueberry.Invalid, Code: "TARGET_REFUSED", Detail: "the target refuses to " + doing + " " + o.String(), Fields: faults}
	}
	return fault(ctx, doing+" "+o.String(), err)
}

// Scale implements target.Operator.
func (d *Driver) Scale(ctx context.Context, ref target.Ref, o blueberry.ObjectRef, replicas int) error {
	if replicas < 0 {
		return blueberry.Errorf(blueberry.Invalid, "REPLICAS_INVALID", "%d is no number of pods", replicas)
	}
	r, known, err := d.resource(ctx, gvkOf(o))
	if err != nil {
		return err
	}
	missing := blueberry.Errorf(blueberry.NotFound, "WORKLOAD_NOT_FOUND", "%s is not there, or not of the environment", o)
	if !known {
		return missing
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := d.metadata.Resource(r.GroupVersionResource).Namespace(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	switch {
	case gone(err):
		return missing
	case err != nil:
		return lacking(ctx, "read "+o.String(), "get "+r.GroupResource().String(), err)
	case envOf(live.GetLabels()) != keyOf(ref):
		return missing
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": live.GetUID()}, "spec": map[string]any{"replicas": replicas}})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	client := d.dynamic.Resource(r.GroupVersionResource).Namespace(o.Namespace)
	_, err = client.Patch(ctx, o.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: operator}, "scale")
	if gone(err) { // the object was there a moment ago
		return blueberry.Errorf(blueberry.Invalid, "WORKLOAD_NOT_SCALABLE", "%s has no number of pods that can be set", o)
	}
	return moveFault(ctx, "scale", o, "patch "+r.Resource+"/scale", err)
}

// Replicas implements target.Operator. A DaemonSet is not among them: its nodes say how many pods it has.
func (d *Driver) Replicas(ctx context.Context, ref target.Ref) (map[blueberry.ObjectRef]int, error) {
	list, err := d.workloads(ctx, ref, "")
	if err != nil {
		return nil, err
	}
	out := map[blueberry.ObjectRef]int{}
	for _, w := range list {
		if w.GetKind() == "DaemonSet" {
			continue
		}
		n, ok, _ := unstructured.NestedInt64(w.Object, "spec", "replicas")
		if !ok {
			n = 1 // as Kubernetes takes it
		}
		out[w.ref()] = int(n)
	}
	return out, nil
}
