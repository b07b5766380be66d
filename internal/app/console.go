package app

import (
	"context"
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/web"
	"github.com/blueberry-idp/blueberry/internal/web/console"
)

// openConsole makes the pages that people work with.
func (s *Server) openConsole(pages *web.Pages, api func(actor blueberry.Actor) http.Handler, draining <-chan struct{}) *console.Console {
	return &console.Console{
		API: api, SignedIn: pages.SignedIn, Page: pages.Page, Again: pages.Again, Events: s.newEvents, Draining: draining, Version: s.Version, Now: time.Now, Logger: s.Logger,
	}
}

// eventBatch is how many events are read at once.
const eventBatch = 500

// newEvents waits for events after a Seq and reads them; below 0 it only tells the newest.
func (s *Server) newEvents(ctx context.Context, after int64) (events []blueberry.Event, newest int64, err error) {
	if after < 0 {
		err = s.store.View(ctx, func(tx *store.Tx) error {
			newest, err = tx.MaxEventSeq(ctx)
			return err
		})
		return nil, newest, err
	}
	if err := s.feed.Wait(ctx, after); err != nil {
		return nil, after, err
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		events, err = tx.Events(ctx, blueberry.EventQuery{After: after, Limit: eventBatch})
		return err
	})
	if n := len(events); n > 0 {
		after = events[n-1].Seq
	}
	return events, after, err
}
