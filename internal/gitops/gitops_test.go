package gitops_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
)

// open gives a repository that runs until the test ends, or until stop is called.
func open(t testing.TB, c gitops.Config) (r *gitops.Repository, stop func()) {
	t.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	r, err := gitops.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

func commit(t testing.TB, r *gitops.Repository, c gitops.Change) string {
	t.Helper()
	id, err := r.Commit(t.Context(), c)
	if err != nil {
		t.Fatalf("commit %s: %v", c.Dir, err)
	}
	return id
}

// git runs the stock client as a user would, with nothing of ours but a name to commit by.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func tryGit(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func files(pairs ...string) map[string][]byte {
	m := map[string][]byte{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = []byte(pairs[i+1])
	}
	return m
}

func wantFiles(t testing.TB, r *gitops.Repository, dir string, want map[string][]byte) {
	t.Helper()
	got, err := r.Files(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of %s (-want +got):\n%s", dir, diff)
	}
}

func change(name string, revision int, content map[string][]byte) gitops.Change {
	return gitops.Change{
		Dir: gitops.Dir("local", "shop", name), Files: content, Subject: fmt.Sprintf("%s revision %d", name, revision),
		Environment: "env_" + name, Revision: revision, Actor: "ada",
	}
}

func TestOneRevisionIsOneCommitWithItsTrailers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := open(t, gitops.Config{Dir: dir})
	first := commit(t, r, change("pr-1", 1, files("00-environment.yaml", "kind: Namespace\n", "01-web.yaml", "a: 1\n")))
	second := commit(t, r, change("pr-1", 2, files("00-environment.yaml", "kind: Namespace\n", "02-db/db.yaml", "")))
	wantFiles(t, r, "targets/local/shop/pr-1", files("00-environment.yaml", "kind: Namespace\n", "02-db/db.yaml", ""))

	head, err := r.Head(t.Context())
	if err != nil || head != second || len(first) != 40 {
		t.Errorf("head = %q, %v; want %q", head, err, second)
	}
	want := "pr-1 revision 2\n\nBlueberry-Environment: env_pr-1\nBlueberry-Revision: 2\nBlueberry-Actor: ada"
	if diff := cmp.Diff(want, git(t, dir, "log", "-1", "--format=%B", second)); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	if got := git(t, dir, "log", "-1", "--format=%(trailers:key=Blueberry-Revision,valueonly)", first); got != "1" {
		t.Errorf("git reads the revision %q from the trailers, want 1", got)
	}
	if got := git(t, dir, "rev-list", "--count", "main"); got != "2" {
		t.Errorf("there are %s commits, want 2", got)
	}
	git(t, dir, "fsck", "--full", "--strict")
}

func TestRepeatedCommitChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := open(t, gitops.Config{Dir: dir})
	one := change("pr-1", 1, files("a.yaml", "a\n"))
	first := commit(t, r, one)
	commit(t, r, change("pr-2", 1, files("a.yaml", "a\n")))
	if again := commit(t, r, one); again != first {
		t.Errorf("the repeated commit gave %s, want %s", again, first)
	}
	never := change("never", 1, nil)
	if got := commit(t, r, never); got != "" {
		t.Errorf("removing what never was gave %q, want nothing", got)
	}
	gone := commit(t, r, change("pr-1", 2, nil))
	if again := commit(t, r, change("pr-1", 2, nil)); again != gone || gone == first {
		t.Errorf("the repeated removal gave %s, want %s", again, gone)
	}
	wantFiles(t, r, one.Dir, files())
	if got := git(t, dir, "rev-list", "--count", "main"); got != "3" {
		t.Errorf("there are %s commits, want 3", got)
	}
}

func TestFileInTheWayOfDirectoryIsReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := open(t, gitops.Config{Dir: dir})
	commit(t, r, gitops.Change{Dir: "targets/local", Files: files("shop", "a file\n", "link/x", "x")})
	commit(t, r, gitops.Change{Dir: "targets/local/shop", Files: files("pr-1/a", "a")})
	wantFiles(t, r, "targets/local", files("shop/pr-1/a", "a", "link/x", "x"))
	commit(t, r, gitops.Change{Dir: "targets/local/link/x", Files: files("b", "b")})
	wantFiles(t, r, "targets/local", files("shop/pr-1/a", "a", "link/x/b", "b"))
}

func TestConcurrentCommitsKeepTheirOrderByDirectory(t *testing.T) {
	t.Parallel()
	const environments, revisions = 20, 6
	dir := t.TempDir()
	var mu sync.Mutex
	batches, commits := 0, 0
	r, _ := open(t, gitops.Config{Dir: dir, OnBatch: func(b gitops.Batch) {
		mu.Lock()
		defer mu.Unlock()
		batches, commits = batches+1, commits+b.Commits
	}})
	var wg sync.WaitGroup
	for e := range environments {
		wg.Go(func() {
			seen := map[string]bool{}
			for n := 1; n <= revisions; n++ {
				id, err := r.Commit(t.Context(), change(fmt.Sprintf("pr-%d", e), n, files("a.yaml", fmt.Sprint(n))))
				if err != nil || seen[id] {
					t.Errorf("commit gave %q (seen before: %v), %v", id, seen[id], err)
				}
				seen[id] = true
			}
		})
	}
	wg.Wait()
	for e := range environments {
		log := git(t, dir, "log", "--reverse", "--format=%(trailers:key=Blueberry-Revision,valueonly,separator=)", "main", "--", gitops.Dir("local", "shop", fmt.Sprintf("pr-%d", e)))
		if log != "1\n2\n3\n4\n5\n6" {
			t.Errorf("pr-%d has revisions %q", e, log)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if commits != environments*revisions || batches >= commits {
		t.Errorf("%d commits in %d batches, want %d in fewer", commits, batches, environments*revisions)
	}
}

func TestBadChangeIsRefusedWithEveryFault(t *testing.T) {
	t.Parallel()
	r, _ := open(t, gitops.Config{Dir: t.TempDir()})
	ok := files("a", "")
	for name, c := range map[string]struct {
		reason string
		change gitops.Change
		faults int
	}{
		"empty dir":       {"the whole repository is not a directory to own", gitops.Change{Files: ok}, 1},
		"dots":            {"it would leave the directory", gitops.Change{Dir: "targets/../x", Files: ok}, 1},
		"absolute":        {"it is no path of a repository", gitops.Change{Dir: "/targets", Files: ok}, 1},
		"trailing slash":  {"one directory must have one name", gitops.Change{Dir: "targets/", Files: ok}, 1},
		"dot git":         {"a clone would run what is in it", gitops.Change{Dir: "targets/.GIT", Files: ok}, 1},
		"dot git dot":     {"some file systems drop the last dot", gitops.Change{Dir: "targets/.git.", Files: ok}, 1},
		"NUL":             {"it ends a path", gitops.Change{Dir: "targets/a\x00b", Files: ok}, 1},
		"file newline":    {"it ends a command of fast-import", gitops.Change{Dir: "t", Files: files("a\nD t", "")}, 1},
		"backslash":       {"it parts a path on some systems", gitops.Change{Dir: "t", Files: files(`..\a`, "")}, 1},
		"file and folder": {"a name is one of them", gitops.Change{Dir: "t", Files: files("a", "", "a/b", "")}, 1},
		"long part":       {"no file system holds it", gitops.Change{Dir: "t", Files: files(strings.Repeat("a", 256), "")}, 1},
		"actor newline":   {"it would forge a trailer", gitops.Change{Dir: "t", Files: ok, Actor: "a\nBlueberry-Revision: 9"}, 1},
		"all at once":     {"a person wants to mend it once", gitops.Change{Dir: "..", Files: files("../a", "", "b\x01", ""), Environment: "\n"}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := r.Commit(t.Context(), c.change)
			wantFaults(t, err, c.faults, c.reason)
		})
	}
}

func wantFaults(t *testing.T, err error, n int, reason string) {
	t.Helper()
	e, ok := err.(*blueberry.Error) //nolint:errorlint // it is made right there
	if !ok || e.Kind != blueberry.Invalid || len(e.Fields) != n {
		t.Errorf("got %v; want %d faults, because %s", err, n, reason)
	}
}

func TestCommitAfterRunEndsIsUnavailable(t *testing.T) {
	t.Parallel()
	r, stop := open(t, gitops.Config{Dir: t.TempDir()})
	stop()
	_, err := r.Commit(t.Context(), change("pr-1", 1, files("a", "")))
	if !isKind(err, blueberry.Unavailable) {
		t.Errorf("got %v, want Unavailable", err)
	}
}

func TestCommitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r, err := gitops.Open(t.Context(), gitops.Config{Dir: t.TempDir()}) // nobody runs it
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Commit(ctx, change("pr-1", 1, files("a", ""))); err != context.Canceled { //nolint:errorlint // exactly that
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestSecondRunWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, stop := open(t, gitops.Config{Dir: dir})
	commit(t, first, change("pr-1", 1, files("a", "1")))
	second, _ := open(t, gitops.Config{Dir: dir})
	done := make(chan error, 1)
	go func() {
		_, err := second.Commit(t.Context(), change("pr-1", 2, files("a", "2")))
		done <- err
	}()
	commit(t, first, change("pr-2", 1, files("a", "1")))
	wantFiles(t, first, gitops.Dir("local", "shop", "pr-1"), files("a", "1"))
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantFiles(t, second, gitops.Dir("local", "shop", "pr-1"), files("a", "2"))
}

func TestLockThatKilledGitLeftIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := open(t, gitops.Config{Dir: dir})
	commit(t, r, change("pr-1", 1, files("a", "1")))
	lock := filepath.Join(dir, "refs/heads/main.lock")
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(lock, long, long); err != nil {
		t.Fatal(err)
	}
	commit(t, r, change("pr-1", 2, files("a", "2")))
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis.tex"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reason string
		config gitops.Config
	}{
		"no directory":  {"it would make a repository where the process happens to be", gitops.Config{}},
		"foreign files": {"the directory is someone else's", gitops.Config{Dir: full}},
		"password":      {"a URL ends in process lists", gitops.Config{Dir: t.TempDir(), Remote: "https://ada:hunter2@example.org/x.git"}},
		"option":        {"git would read it as one", gitops.Config{Dir: t.TempDir(), Remote: "--upload-pack=x"}},
		"ext transport": {"it runs a command", gitops.Config{Dir: t.TempDir(), Remote: "ext::sh -c true"}},
		"branch":        {"Git does not allow the name", gitops.Config{Dir: t.TempDir(), Branch: "a..b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := gitops.Open(t.Context(), c.config)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v; want an error without the password, because %s", err, c.reason)
			}
		})
	}
}

func TestOpenWithoutGitSaysSo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := gitops.Open(t.Context(), gitops.Config{Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "git") {
		t.Errorf("got %v, want an error that names git", err)
	}
}

func isKind(err error, kind blueberry.Kind) bool { return errors.Is(err, kind) }

func TestPacksDoNotPileUp(t *testing.T) {
	t.Parallel()
	const batches = 40
	dir := t.TempDir()
	r, _ := open(t, gitops.Config{Dir: dir})
	for n := range batches {
		commit(t, r, change("pr-1", n+1, files("a", fmt.Sprint(n))))
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for packs := batches; packs >= batches; { // it waits for maintenance, and go test ends it when that never comes
		<-tick.C
		found, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
		if err != nil {
			t.Fatal(err)
		}
		packs = len(found)
	}
	git(t, dir, "fsck", "--full", "--strict")
	wantFiles(t, r, gitops.Dir("local", "shop", "pr-1"), files("a", fmt.Sprint(batches-1)))
}
