package sdk

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// ClientCredentials is a TokenSource for a program that acts for itself as an OAuth client. Set BaseURL, ID and Secret; it is not changed after its first use.
type ClientCredentials struct {
	BaseURL    string   // of the server
	ID         string   // of the client
	Secret     string   // its secret
	Scopes     []string // what the token may do, as "environments:read"; empty means all that the client may be given
	HTTPClient *http.Client

	cache tokenCache
}

// Token gives an access token that is good for a while.
func (s *ClientCredentials) Token(ctx context.Context) (string, error) {
	return s.cache.token(ctx, func(ctx context.Context) (TokenPair, error) {
		form := url.Values{"grant_type": {"client_credentials"}}
		if len(s.Scopes) > 0 {
			form.Set("scope", strings.Join(s.Scopes, " "))
		}
		return oauthApp{baseURL: s.BaseURL, id: s.ID, secret: s.Secret, http: s.HTTPClient}.pair(ctx, form, true)
	})
}

// Reject drops a token that the server no longer takes.
func (s *ClientCredentials) Reject(token string) { s.cache.reject(token) }
