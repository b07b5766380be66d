package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// hooks: deliveries that come at a steady rate, each about a pull request of its own that gets no environment: what is measured is the inbox.
func (b *bench) hooks(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	s, err := b.sim("hooks").Start()
	if err != nil {
		return err
	}
	defer s.Kill()
	added, err := s.Client.AddRepository(ctx, sdk.AddRepositoryRequest{
		Name: "acme/shop", Host: "generic", URL: "https://git.example.com/acme/shop.git", Policy: sdk.PullPolicy{Labels: []string{"preview"}},
	})
	if err != nil {
		return err
	}
	const rate, n = 200, 4000
	var mu sync.Mutex
	var times []time.Duration
	var failed error
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for i := range n {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		wg.Go(func() {
			began := time.Now()
			err := deliver(ctx, s, added, i+1)
			mu.Lock()
			defer mu.Unlock()
			times, failed = append(times, time.Since(began)), errors.Join(failed, err)
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	row(fmt.Sprintf("delivery recorded and answered, %d a second", rate), fmt.Sprintf("p50 %s, p95 %s, p99 %s", round(quantile(times, .5)), round(quantile(times, .95)), round(quantile(times, .99))), "p99 ≤ 50 ms")
	waits, err := reconciled(ctx, s, n)
	if err != nil {
		return err
	}
	row(fmt.Sprintf("delivery → its pull request reconciled, %d a second", rate), fmt.Sprintf("p50 %s, p95 %s, p99 %s", round(quantile(waits, .5)), round(quantile(waits, .95)), round(quantile(waits, .99))), "p95 ≤ 500 ms")
	return nil
}

// reconciled waits until n pull requests have been looked at, and gives how long each waited for that, by the times in the record: from the arrival of its delivery
// until the outcome was written.
func reconciled(ctx context.Context, s *installation.Server, n int) ([]time.Duration, error) {
	for {
		var out []time.Duration
		for p, err := range s.Client.AllPulls(ctx, sdk.PullFilter{Limit: 500}) {
			if err != nil {
				return nil, err
			}
			if p.Outcome != "" {
				out = append(out, p.UpdatedAt.Sub(p.CreatedAt))
			}
		}
		if len(out) >= n {
			return out, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d pull requests were looked at: %w", len(out), n, context.Cause(ctx))
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// deliver sends a new pull request to the inbox.
func deliver(ctx context.Context, s *installation.Server, added sdk.AddedRepository, number int) error {
	e := installation.PullEvent{Number: number, Action: "opened", Commit: fmt.Sprintf("%040x", number), At: time.Now()}
	status, answer, err := s.Deliver(ctx, added.Repository, added.Secret, e.Body())
	if err == nil && (status != http.StatusAccepted || !bytes.Contains(answer, []byte(`"accepted"`))) {
		err = fmt.Errorf("delivery %d: %d %s", number, status, answer)
	}
	return err
}
