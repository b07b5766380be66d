package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// merger collects the layers of every component, lowest first, and merges them.
type merger struct {
	in       Input
	caps     *common.Capabilities
	faults   blueberry.Faults
	warnings []blueberry.Warning
	stacks   []*stack // of the components that take values, in their order
	classes  classes
	room     room
}

// room is how many settings there may be yet, and how many bytes their paths may have. The largest charts of the wild have some 10,000 values.
type room struct{ settings, text int }

const (
	maxSettings    = 100_000
	maxSettingText = 16 << 20
	maxPath        = 10_000 // bytes of one
)

// merge does everything that needs no templates: it opens the charts, puts the layers upon one another and says where each value comes from.
func (in Input) merge(caps *common.Capabilities) *merger {
	m := newMerger(in, caps)
	for i, c := range in.Blueprint.Components {
		if c.TakesValues() {
			s := &stack{component: c, index: i}
			m.open(s)
			m.stacks = append(m.stacks, s)
		}
	}
	m.merge()
	return m
}

func newMerger(in Input, caps *common.Capabilities) *merger {
	return &merger{in: in, caps: caps, classes: classesOf(in.Blueprint), room: room{maxSettings, maxSettingText}}
}

// merge puts the layers upon the charts that are open.
func (m *merger) merge() {
	blueprintSecrets(m.in.Blueprint, &m.faults)
	for _, s := range m.stacks {
		m.blueprint(s)
	}
	m.defaults()
	m.each(func(l blueberry.Layer) bool { return l.Layer != blueberry.LayerEnvironment })
	m.built(false)
	m.chosen()
	m.each(func(l blueberry.Layer) bool { return l.Layer == blueberry.LayerEnvironment })
	m.computed()
	for _, s := range m.stacks {
		switch {
		case s.opened == nil:
		case m.room.settings <= 0 || m.room.text <= 0:
			m.crowded(s)
		default:
			m.settle(s)
		}
	}
	m.required()
	m.schema()
}

// find gives the stack of a component by name.
func (m *merger) find(name string) *stack {
	for _, s := range m.stacks {
		if s.name() == name {
			return s
		}
	}
	return nil
}

// targets gives the stacks that the first key of a path means.
func (m *merger) targets(first string) []*stack {
	if first == blueberry.AllComponents {
		return m.stacks
	}
	if s := m.find(first); s != nil {
		return []*stack{s}
	}
	return nil
}

// add puts what a layer sets of a component on top, without what the layer may not set.
func (m *merger) add(s *stack, x share) {
	if x.bound {
		x.values = m.allowed(s, &x)
	}
	s.add(x)
}

// blueprint adds what the blueprint says of a component: its Score file, its values, and its image, port and health.
func (m *merger) blueprint(s *stack) {
	origin := blueberry.Origin{Layer: blueberry.LayerBlueprint, Version: m.in.BlueprintVersion, Author: m.in.BlueprintAuthor, Commit: m.in.SourceCommit}
	c, field := s.component, fieldOf(s.index)
	if !m.fits(c.Values, field+".values") {
		c.Values, s.broken = nil, true
	}
	if c.Kind() == blueberry.Score {
		m.score(s, origin)
	}
	values, _ := normal(c.Values).(map[string]any)
	s.add(share{Origin: origin, values: values, field: field + ".values"})
	own := map[string]any{}
	if c.Image != "" {
		own["image"] = c.Image
	}
	if c.Port != 0 {
		own["port"] = float64(c.Port)
	}
	if c.Health != "" {
		own["health"] = c.Health
	}
	s.add(share{Origin: origin, values: own, field: field})
	reserved := "blueberry"
	if c.Kind() == blueberry.HelmChart {
		reserved = "global.blueberry"
	}
	if v := at(values, strings.Split(reserved, ".")...); v != nil {
		m.faults.Add(field+".values."+reserved, "computed", "is set by Blueberry")
		s.broken = true
	}
}

// defaults adds the defaults of the parameters that nobody chose.
func (m *merger) defaults() {
	m.parameters(func(i int, p blueberry.Parameter) (any, share, bool) {
		if chosen, ok := m.in.Parameters[p.Name]; ok && chosen != nil {
			return nil, share{}, false
		}
		return p.Default, share{
			Origin: blueberry.Origin{Layer: blueberry.LayerBlueprint, Name: p.Name, Version: m.in.BlueprintVersion, Author: m.in.BlueprintAuthor, Commit: m.in.SourceCommit},
			field:  fmt.Sprintf("parameters[%d].default", i), fixed: true,
		}, true
	})
}

// chosen adds the parameters of the request.
func (m *merger) chosen() {
	var f blueberry.Faults
	m.in.Blueprint.CheckParameters(&f, "parameters", m.in.Parameters)
	m.faults = append(m.faults, f...)
	m.parameters(func(_ int, p blueberry.Parameter) (any, share, bool) {
		v := m.in.Parameters[p.Name]
		if code, _ := p.Refuses(v); v == nil || code != "" {
			return nil, share{}, false
		}
		return v, share{
			Origin: blueberry.Origin{Layer: blueberry.LayerEnvironment, Name: p.Name},
			field:  blueberry.JoinField("parameters", p.Name), fixed: true, bound: true,
		}, true
	})
}

// parameters adds a share for each parameter and component that it sets something of: first all that is for every component.
func (m *merger) parameters(value func(int, blueberry.Parameter) (any, share, bool)) {
	for _, every := range []bool{true, false} {
		for i, p := range m.in.Blueprint.Parameters {
			v, x, ok := value(i, p)
			if v = normal(v); !ok || v == nil {
				continue
			}
			if every && x.bound { // a default is told with the blueprint
				parameterSecret(m.in.Blueprint, p, v, x.field, &m.faults)
			}
			trees := map[*stack]map[string]any{}
			for _, path := range p.Sets {
				keys, _ := blueberry.SplitPath(path)
				if len(keys) < 2 || (keys[0] == blueberry.AllComponents) != every {
					continue
				}
				for _, s := range m.targets(keys[0]) {
					if trees[s] == nil {
						trees[s] = map[string]any{}
					}
					if !setPath(trees[s], keys[1:], v) {
						m.faults.Add(fmt.Sprintf("parameters[%d].sets", i), "type", "%s lies below another path that it sets", path)
					}
				}
			}
			for _, s := range m.stacks {
				if x.values = trees[s]; x.values != nil {
					m.add(s, x)
				}
			}
		}
	}
}

// each adds the layers of the request that are wanted, in their order.
func (m *merger) each(want func(blueberry.Layer) bool) {
	for _, l := range m.in.Layers {
		if want(l) {
			m.layer(l)
		}
	}
}

// layer adds a document of values. What it says to every component lies below what it says to one.
func (m *merger) layer(l blueberry.Layer) {
	if !m.fits(l.Values, l.Field) {
		return
	}
	doc, _ := normal(l.Values).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		field := join(l.Field, name)
		values, ok := doc[name].(map[string]any)
		switch {
		case !ok && doc[name] != nil:
			m.faults.Add(field, "type", "must be a mapping of values, is %s", nounOf(doc[name]))
			continue
		case name != blueberry.AllComponents && m.find(name) == nil:
			m.stranger(l, field, name)
			continue
		}
		m.secrets(values, field, name, l.Public)
	}
	add := func(s *stack, key string) {
		values, _ := doc[key].(map[string]any)
		m.add(s, share{Origin: l.Origin, values: values, field: join(l.Field, key), bound: true})
	}
	for _, s := range m.stacks {
		add(s, blueberry.AllComponents)
		add(s, s.name())
	}
}

// fits reports whether values are within the bounds of a document, and tells when they are not: those of a request may not have been read as one.
func (m *merger) fits(values map[string]any, field string) bool {
	left := maxDocumentNodes
	switch deep := depthOf(values, &left); {
	case left <= 0:
		m.faults.Add(field, "too_large", "holds more than %d values", maxDocumentNodes)
	case deep > maxDocumentDepth:
		m.faults.Add(field, "too_deep", "is nested deeper than %d levels", maxDocumentDepth)
	default:
		return true
	}
	return false
}

// depthOf is how deep a value is nested. It counts the values down, and stops when none is left or the depth is too much.
func depthOf(v any, left *int) int {
	deep := 0
	look := func(x any) {
		if *left > 0 && deep <= maxDocumentDepth {
			deep = max(deep, 1+depthOf(x, left))
		}
	}
	*left--
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			look(x)
		}
	case []any:
		for _, x := range v {
			look(x)
		}
	}
	return deep
}

// stranger tells values for a component that takes none. A config set is shared by many blueprints; an override is meant.
func (m *merger) stranger(l blueberry.Layer, field, name string) {
	code, message := "unknown", fmt.Sprintf("there is no component %q", name)
	for _, c := range m.in.Blueprint.Components {
		if c.Name == name {
			code, message = "forbidden", "component "+name+" is a kustomization, which takes no values"
		}
	}
	if l.Layer == blueberry.LayerConfigSet {
		m.warnings = append(m.warnings, blueberry.Warning{Code: "unknown_component", Field: field, Message: message + "; its values are left out"})
		return
	}
	m.faults.Add(field, code, "%s", message)
}

// nounOf names what a value is, for people.
func nounOf(v any) string {
	switch v.(type) {
	case nil:
		return "empty"
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case string:
		return "text"
	case bool:
		return "a boolean"
	}
	return "a number"
}
