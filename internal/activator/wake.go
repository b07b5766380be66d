package activator

import (
	"context"
	"errors"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// waking is one environment that is being woken, for all who wait for it.
type waking struct {
	done chan struct{} // closed when err is in
	err  error
}

var (
	errTooMany = errors.New("too many requests wait for this environment")
	errSlow    = errors.New("the environment did not wake in time")
	errGone    = errors.New("the environment is being removed")
)

// awaken returns when the environment of the host is awake. It is held no longer than until ctx ends.
func (a *Activator) awaken(ctx context.Context, host string, env blueberry.Environment) error {
	a.mu.Lock()
	if a.held == nil {
		a.held, a.wakings = map[string]int{}, map[string]*waking{}
	}
	if a.held[env.ID] >= maxHeld {
		a.mu.Unlock()
		return errTooMany
	}
	a.held[env.ID]++
	w := a.wakings[env.ID]
	if w == nil {
		w = &waking{done: make(chan struct{})}
		a.wakings[env.ID] = w
		go a.wake(context.WithoutCancel(ctx), host, env.ID, w) // the one who came first may leave; the others wait on
	}
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.held[env.ID]--; a.held[env.ID] == 0 {
			delete(a.held, env.ID)
		}
	}()
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return errSlow
	}
}

// wake asks for the environment to wake and looks until it is, or Patience is over.
func (a *Activator) wake(ctx context.Context, host, id string, w *waking) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	err := a.wakeNow(ctx, host, id)
	a.mu.Lock()
	defer a.mu.Unlock()
	w.err = err
	a.noteWokenLocked(id)
	delete(a.wakings, id)
	close(w.done)
}

func (a *Activator) wakeNow(ctx context.Context, host, id string) error {
	look := time.NewTicker(lookWhileHeld)
	defer look.Stop()
	asked := false
	for {
		if !asked {
			_, err := a.Environments.WakeForRequest(ctx, id)
			switch {
			case errors.Is(err, blueberry.NotFound), errors.Is(err, blueberry.Conflict):
				return errGone
			case err == nil:
				asked = true
			default: // the record is away for a moment: ask again
				a.Logger.Warn("wake for a request", "environment", id, "error", err)
			}
		}
		if asked {
			env, err := a.findSince(ctx, host, a.Now())
			switch {
			case errors.Is(err, blueberry.NotFound), err == nil && (env.ID != id || env.Phase == blueberry.Terminating):
				return errGone
			case err == nil && env.Sleep.Asleep: // someone put it to sleep again meanwhile
				asked = false
			case err == nil && !asleep(env):
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errSlow
		case <-look.C:
		}
	}
}
