package app

import (
	"context"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/store"
)

// feed wakes those who follow events: at once for what this process committed, within a second for what another replica did.
type feed struct {
	store *store.Store

	mu      sync.Mutex
	last    int64
	waiting int
	wake    chan struct{} // closed and replaced whenever last grows
}

const feedPoll = time.Second

func newFeed(s *store.Store) *feed {
	f := &feed{store: s, wake: make(chan struct{})}
	s.OnCommit(f.advance)
	return f
}

func (f *feed) advance(seq int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if seq > f.last {
		f.last = seq
		close(f.wake)
		f.wake = make(chan struct{})
	}
}

// Wait returns when an event with a Seq above after may exist, or with ctx's error.
func (f *feed) Wait(ctx context.Context, after int64) error {
	f.mu.Lock()
	wake, ready := f.wake, f.last > after
	f.waiting++
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.waiting--
		f.mu.Unlock()
	}()
	if ready {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wake:
		return nil
	}
}

// Run asks the record for what other replicas committed, while anyone waits.
func (f *feed) Run(ctx context.Context) error {
	t := time.NewTicker(feedPoll)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		f.mu.Lock()
		idle := f.waiting == 0
		f.mu.Unlock()
		if idle {
			continue
		}
		var seq int64
		err := f.store.View(ctx, func(tx *store.Tx) (err error) {
			seq, err = tx.MaxEventSeq(ctx)
			return err
		})
		if err == nil {
			f.advance(seq)
		}
	}
}
