package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/csaupgrade"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// attempts is how often an apply is tried that met someone else's change of the same object.
const attempts = 5

// apply makes the place hold one object. What stands as we applied it is left alone without a call.
func (d *Driver) apply(ctx context.Context, ref target.Ref, m manifest, scaled map[blueberry.ObjectRef]bool) (outcome, error) {
	gvk := gvkOf(m.ref)
	r, ok, err := d.resource(ctx, gvk)
	if err != nil {
		return outcome{ref: m.ref}, err
	}
	if !ok {
		return outcome{ref: m.ref, waiting: "the target does not know this kind; is its CustomResourceDefinition installed?"}, nil
	}
	switch {
	case r.namespaced && m.ref.Namespace == "":
		m.ref.Namespace = ref.Namespace
	case !r.namespaced:
		m.ref.Namespace = ""
	}
	m.object.SetNamespace(m.ref.Namespace)
	k := d.follow(r, false)
	if rec, ok := d.cache.holds(k, ref, m); ok {
		return outcome{ref: m.ref, health: rec.health, message: rec.message}, nil
	}
	client := d.dynamic.Resource(r.GroupVersionResource).Namespace(m.ref.Namespace)
	for i := range attempts {
		out, again, err := d.applyOnce(ctx, ref, k, client, m, scaled, i < attempts-1)
		if !again {
			return out, err
		}
	}
	return outcome{ref: m.ref, waiting: "others change it all the time"}, nil
}

// applyOnce reads the object, makes sure that it is ours, and applies. It says again when someone else came between; when exact, also when a controller
// only wrote a note on it, because what differs after the apply is told as our change.
func (d *Driver) applyOnce(ctx context.Context, ref target.Ref, k *kind, client dynamic.ResourceInterface, m manifest,
	scaled map[blueberry.ObjectRef]bool, exact bool,
) (out outcome, again bool, err error) {
	out.ref = m.ref
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := client.Get(ctx, m.ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		live, err = nil, nil
	}
	if err != nil {
		return out, false, fault(ctx, "read "+m.ref.String(), err)
	}
	body := m.object.DeepCopy()
	if live != nil {
		if owner := foreign(ref, m.ref.Kind, live); owner != "" {
			return out, false, &blueberry.Error{Kind: blueberry.Conflict, Fields: []blueberry.Fault{
				{Field: m.ref.String(), Code: "taken", Message: "is there already and belongs to " + owner},
			}}
		}
		if live.GetDeletionTimestamp() != nil {
			out.waiting = "is being deleted"
			return out, false, nil
		}
		body.SetUID(live.GetUID()) // this very one: not one that someone makes in between
		if exact {
			body.SetResourceVersion(live.GetResourceVersion())
		}
		if scaled[scaleKey(m.ref)] {
			keepReplicas(body, live)
		}
	}
	answer, err := patch(ctx, client, body, live != nil)
	if err != nil {
		return d.applyFailed(ctx, client, m, live, err)
	}
	rec := d.cache.noteApplied(k, ref, m, answer)
	out.health, out.message = rec.health, rec.message
	out.created = live == nil
	out.altered = live != nil && live.GetResourceVersion() != answer.GetResourceVersion() && content(d.cache.seed, live) != content(d.cache.seed, answer)
	return out, false, nil
}

// patch is one server-side apply. What we made is ours, so our values win over those of others; an object that was not there a moment ago is applied
// without that force, so that one which someone makes at the same time is not taken over.
func patch(ctx context.Context, client dynamic.ResourceInterface, body *unstructured.Unstructured, force bool) (*unstructured.Unstructured, error) {
	js, err := json.Marshal(body.Object)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	return client.Patch(ctx, body.GetName(), types.ApplyPatchType, js, metav1.PatchOptions{FieldManager: fieldManager, Force: &force})
}

// applyFailed tells what a refused apply means.
func (d *Driver) applyFailed(ctx context.Context, client dynamic.ResourceInterface, m manifest, live *unstructured.Unstructured, err error) (out outcome, again bool, _ error) {
	out.ref = m.ref
	switch {
	case apierrors.IsConflict(err):
		return out, true, nil
	case live != nil && m.ref.Kind == "Job" && m.ref.Group() == "batch" && immutable(err):
		// A Job runs once and cannot be changed; the new one takes its place.
		if err := client.Delete(ctx, m.ref.Name, deletion(live.GetUID())); err != nil && !gone(err) && !replaced(err) {
			return out, false, fault(ctx, "replace "+m.ref.String(), err)
		}
		out.altered, out.waiting = true, "is being replaced"
		return out, false, nil
	case live != nil && apierrors.IsInvalid(err):
		if took, err := d.takeOver(ctx, client, live); took || err != nil {
			return out, err == nil, err
		}
	case notYet(err) != "":
		if apierrors.IsNotFound(err) {
			d.kinds.forget()
		}
		out.waiting = notYet(err)
		return out, false, nil
	}
	if faults := refusal(m.ref, err); faults != nil {
		return out, false, &blueberry.Error{Kind: blueberry.Invalid, Fields: faults}
	}
	return out, false, fault(ctx, "apply "+m.ref.String(), err)
}

// takeOver makes ours what other hands wrote into an object of ours, so that the next apply takes it out: list items that ours cannot stand beside, such
// as a second port of one name, would keep the object from ever being repaired. Controllers keep what is theirs. It reports whether there was anything.
func (d *Driver) takeOver(ctx context.Context, client dynamic.ResourceInterface, live *unstructured.Unstructured) (bool, error) {
	hands := sets.New[string]()
	for _, e := range live.GetManagedFields() {
		if e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == "" && e.Manager != "kube-controller-manager" {
			hands.Insert(e.Manager)
		}
	}
	if len(hands) == 0 {
		return false, nil
	}
	js, err := csaupgrade.UpgradeManagedFieldsPatch(live, hands, fieldManager)
	if err != nil {
		return false, fmt.Errorf("take over the fields of %s: %w", live.GetName(), err)
	}
	_, err = client.Patch(ctx, live.GetName(), types.JSONPatchType, js, metav1.PatchOptions{FieldManager: fieldManager})
	if err != nil && !apierrors.IsConflict(err) {
		return false, fault(ctx, "take over the fields of "+live.GetName(), err)
	}
	return true, nil
}

// foreign says to whom a live object belongs if not to the environment. An object that lost our labels but not the trace of our apply is ours. The default
// service account is made by Kubernetes in every namespace, and nobody's.
func foreign(ref target.Ref, kind string, live metav1.Object) string {
	switch key := envOf(live.GetLabels()); {
	case key == keyOf(ref):
		return ""
	case key != (envKey{}):
		return fmt.Sprintf("environment %s of project %s", key.environment, key.project)
	case touched(live):
		return ""
	case kind == "ServiceAccount" && live.GetName() == "default" && live.GetNamespace() == ref.Namespace:
		return ""
	}
	return "nobody that Blueberry knows"
}

// touched reports whether an object bears the trace of our apply.
func touched(live metav1.Object) bool {
	return slices.ContainsFunc(live.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == fieldManager && e.Operation == metav1.ManagedFieldsOperationApply
	})
}

// scaleKey names an object without the version of its kind, as an autoscaler names its target.
func scaleKey(ref blueberry.ObjectRef) blueberry.ObjectRef {
	ref.APIVersion, ref.Namespace = ref.Group(), ""
	return ref
}

// scaledByOthers tells which objects have an autoscaler among the manifests: their number of replicas is set once and then left to it.
func scaledByOthers(waves []wave) map[blueberry.ObjectRef]bool {
	out := map[blueberry.ObjectRef]bool{}
	for _, w := range waves {
		for _, m := range w.manifests {
			if m.ref.Kind != "HorizontalPodAutoscaler" {
				continue
			}
			to, _, _ := unstructured.NestedMap(m.object.Object, "spec", "scaleTargetRef")
			group, _, grouped := strings.Cut(text(to["apiVersion"]), "/")
			if !grouped {
				group = ""
			}
			out[blueberry.ObjectRef{APIVersion: group, Kind: text(to["kind"]), Name: text(to["name"])}] = true
		}
	}
	return out
}

// keepReplicas leaves the live number of replicas as it is. While we own the field it must be sent along, because a field that an apply leaves out is
// reset; once an autoscaler has taken it, it must not be.
func keepReplicas(body, live *unstructured.Unstructured) {
	unstructured.RemoveNestedField(body.Object, "spec", "replicas")
	_, ours, _ := unstructured.NestedFieldNoCopy(ourEntry(live), "fieldsV1", "f:spec", "f:replicas")
	if n, ok, _ := unstructured.NestedInt64(live.Object, "spec", "replicas"); ours && ok {
		_ = unstructured.SetNestedField(body.Object, n, "spec", "replicas") // spec is a map: it came with an autoscaled kind
	}
}

// deletion removes this very object and leaves what depends on it to the garbage collector.
func deletion(uid types.UID) metav1.DeleteOptions {
	background := metav1.DeletePropagationBackground
	return metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: &uid}}
}

// gone reports that there is no such object (or no such kind).
func gone(err error) bool { return apierrors.IsNotFound(err) }

// replaced reports that the object of that name is not the one that was meant.
func replaced(err error) bool { return apierrors.IsConflict(err) }
