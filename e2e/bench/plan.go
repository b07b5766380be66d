package main

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// planned measures plans of a change of a ready environment, each another one.
func planned(ctx context.Context, s *installation.Server, id string, n int) ([]time.Duration, error) {
	times := make([]time.Duration, n)
	for i := range n {
		change := &sdk.ChangeEnvironmentRequest{Overrides: map[string]any{"backend": map[string]any{"replicas": i%5 + 3, "env": map[string]any{"RUN": fmt.Sprint(i)}}}}
		began := time.Now()
		p, err := s.Client.PlanEnvironment(ctx, id, sdk.PlanEnvironmentRequest{Change: change})
		if err != nil {
			return nil, err
		}
		times[i] = time.Since(began)
		if !p.DryRun.Done {
			return nil, fmt.Errorf("the target was not asked: %s", p.DryRun.Reason)
		}
	}
	return times, nil
}

// impact measures what another version of a config set would change in the environments that exist, all of which it is merged into.
func impact(ctx context.Context, s *installation.Server, set string, environments int) error {
	times := make([]time.Duration, 30)
	for i := range times {
		began := time.Now()
		r, err := s.Client.GetConfigSetImpact(ctx, set, sdk.ConfigImpactRequest{Content: fmt.Sprintf("backend: {replicas: %d}", i%5+4)})
		if err != nil {
			return err
		}
		times[i] = time.Since(began)
		if r.Change != environments {
			return fmt.Errorf("%d of %d environments would change", r.Change, environments)
		}
	}
	row(fmt.Sprintf("config impact over %d environments", environments), percentiles(times), "p95 ≤ 200 ms")
	return nil
}
