package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func branch(id, repositoryID, name string) blueberry.Branch {
	return blueberry.Branch{
		ID: id, RepositoryID: repositoryID, Project: blueberry.DefaultProject, Name: name, HeadCommit: "c1", HostAt: start, HeardAt: start, CreatedAt: start, UpdatedAt: start,
	}
}

func TestBranchesComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	full := whole[blueberry.Branch](1)
	full.RepositoryID, full.Version = "rep_1", 7
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		for name, sent := range map[string]blueberry.Branch{"whole": full, "bare": {ID: "brn_bare", RepositoryID: "rep_1", Name: "main"}} {
			t.Run(name, func(t *testing.T) {
				insert := func(ctx context.Context, tx *store.Tx, n blueberry.Branch) error { return tx.InsertBranch(ctx, n) }
				first := func(b *blueberry.Branch) { b.Version = 1 }
				roundTrip(sent, insert, func(ctx context.Context, tx *store.Tx) (blueberry.Branch, error) { return tx.Branch(ctx, sent.ID) }, first)(t, s)
				sent.ID, sent.Name = sent.ID+"b", sent.Name+"/b"
				roundTrip(sent, insert, func(ctx context.Context, tx *store.Tx) (blueberry.Branch, error) {
					return tx.FindBranch(ctx, "rep_1", sent.Name)
				}, first)(t, s)
			})
		}
	})
}

func TestABranchHasItsNameInARepository(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		var second error
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			err := errors.Join(tx.InsertBranch(ctx, branch("brn_1", "rep_1", "main")), tx.InsertBranch(ctx, branch("brn_2", "rep_2", "main")), tx.InsertBranch(ctx, branch("brn_3", "rep_1", "Main")))
			second = tx.InsertBranch(ctx, branch("brn_4", "rep_1", "main"))
			return errors.Join(err, tx.InsertBranch(ctx, branch("brn_5", "rep_1", "$(id)'\"; --"))) // after what was refused
		})
		wantCode(t, "a second one", second, blueberry.Conflict, "BRANCH_EXISTS")
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertBranch(ctx, branch("brn_6", "rep_none", "main"))
		})
		wantCode(t, "of no repository", err, blueberry.NotFound, "REPOSITORY_NOT_FOUND")
		for name, want := range map[string]string{"main": "brn_1", "Main": "brn_3", "$(id)'\"; --": "brn_5"} {
			if b := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Branch, error) {
				return tx.FindBranch(ctx, "rep_1", name)
			}); b.ID != want {
				t.Errorf("%s is %s", name, b.ID)
			}
		}
		for what, read := range map[string]func(ctx context.Context, tx *store.Tx) (blueberry.Branch, error){
			"by id": func(ctx context.Context, tx *store.Tx) (blueberry.Branch, error) { return tx.Branch(ctx, "brn_none") },
			"by name": func(ctx context.Context, tx *store.Tx) (blueberry.Branch, error) {
				return tx.FindBranch(ctx, "rep_2", "other")
			},
		} {
			_, err := tryView(t, s, read)
			wantCode(t, what, err, blueberry.NotFound, "BRANCH_NOT_FOUND")
		}
	})
}

func TestListsOfBranches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			for i, b := range []blueberry.Branch{branch("", "rep_1", "main"), branch("", "rep_1", "gone"), branch("", "rep_1", "waits"), branch("", "rep_2", "main")} {
				b.ID = fmt.Sprintf("brn_%d", i+1)
				switch b.Name {
				case "gone":
					b.HeadCommit, b.Outcome = "", blueberry.PullEnded
				case "waits":
					b.Outcome, b.EnvironmentID = blueberry.PullWaiting, "env_1"
				}
				if err := tx.InsertBranch(ctx, b); err != nil {
					return err
				}
			}
			return nil
		})
		for what, c := range map[string]struct {
			q    blueberry.BranchQuery
			want []string
		}{
			"all":                {blueberry.BranchQuery{}, []string{"brn_4", "brn_3", "brn_2", "brn_1"}},
			"of a repository":    {blueberry.BranchQuery{RepositoryID: "rep_1"}, []string{"brn_3", "brn_2", "brn_1"}},
			"of a name":          {blueberry.BranchQuery{Name: "main"}, []string{"brn_4", "brn_1"}},
			"that are there":     {blueberry.BranchQuery{RepositoryID: "rep_1", Live: true}, []string{"brn_3", "brn_1"}},
			"that wait":          {blueberry.BranchQuery{Outcome: blueberry.PullWaiting}, []string{"brn_3"}},
			"a page":             {blueberry.BranchQuery{Before: "brn_4", Limit: 2}, []string{"brn_3", "brn_2"}},
			"of a project":       {blueberry.BranchQuery{Projects: []string{"default"}, Limit: 1}, []string{"brn_4"}},
			"of no project":      {blueberry.BranchQuery{Projects: []string{}}, nil},
			"of another's":       {blueberry.BranchQuery{Projects: []string{"other"}}, nil},
			"of what is no text": {blueberry.BranchQuery{Name: "main\x00"}, nil},
		} {
			var got []string
			for _, b := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Branch, error) { return tx.Branches(ctx, c.q) }) {
				got = append(got, b.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", what, got, c.want)
			}
		}
		of := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Branch, error) {
			return tx.BranchesOfEnvironments(ctx, []string{"env_1", "env_2"})
		})
		if len(of) != 1 || of[0].ID != "brn_3" {
			t.Errorf("of the environment: %v", of)
		}
	})
}

func TestABranchIsChangedByWhoReadIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		b := branch("brn_1", "rep_1", "main")
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertBranch(ctx, b) })
		write := func(b blueberry.Branch) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateBranch(ctx, b) })
		}
		full := whole[blueberry.Branch](3)
		full.ID, full.RepositoryID, full.Project, full.Name, full.CreatedAt, full.Version = b.ID, "rep_other", "other", "other", start.AddDate(1, 0, 0), 1
		if err := write(full); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "an older one", write(full), blueberry.Conflict, "VERSION_MOVED")
		want := full
		want.RepositoryID, want.Project, want.Name, want.CreatedAt, want.Version = b.RepositoryID, b.Project, b.Name, b.CreatedAt, 2
		if diff := cmp.Diff(want, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Branch, error) { return tx.Branch(ctx, b.ID) })); diff != "" {
			t.Error(diff)
		}
		remove := func() error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteBranch(ctx, b.ID) })
		}
		if err := remove(); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "removed twice", remove(), blueberry.NotFound, "BRANCH_NOT_FOUND")
		wantCode(t, "one that is gone", write(want), blueberry.NotFound, "BRANCH_NOT_FOUND")
	})
}

// TestSweepsOfBranchesAreNoChange: they move no version, and a change of the repository leaves them.
func TestSweepsOfBranchesAreNoChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1")
		sweep := whole[blueberry.BranchSweep](2)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SetBranchSweep(ctx, "rep_1", sweep) })
		r, err := repositoryByID(t, s, "rep_1")
		if err != nil || r.Version != 1 {
			t.Fatal(r.Version, err)
		}
		r.Branches, r.Rules = blueberry.BranchSweep{}, []blueberry.BranchRule{whole[blueberry.BranchRule](5)}
		rules := r.Rules
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateRepository(ctx, r) })
		r, err = repositoryByID(t, s, "rep_1")
		if diff := cmp.Diff(sweep, r.Branches) + cmp.Diff(rules, r.Rules); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}
