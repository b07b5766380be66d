package activator

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// hostOf is the host of a request as environments have theirs: without port and final dot, in lower case.
func hostOf(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// find gives the environment of a host, no older than stateAge. Those who ask at once share one look.
func (a *Activator) find(ctx context.Context, host string) (blueberry.Environment, error) {
	env, _, err := a.found(ctx, host)
	return env, err
}

// findSince is find by a look that was begun at a time or later. Those who ask at once share it, so that an environment which answers all with an error of its
// own costs one look at a time.
func (a *Activator) findSince(ctx context.Context, host string, since time.Time) (blueberry.Environment, error) {
	for {
		a.mu.Lock()
		if k := a.known[host]; k != nil && k.done == nil && k.at.Before(since) {
			delete(a.known, host)
		}
		a.mu.Unlock()
		if env, at, err := a.found(ctx, host); err != nil || !at.Before(since) {
			return env, err
		}
	}
}

// found is find, with when the look at it was begun.
func (a *Activator) found(ctx context.Context, host string) (blueberry.Environment, time.Time, error) {
	for {
		a.mu.Lock()
		k := a.known[host]
		if k != nil && k.done != nil {
			done := k.done
			a.mu.Unlock()
			select {
			case <-done:
				if k.err == nil || !errors.Is(k.err, context.Canceled) {
					return k.env, k.at, k.err
				}
				continue // the one who looked went away
			case <-ctx.Done():
				return blueberry.Environment{}, time.Time{}, ctx.Err()
			}
		}
		if k != nil && a.Now().Sub(k.at) < stateAge && !a.Now().Before(k.at) {
			a.mu.Unlock()
			return k.env, k.at, k.err
		}
		if a.known == nil || len(a.known) >= maxKnown {
			a.known = map[string]*known{} // a flood of made-up hosts costs the others one look each
		}
		k = &known{at: a.Now(), done: make(chan struct{})}
		a.known[host] = k
		a.mu.Unlock()
		env, err := a.look(ctx, host, k)
		return env, k.at, err
	}
}

func (a *Activator) look(ctx context.Context, host string, k *known) (blueberry.Environment, error) {
	env, err := a.Environments.HostEnvironment(ctx, host)
	a.mu.Lock()
	defer a.mu.Unlock()
	done := k.done
	k.env, k.err, k.done = env, err, nil
	close(done) // those who wait read what stands there now
	if err != nil && !errors.Is(err, blueberry.NotFound) && a.known[host] == k {
		delete(a.known, host) // the record was away: the next one looks again
	}
	if err == nil && asleep(env) {
		a.noteWokenLocked(env.ID)
	}
	return env, err
}

func (a *Activator) noteWokenLocked(id string) {
	if a.woken == nil {
		a.woken = map[string]time.Time{}
	}
	a.woken[id] = a.Now()
}

// wokenAt is when an environment was last seen asleep, or awake after that; its ingress may not know of the pods for a while. Zero for one that was not.
func (a *Activator) wokenAt(id string) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.woken[id]
}
