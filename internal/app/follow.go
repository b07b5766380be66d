package app

import (
	"context"
	"errors"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// Of followers.
const (
	followBatch = 200             // events at once
	followAgain = 2 * time.Second // after the record was away
)

// follow hands every event over once, in order, until ctx ends: what handle does through tx commits together with the note of how far it came. Of many
// servers one does so at a time; the others find out when they come to write, and look again.
func (s *Server) follow(ctx context.Context, name string, handle func(ctx context.Context, tx *store.Tx, events []blueberry.Event) error) error {
	for ctx.Err() == nil {
		last, n, err := s.handOver(ctx, name, handle)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, blueberry.Conflict):
		case err != nil:
			s.Logger.Error("follow the events", "follower", name, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(followAgain):
			}
		case n == 0:
			_ = s.feed.Wait(ctx, last) // it ends with ctx only
		}
	}
	return nil
}

// handOver hands one batch over, and gives the Seq up to which that is done.
func (s *Server) handOver(ctx context.Context, name string, handle func(ctx context.Context, tx *store.Tx, events []blueberry.Event) error) (last int64, n int, err error) {
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		from, err := tx.Follower(ctx, name)
		if err != nil {
			return err
		}
		events, err := tx.Events(ctx, blueberry.EventQuery{After: from, Limit: followBatch})
		if last, n = from, len(events); err != nil || n == 0 {
			return err
		}
		if err := handle(ctx, tx, events); err != nil {
			return err
		}
		last = events[n-1].Seq
		return tx.MoveFollower(ctx, name, from, last)
	})
	return last, n, err
}
