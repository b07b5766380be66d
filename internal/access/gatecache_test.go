package access_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestPolling: while there is use the epoch is asked for, an answer is taken from memory, and nobody asks the record for each request.
func TestPolling(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop")
	ada := w.member(t, "ada@example.com", "shop", blueberry.RoleAdmin)
	secret := w.session(t, ada.UserID)
	counted := &countingRecord{Record: townRecord{w.store}}
	synctest.Test(t, func(t *testing.T) {
		now := func() time.Time { return w.clock.now().Add(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))) }
		wake := make(chan struct{})
		g := &access.Gate{Record: counted, Now: now, Logger: slog.New(slog.DiscardHandler), Wake: wake}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.Run(ctx) }()
		w.enter(t, g, secret)
		after := counted.views.Load()
		for range 10 {
			time.Sleep(250 * time.Millisecond) // of the bubble: no time passes
			synctest.Wait()
			w.enter(t, g, secret)
		}
		if n := counted.views.Load() - after; n < 6 || n > 10 {
			t.Errorf("the record was asked %d times in 2.5 s with 10 requests; a poll each 300 ms is expected", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		after = counted.views.Load()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := counted.views.Load() - after; n != 0 {
			t.Errorf("without use the record was asked %d times", n)
		}
		w.enter(t, g, secret)
		if _, err := w.RevokeSessions(t.Context(), root, "ada@example.com", false); err != nil {
			t.Fatal(err)
		}
		wake <- struct{}{}
		synctest.Wait()
		_, err := g.Authenticate(t.Context(), secret)
		wants(t, "after the bus has woken it", unknownHere, err)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

type countingRecord struct {
	access.Record
	views atomic.Int64
	err   atomic.Pointer[error]

	gate    chan struct{} // nil, or what a View waits for
	after   bool          // it waits when it has read, not before
	arrived chan struct{} // told before the wait
}

func (r *countingRecord) View(ctx context.Context, f func(access.Tx) error) error {
	r.views.Add(1)
	if r.gate != nil && !r.after {
		r.wait()
	}
	if err := r.err.Load(); err != nil {
		return *err
	}
	err := r.Record.View(ctx, f)
	if r.gate != nil && r.after {
		r.wait()
	}
	return err
}

func (r *countingRecord) wait() {
	select {
	case r.arrived <- struct{}{}:
	default:
	}
	<-r.gate
}

// TestAnswerFromBefore: what was read before a change of our own and comes back after it is not believed.
func TestAnswerFromBefore(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ada := w.person(t, "ada@example.com", nil)
	secret := w.session(t, ada.UserID)
	r := &countingRecord{Record: townRecord{w.store}, gate: make(chan struct{}), after: true, arrived: make(chan struct{}, 10)}
	g := &access.Gate{Record: r, Now: w.clock.now, Logger: slog.New(slog.DiscardHandler)}
	slow := make(chan error, 1)
	go func() {
		_, err := g.Authenticate(t.Context(), secret)
		slow <- err
	}()
	<-r.arrived
	if _, err := w.RevokeSessions(t.Context(), root, ada.UserID, false); err != nil {
		t.Fatal(err)
	}
	g.Moved()
	close(r.gate)
	if err := <-slow; err != nil {
		t.Fatalf("it came before: %v", err)
	}
	_, err := g.Authenticate(t.Context(), secret)
	wants(t, "who comes after", unknownHere, err)
}

// TestTheRecordIsDown: an answer from memory is not believed without the record for longer than the epoch is.
func TestTheRecordIsDown(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ada := w.person(t, "ada@example.com", nil)
	secret := w.session(t, ada.UserID)
	r := &countingRecord{Record: townRecord{w.store}}
	g := &access.Gate{Record: r, Now: w.clock.now, Logger: slog.New(slog.DiscardHandler)}
	w.enter(t, g, secret)
	r.err.Store(to(errors.New("the record is down")))
	w.clock.move(899 * time.Millisecond)
	w.enter(t, g, secret)
	w.clock.move(time.Millisecond)
	if _, err := g.Authenticate(t.Context(), secret); err == nil || errors.Is(err, blueberry.Unauthenticated) {
		t.Errorf("an error of the record is expected, which is no refusal: %v", err)
	}
	r.err.Store(nil)
	w.enter(t, g, secret)
}

// TestNoStampede: those who come at once with one credential ask the record together.
func TestNoStampede(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ada := w.person(t, "ada@example.com", nil)
	secret := w.session(t, ada.UserID)
	r := &countingRecord{Record: townRecord{w.store}, gate: make(chan struct{}), arrived: make(chan struct{}, 10)}
	g := &access.Gate{Record: r, Now: w.clock.now, Logger: slog.New(slog.DiscardHandler)}
	const many = 100
	gone, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := g.Authenticate(gone, secret)
		first <- err
	}()
	<-r.arrived
	var wg sync.WaitGroup
	var failed atomic.Int64
	for range many {
		wg.Go(func() {
			if _, err := g.Authenticate(t.Context(), secret); err != nil {
				failed.Add(1)
			}
		})
	}
	cancel() // the first goes away; that is its own affair
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who goes away is told so: %v", err)
	}
	close(r.gate)
	wg.Wait()
	if failed.Load() != 0 || r.views.Load() > 3 {
		t.Errorf("%d of %d failed, with %d looks into the record", failed.Load(), many, r.views.Load())
	}
}
