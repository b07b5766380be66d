package render

import (
	"fmt"
	"maps"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// settle merges the layers of one component and says where each value comes from. What is wrong with the values goes to the layer that set them.
func (m *merger) settle(s *stack) {
	values := s.values
	if s.opened.prepared != nil {
		values = s.builtinValues()
	}
	merged, failed := s.opened.coalesce(values)
	var found []problem
	if failed == nil && s.opened.prepared != nil {
		found = schemaProblems(s.opened.prepared.schema, merged, s.name())
		s.effective = s.builtinEffective(merged)
	} else if failed == nil {
		found = checkChartSchema(s.opened.chart, merged, s.name())
		s.effective = withPlatform(merged, s.platform.values)
	}
	a := attribute(s, s.effective, &m.room)
	s.settings = a.settings
	switch {
	case len(a.conflicts) > 0:
		told := map[string]bool{}
		for _, c := range a.conflicts {
			m.conflict(told, c)
		}
		m.elsewhere(s, a.conflicts, found)
		s.broken, s.effective = true, nil
		return
	case failed != nil:
		s.broken = true
		m.tell(s, *failed)
		return
	case a.full:
		m.crowded(s)
		return
	}
	if s.opened.prepared != nil {
		found = m.builtinProblems(s, found)
	}
	for _, p := range found {
		s.broken = true
		m.tell(s, p)
	}
}

// elsewhere tells what else is wrong with values beside those that are in conflict. What lies at a conflict, or below it, is as wrong as the conflict.
func (m *merger) elsewhere(s *stack, conflicts []conflict, found []problem) {
	if s.opened.prepared != nil {
		found = m.builtinProblems(s, found)
	}
	for _, p := range found {
		if !slices.ContainsFunc(conflicts, func(c conflict) bool { return blueberry.MatchPath(c.path, p.value) }) {
			m.tell(s, p)
		}
	}
}

// crowded tells a component whose values find no room any more.
func (m *merger) crowded(s *stack) {
	s.broken, s.effective, s.settings = true, nil, nil
	m.tell(s, problem{field: "values", code: "limit", message: fmt.Sprintf(
		"with it, the environment has more than %d values, or longer paths than %d bytes", maxSettings, maxSettingText)})
}

// withPlatform gives the effective values of a chart of the repository with what it finds in global.blueberry. The charts in it find it too; there it is
// not listed again.
func withPlatform(merged, platform map[string]any) map[string]any {
	global, _ := merged["global"].(map[string]any)
	global = maps.Clone(global)
	if global == nil {
		global = map[string]any{}
	}
	below, _ := at(platform, "global", "blueberry").(map[string]any)
	who, _ := global["blueberry"].(map[string]any)
	who = maps.Clone(who)
	if who == nil {
		who = map[string]any{}
	}
	maps.Copy(who, below)
	global["blueberry"] = who
	merged["global"] = global
	return merged
}

// conflict tells a layer that makes a mapping of something else, or something else of a mapping. Where the platform needs the mapping, the one below is at
// fault.
func (m *merger) conflict(told map[string]bool, c conflict) {
	keys, _ := blueberry.SplitPath(c.path)
	by, other, has := c.upper, c.lower, c.has
	if c.upper.Layer == blueberry.LayerComputed && c.lower.Layer != blueberry.LayerComputed && !c.lower.chart {
		by, other = c.lower, c.upper
		has, _ = c.lower.at(keys[1:])
	}
	message := "must be a mapping, is " + nounOf(has) + ": " + describe(other.Origin) + " has one here"
	if _, isMap := has.(map[string]any); isMap {
		message = "must not be a mapping: " + describe(other.Origin) + " has none here"
	}
	if field := by.place(keys[1:]); !told[field] {
		told[field] = true
		m.faults.Add(field, "type", "%s%s", message, setBy(by.Origin))
	}
}

// tell notes a problem of one component: one about a value at the layer that set the value, any other at the component.
func (m *merger) tell(s *stack, p problem) {
	field := blueberry.JoinField(fieldOf(s.index), p.field)
	if p.value != "" {
		var x *share
		if field, x = s.locate(p); x != nil {
			p.message += setBy(x.Origin)
		}
	}
	m.faults.Add(field, p.code, "%s", p.message)
}

// setBy names the layer that set a value, for the end of a message about it; the blueprint need not be named.
func setBy(o blueberry.Origin) string {
	switch o.Layer {
	case blueberry.LayerConfigSet, blueberry.LayerBuild, blueberry.LayerEnvironment:
		return " (set by " + describe(o) + ")"
	case blueberry.LayerChart, blueberry.LayerBlueprint, blueberry.LayerComputed:
	}
	return ""
}
