package source_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// followed notes what is said to have moved.
type followed struct {
	moved []string
	fails error
}

func (f *followed) SourceMoved(_ context.Context, project, repository, branch string) error {
	if f.fails != nil {
		return f.fails
	}
	f.moved = append(f.moved, fmt.Sprint(project, " ", repository, " ", branch))
	return nil
}

// TestPushMovesWhatIsMadeOfIt: environments of other repositories that are made of a branch are looked at when it is pushed, or goes, whether or not a rule names
// it; many pushes make one job; and what Git tells of a push that was lost counts as one.
func TestPushMovesWhatIsMadeOfIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		m, f := h.withRemote(), &followed{}
		h.Followers = f
		r := h.add(t, "acme/web", blueberry.PullPolicy{})
		other := h.add(t, "acme/other", blueberry.PullPolicy{})
		now := h.clock()
		e := h.environment(t, blueberry.DefaultProject, "shop", "")
		rev := blueberry.Revision{
			ID: "rev_1", EnvironmentID: e.ID, Number: 1, Author: "ada", CreatedAt: now, Rendering: blueberry.Rendering{Digest: blueberry.DigestOf(nil)}, Inputs: blueberry.Inputs{
				Branch: "feature/x", Sources: []blueberry.ComponentSource{{Name: "web", Repository: "https://git.example.com/acme/web", Commit: commit(1)}},
				Blueprint: blueberry.Blueprint{Name: "shop", Repositories: []blueberry.SideRepository{{Name: "web", URL: "https://git.example.com/acme/web", Ref: "main"}}},
			},
		}
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			return tx.InsertRevision(t.Context(), rev)
		}); err != nil {
			t.Fatal(err)
		}
		web := func(branch string) string {
			return blueberry.DefaultProject + " https://git.example.com/acme/web.git " + branch
		}
		for i, c := range []struct {
			r      blueberry.Repository
			branch string
			commit string
			want   []string
			reason string
		}{
			{r, "main", commit(2), []string{web("main")}, "it is made of main"},
			{r, "feature/x", commit(3), []string{web("feature/x")}, "it would be made of it"},
			{r, "feature/x", "", []string{web("feature/x")}, "what is gone is made of no more"},
			{r, "feature/y", commit(4), nil, "nobody is made of it"},
			{r, "-x", commit(4), nil, "it is no branch"},
			{other, "main", commit(5), nil, "of another repository"},
		} {
			h.later(time.Minute)
			f.moved = nil
			d := h.send(t, c.r, fmt.Sprint(i), said{Pushes: []blueberry.BranchPush{{Branch: c.branch, Commit: c.commit, At: h.clock()}}})
			if len(f.moved) > 0 {
				t.Errorf("%s: looked at before the delivery was answered", c.reason)
			}
			h.work(t, 2)
			if want := blueberry.DeliveryAccepted; !cmp.Equal(f.moved, c.want) || (d.Verdict == want) != (c.want != nil) {
				t.Errorf("%s: told of %q, want %q; the delivery is %s: %s", c.reason, f.moved, c.want, d.Verdict, d.Reason)
			}
		}

		f.moved = nil
		for i := range 9 {
			h.later(time.Second)
			h.send(t, r, fmt.Sprint("often", i), said{Pushes: []blueberry.BranchPush{{Branch: "main", Commit: commit(10 + i), At: h.clock()}}})
		}
		f.fails = errors.New("the record is away")
		h.work(t, 1)
		f.fails = nil
		h.work(t, 1)
		if !cmp.Equal(f.moved, []string{web("main")}) {
			t.Errorf("nine pushes, and one failure, told of %q", f.moved)
		}

		h.rules(t, r, blueberry.BranchRule{Branch: "main", Environment: "staging"})
		m.push("main", commit(30), h.clock())
		h.work(t, 4)
		f.moved = nil
		m.push("main", commit(31), h.clock()) // nobody tells
		h.later(source.SweepEvery)
		if _, err := h.SweepBranches(t.Context(), blueberry.Job{Subject: r.ID}); err != nil {
			t.Fatal(err)
		}
		h.work(t, 4)
		if !slices.Contains(f.moved, web("main")) {
			t.Errorf("what the sweep found told of %q", f.moved)
		}

		if _, err := h.SourceMoved(t.Context(), blueberry.Job{Subject: "rep_none main"}); err != nil {
			t.Errorf("of a repository that was removed: %v", err)
		}
	})
}
