package render

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Diff tells object by object and field by field what differs between two renderings: first what is new or other, in the order of the files afterwards, then
// what goes. Objects that differ in their revision only are left out. A new object is one field with an empty path, that holds all of it; so is one that
// goes.
func Diff(before, after []blueberry.RenderedFile) ([]blueberry.ObjectDiff, error) {
	was, err := Manifests(before)
	if err != nil {
		return nil, err
	}
	is, err := Manifests(after)
	if err != nil {
		return nil, err
	}
	old := map[objectKey]Manifest{}
	for _, m := range was {
		old[keyOf(m)] = m
	}
	var out []blueberry.ObjectDiff
	there := map[objectKey]bool{}
	for _, m := range is {
		there[keyOf(m)] = true
		d := blueberry.ObjectDiff{ObjectRef: m.ObjectRef, Component: m.Component, Action: blueberry.ObjectUpdated}
		b, ok := old[keyOf(m)]
		if !ok {
			d.Action = blueberry.ObjectCreated
		}
		d.Fields = blueberry.DiffFields(withoutRevision(b.Object), withoutRevision(m.Object))
		if len(d.Fields) > 0 {
			out = append(out, d)
		}
	}
	for _, m := range was {
		if !there[keyOf(m)] {
			out = append(out, blueberry.ObjectDiff{
				ObjectRef: m.ObjectRef, Component: m.Component, Action: blueberry.ObjectDeleted, Fields: blueberry.DiffFields(withoutRevision(m.Object), nil),
			})
		}
	}
	return out, nil
}

// objectKey is what makes two objects one to a cluster: the version of an API is not part of it.
type objectKey struct{ group, kind, namespace, name string }

func keyOf(m Manifest) objectKey { return objectKey{m.Group(), m.Kind, m.Namespace, m.Name} }

// withoutRevision takes the label away that differs in every revision.
func withoutRevision(object map[string]any) map[string]any {
	if labels, ok := at(object, "metadata", "labels").(map[string]any); ok {
		delete(labels, blueberry.LabelRevision)
	}
	return object
}
