package gitops

import (
	"context"
	"maps"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Names lists the files of a directory at the branch's head, at any depth, by path below it, in order. Unlike Files it reads none of them.
func (r *Repository) Names(ctx context.Context, dir string) ([]string, error) {
	if fault := pathFault(dir); fault != "" {
		var f blueberry.Faults
		f.Add("dir", "path", "%q %s", dir, fault)
		return nil, f.Err()
	}
	head, err := r.Head(ctx)
	if err != nil {
		return nil, err
	}
	dirs := map[string]map[string]entry{dir: {}}
	if err := r.readDirs(ctx, head, dirs); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(dirs[dir])), nil
}
