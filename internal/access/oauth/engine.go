package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// engine is the OAuth library over one transaction.
func engine(t *turn) *fosite.Fosite {
	config := &fosite.Config{
		AccessTokenLifespan: blueberry.AccessTokenLife, RefreshTokenLifespan: blueberry.RefreshTokenLife, AuthorizeCodeLifespan: blueberry.AuthCodeLife,
		ScopeStrategy:       func(has []string, scope string) bool { return slices.Contains(has, scope) },
		EnforcePKCE:         true,
		RefreshTokenScopes:  []string{OfflineAccess},
		SanitationWhiteList: []string{"redirect_uri", "code_challenge", "code_challenge_method"},
		// Addresses were judged when the client was registered, and this one was found among them.
		RedirectSecureChecker: func(context.Context, *url.URL) bool { return true },
		ClientAuthenticationStrategy: func(context.Context, *http.Request, url.Values) (fosite.Client, error) {
			return client{t.client}, nil // it was proven before the transaction began
		},
	}
	secrets := strategy{}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: secrets, RefreshTokenStrategy: secrets, AuthorizeCodeStrategy: secrets,
		CoreStorage: t, TokenRevocationStorage: t, Config: config,
	}
	proof := &pkce.Handler{AuthorizeCodeStrategy: secrets, Storage: t, Config: config}
	helper := &oauth2.HandleHelper{AccessTokenStrategy: secrets, AccessTokenStorage: t, Config: config}
	config.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{code, proof}
	config.TokenEndpointHandlers = fosite.TokenEndpointHandlers{
		code, proof,
		&oauth2.RefreshTokenGrantHandler{AccessTokenStrategy: secrets, RefreshTokenStrategy: secrets, TokenRevocationStorage: t, Config: config},
		&oauth2.ClientCredentialsGrantHandler{HandleHelper: helper, Config: config},
		&deviceHandler{turn: t, secrets: secrets, helper: helper},
	}
	return fosite.NewOAuth2Provider(t, config)
}

// strategy makes the secrets. Their signature, as the library calls it, is the hash that the record keeps. It judges nothing: the record does, by our time.
type strategy struct{}

var _ oauth2.CoreStrategy = strategy{}

func (strategy) GenerateAccessToken(context.Context, fosite.Requester) (secret, signature string, err error) {
	return newSecret(access.AccessPrefix)
}

func (strategy) GenerateRefreshToken(context.Context, fosite.Requester) (secret, signature string, err error) {
	return newSecret(RefreshPrefix)
}

func (strategy) GenerateAuthorizeCode(context.Context, fosite.Requester) (secret, signature string, err error) {
	return newSecret(CodePrefix)
}

func (strategy) AccessTokenSignature(_ context.Context, secret string) string {
	return signature(access.AccessPrefix, secret)
}

func (strategy) RefreshTokenSignature(_ context.Context, secret string) string {
	return signature(RefreshPrefix, secret)
}

func (strategy) AuthorizeCodeSignature(_ context.Context, secret string) string {
	return signature(CodePrefix, secret)
}

func (strategy) ValidateAccessToken(context.Context, fosite.Requester, string) error { return nil }

func (strategy) ValidateRefreshToken(context.Context, fosite.Requester, string) error { return nil }

func (strategy) ValidateAuthorizeCode(context.Context, fosite.Requester, string) error { return nil }

func newSecret(prefix string) (secret, signature string, err error) {
	secret, hash := access.NewSecret(prefix)
	return secret, string(hash), nil
}

// signature is empty for what has not the form of the kind: the record finds nothing then.
func signature(prefix, secret string) string {
	hash, ok := access.HashSecret(prefix, secret)
	if !ok {
		return ""
	}
	return string(hash)
}

// client shows a client to the library.
type client struct{ blueberry.OAuthClient }

func (c client) GetID() string                      { return c.ID }
func (c client) GetHashedSecret() []byte            { return nil } // it never compares secrets
func (c client) GetRedirectURIs() []string          { return c.RedirectURIs }
func (c client) IsPublic() bool                     { return c.Public }
func (c client) GetAudience() fosite.Arguments      { return nil }
func (c client) GetResponseTypes() fosite.Arguments { return fosite.Arguments{"code"} }

func (c client) GetGrantTypes() fosite.Arguments {
	out := fosite.Arguments{"none"} // to the library, a client without any has the code flow
	for _, f := range c.Flows {
		out = append(out, string(f))
	}
	return out
}

func (c client) GetScopes() fosite.Arguments {
	return slices.DeleteFunc(Scopes(), func(scope string) bool { return !mayAsk(c.OAuthClient, scope) })
}

// session says whose a request is. It keeps no time of its own: the library, which knows no clock but the system's, then takes whole lifetimes.
type session struct{ user string }

func (s *session) SetExpiresAt(fosite.TokenType, time.Time)       {}
func (s *session) GetExpiresAt(fosite.TokenType) (none time.Time) { return none }
func (s *session) GetUsername() string                            { return "" }
func (s *session) GetSubject() string                             { return s.user }
func (s *session) Clone() fosite.Session                          { out := *s; return &out }
