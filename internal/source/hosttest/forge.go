package hosttest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Self and Stranger are who writes comments: we, and others.
const (
	Self     = "blueberry-bot"
	Stranger = "ada"
)

// Status is the status of a commit as a host keeps it.
type Status struct {
	ID     int64
	Commit string
	source.CommitStatus
}

// Comment is one as a host keeps it.
type Comment struct {
	ID      int64
	Author  string
	Text    string
	Version int64 // counts its edits
}

// Deployment is one as a host keeps it.
type Deployment struct {
	ID          int64
	Environment string
	Commit      string
	State       source.DeploymentState
	URL         string
	Said        json.RawMessage // by which it was made
}

// Right is what somebody may do in the repository.
type Right struct {
	User       string // as the host is asked
	Permission blueberry.HostPermission
	Word       string // in which the host says it; empty for the plainest
}

// Right gives what somebody may do; the zero Right for whom nobody knows.
func (f *Forge) Right(user string) Right {
	for _, x := range f.Rights {
		if x.User == user {
			return x
		}
	}
	return Right{Permission: blueberry.HostNone}
}

// Forge is what a host keeps. A driver's test serves it in the words of its host. The server holds the lock while it answers.
type Forge struct {
	Statuses    []Status
	Comments    []Comment
	Deployments []Deployment
	Pulls       []blueberry.PullRequest // in no order
	Stopped     map[string]bool         // environments, where a host tells them from deployments
	Rights      []Right
	Address     string // of the host

	mu       sync.Mutex
	last     int64
	calls    []call
	lose     bool                                              // the next write acts, and its answer is lost
	instead  func(w http.ResponseWriter, r *http.Request)      // answers in the place of the host
	cannot   func(w http.ResponseWriter, r *http.Request) bool // answers some calls
	etags    bool
	signed   func(*http.Request) bool
	handler  http.Handler
	verdicts []string
}

type call struct {
	method, path, query, body string
}

// NextID is one that nothing has yet.
func (f *Forge) NextID() int64 {
	f.last++
	return f.last
}

// Status gives the newest one of a context, and how many there are of it.
func (f *Forge) Status(commit, context string) (newest Status, n int) {
	for _, x := range f.Statuses {
		if x.Commit == commit && x.Context == context {
			newest, n = x, n+1
		}
	}
	return newest, n
}

// Comment finds one; nil when there is none.
func (f *Forge) Comment(id int64) *Comment {
	for i := range f.Comments {
		if f.Comments[i].ID == id {
			return &f.Comments[i]
		}
	}
	return nil
}

// Deployment finds one; nil when there is none.
func (f *Forge) Deployment(id int64) *Deployment {
	for i := range f.Deployments {
		if f.Deployments[i].ID == id {
			return &f.Deployments[i]
		}
	}
	return nil
}

// Listed gives one page of the pull requests that the state asks for, the newest change first, and whether there are more. States: "open", "all".
func (f *Forge) Listed(state string, from, size int) (page []blueberry.PullRequest, more bool) {
	var all []blueberry.PullRequest
	for _, p := range f.Pulls {
		if state == "all" || p.State == blueberry.PullOpen {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b blueberry.PullRequest) int { return b.HostAt.Compare(a.HostAt) })
	return Page(all, from, size)
}

// Page cuts a page out of a list.
func Page[T any](all []T, from, size int) (page []T, more bool) {
	from = min(from, len(all))
	to := min(from+size, len(all))
	return all[from:to], to < len(all)
}

// Wrong notes that a call was not as the host's documentation says.
func (f *Forge) Wrong(what string) { f.verdicts = append(f.verdicts, what) }

// JSON answers.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Body reads what was sent.
func Body[T any](r *http.Request) (said T) {
	js, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(js))
	_ = json.Unmarshal(js, &said)
	return said
}

// ServeHTTP is the host with its faults.
func (f *Forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	js, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(js))
	f.calls = append(f.calls, call{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(js)})
	if instead := f.instead; instead != nil {
		f.mu.Unlock()
		instead(w, r)
		return
	}
	defer f.mu.Unlock()
	if !f.signed(r) {
		JSON(w, http.StatusUnauthorized, map[string]string{"message": "who is there?"})
		return
	}
	if f.cannot != nil && f.cannot(w, r) {
		return
	}
	rec := httptest.NewRecorder()
	f.handler.ServeHTTP(rec, r)
	if rec.Code == http.StatusNotFound && strings.HasPrefix(rec.Body.String(), "404 page") {
		f.Wrong("no such call: " + r.Method + " " + r.URL.EscapedPath())
	}
	if f.lose && r.Method != http.MethodGet {
		f.lose = false
		panic(http.ErrAbortHandler)
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	if f.etags && r.Method == http.MethodGet && rec.Code == http.StatusOK {
		sum := sha256.Sum256(rec.Body.Bytes())
		etag := `W/"` + hex.EncodeToString(sum[:]) + `"`
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

// with reads or changes what the host keeps.
func (f *Forge) with(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// asked gives the calls since the last time, and how many of them write.
func (f *Forge) asked() (calls []call, writes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls, f.calls = f.calls, nil
	for _, c := range calls {
		if c.method != http.MethodGet {
			writes++
		}
	}
	return calls, writes
}

// Tongue is a driver that speaks, and its host.
type Tongue struct {
	Speaker     source.Speaker
	Repository  string // "acme/shop"
	Credential  string
	Access      blueberry.HostAPI
	Below       string                         // path of the API on the host
	Serve       func(f *Forge) http.Handler    // the host
	Signed      func(r *http.Request) bool     // reports whether a call bears the credential
	Path        func(repository string) string // how the repository stands in paths
	Hostile     string                         // a repository of a hostile name
	ETags       bool
	Deployments bool
	Rights      []Right                                             // of which each permission has one at least
	Keeps       func(p blueberry.PullRequest) blueberry.PullRequest // what the host tells of a pull request
}

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// open starts the host, and connects with it.
func (x Tongue) open(t testing.TB) (*Forge, *source.Connection) {
	t.Helper()
	f := &Forge{etags: x.ETags, signed: x.Signed, Stopped: map[string]bool{}}
	f.handler = x.Serve(f)
	server := httptest.NewServer(f)
	t.Cleanup(func() {
		server.Close()
		for _, v := range f.verdicts {
			t.Error(v)
		}
	})
	f.Address = server.URL
	c := &source.Connection{
		Client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		API:    server.URL + x.Below, Repository: x.Repository, Access: x.Access, Credential: x.Credential, Now: func() time.Time { return noon },
	}
	if err := x.Speaker.Connect(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	f.asked()
	return f, c
}
