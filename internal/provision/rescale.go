package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// autoscaled gives the workloads of a revision whose number of pods an autoscaler decides, and the driver that can set it. Manifests leave that number to
// the autoscaler, and a driver does as well, so it has to be set by hand.
func autoscaled(place Place, rev blueberry.Revision) (target.Operator, []render.Autoscaled, error) {
	op, ok := place.Driver.(target.Operator)
	if !ok {
		return nil, nil, nil
	}
	list, err := render.AutoscaledOf(rev.Rendering.Files)
	return op, list, err
}

// remember writes down how many pods of autoscaled workloads run, before they are put to sleep.
func (p *Provisioner) remember(ctx context.Context, place Place, e blueberry.Environment, rev blueberry.Revision) error {
	op, list, err := autoscaled(place, rev)
	if err != nil || len(list) == 0 {
		return err
	}
	live, err := op.Replicas(ctx, refOf(e))
	if err != nil {
		return err
	}
	_, err = p.change(ctx, e.ID, func(_ Tx, now *blueberry.Environment) (bool, error) {
		if !now.Sleep.Asleep || turnedSince(e, *now) {
			return false, nil
		}
		kept, changed := map[string]int{}, false
		for _, w := range list {
			key := w.String()
			n := now.Sleep.Replicas[key]
			if live[w.ObjectRef] > 0 && live[w.ObjectRef] != n { // at 0 it sleeps already: what is known of it stays
				n, changed = live[w.ObjectRef], true
			}
			if n > 0 {
				kept[key] = n
			}
		}
		now.Sleep.Replicas = kept
		return changed, nil
	})
	return err
}

// rescale sets the number of pods of autoscaled workloads after a turn: none of one that sleeps, and as many as before of one that is awake again. It tells
// what it waits for until the place shows them so; then it is the autoscaler's again.
func (p *Provisioner) rescale(ctx context.Context, place Place, e blueberry.Environment, rev blueberry.Revision) (waiting string, err error) {
	op, list, err := autoscaled(place, rev)
	if err != nil || len(list) == 0 {
		return "", err
	}
	live, err := op.Replicas(ctx, refOf(e))
	if err != nil {
		return "", err
	}
	var set []string
	for _, w := range list {
		n, there := live[w.ObjectRef]
		want := turnedTo(e.Sleep, w, n)
		if !there || n == want {
			continue
		}
		if err := op.Scale(ctx, refOf(e), w.ObjectRef, want); err != nil {
			return "", err
		}
		set = append(set, w.String())
		if waiting == "" {
			waiting = fmt.Sprintf("%s is being scaled to %d", w.ObjectRef, want)
		}
	}
	if len(set) == 0 || e.Sleep.Asleep {
		return waiting, nil
	}
	return waiting, p.forget(ctx, e, set)
}

// turnedTo is how many pods an autoscaled workload should run after a turn that now runs n.
func turnedTo(s blueberry.Sleep, w render.Autoscaled, n int) int {
	remembered := s.Replicas[w.String()]
	switch {
	case s.Asleep:
		return 0
	case remembered > 0:
		return remembered
	}
	return max(n, w.Least) // as for a new revision, which may have come with the turn; how far beyond is not ours
}

// forget drops the numbers of pods that were brought back: from here on they are the autoscaler's.
func (p *Provisioner) forget(ctx context.Context, e blueberry.Environment, workloads []string) error {
	_, err := p.change(ctx, e.ID, func(_ Tx, now *blueberry.Environment) (bool, error) {
		if turnedSince(e, *now) {
			return false, nil
		}
		kept := maps.Clone(now.Sleep.Replicas)
		for _, w := range workloads {
			delete(kept, w)
		}
		changed := len(kept) != len(now.Sleep.Replicas)
		now.Sleep.Replicas = kept
		return changed, nil
	})
	return err
}

// scaleUp has autoscaled workloads of a new revision run as many pods as their autoscaler will ask for at least. Without it they begin with one, are found ready,
// and are not ready any more when the autoscaler looks for the first time. One that was set to none stays so: autoscalers leave it alone, too.
func (p *Provisioner) scaleUp(ctx context.Context, place Place, e blueberry.Environment, rev blueberry.Revision) error {
	op, list, err := autoscaled(place, rev)
	list = slices.DeleteFunc(list, func(w render.Autoscaled) bool { return w.Least == 1 })
	if err != nil || len(list) == 0 || e.Sleep.Asleep {
		return err
	}
	live, err := op.Replicas(ctx, refOf(e))
	if err != nil {
		return err
	}
	for _, w := range list {
		if n := live[w.ObjectRef]; 0 < n && n < w.Least {
			if err := op.Scale(ctx, refOf(e), w.ObjectRef, w.Least); err != nil {
				return err
			}
		}
	}
	return nil
}

// sync is Sync of the driver with what a new revision and a turn need around it.
func (p *Provisioner) sync(ctx context.Context, place Place, e blueberry.Environment, rev blueberry.Revision, d target.Desired) (target.Progress, error) {
	if e.Sleep.Step != blueberry.TurnAsked {
		prog, err := place.Driver.Sync(ctx, d)
		if err == nil && prog.Done && e.Synced != rev.Number {
			err = p.scaleUp(ctx, place, e, rev)
			if errors.Is(err, blueberry.Forbidden) || errors.Is(err, blueberry.Invalid) || errors.Is(err, blueberry.Conflict) {
				err = nil // what is refused is left to the autoscaler, which comes a little later
			}
		}
		return prog, err
	}
	if e.Sleep.Asleep {
		if err := p.remember(ctx, place, e, rev); err != nil {
			return target.Progress{}, err
		}
	}
	prog, err := place.Driver.Sync(ctx, d)
	if err != nil || !prog.Done {
		return prog, err
	}
	if prog.Waiting, err = p.rescale(ctx, place, e, rev); err != nil {
		return prog, err
	}
	prog.Done = prog.Waiting == ""
	p.at(appliedStep(e.Sleep.Asleep))
	return prog, nil
}
