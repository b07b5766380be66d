package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// One deletes a set while others begin to use it: whoever comes first is seen by the other.
func TestADeleteAndABeginOfUseSeeEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for round := range 10 {
			set := configSet("shop")
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertConfigSet(ctx, set) })
			var begun, gone error
			var wg sync.WaitGroup
			e := environment(fmt.Sprintf("pr-%d", round), start)
			wg.Go(func() {
				begun = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
					return add(ctx, tx, e, blueberry.BlueprintRef{}, use(set, 1, true))
				})
			})
			wg.Go(func() {
				gone = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteConfigSet(ctx, set) })
			})
			wg.Wait()
			switch {
			case begun == nil:
				wantCode(t, "the delete that came second", gone, blueberry.Conflict, "CONFIG_SET_IN_USE")
				e.Phase = blueberry.Terminated
				update(t, s, func(ctx context.Context, tx *store.Tx) error {
					return errors.Join(tx.UpdateEnvironment(ctx, e), tx.DeleteConfigSet(ctx, set))
				})
			case gone == nil:
				wantCode(t, "the use that came second", begun, blueberry.Conflict, "CONFIG_SET_GONE")
			default:
				t.Errorf("both failed: %v; %v", begun, gone)
			}
		}
	})
}

// Whoever has locked a set commits with its newest version: who publishes another one meanwhile waits.
func TestAPublishWaitsForWhoLockedTheSet(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		set := configSet("shop")
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertConfigSet(ctx, set) })
		locked, published := make(chan struct{}), make(chan error, 1)
		var again sync.Once
		go func() {
			<-locked
			published <- tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
				set, err := tx.ConfigSet(ctx, set.ID)
				if err != nil {
					return err
				}
				set.Latest++
				return tx.UpdateConfigSet(ctx, set)
			})
		}()
		e := environment("pr-1", start)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			latest, err := tx.LockConfig(ctx, []string{set.ID, "cfg_none", "\x00"})
			if err != nil {
				return err
			}
			if d := cmp.Diff(map[string]int{set.ID: 1}, latest); d != "" {
				t.Errorf("locked:\n%s", d)
			}
			again.Do(func() { close(locked) })
			waitForLock(t, s, published)
			select {
			case err := <-published:
				t.Errorf("a version was published while the set was locked: %v", err)
			default:
			}
			latest, err = tx.LockConfig(ctx, []string{set.ID})
			if err != nil || latest[set.ID] != 1 {
				t.Errorf("the newest version moved to %d, %v", latest[set.ID], err)
			}
			return add(ctx, tx, e, blueberry.BlueprintRef{}, use(set, latest[set.ID], true))
		})
		if err := <-published; err != nil {
			t.Error(err)
		}
		latest := view(t, s, func(ctx context.Context, tx *store.Tx) (int, error) {
			set, err := tx.ConfigSet(ctx, set.ID)
			return set.Latest, err
		})
		if latest != 2 {
			t.Errorf("the newest version is %d", latest)
		}
	})
}

// The same for a blueprint of the catalogue.
func TestAPublishWaitsForWhoLockedTheBlueprint(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		entry := blueberry.CatalogueEntry{ID: blueberry.NewID(blueberry.BlueprintID, start), Project: blueberry.DefaultProject, Name: "kit", Latest: 1, CreatedAt: start, UpdatedAt: start, Version: 1}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertBlueprint(ctx, entry) })
		locked, published := make(chan struct{}), make(chan error, 1)
		var again sync.Once
		go func() {
			<-locked
			published <- tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
				next := entry
				next.Latest++
				return tx.UpdateBlueprint(ctx, next)
			})
		}()
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			if none, err := tx.LockBlueprint(ctx, "bpt_none"); err != nil || none != 0 {
				t.Errorf("what is not there is at %d, %v", none, err)
			}
			latest, err := tx.LockBlueprint(ctx, entry.ID)
			if err != nil || latest != 1 {
				return fmt.Errorf("locked at %d: %w", latest, err)
			}
			again.Do(func() { close(locked) })
			waitForLock(t, s, published)
			if latest, err = tx.LockBlueprint(ctx, entry.ID); err != nil || latest != 1 || len(published) > 0 {
				t.Errorf("a version was published while the blueprint was locked: %d, %v", latest, err)
			}
			return nil
		})
		if err := <-published; err != nil {
			t.Error(err)
		}
	})
}

// waitForLock returns when a connection of the database waits for another's lock, or when what should wait is done. On SQLite whoever wants to write waits
// in Go, and cannot be seen.
func waitForLock(t *testing.T, s *store.Store, done chan error) {
	t.Helper()
	if s.Dialect() != store.Postgres {
		return
	}
	for waits := false; !waits && len(done) == 0; {
		err := s.DB().QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waits)
		if err != nil {
			t.Error(err)
			return
		}
	}
}

func TestLocksAreForWriters(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, lock := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"config": func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.LockConfig(ctx, []string{"cfg_1"})
				return err
			},
			"project": func(ctx context.Context, tx *store.Tx) error { _, err := tx.LockProject(ctx, "default"); return err },
			"blueprint": func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.LockBlueprint(ctx, "bpt_1")
				return err
			},
		} {
			if _, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (int, error) { return 0, lock(ctx, tx) }); err == nil {
				t.Errorf("%s was locked by a reader", name)
			}
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			got, err := tx.LockConfig(ctx, nil)
			if len(got) != 0 {
				t.Errorf("locked %v", got)
			}
			return err
		})
	})
}
