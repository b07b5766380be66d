package httpapi_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cache"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
)

const (
	adaSession = "bls_ada"
	adaToken   = "blb_ada"
	adaOAuth   = "bla_ada"
	ciToken1   = "bla_ci1"
	ciToken2   = "bla_ci2"
)

// gate is the gateway with people behind it, and what they did.
type gate struct {
	house *httpapitest.House
	deps  httpapi.Deps
	log   *logBuffer

	mu    sync.Mutex
	asked []string // secrets that were to be proven
	t     time.Time
}

func newGate(t testing.TB, set func(g *gate)) (*gate, *httpapi.API) {
	t.Helper()
	g := &gate{house: httpapitest.New(), log: &logBuffer{}, t: now()}
	g.house.Logger = slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	g.deps = g.house.Deps()
	g.deps.Access, g.deps.Now, g.deps.Address = g, g.now, "https://blueberry.test"
	g.deps.Edge.Limiter = cache.NewMemory()
	g.deps.Edge.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	g.deps.Routes = map[string]http.Handler{
		"GET /healthz":      http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		"GET /page":         http.HandlerFunc(echo),
		"POST /page":        http.HandlerFunc(echo),
		"POST /signin":      http.HandlerFunc(echo),
		"POST /oauth/token": http.HandlerFunc(echo),
	}
	if set != nil {
		set(g)
	}
	return g, apiOf(t, g.deps)
}

// echo repeats what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(w, httpapi.ActorOf(r.Context()).Name+string(data))
}

func (g *gate) now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.t
}

func (g *gate) pass(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.t = g.t.Add(d)
}

// Authenticate knows some.
func (g *gate) Authenticate(ctx context.Context, secret string) (blueberry.Actor, error) {
	g.mu.Lock()
	g.asked = append(g.asked, secret)
	g.mu.Unlock()
	ada := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_ada", Name: "ada@example.com", UserID: "usr_ada", Grants: []blueberry.Grant{blueberry.GrantAll}}
	switch secret {
	case adaSession:
		ada.Credential = "ses_1"
		return ada, nil
	case adaToken, adaOAuth:
		ada.Kind, ada.ID, ada.Credential = blueberry.ActorToken, "tok_"+secret[:3], "tok_"+secret[:3]
		return ada, nil
	case ciToken1, ciToken2:
		return blueberry.Actor{Kind: blueberry.ActorClient, ID: "oac_ci", Name: "ci", Credential: "oat_" + secret}, nil
	}
	return g.house.Authenticate(ctx, secret)
}

// proven are the secrets that were to be proven since the last call.
func (g *gate) proven() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.asked
	g.asked = nil
	return out
}

// call sends a request without a credential of its own; headers come as pairs, and a name twice is sent twice.
func call(t testing.TB, h http.Handler, method, path, body string, headers ...string) answer {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, r).WithContext(t.Context())
	for i := 0; i+1 < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			req.Host = headers[i+1]
		case "From":
			req.RemoteAddr = headers[i+1]
		default:
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return answer{rec.Result(), rec.Body.String()}
}

const cookie = access.SessionCookie + "="

func TestWhoIsAsking(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		headers []string
		status  int
		code    string
		proven  []string
	}{
		"token":                {"in the header", []string{"Authorization", "Bearer " + adaToken}, 200, "", []string{adaToken}},
		"OAuth":                {"in the header", []string{"Authorization", "bearer " + adaOAuth}, 200, "", []string{adaOAuth}},
		"session":              {"in the cookie", []string{"Cookie", cookie + adaSession}, 200, "", []string{adaSession}},
		"nothing":              {"nobody", nil, 401, "TOKEN_MISSING", nil},
		"session as token":     {"a session is no token", []string{"Authorization", "Bearer " + adaSession}, 401, "TOKEN_INVALID", nil},
		"token as session":     {"a token is no session", []string{"Cookie", cookie + adaToken}, 401, "SESSION_INVALID", nil},
		"OAuth as session":     {"nor is an access token", []string{"Cookie", cookie + adaOAuth}, 401, "SESSION_INVALID", nil},
		"both":                 {"the header wins", []string{"Authorization", "Bearer " + adaToken, "Cookie", cookie + adaSession}, 200, "", []string{adaToken}},
		"both, header wrong":   {"also when it is wrong", []string{"Authorization", "Bearer x", "Cookie", cookie + adaSession}, 401, "TOKEN_INVALID", []string{"x"}},
		"both, header session": {"also when it is of another kind", []string{"Authorization", "Bearer " + adaSession, "Cookie", cookie + adaSession}, 401, "TOKEN_INVALID", nil},
		"both, basic":          {"also when it is of another scheme", []string{"Authorization", "Basic YTpi", "Cookie", cookie + adaSession}, 401, "TOKEN_MISSING", nil},
		"two headers":          {"which one is meant", []string{"Authorization", "Bearer " + adaToken, "Authorization", "Bearer x"}, 401, "TOKEN_INVALID", nil},
		"two cookies":          {"one of them was planted", []string{"Cookie", cookie + adaSession + "; " + cookie + "bls_planted"}, 401, "SESSION_INVALID", nil},
		"other cookie":         {"not ours", []string{"Cookie", "blueberry=" + adaSession}, 401, "TOKEN_MISSING", nil},
		"in the query":         {"never looked at", []string{"X-Query", "?access_token=" + adaToken}, 401, "TOKEN_MISSING", nil},
		"unknown":              {"nobody known", []string{"Cookie", cookie + "bls_x"}, 401, "TOKEN_INVALID", []string{"bls_x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, api := newGate(t, nil)
			path, headers := "/v1/version", tc.headers
			if len(headers) > 0 && headers[0] == "X-Query" {
				path, headers = path+headers[1], nil
			}
			a := call(t, api, "GET", path, "", headers...)
			if a.StatusCode != tc.status || tc.code != "" && a.problem(t).Code != tc.code {
				t.Errorf("%s: %d %s, want %d %s", tc.reason, a.StatusCode, a.text, tc.status, tc.code)
			}
			if diff := cmp.Diff(tc.proven, g.proven()); diff != "" {
				t.Errorf("%s: what was to be proven (-want +got):\n%s", tc.reason, diff)
			}
			challenge := a.Header.Get("WWW-Authenticate")
			if wrong := strings.Contains(challenge, `error="invalid_token"`); wrong != (tc.status == 401 && tc.code != "TOKEN_MISSING") || (challenge != "") != (tc.status == 401) {
				t.Errorf("%s: WWW-Authenticate is %q", tc.reason, challenge)
			}
			for _, secret := range []string{adaSession, adaToken, adaOAuth, "bls_planted"} {
				if strings.Contains(g.log.String(), secret) || strings.Contains(a.text, secret) {
					t.Errorf("%s: %s stands in the log or the answer", tc.reason, secret)
				}
			}
		})
	}
}

func TestForgedFormsAreRefused(t *testing.T) {
	t.Parallel()
	const body = `{"name":"pr-1","source":{"repository":"` + httpapitest.Repository + `"}}`
	for name, tc := range map[string]struct {
		reason, method, path string
		headers              []string
		ok                   bool
	}{
		"same origin":            {"a page of ours", "POST", "/v1/environments", []string{"Sec-Fetch-Site", "same-origin"}, true},
		"same origin, no origin": {"a form under a policy that hides it", "POST", "/v1/environments", []string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, true},
		"old browser":            {"tells its origin only", "POST", "/v1/environments", []string{"Origin", "https://example.com"}, true},
		"behind a proxy":         {"the host is another one, but the address is ours", "POST", "/v1/environments", []string{"Origin", "https://blueberry.test"}, true},
		"cross site":             {"a page of others", "POST", "/v1/environments", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.test"}, false},
		"same site":              {"a neighbour is another one", "POST", "/v1/environments", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.example.com"}, false},
		"other origin":           {"an old browser on a page of others", "POST", "/v1/environments", []string{"Origin", "https://evil.test"}, false},
		"null origin":            {"a page in a sandbox", "POST", "/v1/environments", []string{"Origin", "null"}, false},
		"no word":                {"a change must say where it comes from", "POST", "/v1/environments", nil, false},
		"delete":                 {"any change", "DELETE", "/v1/environments/env_x", []string{"Sec-Fetch-Site", "cross-site"}, false},
		"odd method":             {"or what might be one", "PURGE", "/v1/environments", []string{"Sec-Fetch-Site", "cross-site"}, false},
		"read across":            {"a cookie is not for scripts of others", "GET", "/v1/version", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://portal.test"}, false},
		"read by link":           {"nor for links", "GET", "/v1/version", []string{"Sec-Fetch-Site", "cross-site"}, false},
		"read":                   {"a page of ours", "GET", "/v1/version", []string{"Sec-Fetch-Site", "same-origin"}, true},
		"read by hand":           {"typed", "GET", "/v1/version", []string{"Sec-Fetch-Site", "none"}, true},
		"page":                   {"forms of pages too", "POST", "/page", []string{"Sec-Fetch-Site", "cross-site"}, false},
		"page of ours":           {"a page of ours", "POST", "/page", []string{"Sec-Fetch-Site", "same-origin"}, true},
		"sign-in":                {"nobody is signed in by a page of others", "POST", "/signin", []string{"Origin", "https://evil.test"}, false},
		"program":                {"OAuth endpoints use no cookie", "POST", "/oauth/token", []string{"Sec-Fetch-Site", "cross-site"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, api := newGate(t, func(g *gate) { g.deps.Edge.Origins = []string{"https://portal.test"} })
			b := body
			if tc.method != "POST" {
				b = ""
			}
			a := call(t, api, tc.method, tc.path, b, append(tc.headers, "Cookie", cookie+adaSession, "Content-Type", "application/json")...)
			if ok := a.StatusCode < 300; ok != tc.ok {
				t.Fatalf("%s: %d %s", tc.reason, a.StatusCode, a.text)
			}
			if !tc.ok {
				if p := a.problem(t); p.Status != 403 || p.Code != "CROSS_ORIGIN" {
					t.Errorf("%s: %d %s, want 403 CROSS_ORIGIN", tc.reason, p.Status, p.Code)
				}
				if got := g.proven(); len(got) > 0 {
					t.Errorf("%s: the session was looked at", tc.reason)
				}
			}
		})
	}
}

func TestTokensNeedNoOrigin(t *testing.T) {
	t.Parallel()
	_, api := newGate(t, nil)
	a := call(t, api, "POST", "/v1/environments", `{}`, "Authorization", "Bearer "+adaToken, "Sec-Fetch-Site", "cross-site", "Origin", "https://any.test")
	if a.StatusCode != 422 {
		t.Errorf("%d %s, want the operation's own answer", a.StatusCode, a.text)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"}
	for name, tc := range map[string]struct {
		reason, method, path, origin string
		headers                      []string
		status                       int
		allowed                      bool
	}{
		"preflight":           {"listed", "OPTIONS", "/v1/environments", "https://portal.test", preflight, 204, true},
		"preflight, stranger": {"not listed", "OPTIONS", "/v1/environments", "https://evil.test", preflight, 403, false},
		"preflight, suffix":   {"not listed either", "OPTIONS", "/v1/environments", "https://portal.test.evil.test", preflight, 403, false},
		"preflight, null":     {"a sandbox", "OPTIONS", "/v1/environments", "null", preflight, 403, false},
		"preflight of OAuth":  {"programs in browsers", "OPTIONS", "/oauth/token", "https://portal.test", preflight, 204, true},
		"preflight of a page": {"pages are not called", "OPTIONS", "/page", "https://portal.test", preflight, 405, false},
		"read":                {"with a token", "GET", "/v1/version", "https://portal.test", []string{"Authorization", "Bearer " + adaToken}, 200, true},
		"read, stranger":      {"answered, but the script does not see it", "GET", "/v1/version", "https://evil.test", []string{"Authorization", "Bearer " + adaToken}, 200, false},
		"refusal":             {"can be read too", "GET", "/v1/version", "https://portal.test", nil, 401, true},
		"cookie":              {"is no proof there", "GET", "/v1/version", "https://portal.test", []string{"Cookie", cookie + adaSession}, 403, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, api := newGate(t, func(g *gate) { g.deps.Edge.Origins = []string{"https://portal.test"} })
			a := call(t, api, tc.method, tc.path, "", append(tc.headers, "Origin", tc.origin)...)
			want := ""
			if tc.allowed {
				want = tc.origin
			}
			if got := a.Header.Get("Access-Control-Allow-Origin"); a.StatusCode != tc.status || got != want {
				t.Errorf("%s: %d, allowed is %q, want %d and %q", tc.reason, a.StatusCode, got, tc.status, want)
			}
			if got := a.Header.Get("Access-Control-Allow-Credentials"); got != "" {
				t.Errorf("%s: credentials are allowed: %q", tc.reason, got)
			}
			if tc.path != "/page" && !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s: Vary is %q", tc.reason, a.Header.Values("Vary"))
			}
		})
	}
	for _, origin := range []string{"*", "https://*.test", "https://a.test/", "a.test", "null", "", "https://a.test,https://b.test", "ftp://a.test", "https://A.test"} {
		if httpapi.CheckOrigin(origin) == nil {
			t.Errorf("%q is taken for an origin", origin)
		}
	}
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		from    string
		headers []string
		want    string
		header  string
	}{
		"direct":                 {"no proxy", "192.0.2.1:4711", nil, "192.0.2.1", ""},
		"spoofed":                {"a client's word is nothing", "192.0.2.1:4711", []string{"X-Forwarded-For", "198.51.100.1", "Forwarded", "for=198.51.100.2", "X-Real-Ip", "198.51.100.3"}, "192.0.2.1", ""},
		"one proxy":              {"as it saw it", "10.0.0.1:80", []string{"X-Forwarded-For", "192.0.2.1"}, "192.0.2.1", ""},
		"spoofed before":         {"the rightmost that is not ours", "10.0.0.1:80", []string{"X-Forwarded-For", "198.51.100.1, 192.0.2.1, 10.0.0.2"}, "192.0.2.1", ""},
		"spoofed as ours":        {"what stands left of the client is its own word", "10.0.0.1:80", []string{"X-Forwarded-For", "10.9.9.9, 192.0.2.1"}, "192.0.2.1", ""},
		"two lines":              {"are one list", "10.0.0.1:80", []string{"X-Forwarded-For", "198.51.100.1", "X-Forwarded-For", "192.0.2.1"}, "192.0.2.1", ""},
		"garbage":                {"the hop before it is the last that is known", "10.0.0.1:80", []string{"X-Forwarded-For", "192.0.2.1, unknown, 10.0.0.2"}, "10.0.0.2", ""},
		"line break":             {"is garbage", "10.0.0.1:80", []string{"X-Forwarded-For", "192.0.2.1\r\nX: y"}, "10.0.0.1", ""},
		"only ours":              {"a call from within", "10.0.0.1:80", []string{"X-Forwarded-For", "10.0.0.3"}, "10.0.0.3", ""},
		"port":                   {"is not counted", "10.0.0.1:80", []string{"X-Forwarded-For", "192.0.2.1:999"}, "192.0.2.1", ""},
		"v6":                     {"with brackets and port", "10.0.0.1:80", []string{"X-Forwarded-For", "[2001:db8::1]:999"}, "2001:db8::1", ""},
		"mapped":                 {"IPv4 in IPv6 is IPv4", "[::ffff:10.0.0.1]:80", []string{"X-Forwarded-For", "::ffff:192.0.2.1"}, "192.0.2.1", ""},
		"other header":           {"only the configured one is read", "10.0.0.1:80", []string{"Forwarded", "for=198.51.100.1"}, "10.0.0.1", ""},
		"forwarded":              {"RFC 7239", "10.0.0.1:80", []string{"Forwarded", `for=198.51.100.1, For="[2001:db8::7]:4711";proto=https;by=10.0.0.2`}, "2001:db8::7", httpapi.HeaderForwarded},
		"forwarded, quoted":      {"a comma in quotes parts nothing", "10.0.0.1:80", []string{"Forwarded", `for=192.0.2.1;host="a,for=198.51.100.1"`}, "192.0.2.1", httpapi.HeaderForwarded},
		"forwarded, hidden":      {"a name that hides", "10.0.0.1:80", []string{"Forwarded", "for=_hidden"}, "10.0.0.1", httpapi.HeaderForwarded},
		"forwarded, open quotes": {"that would swallow what the proxy adds", "10.0.0.1:80", []string{"Forwarded", `for=198.51.100.1;x=", for=192.0.2.1`}, "10.0.0.1", httpapi.HeaderForwarded},
		"forwarded, spoofed":     {"the other header is not read then", "10.0.0.1:80", []string{"X-Forwarded-For", "198.51.100.1", "Forwarded", "for=192.0.2.1"}, "192.0.2.1", httpapi.HeaderForwarded},
		"no address":             {"a socket", "@", nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got blueberry.Caller
			_, api := newGate(t, func(g *gate) {
				g.deps.Edge.ProxyHeader = tc.header
				g.deps.Routes["GET /who/{id}"] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = blueberry.CallOf(r.Context()).Caller })
			})
			a := call(t, api, "GET", "/who/1", "", append(tc.headers, "From", tc.from, "User-Agent", "curl\x1b[31m", "X-Request-Id", "abc")...)
			want := blueberry.Caller{RequestID: "abc", Address: tc.want, UserAgent: "curl?[31m", Route: "GET /who/{id}"}
			if diff := cmp.Diff(want, got); diff != "" || a.StatusCode != 200 {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLogLineTellsWhoAndNoSecret(t *testing.T) {
	t.Parallel()
	g, api := newGate(t, nil)
	link := "bll_Zk3vQ9xW2rT7yU1iO5pA8sD4fG6hJ0kLmNbVcXzQwEr_1a2B3c"
	call(t, api, "GET", "/v1/version?token="+link, "", "Authorization", "Bearer "+adaToken, "From", "10.0.0.1:80", "X-Forwarded-For", "192.0.2.1", "User-Agent", "blueberry/1")
	call(t, api, "GET", "/invitation/"+link, "")
	for _, want := range []string{"actor=tok_blb", "credential=tok_blb", "address=192.0.2.1", "user_agent=blueberry/1", `route="GET /v1/version"`, "path=/v1/version "} {
		if !strings.Contains(g.log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, g.log.String())
		}
	}
	if strings.Contains(g.log.String(), link) {
		t.Errorf("the log tells a secret:\n%s", g.log.String())
	}
}

func TestTransportSecurityIsToldUnderTLSOnly(t *testing.T) {
	t.Parallel()
	_, api := newGate(t, nil)
	for name, tc := range map[string]struct {
		headers []string
		want    bool
	}{
		"plain": {[]string{"From", "192.0.2.1:1"}, false}, "spoofed": {[]string{"From", "192.0.2.1:1", "X-Forwarded-Proto", "https"}, false},
		"proxy": {[]string{"From", "10.0.0.1:1", "X-Forwarded-Proto", "https"}, true}, "plain proxy": {[]string{"From", "10.0.0.1:1", "X-Forwarded-Proto", "https, http"}, false},
	} {
		if got := call(t, api, "GET", "/page", "", tc.headers...).Header.Get("Strict-Transport-Security") != ""; got != tc.want {
			t.Errorf("%s: told is %v, want %v", name, got, tc.want)
		}
	}
}

func TestSettingsOfTheEdgeAreChecked(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(e *httpapi.Edge){
		"no audit":       func(e *httpapi.Edge) { e.Audit = nil },
		"no limiter":     func(e *httpapi.Edge) { e.Limiter, e.Limits = nil, httpapi.LimitsPerMinute(1000, 3000, 300, 10) },
		"any origin":     func(e *httpapi.Edge) { e.Origins = []string{"*"} },
		"another header": func(e *httpapi.Edge) { e.ProxyHeader = "X-Real-Ip" },
	} {
		d := httpapitest.New().Deps()
		set(&d.Edge)
		if _, err := httpapi.New(d); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// known is a cache of authentication that has the one actor.
type known struct{ actor blueberry.Actor }

// Authenticate gives the actor.
func (k known) Authenticate(context.Context, string) (blueberry.Actor, error) { return k.actor, nil }

// A person at a browser gets a page where the gateway refuses one, a program the problem.
func TestRefusalsForPeopleArePages(t *testing.T) {
	t.Parallel()
	srv, _ := httpapitest.New().Serve(t)
	for accept, want := range map[string]string{"text/html,application/xhtml+xml;q=0.9": "text/html; charset=utf-8", "application/json": "application/problem+json"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/nowhere?<script>", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusNotFound || res.Header.Get("Content-Type") != want || strings.Contains(string(text), "<script>") {
			t.Errorf("%s: %d %s %s", accept, res.StatusCode, res.Header.Get("Content-Type"), text)
		}
	}
}
