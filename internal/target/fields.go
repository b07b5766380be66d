package target

import (
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Ignored gives the paths of an object that a list of rules leaves to others, in order and each once.
func Ignored(rules []blueberry.DriftIgnore, o blueberry.ObjectRef) []string {
	var out []string
	for _, r := range rules {
		if r.Matches(o) {
			out = append(out, r.Path)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Item is the index of the item that a key of a path names: "2", "name=web"; -1 when there is none.
func Item(list []any, key string) int {
	if name, ok := strings.CutPrefix(key, "name="); ok {
		return slices.IndexFunc(list, func(item any) bool {
			m, _ := item.(map[string]any)
			return m != nil && m["name"] == name
		})
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(list) {
		return i
	}
	return -1
}

// Field gives the value at a path, as keys (blueberry.SplitPath); false when there is none.
func Field(object any, keys []string) (any, bool) {
	for _, key := range keys {
		switch node := object.(type) {
		case map[string]any:
			child, ok := node[key]
			if !ok {
				return nil, false
			}
			object = child
		case []any:
			i := Item(node, key)
			if i < 0 {
				return nil, false
			}
			object = node[i]
		default:
			return nil, false
		}
	}
	return object, true
}

// SetField sets the value at a path. Maps that are missing on the way are made, in the shape that like, an object that has the field, shows. Items of lists
// are not: where the item that holds the field is not wanted, its field is not either; only an item that is itself the field is added.
func SetField(object, like map[string]any, keys []string, value any) {
	if len(keys) > 0 {
		setField(object, like, keys, value)
	}
}

// setField gives the node as it is afterwards, because a list may have grown, and whether the value was set.
func setField(node, like any, keys []string, value any) (any, bool) {
	if len(keys) == 0 {
		return value, true
	}
	likeChild, _ := Field(like, keys[:1])
	switch node := node.(type) {
	case map[string]any:
		child, there := node[keys[0]]
		if _, isList := likeChild.([]any); !there && isList {
			child = []any{}
		} else if !there {
			child = map[string]any{}
		}
		child, set := setField(child, likeChild, keys[1:], value)
		if set {
			node[keys[0]] = child
		}
		return node, set
	case []any:
		i := Item(node, keys[0])
		if i < 0 {
			added := len(keys) == 1 && (strings.HasPrefix(keys[0], "name=") || keys[0] == strconv.Itoa(len(node)))
			if added {
				node = append(node, value)
			}
			return node, added
		}
		child, set := setField(node[i], likeChild, keys[1:], value)
		node[i] = child
		return node, set
	}
	return node, false
}

// DropField takes out the value at a path, and leaves all that holds it.
func DropField(object map[string]any, keys []string) {
	if len(keys) > 0 {
		dropField(object, keys)
	}
}

func dropField(node any, keys []string) any {
	switch node := node.(type) {
	case map[string]any:
		child, ok := node[keys[0]]
		switch {
		case !ok:
		case len(keys) == 1:
			delete(node, keys[0])
		default:
			node[keys[0]] = dropField(child, keys[1:])
		}
		return node
	case []any:
		i := Item(node, keys[0])
		switch {
		case i < 0:
		case len(keys) == 1:
			return slices.Delete(node, i, i+1)
		default:
			node[i] = dropField(node[i], keys[1:])
		}
		return node
	}
	return node
}
