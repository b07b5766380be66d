package catalog

import (
	"context"
	"maps"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// DiffConfig compares two versions of a config set. to 0 means the latest, from 0 the version before to; before the first one there is nothing.
func (c *Catalog) DiffConfig(ctx context.Context, actor blueberry.Actor, id string, from, to int) (ConfigDiff, error) {
	return viewSet(ctx, c, actor, id, func(tx Tx, set blueberry.ConfigSet) (d ConfigDiff, err error) {
		if d.To, err = configVersionOf(ctx, tx, set, to); err != nil {
			return d, err
		}
		if from == 0 {
			from = d.To.Number - 1
		}
		if from > 0 {
			if d.From, err = tx.ConfigVersion(ctx, id, from); err != nil {
				return d, err
			}
		}
		d.Settings = blueberry.CompareSettings(leaves(set, d.From), leaves(set, d.To))
		return d, nil
	})
}

// leaves gives each leaf of a version's values, by path. A null is a value here: it says that what lies below is to be deleted.
func leaves(set blueberry.ConfigSet, v blueberry.ConfigVersion) []blueberry.Setting {
	origin := blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: label(set.Project, set.Name), Version: v.Number, Author: v.Author, Commit: v.Source.Commit}
	var out []blueberry.Setting
	var walk func(path string, value any)
	walk = func(path string, value any) {
		m, isMap := value.(map[string]any)
		if !isMap || len(m) == 0 || isReference(m) {
			out = append(out, blueberry.Setting{Path: path, Value: value, Origin: origin})
			return
		}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			walk(blueberry.JoinPath(path, key), m[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v.Values)) {
		walk(blueberry.JoinPath("", key), v.Values[key])
	}
	slices.SortFunc(out, func(a, b blueberry.Setting) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
	return out
}

// isReference reports whether a map is a reference to a secret, which is one leaf.
func isReference(m map[string]any) bool {
	_, isText := m["secretRef"].(string)
	return isText && len(m) == 1
}
