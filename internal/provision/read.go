package provision

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Get reads one environment.
func (p *Provisioner) Get(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Environment, error) {
	return viewOf(ctx, p, actor, id, func(_ Tx, e blueberry.Environment) (blueberry.Environment, error) { return e, nil })
}

// Detail reads one environment with what its desired revision is made of.
func (p *Provisioner) Detail(ctx context.Context, actor blueberry.Actor, id string) (e blueberry.Environment, r blueberry.Revision, err error) {
	r, err = viewOf(ctx, p, actor, id, func(tx Tx, found blueberry.Environment) (blueberry.Revision, error) {
		e = found
		return tx.RevisionInputs(ctx, id, found.Revision)
	})
	return e, r, err
}

// List reads one page of the environments that the actor may read.
func (p *Provisioner) List(ctx context.Context, actor blueberry.Actor, q blueberry.EnvironmentQuery) (page blueberry.EnvironmentPage, err error) {
	if q.In, err = actor.Within(q.Project, blueberry.GrantEnvironmentsRead); err != nil {
		return page, err
	}
	return view(ctx, p, func(tx Tx) (blueberry.EnvironmentPage, error) { return tx.ListEnvironments(ctx, q) })
}

// Revision reads one revision with its rendering; number 0 means the desired one.
func (p *Provisioner) Revision(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, error) {
	return viewOf(ctx, p, actor, id, func(tx Tx, e blueberry.Environment) (blueberry.Revision, error) {
		return tx.Revision(ctx, id, orDesired(e, number))
	})
}

// Objects reads the ledger: every object that was or may have been made. Of a terminated environment it is the receipt.
func (p *Provisioner) Objects(ctx context.Context, actor blueberry.Actor, id string) ([]blueberry.LedgerEntry, error) {
	return viewOf(ctx, p, actor, id, func(tx Tx, _ blueberry.Environment) ([]blueberry.LedgerEntry, error) { return tx.LedgerOf(ctx, id) })
}

// Events reads events in the order in which they were recorded: of one environment, or all that the actor may read. Those of no project are for who may
// read every one.
func (p *Provisioner) Events(ctx context.Context, actor blueberry.Actor, q blueberry.EventQuery) ([]blueberry.Event, error) {
	found, _, err := p.EventsUntil(ctx, actor, q)
	return found, err
}

// EventsUntil is Events, and tells the Seq up to which there is nothing more to read. It moves with what the actor may not read too, so that who follows
// the record from there is not woken again by what is past.
func (p *Provisioner) EventsUntil(ctx context.Context, actor blueberry.Actor, q blueberry.EventQuery) (found []blueberry.Event, until int64, err error) {
	q.In = nil
	if q.EnvironmentID == "" {
		if q.In, err = actor.Within("", blueberry.GrantEnvironmentsRead); err != nil {
			return nil, 0, err
		}
	}
	err = p.Record.View(ctx, func(tx Tx) error {
		if q.EnvironmentID != "" {
			if _, err := environmentFor(ctx, tx, actor, q.EnvironmentID, blueberry.GrantEnvironmentsRead); err != nil {
				return err
			}
		}
		if until, err = tx.MaxEventSeq(ctx); err != nil { // first: events up to it are seen by the read that follows
			return err
		}
		if found, err = tx.Events(ctx, q); err != nil {
			return err
		}
		until = max(until, q.After)
		if n := len(found); n > 0 && (n >= pageLimit(q.Limit) || found[n-1].Seq > until) {
			until = found[n-1].Seq
		}
		return nil
	})
	return found, until, err
}

// pageLimit is how many rows the record gives at most.
func pageLimit(limit int) int {
	if limit <= 0 {
		return blueberry.DefaultPageSize
	}
	return min(limit, blueberry.MaxPageSize)
}
