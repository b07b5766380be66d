package access

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ProviderDriver speaks to one kind of identity providers. What a provider or a browser did wrong is an Unauthenticated error, a provider that cannot be
// reached is Unavailable; neither tells a secret.
type ProviderDriver interface {
	// Begin gives the address to send the browser to.
	Begin(ctx context.Context, p blueberry.IdentityProvider, secret string, r ProviderAsk) (url string, err error)
	// Finish exchanges the code that came back, once, and gives what the provider vouches for.
	Finish(ctx context.Context, p blueberry.IdentityProvider, secret string, a ProviderAnswer) (Claims, error)
	// IDToken proves an ID token that was handed out to an app. With an empty nonce the token needs none.
	IDToken(ctx context.Context, p blueberry.IdentityProvider, token, nonce string) (Claims, error)
}

// ProviderAsk is what goes along to the provider.
type ProviderAsk struct {
	RedirectURL string
	State       string
	Nonce       string
	Verifier    string // of PKCE; the provider gets its S256
}

// ProviderAnswer is what came back, with what was asked.
type ProviderAnswer struct {
	Code        string
	Issuer      string // the parameter iss of RFC 9207; empty when there was none
	RedirectURL string
	Nonce       string
	Verifier    string
}

// Claims is what a provider vouches for.
type Claims struct {
	Subject       string // the provider's own name of the account, which never goes to another person
	Email         string
	EmailVerified bool
	Name          string
	Groups        []string
}
