package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// pullControls does to environments what people write below pull requests, by the operations that people use.
type pullControls struct {
	provisioner *provision.Provisioner
	store       *store.Store
}

// Extend extends the lease of one.
func (p pullControls) Extend(ctx context.Context, actor blueberry.Actor, id string, hours int) error {
	_, err := p.provisioner.Extend(ctx, actor, id, hours, 0)
	return err
}

// Sleep has one fall asleep.
func (p pullControls) Sleep(ctx context.Context, actor blueberry.Actor, id string) error {
	_, err := p.provisioner.Sleep(ctx, actor, id, 0)
	return err
}

// Wake has one run again.
func (p pullControls) Wake(ctx context.Context, actor blueberry.Actor, id string) error {
	_, err := p.provisioner.Wake(ctx, actor, id, 0)
	return err
}

// Plan tells what a wish would make of one, or of one that would be new.
func (p pullControls) Plan(ctx context.Context, actor blueberry.Actor, id string, w source.EnvironmentWish) (plan blueberry.Plan, blocked, err error) {
	if id == "" {
		plan, err = p.provisioner.PlanCreate(ctx, actor, provision.CreateRequest{
			Project: w.Project, Name: w.Name, Target: w.Target, Hours: w.Hours, Restricted: w.Restricted, Wish: wishOf(w),
		})
	} else {
		plan, err = p.provisioner.Plan(ctx, actor, id, provision.PlanRequest{Change: &provision.ChangeRequest{Wish: wishOf(w), Reason: w.Reason}})
	}
	if err != nil {
		return plan, nil, err
	}
	return plan, provision.Blockers(plan), nil
}

// setAttempts is how often an override is made anew that another change has overtaken.
const setAttempts = 5

// Set overrides one value beside the overrides that there are.
func (p pullControls) Set(ctx context.Context, actor blueberry.Actor, id string, keys []string, value any, reason string) (blueberry.Plan, error) {
	for attempt := 1; ; attempt++ {
		var e blueberry.Environment
		var rev blueberry.Revision
		err := p.store.View(ctx, func(tx *store.Tx) (err error) {
			if e, err = tx.Environment(ctx, id); err != nil {
				return err
			}
			rev, err = tx.RevisionInputs(ctx, e.ID, e.Revision)
			return err
		})
		if err != nil {
			return blueberry.Plan{}, err
		}
		done, err := p.provisioner.Change(ctx, actor, id, provision.ChangeRequest{
			Wish: provision.Wish{Overrides: override(rev.Overrides, keys, value)}, Reason: reason, IfVersion: e.Version,
		})
		if errors.Is(err, blueberry.PreconditionFailed) && attempt < setAttempts {
			continue
		}
		return done.Plan, err
	}
}

// override gives a tree of values with one more, at the path of the keys. The tree itself stays as it is.
func override(tree map[string]any, keys []string, value any) map[string]any {
	out := maps.Clone(tree)
	if out == nil {
		out = map[string]any{}
	}
	if len(keys) > 1 {
		below, _ := out[keys[0]].(map[string]any)
		value = override(below, keys[1:], value)
	}
	out[keys[0]] = value
	return out
}

// maxLogBytes is how much is read of each container for lines in a comment.
const maxLogBytes = 64 << 10

// Logs gives the last lines of one, of all its containers by time.
func (p pullControls) Logs(ctx context.Context, actor blueberry.Actor, id, component string, lines int) ([]source.LogLine, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var out []source.LogLine
	last := func() {
		slices.SortStableFunc(out, func(a, b source.LogLine) int { return a.At.Compare(b.At) })
		out = slices.Delete(out, 0, max(0, len(out)-lines))
	}
	err := p.provisioner.Logs(ctx, actor, id, target.LogQuery{Component: component, Tail: lines, MaxBytes: maxLogBytes}, func(l target.LogLine) error {
		if out = append(out, source.LogLine{At: l.At, Component: l.Component, Text: l.Text}); len(out) > 10*lines {
			last()
		}
		return nil
	})
	last()
	return out, err
}
