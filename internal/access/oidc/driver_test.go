package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/oidc"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// finish goes through the whole flow with what the issuer signs.
func (i *issuer) finish(t *testing.T, d *oidc.Driver, p blueberry.IdentityProvider, change func(*access.ProviderAnswer)) (access.Claims, error) {
	t.Helper()
	address, err := d.Begin(t.Context(), p, "secret", access.ProviderAsk{RedirectURL: redirect, State: "state", Nonce: "nonce", Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	a := access.ProviderAnswer{Code: i.authorize(t, address), RedirectURL: redirect, Nonce: "nonce", Verifier: verifier}
	if change != nil {
		change(&a)
	}
	return d.Finish(t.Context(), p, "secret", a)
}

func TestAnIssuerVouches(t *testing.T) {
	t.Parallel()
	i := openIssuer(t)
	i.idToken = func(nonce string) string { return i.sign(t, i.claims(nonce, nil)) }
	d := driver()
	address, err := d.Begin(t.Context(), i.provider(), "secret", access.ProviderAsk{RedirectURL: redirect, State: "state", Nonce: "nonce", Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("state") != "state" || q.Get("nonce") != "nonce" || q.Get("response_type") != "code" ||
		q.Get("scope") != "openid email profile" || q.Get("redirect_uri") != redirect || strings.Contains(address, verifier) || strings.Contains(address, "secret") {
		t.Errorf("the address is %s", address)
	}
	got, err := i.finish(t, d, i.provider(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(access.Claims{Subject: "1234", Email: "ada@example.com", EmailVerified: true, Name: "Ada", Groups: []string{"a", "b"}}, got); diff != "" {
		t.Error(diff)
	}
}

// Every one of these tokens is refused, after a redirect and from an app.
func TestIDTokensThatAreNotRight(t *testing.T) {
	t.Parallel()
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	type claims = map[string]any
	for name, make := range map[string]func(t *testing.T, i *issuer) string{
		"alg none":                       func(t *testing.T, i *issuer) string { return unsigned(t, "none", i.claims("nonce", nil)) },
		"alg None":                       func(t *testing.T, i *issuer) string { return unsigned(t, "None", i.claims("nonce", nil)) },
		"alg empty":                      func(t *testing.T, i *issuer) string { return unsigned(t, "", i.claims("nonce", nil)) },
		"HS256 with the public key":      func(t *testing.T, i *issuer) string { return i.hmacOfPublicKey(t, i.claims("nonce", nil)) },
		"a key of its own in the header": func(t *testing.T, i *issuer) string { return embedded(t, i.claims("nonce", nil)) },
		"another key":                    func(t *testing.T, i *issuer) string { return signRSA(t, other, i.kid, i.claims("nonce", nil)) },
		"a key that is not known":        func(t *testing.T, i *issuer) string { return signRSA(t, other, "two", i.claims("nonce", nil)) },
		"changed":                        func(t *testing.T, i *issuer) string { return flip(i.sign(t, i.claims("nonce", nil))) },
		"wrong audience":                 func(t *testing.T, i *issuer) string { return i.sign(t, i.claims("nonce", claims{"aud": "another"})) },
		"no audience":                    func(t *testing.T, i *issuer) string { return i.sign(t, i.claims("nonce", claims{"aud": nil})) },
		"two audiences and nobody for it": func(t *testing.T, i *issuer) string {
			return i.sign(t, i.claims("nonce", claims{"aud": []string{clientID, "another"}}))
		},
		"for another client": func(t *testing.T, i *issuer) string {
			return i.sign(t, i.claims("nonce", claims{"aud": []string{clientID, "another"}, "azp": "another"}))
		},
		"azp that is no text": func(t *testing.T, i *issuer) string {
			return i.sign(t, i.claims("nonce", claims{"azp": []string{clientID}}))
		},
		"wrong issuer": func(t *testing.T, i *issuer) string {
			return i.sign(t, i.claims("nonce", claims{"iss": "https://evil.example"}))
		},
		"issuer with a slash": func(t *testing.T, i *issuer) string { return i.sign(t, i.claims("nonce", claims{"iss": i.URL + "/"})) },
		"expired": func(t *testing.T, i *issuer) string {
			return i.sign(t, i.claims("nonce", claims{"exp": start.Unix() - 1}))
		},
		"expires now": func(t *testing.T, i *issuer) string {
			return i.sign(t, i.claims("nonce", claims{"exp": start.Unix() - 0}))
		},
		"no end": func(t *testing.T, i *issuer) string { return i.sign(t, i.claims("nonce", claims{"exp": nil})) },
		"not yet valid": func(t *testing.T, i *issuer) string {
			return i.sign(t, i.claims("nonce", claims{"nbf": start.Add(6 * time.Minute).Unix(), "exp": start.Add(time.Hour).Unix()}))
		},
		"made in the future": func(t *testing.T, i *issuer) string {
			return i.sign(t, i.claims("nonce", claims{"iat": start.Add(6 * time.Minute).Unix(), "exp": start.Add(time.Hour).Unix()}))
		},
		"no subject": func(t *testing.T, i *issuer) string { return i.sign(t, i.claims("nonce", claims{"sub": nil})) },
		"no token":   func(*testing.T, *issuer) string { return "" },
		"nonsense":   func(*testing.T, *issuer) string { return "a.b.c" },
		"far too long": func(t *testing.T, i *issuer) string {
			return i.sign(t, i.claims("nonce", claims{"x": strings.Repeat("x", 1<<16)}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := openIssuer(t)
			token := make(t, i)
			i.idToken = func(string) string { return token }
			d := driver()
			if _, err := i.finish(t, d, i.provider(), nil); !errors.Is(err, blueberry.Unauthenticated) {
				t.Errorf("after a redirect: got %v", err)
			}
			if _, err := d.IDToken(t.Context(), i.provider(), token, ""); !errors.Is(err, blueberry.Unauthenticated) {
				t.Errorf("from an app: got %v", err)
			}
		})
	}
}

// The answer belongs to who asked: by nonce, verifier, address and issuer, and once.
func TestAnswersThatAreNotRight(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meta   map[string]any
		change func(*access.ProviderAnswer)
		nonce  string
		asked  bool // whether the code is worth asking for a token
	}{
		"another nonce":           {nonce: "other", asked: true},
		"no nonce in the token":   {nonce: "-", asked: true},
		"no nonce was asked with": {change: func(a *access.ProviderAnswer) { a.Nonce = "" }},
		"another verifier":        {change: func(a *access.ProviderAnswer) { a.Verifier = strings.Repeat("x", 43) }, asked: true},
		"no verifier":             {change: func(a *access.ProviderAnswer) { a.Verifier = "" }, asked: true},
		"another address":         {change: func(a *access.ProviderAnswer) { a.RedirectURL += "x" }, asked: true},
		"a code that is none":     {change: func(a *access.ProviderAnswer) { a.Code = "nonsense" }, asked: true},
		"mix-up: the answer of another issuer": {change: func(a *access.ProviderAnswer) {
			a.Issuer = "https://evil.example"
		}},
		"mix-up: no issuer though it always tells": {meta: map[string]any{"authorization_response_iss_parameter_supported": true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := openIssuer(t)
			i.meta = test.meta
			i.idToken = func(nonce string) string {
				change := map[string]any{}
				if test.nonce == "-" {
					change["nonce"] = nil
				} else if test.nonce != "" {
					nonce = test.nonce
				}
				return i.sign(t, i.claims(nonce, change))
			}
			_, err := i.finish(t, driver(), i.provider(), test.change)
			if !errors.Is(err, blueberry.Unauthenticated) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), verifier) {
				t.Errorf("got %v", err)
			}
			if (i.tokens > 0) != test.asked {
				t.Errorf("the code was sent %d times", i.tokens)
			}
		})
	}
}

func TestACodeIsWorthOneToken(t *testing.T) {
	t.Parallel()
	i := openIssuer(t)
	i.meta["authorization_response_iss_parameter_supported"] = true
	i.idToken = func(nonce string) string { return i.sign(t, i.claims(nonce, nil)) }
	d := driver()
	var used access.ProviderAnswer
	if _, err := i.finish(t, d, i.provider(), func(a *access.ProviderAnswer) { a.Issuer = i.URL; used = *a }); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Finish(t.Context(), i.provider(), "secret", used); !errors.Is(err, blueberry.Unauthenticated) {
		t.Errorf("the code again: got %v", err)
	}
}

func TestWhatAnIssuerTells(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		token, info map[string]any
		claim       string
		want        access.Claims
		refused     bool
	}{
		"all in the token": {token: nil, want: access.Claims{Subject: "1234", Email: "ada@example.com", EmailVerified: true, Name: "Ada", Groups: []string{"a", "b"}}},
		"the rest at its endpoint": {
			token: map[string]any{"email": nil, "email_verified": nil, "name": nil, "groups": nil},
			info:  map[string]any{"sub": "1234", "email": "ada@example.com", "email_verified": true, "name": "Ada", "groups": []string{"c"}},
			want:  access.Claims{Subject: "1234", Email: "ada@example.com", EmailVerified: true, Name: "Ada", Groups: []string{"c"}},
		},
		"the token goes first": {
			token: map[string]any{"email_verified": false, "groups": nil}, info: map[string]any{"sub": "1234", "email_verified": true, "email": "other@example.com"},
			want: access.Claims{Subject: "1234", Email: "ada@example.com", Name: "Ada"},
		},
		"another account at its endpoint": {token: map[string]any{"email": nil}, info: map[string]any{"sub": "5678", "email": "eve@example.com", "email_verified": true}, refused: true},
		"verified as a text":              {token: map[string]any{"email_verified": "true"}, want: access.Claims{Subject: "1234", Email: "ada@example.com", EmailVerified: true, Name: "Ada", Groups: []string{"a", "b"}}},
		"verified as nonsense":            {token: map[string]any{"email_verified": 1}, want: access.Claims{Subject: "1234", Email: "ada@example.com", Name: "Ada", Groups: []string{"a", "b"}}},
		"one group":                       {token: map[string]any{"groups": "a"}, want: access.Claims{Subject: "1234", Email: "ada@example.com", EmailVerified: true, Name: "Ada", Groups: []string{"a"}}},
		"groups by a path": {
			claim: "realm_access.roles", token: map[string]any{"realm_access": map[string]any{"roles": []any{"x", 1, "y"}}},
			want: access.Claims{Subject: "1234", Email: "ada@example.com", EmailVerified: true, Name: "Ada", Groups: []string{"x", "y"}},
		},
		"groups by a name with dots": {
			claim: "https://example.com/groups", token: map[string]any{"https://example.com/groups": []string{"z"}},
			want: access.Claims{Subject: "1234", Email: "ada@example.com", EmailVerified: true, Name: "Ada", Groups: []string{"z"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := openIssuer(t)
			i.idToken = func(nonce string) string { return i.sign(t, i.claims(nonce, test.token)) }
			i.userInfo = test.info
			p := i.provider()
			p.GroupsClaim = test.claim
			got, err := i.finish(t, driver(), p, nil)
			if test.refused {
				if !errors.Is(err, blueberry.Unauthenticated) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// An issuer that is down is told as that, and not as a person who is wrong.
func TestAnIssuerThatIsDown(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/.well-known/openid-configuration", "/keys", "/token", "/me"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			i := openIssuer(t)
			i.idToken = func(nonce string) string { return i.sign(t, i.claims(nonce, map[string]any{"email": nil})) }
			d := driver()
			if path != "/.well-known/openid-configuration" {
				i.down[path] = true
				if _, err := i.finish(t, d, i.provider(), nil); !errors.Is(err, blueberry.Unavailable) {
					t.Errorf("got %v", err)
				}
				return
			}
			i.down[path] = true
			if _, err := d.Begin(t.Context(), i.provider(), "secret", access.ProviderAsk{}); !errors.Is(err, blueberry.Unavailable) {
				t.Errorf("got %v", err)
			}
			i.mu.Lock()
			i.down[path] = false
			i.mu.Unlock()
			if _, err := d.Begin(t.Context(), i.provider(), "secret", access.ProviderAsk{}); err != nil {
				t.Errorf("once it is up again: %v", err)
			}
		})
	}
	i := openIssuer(t)
	i.idToken = func(nonce string) string { return i.sign(t, i.claims(nonce, nil)) }
	d := driver()
	address, err := d.Begin(t.Context(), i.provider(), "wrong", access.ProviderAsk{RedirectURL: redirect, Nonce: "nonce", Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Finish(t.Context(), i.provider(), "wrong", access.ProviderAnswer{Code: i.authorize(t, address), RedirectURL: redirect, Nonce: "nonce", Verifier: verifier})
	if !errors.Is(err, blueberry.Unavailable) || strings.Contains(err.Error(), verifier) {
		t.Errorf("a client secret that is wrong: got %v", err)
	}
}

// A key that the issuer took back is refused within the hour, and one that is new works at once.
func TestKeysChange(t *testing.T) {
	t.Parallel()
	i := openIssuer(t)
	now := start
	d := &oidc.Driver{Issuers: &oidc.Issuers{Now: func() time.Time { return now }}}
	before := i.sign(t, i.claims("", map[string]any{"exp": start.Add(3 * time.Hour).Unix()}))
	if _, err := d.IDToken(t.Context(), i.provider(), before, ""); err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	i.key, i.kid = key, "two"
	i.mu.Unlock()
	now = now.Add(time.Hour)
	if _, err := d.IDToken(t.Context(), i.provider(), before, ""); !errors.Is(err, blueberry.Unauthenticated) {
		t.Errorf("the key from before: got %v", err)
	}
	if _, err := d.IDToken(t.Context(), i.provider(), i.sign(t, i.claims("", map[string]any{"exp": start.Add(3 * time.Hour).Unix()})), ""); err != nil {
		t.Errorf("the new one: %v", err)
	}
}

// What an issuer says of itself leads nowhere that its own address does not.
func TestDiscoveryThatLeadsAstray(t *testing.T) {
	t.Parallel()
	i := openIssuer(t)
	for name, meta := range map[string]map[string]any{
		"another issuer": {"issuer": "https://evil.example"}, "keys in a file": {"jwks_uri": "file:///etc/passwd"}, "a token endpoint that is none": {"token_endpoint": "gopher://x"},
		"a page that is a script": {"authorization_endpoint": "javascript:alert(1)"},
	} {
		i.mu.Lock()
		i.meta = meta
		i.mu.Unlock()
		if _, err := driver().Begin(t.Context(), i.provider(), "secret", access.ProviderAsk{}); !errors.Is(err, blueberry.Unavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, map[string]any{"issuer": "https://" + r.Host, "authorization_endpoint": "https://" + r.Host + "/a", "token_endpoint": "http://" + r.Host + "/t", "jwks_uri": "https://" + r.Host + "/k"})
	}))
	defer secure.Close()
	p := i.provider()
	p.Issuer = secure.URL
	d := &oidc.Driver{Issuers: &oidc.Issuers{Now: func() time.Time { return start }, Client: secure.Client()}}
	if _, err := d.Begin(t.Context(), p, "secret", access.ProviderAsk{}); !errors.Is(err, blueberry.Unavailable) {
		t.Errorf("from https to http: got %v", err)
	}
}

func TestTheClientIsBounded(t *testing.T) {
	t.Parallel()
	large := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Repeat(" ", 2<<20) + "{}"))
	}))
	defer large.Close()
	secret := make(chan string, 1)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		secret <- r.PostForm.Get("code")
	}))
	defer thief.Close()
	i := openIssuer(t)
	p := i.provider()
	p.Issuer = large.URL
	if _, err := driver().Begin(t.Context(), p, "secret", access.ProviderAsk{}); !errors.Is(err, blueberry.Unavailable) {
		t.Errorf("an answer without end: got %v", err)
	}
	away := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer away.Close()
	i.meta["token_endpoint"] = away.URL
	if _, err := i.finish(t, driver(), i.provider(), nil); err == nil {
		t.Error("the code was exchanged at an address that the issuer's leads to")
	}
	select {
	case code := <-secret:
		t.Errorf("the code %q was sent on", code)
	default:
	}
}

func TestFirebase(t *testing.T) {
	t.Parallel()
	i := openIssuer(t)
	// The issuer of a project is a path below one address; its keys are elsewhere.
	project := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutSuffix(r.URL.Path, "/.well-known/openid-configuration"); ok {
			answer(w, map[string]any{"issuer": "http://" + r.Host + name, "jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
			return
		}
		http.NotFound(w, r)
	}))
	defer project.Close()
	f := &oidc.Firebase{Issuers: &oidc.Issuers{Now: func() time.Time { return start }}, Base: project.URL + "/"}
	p := blueberry.IdentityProvider{ID: "idp_1", Name: "app", Kind: blueberry.ProviderFirebase, Issuer: "shop-1234"}
	type claims = map[string]any
	good := claims{"iss": project.URL + "/shop-1234", "aud": "shop-1234", "firebase": claims{"sign_in_provider": "password"}, "groups": nil}
	for name, test := range map[string]struct {
		change claims
		want   bool
	}{
		"good":                  {nil, true},
		"another project":       {claims{"iss": project.URL + "/evil-1", "aud": "evil-1"}, false},
		"aud of another":        {claims{"aud": "evil-1"}, false},
		"issuer of another":     {claims{"iss": project.URL + "/evil-1"}, false},
		"expired":               {claims{"exp": start.Unix() - 1}, false},
		"nobody":                {claims{"sub": ""}, false},
		"signed in anonymously": {claims{"firebase": claims{"sign_in_provider": "anonymous"}}, false},
	} {
		all := i.claims("", good)
		for k, v := range test.change {
			all[k] = v
		}
		got, err := f.IDToken(t.Context(), p, i.sign(t, all), "")
		if test.want && (err != nil || got.Subject != "1234" || !got.EmailVerified) || !test.want && !errors.Is(err, blueberry.Unauthenticated) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if _, err := f.Begin(t.Context(), p, "", access.ProviderAsk{}); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Finish(t.Context(), p, "", access.ProviderAnswer{}); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("got %v", err)
	}
}
