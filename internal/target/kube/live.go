package kube

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// hiddenValue stands for a value of a Secret.
const hiddenValue = "(hidden)"

// lastApplied is where kubectl keeps a copy of a whole manifest.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Live implements target.LiveReader.
func (d *Driver) Live(ctx context.Context, ref target.Ref, o blueberry.ObjectRef) ([]byte, error) {
	r, known, err := d.resource(ctx, gvkOf(o))
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, blueberry.Errorf(blueberry.NotFound, "OBJECT_NOT_FOUND", "the target does not know the kind of %s", o)
	case r.namespaced && o.Namespace == "":
		o.Namespace = ref.Namespace
	case !r.namespaced:
		o.Namespace = ""
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := d.dynamic.Resource(r.GroupVersionResource).Namespace(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	switch {
	case gone(err):
		return nil, blueberry.Errorf(blueberry.NotFound, "OBJECT_NOT_FOUND", "%s is not there", o)
	case err != nil:
		return nil, lacking(ctx, "read "+o.String(), "get "+r.GroupResource().String(), err)
	case !belongs(ref, r, live):
		return nil, blueberry.Errorf(blueberry.NotFound, "OBJECT_NOT_FOUND", "%s is not of the environment", o)
	}
	conceal(live)
	out, err := yaml.Marshal(live.Object)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", o, err)
	}
	return out, nil
}

// belongs reports whether an object is the environment's: it carries its labels, or lost all of ours, is in its namespace and was applied by us.
func belongs(ref target.Ref, r resource, live metav1.Object) bool {
	switch key := envOf(live.GetLabels()); {
	case key == keyOf(ref):
		return true
	case key != (envKey{}) || !touched(live):
		return false
	case r.namespaced:
		return live.GetNamespace() == ref.Namespace
	}
	return r.kind.Kind == "Namespace" && r.kind.Group == "" && live.GetName() == ref.Namespace
}

// conceal takes out of an object what is not for people: the API's notes, and what is in a Secret.
func conceal(u *unstructured.Unstructured) {
	u.SetManagedFields(nil)
	notes := u.GetAnnotations()
	if _, ok := notes[lastApplied]; ok {
		delete(notes, lastApplied)
		u.SetAnnotations(notes)
	}
	if u.GetKind() != "Secret" || u.GetAPIVersion() != "v1" {
		return
	}
	for _, field := range []string{"data", "stringData"} {
		values, _ := u.Object[field].(map[string]any)
		for k := range values {
			values[k] = hiddenValue
		}
	}
}
