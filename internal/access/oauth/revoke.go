package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// revoke answers RFC 7009. A refresh token ends with everything of its family; an access token ends alone, because the RFC leaves the rest to the server and a
// client that throws away one of its tokens has said nothing of the others. What is not known is answered as if it had been revoked.
func (s *Server) revoke(ctx context.Context, r *http.Request, f form) (any, error) {
	p, refused := readProof(r, f)
	if refused != nil {
		return nil, refused
	}
	secret := f.get("token")
	if secret == "" {
		return nil, refuse(invalidRequest, "token is missing")
	}
	var c blueberry.OAuthClient
	var outcome *refusal
	err := s.Record.Update(ctx, func(tx Tx) (err error) {
		c, outcome = blueberry.OAuthClient{}, nil
		if c, err = authenticate(ctx, tx, p); err != nil {
			return err
		}
		t, err := presented(ctx, tx, secret)
		switch {
		case errors.Is(err, blueberry.NotFound):
			return nil
		case err != nil:
			return fmt.Errorf("read token: %w", err)
		case t.ClientID != c.ID:
			outcome = refuse(invalidGrant, "the token was issued to another client")
			return nil
		}
		return s.endToken(ctx, tx, t, clientActor(c, blueberry.Actor{}), actionRevoke)
	})
	if err == nil && outcome != nil {
		err = outcome
	}
	if err != nil {
		return nil, s.denied(ctx, c, blueberry.Actor{}, actionRevoke, err)
	}
	return nil, nil //nolint:nilnil // the answer of RFC 7009 has no body
}

// presented reads the access or refresh token of a secret, or NotFound. Codes and device codes are none.
func presented(ctx context.Context, tx Tx, secret string) (blueberry.OAuthToken, error) {
	if hash, ok := access.HashSecret(access.AccessPrefix, secret); ok {
		return tx.OAuthTokenByHash(ctx, blueberry.OAuthAccess, hash)
	}
	if hash, ok := access.HashSecret(RefreshPrefix, secret); ok {
		return tx.OAuthTokenByHash(ctx, blueberry.OAuthRefresh, hash)
	}
	return blueberry.OAuthToken{}, errNoToken()
}

func errNoToken() error {
	return blueberry.Errorf(blueberry.NotFound, "OAUTH_TOKEN_NOT_FOUND", "there is no such OAuth token")
}

// endToken ends an access token, or the whole family of any other.
func (s *Server) endToken(ctx context.Context, tx Tx, t blueberry.OAuthToken, actor blueberry.Actor, action string) error {
	now, ended := s.now(), 0
	if t.Kind == blueberry.OAuthAccess {
		did, err := tx.RevokeOAuthToken(ctx, t.Hash, now)
		if err != nil {
			return fmt.Errorf("revoke token: %w", err)
		}
		if did {
			ended = 1
		}
	} else {
		n, err := tx.RevokeFamily(ctx, t.Family, now)
		if err != nil {
			return fmt.Errorf("revoke family: %w", err)
		}
		ended = n
	}
	if ended == 0 {
		return nil
	}
	if err := tx.BumpAccessEpoch(ctx); err != nil {
		return fmt.Errorf("bump access epoch: %w", err)
	}
	err := tx.AppendAudit(ctx, blueberry.AuditEntry{
		At: now, Actor: actor, Action: action, Resource: t.ID, Detail: fmt.Sprintf("%s token of client %s: %d ended", t.Kind, t.ClientID, ended),
	})
	if err != nil {
		return fmt.Errorf("note revocation: %w", err)
	}
	return nil
}
