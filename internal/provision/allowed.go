package provision

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// allowed is nil when the actor holds the grant on the environment. Where an environment belongs never changes, so it is asked once, before all else.
func (p *Provisioner) allowed(ctx context.Context, actor blueberry.Actor, id string, grant blueberry.Grant) error {
	if actor.Can(grant) == nil {
		return nil // everywhere: what the environment is need not be known for that
	}
	return p.Record.View(ctx, func(tx Tx) error {
		_, err := environmentFor(ctx, tx, actor, id, grant)
		return err
	})
}

// environmentFor reads an environment for an actor who holds the grant on it. What they may not know of is not there.
func environmentFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, grant blueberry.Grant) (blueberry.Environment, error) {
	e, err := tx.Environment(ctx, id)
	if err != nil {
		return blueberry.Environment{}, err
	}
	if err := actor.CanOn(e.Project, grant, blueberry.Errorf(blueberry.NotFound, "ENVIRONMENT_NOT_FOUND", "there is no environment %q", id)); err != nil {
		return blueberry.Environment{}, err
	}
	return e, nil
}

// planFor is environmentFor for a plan.
func planFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, grant blueberry.Grant) (blueberry.Plan, error) {
	plan, err := tx.Plan(ctx, id)
	if err != nil {
		return blueberry.Plan{}, err
	}
	if err := actor.CanOn(plan.Project, grant, blueberry.Errorf(blueberry.NotFound, "PLAN_NOT_FOUND", "there is no plan %q", id)); err != nil {
		return blueberry.Plan{}, err
	}
	return plan, nil
}

// viewOf reads something of an environment for an actor who may read it.
func viewOf[T any](ctx context.Context, p *Provisioner, actor blueberry.Actor, id string, read func(tx Tx, e blueberry.Environment) (T, error)) (T, error) {
	return view(ctx, p, func(tx Tx) (T, error) {
		e, err := environmentFor(ctx, tx, actor, id, blueberry.GrantEnvironmentsRead)
		if err != nil {
			var none T
			return none, err
		}
		return read(tx, e)
	})
}

// view reads; whether the actor may is the affair of the closure.
func view[T any](ctx context.Context, p *Provisioner, read func(tx Tx) (T, error)) (out T, err error) {
	err = p.Record.View(ctx, func(tx Tx) (err error) {
		out, err = read(tx)
		return err
	})
	return out, err
}
