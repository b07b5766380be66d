package target

import (
	"maps"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What stands for the values of a Secret in a difference: that they differ may be told, what they are may not.
const (
	hiddenValue = "(hidden)"
	otherValue  = "(hidden, another value)"
)

// lastApplied is the annotation in which kubectl keeps a copy of the whole object, secrets too.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Diff is what differs between an object as it is and as it would be, without what a place notes on every object (status, versions, times, who owns which
// field), without the label of the revision, and without the values of Secrets. It leaves both objects as they are. A nil map is an object that is not there.
func Diff(live, after map[string]any) []blueberry.FieldDiff {
	live, after = said(live), said(after)
	hide(live, after)
	return blueberry.DiffFields(live, after)
}

// said is what an object says of itself: a copy of its top without the notes of the place.
func said(object map[string]any) map[string]any {
	if object == nil {
		return nil
	}
	out := maps.Clone(object)
	delete(out, "status")
	meta, ok := out["metadata"].(map[string]any)
	if !ok {
		return out
	}
	meta = maps.Clone(meta)
	for _, key := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"} {
		delete(meta, key)
	}
	without(meta, "labels", blueberry.LabelRevision)
	without(meta, "annotations", lastApplied)
	out["metadata"] = meta
	return out
}

// without takes a key out of the map in a field of parent, and the map when nothing else is in it. The map itself stays as it is.
func without(parent map[string]any, field, key string) {
	m, ok := parent[field].(map[string]any)
	if _, has := m[key]; !ok || !has {
		return
	}
	if m = maps.Clone(m); len(m) == 1 {
		delete(parent, field)
		return
	}
	delete(m, key)
	parent[field] = m
}

// hide replaces the values of a Secret on both sides, so that the same stay the same.
func hide(live, after map[string]any) {
	if !secret(live) && !secret(after) {
		return
	}
	for _, field := range []string{"data", "stringData"} {
		was, _ := live[field].(map[string]any)
		is, _ := after[field].(map[string]any)
		put(live, field, mask(was, nil, hiddenValue))
		put(after, field, mask(is, was, otherValue))
	}
}

func secret(object map[string]any) bool {
	return object["kind"] == "Secret" && object["apiVersion"] == "v1"
}

func put(object map[string]any, field string, values map[string]any) {
	delete(object, field)
	if object != nil && len(values) > 0 {
		object[field] = values
	}
}

// mask hides all values; one that differs from that of the other side is another.
func mask(values, others map[string]any, another string) map[string]any {
	out := make(map[string]any, len(values))
	for k, v := range values {
		out[k] = hiddenValue
		if o, ok := others[k]; ok && !blueberry.SameValue(v, o) {
			out[k] = another
		}
	}
	return out
}
