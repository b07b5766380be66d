package render

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// classes are the paths of values that the layers of a request may not set.
type classes struct {
	patterns []classPattern
	required [][]string
}

type classPattern struct {
	keys []string
	code string // "forbidden_field", "computed_field"
}

func classesOf(b blueberry.Blueprint) classes {
	var c classes
	add := func(code string, patterns ...string) {
		for _, p := range patterns {
			if keys, ok := blueberry.SplitPath(p); ok {
				c.patterns = append(c.patterns, classPattern{keys, code})
			}
		}
	}
	add("computed_field", "*.blueberry", "*.global.blueberry")
	for _, p := range slices.Sorted(maps.Keys(b.Computed)) {
		if rest, ok := strings.CutPrefix(p, blueberry.AllComponents+"."); ok {
			p = "*." + rest
		}
		add("computed_field", p)
	}
	add("forbidden_field", b.Fields.Forbidden...)
	for _, p := range b.Fields.Required {
		if keys, ok := blueberry.SplitPath(p); ok {
			c.required = append(c.required, keys)
		}
	}
	return c
}

// matching is a pattern that a path fits so far: its first keys are used up.
type matching struct {
	pattern *classPattern
	next    int
}

// step moves the patterns on by one key. It gives those that still may match below, and the code of one that matches here.
func step(states []matching, key string) (out []matching, code string) {
	for _, s := range states {
		out, code = s.step(out, code, key)
	}
	return out, code
}

func (s matching) step(out []matching, code, key string) ([]matching, string) {
	keys := s.pattern.keys
	if s.next < len(keys) && keys[s.next] == "**" {
		out = append(out, s) // it may take this key, and more
		out, code = matching{s.pattern, s.next + 1}.step(out, code, key)
		return out, endsAt(matching{s.pattern, s.next}, code)
	}
	if s.next >= len(keys) || !matchKey(keys[s.next], key) {
		return out, code
	}
	moved := matching{s.pattern, s.next + 1}
	if code = endsAt(moved, code); moved.next < len(keys) {
		out = append(out, moved)
	}
	return out, code
}

// endsAt gives the code of a pattern that has nothing left but "**".
func endsAt(s matching, code string) string {
	for _, k := range s.pattern.keys[s.next:] {
		if k != "**" {
			return code
		}
	}
	if code == "" {
		return s.pattern.code
	}
	return code
}

func matchKey(pattern, key string) bool {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return pattern == key
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(key, "/", "\x00"))
	return ok && err == nil
}

// filter takes what a layer may not set out of its values.
type filter struct {
	m    *merger
	s    *stack
	x    *share
	keys []string
}

// allowed gives the values of a share without those of a class that it may not set. Each that is dropped is a warning, in strict mode a fault.
func (m *merger) allowed(s *stack, x *share) map[string]any {
	start := make([]matching, len(m.classes.patterns))
	for i := range m.classes.patterns {
		start[i] = matching{&m.classes.patterns[i], 0}
	}
	states, _ := step(start, s.name())
	f := &filter{m: m, s: s, x: x}
	values, _ := f.clean(x.values, states)
	return values
}

// clean gives a mapping without what is dropped below it, and whether that is another one: the layer's own is not touched.
func (f *filter) clean(values map[string]any, states []matching) (out map[string]any, changed bool) {
	out = values
	if len(states) == 0 {
		return out, false
	}
	change := func() {
		if !changed {
			out, changed = maps.Clone(values), true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		below, code := step(states, key)
		v := values[key]
		f.keys = append(f.keys, key)
		if code == "" && v == nil {
			code = f.takesAway(below)
		}
		if code != "" {
			f.m.dropped(code, f.x.place(f.keys), blueberry.JoinPath(f.s.name(), f.keys...))
			change()
			delete(out, key)
		} else if m, ok := v.(map[string]any); ok {
			if kept, other := f.clean(m, below); other {
				change()
				out[key] = kept
			}
		}
		f.keys = f.keys[:len(f.keys)-1]
	}
	return out, changed
}

// takesAway reports, by its code, whether a null takes away what the layer may not set: something that a lower layer has below it.
func (f *filter) takesAway(states []matching) string {
	forbidden := slices.DeleteFunc(slices.Clone(states), func(s matching) bool { return s.pattern.code != "forbidden_field" }) // what is computed comes back
	if len(forbidden) == 0 {
		return ""
	}
	for _, lower := range [][]share{f.s.charts, f.s.layers} {
		for i := range lower {
			if v, ok := lower[i].at(f.keys); ok && holds(v, forbidden) {
				return "forbidden_field"
			}
		}
	}
	return ""
}

// holds reports whether a value has a path that one of the patterns matches.
func holds(v any, states []matching) bool {
	m, ok := v.(map[string]any)
	if !ok || len(states) == 0 {
		return false
	}
	for key, x := range m {
		if below, code := step(states, key); code != "" && x != nil || holds(x, below) {
			return true
		}
	}
	return false
}

func (m *merger) dropped(code, field, path string) {
	message := path + " may be set by the blueprint only"
	if code == "computed_field" {
		message = path + " is computed by the platform"
	}
	if m.in.Strict {
		m.faults.Add(field, code, "%s", message)
		return
	}
	m.warnings = append(m.warnings, blueberry.Warning{Code: code, Field: field, Message: message + "; the value is dropped"})
}

// required tells the paths that must be set and are not.
func (m *merger) required() {
	for _, keys := range m.classes.required {
		every := keys[0] == blueberry.AllComponents || strings.ContainsAny(keys[0], `*?[\`)
		for _, s := range m.stacks {
			want := keys[1:]
			switch {
			case s.effective == nil:
				continue // its layers contradict one another
			case keys[0] == "**":
				want = keys
			case keys[0] != blueberry.AllComponents && !matchKey(keys[0], s.name()):
				continue
			}
			if !isSet(s.effective, want) {
				m.faults.Add(pathBelow("config", append([]string{s.name()}, want...)), "required", "must be set; no layer sets it")
			}
		}
		if !every && m.find(keys[0]) == nil {
			m.faults.Add(pathBelow("config", keys), "required", "must be set, and there is no component %q that takes values", keys[0])
		}
	}
}

// isSet reports whether a value has something that is not null at a path of patterns.
func isSet(v any, want []string) bool {
	if len(want) == 0 {
		return v != nil
	}
	m, ok := v.(map[string]any)
	if want[0] == "**" {
		if isSet(v, want[1:]) {
			return true
		}
		for _, x := range m {
			if isSet(x, want) {
				return true
			}
		}
		return false
	}
	if !ok {
		return false
	}
	if x, ok := m[want[0]]; ok {
		if isSet(x, want[1:]) {
			return true
		}
	}
	for key, x := range m {
		if key != want[0] && matchKey(want[0], key) && isSet(x, want[1:]) {
			return true
		}
	}
	return false
}
