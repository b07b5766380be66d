package access

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	flushEvery   = 4 * time.Second // last uses are at most 5 s late
	flushTimeout = 5 * time.Second // for the last one, while the process stops
	flushBatch   = 500             // last uses in one transaction
)

// Run asks for the epoch while there is use and writes last uses in batches, until ctx ends; then it writes those that are left.
func (g *Gate) Run(ctx context.Context) error {
	polls, flushes := time.NewTicker(pollEvery), time.NewTicker(flushEvery)
	defer polls.Stop()
	defer flushes.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
			defer cancel()
			return g.Flush(last)
		case <-polls.C:
			if g.used.Swap(false) {
				g.tryPoll(ctx)
			}
		case _, open := <-g.Wake:
			if !open {
				g.Wake = nil
				continue
			}
			g.tryPoll(ctx)
		case <-flushes.C:
			if err := g.Flush(ctx); err != nil && ctx.Err() == nil {
				g.Logger.WarnContext(ctx, "last uses were not written; they are tried again", "error", err)
			}
		}
	}
}

// tryPoll polls for no longer than the answer is worth. What it does not find out is asked at the next use.
func (g *Gate) tryPoll(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, epochTrust)
	defer cancel()
	if err := g.poll(bounded); err != nil && ctx.Err() == nil {
		g.Logger.DebugContext(ctx, "access epoch was not read; the next use asks", "error", err)
	}
}

// uses are the last uses that are not in the record yet.
type uses struct {
	mu    sync.Mutex
	queue []*answer
}

// note keeps the time of a use, at the price of two atomic operations for all but the first since the last flush.
func (u *uses) note(a *answer, now time.Time) {
	a.last.Store(now.UnixMicro())
	if a.queued.Load() || a.queued.Swap(true) || a.session == "" && a.token == "" && a.user == "" && a.oauth == "" {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.queue) < maxAnswers {
		u.queue = append(u.queue, a)
	} else {
		a.queued.Store(false)
	}
}

func (u *uses) take() []*answer {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.queue
	u.queue = nil
	return taken
}

func (u *uses) putBack(left []*answer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, a := range left {
		if len(u.queue) < maxAnswers && !a.queued.Swap(true) {
			u.queue = append(u.queue, a)
		}
	}
}

// Flush writes the last uses that are not in the record yet.
func (g *Gate) Flush(ctx context.Context) error {
	left := g.uses.take()
	slices.SortFunc(left, func(a, b *answer) int { // two processes take rows in one order, so that neither waits for the other in a ring
		return cmp.Or(cmp.Compare(a.session, b.session), cmp.Compare(a.token, b.token), cmp.Compare(a.oauth, b.oauth), cmp.Compare(a.user, b.user))
	})
	for _, a := range left {
		a.queued.Store(false) // before its time is read, so that a use meanwhile is queued again
	}
	for len(left) > 0 {
		batch := left[:min(flushBatch, len(left))]
		if err := g.Record.Update(ctx, func(tx Tx) error { return touch(ctx, tx, batch) }); err != nil {
			g.uses.putBack(left)
			return doing("write last uses", err)
		}
		left = left[len(batch):]
	}
	return nil
}

func touch(ctx context.Context, tx Tx, batch []*answer) error {
	seen, clients := map[string]time.Time{}, map[string]time.Time{} // many sessions may be of one user, many tokens of one client
	for _, a := range batch {
		at := time.UnixMicro(a.last.Load())
		var err error
		switch {
		case a.session != "":
			err = tx.TouchSession(ctx, a.session, at)
		case a.token != "":
			err = tx.TouchToken(ctx, a.token, at)
		case a.oauth != "":
			err = tx.UseOAuthToken(ctx, []byte(a.oauth), at)
		}
		if err != nil && !errors.Is(err, blueberry.NotFound) {
			return err
		}
		if a.user != "" && at.After(seen[a.user]) {
			seen[a.user] = at
		}
		if a.client != "" && at.After(clients[a.client]) {
			clients[a.client] = at
		}
	}
	for _, id := range slices.Sorted(maps.Keys(clients)) {
		if err := tx.TouchOAuthClient(ctx, id, clients[id]); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(seen)) {
		if err := tx.TouchUser(ctx, id, seen[id]); err != nil && !errors.Is(err, blueberry.NotFound) {
			return err
		}
	}
	return nil
}
