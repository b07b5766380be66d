package blueberry

import (
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// JoinPath appends keys to a path of values: ("backend", "env", "a.b") gives `backend.env["a.b"]`.
func JoinPath(parent string, keys ...string) string {
	for _, key := range keys {
		switch {
		case key == "" || strings.ContainsAny(key, ".[]\" "):
			parent += "[" + strconv.Quote(key) + "]"
		case parent == "":
			parent = key
		default:
			parent += "." + key
		}
	}
	return parent
}

// SplitPath gives the keys of a path that JoinPath made, or that a person wrote; indexes of lists ("[2]") are keys of their own. It reports false for
// what is no path.
func SplitPath(p string) ([]string, bool) {
	var keys []string
	for i := 0; i < len(p); {
		switch {
		case strings.HasPrefix(p[i:], `["`):
			quoted, err := strconv.QuotedPrefix(p[i+1:])
			if err != nil || !strings.HasPrefix(p[i+1+len(quoted):], "]") {
				return nil, false
			}
			key, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, false
			}
			keys = append(keys, key)
			i += len(quoted) + 2
		case p[i] == '[':
			end := strings.IndexByte(p[i:], ']')
			if end < 2 {
				return nil, false
			}
			keys = append(keys, p[i+1:i+end])
			i += end + 1
		default:
			if i > 0 {
				if p[i] != '.' {
					return nil, false
				}
				i++
			}
			end := strings.IndexAny(p[i:], ".[")
			if end < 0 {
				end = len(p) - i
			}
			if end == 0 {
				return nil, false
			}
			keys = append(keys, p[i:i+end])
			i += end
		}
	}
	return keys, len(keys) > 0
}

// maxDeep bounds the "**" of one pattern: each makes matching slower by the length of the path.
const maxDeep = 2

// ValidPattern reports whether a text is a pattern of paths; of "**" it may have two.
func ValidPattern(pattern string) bool {
	keys, ok := SplitPath(pattern)
	if !ok {
		return false
	}
	deep := 0
	for _, k := range keys {
		if k == "**" {
			if deep++; deep > maxDeep {
				return false
			}
		}
		if _, err := path.Match(k, ""); err != nil {
			return false
		}
	}
	return true
}

// MatchPath reports whether a pattern (FieldClasses) matches a path of values or one that it lies below.
func MatchPath(pattern, p string) bool {
	want, ok := SplitPath(pattern)
	have, ok2 := SplitPath(p)
	return ok && ok2 && matchKeys(want, have)
}

func matchKeys(want, have []string) bool {
	for i, w := range want {
		if w == "**" {
			for j := i; j <= len(have); j++ {
				if matchKeys(want[i+1:], have[j:]) {
					return true
				}
			}
			return false
		}
		if i >= len(have) {
			return false
		}
		if ok, err := path.Match(strings.ReplaceAll(w, "/", "\x00"), strings.ReplaceAll(have[i], "/", "\x00")); err != nil || !ok {
			return false
		}
	}
	return true
}

// MatchAny reports whether one of the patterns matches.
func MatchAny(patterns []string, p string) bool {
	for _, x := range patterns {
		if MatchPath(x, p) {
			return true
		}
	}
	return false
}

// maxExact is the greatest whole number that every reader of JSON holds exactly (RFC 8259, 6).
const maxExact = 1 << 53

// CheckExact notes whole numbers in values, of any of Go's types or JSON's own, that not every reader of JSON holds exactly.
func (f *Faults) CheckExact(field string, value any) {
	const message = "is too large to be held exactly: give it as text"
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			f.CheckExact(JoinPath(field, key), v[key])
		}
	case []any:
		for i, x := range v {
			f.CheckExact(field+"["+strconv.Itoa(i)+"]", x)
		}
	case int:
		f.CheckExact(field, int64(v))
	case int64:
		if v > maxExact || v < -maxExact {
			f.Add(field, "range", message)
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) > maxExact && math.Abs(v) < 1e21 { // beyond, it is written with an exponent, and meant so
			f.Add(field, "range", message)
		}
	}
}
