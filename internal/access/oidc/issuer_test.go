package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access/oidc"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	clientID = "blueberry"
	redirect = "https://blueberry.example.com/sign-in/own/return"
	verifier = "abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFG"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// issuer is one of our own: it keeps to the protocol, and signs whatever a test wants.
type issuer struct {
	*httptest.Server
	key *rsa.PrivateKey
	kid string

	mu       sync.Mutex
	codes    map[string]url.Values // what a code was asked with
	idToken  func(nonce string) string
	userInfo map[string]any
	meta     map[string]any // beyond the usual
	tokens   int
	down     map[string]bool
}

func openIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key, kid: "one", codes: map[string]url.Values{}, meta: map[string]any{}, down: map[string]bool{}}
	mux := http.NewServeMux()
	handle := func(path string, f http.HandlerFunc) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			i.mu.Lock()
			defer i.mu.Unlock()
			if i.down[r.URL.Path] {
				http.Error(w, "down", http.StatusBadGateway)
				return
			}
			f(w, r)
		})
	}
	handle("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		m := map[string]any{
			"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys", "userinfo_endpoint": i.URL + "/me",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
		}
		maps.Copy(m, i.meta)
		answer(w, m)
	})
	handle("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": i.kid, "n": b64(i.key.N.Bytes()), "e": b64(big.NewInt(int64(i.key.E)).Bytes()),
		}}})
	})
	handle("POST /token", i.token)
	handle("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		answer(w, i.userInfo)
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// token exchanges a code, once, for who has its verifier.
func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	i.tokens++
	_ = r.ParseForm()
	refuse := func(code string, status int) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		answer(w, map[string]any{"error": code, "error_description": "you sent " + r.PostForm.Encode()})
	}
	id, secret, _ := r.BasicAuth()
	if id != clientID || secret != "secret" {
		refuse("invalid_client", http.StatusUnauthorized)
		return
	}
	asked, ok := i.codes[r.PostForm.Get("code")]
	delete(i.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !ok || asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != b64(sum[:]) || asked.Get("redirect_uri") != r.PostForm.Get("redirect_uri") {
		refuse("invalid_grant", http.StatusBadRequest)
		return
	}
	out := map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60}
	if text := i.idToken(asked.Get("nonce")); text != "" {
		out["id_token"] = text
	}
	answer(w, out)
}

// authorize is a person who agrees: it gives a code for the address that a browser was sent to.
func (i *issuer) authorize(t *testing.T, address string) (code string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Path != "/authorize" {
		t.Fatalf("the address is %s, %v", address, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	code = rand.Text()
	i.codes[code] = u.Query()
	return code
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b64(text)
}

// claims are those of a good ID token.
func (i *issuer) claims(nonce string, change map[string]any) map[string]any {
	c := map[string]any{
		"iss": i.URL, "aud": clientID, "sub": "1234", "iat": start.Unix(), "exp": start.Add(time.Minute).Unix(), "nonce": nonce,
		"email": "ada@example.com", "email_verified": true, "name": "Ada", "groups": []string{"a", "b"},
	}
	for name, value := range change {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

// sign makes a token with RS256.
func (i *issuer) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	return signRSA(t, i.key, i.kid, claims)
}

func signRSA(t *testing.T, key *rsa.PrivateKey, kid string, claims map[string]any) string {
	t.Helper()
	text := encoded(t, map[string]any{"alg": "RS256", "kid": kid, "typ": "JWT"}) + "." + encoded(t, claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(signature)
}

// unsigned is alg=none.
func unsigned(t *testing.T, alg string, claims map[string]any) string {
	t.Helper()
	return encoded(t, map[string]any{"alg": alg, "typ": "JWT"}) + "." + encoded(t, claims) + "."
}

// hmacOfPublicKey is HS256 with the public key, which everyone has, as the secret.
func (i *issuer) hmacOfPublicKey(t *testing.T, claims map[string]any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(i.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	text := encoded(t, map[string]any{"alg": "HS256", "kid": i.kid, "typ": "JWT"}) + "." + encoded(t, claims)
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(text))
	return text + "." + b64(mac.Sum(nil))
}

// embedded carries its own key in its header, and is signed with it.
func embedded(t *testing.T, claims map[string]any) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	raw := point.Bytes()
	text := encoded(t, map[string]any{"alg": "ES256", "typ": "JWT", "jwk": map[string]any{"kty": "EC", "crv": "P-256", "x": b64(raw[1:33]), "y": b64(raw[33:])}}) + "." + encoded(t, claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + b64(signature)
}

func (i *issuer) provider() blueberry.IdentityProvider {
	return blueberry.IdentityProvider{ID: "idp_1", Name: "own", Kind: blueberry.ProviderOIDC, Issuer: i.URL, ClientID: clientID}
}

func driver() *oidc.Driver {
	return &oidc.Driver{Issuers: &oidc.Issuers{Now: func() time.Time { return start }}}
}

// flip changes one character of the payload of a token.
func flip(token string) string {
	head, rest, _ := strings.Cut(token, ".")
	at := len(rest) / 4
	c := "A"
	if rest[at] == 'A' {
		c = "B"
	}
	return head + "." + rest[:at] + c + rest[at+1:]
}
