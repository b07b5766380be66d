package store

import (
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// packedSettings is the settings of one revision. Thousands of leaves come from a handful of places, so each place is told once.
type packedSettings struct {
	Origins []blueberry.Origin `json:"origins"`
	Leaves  []packedLeaf       `json:"leaves"`
}

type packedLeaf struct {
	Path    string         `json:"p"`
	Value   any            `json:"v"`
	Deleted bool           `json:"d,omitempty"`
	Origin  int            `json:"o"` // index in Origins
	Shadows []packedShadow `json:"s,omitempty"`
}

type packedShadow struct {
	Origin int `json:"o"`
	Value  any `json:"v"`
}

// packSettings gives settings as gzip of JSON; none are no bytes, as in revisions that are older than settings.
func (s *Store) packSettings(settings []blueberry.Setting) ([]byte, error) {
	if len(settings) == 0 {
		return []byte{}, nil
	}
	p := packedSettings{Leaves: make([]packedLeaf, len(settings))}
	index := map[blueberry.Origin]int{}
	origin := func(o blueberry.Origin) int {
		i, ok := index[o]
		if !ok {
			i = len(p.Origins)
			index[o] = i
			p.Origins = append(p.Origins, o)
		}
		return i
	}
	for i, setting := range settings {
		leaf := packedLeaf{Path: setting.Path, Value: setting.Value, Deleted: setting.Deleted, Origin: origin(setting.Origin)}
		for _, x := range setting.Shadows {
			leaf.Shadows = append(leaf.Shadows, packedShadow{origin(x.Origin), x.Value})
		}
		p.Leaves[i] = leaf
	}
	return s.pressExact("settings", p)
}

func unpackSettings(b []byte) ([]blueberry.Setting, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var p packedSettings
	if err := unpressExact("settings", b, &p); err != nil {
		return nil, err
	}
	out := make([]blueberry.Setting, 0, len(p.Leaves))
	for _, leaf := range p.Leaves {
		s := blueberry.Setting{Path: leaf.Path, Value: leaf.Value, Deleted: leaf.Deleted}
		places := []int{leaf.Origin}
		for _, x := range leaf.Shadows {
			places = append(places, x.Origin)
		}
		if slices.ContainsFunc(places, func(i int) bool { return i < 0 || i >= len(p.Origins) }) {
			return nil, fmt.Errorf("unpress settings: %q comes from nowhere", leaf.Path)
		}
		s.Origin = p.Origins[leaf.Origin]
		for _, x := range leaf.Shadows {
			s.Shadows = append(s.Shadows, blueberry.Shadow{Origin: p.Origins[x.Origin], Value: x.Value})
		}
		out = append(out, s)
	}
	return out, nil
}
