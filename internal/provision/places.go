package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Places are the targets that this server has a driver open for. They come and go as targets are registered, changed and removed.
type Places interface {
	// Place gives the one of a target: Unavailable with code TARGET_UNKNOWN when the server knows no such target, with another code when it has no driver
	// for it now.
	Place(name string) (Place, error)
	// All gives those that have a driver, by name.
	All() []Place
	// Changed is closed when a place comes, goes, or gets another driver. It is asked before All, so that nothing is missed. Nil never is.
	Changed() <-chan struct{}
}

// Place is a target with the driver that reaches it.
type Place struct {
	blueberry.Target
	Driver      target.Driver // comparable: a place whose driver is another value is another place
	KubeVersion string        // that charts are rendered for: "v1.36.3"; empty means the one built into render

	// Release lets the drivers that held environments here before let go of one, without touching what runs. It is called again until it is nil; nil is
	// proof. Nil when there is nothing to let go.
	Release func(ctx context.Context, ref target.Ref) error
	// Former is the driver with files in Git that held environments here before; nil for none. Its files go before Release is called, or what is let go
	// would come again.
	Former target.Delivery
}

// placeOfNew gives the place that a new environment asks for. That there is none, or that it takes no new ones, is a fault of the request.
func (p *Provisioner) placeOfNew(name string, faults *blueberry.Faults) (Place, error) {
	place, err := p.place(name)
	if e := (*blueberry.Error)(nil); errors.As(err, &e) && e.Code == "TARGET_UNKNOWN" {
		faults.Add("target", "unknown", "%q is not a target of this installation", name)
		return Place{}, nil
	}
	if err == nil && !place.Takes() {
		*faults = append(*faults, cordonedFault(place.Target))
	}
	return place, err
}

func cordonedFault(t blueberry.Target) blueberry.Fault {
	f := blueberry.Fault{Field: "target", Code: "cordoned", Message: fmt.Sprintf("%q takes no new environments", t.Name)}
	if t.Reason != "" {
		f.Message += ": " + t.Reason
	}
	return f
}

// stillTakes makes sure, in the transaction that records a new environment, that its target takes one. A target that was never registered is that of the
// server's configuration.
func stillTakes(ctx context.Context, tx Tx, name string) error {
	t, err := tx.Target(ctx, name)
	if errors.Is(err, blueberry.NotFound) || err == nil && t.Takes() {
		return nil
	}
	if err != nil {
		return err
	}
	return blueberry.Faults{cordonedFault(t)}.Err()
}

// FixedPlaces are places that never change, by name.
func FixedPlaces(places map[string]Place) Places { return fixedPlaces(places) }

type fixedPlaces map[string]Place

func (f fixedPlaces) Place(name string) (Place, error) {
	if place, ok := f[name]; ok {
		return place, nil
	}
	return Place{}, blueberry.Errorf(blueberry.Unavailable, "TARGET_UNKNOWN", "target %q is not configured on this server", name)
}

func (f fixedPlaces) All() []Place {
	out := make([]Place, 0, len(f))
	for _, name := range slices.Sorted(maps.Keys(f)) {
		out = append(out, f[name])
	}
	return out
}

func (fixedPlaces) Changed() <-chan struct{} { return nil }

// watching is a place that is followed.
type watching struct {
	driver target.Driver
	stop   context.CancelFunc
}

// runPlaces follows every place for as long as it is there. Of a place that comes, or is replaced by another, every living environment is looked at.
func (p *Provisioner) runPlaces(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	followed := map[string]watching{}
	for {
		changed := p.Places.Changed()
		there := map[string]bool{}
		for _, place := range p.Places.All() {
			there[place.Name] = true
			was, known := followed[place.Name]
			if known && was.driver == place.Driver {
				continue
			}
			if known { // what was applied through another driver, perhaps elsewhere, says nothing of this one
				was.stop()
				p.synced.clear()
				p.delivered.of.Clear()
			}
			here, stop := context.WithCancel(ctx)
			followed[place.Name] = watching{place.Driver, stop}
			g.Go(func() error { defer stop(); p.followPlace(here, place); return nil })
		}
		for name, was := range followed {
			if !there[name] {
				was.stop()
				delete(followed, name)
			}
		}
		select {
		case <-ctx.Done():
			return g.Wait()
		case <-changed:
		}
	}
}

// watchAgain is how long a watch rests that ended though nobody asked for it.
const watchAgain = 5 * time.Second

// followPlace enqueues what a place calls for, until ctx ends.
func (p *Provisioner) followPlace(ctx context.Context, place Place) {
	sweep := make(chan struct{}, 1)
	all := func() {
		select {
		case sweep <- struct{}{}:
		default:
		}
	}
	all() // at the start nothing is known of what happened before
	done := make(chan struct{})
	go func() { defer close(done); _ = p.runSweeps(ctx, place.Name, sweep) }()
	defer func() { <-done }()
	for {
		err := place.Driver.Watch(ctx, func(ref target.Ref) {
			// A change that the record did not take must not be lost: all are looked at as soon as it is back.
			if ref == (target.Ref{}) || !p.enqueue(ctx, place.Name, ref) {
				all()
			}
		})
		if ctx.Err() != nil {
			return
		}
		p.Logger.Error("watch target", "target", place.Name, "error", err)
		if !pause(ctx, watchAgain) {
			return
		}
	}
}

// clear forgets all: each environment is applied once more when it is looked at.
func (s *syncedSet) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.of)
}
