package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func happen(ctx context.Context, t *testing.T, s *storetest.Store, n int) {
	t.Helper()
	if err := s.Update(ctx, func(tx *store.Tx) error {
		for range n {
			if err := tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.EnvironmentRequested, At: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func nothing(context.Context, *store.Tx, []blueberry.Event) error { return nil }

// TestHandedOverOnce: of servers that follow under one name, each event is handed over by one transaction that commits.
func TestHandedOverOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		const n = 1000
		happen(t.Context(), t, s, 7) // of before
		first := &Server{store: s}
		if _, _, err := first.handOver(t.Context(), "test", nothing); err != nil {
			t.Fatal(err)
		}
		happen(t.Context(), t, s, n)
		var mu sync.Mutex
		var handed []int64
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				server := &Server{store: s}
				for {
					var seqs []int64
					_, some, err := server.handOver(t.Context(), "test", func(_ context.Context, _ *store.Tx, events []blueberry.Event) error {
						seqs = nil
						for _, e := range events {
							seqs = append(seqs, e.Seq)
						}
						return nil
					})
					switch {
					case errors.Is(err, blueberry.Conflict):
						continue
					case err != nil:
						t.Error(err)
						return
					case some == 0:
						return
					}
					mu.Lock()
					handed = append(handed, seqs...)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		slices.Sort(handed)
		if len(handed) != n || len(slices.Compact(handed)) != n || handed[0] != 8 {
			t.Errorf("%d of %d events were handed over, the first is %d", len(handed), n, handed[0])
		}
	})
}

// TestFollow: who follows is woken by what happens, and goes on where it was when what it does has failed.
func TestFollow(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := &Server{store: s, feed: newFeed(s), Logger: slog.New(slog.DiscardHandler)}
	if _, _, err := server.handOver(ctx, "test", nothing); err != nil {
		t.Fatal(err)
	}
	calls, got := 0, make(chan int, 10)
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = server.follow(ctx, "test", func(_ context.Context, _ *store.Tx, events []blueberry.Event) error {
			if calls++; calls == 2 {
				return errors.New("the record is away")
			}
			got <- len(events)
			return nil
		})
	})
	for _, n := range []int{3, 5} {
		happen(ctx, t, s, n)
		select {
		case have := <-got:
			if have != n {
				t.Errorf("%d events, want %d", have, n)
			}
		case <-time.After(time.Minute):
			t.Fatal("nobody woke it")
		}
	}
	cancel()
	wg.Wait()
}
