package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const drainPage = 100 // environments that begin to end at once; then a pause, so that requests of people go first

// Drain is the worker of target.drain: it begins the removal of every environment with a lease from a target that is being drained. Those that are pinned, or
// never end, stand until someone ends them. It stops as soon as the target is no longer drained.
func (p *Provisioner) Drain(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	for after := ""; ; {
		var t blueberry.Target
		list, err := view(ctx, p, func(tx Tx) (_ []blueberry.Environment, err error) {
			if t, err = tx.Target(ctx, job.Subject); err != nil {
				return nil, err
			}
			return tx.LiveNamespaces(ctx, job.Subject, after, drainPage)
		})
		if errors.Is(err, blueberry.NotFound) || err == nil && t.State != blueberry.TargetDraining {
			return blueberry.JobOutcome{}, nil
		}
		if err != nil {
			return blueberry.JobOutcome{}, err
		}
		for _, e := range list {
			if err := p.drainOne(ctx, t, e.ID); err != nil {
				return blueberry.JobOutcome{}, fmt.Errorf("drain target %s: %w", t.Name, err)
			}
			after = e.ID
		}
		if len(list) < drainPage || !pause(ctx, sweepPause) {
			return blueberry.JobOutcome{}, ctx.Err()
		}
	}
}

func (p *Provisioner) drainOne(ctx context.Context, t blueberry.Target, id string) error {
	_, err := p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if now, err := tx.Target(ctx, t.Name); err != nil || now.State != blueberry.TargetDraining || !e.Drains() {
			return false, err
		}
		message := fmt.Sprintf("target %s, which %s is on, is being drained", t.Name, e.Name)
		if t.Reason != "" {
			message += ": " + t.Reason
		}
		return true, p.end(ctx, tx, e, blueberry.System(), "TargetDrained", blueberry.EnvironmentDestroyAsked, message)
	})
	return err
}
