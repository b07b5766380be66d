package provision

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Get reads one environment.
func (p *Provisioner) Get(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Environment, error) {
	return view(ctx, p, actor, func(tx Tx) (blueberry.Environment, error) { return tx.Environment(ctx, id) })
}

// List reads one page of environments.
func (p *Provisioner) List(ctx context.Context, actor blueberry.Actor, q blueberry.EnvironmentQuery) (blueberry.EnvironmentPage, error) {
	return view(ctx, p, actor, func(tx Tx) (blueberry.EnvironmentPage, error) { return tx.ListEnvironments(ctx, q) })
}

// Revision reads one revision with its rendering; number 0 means the desired one.
func (p *Provisioner) Revision(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, error) {
	return view(ctx, p, actor, func(tx Tx) (blueberry.Revision, error) {
		e, err := tx.Environment(ctx, id)
		if err != nil {
			return blueberry.Revision{}, err
		}
		if number == 0 {
			number = e.Revision
		}
		return tx.Revision(ctx, id, number)
	})
}

// Objects reads the ledger: every object that was or may have been made. Of a terminated environment it is the receipt.
func (p *Provisioner) Objects(ctx context.Context, actor blueberry.Actor, id string) ([]blueberry.LedgerEntry, error) {
	return view(ctx, p, actor, func(tx Tx) ([]blueberry.LedgerEntry, error) {
		if _, err := tx.Environment(ctx, id); err != nil {
			return nil, err
		}
		return tx.LedgerOf(ctx, id)
	})
}

// Events reads events in the order in which they were recorded.
func (p *Provisioner) Events(ctx context.Context, actor blueberry.Actor, q blueberry.EventQuery) ([]blueberry.Event, error) {
	return view(ctx, p, actor, func(tx Tx) ([]blueberry.Event, error) {
		if q.EnvironmentID != "" {
			if _, err := tx.Environment(ctx, q.EnvironmentID); err != nil {
				return nil, err
			}
		}
		return tx.Events(ctx, q)
	})
}

func view[T any](ctx context.Context, p *Provisioner, actor blueberry.Actor, read func(tx Tx) (T, error)) (T, error) {
	var out T
	if err := actor.Can(blueberry.GrantEnvironmentsRead); err != nil {
		return out, err
	}
	err := p.Record.View(ctx, func(tx Tx) (err error) {
		out, err = read(tx)
		return err
	})
	return out, err
}

// TargetState is a target and whether it can be reached now.
type TargetState struct {
	blueberry.Target
	Reachable bool
	Message   string // why not
}

// targetCheck is how long a target may take to say that it is there.
const targetCheck = 3 * time.Second

// Targets lists the targets by name, each asked now.
func (p *Provisioner) Targets(ctx context.Context, actor blueberry.Actor) ([]TargetState, error) {
	if err := actor.Can(blueberry.GrantTargetsRead); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, targetCheck)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var out []TargetState
	for _, place := range p.Places {
		wg.Go(func() {
			s := TargetState{Target: place.Target, Reachable: true}
			if err := place.Driver.Check(ctx); err != nil {
				s.Reachable, s.Message = false, err.Error()
			}
			mu.Lock()
			out = append(out, s)
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.SortFunc(out, func(a, b TargetState) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out, nil
}
