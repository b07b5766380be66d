package render

import (
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// candidate is what one share has at a path.
type candidate struct {
	value any
	src   int32
	level int8 // of the chart that the share's values were rooted at when they came here: globals come from charts above
	lost  bool // a null of a higher layer took it away, and what is there now is from elsewhere
	cuts  bool // it is that null, and no layer above it sets anything
}

// attribution goes through the effective values of a component and all its shares side by side, each of them once, and says for every leaf which share
// set it. What Helm made is the truth: of the shares, the highest that has the very value is the one.
type attribution struct {
	shares    []*share
	arena     []candidate // those of the path that is looked at, and of all above it
	charts    chartNode
	blind     bool // Helm made nothing: only what contradicts itself is looked for
	settings  []blueberry.Setting
	shadows   []blueberry.Shadow // of all settings, cut into shares
	room      *room
	full      bool // there is none left
	conflicts []conflict
}

// conflict is a layer that makes a mapping of something else, or something else of a mapping.
type conflict struct {
	lower, upper *share
	path         string
	has          any // what the upper one sets
}

// attribute says where each leaf of the effective values comes from; nil for values that Helm could not make.
func attribute(s *stack, effective map[string]any, left *room) *attribution {
	a := &attribution{room: left, blind: effective == nil, charts: s.opened.below}
	enabled := s.opened.enabled()
	for i := range s.charts {
		if x := &s.charts[i]; x.needs == "" || a.blind || enabled[x.needs] {
			a.shares = append(a.shares, x)
		}
	}
	for i := range s.layers {
		a.shares = append(a.shares, &s.layers[i])
	}
	a.shares = append(a.shares, &s.platform)
	for i, x := range a.shares {
		a.arena = append(a.arena, candidate{value: x.values, src: int32(i)})
	}
	n := countLeaves(effective)
	a.settings, a.shadows = make([]blueberry.Setting, 0, min(n, left.settings)), make([]blueberry.Shadow, 0, min(n, left.settings))
	a.node(s.name(), effective, span{0, len(a.arena)}, s.opened.below, 0, span{})
	a.settings = sortSettings(a.settings)
	slices.SortStableFunc(a.conflicts, func(x, y conflict) int { return strings.Compare(x.path, y.path) })
	return a
}

func countLeaves(m map[string]any) int {
	n := 0
	for _, v := range m {
		if below, ok := v.(map[string]any); ok && len(below) > 0 {
			n += countLeaves(below)
		} else {
			n++
		}
	}
	return n
}

// sortSettings gives settings by path. It moves each only once: they are large.
func sortSettings(settings []blueberry.Setting) []blueberry.Setting {
	type place struct {
		path string
		at   int
	}
	order := make([]place, len(settings))
	for i, s := range settings {
		order[i] = place{s.Path, i}
	}
	slices.SortFunc(order, func(x, y place) int { return strings.Compare(x.path, y.path) })
	out := make([]blueberry.Setting, len(settings))
	for i, p := range order {
		out[i] = settings[p.at]
	}
	return out
}

// span is a share of the arena, lowest candidate first.
type span struct{ from, to int }

// node goes through the keys of a mapping. charts are those in the chart whose values begin here, nil elsewhere; depth is how many charts lie above;
// globals are what the charts above have for each of them.
func (a *attribution) node(path string, effective map[string]any, c span, charts chartNode, depth int8, globals span) {
	start := len(a.arena)
	if charts != nil && (len(charts) > 0 || globals.to > globals.from) {
		own := a.children(c, "global")
		a.arena = append(a.arena, a.arena[globals.from:globals.to]...) // Helm puts the globals of a chart over those of the charts in it
		globals = span{own.from, len(a.arena)}
	}
	visit := func(key string, v any, there bool) {
		if a.full {
			return
		}
		mark := len(a.arena)
		at := blueberry.JoinPath(path, key)
		if len(at) > maxPath {
			a.full = true
			return
		}
		below, isChart := charts[key]
		switch {
		case isChart:
			a.value(at, v, there, a.enter(c, key, depth+1), below, depth+1, globals)
		case key == "global" && globals.to > globals.from:
			a.value(at, v, there, globals, nil, depth, span{})
		default:
			a.value(at, v, there, a.children(c, key), nil, depth, span{})
		}
		a.arena = a.arena[:mark]
	}
	for key, v := range effective {
		visit(key, v, true)
	}
	for i := c.from; i < c.to; i++ {
		m, _ := a.arena[i].value.(map[string]any)
		for key := range m {
			if _, ok := effective[key]; !ok && !a.has(span{c.from, i}, key) {
				visit(key, nil, false)
			}
		}
	}
	a.arena = a.arena[:start]
}

// has reports whether one of the candidates has a key.
func (a *attribution) has(c span, key string) bool {
	for _, x := range a.arena[c.from:c.to] {
		if m, ok := x.value.(map[string]any); ok {
			if _, ok := m[key]; ok {
				return true
			}
		}
	}
	return false
}

// children puts what the candidates have at a key behind them in the arena. A null that took something away is handed down: it is part of the story.
func (a *attribution) children(c span, key string) span {
	from := len(a.arena)
	for i := c.from; i < c.to; i++ {
		x := a.arena[i]
		switch m := x.value.(type) {
		case map[string]any:
			if v, ok := m[key]; ok {
				x.value = v
				a.arena = append(a.arena, x)
			}
		case nil:
			if x.lost || x.cuts {
				a.arena = append(a.arena, x)
			}
		}
	}
	return span{from, len(a.arena)}
}

// enter is children at the key of a chart in a chart.
func (a *attribution) enter(c span, key string, level int8) span {
	c = a.children(c, key)
	for i := c.from; i < c.to; i++ {
		a.arena[i].level = level
	}
	return c
}

// value looks at one path: what Helm made of it, and what the shares have.
func (a *attribution) value(path string, v any, there bool, c span, charts chartNode, depth int8, globals span) {
	m, isMap := v.(map[string]any)
	a.lose(c, isMap)
	ok := a.compare(path, c, depth)
	switch {
	case a.blind:
		if charts != nil {
			a.denied(path, c, depth)
		}
		if ok {
			a.node(path, nil, c, charts, depth, globals)
		}
	case isMap && !a.isReference(v, c):
		if len(m) == 0 {
			a.leaf(path, v, c)
		}
		a.node(path, m, c, charts, depth, globals)
	case there && v != nil:
		a.leaf(path, v, c)
	default:
		a.absent(path, there, c)
	}
}

// isReference reports whether a value is a reference that was set as one, not what is left of a mapping that has a key of that name.
func (a *attribution) isReference(v any, c span) bool {
	return blueberry.IsSecretRef(v) && (a.winner(v, c) >= 0 || !slices.ContainsFunc(a.arena[c.from:c.to], func(x candidate) bool {
		m, ok := x.value.(map[string]any)
		return ok && len(m) > 0
	}))
}

// lose marks what a layer's null, or its scalar, takes away from the layers below it, when another sets something above. A null for all values of a chart
// in a chart takes away what the chart above says of it too; its own defaults stay.
func (a *attribution) lose(c span, isMap bool) {
	for i := c.to - 1; i >= c.from; i-- {
		x := &a.arena[i]
		if _, table := x.value.(map[string]any); table || x.lost || x.cuts || a.shares[x.src].chart {
			continue
		}
		x.lost = slices.ContainsFunc(a.arena[i+1:c.to], func(y candidate) bool { return y.level == x.level })
		if !x.lost && !(isMap && x.value == nil) {
			continue
		}
		x.cuts = !x.lost
		for j := c.from; j < i; j++ {
			y := &a.arena[j]
			if from := a.shares[y.src]; y.level == x.level && (!from.chart || x.cuts && strings.Count(from.needs, "/") < int(x.level)) {
				y.lost = true
			}
		}
	}
}

// leaf notes a setting with the share that set it and all that it shadows.
func (a *attribution) leaf(path string, v any, c span) {
	i := a.winner(v, c)
	if i < 0 {
		if x := a.leaked(path, v); x != nil {
			a.note(blueberry.Setting{Path: path, Value: v, Origin: x.Origin}, span{})
		}
		return // Helm makes empty mappings for the charts in a chart
	}
	a.note(blueberry.Setting{Path: path, Value: v, Origin: a.shares[a.arena[i].src].Origin}, span{c.from, i})
}

// leaked finds who set a value that Helm carried from the globals of one chart to those of another that does not lie in it: it merges nested mappings in
// place. A value that cannot be found is the chart's own.
func (a *attribution) leaked(path string, v any) *share {
	keys, _ := blueberry.SplitPath(path)
	if i := slices.Index(keys, "global"); i > 0 {
		for _, x := range slices.Backward(a.shares) {
			if globalAnywhere(x.values, a.charts, keys[i:], v) {
				return x
			}
		}
	}
	if m, ok := v.(map[string]any); ok && len(m) == 0 {
		return nil
	}
	return a.shares[0]
}

// globalAnywhere reports whether values have a global, of the chart or of one in it.
func globalAnywhere(values map[string]any, charts chartNode, keys []string, v any) bool {
	if x, ok := (&share{values: values}).at(keys); ok && sameLeaf(x, v) {
		return true
	}
	for key, below := range charts {
		if m, ok := values[key].(map[string]any); ok && globalAnywhere(m, below, keys, v) {
			return true
		}
	}
	return false
}

// winner is the index of the highest candidate that has a value and has not lost it; -1 when there is none.
func (a *attribution) winner(v any, c span) int {
	for i := c.to - 1; i >= c.from; i-- {
		if x := &a.arena[i]; !x.lost && sameLeaf(x.value, v) {
			return i
		}
	}
	return -1
}

func sameLeaf(a, b any) bool {
	switch x := a.(type) {
	case nil, bool, string, float64:
		return isScalar(b) && a == b
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && (len(y) == 0 || len(x) == len(y)) && (len(y) == 0 || blueberry.SameValue(x, y))
	}
	return blueberry.SameValue(a, b)
}

func isScalar(v any) bool {
	switch v.(type) {
	case nil, bool, string, float64:
		return true
	}
	return false
}

// absent notes what a null took away, and a null that stayed because it took nothing.
func (a *attribution) absent(path string, there bool, c span) {
	top := -1
	for i := c.to - 1; i >= c.from && top < 0; i-- {
		if !a.arena[i].lost {
			top = i
		}
	}
	if top < 0 || a.arena[top].value != nil {
		return
	}
	by := a.shares[a.arena[top].src]
	if !a.deleted(path, by, span{c.from, top}) && there {
		a.note(blueberry.Setting{Path: path, Origin: by.Origin}, span{c.from, top})
	}
}

// deleted notes each leaf that a null took away. It reports false when there was none.
func (a *attribution) deleted(path string, by *share, c span) bool {
	top := c.to - 1
	for top >= c.from && a.arena[top].value == nil {
		top--
	}
	if top < c.from || a.full {
		return false
	}
	m, ok := a.arena[top].value.(map[string]any)
	if !ok || len(m) == 0 || blueberry.IsSecretRef(m) {
		a.note(blueberry.Setting{Path: path, Deleted: true, Origin: by.Origin}, c)
		return true
	}
	found := false
	for i := c.from; i <= top; i++ {
		m, _ := a.arena[i].value.(map[string]any)
		for key := range m {
			if a.has(span{c.from, i}, key) {
				continue
			}
			mark := len(a.arena)
			found = a.deleted(blueberry.JoinPath(path, key), by, a.children(c, key)) || found
			a.arena = a.arena[:mark]
		}
	}
	return found
}

// note keeps a setting. What it shadows are the candidates, the highest first; mappings among them live on in their leaves.
func (a *attribution) note(s blueberry.Setting, c span) {
	a.room.settings--
	a.room.text -= len(s.Path)
	if a.full = a.full || a.room.settings < 0 || a.room.text < 0; a.full {
		return
	}
	from := len(a.shadows)
	_, isMap := s.Value.(map[string]any)
	for i := c.to - 1; i >= c.from; i-- {
		x := a.arena[i]
		if m, ok := x.value.(map[string]any); ok && (isMap || s.Deleted) && len(m) > 0 && !blueberry.IsSecretRef(m) {
			continue
		}
		a.shadows = append(a.shadows, blueberry.Shadow{Origin: a.shares[x.src].Origin, Value: x.value})
	}
	if to := len(a.shadows); to > from {
		s.Shadows = a.shadows[from:to:to]
	}
	a.settings = append(a.settings, s)
}
