package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// introspection is the answer of RFC 7662 2.2.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ID        string `json:"jti,omitempty"`
}

// introspect answers RFC 7662 to clients that have a secret. A client sees its own tokens; one that was granted api-tokens:read everywhere sees all. The rest
// is inactive, whatever it is.
func (s *Server) introspect(ctx context.Context, r *http.Request, f form) (any, error) {
	p, refused := readProof(r, f)
	if refused != nil {
		return nil, refused
	}
	secret := f.get("token")
	if secret == "" {
		return nil, refuse(invalidRequest, "token is missing")
	}
	var t blueberry.OAuthToken
	var asking, of blueberry.OAuthClient
	err := s.Record.View(ctx, func(tx Tx) (err error) {
		if asking, err = authenticate(ctx, tx, p); err != nil {
			return err
		}
		if asking.Public {
			return refuse(invalidClient, "only clients with a secret may ask about tokens")
		}
		if t, err = presented(ctx, tx, secret); err == nil {
			of, err = tx.OAuthClient(ctx, t.ClientID)
		}
		if errors.Is(err, blueberry.NotFound) {
			t = blueberry.OAuthToken{}
			return nil
		}
		return err
	})
	if err != nil {
		return nil, s.denied(ctx, asking, blueberry.Actor{}, actionIntrospect, err)
	}
	if t.ID == "" || !t.Live(s.now()) || of.Disabled || t.ClientID != asking.ID && !seesAll(asking) {
		return introspection{}, nil
	}
	return s.describe(ctx, t, of)
}

func seesAll(c blueberry.OAuthClient) bool {
	return len(c.Projects) == 0 && (slices.Contains(c.Grants, blueberry.GrantAll) || slices.Contains(c.Grants, blueberry.GrantTokensRead))
}

func (s *Server) describe(ctx context.Context, t blueberry.OAuthToken, c blueberry.OAuthClient) (introspection, error) {
	out := introspection{
		Active: true, Scope: strings.Join(t.Scopes, " "), ClientID: c.ID, Expires: t.ExpiresAt.Unix(), IssuedAt: t.IssuedAt.Unix(), Subject: c.ID,
		Issuer: s.Issuer, ID: t.ID,
	}
	if t.Kind == blueberry.OAuthAccess {
		out.TokenType = "Bearer"
	}
	if t.UserID != "" {
		person, err := s.person(ctx, t.UserID)
		if refusalOf(err) != nil {
			return introspection{}, nil //nolint:nilerr // that is what inactive means
		}
		if err != nil {
			return introspection{}, err
		}
		out.Subject, out.Username = t.UserID, person.Name
	}
	return out, nil
}

// Granted reads what a live access token gives: the token with its client, or an Unauthenticated error. What its user may do is not looked at.
func (s *Server) Granted(ctx context.Context, secret string) (blueberry.OAuthToken, blueberry.OAuthClient, error) {
	refused := blueberry.Errorf(blueberry.Unauthenticated, "TOKEN_INVALID", "a valid access token is needed")
	hash, ok := access.HashSecret(access.AccessPrefix, secret)
	if !ok {
		return blueberry.OAuthToken{}, blueberry.OAuthClient{}, refused
	}
	var t blueberry.OAuthToken
	var c blueberry.OAuthClient
	err := s.Record.View(ctx, func(tx Tx) (err error) {
		if t, err = tx.OAuthTokenByHash(ctx, blueberry.OAuthAccess, hash); err != nil {
			return err
		}
		c, err = tx.OAuthClient(ctx, t.ClientID)
		return err
	})
	now := s.now()
	switch {
	case errors.Is(err, blueberry.NotFound):
		return blueberry.OAuthToken{}, blueberry.OAuthClient{}, refused
	case err != nil:
		return blueberry.OAuthToken{}, blueberry.OAuthClient{}, fmt.Errorf("read access token: %w", err)
	case !t.Live(now) || c.Disabled:
		return blueberry.OAuthToken{}, blueberry.OAuthClient{}, refused
	}
	if now.Sub(t.LastUsedAt) < noteUse {
		return t, c, nil
	}
	err = s.Record.Update(ctx, func(tx Tx) error {
		return errors.Join(tx.UseOAuthToken(ctx, hash, now), tx.TouchOAuthClient(ctx, c.ID, now))
	})
	if err != nil {
		return blueberry.OAuthToken{}, blueberry.OAuthClient{}, fmt.Errorf("note use of access token: %w", err)
	}
	if t.UsedAt.IsZero() {
		t.UsedAt = now
	}
	t.LastUsedAt = now
	return t, c, nil
}
