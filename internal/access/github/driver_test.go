package github_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/github"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	redirect = "https://blueberry.example.com/sign-in/github/return"
	verifier = "abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFG"
)

type object = map[string]any

// hub stands in for GitHub, with the shapes of its pages and its API.
type hub struct {
	*httptest.Server

	mu     sync.Mutex
	codes  map[string]url.Values
	user   object
	emails []object
	orgs   []object
	teams  []object
	down   string // path that answers 502
}

func openHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{
		codes: map[string]url.Values{}, user: object{"id": 583231, "login": "octocat", "name": "The Octocat"},
		emails: []object{
			{"email": "old@example.com", "primary": false, "verified": true, "visibility": nil},
			{"email": "octocat@example.com", "primary": true, "verified": true, "visibility": "private"},
		},
		orgs:  []object{{"id": 1, "login": "acme"}},
		teams: []object{{"id": 7, "slug": "builders", "name": "Builders", "organization": object{"login": "acme"}}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login/oauth/access_token", h.token)
	list := func(path string, all func() []object) {
		mux.HandleFunc("GET /api/v3"+path, func(w http.ResponseWriter, r *http.Request) {
			if !h.allowed(w, r) {
				return
			}
			var page, size int
			fmt.Sscan(r.URL.Query().Get("page"), &page)
			fmt.Sscan(r.URL.Query().Get("per_page"), &size)
			items := all()
			from := min(len(items), (page-1)*size)
			answer(w, http.StatusOK, items[from:min(len(items), from+size)])
		})
	}
	mux.HandleFunc("GET /api/v3/user", func(w http.ResponseWriter, r *http.Request) {
		if h.allowed(w, r) {
			answer(w, http.StatusOK, h.user)
		}
	})
	list("/user/emails", func() []object { return h.emails })
	list("/user/orgs", func() []object { return h.orgs })
	list("/user/teams", func() []object { return h.teams })
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (h *hub) allowed(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case h.down == r.URL.Path:
		answer(w, http.StatusBadGateway, object{"message": "Server Error"})
	case r.Header.Get("Authorization") != "Bearer gho_token":
		answer(w, http.StatusUnauthorized, object{"message": "Bad credentials"})
	default:
		return true
	}
	return false
}

// token answers as GitHub does: what is wrong has the status 200.
func (h *hub) token(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = r.ParseForm()
	f := r.PostForm
	asked, ok := h.codes[f.Get("code")]
	delete(h.codes, f.Get("code"))
	sum := sha256.Sum256([]byte(f.Get("code_verifier")))
	switch {
	case h.down == r.URL.Path:
		answer(w, http.StatusBadGateway, object{})
	case f.Get("client_id") != "blueberry" || f.Get("client_secret") != "secret":
		answer(w, http.StatusOK, object{"error": "incorrect_client_credentials", "error_description": "The client_id and/or client_secret passed are incorrect: " + f.Encode()})
	case !ok || asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]):
		answer(w, http.StatusOK, object{"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired: " + f.Encode()})
	case asked.Get("redirect_uri") != f.Get("redirect_uri"):
		answer(w, http.StatusOK, object{"error": "redirect_uri_mismatch"})
	default:
		answer(w, http.StatusOK, object{"access_token": "gho_token", "scope": "read:org,read:user,user:email", "token_type": "bearer"})
	}
}

func (h *hub) provider() blueberry.IdentityProvider {
	return blueberry.IdentityProvider{ID: "idp_1", Name: "github", Kind: blueberry.ProviderGitHub, Issuer: h.URL, ClientID: "blueberry"}
}

// finish goes through the whole flow.
func (h *hub) finish(t *testing.T, secret string, change func(*access.ProviderAnswer)) (access.Claims, access.ProviderAnswer, error) {
	t.Helper()
	d := &github.Driver{}
	address, err := d.Begin(t.Context(), h.provider(), secret, access.ProviderAsk{RedirectURL: redirect, State: "state", Nonce: "nonce", Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Path != "/login/oauth/authorize" || u.Query().Get("state") != "state" || u.Query().Get("scope") != "read:user user:email read:org" {
		t.Fatalf("the address is %s, %v", address, err)
	}
	a := access.ProviderAnswer{Code: rand.Text(), RedirectURL: redirect, Nonce: "nonce", Verifier: verifier}
	h.mu.Lock()
	h.codes[a.Code] = u.Query()
	h.mu.Unlock()
	if change != nil {
		change(&a)
	}
	c, err := d.Finish(t.Context(), h.provider(), secret, a)
	return c, a, err
}

func TestAnAccountIsRead(t *testing.T) {
	t.Parallel()
	good := access.Claims{Subject: "583231", Email: "octocat@example.com", EmailVerified: true, Name: "The Octocat", Groups: []string{"acme", "acme/builders"}}
	for name, test := range map[string]struct {
		hub  func(*hub)
		want func(*access.Claims)
	}{
		"as it is": {},
		"the primary address is not verified, another is": {
			hub:  func(h *hub) { h.emails[1]["verified"] = false },
			want: func(c *access.Claims) { c.EmailVerified = false },
		},
		"no primary address": {
			hub:  func(h *hub) { h.emails = h.emails[:1] },
			want: func(c *access.Claims) { c.Email, c.EmailVerified = "", false },
		},
		"the address on the profile means nothing": {hub: func(h *hub) { h.user["email"] = "victim@example.com" }},
		"no name":  {hub: func(h *hub) { h.user["name"] = nil }, want: func(c *access.Claims) { c.Name = "octocat" }},
		"no teams": {hub: func(h *hub) { h.teams, h.orgs = nil, nil }, want: func(c *access.Claims) { c.Groups = nil }},
		"more than a page of teams": {
			hub: func(h *hub) {
				h.teams = nil
				for n := range 205 {
					h.teams = append(h.teams, object{"slug": fmt.Sprint("t", n), "organization": object{"login": "acme"}})
				}
			},
			want: func(c *access.Claims) {
				c.Groups = []string{"acme"}
				for n := range 205 {
					c.Groups = append(c.Groups, fmt.Sprint("acme/t", n))
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHub(t)
			want := good
			if test.hub != nil {
				test.hub(h)
			}
			if test.want != nil {
				test.want(&want)
			}
			got, _, err := h.finish(t, "secret", nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		secret string
		hub    func(*hub)
		change func(*access.ProviderAnswer)
		want   blueberry.Kind
	}{
		"a code that is none":          {change: func(a *access.ProviderAnswer) { a.Code = "nonsense" }, want: blueberry.Unauthenticated},
		"another verifier":             {change: func(a *access.ProviderAnswer) { a.Verifier = strings.Repeat("x", 43) }, want: blueberry.Unauthenticated},
		"another address":              {change: func(a *access.ProviderAnswer) { a.RedirectURL += "x" }, want: blueberry.Unauthenticated},
		"the answer of another issuer": {change: func(a *access.ProviderAnswer) { a.Issuer = "https://evil.example" }, want: blueberry.Unauthenticated},
		"nobody":                       {hub: func(h *hub) { h.user = object{"login": "ghost"} }, want: blueberry.Unauthenticated},
		"a wrong secret":               {secret: "wrong", want: blueberry.Unavailable},
		"GitHub is down":               {hub: func(h *hub) { h.down = "/login/oauth/access_token" }, want: blueberry.Unavailable},
		"its API is down":              {hub: func(h *hub) { h.down = "/api/v3/user/emails" }, want: blueberry.Unavailable},
		"its teams cannot be read":     {hub: func(h *hub) { h.down = "/api/v3/user/teams" }, want: blueberry.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHub(t)
			if test.hub != nil {
				test.hub(h)
			}
			secret := test.secret
			if secret == "" {
				secret = "secret"
			}
			_, a, err := h.finish(t, secret, test.change)
			if !errors.Is(err, test.want) || strings.Contains(err.Error(), verifier) || strings.Contains(err.Error(), a.Code) || strings.Contains(err.Error(), "gho_") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestACodeIsTakenOnce(t *testing.T) {
	t.Parallel()
	h := openHub(t)
	_, used, err := h.finish(t, "secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&github.Driver{}).Finish(t.Context(), h.provider(), "secret", used); !errors.Is(err, blueberry.Unauthenticated) {
		t.Errorf("got %v", err)
	}
	if _, err := (&github.Driver{}).IDToken(t.Context(), h.provider(), "token", ""); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("got %v", err)
	}
}

func TestWhereGitHubIs(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{"": "https://github.com/login/oauth/authorize?", "https://github.com/": "https://github.com/login/oauth/authorize?", "https://git.corp.example/": "https://git.corp.example/login/oauth/authorize?"} {
		address, err := (&github.Driver{}).Begin(t.Context(), blueberry.IdentityProvider{Issuer: issuer}, "", access.ProviderAsk{})
		if err != nil || !strings.HasPrefix(address, want) {
			t.Errorf("%q: got %s, %v", issuer, address, err)
		}
	}
}
