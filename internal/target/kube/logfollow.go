package kube

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// retryLog is how soon a log that ended while its container goes on, or that could not be read, is opened again.
const retryLog = time.Second

// follower reads the logs of the containers that are there, and of those that come.
type follower struct {
	driver *Driver
	ref    target.Ref
	query  target.LogQuery
	merger *merger
	ended  chan finished
	wg     sync.WaitGroup

	runs    map[runKey]*followed
	reading int
	looked  bool // at the pods, once
}

// runKey names one run of one container.
type runKey struct{ uid, container, run string }

// followed is how far the log of a run was read.
type followed struct {
	source
	reading   bool
	done      bool      // it is read to its end
	last      time.Time // of the last line that was told
	notBefore time.Time // when to open it again
	initial   bool      // it was there at the begin: Tail is about it
	seen      bool      // by the last look at the pods
}

// finished says that a stream ended.
type finished struct {
	run  *followed
	last time.Time
	done bool
	err  error
}

// followLogs tells what is logged until ctx ends. What is watched tells when to look at the pods again.
func (d *Driver) followLogs(ctx context.Context, ref target.Ref, q target.LogQuery, tell func(target.LogLine) error) error {
	d.begin()
	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	f := &follower{
		driver: d, ref: ref, query: q, merger: newMerger(true), ended: make(chan finished), runs: map[runKey]*followed{},
	}
	if err := f.look(ctx); err != nil { // what fails at the begin is told at once
		cancel(nil)
		return err
	}
	changed := make(chan struct{}, 1)
	pacer := &target.Pacer{}
	d.cache.listen(pacer)
	defer d.cache.unlisten(pacer)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer f.wg.Wait()
	defer cancel(nil)
	wg.Go(func() {
		pacer.Run(ctx, func(r target.Ref) {
			if r == (target.Ref{}) || keyOf(r) == keyOf(ref) {
				select {
				case changed <- struct{}{}:
				default:
				}
			}
		})
	})
	wg.Go(func() {
		if err := f.run(ctx, changed); err != nil {
			cancel(err)
		}
	})
	err := f.merger.run(ctx, tell)
	switch cause := context.Cause(ctx); {
	case outer.Err() != nil:
		return nil
	case cause != nil && errors.Is(err, context.Canceled):
		return cause
	}
	return err
}

// run looks at the pods whenever they may have changed, and again while something could not be read to its end.
func (f *follower) run(ctx context.Context, changed <-chan struct{}) error {
	retry := time.NewTicker(retryLog)
	defer retry.Stop()
	blind := false // the last look failed
	for {
		f.begin(ctx)
		select {
		case <-changed:
		case <-retry.C:
			if !blind && !f.waits() {
				continue
			}
		case e := <-f.ended:
			f.note(e)
			if e.err != nil && !errors.Is(e.err, blueberry.Unavailable) {
				return e.err
			}
			continue
		case <-ctx.Done():
			return nil
		}
		err := f.look(ctx)
		blind = errors.Is(err, blueberry.Unavailable) // it comes back, and then we carry on
		if err != nil && !blind && ctx.Err() == nil {
			return err
		}
	}
}

// waits reports whether a run is to be opened again.
func (f *follower) waits() bool {
	for _, r := range f.runs {
		if !r.reading && !r.done {
			return true
		}
	}
	return false
}

// look notes which runs there are, and forgets those of pods that are gone.
func (f *follower) look(ctx context.Context) error {
	sources, err := f.driver.sources(ctx, f.ref, f.query)
	if err != nil {
		return err
	}
	for _, r := range f.runs {
		r.seen = false
	}
	for _, s := range sources {
		key := runKey{s.uid, s.container, s.run}
		if f.runs[key] == nil {
			f.runs[key] = &followed{initial: !f.looked}
		}
		f.runs[key].source, f.runs[key].seen = s, true
	}
	for key, r := range f.runs {
		if !r.seen && !r.reading {
			delete(f.runs, key)
		}
	}
	f.looked = true
	return nil
}

// begin opens what is not read and not done, as many at once as may be.
func (f *follower) begin(ctx context.Context) {
	now := time.Now()
	for _, r := range f.runs {
		if r.reading || r.done || !r.seen || now.Before(r.notBefore) || f.reading >= maxStreams {
			continue
		}
		r.reading = true
		f.reading++
		s := r.source
		how := reading{LogQuery: f.query, after: r.last}
		how.Follow = !s.ended
		if !r.initial {
			how.Tail = 0
		}
		f.wg.Go(func() { f.read(ctx, r, s, how) })
	}
}

// read reads one log as far as it goes.
func (f *follower) read(ctx context.Context, r *followed, s source, how reading) {
	out := finished{run: r, last: how.after}
	if st := f.merger.join(ctx); st != nil {
		var enough bool
		enough, out.err = f.driver.readLog(ctx, s, how, func(l target.LogLine) error {
			err := st.give(ctx, l)
			if err == nil {
				out.last = l.At
			}
			return err
		})
		st.end(ctx)
		out.done = out.err == nil && (enough || s.ended)
	}
	select {
	case f.ended <- out:
	case <-ctx.Done():
	}
}

func (f *follower) note(e finished) {
	f.reading--
	e.run.reading, e.run.done, e.run.last = false, e.done, e.last
	e.run.notBefore = time.Now().Add(retryLog)
}
