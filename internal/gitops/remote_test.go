package gitops_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
)

func unhex(t testing.TB, s string) string {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// bare makes a repository that someone else hosts.
func bare(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "remote.git")
	git(t, ".", "init", "--quiet", "--bare", "--initial-branch=main", dir)
	return dir
}

func code(err error) string {
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Unavailable {
		return fmt.Sprintf("not Unavailable: %v", err)
	}
	return e.Code
}

func TestRemoteGetsEveryCommit(t *testing.T) {
	t.Parallel()
	remote := bare(t)
	r, stop := open(t, gitops.Config{Dir: t.TempDir(), Remote: remote})
	first := commit(t, r, change("pr-1", 1, files("a", "1")))
	second := commit(t, r, change("pr-2", 1, files("a", "1")))
	if got := git(t, remote, "log", "--format=%H", "main"); got != second+"\n"+first {
		t.Errorf("the remote holds %q", got)
	}
	stop()
	// Another replica, with a mirror of its own, or this one after it lost its disk.
	again, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: remote})
	if got := commit(t, again, change("pr-1", 1, files("a", "1"))); got != first {
		t.Errorf("the repeated commit gave %s, want %s", got, first)
	}
	wantFiles(t, again, gitops.Dir("local", "shop", "pr-2"), files("a", "1"))
}

func TestRepeatedCommitSeesWhatOthersDidToTheRemote(t *testing.T) {
	t.Parallel()
	remote := bare(t)
	r, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: remote})
	one := change("pr-1", 1, files("a", "1"))
	first := commit(t, r, one)
	other, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: remote})
	commit(t, other, change("pr-1", 1, nil))
	if again := commit(t, r, one); again == first {
		t.Error("the commit was not made again although someone had removed its files")
	}
	wantFiles(t, other, one.Dir, one.Files)
	git(t, remote, "update-ref", "-d", "refs/heads/main")
	commit(t, r, one)
	wantFiles(t, other, one.Dir, one.Files)
}

func TestCompetingPusherDelaysButDoesNotStop(t *testing.T) {
	t.Parallel()
	remote := bare(t)
	r, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: remote})
	commit(t, r, change("pr-0", 1, files("a", "0")))
	work := filepath.Join(t.TempDir(), "work")
	git(t, ".", "clone", "--quiet", remote, work)
	done := make(chan struct{})
	pushed := 0
	var rival sync.WaitGroup
	rival.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			git(t, work, "fetch", "--quiet")
			git(t, work, "reset", "--quiet", "--hard", "origin/main")
			git(t, work, "commit", "--quiet", "--allow-empty", "--message", "rival")
			if _, err := tryGit(t, work, "push", "--quiet", "origin", "HEAD:main"); err == nil {
				pushed++
			}
		}
	})
	const environments, revisions = 3, 5
	var wg sync.WaitGroup
	for e := range environments {
		wg.Go(func() {
			for n := 1; n <= revisions; n++ {
				commit(t, r, change(fmt.Sprintf("pr-%d", e), n, files("a", fmt.Sprintf("%d-%d", e, n))))
			}
		})
	}
	wg.Wait()
	close(done)
	rival.Wait()
	ours := git(t, remote, "log", "--format=%s", "--grep=revision", "main")
	if n := len(strings.Split(ours, "\n")); n != 1+environments*revisions {
		t.Errorf("the remote holds %d of our commits, want %d", n, 1+environments*revisions)
	}
	if theirs := git(t, remote, "rev-list", "--count", "--grep=rival", "main"); theirs != fmt.Sprint(pushed) {
		t.Errorf("the remote holds %s commits of the rival, want %d", theirs, pushed)
	}
}

func TestRemoteThatRefusesSaysWhy(t *testing.T) {
	t.Parallel()
	remote := bare(t)
	hook := filepath.Join(remote, "hooks/pre-receive")
	r, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: remote})
	write(t, hook, "#!/bin/sh\necho protected >&2\nexit 1\n")
	if err := os.Chmod(hook, 0o700); err != nil { //nolint:gosec // a hook has to be executable
		t.Fatal(err)
	}
	_, err := r.Commit(t.Context(), change("pr-1", 1, files("a", "1")))
	if code(err) != "GITOPS_REMOTE_REFUSED" || !strings.Contains(err.Error(), "hook declined") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(hook); err != nil {
		t.Fatal(err)
	}
	commit(t, r, change("pr-1", 1, files("a", "1")))
	if got := git(t, remote, "rev-list", "--count", "main"); got != "1" {
		t.Errorf("%s commits, want 1", got)
	}
}

// host is a remote over HTTP that can be down, refuse, or lose its answers.
type host struct {
	*httptest.Server
	down, loseAnswers, refuse atomic.Bool
	asked                     atomic.Int64
}

func newHost(t *testing.T, inner http.Handler) *host {
	t.Helper()
	h := &host{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h.asked.Add(1)
		switch {
		case h.down.Load():
			panic(http.ErrAbortHandler)
		case h.loseAnswers.Load() && strings.HasSuffix(req.URL.Path, "/git-receive-pack") && req.Method == http.MethodPost:
			inner.ServeHTTP(httptest.NewRecorder(), req)
			panic(http.ErrAbortHandler)
		case h.refuse.Load():
			w.WriteHeader(http.StatusForbidden)
			return
		}
		inner.ServeHTTP(w, req)
	}))
	h.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	t.Cleanup(h.Close)
	return h
}

func TestRemoteThatIsDownComesBack(t *testing.T) {
	t.Parallel()
	hosted, _ := open(t, gitops.Config{Dir: t.TempDir()})
	h := newHost(t, hosted.Handler(authenticate))
	h.down.Store(true)
	c := gitops.Config{Dir: t.TempDir(), Remote: h.URL + "/git/gitops.git", Username: "blueberry", Password: token, Timeout: 5 * time.Minute}
	r, _ := open(t, c)
	one := change("pr-1", 1, files("a", "1"))
	for range 2 {
		if _, err := r.Commit(t.Context(), one); code(err) != "GITOPS_REMOTE_DOWN" {
			t.Errorf("got %v", err)
		}
	}
	if _, err := r.Files(t.Context(), one.Dir); code(err) != "GITOPS_REMOTE_DOWN" {
		t.Errorf("a proof was given without asking: %v", err)
	}
	if err := r.Check(t.Context()); code(err) != "GITOPS_REMOTE_DOWN" {
		t.Errorf("check gave %v", err)
	}
	h.down.Store(false)
	first := commit(t, r, one)
	if err := r.Check(t.Context()); err != nil {
		t.Errorf("check gave %v", err)
	}

	h.loseAnswers.Store(true)
	second, err := r.Commit(t.Context(), change("pr-1", 2, files("a", "2")))
	if err != nil || second == first {
		t.Errorf("after the answer was lost: %q, %v", second, err)
	}
	if got := git(t, t.TempDir(), "ls-remote", serve(t, hosted), "main"); !strings.HasPrefix(got, second) {
		t.Errorf("the remote is at %q, want %s", got, second)
	}
	h.loseAnswers.Store(false)
	h.refuse.Store(true)
	if _, err := r.Commit(t.Context(), change("pr-1", 3, files("a", "3"))); code(err) != "GITOPS_REMOTE_AUTH" {
		t.Errorf("got %v", err)
	}
	h.refuse.Store(false)
	commit(t, r, change("pr-1", 3, files("a", "3")))
	wantFiles(t, hosted, one.Dir, files("a", "3"))
}

func TestWrongAddressAndCredentialAreNamed(t *testing.T) {
	t.Parallel()
	hosted, _ := open(t, gitops.Config{Dir: t.TempDir()})
	h := newHost(t, hosted.Handler(authenticate))
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(gone.Close)
	for name, c := range map[string]struct{ remote, password, want string }{
		"password":  {h.URL, "hunter2", "GITOPS_REMOTE_AUTH"},
		"none":      {h.URL, "", "GITOPS_REMOTE_AUTH"},
		"not found": {gone.URL, "hunter2", "GITOPS_REMOTE_NOT_FOUND"},
		"no path":   {filepath.Join(t.TempDir(), "none"), "", "GITOPS_REMOTE_NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: c.remote, Username: "blueberry", Password: c.password})
			_, err := r.Commit(t.Context(), change("pr-1", 1, files("a", "1")))
			if code(err) != c.want || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestCredentialIsSeenNowhere puts a program in the place of git that writes down its arguments and its environment before it goes on as git.
func TestCredentialIsSeenNowhere(t *testing.T) {
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin, seen := t.TempDir(), filepath.Join(t.TempDir(), "seen")
	write(t, filepath.Join(bin, "git"), fmt.Sprintf("#!/bin/sh\n{ echo \"$@\"; env; } >>%s\nexec %s \"$@\"\n", seen, real))
	if err := os.Chmod(filepath.Join(bin, "git"), 0o700); err != nil { //nolint:gosec // it has to run
		t.Fatal(err)
	}
	hosted, _ := open(t, gitops.Config{Dir: t.TempDir()})
	h := newHost(t, hosted.Handler(authenticate))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("BLUEBERRY_DATABASE_PASSWORD", "hunter2")
	var logged strings.Builder
	dir := t.TempDir()
	r, stop := open(t, gitops.Config{
		Dir: dir, Remote: h.URL + "/x", Username: "blueberry", Password: token,
		Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	commit(t, r, change("pr-1", 1, files("a", "1")))
	h.down.Store(true)
	_, err = r.Commit(t.Context(), change("pr-1", 2, files("a", "2")))
	stop()
	text, readErr := os.ReadFile(seen) //nolint:gosec // our own
	if readErr != nil || !strings.Contains(string(text), "fast-import") {
		t.Fatalf("nothing was seen: %v", readErr)
	}
	for place, s := range map[string]string{"arguments and environment": string(text), "log": logged.String(), "error": err.Error(), "disk": everything(t, dir)} {
		if strings.Contains(s, token) || strings.Contains(s, "hunter2") {
			t.Errorf("a secret is in %s", place)
		}
	}
}

func everything(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // our own
		b.Write(content)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMirrorDamagedByPowerCutIsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, pattern := range map[string]string{"branch": "refs/heads/main", "packs": "objects/pack/*.pack", "indexes": "objects/pack/*.idx"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remote, dir := bare(t), t.TempDir()
			r, stop := open(t, gitops.Config{Dir: dir, Remote: remote})
			for n := range 3 {
				commit(t, r, change("pr-1", n, files("a", fmt.Sprint(n))))
			}
			stop()
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(found) == 0 {
				t.Fatal(found, err)
			}
			for _, path := range found {
				if err := errors.Join(os.Chmod(path, 0o600), os.Truncate(path, 0)); err != nil {
					t.Fatal(err)
				}
			}
			again, _ := open(t, gitops.Config{Dir: dir, Remote: remote})
			commit(t, again, change("pr-1", 4, files("a", "4")))
			commit(t, again, change("pr-2", 1, files("a", "1")))
			wantFiles(t, again, gitops.Dir("local", "shop", "pr-1"), files("a", "4"))
			if got := git(t, remote, "rev-list", "--count", "main"); got != "5" {
				t.Errorf("%s commits, want 5", got)
			}
		})
	}
}

func TestMirrorIsServedForReadingOnly(t *testing.T) {
	t.Parallel()
	r, _ := open(t, gitops.Config{Dir: t.TempDir(), Remote: bare(t)})
	commit(t, r, change("pr-1", 1, files("a", "1")))
	url := serve(t, r)
	work := filepath.Join(t.TempDir(), "work")
	git(t, ".", "clone", "--quiet", url, work)
	if out, err := tryGit(t, work, "push", "origin", "HEAD:refs/heads/x"); err == nil {
		t.Errorf("a push to the mirror went through:\n%s", out)
	}
}

// TestDiskFull stands in for a full disk with a limit on the size of files that a git may write.
func TestDiskFull(t *testing.T) {
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin, full := t.TempDir(), filepath.Join(t.TempDir(), "full")
	write(t, filepath.Join(bin, "git"), fmt.Sprintf("#!/bin/sh\nif test -e %s; then trap '' XFSZ; ulimit -f 4; fi\nexec %s \"$@\"\n", full, real))
	if err := os.Chmod(filepath.Join(bin, "git"), 0o700); err != nil { //nolint:gosec // it has to run
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	dir := t.TempDir()
	r, _ := open(t, gitops.Config{Dir: dir})
	first := commit(t, r, change("pr-1", 1, files("a", "1")))
	write(t, full, "")
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 3 * 7 >> (i % 5))
	}
	big := change("pr-1", 2, map[string][]byte{"a": noise})
	for range 3 {
		if _, err := r.Commit(t.Context(), big); err == nil || errors.Is(err, blueberry.Unavailable) {
			t.Errorf("got %v, want an internal error", err)
		}
	}
	if head, err := r.Head(t.Context()); err != nil || head != first {
		t.Errorf("head = %s, %v; want %s", head, err, first)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "objects/pack/tmp_*")); len(left) > 0 {
		t.Errorf("unfinished packs pile up: %v", left)
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	commit(t, r, big)
	wantFiles(t, r, big.Dir, big.Files)
	if diff := cmp.Diff("2", git(t, dir, "rev-list", "--count", "main")); diff != "" {
		t.Error(diff)
	}
	git(t, dir, "fsck", "--full", "--strict")
}
