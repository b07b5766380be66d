package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// share is what one layer sets of the values of one component. A layer may have several: what it says to every component lies below what it says to one.
type share struct {
	blueberry.Origin
	values map[string]any    // rooted at the component's values, with the types that Helm's values have
	field  string            // where its faults belong
	fixed  bool              // at the field itself, whatever the path: a parameter
	fields map[string]string // path → field, where they are named one by one
	chart  bool              // a chart's own defaults
	needs  string            // chart: the chart that must be enabled, "umbrella/cache"
	own    bool              // it is the platform's, not the blueprint's
	bound  bool              // the classes of fields bind it: config sets, chosen parameters, overrides
}

// place is the field for a fault about a path of the component's values. Where fields are named one by one, it is the nearest: around the path, else below.
func (s *share) place(keys []string) string {
	if s.fixed {
		return s.field
	}
	for n := len(keys); n >= 0 && s.fields != nil; n-- {
		if f, ok := s.fields[blueberry.JoinPath("", keys[:n]...)]; ok {
			return pathBelow(f, keys[n:])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(s.fields)) {
		if strings.HasPrefix(path, blueberry.JoinPath("", keys...)) {
			return s.fields[path]
		}
	}
	return pathBelow(s.field, keys)
}

func pathBelow(field string, keys []string) string {
	for _, k := range keys {
		field = join(field, k)
	}
	return field
}

// at reads what the share has at a path; false when it has nothing there.
func (s *share) at(keys []string) (any, bool) {
	var v any = s.values
	for _, k := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[k]; !ok {
			return nil, false
		}
	}
	return v, true
}

// describe names an origin for people.
func describe(o blueberry.Origin) string {
	switch o.Layer {
	case blueberry.LayerChart:
		return "chart " + o.Name
	case blueberry.LayerBlueprint:
		return "the blueprint"
	case blueberry.LayerConfigSet:
		return fmt.Sprintf("config set %s, version %d", o.Name, o.Version)
	case blueberry.LayerBuild:
		return "CI"
	case blueberry.LayerEnvironment:
		if o.Name != "" {
			return "parameter " + o.Name
		}
		return "the overrides"
	case blueberry.LayerComputed:
	}
	return "Blueberry"
}

// stack is the layers of one component while they are merged.
type stack struct {
	component blueberry.Component
	index     int     // in the blueprint
	charts    []share // defaults of its chart and of the charts in it, lowest first
	layers    []share // lowest first
	platform  share   // on top of all: who the component is
	opened    *opened // its chart; nil when it has none that can be read
	broken    bool    // it has faults that leave nothing to render
	unread    bool    // its Score file cannot be read

	values    map[string]any // the layers as Helm merges files of values
	effective map[string]any // those over the chart's defaults: what the templates see, image, port and health at the root
	settings  []blueberry.Setting
}

// name is the first key of every path of the component's values.
func (s *stack) name() string { return s.component.Name }

// add puts a share on top.
func (s *stack) add(x share) {
	if len(x.values) > 0 {
		s.layers = append(s.layers, x)
	}
}

// setPath writes a value at a path of keys. It reports false when something that is no mapping stands in the way.
func setPath(values map[string]any, keys []string, v any) bool {
	for _, k := range keys[:len(keys)-1] {
		if values[k] == nil {
			values[k] = map[string]any{}
		}
		next, ok := values[k].(map[string]any)
		if !ok {
			return false
		}
		values = next
	}
	last := keys[len(keys)-1]
	if _, isMap := values[last].(map[string]any); isMap {
		return false
	}
	values[last] = v
	return true
}
