package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

const frontURL = "https://git.example.com/front.git"

// ofFront is a revision that is made of a repository beside its own.
func ofFront(e blueberry.Environment, number int, branch, ref string, match blueberry.RepositoryMatch, matched bool) blueberry.Revision {
	r := revision(e, number)
	r.Blueprint.Repositories = []blueberry.SideRepository{{Name: "front", URL: frontURL, Ref: ref, Match: match}}
	r.Branch, r.Sources = branch, []blueberry.ComponentSource{{Name: "front", Repository: frontURL, Ref: ref, Commit: "c", Matched: matched}}
	return r
}

// TestSourceFollowers: those are found whom a push to a branch may concern, of one project, while they live, by what their desired revision is made of.
func TestSourceFollowers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		matched, unmatched, fixed := environment("matched", start), environment("unmatched", start.Add(time.Second)), environment("fixed", start.Add(2*time.Second))
		left, dead, other := environment("left", start), environment("dead", start), environment("other", start)
		other.Project, other.Namespace = "another", "another-other"
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			err := tx.PutProject(ctx, blueberry.Project{Name: "another", CreatedAt: start})
			for _, e := range []blueberry.Environment{matched, unmatched, fixed, left, dead, other} {
				err = errors.Join(err, tx.InsertEnvironment(ctx, e))
			}
			err = errors.Join(err,
				tx.InsertRevision(ctx, ofFront(matched, 1, "x", "", "", true)),
				tx.InsertRevision(ctx, ofFront(unmatched, 1, "y", "refs/heads/main", blueberry.MatchBranch, false)),
				tx.InsertRevision(ctx, ofFront(fixed, 1, "x", "main", blueberry.MatchFixed, false)),
				tx.InsertRevision(ctx, ofFront(left, 1, "x", "", "", true)),
				tx.InsertRevision(ctx, revision(left, 2)),
				tx.InsertRevision(ctx, ofFront(dead, 1, "x", "", "", true)),
				tx.InsertRevision(ctx, ofFront(other, 1, "x", "", "", true)))
			dead.Phase = blueberry.Terminated
			return errors.Join(err, tx.UpdateEnvironment(ctx, dead))
		})
		ids := func(list ...blueberry.Environment) (out []string) {
			for _, e := range list {
				out = append(out, e.ID)
			}
			slices.Sort(out)
			return out
		}
		of := func(q blueberry.SourceFollowerQuery) []string {
			if q.Limit == 0 {
				q.Limit = 9
			}
			return view(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) { return tx.SourceFollowers(ctx, q) })
		}
		project := matched.Project
		for _, c := range []struct {
			q    blueberry.SourceFollowerQuery
			want []string
		}{
			{blueberry.SourceFollowerQuery{Project: project, Repository: frontURL, Branch: "x"}, ids(matched)},
			{blueberry.SourceFollowerQuery{Project: project, Repository: "https://git.example.com/front/", Branch: "x"}, ids(matched)},
			{blueberry.SourceFollowerQuery{Project: project, Repository: frontURL, Branch: "y"}, ids(unmatched)},
			{blueberry.SourceFollowerQuery{Project: project, Repository: frontURL, Branch: "main"}, ids(unmatched, fixed)},
			{blueberry.SourceFollowerQuery{Project: project, Repository: frontURL, Branch: "main", Limit: 1}, ids(unmatched, fixed)[:1]},
			{blueberry.SourceFollowerQuery{Project: project, Repository: frontURL, Branch: "main", After: ids(unmatched, fixed)[0]}, ids(unmatched, fixed)[1:]},
			{blueberry.SourceFollowerQuery{Project: project, Repository: frontURL, Branch: "z"}, nil},
			{blueberry.SourceFollowerQuery{Project: project, Repository: "https://git.example.com/back", Branch: "x"}, nil},
			{blueberry.SourceFollowerQuery{Project: "another", Repository: frontURL, Branch: "x"}, ids(other)},
			{blueberry.SourceFollowerQuery{Project: "another", Repository: frontURL, Branch: "any"}, nil}, // its branch was taken, so its ref is none of ours
		} {
			if d := cmp.Diff(c.want, of(c.q)); d != "" {
				t.Errorf("%+v:\n%s", c.q, d)
			}
		}
	})
}

// TestPurgeTakesSourceUses: what is left of an environment goes with it.
func TestPurgeTakesSourceUses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("gone", start)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEnvironment(ctx, e), tx.InsertRevision(ctx, ofFront(e, 1, "x", "", "", true)))
		})
		if n := count(t, s, "source_uses"); n != 1 {
			t.Fatalf("%d uses", n)
		}
		if _, err := s.DB().ExecContext(t.Context(), "UPDATE environments SET phase = 'terminated'"); err != nil { // as the version before this one does
			t.Fatal(err)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PurgeEnvironment(ctx, e.ID) })
		if n := count(t, s, "source_uses"); n != 0 {
			t.Errorf("%d uses are left", n)
		}
	})
}
