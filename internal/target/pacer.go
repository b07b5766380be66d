package target

import (
	"context"
	"sync"
	"time"
)

// Pace is the shortest time between two calls for one environment (Driver.Watch).
const Pace = 100 * time.Millisecond

// Pacer stands between a driver that sees many small changes and the function that wants to hear of each environment at most once in a Pace. The
// first change is passed on at once; those that follow within a Pace become one call at its end. No change is dropped: after the last Mark of an
// environment there is a call. The zero Pacer is ready to use.
type Pacer struct {
	mu      sync.Mutex
	pending map[Ref]bool      // marked, not yet told
	told    map[Ref]time.Time // within the last Pace
	wake    chan struct{}
}

// Mark notes that something of an environment may have changed. The zero Ref means all.
func (p *Pacer) Mark(ref Ref) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prepare()
	p.pending[ref] = true
	select {
	case p.wake <- struct{}{}:
	default: // a wake-up is waiting already
	}
}

// Run calls changed for what was marked, one call at a time, until ctx ends. There is one Run for a Pacer.
func (p *Pacer) Run(ctx context.Context, changed func(Ref)) {
	p.mu.Lock()
	p.prepare()
	p.mu.Unlock()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		due, next := p.due(time.Now())
		for _, ref := range due {
			if ctx.Err() != nil {
				return
			}
			changed(ref)
		}
		var later <-chan time.Time
		if next > 0 {
			timer.Reset(next)
			later = timer.C
		}
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-later:
		}
	}
}

// due takes what may be told now, and says how long until there is more; 0 means that a Mark has to come first.
func (p *Pacer) due(now time.Time) (due []Ref, next time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ref, at := range p.told {
		if now.Sub(at) >= Pace {
			delete(p.told, ref)
		}
	}
	for ref := range p.pending {
		at, recent := p.told[ref]
		if !recent {
			due = append(due, ref)
			delete(p.pending, ref)
			p.told[ref] = now
			continue
		}
		if wait := Pace - now.Sub(at); next == 0 || wait < next {
			next = wait
		}
	}
	return due, next
}

func (p *Pacer) prepare() {
	if p.wake == nil {
		p.pending, p.told, p.wake = map[Ref]bool{}, map[Ref]time.Time{}, make(chan struct{}, 1)
	}
}
