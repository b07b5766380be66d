package store_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestUsageIsThatOfTheLiving(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		demand := func(n int64) blueberry.Demand {
			return blueberry.Demand{CPU: n, Memory: 10 * n, Pods: 100 * n, Storage: 1000 * n}
		}
		demanding := func(name string, n int64) blueberry.Environment {
			e := environment(name, start)
			e.Demand = demand(n)
			return e
		}
		standing := demanding("standing", 4)
		standing.Lease = blueberry.Lease{}
		dead := demanding("pr-9", 1<<40)
		dead.Phase = blueberry.Terminated
		away := demanding("away", 8)
		away.Project, away.Namespace, away.Target = "another", "another-away", "far"
		changed := demanding("changed", 0)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			err := tx.PutProject(ctx, blueberry.Project{Name: "another", CreatedAt: start})
			for _, e := range []blueberry.Environment{demanding("pr-1", 1), demanding("pr-2", 2), standing, dead, away, changed} {
				err = errors.Join(err, tx.InsertEnvironment(ctx, e))
			}
			changed.Demand = demand(16)
			return errors.Join(err, tx.UpdateEnvironment(ctx, changed))
		})
		usage := func(environments, n int64) blueberry.Usage {
			return blueberry.Usage{Environments: environments, Demand: demand(n)}
		}
		for project, want := range map[string]map[blueberry.EnvironmentKind]blueberry.Usage{
			"default": {blueberry.Preview: usage(2, 3), blueberry.Standing: usage(1, 4), blueberry.Ephemeral: usage(1, 16)},
			"another": {blueberry.Ephemeral: usage(1, 8)},
			"\x00":    {},
		} {
			got := view(t, s, func(ctx context.Context, tx *store.Tx) (map[blueberry.EnvironmentKind]blueberry.Usage, error) {
				return tx.ProjectUsage(ctx, project)
			})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("project %q:\n%s", project, d)
			}
		}
		for target, want := range map[string]blueberry.Usage{"local": usage(4, 23), "far": usage(1, 8), "none": {}} {
			if got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Usage, error) { return tx.TargetUsage(ctx, target) }); got != want {
				t.Errorf("target %s: got %+v, want %+v", target, got, want)
			}
		}
	})
}

// A manifest may ask for as much as a number holds. That is more than any quota, and must not make sums of a project impossible.
func TestNoDemandMakesASumOverflow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			var err error
			for i := range 5 {
				e := environment(fmt.Sprintf("pr-%d", i), start)
				e.Demand = blueberry.Demand{CPU: math.MaxInt64, Memory: math.MaxInt64, Pods: math.MaxInt64, Storage: math.MaxInt64}
				err = errors.Join(err, tx.InsertEnvironment(ctx, e))
			}
			return err
		})
		got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Usage, error) { return tx.TargetUsage(ctx, "local") })
		if got.Memory < 1<<50 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		n := int64(7)
		quota := blueberry.Quota{
			Limits: blueberry.Limits{Environments: &n, CPU: &n, Memory: &n, Pods: &n, Storage: &n},
			Kinds:  map[blueberry.EnvironmentKind]blueberry.Limits{blueberry.Preview: {Environments: new(int64)}},
		}
		p := blueberry.Project{Name: "shop", ClusterKinds: []string{"a"}, CreatedAt: start, Version: 1}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutProject(ctx, p) })
		p.Quota = quota
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SetQuota(ctx, p) })
		stale := p
		wantCode(t, "a quota that moved", tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SetQuota(ctx, stale) }), blueberry.Conflict, "VERSION_MOVED")
		wantCode(t, "the quota of nothing", tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.SetQuota(ctx, blueberry.Project{Name: "none"})
		}), blueberry.NotFound, "PROJECT_NOT_FOUND")
		p.Version, p.ClusterKinds = 2, []string{"b"}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.PutProject(ctx, blueberry.Project{Name: "shop", ClusterKinds: p.ClusterKinds, CreatedAt: start.AddDate(1, 0, 0)}) // leaves the quota
		})
		for name, read := range map[string]func(ctx context.Context, tx *store.Tx) (blueberry.Project, error){
			"read": func(ctx context.Context, tx *store.Tx) (blueberry.Project, error) { return tx.Project(ctx, "shop") },
			"list": func(ctx context.Context, tx *store.Tx) (blueberry.Project, error) {
				all, err := tx.Projects(ctx)
				if len(all) != 2 || all[0].Name != blueberry.DefaultProject {
					return blueberry.Project{}, fmt.Errorf("got %v, %w", all, err)
				}
				return all[1], err
			},
		} {
			if d := cmp.Diff(p, view(t, s, read)); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			got, err := tx.LockProject(ctx, "shop")
			if d := cmp.Diff(p, got); d != "" {
				t.Errorf("locked:\n%s", d)
			}
			return err
		})
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { _, err := tx.LockProject(ctx, "\x00"); return err })
		wantCode(t, "a lock on nothing", err, blueberry.NotFound, "PROJECT_NOT_FOUND")
	})
}

// Many create at once under a quota of five: whoever locks the project sees what those before have added, so five get in, also when they have touched the
// project before they lock it.
func TestAQuotaHoldsAgainstMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		full := errors.New("full")
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
					e := environment(fmt.Sprintf("pr-%d", i), start)
					if err := tx.InsertEnvironment(ctx, e); err != nil {
						return err
					}
					if _, err := tx.LockProject(ctx, e.Project); err != nil {
						return err
					}
					usage, err := tx.ProjectUsage(ctx, e.Project)
					if err == nil && usage[blueberry.Preview].Environments > 5 {
						return full
					}
					return err
				})
				if err != nil && !errors.Is(err, full) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(t, s, "environments"); n != 5 {
			t.Errorf("%d environments", n)
		}
	})
}
