package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// lookAgain is how often a wait reads the environment when no event told it to: conditions change between events.
const lookAgain = 2 * time.Second

// view shows how a wait goes.
type view interface {
	environment(e sdk.Environment)
	event(e sdk.Event)
	notice(text string)
	tick()
	end()
}

// waitUntil follows an environment until done says so. It follows the event stream and reads the environment behind it, and stays through
// restarts of the server; a refusal ends it.
func (s *shared) waitUntil(ctx context.Context, client *sdk.Client, env sdk.Environment, timeout time.Duration, done func(sdk.Environment) (bool, error)) (sdk.Environment, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w: %s is not there after %s", errTimedOut, refOf(env), timeout))
	defer cancel()
	v := s.view()
	defer v.end()
	v.environment(env)
	w := &waiting{view: v, done: done, env: env}
	w.client = *client
	w.client.OnRetry, w.client.Patience = nil, timeout+time.Minute // ctx ends the wait, not the stream
	return w.run(ctx)
}

func (s *shared) view() view {
	switch {
	case s.quiet:
		return silent{}
	case s.streams.redraws():
		return newLiveView(s.streams)
	}
	return &plainView{out: s.streams.Err, now: s.streams.Now}
}

type waiting struct {
	view
	client sdk.Client
	done   func(sdk.Environment) (bool, error)
	env    sdk.Environment
	lost   bool // the server did not answer last time
}

func (w *waiting) run(ctx context.Context) (sdk.Environment, error) {
	if ok, err := w.done(w.env); ok || err != nil {
		return w.env, err
	}
	watchCtx, stop := context.WithCancel(ctx)
	defer stop()
	type told struct {
		event sdk.Event
		err   error
	}
	events := make(chan told)
	go func() {
		defer close(events)
		for e, err := range w.client.WatchEvents(watchCtx, w.env.ID, 0) {
			select {
			case events <- told{e, err}:
			case <-watchCtx.Done():
				return
			}
		}
	}()
	again, spin := time.NewTicker(lookAgain), time.NewTicker(100*time.Millisecond)
	defer again.Stop()
	defer spin.Stop()
	for {
		select {
		case <-ctx.Done():
			return w.env, context.Cause(ctx)
		case <-spin.C:
			w.tick()
			continue
		case t, ok := <-events:
			switch {
			case !ok:
				events = nil // the look that follows tells why
			case t.err != nil && ctx.Err() == nil && !passing(t.err):
				return w.env, t.err
			case t.err == nil:
				w.event(t.event)
			}
		case <-again.C:
		}
		if ok, err := w.look(ctx); ok || err != nil {
			return w.env, err
		}
	}
}

// look reads the environment and tells whether the wait is over.
func (w *waiting) look(ctx context.Context) (bool, error) {
	c := w.client
	c.Waits, c.Timeout = []time.Duration{}, 10*time.Second
	env, err := c.GetEnvironment(ctx, w.env.ID)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case passing(err):
		if !w.lost {
			w.notice("the server does not answer; still waiting")
		}
		w.lost = true
		return false, nil
	default:
		return false, err
	}
	if w.lost {
		w.notice("the server answers again")
	}
	w.lost = false
	if env.Version < w.env.Version {
		return false, nil // an answer that was overtaken
	}
	w.env = env
	w.environment(env)
	return w.done(env)
}

// passing reports whether an error may be over soon: the server restarts, or is busy.
func passing(err error) bool {
	var u *sdk.UnreachableError
	var p *sdk.Problem
	return errors.As(err, &u) || errors.As(err, &p) && (p.Status >= 500 || p.Status == 429)
}
