package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// TestFollower: who is new begins behind what there is, and of two who follow under one name the one who comes late writes nothing.
func TestFollower(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		happens := func() {
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.EnvironmentRequested, At: start})
			})
		}
		at := func(name string) (seq int64) {
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				seq, err = tx.Follower(ctx, name)
				return err
			})
			return seq
		}
		happens()
		first := at("a")
		happens()
		if got := at("a"); got != first || first == 0 {
			t.Errorf("the follower is at %d, was at %d", got, first)
		}
		if got := at("b"); got != first+1 {
			t.Errorf("a newer one begins at %d", got)
		}
		move := func() error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
				if err := tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.EnvironmentRequested, Message: "made of an event", At: start}); err != nil {
					return err
				}
				return tx.MoveFollower(ctx, "a", first, first+1)
			})
		}
		if err := move(); err != nil {
			t.Fatal(err)
		}
		if err := move(); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("the second one is told %v", err)
		}
		if got := at("a"); got != first+1 {
			t.Errorf("the follower is at %d", got)
		}
	})
}

// TestPullReports: a report is kept, found and replaced, and goes with its repository.
func TestPullReports(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		update(t, s, fillPulls)
		read := func() (out blueberry.PullReport) {
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				out, err = tx.PullReport(ctx, "pul_1")
				return err
			})
			return out
		}
		set := func(id string, r blueberry.PullReport) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SetPullReport(ctx, id, r) })
		}
		for _, want := range []blueberry.PullReport{{CommentID: "1"}, whole[blueberry.PullReport](1), whole[blueberry.PullReport](100)} {
			if err := set("pul_1", want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, read()); diff != "" {
				t.Errorf("-written +read:\n%s", diff)
			}
		}
		if err := set("pul_none", blueberry.PullReport{}); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("of a pull request that is not there: %v", err)
		}
		of := func(ids ...string) int {
			var n int
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				list, err := tx.PullsOfEnvironments(ctx, ids)
				n = len(list)
				return err
			})
			return n
		}
		p := pull("pul_2", "rep_1", 2)
		p.EnvironmentID = "env_x"
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertPull(ctx, p) })
		if of() != 0 || of("env_none") != 0 || of("env_x", "env_none") != 1 {
			t.Errorf("pull requests of environments: %d, %d, %d", of(), of("env_none"), of("env_x", "env_none"))
		}
		h, w := blueberry.HostHealth{Message: "down", FailedAt: start}, blueberry.HostSweep{ETag: "x", Mark: start.Add(time.Second)}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.SetHostHealth(ctx, "rep_1", h), tx.SetHostSweep(ctx, "rep_1", w), tx.SetHostHealth(ctx, "rep_none", h))
		})
		if r, err := repositoryByID(t, s, "rep_1"); err != nil || r.Health != h || r.Sweep != w || r.Version != 1 {
			t.Errorf("the repository says %+v, %v", r, err)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteRepository(ctx, "rep_1") })
		if got := read(); got != (blueberry.PullReport{}) {
			t.Errorf("the repository is gone, and its report is there: %+v", got)
		}
	})
}
