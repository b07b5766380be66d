package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Driver speaks OpenID Connect. It is an access.ProviderDriver for blueberry.ProviderOIDC.
type Driver struct {
	Issuers *Issuers
}

// Begin gives the address of the issuer's page, always with state, nonce and the S256 of PKCE.
func (d *Driver) Begin(ctx context.Context, p blueberry.IdentityProvider, secret string, r access.ProviderAsk) (string, error) {
	i, err := d.Issuers.get(ctx, p.Issuer)
	if err != nil {
		return "", err
	}
	return config(p, secret, i, r.RedirectURL).AuthCodeURL(r.State, gooidc.Nonce(r.Nonce), oauth2.S256ChallengeOption(r.Verifier)), nil
}

// Finish exchanges the code and proves the ID token that comes for it.
func (d *Driver) Finish(ctx context.Context, p blueberry.IdentityProvider, secret string, a access.ProviderAnswer) (access.Claims, error) {
	i, err := d.Issuers.get(ctx, p.Issuer)
	if err != nil {
		return access.Claims{}, err
	}
	if a.Issuer != "" && a.Issuer != p.Issuer || a.Issuer == "" && i.meta.IssParameter {
		return access.Claims{}, wrong("the answer is of another issuer than the one that was asked")
	}
	if a.Nonce == "" {
		return access.Claims{}, wrong("there is no nonce to compare with")
	}
	ctx = gooidc.ClientContext(ctx, d.Issuers.client())
	token, err := config(p, secret, i, a.RedirectURL).Exchange(ctx, a.Code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return access.Claims{}, exchangeError(err)
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return access.Claims{}, wrong("the issuer gave no ID token")
	}
	c, err := d.Issuers.prove(ctx, i, p.ClientID, raw, a.Nonce)
	if err != nil {
		return access.Claims{}, err
	}
	if c.needsMore(p) && i.provider.UserInfoEndpoint() != "" {
		if err := c.addUserInfo(ctx, i, token); err != nil {
			return access.Claims{}, err
		}
	}
	return c.claims(p), nil
}

// IDToken proves an ID token that an app got from the issuer for the same client.
func (d *Driver) IDToken(ctx context.Context, p blueberry.IdentityProvider, token, nonce string) (access.Claims, error) {
	i, err := d.Issuers.get(ctx, p.Issuer)
	if err != nil {
		return access.Claims{}, err
	}
	c, err := d.Issuers.prove(ctx, i, p.ClientID, token, nonce)
	if err != nil {
		return access.Claims{}, err
	}
	return c.claims(p), nil
}

func config(p blueberry.IdentityProvider, secret string, i *issuer, redirect string) *oauth2.Config {
	endpoint := i.provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	methods := i.meta.AuthMethods // without any, it is client_secret_basic
	if secret == "" || len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	scopes := []string{gooidc.ScopeOpenID, "email", "profile"}
	for _, s := range p.Scopes {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: secret, Endpoint: endpoint, RedirectURL: redirect, Scopes: scopes}
}

// wrong is what the answer of a provider, or a browser with one, is refused for.
func wrong(format string, args ...any) error {
	return blueberry.Errorf(blueberry.Unauthenticated, "PROVIDER_ANSWER_INVALID", "the answer of the identity provider is not valid: "+format, args...)
}

func unreachable(doing string) error {
	return blueberry.Errorf(blueberry.Unavailable, "PROVIDER_UNREACHABLE", "the identity provider does not answer as it should: %s failed", doing)
}

// exchangeError tells a refused code from an issuer that is down. The issuer's own text stays out: it may repeat what was sent.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil || refused.Response.StatusCode >= http.StatusInternalServerError {
		return unreachable("the exchange of the code")
	}
	if refused.ErrorCode == "invalid_client" || refused.ErrorCode == "unauthorized_client" {
		return blueberry.Errorf(blueberry.Unavailable, "PROVIDER_CLIENT_REFUSED", "the identity provider does not take our client id and secret: tell an owner of Blueberry")
	}
	return wrong("it did not take the code")
}

// addUserInfo reads what the issuer keeps out of its ID tokens, from its own endpoint and for the same subject only.
func (t *token) addUserInfo(ctx context.Context, i *issuer, given *oauth2.Token) error {
	info, err := i.provider.UserInfo(ctx, oauth2.StaticTokenSource(given))
	if err != nil {
		return unreachable("the reading of the account")
	}
	if subtle.ConstantTimeCompare([]byte(info.Subject), []byte(t.subject)) != 1 {
		return wrong("the account is another one than that of the ID token")
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return fmt.Errorf("read account: %w", wrong("the account cannot be read"))
	}
	for name, value := range more {
		if _, ok := t.all[name]; !ok {
			t.all[name] = value
		}
	}
	return nil
}
