package provision

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// Cost tells what an environment costs now, and has cost; nil where no prices are set, and none were while it was there.
func (p *Provisioner) Cost(ctx context.Context, actor blueberry.Actor, id string) (*blueberry.EnvironmentCost, error) {
	return viewOf(ctx, p, actor, id, func(tx Tx, e blueberry.Environment) (*blueberry.EnvironmentCost, error) {
		return costOf(ctx, tx, e, p.Now())
	})
}

// costOf sums up an environment until now, as it is in e. The span that goes on counts until now.
func costOf(ctx context.Context, tx Tx, e blueberry.Environment, now time.Time) (*blueberry.EnvironmentCost, error) {
	sheet, err := tx.Prices(ctx, e.Target, false)
	if err != nil || len(sheet) == 0 {
		return nil, err
	}
	spans, err := tx.CostSpans(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	return blueberry.CostOf(e, spans, sheet, now), nil
}

// count notes what the draft asks for. A rollback and an undo bring a rendering with them; what was rendered now was counted then.
func (d *draft) count() (err error) {
	switch {
	case d.kind == blueberry.PlanDestroy:
		return nil
	case d.out.Requests.Revision == d.rev.Number && len(d.out.Files) > 0:
		d.requests = d.out.Requests
	default:
		d.requests, err = render.Requests(d.rev.Rendering, d.rev.Number)
	}
	if d.kind == blueberry.PlanCreate {
		d.env.Requests = d.requests
	}
	return err
}

// asked is what the environment asks for as it is. Of one that was recorded before requests were kept, its rendering tells.
func (d *draft) asked() (blueberry.Requests, error) {
	switch {
	case d.base.Number == 0 || d.env.Requests.Revision == d.base.Number || len(d.base.Rendering.Files) == 0:
		return d.env.Requests, nil
	}
	return render.Requests(d.base.Rendering, d.base.Number)
}

// planCost prices a draft; nil where no prices are set for the target.
func (p *Provisioner) planCost(ctx context.Context, d *draft) (*blueberry.PlanCost, error) {
	var sheet blueberry.PriceSheet
	if err := p.Record.View(ctx, func(tx Tx) (err error) {
		sheet, err = tx.Prices(ctx, d.env.Target, false)
		return err
	}); err != nil {
		return nil, err
	}
	prices, ok := sheet.At(d.env.Target, d.now)
	if !ok {
		return nil, nil
	}
	var before blueberry.Requests
	var span time.Duration
	var err error
	switch end := d.env.Lease.ExpiresAt; d.kind {
	case blueberry.PlanCreate:
		span = time.Duration(d.hours) * time.Hour
	case blueberry.PlanDestroy:
		before = d.env.Requests
	default:
		if before, err = d.asked(); err != nil {
			return nil, err
		}
		if !end.IsZero() {
			span = end.Sub(d.now)
		}
	}
	return blueberry.NewPlanCost(prices, before, d.requests, span), nil
}

// countOld notes what the desired revision of an environment asks for that was recorded before requests were kept, or written by the version before. From
// then on its time is counted.
func (p *Provisioner) countOld(ctx context.Context, e blueberry.Environment) error {
	if e.Requests.Revision == e.Revision || !alive(e) {
		return nil
	}
	var rev blueberry.Revision
	err := p.Record.View(ctx, func(tx Tx) (err error) {
		rev, err = tx.Revision(ctx, e.ID, e.Revision)
		return err
	})
	if err != nil {
		return err
	}
	asked, err := render.Requests(rev.Rendering, rev.Number)
	if err != nil {
		return err
	}
	_, err = p.change(ctx, e.ID, func(_ Tx, e *blueberry.Environment) (bool, error) {
		if e.Revision != asked.Revision || e.Requests.Revision == e.Revision || !alive(*e) {
			return false, nil
		}
		e.Requests = asked
		return true, nil
	})
	return err
}
