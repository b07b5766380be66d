package provision

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

const (
	deadlineTick = time.Second // how late a deadline may be seen
	sweepPage    = 100         // environments enqueued at once, then a pause, so that requests of people go first
	sweepPause   = 500 * time.Millisecond
)

// Run follows the targets and the clock, and enqueues what they call for, until ctx ends. It does no work itself.
func (p *Provisioner) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.runDeadlines(ctx) })
	g.Go(func() error { return p.runPlaces(ctx) })
	g.Go(func() error { return p.runRetention(ctx) })
	return g.Wait()
}

// enqueue has the environment that holds the namespace looked at; it reports whether the record took it. A change of an object that belongs to no
// environment is not ours.
func (p *Provisioner) enqueue(ctx context.Context, targetName string, ref target.Ref) bool {
	err := p.Record.Update(ctx, func(tx Tx) error {
		id, err := tx.FindEnvironment(ctx, targetName, ref.Namespace)
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, id)
	})
	if err == nil || errors.Is(err, blueberry.NotFound) || ctx.Err() != nil {
		return true
	}
	p.Logger.Error("enqueue after change on target", "target", targetName, "namespace", ref.Namespace, "error", err)
	return false
}

// runSweeps enqueues every living environment of the target whenever it is told to.
func (p *Provisioner) runSweeps(ctx context.Context, targetName string, sweep <-chan struct{}) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep:
		}
		for after := ""; ; {
			ids, err := p.sweepPage(ctx, targetName, after)
			if err != nil {
				if !pause(ctx, sweepPause) {
					break
				}
				p.Logger.Error("sweep target", "target", targetName, "error", err)
				continue // with the same page: a record that is away for a moment must not cost anyone their turn
			}
			if len(ids) < sweepPage || !pause(ctx, sweepPause) {
				break
			}
			after = ids[len(ids)-1]
		}
	}
}

func (p *Provisioner) sweepPage(ctx context.Context, targetName, after string) (ids []string, err error) {
	err = p.Record.Update(ctx, func(tx Tx) error {
		if ids, err = tx.LiveEnvironments(ctx, targetName, after, sweepPage); err != nil {
			return err
		}
		return enqueueAll(ctx, tx, ids)
	})
	return ids, err
}

// enqueueAll goes in the order of ids, so that two processes do not lock the same jobs crosswise.
func enqueueAll(ctx context.Context, tx Tx, ids []string) error {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, id); err != nil {
			return err
		}
	}
	return nil
}

// pause waits and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
