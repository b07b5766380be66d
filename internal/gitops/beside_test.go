package gitops_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
)

// repositories are an embedded one and one with a remote.
func repositories(t *testing.T, f func(t *testing.T, r *gitops.Repository)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		r, _ := open(t, gitops.Config{Dir: t.TempDir()})
		f(t, r)
	})
	t.Run("remote", func(t *testing.T) {
		t.Parallel()
		r, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: bare(t)})
		f(t, r)
	})
}

func TestFilesBesideComeAndGoWithTheDirectory(t *testing.T) {
	t.Parallel()
	repositories(t, func(t *testing.T, r *gitops.Repository) {
		c := change("pr-1", 1, files("00.yaml", "a: 1\n"))
		c.Beside = files("targets/local/apps/shop-pr-1.yaml", "kind: Application\n", "targets/local/apps/shared.yaml", "")
		first := commit(t, r, c)
		wantFiles(t, r, "targets/local/apps", files("shop-pr-1.yaml", "kind: Application\n", "shared.yaml", ""))
		wantFiles(t, r, c.Dir, files("00.yaml", "a: 1\n"))
		if again := commit(t, r, c); again != first {
			t.Errorf("the same once more is %s, want %s", again, first)
		}

		c.Beside = map[string][]byte{"targets/local/apps/shop-pr-1.yaml": nil}
		second := commit(t, r, gitops.Change{Beside: c.Beside, Subject: "shop/pr-1: let go"})
		wantFiles(t, r, "targets/local/apps", files("shared.yaml", ""))
		wantFiles(t, r, c.Dir, files("00.yaml", "a: 1\n")) // a change without a directory leaves all of them
		if again := commit(t, r, gitops.Change{Beside: c.Beside}); second == first || again != second {
			t.Errorf("the removal is %s, and once more %s, after %s", second, again, first)
		}

		c.Files, c.Beside["targets/local/apps/shared.yaml"] = nil, []byte("b: 1\n")
		commit(t, r, c)
		wantFiles(t, r, c.Dir, map[string][]byte{})
		wantFiles(t, r, "targets/local/apps", files("shared.yaml", "b: 1\n"))
		if got := commit(t, r, gitops.Change{Beside: map[string][]byte{"never/there": nil}}); got != "" {
			t.Errorf("the removal of what never was is commit %q", got)
		}
	})
}

func TestOneChangeIsOneCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := open(t, gitops.Config{Dir: dir})
	c := change("pr-1", 1, files("00.yaml", "a: 1\n"))
	c.Beside = files("targets/local/apps/shop-pr-1.yaml", "x")
	id := commit(t, r, c)
	got := strings.Fields(git(t, dir, "show", "--format=", "--name-only", id))
	if diff := cmp.Diff([]string{"targets/local/apps/shop-pr-1.yaml", "targets/local/shop/pr-1/00.yaml"}, got); diff != "" {
		t.Errorf("paths of the commit (-want +got):\n%s", diff)
	}
	if head := git(t, dir, "rev-list", "--count", "main"); head != "1" {
		t.Errorf("%s commits, want 1", head)
	}
}

// TestManyAtOnceKeepTheirFilesBeside: what a batch holds must be plannable one by one.
func TestManyAtOnceKeepTheirFilesBeside(t *testing.T) {
	t.Parallel()
	r, _ := open(t, gitops.Config{Dir: t.TempDir()})
	want, shared := map[string][]byte{}, "targets/local/apps/shared/x.yaml"
	var wg sync.WaitGroup
	for i := range 20 {
		c := change(fmt.Sprintf("pr-%d", i), 1, files("00.yaml", fmt.Sprintf("a: %d\n", i)))
		c.Beside = files(fmt.Sprintf("targets/local/apps/pr-%d.yaml", i), fmt.Sprint(i))
		c.Beside[shared] = []byte("same")
		want[fmt.Sprintf("pr-%d.yaml", i)] = []byte(fmt.Sprint(i))
		wg.Go(func() {
			if _, err := r.Commit(t.Context(), c); err != nil {
				t.Errorf("commit: %v", err)
			}
		})
	}
	// This one is nested with all others, so it is none of their batch.
	wg.Go(func() {
		if _, err := r.Commit(t.Context(), gitops.Change{Dir: "targets/local/apps/shared", Files: files("y.yaml", "other")}); err != nil {
			t.Errorf("commit: %v", err)
		}
	})
	wg.Wait()
	got, err := r.Files(t.Context(), "targets/local/apps")
	if err != nil {
		t.Fatal(err)
	}
	delete(got, "shared/x.yaml")
	delete(got, "shared/y.yaml")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files beside (-want +got):\n%s", diff)
	}
}

func TestBadFileBesideIsRefused(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		beside []string
		dir    string
		faults int
	}{
		"in the directory":           {[]string{"targets/local/shop/pr-1/x"}, "targets/local/shop/pr-1", 1},
		"over the directory":         {[]string{"targets/local"}, "targets/local/shop/pr-1", 1},
		"a file and a directory":     {[]string{"a", "a/b"}, "", 1},
		"not clean, each by itself":  {[]string{"../a", "/b", "c"}, "", 2},
		"nothing at all is a change": {nil, "", 1},
	} {
		change := gitops.Change{Dir: c.dir, Beside: map[string][]byte{}}
		for _, p := range c.beside {
			change.Beside[p] = []byte("x")
		}
		r, stop := open(t, gitops.Config{Dir: t.TempDir()})
		_, err := r.Commit(t.Context(), change)
		wantFaults(t, err, c.faults, reason)
		stop()
	}
}

func TestContains(t *testing.T) {
	t.Parallel()
	repositories(t, func(t *testing.T, r *gitops.Repository) {
		first := commit(t, r, change("pr-1", 1, files("a", "1")))
		second := commit(t, r, change("pr-2", 1, files("a", "1")))
		nobodys := strings.Repeat("ab", 20)
		for range 2 { // the second time from memory
			for _, c := range []struct {
				revision, commit string
				want             bool
			}{
				{second, first, true}, {second, second, true}, {first, second, false}, {nobodys, first, false}, {second, nobodys, false},
			} {
				if got, err := r.Contains(t.Context(), c.revision, c.commit); err != nil || got != c.want {
					t.Errorf("%s contains %s: %t, %v; want %t", c.revision, c.commit, got, err, c.want)
				}
			}
		}
		if _, err := r.Contains(t.Context(), "main", "--all"); !isKind(err, blueberry.Invalid) {
			t.Errorf("names that are no commits: %v", err)
		}
	})
}

// TestContainsLooksAtTheRemote: Argo CD may have seen a commit that our mirror has not.
func TestContainsLooksAtTheRemote(t *testing.T) {
	t.Parallel()
	remote := bare(t)
	r, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: remote})
	ours := commit(t, r, change("pr-1", 1, files("a", "1")))
	other, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: remote})
	theirs := commit(t, other, change("pr-2", 1, files("a", "1")))
	if got, err := r.Contains(t.Context(), theirs, ours); err != nil || !got {
		t.Errorf("got %t, %v, want true", got, err)
	}
}
