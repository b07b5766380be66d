package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Options are what a host is made of.
type Options struct {
	Dir    string // of the state and the repositories; made when it is not there
	URL    string // under which the host is reached, as http://127.0.0.1:7082, without a slash at its end
	Owner  string // whom the token belongs to
	Token  string
	Faults bool // POST /sim/faults is served

	Start   FaultPlan        // in force from the start, until another one is posted
	Retries []time.Duration  // pauses before a webhook is sent again; nil means 1, 2, 4, 8 and 15 s. After the last one it has failed
	Client  *http.Client     // that sends webhooks; nil means one that gives a call 10 s
	Now     func() time.Time // nil means time.Now
	Logger  *slog.Logger     // nil means none
}

// Host is the host. It is an http.Handler; Run sends its webhooks.
type Host struct {
	o      Options
	git    git
	log    *slog.Logger
	pages  *pages
	api    *http.ServeMux
	web    *http.ServeMux
	origin *http.CrossOriginProtection
	served chan struct{} // a place for each Git client

	mu      sync.RWMutex // over all below
	state   *state
	version uint64 // of state
	faults  faults
	sending map[int64]bool // hooks whose queue is being sent

	work   sync.Mutex // held by what changes repositories, so that branches and pull requests move together; taken before mu
	saving sync.Mutex // held while the state is written; taken before mu
	saved  uint64     // version that is on disk
	wake   chan struct{}
}

// Open opens the host in its directory, and takes up what was pushed while nobody watched.
func Open(ctx context.Context, o Options) (*Host, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	client := *o.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o.Client = &client
	if o.Retries == nil {
		o.Retries = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "repositories"), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory: %w", err)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the directory: %w", err)
	}
	o.Dir = dir
	h := &Host{o: o, log: o.Logger, origin: http.NewCrossOriginProtection(), served: make(chan struct{}, maxServed), sending: map[int64]bool{}, wake: make(chan struct{}, 1)}
	if h.git, err = findGit(ctx, dir); err != nil {
		return nil, err
	}
	if h.state, err = load(h.stateFile()); err != nil {
		return nil, err
	}
	h.state.user(o.Owner)
	h.faults.set(o.Start)
	if h.pages, err = newPages(); err != nil {
		return nil, err
	}
	h.routes()
	for id := range h.state.Repositories {
		if err := h.follow(ctx, id, o.Owner); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (o Options) check() error {
	var faults blueberry.Faults
	if o.Dir == "" {
		faults.Add("dir", "required", "is needed: where repositories and state are kept")
	}
	if u, err := url.Parse(o.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		faults.Add("url", "url", "must be an address as http://127.0.0.1:7082, without a path")
	}
	if !validName(o.Owner) {
		faults.Add("owner", "pattern", "%s", nameRule)
	}
	if o.Token == "" || len(o.Token) > 255 || strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		faults.Add("token", "pattern", "must be 1 to 255 characters of printable ASCII without spaces")
	}
	for _, p := range o.Start.check() {
		faults.Add("faults", "range", "%s", p)
	}
	return faults.Err()
}

const nameRule = "must be 1 to 100 letters, digits, dashes, underscores and dots, begin with a letter or digit, and not end with .git, .lock or a dot"

var (
	namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	shaPattern  = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// validName reports whether a name of an owner or a repository may be used.
func validName(name string) bool {
	lower := strings.ToLower(name)
	for _, end := range []string{".git", ".lock", "."} {
		if strings.HasSuffix(lower, end) {
			return false
		}
	}
	return namePattern.MatchString(name) && !strings.Contains(name, "..") && lower != "api" && lower != "sim"
}

// validBranch reports whether git takes the name for one of a branch.
func validBranch(name string) bool {
	if name == "" || len(name) > 255 || name == "@" || strings.HasPrefix(name, "-") || strings.HasSuffix(name, ".") ||
		strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) }) {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return !strings.Contains(name, "..") && !strings.Contains(name, "@{")
}

func (h *Host) stateFile() string { return filepath.Join(h.o.Dir, "state.json") }

// bare is where a repository lies.
func (h *Host) bare(id int64) string {
	return filepath.Join(h.o.Dir, "repositories", strconv.FormatInt(id, 10)+".git")
}

// now is the time as Gitea tells it: in whole seconds.
func (h *Host) now() time.Time { return h.o.Now().UTC().Truncate(time.Second) }

// ServeHTTP serves the API, the counts and faults, the pages and Git.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err := h.origin.Check(r); err != nil { // a browser keeps the token, and sends it with what another site asks
		http.Error(w, "not from another site", http.StatusForbidden)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/sim/") {
		h.api.ServeHTTP(w, r)
		return
	}
	h.web.ServeHTTP(w, r)
}

// view reads the state.
func (h *Host) view(f func(s *state) error) error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return f(h.state)
}

// change changes the state, and returns when that is on disk. f changes nothing when it gives an error.
func (h *Host) change(f func(s *state) error) error {
	h.mu.Lock()
	err := f(h.state)
	if err == nil {
		h.version++
	}
	version := h.version
	h.mu.Unlock()
	if err != nil {
		return err
	}
	if err := h.save(version); err != nil {
		return err
	}
	h.nudge()
	return nil
}

// save writes the state unless that version, or a later one, is on disk. Those who wait here share one write.
func (h *Host) save(version uint64) error {
	h.saving.Lock()
	defer h.saving.Unlock()
	if h.saved >= version {
		return nil
	}
	h.mu.RLock()
	js, err := h.state.encode()
	version = h.version
	h.mu.RUnlock()
	if err == nil {
		err = replaceFile(h.stateFile(), js)
	}
	if err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	h.saved = version
	return nil
}

// replaceFile writes a file in such a way that it is whole at any time.
func replaceFile(name string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".state-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
