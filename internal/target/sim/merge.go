package sim

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// merge is what an apply makes of a live object: what the manifest says stands, what the last one said and this one does not goes, and what others have
// added stays. Items of lists are told apart by their names, where all have one; other lists are one value.
func merge(live, was, want map[string]any) map[string]any {
	out := make(map[string]any, len(live))
	for k, l := range live {
		w, wanted := want[k]
		a, applied := was[k]
		if wanted {
			out[k] = mergeValue(l, a, w)
		} else if !applied {
			out[k] = l
		} else if rest := added(l, a); rest != nil {
			out[k] = rest
		}
	}
	for k, w := range want {
		if _, there := live[k]; !there {
			out[k] = w
		}
	}
	return out
}

func mergeValue(live, was, want any) any {
	switch want := want.(type) {
	case map[string]any:
		if l, ok := live.(map[string]any); ok {
			a, _ := was.(map[string]any)
			return merge(l, a, want)
		}
	case []any:
		if l, ok := live.([]any); ok && named(l) && named(want) {
			a, _ := was.([]any)
			return mergeItems(l, a, want)
		}
	}
	return want
}

func mergeItems(live, was, want []any) []any {
	out := make([]any, 0, len(want))
	for _, w := range want {
		out = append(out, mergeValue(like(live, w), like(was, w), w))
	}
	for _, l := range live {
		if like(want, l) == nil && like(was, l) == nil {
			out = append(out, l)
		}
	}
	return out
}

// added is what others have added to a value that was applied and is no longer wanted; nil for nothing.
func added(live, was any) any {
	l, isMap := live.(map[string]any)
	a, wasMap := was.(map[string]any)
	if isMap && wasMap {
		if rest := merge(l, a, nil); len(rest) > 0 {
			return rest
		}
		return nil
	}
	items, isList := live.([]any)
	old, wasList := was.([]any)
	if isList && wasList && named(items) && named(old) {
		if rest := mergeItems(items, old, nil); len(rest) > 0 {
			return rest
		}
	}
	return nil
}

// named reports whether each item of a list has a name of its own.
func named(list []any) bool {
	seen := make(map[string]bool, len(list))
	for _, item := range list {
		n := nameOf(item)
		if n == "" || seen[n] {
			return false
		}
		seen[n] = true
	}
	return true
}

func nameOf(item any) string {
	m, _ := item.(map[string]any)
	return text(m["name"])
}

// like finds the item of a list that has the name of another; nil when there is none.
func like(list []any, item any) any {
	for _, x := range list {
		if nameOf(x) == nameOf(item) {
			return x
		}
	}
	return nil
}

// leave gives a manifest the live values of the fields that are left to others.
func leave(object, live map[string]any, paths []string) {
	for _, p := range paths {
		keys, ok := blueberry.SplitPath(p)
		if !ok {
			continue
		}
		if value, there := target.Field(live, keys); there {
			target.SetField(object, live, keys, value)
		} else {
			target.DropField(object, keys)
		}
	}
}

// patch is a JSON merge patch.
func patch(object, change map[string]any) map[string]any {
	if object == nil {
		object = map[string]any{}
	}
	for k, c := range change {
		switch c := c.(type) {
		case nil:
			delete(object, k)
		case map[string]any:
			below, _ := object[k].(map[string]any)
			object[k] = patch(below, c)
		default:
			object[k] = c
		}
	}
	return object
}
