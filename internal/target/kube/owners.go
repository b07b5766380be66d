package kube

import (
	"encoding/json"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// The API notes for each manager which fields it owns, as a tree (fieldsV1) beside that of the object: "f:image" is a field, `k:{"name":"web"}` an item of
// a list by its keys, `v:"text"` one by its value, "i:2" one by its place, and "." the thing itself. A node without keys owns all that is below it.

// entries are the notes of all managers.
func entries(u *unstructured.Unstructured) []map[string]any {
	list, _, _ := unstructured.NestedFieldNoCopy(u.Object, "metadata", "managedFields")
	return objects(list)
}

// ourEntry is what the API noted of our last apply.
func ourEntry(u *unstructured.Unstructured) map[string]any {
	for _, e := range entries(u) {
		if ours(e) {
			return e
		}
	}
	return nil
}

func ours(entry map[string]any) bool {
	return entry["manager"] == fieldManager && entry["operation"] == string(metav1.ManagedFieldsOperationApply) && text(entry["subresource"]) == ""
}

func fieldsOf(entry map[string]any) map[string]any {
	fields, _ := entry["fieldsV1"].(map[string]any)
	return fields
}

// owned is a fingerprint of the fields that our last apply owns, but for those that are left to others; 0 when there was none. Any client that changes the
// value of such a field takes it away from us, so a different fingerprint is drift, and the same one means that all our values stand.
func owned(seed maphash.Seed, u *unstructured.Unstructured, left *exempt) uint64 {
	fields := fieldsOf(ourEntry(u))
	if fields == nil {
		return 0
	}
	if left != nil {
		fields = runtime.DeepCopyJSON(fields)
		for _, keys := range left.paths {
			prune(fields, u.Object, keys)
		}
	}
	js, err := json.Marshal(fields)
	if err != nil {
		return 0
	}
	return maphash.Bytes(seed, append(js, given(fields, u)...))
}

// given is the values of a Secret that an applier gave as texts: it owns the texts, which the API puts into data without a note, and so loses nothing to one
// who alters that. We give data (fold).
func given(fields map[string]any, u *unstructured.Unstructured) []byte {
	texts, _ := fields["f:stringData"].(map[string]any)
	data, _ := u.Object["data"].(map[string]any)
	var out []byte
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		out = append(append(out, name...), text(data[strings.TrimPrefix(name, "f:")])...)
	}
	return out
}

// prune takes a path out of a tree of fields, and what is empty without it.
func prune(fields map[string]any, object any, keys []string) {
	name, value := member(fields, object, keys[0])
	child, ok := fields[name].(map[string]any)
	switch {
	case !ok || len(keys) > 1 && len(child) == 0: // not there, or owned with more than the path
		return
	case len(keys) > 1:
		prune(child, value, keys[1:])
		if len(child) > 0 {
			return
		}
	}
	delete(fields, name)
}

// member gives the name in a tree of fields, and the value, of what a key of a path names in the object beside it.
func member(fields map[string]any, object any, key string) (name string, value any) {
	switch object := object.(type) {
	case map[string]any:
		return "f:" + key, object[key]
	case []any:
		if i := target.Item(object, key); i >= 0 {
			return itemName(fields, object[i], i), object[i]
		}
	}
	return "", nil
}

// itemName finds an item of a list among the names of a tree of fields.
func itemName(fields map[string]any, item any, index int) string {
	for name := range fields {
		sort, rest, _ := strings.Cut(name, ":")
		var want any
		switch sort {
		case "i":
			if rest == strconv.Itoa(index) {
				return name
			}
		case "v":
			if json.Unmarshal([]byte(rest), &want) == nil && blueberry.SameValue(want, item) {
				return name
			}
		case "k":
			m, isMap := item.(map[string]any)
			var keys map[string]any
			if json.Unmarshal([]byte(rest), &keys) == nil && isMap && contains(m, keys) {
				return name
			}
		}
	}
	return ""
}

// contains reports whether a map has all of these values.
func contains(m, values map[string]any) bool {
	for k, v := range values {
		if !blueberry.SameValue(m[k], v) {
			return false
		}
	}
	return len(values) > 0
}

// cover says how a tree of fields stands to a path.
type cover int

const (
	nothing cover = iota // it owns nothing there
	within               // it owns the path, or some of what is below
	above                // it owns something above the path as a whole: a list that is one value, say
)

// covers finds a path in a tree of fields.
func covers(fields map[string]any, object any, keys []string) (node map[string]any, how cover) {
	for i, key := range keys {
		if len(fields) == 0 && i > 0 {
			return nil, above
		}
		name, value := member(fields, object, key)
		child, ok := fields[name].(map[string]any)
		if !ok {
			return nil, nothing
		}
		fields, object = child, value
	}
	return fields, within
}

// ourPart gives what we must send along at a path that is left to others, to leave it as it is: what of the live value is ours, because a field of ours that
// an apply leaves out is reset; and nothing of what others own, because sending it would make it ours.
func ourPart(live *unstructured.Unstructured, keys []string) (any, bool) {
	value, ok := target.Field(live.Object, keys)
	if !ok {
		return nil, false
	}
	node, how := covers(fieldsOf(ourEntry(live)), live.Object, keys)
	switch how {
	case above:
		return runtime.DeepCopyJSONValue(value), true
	case within:
		return extract(node, value), true
	}
	for _, e := range entries(live) { // of a list that is one value we send all, so also what another wrote into it
		if _, how := covers(fieldsOf(e), live.Object, keys); how == above {
			return runtime.DeepCopyJSONValue(value), true
		}
	}
	return nil, false
}

// extract copies what of a value a tree of fields owns.
func extract(fields map[string]any, value any) any {
	if len(fields) == 0 {
		return runtime.DeepCopyJSONValue(value)
	}
	switch value := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range value {
			if child, ok := fields["f:"+k].(map[string]any); ok {
				out[k] = extract(child, v)
			}
		}
		return out
	case []any:
		out := []any{}
		for i, v := range value {
			if child, ok := fields[itemName(fields, v, i)].(map[string]any); ok {
				out = append(out, extract(child, v))
			}
		}
		return out
	}
	return value
}

// owner tells who owns a live field, and since when, if it is not us: of several the one that wrote last. Empty when nobody is known to.
func owner(live *unstructured.Unstructured, keys []string) (manager string, since time.Time) {
	for _, e := range entries(live) {
		if _, how := covers(fieldsOf(e), live.Object, keys); how == nothing {
			continue
		}
		if ours(e) {
			return "", time.Time{}
		}
		at, _ := time.Parse(time.RFC3339, text(e["time"])) // a note without a time is older than any other
		if manager == "" || at.After(since) {
			manager, since = text(e["manager"]), at
		}
	}
	return manager, since
}
