package oauth_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestStockClient has golang.org/x/oauth2 complete each flow.
func TestStockClient(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*oauth.ClientWish){"confidential": nil, "public": public} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			made := h.client(change)
			c := h.stock(made, "environments:read", "offline_access")

			verifier := oauth2.GenerateVerifier()
			to, _ := h.visit(c.AuthCodeURL("state-1", oauth2.S256ChallengeOption(verifier)))
			if to == nil || to.Query().Get("state") != "state-1" || to.Query().Get("iss") != h.Issuer {
				t.Fatalf("sent to %v, want state and iss", to)
			}
			token, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
			h.must(err)
			if token.Type() != "Bearer" || token.ExpiresIn != 3600 || token.Extra("scope") != "environments:read offline_access" {
				t.Errorf("token = type %s, expires in %d, scope %v", token.Type(), token.ExpiresIn, token.Extra("scope"))
			}
			if !strings.HasPrefix(token.AccessToken, "bla_") || !strings.HasPrefix(token.RefreshToken, "blr_") {
				t.Error("the tokens have not the prefixes of their kinds")
			}
			given, client, err := h.Granted(t.Context(), token.AccessToken)
			h.must(err)
			if given.UserID != "usr_ada" || client.ID != made.Client.ID || !slices.Equal(given.Scopes, []string{"environments:read", "offline_access"}) {
				t.Errorf("granted = %+v of %s", given, client.ID)
			}

			old := &oauth2.Token{RefreshToken: token.RefreshToken}
			fresh, err := c.TokenSource(t.Context(), old).Token()
			h.must(err)
			if fresh.RefreshToken == token.RefreshToken || !h.lives(fresh.AccessToken) || !h.lives(token.AccessToken) {
				t.Error("a refresh must give a new refresh token, and leave the access token before alone")
			}
		})
	}
}

func TestStockClientActsForItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.client(nil)
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		c := &clientcredentials.Config{
			ClientID: made.Client.ID, ClientSecret: made.Secret, TokenURL: h.web.URL + "/oauth/token", Scopes: []string{"environments:create"}, AuthStyle: style,
		}
		token, err := c.Token(t.Context())
		h.must(err)
		given, _, err := h.Granted(t.Context(), token.AccessToken)
		h.must(err)
		if given.UserID != "" || !slices.Equal(given.Scopes, []string{"environments:create"}) || token.RefreshToken != "" {
			t.Errorf("granted = %+v, refresh token %t", given, token.RefreshToken != "")
		}
	}
	a := h.post("/oauth/token", made, "grant_type", "client_credentials")
	if a.text("scope") != "environments:read environments:create" {
		t.Errorf("scope = %q, want all grants of the client when it names none", a.text("scope"))
	}
	h.refused(h.post("/oauth/token", made, "grant_type", "client_credentials", "scope", "offline_access"), "invalid_scope")
}

func TestStockClientOnADevice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.must(h.EnsureCLI(t.Context()))
	c := h.stock(oauth.MadeClient{Client: blueberry.OAuthClient{ID: blueberry.CLIClientID}}, "*:*", "offline_access")
	d, err := c.DeviceAuth(t.Context())
	h.must(err)
	ask, err := h.DeviceOf(t.Context(), h.person("ada"), strings.ToLower(strings.ReplaceAll(d.UserCode, "-", " ")))
	h.must(err)
	if ask.UserCode != d.UserCode || ask.Client.ID != blueberry.CLIClientID || ask.Address != "203.0.113.7" || len(ask.Scopes) != 2 {
		t.Errorf("ask = %+v", ask)
	}
	if !strings.HasSuffix(d.VerificationURIComplete, "?user_code="+d.UserCode) {
		t.Errorf("complete address = %s", d.VerificationURIComplete)
	}
	h.must(h.DecideDevice(t.Context(), h.person("ada"), d.UserCode, true))
	d.Interval = 1 // the stock client waits for this once before it asks
	token, err := c.DeviceAccessToken(t.Context(), d)
	h.must(err)
	given, _, err := h.Granted(t.Context(), token.AccessToken)
	h.must(err)
	if given.UserID != "usr_ada" || token.RefreshToken == "" || token.Type() != "Bearer" {
		t.Errorf("granted = %+v", given)
	}
	if h.Consented(t.Context(), h.person("ada"), blueberry.CLIClientID, []string{"*:*"}) {
		t.Error("any program on ada's machine that passes itself off as the CLI gets a code without asking her")
	}
	if h.refresh(oauth.MadeClient{Client: blueberry.OAuthClient{ID: blueberry.CLIClientID}}, token.RefreshToken).status != http.StatusOK {
		t.Error("the refresh token of the device flow does not refresh")
	}
}
