package gitops_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
)

const token = "s3cr3t-token"

func authenticate(_ context.Context, given string) error {
	switch given {
	case token:
		return nil
	case "no grant":
		return blueberry.Errorf(blueberry.Forbidden, "", "no")
	case "broken":
		return errors.New("the record is down")
	}
	return blueberry.Errorf(blueberry.Unauthenticated, "", "who?")
}

// serve gives the URL of a repository, with the token in it.
func serve(t testing.TB, r *gitops.Repository) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/git/gitops.git/", r.Handler(authenticate))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "http://", "http://any:"+token+"@", 1) + "/git/gitops.git"
}

func TestStockGitClonesFetchesAndPushes(t *testing.T) {
	t.Parallel()
	r, _ := open(t, gitops.Config{Dir: t.TempDir()})
	url := serve(t, r)
	commit(t, r, change("pr-1", 1, files("a.yaml", "a\n")))
	work := filepath.Join(t.TempDir(), "work")
	git(t, ".", "clone", "--quiet", url, work)
	second := commit(t, r, change("pr-2", 1, files("a.yaml", "b\n")))
	git(t, work, "pull", "--quiet", "--ff-only")
	if got := git(t, work, "rev-parse", "HEAD"); got != second {
		t.Errorf("pull gave %s, want %s", got, second)
	}
	git(t, t.TempDir(), "init", "--quiet")
	bySHA := t.TempDir()
	git(t, bySHA, "init", "--quiet")
	git(t, bySHA, "fetch", "--quiet", "--depth=1", url, git(t, work, "rev-parse", "HEAD~1"))

	// More than http.postBuffer (1 MiB): the client sends it in chunks.
	big := make([]byte, 3<<20)
	for i := range big {
		big[i] = byte(i * i >> 3 * 7 >> (i % 5))
	}
	write(t, filepath.Join(work, "docs/big"), string(big))
	write(t, filepath.Join(work, "targets/local/shop/pr-1/a.yaml"), "by hand\n")
	git(t, work, "add", "--all")
	git(t, work, "commit", "--quiet", "--message", "By hand")
	git(t, work, "push", "--quiet", "origin", "main")
	wantFiles(t, r, "targets/local/shop/pr-1", files("a.yaml", "by hand\n"))

	commit(t, r, change("pr-1", 2, files("a.yaml", "ours\n")))
	git(t, work, "pull", "--quiet", "--ff-only")
	if got := git(t, work, "log", "--format=%s"); got != "pr-1 revision 2\nBy hand\npr-2 revision 1\npr-1 revision 1" {
		t.Errorf("history:\n%s", got)
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestMainCannotGoBackOrAway(t *testing.T) {
	t.Parallel()
	r, _ := open(t, gitops.Config{Dir: t.TempDir()})
	url := serve(t, r)
	commit(t, r, change("pr-1", 1, files("a", "1")))
	commit(t, r, change("pr-1", 2, files("a", "2")))
	work := filepath.Join(t.TempDir(), "work")
	git(t, ".", "clone", "--quiet", url, work)
	for _, spec := range []string{"+HEAD~1:refs/heads/main", ":refs/heads/main"} {
		if out, err := tryGit(t, work, "push", "origin", spec); err == nil {
			t.Errorf("push %s went through:\n%s", spec, out)
		}
	}
	wantFiles(t, r, gitops.Dir("local", "shop", "pr-1"), files("a", "2"))
	git(t, work, "push", "--quiet", "origin", "HEAD:refs/heads/proposal")
}

func TestPushesAndCommitsAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := open(t, gitops.Config{Dir: dir})
	url := serve(t, r)
	commit(t, r, change("pr-0", 1, files("a", "0")))
	const each, users = 8, 2
	var wg sync.WaitGroup
	for u := range users {
		work := filepath.Join(t.TempDir(), "work")
		git(t, ".", "clone", "--quiet", url, work)
		wg.Go(func() {
			for i := range each {
				write(t, filepath.Join(work, fmt.Sprintf("user%d/%d", u, i)), "x")
				git(t, work, "add", "--all")
				git(t, work, "commit", "--quiet", "--message", "x")
				for try := 0; ; try++ {
					git(t, work, "pull", "--quiet", "--rebase")
					if _, err := tryGit(t, work, "push", "--quiet"); err == nil {
						break
					} else if try == 200 {
						t.Error("the user's push never went through")
						return
					}
				}
			}
		})
	}
	for i := range 3 {
		wg.Go(func() {
			for n := 1; n <= each; n++ {
				commit(t, r, change(fmt.Sprintf("pr-%d", i), n, files("a", fmt.Sprint(n))))
			}
		})
	}
	wg.Wait()
	for u := range users {
		got, err := r.Files(t.Context(), fmt.Sprintf("user%d", u))
		if err != nil || len(got) != each {
			t.Errorf("user %d has %d files, %v; want %d", u, len(got), err, each)
		}
	}
	if got := git(t, dir, "rev-list", "--count", "main"); got != fmt.Sprint(1+users*each+3*each) {
		t.Errorf("%s commits, want %d", got, 1+users*each+3*each)
	}
	git(t, dir, "fsck", "--full", "--strict")
}

func TestEveryRequestIsAuthenticated(t *testing.T) {
	t.Parallel()
	r, _ := open(t, gitops.Config{Dir: t.TempDir()})
	commit(t, r, change("pr-1", 1, files("a", "1")))
	h := r.Handler(authenticate)
	basic := func(password string) func(*http.Request) {
		return func(req *http.Request) { req.SetBasicAuth("git", password) }
	}
	bearer := func(req *http.Request) { req.Header.Set("Authorization", "bearer "+token) }
	const refs = "/git/gitops.git/info/refs?service=git-upload-pack"
	for name, c := range map[string]struct {
		reason, method, path string
		auth                 func(*http.Request)
		want                 int
	}{
		"nobody":         {"nobody known asks", "GET", refs, nil, 401},
		"wrong":          {"nobody known asks", "GET", refs, basic("guess"), 401},
		"nobody pushes":  {"a push is a request, too", "POST", "/git/gitops.git/git-receive-pack", nil, 401},
		"nobody, no way": {"what is not there is told to nobody unknown", "GET", "/git/gitops.git/config", nil, 401},
		"no grant":       {"known, but may not", "GET", refs, basic("no grant"), 403},
		"record down":    {"401 would make clients forget the password", "GET", refs, basic("broken"), 503},
		"basic":          {"how git asks", "GET", refs, basic(token), 200},
		"bearer":         {"how programs ask", "GET", refs, bearer, 200},
		"config":         {"no file of the repository is served", "GET", "/git/gitops.git/config", basic(token), 404},
		"objects":        {"not the dumb protocol either", "GET", "/git/gitops.git/objects/info/packs", basic(token), 404},
		"dumb refs":      {"not the dumb protocol either", "GET", "/git/gitops.git/info/refs", basic(token), 404},
		"traversal":      {"the path never reaches the file system", "GET", "/git/../../../etc/info/refs?service=git-upload-pack", basic(token), 200},
		"other service":  {"only two may be asked for", "GET", "/git/gitops.git/info/refs?service=git-upload-archive", basic(token), 404},
		"wrong method":   {"a push is a POST", "PUT", "/git/gitops.git/git-receive-pack", basic(token), 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil)
			if c.auth != nil {
				c.auth(req)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != c.want || (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("got %d %v, want %d, because %s", w.Code, w.Header(), c.want, c.reason)
			}
			if c.want == 200 && !strings.Contains(w.Body.String(), "refs/heads/main") {
				t.Errorf("the answer is not ours: %q", w.Body.String())
			}
		})
	}
}

func TestTooLargePushIsRefused(t *testing.T) {
	t.Parallel()
	r, _ := open(t, gitops.Config{Dir: t.TempDir(), MaxPushBytes: 1000})
	h := r.Handler(authenticate)
	for name, body := range map[string]io.Reader{
		"told":    bytes.NewReader(make([]byte, 1001)),
		"chunked": struct{ io.Reader }{bytes.NewReader(make([]byte, 1001))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/git/gitops.git/git-receive-pack", body)
			req.SetBasicAuth("git", token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("got %d, want 413", w.Code)
			}
		})
	}
}

func TestPushThatWouldHarmAClone(t *testing.T) {
	t.Parallel()
	r, _ := open(t, gitops.Config{Dir: t.TempDir()})
	url := serve(t, r)
	work := t.TempDir()
	git(t, work, "init", "--quiet")
	write(t, filepath.Join(work, "x"), "x")
	blob := git(t, work, "hash-object", "-w", "x")
	git(t, work, "update-index", "--add", "--cacheinfo", "100644,"+blob+",dot/config")
	inner := git(t, work, "write-tree", "--prefix=dot/")
	write(t, filepath.Join(work, "tree"), "")
	raw := "40000 .git\x00" + unhex(t, inner)
	write(t, filepath.Join(work, "tree"), raw)
	tree := git(t, work, "hash-object", "-w", "-t", "tree", "--literally", "tree")
	bad := git(t, work, "commit-tree", "-m", "x", tree)
	if out, err := tryGit(t, work, "push", url, bad+":refs/heads/main"); err == nil {
		t.Errorf("a tree with .git in it was taken:\n%s", out)
	}
}
