package activator

import (
	"context"
	"time"
)

// use notes that an environment is used, from now until the function that it gives is called.
func (a *Activator) use(id string) (done func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running == nil {
		a.running = map[string]int{}
	}
	a.running[id]++
	a.noteLocked(id)
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.noteLocked(id)
		if a.running[id]--; a.running[id] == 0 {
			delete(a.running, id)
		}
	}
}

func (a *Activator) noteLocked(id string) {
	if a.used == nil {
		a.used = map[string]time.Time{}
	}
	a.used[id] = a.Now()
}

// Run writes down who is used until ctx ends, and once more then.
func (a *Activator) Run(ctx context.Context) error {
	t := time.NewTicker(flushEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
			defer cancel()
			a.flush(late)
			return nil
		case <-t.C:
			a.flush(ctx)
		}
	}
}

func (a *Activator) flush(ctx context.Context) {
	a.mu.Lock()
	now := a.Now()
	for id := range a.running { // a stream that runs for hours is use all the while
		a.noteLocked(id)
	}
	used := a.used
	a.used = nil
	for id, at := range a.woken {
		if now.Sub(at) >= settle {
			delete(a.woken, id)
		}
	}
	a.mu.Unlock()
	if len(used) == 0 {
		return
	}
	if err := a.Environments.Touch(ctx, used); err != nil {
		a.Logger.Warn("note who is used", "environments", len(used), "error", err)
		a.mu.Lock()
		defer a.mu.Unlock()
		for id, at := range used { // for the next time
			if a.used == nil {
				a.used = map[string]time.Time{}
			}
			if a.used[id].Before(at) {
				a.used[id] = at
			}
		}
	}
}
