package oidc

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// FirebaseIssuer is what the id of a Firebase project is appended to.
const FirebaseIssuer = "https://securetoken.google.com/"

// Firebase proves ID tokens that apps of a Firebase project have. It is an access.ProviderDriver for blueberry.ProviderFirebase, whose Issuer is the id of the
// project.
type Firebase struct {
	Issuers *Issuers
	Base    string // empty for FirebaseIssuer
}

func noRedirect() error {
	return blueberry.Errorf(blueberry.Conflict, "PROVIDER_HAS_NO_PAGE", "apps of this provider hand their ID token in: there is no page of it to go to")
}

// Begin is Conflict: there is no page.
func (f *Firebase) Begin(context.Context, blueberry.IdentityProvider, string, access.ProviderAsk) (string, error) {
	return "", noRedirect()
}

// Finish is Conflict: there is no page.
func (f *Firebase) Finish(context.Context, blueberry.IdentityProvider, string, access.ProviderAnswer) (access.Claims, error) {
	return access.Claims{}, noRedirect()
}

// IDToken proves a token of the project. Someone who is signed in without an account there is nobody.
func (f *Firebase) IDToken(ctx context.Context, p blueberry.IdentityProvider, idToken, nonce string) (access.Claims, error) {
	base := f.Base
	if base == "" {
		base = FirebaseIssuer
	}
	i, err := f.Issuers.get(ctx, base+p.Issuer)
	if err != nil {
		return access.Claims{}, err
	}
	t, err := f.Issuers.prove(ctx, i, p.Issuer, idToken, nonce)
	if err != nil {
		return access.Claims{}, err
	}
	if how, _ := t.all["firebase"].(map[string]any); how["sign_in_provider"] == any("anonymous") {
		return access.Claims{}, wrong("nobody is signed in")
	}
	return t.claims(p), nil
}
