package oidc

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/blueberry-idp/blueberry/internal/access"
)

// known is how long what an issuer says of itself, and its keys, are kept. A key that an issuer took back is refused after it.
const known = time.Hour

// skew is how far clocks may be apart.
const skew = 5 * time.Minute

// maxToken is how long an ID token may be; one with hundreds of groups has a few kilobytes.
const maxToken = 64 << 10

// algorithms are those that are signed with a key which the issuer alone has. "none" and the HMAC ones, for which the public key would do, are not among them.
func algorithms() []string {
	return []string{
		gooidc.RS256, gooidc.RS384, gooidc.RS512, gooidc.PS256, gooidc.PS384, gooidc.PS512, gooidc.ES256, gooidc.ES384, gooidc.ES512, gooidc.EdDSA,
	}
}

// Issuers keeps what issuers say of themselves. One is shared by all drivers.
type Issuers struct {
	Client *http.Client // nil for access.ProviderClient
	Now    func() time.Time

	mu   sync.Mutex
	http *http.Client
	all  map[string]*issuer
}

// issuer is what one says of itself.
type issuer struct {
	provider *gooidc.Provider
	keys     gooidc.KeySet
	name     string
	meta     metadata
	until    time.Time
}

type metadata struct {
	JWKS         string   `json:"jwks_uri"`
	AuthMethods  []string `json:"token_endpoint_auth_methods_supported"`
	IssParameter bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
}

func (s *Issuers) client() *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http == nil {
		if s.http = s.Client; s.http == nil {
			s.http = access.ProviderClient()
		}
	}
	return s.http
}

// get discovers an issuer, or gives it as it was discovered within the last hour. A failure is not kept.
func (s *Issuers) get(ctx context.Context, name string) (*issuer, error) {
	now := s.Now()
	s.mu.Lock()
	have := s.all[name]
	s.mu.Unlock()
	if have != nil && now.Before(have.until) {
		return have, nil
	}
	client := s.client()
	p, err := gooidc.NewProvider(gooidc.ClientContext(ctx, client), name)
	if err != nil {
		return nil, unreachable("discovery")
	}
	i := &issuer{provider: p, name: name, until: now.Add(known)}
	if err := p.Claims(&i.meta); err != nil {
		return nil, unreachable("discovery")
	}
	for _, endpoint := range []string{p.Endpoint().AuthURL, p.Endpoint().TokenURL, i.meta.JWKS, p.UserInfoEndpoint()} {
		if !asSafe(name, endpoint) {
			return nil, unreachable("discovery, as it leads from https to something else,")
		}
	}
	i.keys = gooidc.NewRemoteKeySet(gooidc.ClientContext(context.WithoutCancel(ctx), client), i.meta.JWKS)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*issuer{}
	}
	s.all[name] = i
	return i, nil
}

// asSafe reports whether an endpoint is as safe from listeners as its issuer. None is fine: not every issuer has each.
func asSafe(issuer, endpoint string) bool {
	i, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	e, err := url.Parse(endpoint)
	return endpoint == "" || err == nil && (e.Scheme == "https" || e.Scheme == "http" && i.Scheme == "http") && e.Host != ""
}

// keySet tells keys that could not be fetched from a signature that is wrong.
type keySet struct {
	gooidc.KeySet
	down bool
}

// VerifySignature gives the payload of a token.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	k.down = err != nil && strings.HasPrefix(err.Error(), "fetching keys")
	return payload, err
}

// prove checks everything of an ID token: signature, issuer, audience, authorized party, times, and the nonce if one is given.
func (s *Issuers) prove(ctx context.Context, i *issuer, clientID, raw, nonce string) (*token, error) {
	if clientID == "" || raw == "" || len(raw) > maxToken {
		return nil, wrong("it holds no ID token")
	}
	keys := &keySet{KeySet: i.keys}
	id, err := gooidc.NewVerifier(i.name, keys, &gooidc.Config{ClientID: clientID, SupportedSigningAlgs: algorithms(), Now: s.Now}).Verify(ctx, raw)
	switch {
	case keys.down:
		return nil, unreachable("the reading of its keys")
	case err != nil:
		return nil, wrong("its ID token is not signed by it, not for us, or not valid now")
	}
	t := &token{subject: id.Subject, all: map[string]any{}}
	if err := id.Claims(&t.all); err != nil {
		return nil, wrong("its ID token cannot be read")
	}
	azp, hasAZP := t.all["azp"]
	now := s.Now()
	switch {
	case hasAZP && azp != any(clientID), !hasAZP && len(id.Audience) > 1:
		return nil, wrong("its ID token was given to another client")
	case !now.Before(id.Expiry), id.IssuedAt.After(now.Add(skew)):
		return nil, wrong("its ID token is not valid now")
	case nonce != "" && subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, wrong("its ID token was not asked for by this sign-in")
	case t.subject == "":
		return nil, wrong("its ID token names nobody")
	}
	return t, nil
}
