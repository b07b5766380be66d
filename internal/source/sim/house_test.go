package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/source/sim"
)

const (
	token  = "zebra-token"
	secret = "correct-horse-battery"
)

// house is a host that is served.
type house struct {
	t    *testing.T
	url  string
	dir  string
	host *sim.Host
	stop func() // once; the test does it at its end
}

// open serves a host. Its clock begins at a fixed time and stands still unless the test says otherwise.
func open(t *testing.T, alter func(*sim.Options)) *house {
	t.Helper()
	return openIn(t, t.TempDir(), alter)
}

func openIn(t *testing.T, dir string, alter func(*sim.Options)) *house {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	o := sim.Options{
		Dir: dir, URL: "http://" + srv.Listener.Addr().String(), Owner: "acme", Token: token, Faults: true, Retries: []time.Duration{time.Millisecond, time.Millisecond},
		Now: func() time.Time { return time.Date(2026, 1, 31, 9, 30, 0, 999, time.UTC) },
	}
	if alter != nil {
		alter(&o)
	}
	host, err := sim.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = host
	srv.Start()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- host.Run(ctx) }()
	h := &house{t: t, url: srv.URL, dir: dir, host: host}
	h.stop = sync.OnceFunc(func() {
		srv.Close()
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(h.stop)
	return h
}

// said is an answer.
type said struct {
	status int
	header http.Header
	body   string
}

// ask calls the API. header has names and values in turn; Authorization is that of the owner unless it is among them.
func (h *house) ask(method, path string, in any, header ...string) said {
	h.t.Helper()
	s, err := h.try(method, path, in, header...)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) try(method, path string, in any, header ...string) (said, error) {
	h.t.Helper()
	var body io.Reader = http.NoBody
	switch v := in.(type) {
	case nil:
	case string:
		body = strings.NewReader(v)
	default:
		js, err := json.Marshal(in)
		if err != nil {
			return said{}, err
		}
		body = bytes.NewReader(js)
	}
	if !strings.HasPrefix(path, "/sim/") && !strings.HasPrefix(path, "/api/") {
		path = "/api/v1" + path
	}
	req, err := http.NewRequest(method, h.url+path, body)
	if err != nil {
		return said{}, err
	}
	req.Header.Set("Authorization", "token "+token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return said{}, err
	}
	defer res.Body.Close()
	js, err := io.ReadAll(res.Body)
	return said{res.StatusCode, res.Header, string(js)}, err
}

// must is ask for calls that have to be answered with a status, and reads the answer.
func (h *house) must(status int, method, path string, in any, header ...string) map[string]any {
	h.t.Helper()
	s := h.ask(method, path, in, header...)
	if s.status != status {
		h.t.Fatalf("%s %s: answered %d %s, want %d", method, path, s.status, s.body, status)
	}
	out := map[string]any{}
	if strings.HasPrefix(s.body, "{") {
		if err := json.Unmarshal([]byte(s.body), &out); err != nil {
			h.t.Fatal(err)
		}
	}
	return out
}

// list is must for lists.
func (h *house) list(path string) []map[string]any {
	h.t.Helper()
	s := h.ask("GET", path, nil)
	var out []map[string]any
	if err := json.Unmarshal([]byte(s.body), &out); err != nil || s.status != http.StatusOK {
		h.t.Fatalf("GET %s: answered %d %s", path, s.status, s.body)
	}
	return out
}

// at goes down into what was answered: at(m, "head", "sha").
func at(m map[string]any, path ...string) any {
	var v any = m
	for _, name := range path {
		down, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = down[name]
	}
	return v
}

// git runs stock git as a person would.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryGit(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// remote is where git reaches a repository, as a person with the token.
func (h *house) remote(user, name string) string {
	return strings.Replace(h.url, "://", "://"+user+":"+token+"@", 1) + "/" + name + ".git"
}

// clone is a working tree with main pushed, of a repository that is made.
func (h *house) clone(name string) string {
	h.t.Helper()
	h.must(http.StatusCreated, "POST", "/user/repos", map[string]any{"name": name})
	dir := h.t.TempDir()
	git(h.t, dir, "init", "-q", "-b", "main")
	git(h.t, dir, "remote", "add", "origin", h.remote("acme", "acme/"+name))
	save(h.t, dir, "shop.txt", "one\n")
	git(h.t, dir, "push", "-q", "origin", "main")
	return dir
}

// save commits a file and gives the commit.
func save(t *testing.T, dir, name, text string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", name)
	git(t, dir, "commit", "-q", "-m", "Change "+name)
	return git(t, dir, "rev-parse", "HEAD")
}

// topic pushes a branch with one commit, and opens a pull request from it.
func (h *house) topic(dir, branch string) string {
	h.t.Helper()
	git(h.t, dir, "checkout", "-q", "-B", branch, "main")
	sha := save(h.t, dir, strings.ReplaceAll(branch, "/", "-")+".txt", branch+"\n")
	git(h.t, dir, "push", "-q", "origin", branch)
	return sha
}

// heard is a webhook that came in.
type heard struct {
	header http.Header
	body   []byte
}

// ear takes webhooks. answer says how; nil takes all.
func ear(t *testing.T, answer func(n int) int) (string, chan heard) {
	t.Helper()
	came := make(chan heard, 1000)
	var mu sync.Mutex
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		if answer != nil {
			if status := answer(n); status != http.StatusOK {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
				return
			}
		}
		came <- heard{r.Header, body}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, came
}

// hook has webhooks of a repository sent to an address.
func (h *house) hook(repository, url string, events ...string) map[string]any {
	h.t.Helper()
	return h.must(http.StatusCreated, "POST", "/repos/"+repository+"/hooks", map[string]any{
		"type": "gitea", "active": true, "events": events, "config": map[string]string{"url": url, "content_type": "json", "secret": secret},
	})
}
