package source_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/cgi" //nolint:gosec // Go passes no Proxy header on
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
	"github.com/blueberry-idp/blueberry/internal/source"
)

func open(t testing.TB, c source.Config) *source.Checkouts {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	c.AllowLocal = true
	c.Logger = slog.New(slog.DiscardHandler)
	k, err := source.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// repository is a work tree to make commits in.
type repository struct {
	t   testing.TB
	dir string
}

func newRepository(t testing.TB) repository {
	t.Helper()
	r := repository{t, t.TempDir()}
	r.git("init", "--quiet", "--initial-branch=main", ".")
	return r
}

func (r repository) git(args ...string) string { return r.gitIn("", args...) }

func (r repository) gitIn(stdin string, args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", args...)
	cmd.Dir = r.dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r repository) write(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) link(name, target string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.Symlink(target, path)); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) commit(message string) string {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "--quiet", "--allow-empty", "--message", message)
	return r.git("rev-parse", "HEAD")
}

// web serves repositories below dir over smart HTTP, and counts what it is asked. With a password, it asks for that.
func web(t *testing.T, dir, password string) (url string, asked *atomic.Int64) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	asked = new(atomic.Int64)
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"), Root: "/",
		Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked.Add(1)
		if _, p, _ := req.BasicAuth(); p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, req)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func read(t testing.TB, tree fs.FS) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(tree, path)
		got[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// faults gives "field code" of every fault of an Invalid error.
func faults(t testing.TB, err error) []string {
	t.Helper()
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Invalid {
		t.Fatalf("got %v, want an Invalid error", err)
	}
	var all []string
	for _, f := range e.Fields {
		all = append(all, f.Field+" "+f.Code)
	}
	return all
}

func wantFaults(t testing.TB, err error, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, faults(t, err)); diff != "" {
		t.Errorf("faults (-want +got):\n%s\n%v", diff, err)
	}
}

func TestFetchReadsTheRefThatIsMeant(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("blueberry.yaml", "one\n")
	one := r.commit("one")
	r.git("tag", "--annotate", "--message", "v1", "v1")
	r.write("blueberry.yaml", "two\n")
	two := r.commit("two")
	r.git("update-ref", "refs/pull/7/head", two)
	r.git("checkout", "--quiet", "-b", "feature/x", one)
	r.write("blueberry.yaml", "three\n")
	three := r.commit("three")
	r.git("tag", "main", three) // a tag with the name of a branch
	r.git("checkout", "--quiet", "main")
	r.write("blueberry.yaml", "not committed\n")
	base, _ := web(t, filepath.Dir(r.dir), "")

	for _, repository := range []string{r.dir, "file://" + r.dir, r.dir + "/.git", base + "/" + filepath.Base(r.dir)} {
		k := open(t, source.Config{})
		for name, c := range map[string]struct{ reason, ref, want string }{
			"empty":        {"the default branch is meant", "", two},
			"branch":       {"a branch comes before a tag", "main", two},
			"slash":        {"a branch may hold a slash", "feature/x", three},
			"tag":          {"an annotated tag means its commit", "v1", one},
			"full ref":     {"a pull request is a ref of its own", "refs/pull/7/head", two},
			"full commit":  {"it need not be the head of anything", one, one},
			"upper case":   {"hexadecimal digits have no case", strings.ToUpper(one), one},
			"abbreviation": {"people write the first digits", one[:8], one},
		} {
			t.Run(repository[:4]+"/"+name, func(t *testing.T) {
				t.Parallel()
				tree, err := k.Fetch(t.Context(), repository, c.ref)
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]string{one: "one\n", two: "two\n", three: "three\n"}[c.want]
				if got := read(t, tree.FS)["blueberry.yaml"]; tree.Commit != c.want || got != want {
					t.Errorf("ref %q gave commit %s with %q, want %s, because %s", c.ref, tree.Commit, got, c.want, c.reason)
				}
				if err := errors.Join(tree.Close(), tree.Close()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestTreeIsWhatGitStores(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write(".gitattributes", "*.txt text eol=crlf\nhidden export-ignore\nstamp export-subst ident\nbig filter=lfs\n")
	r.write("a.txt", "one\ntwo\n")
	r.write("hidden", "here\n")
	r.write("stamp", "$Format:%H$ $Id$\n")
	r.write("big", "version https://git-lfs.github.com/spec/v1\n")
	r.write("deep/down/file", "")
	r.write("A", "upper\n")
	r.link("link", "deep/down")
	r.link("deep/up", "../a.txt")
	r.link("dangling", "nowhere")
	r.git("add", "--all")
	r.git("update-index", "--chmod=+x", "hidden")
	r.git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",module")
	r.git("commit", "--quiet", "--message", "x")

	tree, err := open(t, source.Config{}).Fetch(t.Context(), r.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close() //nolint:errcheck // read from
	for name, want := range map[string]string{
		"a.txt": "one\ntwo\n", "hidden": "here\n", "stamp": "$Format:%H$ $Id$\n", "big": "version https://git-lfs.github.com/spec/v1\n",
		"deep/down/file": "", "A": "upper\n", "link/file": "", "deep/up": "one\ntwo\n",
	} {
		if got, err := fs.ReadFile(tree.FS, name); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := fs.ReadFile(tree.FS, "dangling"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a dangling symlink gave %v", err)
	}
	if entries, err := fs.ReadDir(tree.FS, "module"); err != nil || len(entries) != 0 {
		t.Errorf("a submodule gave %v, %v; want an empty directory", entries, err)
	}
	if info, err := fs.Stat(tree.FS, "hidden"); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("an executable file has mode %v, %v", info.Mode(), err)
	}
	if _, err := fs.ReadFile(tree.FS, "../../../gitconfig"); err == nil {
		t.Error("a path that leaves the tree was read")
	}
}

func TestCachedCommitCostsNoNetwork(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("a", "a\n")
	commit := r.commit("a")
	base, asked := web(t, filepath.Dir(r.dir), "")
	repository := base + "/" + filepath.Base(r.dir)
	dir := t.TempDir()
	first, err := open(t, source.Config{Dir: dir}).Fetch(t.Context(), repository, "main")
	if err != nil {
		t.Fatal(err)
	}
	before := asked.Load()
	second, err := open(t, source.Config{Dir: dir}).Fetch(t.Context(), repository, commit)
	if err != nil {
		t.Fatal(err)
	}
	if asked.Load() != before {
		t.Error("the host was asked for a commit that is in the cache")
	}
	if diff := cmp.Diff(read(t, first.FS), read(t, second.FS)); diff != "" {
		t.Error(diff)
	}
	third, err := open(t, source.Config{Dir: dir}).Fetch(t.Context(), repository, "main")
	if err != nil || third.Commit != commit {
		t.Fatal(err)
	}
	if n := asked.Load() - before; n > 2 { // the capabilities, the refs
		t.Errorf("a branch whose commit is in the cache took %d requests", n)
	}
	if errors.Join(first.Close(), second.Close(), third.Close()) != nil {
		t.Error("close failed")
	}
}

func TestConcurrentFetchesShareOne(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("a", "a\n")
	commit := r.commit("a")
	base, asked := web(t, filepath.Dir(r.dir), "")
	k := open(t, source.Config{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			tree, err := k.Fetch(t.Context(), base+"/"+filepath.Base(r.dir), commit)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := fs.ReadFile(tree.FS, "a"); err != nil || string(got) != "a\n" {
				t.Errorf("read %q, %v", got, err)
			}
			_ = tree.Close()
		})
	}
	wg.Wait()
	if n := asked.Load(); n > 10 {
		t.Errorf("20 fetches of one commit took %d requests", n)
	}
}

func TestBranchMoves(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	k := open(t, source.Config{})
	for range 3 {
		want := r.commit("again")
		tree, err := k.Fetch(t.Context(), r.dir, "main")
		if err != nil || tree.Commit != want {
			t.Fatalf("got %v, want %s", err, want)
		}
		_ = tree.Close()
	}
}

func TestRepositoryThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	commit := r.commit("x")
	name := filepath.Base(r.dir)
	guarded, _ := web(t, filepath.Dir(r.dir), "secret")
	public, _ := web(t, filepath.Dir(r.dir), "")
	closed := httptest.NewServer(nil)
	closed.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }))
	t.Cleanup(silent.CloseClientConnections)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>\n<body>\n")) }))
	t.Cleanup(page.Close)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(broken.Close)
	bare := newRepository(t)
	for name, c := range map[string]struct {
		reason, repository, ref string
		want                    string
		timeout                 time.Duration
	}{
		"password":      {reason: "the host wants one", repository: guarded + "/" + name, want: "source.repository repository_auth"},
		"missing":       {reason: "the host has no such repository", repository: public + "/none", want: "source.repository repository_not_found"},
		"missing path":  {reason: "there is nothing", repository: r.dir + "/none", want: "source.repository repository_not_found"},
		"not git":       {reason: "a directory is not a repository", repository: t.TempDir(), want: "source.repository repository_not_found"},
		"web page":      {reason: "it answers, but not as Git", repository: page.URL + "/x", want: "source.repository repository_not_found"},
		"bad gateway":   {reason: "the host is ill", repository: broken.URL + "/x", want: "source.repository repository_unreachable"},
		"refused":       {reason: "nobody listens", repository: closed.URL + "/x", want: "source.repository repository_unreachable"},
		"no such host":  {reason: "the name means nothing", repository: "https://no-such-host.invalid/x", want: "source.repository repository_unreachable"},
		"silent":        {reason: "it never answers", repository: silent.URL + "/x", want: "source.repository repository_unreachable", timeout: time.Second},
		"branch":        {reason: "it is not there", repository: r.dir, ref: "none", want: "source.ref ref_not_found"},
		"commit":        {reason: "it is not there", repository: public + "/" + name, ref: strings.Repeat("1", 40), want: "source.ref ref_not_found"},
		"local commit":  {reason: "it is not there", repository: r.dir, ref: strings.Repeat("1", 40), want: "source.ref ref_not_found"},
		"abbreviation":  {reason: "it begins no commit", repository: r.dir, ref: "1111111", want: "source.ref ref_not_found"},
		"a tree":        {reason: "it is an object, but no commit", repository: r.dir, ref: r.git("rev-parse", commit+"^{tree}"), want: "source.ref ref_not_found"},
		"no commit yet": {reason: "there is no default branch", repository: bare.dir, want: "source.ref ref_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, source.Config{Timeout: c.timeout}).Fetch(t.Context(), c.repository, c.ref)
			if diff := cmp.Diff([]string{c.want}, faults(t, err)); diff != "" {
				t.Errorf("faults (-want +got), because %s:\n%s\n%v", c.reason, diff, err)
			}
		})
	}
}

func TestAllFaultsOfARequestAreTold(t *testing.T) {
	t.Parallel()
	_, err := open(t, source.Config{}).Fetch(t.Context(), "https://ada:hunter2@example.org/x", "a..b")
	wantFaults(t, err, "source.repository repository_url", "source.ref ref_name")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is echoed: %v", err)
	}
}
