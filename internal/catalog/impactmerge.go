package catalog

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// maxReaders is how many connections to the record one impact may use.
const maxReaders = 4

// survey is what is known of the users of a set while an impact is worked out.
type survey struct {
	set    blueberry.ConfigSet
	next   blueberry.ConfigVersion
	users  []blueberry.ConfigUser // that the actor may read, in the order of project and name
	hidden int                    // the others
	groups []*group
	of     map[groupKey]*group
}

// group is environments of one stack that have the same version of the set.
type group struct {
	ImpactGroup
	charts bool // its values were merged without the defaults of the charts that it has in a repository
}

type groupKey struct {
	stack  string
	number int
}

func keyOf(u blueberry.ConfigUser) groupKey { return groupKey{u.Stack, u.Number} }

// changes reports whether the group is worth telling.
func (g *group) changes() bool { return len(g.Settings) > 0 || len(g.Faults) > 0 || g.Note != "" }

// survey groups the users of a set that the actor may read, merges the values of one of each group as they are and as they would be, and keeps the groups in which something
// changes.
func (c *Catalog) survey(ctx context.Context, actor blueberry.Actor, set blueberry.ConfigSet, next blueberry.ConfigVersion) (*survey, error) {
	s := &survey{set: set, next: next}
	err := c.Record.View(ctx, func(tx Tx) error {
		users, err := tx.ConfigUsers(ctx, set.ID)
		known := seen(actor, users)
		s.users, s.hidden = known.Items, known.Hidden
		return err
	})
	if err != nil {
		return nil, err
	}
	s.divide()
	alike := &classes{of: map[string]*class{}}
	if err := c.mergeAll(ctx, s, s.groups, alike); err != nil {
		return nil, err
	}
	if err := c.mergeAll(ctx, s, alike.spread(), nil); err != nil {
		return nil, err
	}
	s.settle()
	return s, nil
}

// mergeAll compares the values of groups before and after; of groups that are alike, only those of the first one. Revisions never change, so they may be
// read in several transactions.
func (c *Catalog) mergeAll(ctx context.Context, s *survey, groups []*group, alike *classes) error {
	workers, ctx := errgroup.WithContext(ctx)
	var taken atomic.Int64
	for range min(maxReaders, runtime.GOMAXPROCS(0), len(groups)) {
		workers.Go(func() error {
			return c.Record.View(ctx, func(tx Tx) error {
				r := newReader(tx, s.set.ID, s.next)
				for ctx.Err() == nil {
					i := int(taken.Add(1)) - 1
					if i >= len(groups) {
						break
					}
					if err := r.compare(ctx, groups[i], alike); err != nil {
						return fmt.Errorf("compare the values of environment %s: %w", groups[i].Example.EnvironmentID, err)
					}
				}
				return ctx.Err()
			})
		})
	}
	return workers.Wait()
}

// compare merges the values of a group before and after, unless one that is alike came before it.
func (r *reader) compare(ctx context.Context, g *group, alike *classes) error {
	in, err := r.inputs(ctx, g.Example)
	if err != nil || !in.relevant {
		return err
	}
	if key, ok := in.likeness(); ok && alike != nil && !alike.first(key, g) {
		return nil
	}
	return g.merge(in.before, in.after)
}

// divide sorts the users into groups, each with its first one as the example.
func (s *survey) divide() {
	s.groups, s.of = nil, map[groupKey]*group{}
	for _, u := range s.users {
		g := s.of[keyOf(u)]
		if g == nil {
			g = &group{ImpactGroup: ImpactGroup{Example: u}}
			s.of[keyOf(u)] = g
			s.groups = append(s.groups, g)
		}
		g.Environments++
	}
}

// merge compares the values of a group before and after. No template is run.
func (g *group) merge(before, after render.Input) error {
	g.charts = before.Blueprint.NeedsFiles()
	for _, in := range []*render.Input{&before, &after} {
		in.Domain = "invalid" // what the platform computes is the same before and after, whatever the domain
		if g.charts {
			standIn(in)
		}
	}
	was, warned, err := render.Settings(before)
	present, err := refusal(err)
	if err != nil {
		return err
	}
	is, warnings, err := render.Settings(after)
	faults, err := refusal(err)
	if err != nil {
		return err
	}
	g.judge(present, faults, warned, warnings)
	if present == nil && faults == nil {
		g.Settings = keep(blueberry.CompareSettings(was, is))
	}
	return nil
}

// judge notes what the change would bring of faults and warnings that are not there now.
func (g *group) judge(present, faults blueberry.Faults, warned, warnings []blueberry.Warning) {
	g.Faults, g.Warnings, g.Note = nil, nil, ""
	for _, f := range faults {
		if !slices.Contains(present, f) {
			g.Faults = append(g.Faults, f)
		}
	}
	for _, w := range warnings {
		if !slices.Contains(warned, w) {
			g.Warnings = append(g.Warnings, w)
		}
	}
	if present != nil {
		g.Note = "what it has now would be refused today, so there is nothing to compare with: " + present[0].String()
	}
}

// refusal takes the faults out of an error; what is no refusal stays an error.
func refusal(err error) (blueberry.Faults, error) {
	var f blueberry.Faults
	err = f.Merge("", err)
	return f, err
}

// keep copies the settings of changes, so that those that did not change are let go. An empty mapping that comes or goes because of what is in it is left
// out: that is told.
func keep(changes []blueberry.SettingChange) []blueberry.SettingChange {
	one := func(s *blueberry.Setting) *blueberry.Setting {
		if s == nil {
			return nil
		}
		x := *s
		return &x
	}
	var out []blueberry.SettingChange
	for i, x := range changes {
		if (isEmpty(x.Before) && x.After == nil || isEmpty(x.After) && x.Before == nil) && anyBelow(changes[i+1:], x.Path) {
			continue
		}
		out = append(out, blueberry.SettingChange{Path: x.Path, Before: one(x.Before), After: one(x.After)})
	}
	return out
}

func isEmpty(s *blueberry.Setting) bool {
	if s == nil {
		return false
	}
	m, ok := s.Value.(map[string]any)
	return ok && len(m) == 0
}

// anyBelow reports whether one of the changes, which are sorted, lies below the path.
func anyBelow(changes []blueberry.SettingChange, path string) bool {
	for _, x := range changes {
		rest, ok := strings.CutPrefix(x.Path, path)
		if !ok {
			return false
		}
		if strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "[") {
			return true
		}
	}
	return false
}
