package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// shop is the two-component blueprint of the figures.
func shop() *sdk.Blueprint {
	return &sdk.Blueprint{Name: "shop", Components: []sdk.Component{
		{Name: "backend", Image: "ghcr.io/acme/backend:1.4.2", Port: 8080, Health: "/healthz"},
		{Name: "frontend", Image: "ghcr.io/acme/frontend:1.4.2", Port: 3000},
	}}
}

// createAll creates environments <prefix>-1.. from several clients at once, each with the config sets, and gives the time of each call.
func createAll(ctx context.Context, s *installation.Server, prefix string, n, clients int, sets ...string) ([]time.Duration, error) {
	times := make([]time.Duration, n)
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range clients {
		g.Go(func() error {
			for {
				i := int(next.Add(1))
				if i > n {
					return nil
				}
				began := time.Now()
				if _, err := s.Client.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: fmt.Sprintf("%s-%d", prefix, i), Blueprint: shop(), ConfigSets: sets}); err != nil {
					return err
				}
				times[i-1] = time.Since(began)
			}
		})
	}
	return times, g.Wait()
}

// counter counts the events of a type and tells when the n-th came.
type counter struct {
	kind string
	n    int
	done chan time.Time
}

// count follows the events of all environments until every counter is done.
func count(ctx context.Context, s *installation.Server, counters ...*counter) {
	seen := map[string]int{}
	left := len(counters)
	for e, err := range s.Client.WatchEvents(ctx, "", 0) {
		if err != nil {
			return
		}
		seen[e.Type]++
		for _, c := range counters {
			if c.kind == e.Type && seen[e.Type] == c.n {
				c.done <- time.Now()
				left--
			}
		}
		if left == 0 {
			return
		}
	}
}

func until(ctx context.Context, c *counter) (time.Time, error) {
	select {
	case at := <-c.done:
		return at, nil
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

// accept: one request after the other, then as many as the machine takes; Git follows.
func (b *bench) accept(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	s, err := b.sim("accept").Start()
	if err != nil {
		return err
	}
	defer s.Kill()
	one, err := createAll(ctx, s, "one", 200, 1)
	if err != nil {
		return err
	}
	row("create accepted, one client, workers busy", percentiles(one), "p95 ≤ 50 ms")
	if err := settled(ctx, s, 200); err != nil {
		return err
	}
	page, err := s.Client.ListEnvironments(ctx, sdk.EnvironmentFilter{Limit: 1})
	if err != nil {
		return err
	}
	plans, err := planned(ctx, s, page.Items[0].ID, 100)
	if err != nil {
		return err
	}
	row("plan of a change, 2 components, without a server's dry run", percentiles(plans), "p95 ≤ 100 ms")

	const n = 600
	committed := &counter{"environment.committed", 200 + n, make(chan time.Time, 1)}
	go count(ctx, s, committed)
	began := time.Now()
	times, err := createAll(ctx, s, "many", n, 8)
	if err != nil {
		return err
	}
	took := time.Since(began)
	row("create accepted, 8 clients, workers busy", fmt.Sprintf("%.0f environments/s, %s", n/took.Seconds(), percentiles(times)), "≥ 100/s")
	at, err := until(ctx, committed)
	if err != nil {
		return err
	}
	row("create → rendered manifests in Git, sustained", fmt.Sprintf("%.0f environments/s", n/at.Sub(began).Seconds()), "≥ 50/s")
	return nil
}

// settled waits until n environments are ready.
func settled(ctx context.Context, s *installation.Server, n int) error {
	ready := &counter{"environment.ready", n, make(chan time.Time, 1)}
	go count(ctx, s, ready)
	_, err := until(ctx, ready)
	return err
}

// scale: many environments in one process, with a simulated cluster.
func (b *bench) scale(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	s, err := b.sim("scale").Start()
	if err != nil {
		return err
	}
	defer s.Kill()
	set, err := s.Client.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "bench", Content: "backend: {replicas: 3}"})
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := createAll(ctx, s, "pr", b.many, 8, "bench"); err != nil {
		return err
	}
	if err := settled(ctx, s, b.many); err != nil {
		return err
	}
	row(fmt.Sprintf("%d environments created and ready on sim", b.many), round(time.Since(began)).String(), "")
	if err := b.list(ctx, s); err != nil {
		return err
	}
	mb, err := resident(ctx, s)
	if err != nil {
		return err
	}
	row(fmt.Sprintf("resident memory, %d environments on sim", b.many), fmt.Sprintf("%.0f MB", mb), "≤ 600 MB")
	cost, err := idling(ctx, s, func() error { return nil })
	if err != nil {
		return err
	}
	row(fmt.Sprintf("steady state, %d environments on sim", b.many), fmt.Sprintf("%.1f %% of a core", 100*cost), "≤ 5 %")
	return impact(ctx, s, set.ConfigSet.ID, b.many)
}

// list reads a page of 50, filtered and sorted, 200 times.
func (b *bench) list(ctx context.Context, s *installation.Server) error {
	var times []time.Duration
	size := 0
	for range 200 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/v1/environments?phase=ready&q=pr-1&sort=name&limit=50", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+s.Client.Token)
		began := time.Now()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			return fmt.Errorf("list: %s %s: %w", res.Status, body, err)
		}
		times, size = append(times, time.Since(began)), len(body)
	}
	row(fmt.Sprintf("list of %d, page of 50, filtered and sorted", b.many), fmt.Sprintf("%s, %.0f kB", percentiles(times), float64(size)/1000), "p95 ≤ 20 ms, ≤ 100 kB")
	return nil
}
