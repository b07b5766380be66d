package render

import (
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// locate gives the field where a value that is wrong was set, and the share that set it. A value that no layer set belongs into the blueprint.
func (s *stack) locate(p problem) (field string, by *share) {
	for _, name := range p.missing { // a null may be why something is missing
		for _, set := range s.below(blueberry.JoinPath(p.value, name)) {
			if x, keys := s.shareOf(set); set.Deleted && x != nil && !x.chart && x.Layer != blueberry.LayerBlueprint {
				return x.place(keys), x
			}
		}
	}
	set, rest, ok := s.around(p.value)
	switch {
	case ok:
		if x, keys := s.shareOf(set); x != nil && !x.chart {
			if x.fixed {
				rest = ""
			}
			return x.place(keys) + rest, x
		}
	case len(p.missing) == 0 && p.value != s.name():
		if x, keys := s.highest(s.below(p.value)); x != nil && !x.chart {
			at, _ := blueberry.SplitPath(p.value)
			return x.place(keys[:min(len(keys), len(at)-1)]), x
		}
	}
	rest = strings.TrimPrefix(p.value, s.name())
	if own := strings.TrimPrefix(rest, "."); s.opened.prepared != nil && s.component.Kind() == blueberry.WebService && isOwnField(own) {
		return blueberry.JoinField(fieldOf(s.index), own), nil
	}
	return fieldOf(s.index) + ".values" + rest, nil
}

// around gives the setting that a path is, or lies in, and what of the path is left: "[1]" of an item of a list.
func (s *stack) around(path string) (set blueberry.Setting, rest string, ok bool) {
	keys, _ := blueberry.SplitPath(path)
	for n := len(keys); n > 1; n-- {
		at := blueberry.JoinPath("", keys[:n]...)
		i := s.search(at)
		if i < len(s.settings) && s.settings[i].Path == at && !s.settings[i].Deleted && strings.HasPrefix(path, at) {
			return s.settings[i], path[len(at):], true
		}
	}
	return blueberry.Setting{}, "", false
}

// below gives the settings at a path and below it.
func (s *stack) below(path string) []blueberry.Setting {
	var out []blueberry.Setting
	for _, x := range s.settings[s.search(path):] {
		rest, ok := strings.CutPrefix(x.Path, path)
		if !ok {
			break
		}
		if rest == "" || rest[0] == '.' || rest[0] == '[' {
			out = append(out, x)
		}
	}
	return out
}

// search is the index of the first setting whose path is not before one.
func (s *stack) search(path string) int {
	i, _ := slices.BinarySearchFunc(s.settings, path, func(x blueberry.Setting, p string) int { return strings.Compare(x.Path, p) })
	return i
}

// highest gives the share of the highest layer that set one of the settings.
func (s *stack) highest(settings []blueberry.Setting) (by *share, keys []string) {
	all, rank := s.shares(), -1
	for _, set := range settings {
		x, at := s.shareOf(set)
		if i := slices.Index(all, x); i > rank {
			by, keys, rank = x, at, i
		}
	}
	return by, keys
}

// sources lists what was merged, lowest first.
func (s *stack) shares() []*share {
	var out []*share
	for i := range s.charts {
		out = append(out, &s.charts[i])
	}
	for i := range s.layers {
		out = append(out, &s.layers[i])
	}
	return append(out, &s.platform)
}

// shareOf finds the share of a setting, and the keys of its value there: a global may have been set at a chart above.
func (s *stack) shareOf(set blueberry.Setting) (*share, []string) {
	keys, _ := blueberry.SplitPath(set.Path)
	for keys = keys[1:]; ; {
		for _, x := range slices.Backward(s.shares()) {
			if x.Origin != set.Origin {
				continue
			}
			if at, ok := x.sets(keys, set); ok {
				return x, at
			}
		}
		i := slices.Index(keys, "global")
		if i < 1 {
			return nil, nil
		}
		keys = slices.Delete(slices.Clone(keys), i-1, i)
	}
}

// sets reports whether a share is that of a setting, and at which keys: a null may lie above what it took away.
func (s *share) sets(keys []string, set blueberry.Setting) ([]string, bool) {
	if !set.Deleted {
		v, ok := s.at(keys)
		return keys, ok && sameLeaf(v, set.Value)
	}
	for n := 1; n <= len(keys); n++ {
		if v, ok := s.at(keys[:n]); ok && v == nil {
			return keys[:n], true
		}
	}
	return nil, false
}
