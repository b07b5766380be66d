package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func fullTarget(name string) blueberry.Target {
	return blueberry.Target{
		Name: name, Driver: "argocd", Domain: "previews.example.test", Region: "europe-west6", State: blueberry.TargetActive,
		Kubeconfig: []byte("key-1|targets.kubeconfig:" + name + "|of it"), KubeconfigFile: "/etc/kube", Context: "ctx",
		Argo: blueberry.ArgoSettings{
			Namespace: "argo", Kubeconfig: []byte("key-1|targets.argo_kubeconfig:" + name + "|of argo"), KubeconfigFile: "/etc/argo", Repository: "https://git.example/gitops", Destination: "https://k",
		},
		Gateway: "http://10.0.0.5", Capacity: &blueberry.Demand{CPU: 1000, Pods: 3}, CreatedAt: start, UpdatedAt: start, Version: 1,
	}
}

func lines(t *testing.T, s *store.Store, query string) string {
	t.Helper()
	conn, err := s.DB().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for q := range strings.SplitSeq(query, "; ") {
		if strings.HasPrefix(q, "SET ") {
			if _, err := conn.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			query = strings.TrimPrefix(query, q+"; ")
		}
	}
	rows, err := conn.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(*values[len(values)-1].(*any)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func targetNamed(t *testing.T, s *store.Store, name string) blueberry.Target {
	t.Helper()
	return view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Target, error) { return tx.Target(ctx, name) })
}

func targetsEpoch(t *testing.T, s *store.Store) int64 {
	t.Helper()
	return view(t, s, func(ctx context.Context, tx *store.Tx) (int64, error) { return tx.TargetsEpoch(ctx) })
}

func TestTargetsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		full, bare := fullTarget("zurich"), blueberry.Target{Name: "bare", Driver: "sim", Domain: "localhost", CreatedAt: start}
		insert := func(x blueberry.Target) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTarget(ctx, x) })
		}
		if err := errors.Join(insert(full), insert(bare)); err != nil {
			t.Fatal(err)
		}
		bare.State, bare.Version = blueberry.TargetActive, 1
		if d := cmp.Diff([]blueberry.Target{bare, full}, view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Target, error) { return tx.Targets(ctx) })); d != "" {
			t.Error(d)
		}
		err := insert(full)
		wantCode(t, "a second one", err, blueberry.Conflict, "TARGET_EXISTS")
		var e *blueberry.Error
		if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Field != "name" {
			t.Errorf("the fault is %v", err)
		}
		epoch := targetsEpoch(t, s)
		set := func(x blueberry.Target) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateTarget(ctx, x) })
		}
		bare.Capacity, bare.State, bare.Reason, bare.Argo.Namespace, bare.UpdatedAt = &blueberry.Demand{Memory: 1}, blueberry.TargetCordoned, "a\x00b", "argocd", start.Add(time.Hour)
		if err := set(bare); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "from an old version", set(bare), blueberry.Conflict, "VERSION_MOVED")
		wantCode(t, "of none", set(blueberry.Target{Name: "none"}), blueberry.NotFound, "TARGET_NOT_FOUND")
		bare.Version, bare.Reason = 2, "a\uFFFDb"
		if d := cmp.Diff(bare, targetNamed(t, s, "bare")); d != "" {
			t.Error(d)
		}
		if got := targetsEpoch(t, s); got != epoch+1 {
			t.Errorf("the epoch went from %d to %d", epoch, got)
		}
	})
}

// At each start a server tells what its configuration says. What people have said since stays, and nothing moves when nothing is new.
func TestConfiguredTargets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		configured := blueberry.Target{
			Name: "local", Driver: "kube", Domain: "localhost", KubeconfigFile: "/etc/kube", Argo: blueberry.ArgoSettings{Namespace: "argocd"}, Configured: true, CreatedAt: start, UpdatedAt: start,
		}
		put := func(x blueberry.Target) {
			t.Helper()
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutTarget(ctx, x) })
		}
		put(configured)
		said := targetNamed(t, s, "local")
		said.State, said.Reason, said.Region, said.Capacity, said.UpdatedAt = blueberry.TargetCordoned, "maintenance", "europe-west6", &blueberry.Demand{CPU: 1}, start.Add(time.Hour)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateTarget(ctx, said) })
		said.Version++
		epoch := targetsEpoch(t, s)
		configured.CreatedAt, configured.UpdatedAt = start.Add(2*time.Hour), start.Add(2*time.Hour)
		put(configured)
		if d := cmp.Diff(said, targetNamed(t, s, "local")); d != "" || targetsEpoch(t, s) != epoch {
			t.Errorf("said again, at epoch %d, before %d:\n%s", targetsEpoch(t, s), epoch, d)
		}
		configured.Driver, configured.Gateway, configured.Argo.Repository = "argocd", "http://10.0.0.5", "https://git.example"
		put(configured)
		said.Driver, said.Gateway, said.Argo.Repository, said.Version, said.UpdatedAt = "argocd", "http://10.0.0.5", "https://git.example", said.Version+1, configured.UpdatedAt
		if d := cmp.Diff(said, targetNamed(t, s, "local")); d != "" || targetsEpoch(t, s) != epoch+1 {
			t.Errorf("said anew, at epoch %d, before %d:\n%s", targetsEpoch(t, s), epoch, d)
		}
	})
}

func TestATargetInUseStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		remove := func(name string) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteTarget(ctx, name) })
		}
		e, o := environment("pr-1", start), orphan("pr-9")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertTarget(ctx, fullTarget("local")), tx.InsertEnvironment(ctx, e), tx.PutOrphan(ctx, o))
		})
		err := remove("local")
		wantCode(t, "while one is there", err, blueberry.Conflict, "TARGET_IN_USE")
		if !strings.Contains(err.Error(), "holds 1 environments") || !strings.Contains(err.Error(), "default/pr-1") {
			t.Errorf("it says %v", err)
		}
		e.Phase = blueberry.Terminated
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, e) })
		if err := remove("local"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "of none", remove("local"), blueberry.NotFound, "TARGET_NOT_FOUND")
		err = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateTarget(ctx, fullTarget("local")) })
		wantCode(t, "to change what is gone", err, blueberry.NotFound, "TARGET_NOT_FOUND")
		err = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertEnvironment(ctx, environment("pr-1", start))
		})
		wantCode(t, "to use what is gone", err, blueberry.NotFound, "TARGET_NOT_FOUND")
		var secret []byte
		if err := s.ReadDB().QueryRowContext(t.Context(), "SELECT COALESCE(kubeconfig, argo_kubeconfig, '') FROM targets").Scan(&secret); err != nil || len(secret) > 0 {
			t.Errorf("its kubeconfigs stay: %q, %v", secret, err)
		}
		again := fullTarget("local")
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTarget(ctx, again) })
		again.Version = 2
		if d := cmp.Diff(again, targetNamed(t, s, "local")); d != "" {
			t.Errorf("registered again:\n%s", d)
		}
		_, err = tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Orphan, error) { return tx.Orphan(ctx, o.ID) })
		wantCode(t, "its orphan", err, blueberry.NotFound, "ORPHAN_NOT_FOUND")
	})
}

func TestATargetThatTakesNone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := fullTarget("local")
		x.State, x.Reason = blueberry.TargetDraining, "it goes"
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTarget(ctx, x) })
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertEnvironment(ctx, environment("pr-1", start))
		})
		wantCode(t, "while it drains", err, blueberry.Conflict, "TARGET_CORDONED")
		var e *blueberry.Error
		if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Field != "target" || e.Fields[0].Code != "cordoned" || !strings.Contains(e.Fields[0].Message, "it goes") {
			t.Errorf("it says %v", err)
		}
	})
}

// A target that is removed while others add environments to it either goes first or stays: never is a living environment on a target that is gone.
func TestATargetIsRemovedWhileItIsUsed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for round := range 5 {
			name := fmt.Sprintf("t%d", round)
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertTarget(ctx, fullTarget(name)) })
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					e := environment(fmt.Sprintf("pr-%d-%d", round, i), start)
					e.Target = name
					err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
						if _, err := tx.Target(ctx, name); err != nil {
							return err
						}
						return tx.InsertEnvironment(ctx, e)
					})
					if err != nil && !errors.Is(err, blueberry.NotFound) {
						t.Error(err)
					}
				})
			}
			wg.Go(func() {
				err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteTarget(ctx, name) })
				if err != nil && !errors.Is(err, blueberry.Conflict) {
					t.Error(err)
				}
			})
			wg.Wait()
			living := view(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
				return tx.LiveEnvironments(ctx, name, "", 10)
			})
			if _, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Target, error) { return tx.Target(ctx, name) }); err != nil && len(living) > 0 {
				t.Errorf("%s is gone, and %v live on it", name, living)
			}
		}
	})
}

// A new key reaches the kubeconfigs.
func TestKubeconfigsAreSealedAnew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertTarget(ctx, fullTarget("local")), tx.InsertTarget(ctx, blueberry.Target{Name: "bare", CreatedAt: start}))
		})
		if n, err := s.Reencrypt(t.Context(), reseal(1)); err != nil || n != 2 {
			t.Errorf("wrote %d, %v", n, err)
		}
		x := targetNamed(t, s, "local")
		if !bytes.Equal(x.Kubeconfig, []byte("key-2|targets.kubeconfig:local|of it")) || !bytes.Equal(x.Argo.Kubeconfig, []byte("key-2|targets.argo_kubeconfig:local|of argo")) {
			t.Errorf("it holds %q and %q", x.Kubeconfig, x.Argo.Kubeconfig)
		}
		if d := cmp.Diff([]string{"key-2"}, keysInUse(t, s)); d != "" {
			t.Error(d)
		}
	})
}
