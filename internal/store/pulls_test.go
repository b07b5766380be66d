package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func pull(id, repositoryID string, number int) blueberry.PullRequest {
	return blueberry.PullRequest{
		ID: id, RepositoryID: repositoryID, Project: blueberry.DefaultProject, Number: number, Title: "Sell more", State: blueberry.PullOpen,
		Relation: blueberry.RelationMember, HeadRef: "more", HeadRepo: "acme/shop", BaseRepo: "acme/shop", BaseRef: "main", HostAt: start, CreatedAt: start, UpdatedAt: start,
	}
}

func pullByID(t *testing.T, s *store.Store, id string) (blueberry.PullRequest, error) {
	t.Helper()
	return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) { return tx.Pull(ctx, id) })
}

func TestPullRequestsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	full := whole[blueberry.PullRequest](1)
	full.RepositoryID, full.Version = "rep_1", 7
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		for name, sent := range map[string]blueberry.PullRequest{
			"whole": full, "bare": {ID: "pul_bare", RepositoryID: "rep_1"}, "no labels": {ID: "pul_2", RepositoryID: "rep_1", Number: 2, Labels: []string{}},
		} {
			t.Run(name, func(t *testing.T) {
				insert := func(ctx context.Context, tx *store.Tx, n blueberry.PullRequest) error { return tx.InsertPull(ctx, n) }
				first := func(p *blueberry.PullRequest) { p.Version = 1 }
				roundTrip(sent, insert, func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) { return tx.Pull(ctx, sent.ID) }, first)(t, s)
				sent.ID, sent.Number = sent.ID+"b", sent.Number+100
				roundTrip(sent, insert, func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) {
					return tx.FindPull(ctx, "rep_1", sent.Number)
				}, first)(t, s)
			})
		}
	})
}

func TestAPullRequestHasItsNumberInARepository(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		var second error
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			err := errors.Join(tx.InsertPull(ctx, pull("pul_1", "rep_1", 7)), tx.InsertPull(ctx, pull("pul_2", "rep_2", 7)))
			second = tx.InsertPull(ctx, pull("pul_3", "rep_1", 7))
			return errors.Join(err, tx.InsertPull(ctx, pull("pul_4", "rep_1", 8))) // after what was refused
		})
		wantCode(t, "a second one", second, blueberry.Conflict, "PULL_EXISTS")
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertPull(ctx, pull("pul_5", "rep_none", 7)) })
		wantCode(t, "of no repository", err, blueberry.NotFound, "REPOSITORY_NOT_FOUND")
		for id, want := range map[string]string{"rep_1": "pul_1", "rep_2": "pul_2"} {
			if p := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) { return tx.FindPull(ctx, id, 7) }); p.ID != want {
				t.Errorf("7 of %s is %s", id, p.ID)
			}
		}
		for name, read := range map[string]func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error){
			"no id": func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) {
				return tx.Pull(ctx, "pul_none")
			},
			"one of no text": func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) {
				return tx.Pull(ctx, "pul_1\x00")
			},
			"no number": func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) {
				return tx.FindPull(ctx, "rep_2", 8)
			},
			"no repository": func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) {
				return tx.FindPull(ctx, "rep_none", 7)
			},
			"a negative one": func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) {
				return tx.FindPull(ctx, "rep_1", -7)
			},
			"the refused one": func(ctx context.Context, tx *store.Tx) (blueberry.PullRequest, error) { return tx.Pull(ctx, "pul_3") },
		} {
			_, err := tryView(t, s, read)
			wantCode(t, name, err, blueberry.NotFound, "PULL_NOT_FOUND")
		}
	})
}

func TestOneOfManyAddsAPullRequest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
					return tx.InsertPull(ctx, pull(fmt.Sprintf("pul_%02d", i), "rep_1", 1))
				})
				if err == nil {
					won.Add(1)
				} else {
					wantCode(t, "one that lost", err, blueberry.Conflict, "PULL_EXISTS")
				}
			})
		}
		wg.Wait()
		if n := count(t, s, "pulls"); won.Load() != 1 || n != 1 {
			t.Errorf("%d were added, %d are there", won.Load(), n)
		}
	})
}

func TestPullRequestsAreWrittenByVersion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		first := whole[blueberry.PullRequest](1)
		first.RepositoryID = "rep_1"
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertPull(ctx, first) })
		set := func(p blueberry.PullRequest) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdatePull(ctx, p) })
		}
		p := whole[blueberry.PullRequest](1000)
		p.ID, p.Bot, p.Draft, p.Version = first.ID, false, false, 1
		if err := set(p); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "from an old version", set(p), blueberry.Conflict, "VERSION_MOVED")
		wantCode(t, "of none", set(pull("pul_none", "rep_1", 1)), blueberry.NotFound, "PULL_NOT_FOUND")
		p.RepositoryID, p.Project, p.Number, p.CreatedAt, p.Version = first.RepositoryID, first.Project, first.Number, first.CreatedAt, 2
		got, err := pullByID(t, s, p.ID)
		if d := cmp.Diff(p, got); d != "" || err != nil {
			t.Errorf("%v:\n%s", err, d)
		}

		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				mine := p
				mine.Turn = i + 1
				if err := set(mine); err == nil {
					won.Add(int32(i + 1))
				} else {
					wantCode(t, "a write that lost", err, blueberry.Conflict, "VERSION_MOVED")
				}
			})
		}
		wg.Wait()
		if got, err := pullByID(t, s, p.ID); err != nil || got.Turn != int(won.Load()) || got.Version != 3 {
			t.Errorf("%d got it, the row says %d at version %d, %v", won.Load(), got.Turn, got.Version, err)
		}
	})
}

func TestPullRequestsAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		for i, x := range []struct {
			id, repository, project string
			state                   blueberry.PullState
			outcome                 blueberry.PullOutcome
		}{
			{"pul_1", "rep_1", "default", blueberry.PullOpen, blueberry.PullBuilt},
			{"pul_4", "rep_1", "default", blueberry.PullClosed, blueberry.PullEnded},
			{"pul_2", "rep_2", "shop", blueberry.PullOpen, ""},
			{"pul_3", "rep_1", "default", blueberry.PullOpen, blueberry.PullWaiting},
			{"pul_B", "rep_2", "shop", blueberry.PullMerged, blueberry.PullBuilt},
			{"pul_a", "rep_2", "other", blueberry.PullOpen, blueberry.PullWaiting},
		} {
			p := pull(x.id, x.repository, i)
			p.Project, p.State, p.Outcome = x.project, x.state, x.outcome
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertPull(ctx, p) })
		}
		for name, c := range map[string]struct {
			q    blueberry.PullQuery
			want []string
		}{
			"all":                         {blueberry.PullQuery{}, []string{"pul_a", "pul_B", "pul_4", "pul_3", "pul_2", "pul_1"}}, // by bytes
			"the first page":              {blueberry.PullQuery{Limit: 2}, []string{"pul_a", "pul_B"}},
			"a page":                      {blueberry.PullQuery{Limit: 2, Before: "pul_B"}, []string{"pul_4", "pul_3"}},
			"before the oldest":           {blueberry.PullQuery{Before: "pul_1"}, nil},
			"of a repository":             {blueberry.PullQuery{RepositoryID: "rep_1"}, []string{"pul_4", "pul_3", "pul_1"}},
			"a page of a repository":      {blueberry.PullQuery{RepositoryID: "rep_1", Before: "pul_4", Limit: 1}, []string{"pul_3"}},
			"open":                        {blueberry.PullQuery{State: blueberry.PullOpen}, []string{"pul_a", "pul_3", "pul_2", "pul_1"}},
			"waiting of a repository":     {blueberry.PullQuery{RepositoryID: "rep_1", State: blueberry.PullOpen, Outcome: blueberry.PullWaiting}, []string{"pul_3"}},
			"of projects":                 {blueberry.PullQuery{Projects: []string{"shop", "other"}}, []string{"pul_a", "pul_B", "pul_2"}},
			"of no project":               {blueberry.PullQuery{Projects: []string{}}, nil},
			"of another one's repository": {blueberry.PullQuery{Projects: []string{"shop"}, RepositoryID: "rep_1"}, nil},
		} {
			var got []string
			for _, p := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.PullRequest, error) { return tx.Pulls(ctx, c.q) }) {
				got = append(got, p.ID)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
	})
}
