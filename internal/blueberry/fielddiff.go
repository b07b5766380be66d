package blueberry

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// DiffFields tells field by field what differs between two objects: trees of JSON values, whose numbers may be of any of Go's types that decoders give.
// A nil map is an object that is not there: then the one field has an empty path and holds the whole object. Fields are in the order of their paths.
func DiffFields(before, after map[string]any) []FieldDiff {
	if before == nil || after == nil {
		if before == nil && after == nil {
			return nil
		}
		d := FieldDiff{HasBefore: before != nil, HasAfter: after != nil}
		if d.HasBefore {
			d.Before = before
		} else {
			d.After = after
		}
		return []FieldDiff{d}
	}
	var out []FieldDiff
	diffMaps(&out, "", before, after)
	slices.SortFunc(out, func(a, b FieldDiff) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func diffMaps(out *[]FieldDiff, at string, before, after map[string]any) {
	for key, a := range after {
		if b, ok := before[key]; ok {
			diffValues(out, JoinPath(at, key), b, a)
		} else {
			*out = append(*out, FieldDiff{Path: JoinPath(at, key), After: a, HasAfter: true})
		}
	}
	for key, b := range before {
		if _, ok := after[key]; !ok {
			*out = append(*out, FieldDiff{Path: JoinPath(at, key), Before: b, HasBefore: true})
		}
	}
}

func diffValues(out *[]FieldDiff, at string, before, after any) {
	switch b := before.(type) {
	case map[string]any:
		if a, ok := after.(map[string]any); ok {
			diffMaps(out, at, b, a)
			return
		}
	case []any:
		if a, ok := after.([]any); ok && diffLists(out, at, b, a) {
			return
		}
	}
	if !SameValue(before, after) {
		*out = append(*out, FieldDiff{Path: at, Before: before, After: after, HasBefore: true, HasAfter: true})
	}
}

// diffLists compares lists item by item. It reports false when their items cannot be told apart: then the list is one field.
func diffLists(out *[]FieldDiff, at string, before, after []any) bool {
	was, ok := itemNames(before)
	is, ok2 := itemNames(after)
	switch {
	case ok && ok2:
		return diffNamed(out, at, before, after, was, is)
	case len(before) == len(after) && nameless(before) && nameless(after):
		for i := range after {
			diffValues(out, at+"["+itoa(i)+"]", before[i], after[i])
		}
		return true
	}
	return false
}

// diffNamed compares lists whose items all have names. What both have must stand in one order: else applying the fields would not give the list.
func diffNamed(out *[]FieldDiff, at string, before, after []any, was, is []string) bool {
	old := map[string]any{}
	for i, name := range was {
		old[name] = before[i]
	}
	common := func(names []string, has func(string) bool) []string {
		return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !has(n) })
	}
	now := map[string]bool{}
	for _, name := range is {
		now[name] = true
	}
	stay := common(was, func(n string) bool { return now[n] })
	if !slices.Equal(stay, common(is, func(n string) bool { _, ok := old[n]; return ok })) {
		return false
	}
	for i, name := range is {
		path := at + "[name=" + name + "]"
		if b, ok := old[name]; ok {
			diffValues(out, path, b, after[i])
		} else {
			*out = append(*out, FieldDiff{Path: path, After: after[i], HasAfter: true, Index: i})
		}
	}
	for i, name := range was {
		if !now[name] {
			*out = append(*out, FieldDiff{Path: at + "[name=" + name + "]", Before: before[i], HasBefore: true})
		}
	}
	return true
}

// itemNames gives the names of a list's items. It reports false unless every item is a map with a name of its own that a path can hold.
func itemNames(list []any) ([]string, bool) {
	seen := make(map[string]bool, len(list))
	var names []string
	for _, item := range list {
		m, _ := item.(map[string]any)
		name, _ := m["name"].(string)
		if name == "" || strings.Contains(name, "]") || seen[name] {
			return nil, false
		}
		seen[name] = true
		names = append(names, name)
	}
	return names, true
}

// nameless reports whether every item is a map without a name.
func nameless(list []any) bool {
	return !slices.ContainsFunc(list, func(item any) bool {
		m, ok := item.(map[string]any)
		_, named := m["name"]
		return !ok || named
	})
}

// ApplyFields does to an object what DiffFields told, and gives the result; the object itself stays as it is. An object that the fields were not made of
// is an error.
func ApplyFields(before map[string]any, diff []FieldDiff) (map[string]any, error) {
	if len(diff) == 0 {
		m, _ := cloneValue(before).(map[string]any)
		return m, nil
	}
	if diff[0].Path == "" {
		return applyWhole(before, diff)
	}
	// First what changes and goes, then what is new: where an item is inserted counts in the list as it will be.
	order := slices.Clone(diff)
	slices.SortStableFunc(order, func(a, b FieldDiff) int {
		if a.HasBefore != b.HasBefore {
			if a.HasBefore {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Index, b.Index)
	})
	if before == nil {
		return nil, fmt.Errorf("apply %s: the object is not there", order[0].Path)
	}
	tree := cloneValue(before)
	for _, d := range order {
		keys, ok := SplitPath(d.Path)
		if !ok {
			return nil, fmt.Errorf("apply %q: it is no path", d.Path)
		}
		var err error
		if tree, err = applyField(tree, keys, d); err != nil {
			return nil, fmt.Errorf("apply %s: %w", d.Path, err)
		}
	}
	return tree.(map[string]any), nil
}

// errOtherObject is deliberately without the value: it may be a secret.
var errOtherObject = errors.New("the object is not the one that was compared")

func applyWhole(before map[string]any, diff []FieldDiff) (map[string]any, error) {
	d := diff[0]
	after, isMap := d.After.(map[string]any)
	if len(diff) > 1 || d.HasAfter != isMap || d.HasBefore != (before != nil) || d.HasBefore && !SameValue(d.Before, before) {
		return nil, fmt.Errorf("apply the whole object: %w", errOtherObject)
	}
	if !d.HasAfter {
		return nil, nil
	}
	return cloneValue(after).(map[string]any), nil
}

// applyField gives the node with the field at keys as the diff has it afterwards.
func applyField(node any, keys []string, d FieldDiff) (any, error) {
	if len(keys) == 0 {
		return nil, errOtherObject
	}
	switch n := node.(type) {
	case map[string]any:
		child, there := n[keys[0]]
		next, keep, err := applyChild(child, there, keys, d)
		if err != nil {
			return nil, err
		}
		if keep {
			n[keys[0]] = next
		} else {
			delete(n, keys[0])
		}
		return n, nil
	case []any:
		i := findItem(n, keys[0])
		if i < 0 {
			item, _ := d.After.(map[string]any)
			name, _ := item["name"].(string)
			if len(keys) > 1 || keys[0] != "name="+name || d.HasBefore || !d.HasAfter || d.Index < 0 || d.Index > len(n) {
				return nil, errOtherObject
			}
			return slices.Insert(n, d.Index, cloneValue(d.After)), nil
		}
		next, keep, err := applyChild(n[i], true, keys, d)
		if err != nil {
			return nil, err
		}
		if !keep {
			return slices.Delete(n, i, i+1), nil
		}
		n[i] = next
		return n, nil
	}
	return nil, errOtherObject
}

// applyChild gives what becomes of the child that keys[0] names, and whether it stays.
func applyChild(child any, there bool, keys []string, d FieldDiff) (next any, keep bool, err error) {
	if len(keys) > 1 {
		if !there {
			return nil, false, errOtherObject
		}
		next, err = applyField(child, keys[1:], d)
		return next, true, err
	}
	if there != d.HasBefore || there && !SameValue(child, d.Before) {
		return nil, false, errOtherObject
	}
	return cloneValue(d.After), d.HasAfter, nil
}

// findItem gives the index of the item that a key of a path names: "2", "name=web".
func findItem(list []any, key string) int {
	if name, ok := strings.CutPrefix(key, "name="); ok {
		return slices.IndexFunc(list, func(item any) bool {
			m, _ := item.(map[string]any)
			return m["name"] == name
		})
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(list) {
		return i
	}
	return -1
}

// cloneValue copies a tree of JSON values.
func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = cloneValue(x)
		}
		return m
	case []any:
		if v == nil {
			return v
		}
		l := make([]any, len(v))
		for i, x := range v {
			l[i] = cloneValue(x)
		}
		return l
	}
	return v
}

// SameValue reports whether two trees of JSON values are the same. Numbers are when they are the same number, of whatever type.
func SameValue(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, SameValue)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, SameValue)
	case nil, bool, string:
		return a == b
	}
	x, ok := exactNumber(a)
	y, ok2 := exactNumber(b)
	if !ok || !ok2 {
		return ok == ok2 && reflect.DeepEqual(a, b)
	}
	return x.same(y)
}

// exact is a number as exactly as it was written: a whole one of 64 bits, a larger one by its digits, or a fraction.
type exact struct {
	whole    int64
	isWhole  bool
	digits   string // of a whole number that has no place in 64 bits
	fraction float64
}

func exactNumber(v any) (exact, bool) {
	switch v := v.(type) {
	case int:
		return exact{whole: int64(v), isWhole: true}, true
	case int64:
		return exact{whole: v, isWhole: true}, true
	case uint64:
		if v <= math.MaxInt64 {
			return exact{whole: int64(v), isWhole: true}, true
		}
		return exact{digits: strconv.FormatUint(v, 10), fraction: float64(v)}, true
	case float64:
		if v == math.Trunc(v) && v >= -1<<63 && v < 1<<63 {
			return exact{whole: int64(v), isWhole: true}, true
		}
		return exact{fraction: v}, true
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return exact{whole: n, isWhole: true}, true
		}
		f, err := v.Float64()
		if err != nil {
			return exact{}, false
		}
		if strings.Trim(v.String(), "-0123456789") == "" {
			return exact{digits: v.String(), fraction: f}, true
		}
		return exactNumber(f)
	}
	return exact{}, false
}

func (x exact) same(y exact) bool {
	switch {
	case x.isWhole || y.isWhole:
		return x.isWhole == y.isWhole && x.whole == y.whole
	case x.digits != "" && y.digits != "":
		return x.digits == y.digits
	}
	return x.fraction == y.fraction || math.IsNaN(x.fraction) && math.IsNaN(y.fraction)
}

// CompareSettings tells, by path, the settings whose effective value differs. Who set a value is no part of it: the same value from another layer is no
// change, and neither is a deletion of what was not there.
func CompareSettings(before, after []Setting) []SettingChange {
	index := func(list []Setting) map[string]*Setting {
		m := make(map[string]*Setting, len(list))
		for i := range list {
			m[list[i].Path] = &list[i]
		}
		return m
	}
	was, is := index(before), index(after)
	gone := func(s *Setting) bool { return s == nil || s.Deleted }
	var out []SettingChange
	for path, a := range is {
		b := was[path]
		if gone(a) != gone(b) || !gone(a) && !SameValue(a.Value, b.Value) {
			out = append(out, SettingChange{Path: path, Before: b, After: a})
		}
	}
	for path, b := range was {
		if _, ok := is[path]; !ok && !b.Deleted {
			out = append(out, SettingChange{Path: path, Before: b})
		}
	}
	slices.SortFunc(out, func(a, b SettingChange) int { return strings.Compare(a.Path, b.Path) })
	return out
}
