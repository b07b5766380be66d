package oauth

import (
	"context"
	"slices"
	"time"

	"github.com/ory/fosite"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// GetClient gives the client that was proven, and no other.
func (t *turn) GetClient(_ context.Context, id string) (fosite.Client, error) {
	if id != t.client.ID {
		return nil, fosite.ErrNotFound
	}
	return client{t.client}, nil
}

// ClientAssertionJWTValid refuses: clients prove themselves by secrets.
func (t *turn) ClientAssertionJWTValid(context.Context, string) error { return fosite.ErrInvalidClient }

// SetClientAssertionJWT refuses too.
func (t *turn) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrInvalidClient
}

// CreateAuthorizeCodeSession keeps a code with the challenge and the redirect URI that it is bound to.
func (t *turn) CreateAuthorizeCodeSession(ctx context.Context, signature string, r fosite.Requester) error {
	return t.issue(ctx, blueberry.OAuthCode, signature, r, blueberry.AuthCodeLife)
}

// GetAuthorizeCodeSession reads a code. One that was used is told apart for as long as it is known, so that its tokens end also after its own minute.
func (t *turn) GetAuthorizeCodeSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	found, err := t.find(ctx, blueberry.OAuthCode, signature)
	if err != nil {
		return nil, err
	}
	r, err := t.requester(found)
	switch {
	case err != nil:
		return nil, err
	case !found.RevokedAt.IsZero():
		return r, fosite.ErrInvalidatedAuthorizeCode
	case !found.Live(t.now) || found.UserID != t.user:
		return nil, fosite.ErrNotFound
	}
	t.code = found
	return r, nil
}

// InvalidateAuthorizeCodeSession uses a code up.
func (t *turn) InvalidateAuthorizeCodeSession(ctx context.Context, signature string) error {
	return t.spend(ctx, []byte(signature))
}

// CreatePKCERequestSession has nothing to do: the code keeps its challenge.
func (t *turn) CreatePKCERequestSession(context.Context, string, fosite.Requester) error { return nil }

// GetPKCERequestSession reads the challenge of a code.
func (t *turn) GetPKCERequestSession(ctx context.Context, signature string, s fosite.Session) (fosite.Requester, error) {
	return t.GetAuthorizeCodeSession(ctx, signature, s)
}

// DeletePKCERequestSession has nothing to do: whoever began the transaction burns the code when the request fails.
func (t *turn) DeletePKCERequestSession(context.Context, string) error { return nil }

// CreateAccessTokenSession keeps an access token.
func (t *turn) CreateAccessTokenSession(ctx context.Context, signature string, r fosite.Requester) error {
	return t.issue(ctx, blueberry.OAuthAccess, signature, r, blueberry.AccessTokenLife)
}

// GetAccessTokenSession is never asked for: Granted and introspection read tokens themselves.
func (t *turn) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteAccessTokenSession ends one access token.
func (t *turn) DeleteAccessTokenSession(ctx context.Context, signature string) error {
	_, err := t.tx.RevokeOAuthToken(ctx, []byte(signature), t.now)
	return t.fail("revoke access token", err)
}

// CreateRefreshTokenSession keeps a refresh token. Its life begins anew with each rotation: a family ends after 30 days in which nobody used it.
func (t *turn) CreateRefreshTokenSession(ctx context.Context, signature, _ string, r fosite.Requester) error {
	return t.issue(ctx, blueberry.OAuthRefresh, signature, r, blueberry.RefreshTokenLife)
}

// GetRefreshTokenSession reads a refresh token with the scopes that the request asks for. One that was rotated away is told as inactive, also when its own
// 30 days are over: the library then ends the family.
func (t *turn) GetRefreshTokenSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	found, err := t.find(ctx, blueberry.OAuthRefresh, signature)
	if err != nil {
		return nil, err
	}
	r, err := t.requester(found)
	switch {
	case err != nil:
		return nil, err
	case !found.RevokedAt.IsZero():
		return r, fosite.ErrInactiveToken
	case !found.Live(t.now) || found.UserID != t.user || found.ClientID != t.client.ID:
		return nil, fosite.ErrNotFound
	}
	t.refresh = found
	if !covers(found.Scopes, t.asked) {
		return nil, refuse(invalidScope, "a refresh asks for no more than was granted")
	}
	if len(t.asked) > 0 {
		granted := slices.DeleteFunc(slices.Clone(found.Scopes), func(s string) bool { return s != OfflineAccess && !slices.Contains(t.asked, s) })
		r.(*fosite.Request).GrantedScope = granted
	}
	return r, nil
}

// RotateRefreshToken uses a refresh token up. The access tokens beside it live on until their hour is over: requests are under way with them.
func (t *turn) RotateRefreshToken(ctx context.Context, _, signature string) error {
	return t.spend(ctx, []byte(signature))
}

// DeleteRefreshTokenSession ends one refresh token.
func (t *turn) DeleteRefreshTokenSession(ctx context.Context, signature string) error {
	_, err := t.tx.RevokeOAuthToken(ctx, []byte(signature), t.now)
	return t.fail("revoke refresh token", err)
}

// RevokeRefreshToken ends everything of the family.
func (t *turn) RevokeRefreshToken(ctx context.Context, family string) error {
	return t.end(ctx, family)
}

// RevokeAccessToken ends everything of the family.
func (t *turn) RevokeAccessToken(ctx context.Context, family string) error { return t.end(ctx, family) }
