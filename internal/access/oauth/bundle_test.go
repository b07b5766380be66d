package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// house is a Server on a real record with a clock of its own, and a browser in which ada is signed in.
type house struct {
	*oauth.Server
	t     *testing.T
	store *storetest.Store
	clock *clock
	web   *httptest.Server
	logs  *logs

	mu     sync.Mutex
	people map[string]blueberry.Actor // nil actor kinds are inactive
}

var _ access.OAuthTokens = (*oauth.Server)(nil)

var owner = blueberry.Actor{
	Kind: blueberry.ActorUser, ID: "usr_owner", UserID: "usr_owner", Name: "owner@example.com", Grants: []blueberry.Grant{blueberry.GrantAll},
}

const page = "https://app.example.com/cb"

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logs) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }

func (l *logs) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// record is the store as oauth sees it.
type record struct{ s *storetest.Store }

func (r record) Update(ctx context.Context, f func(oauth.Tx) error) error {
	return r.s.Update(ctx, func(tx *store.Tx) error { return f(tx) })
}

func (r record) View(ctx context.Context, f func(oauth.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return houseOn(t, storetest.SQLite(t))
}

func houseOn(t *testing.T, s *storetest.Store) *house {
	t.Helper()
	h := &house{t: t, store: s, clock: &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, logs: &logs{}, people: map[string]blueberry.Actor{}}
	mux := http.NewServeMux()
	h.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := &blueberry.Call{Caller: blueberry.Caller{RequestID: "req_1", Address: "203.0.113.7", UserAgent: r.UserAgent()}}
		mux.ServeHTTP(w, r.WithContext(blueberry.WithCall(r.Context(), call)))
	}))
	t.Cleanup(h.web.Close)
	h.Server = &oauth.Server{
		Record: record{s}, People: h, Issuer: h.web.URL, Now: h.clock.now, Logger: slog.New(slog.NewTextHandler(h.logs, nil)),
	}
	for pattern, handler := range h.Routes() {
		mux.Handle(pattern, handler)
	}
	mux.HandleFunc("GET /oauth/authorize", h.browse)
	mux.HandleFunc("GET /oauth/device", func(w http.ResponseWriter, r *http.Request) {
		if err := h.DecideDevice(r.Context(), h.person("ada"), r.URL.Query().Get("user_code"), r.Header.Get("Decision") != "no"); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
		h.clock.add(time.Minute) // she takes her time
	})
	for _, name := range []string{"ada", "bob"} {
		h.hire(name)
	}
	return h
}

// browse is the page on which ada decides: yes, unless the request says otherwise.
func (h *house) browse(w http.ResponseWriter, r *http.Request) {
	err := h.Decide(r.Context(), w, r, h.person("ada"), r.Header.Get("Decision") != "no")
	var wrong *oauth.AskError
	switch {
	case errors.As(err, &wrong):
		http.Error(w, wrong.Code, http.StatusBadRequest)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// hire makes a user.
func (h *house) hire(name string) {
	h.t.Helper()
	u := blueberry.User{ID: "usr_" + name, Email: name + "@example.com", Status: blueberry.UserActive, CreatedAt: h.clock.now(), UpdatedAt: h.clock.now()}
	h.must(h.store.Update(h.t.Context(), func(tx *store.Tx) error { return tx.InsertUser(h.t.Context(), u) }))
	h.people[u.ID] = blueberry.Actor{
		Kind: blueberry.ActorUser, ID: u.ID, UserID: u.ID, Name: u.Email,
		Projects: map[string][]blueberry.Grant{"shop": blueberry.RoleDeveloper.Grants()},
	}
}

// dismiss makes a user inactive.
func (h *house) dismiss(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.people["usr_"+name] = blueberry.Actor{}
}

// Person is access's part.
func (h *house) Person(_ context.Context, id string) (blueberry.Actor, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.people[id]
	switch {
	case !ok:
		return a, blueberry.Errorf(blueberry.NotFound, "USER_NOT_FOUND", "there is no such user")
	case a.ID == "":
		return a, blueberry.Errorf(blueberry.Forbidden, "USER_INACTIVE", "the user is inactive")
	}
	return a, nil
}

func (h *house) person(name string) blueberry.Actor {
	h.t.Helper()
	a, err := h.Person(h.t.Context(), "usr_"+name)
	h.must(err)
	return a
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// client registers a client that may read and create environments, changed as the test wants it.
func (h *house) client(change func(w *oauth.ClientWish)) oauth.MadeClient {
	h.t.Helper()
	w := oauth.ClientWish{
		Name: "Shop CI", RedirectURIs: []string{page}, Flows: blueberry.OAuthFlows(),
		Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead, blueberry.GrantEnvironmentsCreate},
	}
	if change != nil {
		change(&w)
	}
	made, err := h.CreateClient(h.t.Context(), owner, w)
	h.must(err)
	return made
}

func public(w *oauth.ClientWish) {
	w.Public, w.Flows = true, []blueberry.OAuthFlow{blueberry.FlowCode, blueberry.FlowRefresh, blueberry.FlowDevice}
}

// stock is the client of golang.org/x/oauth2.
func (h *house) stock(c oauth.MadeClient, scopes ...string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.Client.ID, ClientSecret: c.Secret, RedirectURL: page, Scopes: scopes,
		Endpoint: oauth2.Endpoint{
			AuthURL: h.web.URL + "/oauth/authorize", TokenURL: h.web.URL + "/oauth/token", DeviceAuthURL: h.web.URL + "/oauth/device_authorization",
		},
	}
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (a answer) text(name string) string { s, _ := a.body[name].(string); return s }

// post sends a form as a client does, who proves itself in the body unless the form says otherwise.
func (h *house) post(path string, c oauth.MadeClient, pairs ...string) answer {
	h.t.Helper()
	v := url.Values{"client_id": {c.Client.ID}}
	if c.Secret != "" {
		v.Set("client_secret", c.Secret)
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return h.send(path, "application/x-www-form-urlencoded", v.Encode(), nil)
}

func (h *house) send(path, kind, body string, header http.Header) answer {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.web.URL+path, strings.NewReader(body))
	h.must(err)
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", kind)
	res, err := h.web.Client().Do(r)
	h.must(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	h.must(err)
	a := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	if len(raw) > 0 {
		h.must(json.Unmarshal(raw, &a.body))
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		h.t.Errorf("%s answered with Cache-Control %q, want no-store", path, res.Header.Get("Cache-Control"))
	}
	return a
}

// visit opens an address in ada's browser and gives where it is sent; nil when it stays.
func (h *house) visit(address string) (*url.URL, int) {
	h.t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, address, nil)
	h.must(err)
	res, err := browser.Do(r)
	h.must(err)
	defer res.Body.Close()
	if res.Header.Get("Location") == "" {
		return nil, res.StatusCode
	}
	to, err := url.Parse(res.Header.Get("Location"))
	h.must(err)
	return to, res.StatusCode
}

// verifier is the PKCE verifier of every code of the tests.
const verifier = "a-verifier-of-the-tests-that-is-long-enough-for-RFC7636"

// ask is the address of an authorization request; pairs change it, an empty value leaves one out.
func (h *house) ask(c oauth.MadeClient, pairs ...string) string {
	v := url.Values{
		"response_type": {"code"}, "client_id": {c.Client.ID}, "redirect_uri": {page}, "state": {"the-state"}, "scope": {"environments:read offline_access"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return h.web.URL + "/oauth/authorize?" + v.Encode()
}

// code has ada allow a client, and gives the code.
func (h *house) code(c oauth.MadeClient, pairs ...string) string {
	h.t.Helper()
	to, status := h.visit(h.ask(c, pairs...))
	if to == nil || to.Query().Get("code") == "" {
		h.t.Fatalf("no code: status %d, sent to %v", status, to)
	}
	return to.Query().Get("code")
}

func (h *house) exchange(c oauth.MadeClient, code string, pairs ...string) answer {
	h.t.Helper()
	return h.post("/oauth/token", c, append([]string{
		"grant_type", "authorization_code", "code", code, "redirect_uri", page, "code_verifier", verifier,
	}, pairs...)...)
}

// tokens has ada allow a client, and gives access and refresh token.
func (h *house) tokens(c oauth.MadeClient) (access, refresh string) {
	h.t.Helper()
	a := h.exchange(c, h.code(c))
	if a.status != http.StatusOK || a.text("access_token") == "" || a.text("refresh_token") == "" {
		h.t.Fatalf("no tokens: %d %s", a.status, a.raw)
	}
	return a.text("access_token"), a.text("refresh_token")
}

func (h *house) refresh(c oauth.MadeClient, secret string, pairs ...string) answer {
	h.t.Helper()
	return h.post("/oauth/token", c, append([]string{"grant_type", "refresh_token", "refresh_token", secret}, pairs...)...)
}

func (h *house) lives(access string) bool {
	h.t.Helper()
	_, _, err := h.Granted(h.t.Context(), access)
	if err != nil && !errors.Is(err, blueberry.Unauthenticated) {
		h.t.Fatal(err)
	}
	return err == nil
}

// refused fails the test unless a client was refused with the code.
func (h *house) refused(a answer, code string) {
	h.t.Helper()
	if a.status < 400 || a.status > 499 || a.text("error") != code {
		h.t.Errorf("answer = %d %s, want the error %s", a.status, a.raw, code)
	}
}

// audit reads the entries of an action, oldest first, as "result: detail".
func (h *house) audit(action string) []string {
	h.t.Helper()
	var out []string
	h.must(h.store.View(h.t.Context(), func(tx *store.Tx) error {
		page, err := tx.Audit(h.t.Context(), blueberry.AuditQuery{Action: action, Limit: 200})
		for i := len(page) - 1; i >= 0; i-- {
			out = append(out, fmt.Sprintf("%s: %s", page[i].Result, page[i].Detail))
		}
		return err
	}))
	return out
}

func (h *house) epoch() int64 {
	h.t.Helper()
	var n int64
	h.must(h.store.View(h.t.Context(), func(tx *store.Tx) (err error) {
		n, err = tx.AccessEpoch(h.t.Context())
		return err
	}))
	return n
}

func isKind(err error, k blueberry.Kind) bool { return errors.Is(err, k) }
