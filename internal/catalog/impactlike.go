package catalog

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// touched is what one version of a set alters of another.
type touched struct {
	keys  []string   // components, or AllComponents
	paths [][]string // of values, as far as granule keys
}

// granule is how many keys of a path decide on whether two values can have to do with one another: component, and two below it. Deeper than that, the
// schema of the built-in chart compares values that lie side by side.
const granule = 3

// touchedBy compares two versions of a set.
func touchedBy(was, next blueberry.ConfigVersion) touched {
	var t touched
	seen := map[string]bool{}
	for _, x := range blueberry.CompareSettings(leaves(blueberry.ConfigSet{}, was), leaves(blueberry.ConfigSet{}, next)) {
		keys, ok := blueberry.SplitPath(x.Path)
		if !ok {
			continue
		}
		if !slices.Contains(t.keys, keys[0]) {
			t.keys = append(t.keys, keys[0])
		}
		keys = keys[:min(len(keys), granule)]
		if at := blueberry.JoinPath("", keys...); !seen[at] {
			seen[at] = true
			t.paths = append(t.paths, keys)
		}
	}
	return t
}

// reaches reports whether something that is altered goes to a component of the blueprint.
func (t touched) reaches(b blueberry.Blueprint) bool {
	return slices.ContainsFunc(b.Components, func(x blueberry.Component) bool {
		return x.TakesValues() && (slices.Contains(t.keys, x.Name) || slices.Contains(t.keys, blueberry.AllComponents))
	})
}

// likeness is a text that groups have in common for which the change means the same: blueprint, config sets, and of parameters and overrides what lies at,
// above or below a path that is altered. Merging looks at one path at a time, so the rest cannot matter. It reports false when the blueprint has rules that
// look at more than that.
func (m merged) likeness() (string, bool) {
	b := m.inputs.Blueprint
	if b.Schema != nil && !isLocal(b.Schema) {
		return "", false
	}
	paths := m.touched.paths
	for _, p := range b.Fields.Required {
		keys, ok := blueberry.SplitPath(p)
		if !ok || strings.ContainsAny(strings.Join(keys[1:], ""), `*?[\`) || strings.ContainsAny(keys[0], `?[\`) {
			return "", false
		}
		if strings.Contains(keys[0], "*") {
			keys[0] = blueberry.AllComponents
		}
		paths = append(slices.Clip(paths), keys)
	}
	parameters := map[string]any{}
	for _, p := range b.Parameters {
		if v, chosen := m.inputs.Parameters[p.Name]; chosen && slices.ContainsFunc(p.Sets, func(s string) bool { return meets(s, paths) }) {
			parameters[p.Name] = v
		}
	}
	var uses []any
	for _, u := range m.inputs.Config {
		uses = append(uses, u.SetID, u.Number)
	}
	text, err := json.Marshal([]any{b, uses, parameters, cut(m.inputs.Overrides, paths)})
	return string(text), err == nil
}

// meets reports whether a path of values lies at, above or below one of the others.
func meets(path string, others [][]string) bool {
	keys, ok := blueberry.SplitPath(path)
	return !ok || slices.ContainsFunc(others, func(o []string) bool {
		n := min(len(keys), len(o))
		return sameComponent(keys[0], o[0]) && slices.Equal(keys[1:n], o[1:n])
	})
}

func sameComponent(a, b string) bool {
	return a == b || a == blueberry.AllComponents || b == blueberry.AllComponents
}

// cut gives what a document of values has at, above or below the paths.
func cut(doc map[string]any, paths [][]string) []any {
	var out []any
	for _, p := range paths {
		for component, v := range doc {
			if !sameComponent(component, p[0]) {
				continue
			}
			depth := 1
			for ; depth < len(p); depth++ {
				m, ok := v.(map[string]any)
				if !ok {
					break // what lies above the path replaces it
				}
				if v, ok = m[p[depth]]; !ok {
					depth = -1
					break
				}
			}
			if depth >= 0 {
				out = append(out, []any{component, p[:depth], v})
			}
		}
	}
	slices.SortFunc(out, func(a, b any) int { return strings.Compare(sortText(a), sortText(b)) })
	return out
}

func sortText(v any) string {
	x, _ := v.([]any)
	keys, _ := x[1].([]string)
	component, _ := x[0].(string)
	return component + "\x00" + strings.Join(keys, "\x00")
}

// isLocal reports whether a JSON schema looks at each value by itself.
func isLocal(schema any) bool {
	switch s := schema.(type) {
	case bool:
		return true
	case map[string]any:
		for keyword, v := range s {
			switch keyword {
			case "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "format", "minLength", "maxLength",
				"items", "minItems", "maxItems", "uniqueItems", "title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated":
				// of one value: a list is one
			case "additionalProperties":
				if !isLocal(v) {
					return false
				}
			case "properties", "patternProperties":
				below, _ := v.(map[string]any)
				for _, x := range below {
					if !isLocal(x) {
						return false
					}
				}
			default:
				return false
			}
		}
		return true
	}
	return false
}

// classes sorts groups by likeness. It is used by several readers at once.
type classes struct {
	mu sync.Mutex
	of map[string]*class
}

// class is groups that are alike; the first one is merged.
type class struct {
	first *group
	rest  []*group
}

// first reports whether a group is the first of its class.
func (c *classes) first(key string, g *group) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.of[key]
	if x == nil {
		c.of[key] = &class{first: g}
		return true
	}
	x.rest = append(x.rest, g)
	return false
}

// spread gives to all of a class what its first has. It gives back those of classes whose first is at fault: what is wrong with it may be its own affair.
func (c *classes) spread() []*group {
	var left []*group
	for _, x := range c.of {
		if len(x.first.Faults) > 0 || x.first.Note != "" {
			left = append(left, x.rest...)
			continue
		}
		for _, g := range x.rest {
			g.Settings, g.Warnings, g.charts = x.first.Settings, x.first.Warnings, x.first.charts
		}
	}
	return left
}
