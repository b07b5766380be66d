package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

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
func (d *Driver) apply(ctx context.Context, ref target.Ref, m manifest) (outcome, error) {
	r, ok, err := d.locate(ctx, ref, &m)
	if err != nil {
		return outcome{ref: m.ref}, err
	}
	if !ok {
		return outcome{ref: m.ref, waiting: unknownKind}, nil
	}
	k := d.follow(r, false)
	if rec, ok := d.cache.holds(k, ref, m); ok {
		return outcome{ref: m.ref, health: rec.health, message: rec.message}, nil
	}
	client := d.dynamic.Resource(r.GroupVersionResource).Namespace(m.ref.Namespace)
	for i := range attempts {
		out, again, err := d.applyOnce(ctx, ref, k, client, m, i < attempts-1)
		if !again {
			return out, err
		}
	}
	return outcome{ref: m.ref, waiting: restless}, nil
}

// What keeps an object from being applied now, or from being compared.
const (
	unknownKind = "the target does not know this kind; is its CustomResourceDefinition installed?"
	restless    = "others change it all the time"
	leaving     = "is being deleted"
)

// locate tells how the kind of a manifest is served, and fills in its namespace; false when the place does not know the kind.
func (d *Driver) locate(ctx context.Context, ref target.Ref, m *manifest) (resource, bool, error) {
	r, ok, err := d.resource(ctx, gvkOf(m.ref))
	if err != nil || !ok {
		return r, false, err
	}
	switch {
	case r.namespaced && m.ref.Namespace == "":
		m.ref.Namespace = ref.Namespace
	case !r.namespaced:
		m.ref.Namespace = ""
	}
	m.object.SetNamespace(m.ref.Namespace)
	return r, true, nil
}

// applyOnce reads the object, makes sure that it is ours, and applies. It says again when someone else came between; when exact, also when a controller
// only wrote a note on it, because what differs after the apply is told as our change.
func (d *Driver) applyOnce(ctx context.Context, ref target.Ref, k *kind, client dynamic.ResourceInterface, m manifest, exact bool) (out outcome, again bool, err error) {
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
	body := m.over(live)
	if live != nil {
		if owner := foreign(ref, m.ref.Kind, live); owner != "" {
			return out, false, &blueberry.Error{Kind: blueberry.Conflict, Fields: []blueberry.Fault{
				{Field: m.ref.String(), Code: "taken", Message: "is there already and belongs to " + owner},
			}}
		}
		if live.GetDeletionTimestamp() != nil {
			out.waiting = leaving
			return out, false, nil
		}
		if exact {
			body.SetResourceVersion(live.GetResourceVersion())
		}
	}
	answer, err := patch(ctx, client, body, metav1.PatchOptions{Force: new(live != nil)})
	if err != nil {
		return d.applyFailed(ctx, client, m, live, err)
	}
	rec := d.cache.noteApplied(k, ref, m, answer)
	out.health, out.message = rec.health, rec.message
	out.created = live == nil
	out.altered = live != nil && live.GetResourceVersion() != answer.GetResourceVersion() && content(d.cache.seed, live) != content(d.cache.seed, answer)
	return out, false, nil
}

// over is what is sent for a manifest, when live is there or (nil) nothing is.
func (m manifest) over(live *unstructured.Unstructured) *unstructured.Unstructured {
	body := m.object.DeepCopy()
	if live != nil {
		body.SetUID(live.GetUID()) // this very one: not one that someone makes in between
		m.left.leave(body, live)
	}
	return body
}

// patch is one server-side apply. What we made is ours, so with force our values win over those of others; an object that was not there a moment ago is
// applied without, so that one which someone makes at the same time is not taken over.
func patch(ctx context.Context, client dynamic.ResourceInterface, body *unstructured.Unstructured, o metav1.PatchOptions) (*unstructured.Unstructured, error) {
	js, err := json.Marshal(body.Object)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	o.FieldManager = fieldManager
	return client.Patch(ctx, body.GetName(), types.ApplyPatchType, js, o)
}

// applyFailed tells what a refused apply means.
func (d *Driver) applyFailed(ctx context.Context, client dynamic.ResourceInterface, m manifest, live *unstructured.Unstructured, err error) (out outcome, again bool, _ error) {
	out.ref = m.ref
	switch {
	case apierrors.IsConflict(err):
		return out, true, nil
	case live != nil && isJob(live) && immutable(err):
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
		return out, false, &blueberry.Error{Kind: blueberry.Invalid, Code: refusalCode(err), Fields: faults}
	}
	return out, false, fault(ctx, "apply "+m.ref.String(), err)
}

// takeOver makes ours what other hands wrote into an object of ours, so that the next apply takes it out: list items that ours cannot stand beside, such
// as a second port of one name, would keep the object from ever being repaired. Controllers keep what is theirs. It reports whether there was anything.
func (d *Driver) takeOver(ctx context.Context, client dynamic.ResourceInterface, live *unstructured.Unstructured) (bool, error) {
	hands := handsOn(live)
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

// handsOn names those who wrote into an object and are no controllers.
func handsOn(live *unstructured.Unstructured) sets.Set[string] {
	return sets.New(handsIn(live.GetManagedFields())...)
}

func handsIn(notes []metav1.ManagedFieldsEntry) []string {
	var hands []string
	for _, e := range notes {
		if e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == "" && e.Manager != "kube-controller-manager" && e.Manager != operator {
			hands = append(hands, e.Manager)
		}
	}
	return hands
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

// deletion removes this very object and leaves what depends on it to the garbage collector.
func deletion(uid types.UID) metav1.DeleteOptions {
	background := metav1.DeletePropagationBackground
	return metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: &uid}}
}

// gone reports that there is no such object (or no such kind).
func gone(err error) bool { return apierrors.IsNotFound(err) }

// replaced reports that the object of that name is not the one that was meant.
func replaced(err error) bool { return apierrors.IsConflict(err) }
