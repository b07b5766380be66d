package oauth

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TokenView is an OAuth token as people see it.
type TokenView struct {
	ID         string
	Kind       blueberry.OAuthTokenKind
	Family     string
	ClientID   string
	UserID     string // empty when the client acts for itself
	Scopes     []string
	IssuedAt   time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time
	State      blueberry.OAuthTokenState
	Since      time.Time // when it came into the state
}

// Tokens reads one page, newest first: one's own for no user, those of all for "*". Those of others take api-tokens:read.
func (s *Server) Tokens(ctx context.Context, actor blueberry.Actor, q blueberry.OAuthTokenQuery) ([]TokenView, error) {
	if q.UserID == "" {
		q.UserID = actor.UserID
	}
	if q.UserID != actor.UserID || !access.IsPerson(actor) {
		if err := actor.Can(blueberry.GrantTokensRead); err != nil {
			return nil, err
		}
	}
	if q.UserID == "*" {
		q.UserID = ""
	}
	q.Limit = bounded(q.Limit)
	var found []blueberry.OAuthToken
	err := s.Record.View(ctx, func(tx Tx) (err error) {
		found, err = tx.ListOAuthTokens(ctx, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list OAuth tokens: %w", err)
	}
	out := make([]TokenView, len(found))
	for i, t := range found {
		out[i] = s.view(t)
	}
	return out, nil
}

func (s *Server) view(t blueberry.OAuthToken) TokenView {
	state, since := t.State(s.now())
	return TokenView{
		ID: t.ID, Kind: t.Kind, Family: t.Family, ClientID: t.ClientID, UserID: t.UserID, Scopes: t.Scopes, IssuedAt: t.IssuedAt, ExpiresAt: t.ExpiresAt,
		LastUsedAt: t.LastUsedAt, State: state, Since: since,
	}
}

// RevokeToken ends an access token, or the whole family of a refresh token or code. One's own take no grant.
func (s *Server) RevokeToken(ctx context.Context, actor blueberry.Actor, id string) error {
	return s.Record.Update(ctx, func(tx Tx) error {
		t, err := tx.OAuthToken(ctx, id)
		if err != nil {
			return err
		}
		if t.UserID != actor.UserID || !access.IsPerson(actor) {
			if err := actor.Can(blueberry.GrantTokensWrite); err != nil {
				if actor.Can(blueberry.GrantTokensRead) != nil {
					return blueberry.Hidden(errNoToken(), blueberry.GrantTokensWrite)
				}
				return err
			}
		}
		return s.endToken(ctx, tx, t, actor, string(blueberry.GrantTokensWrite))
	})
}

// ConsentView is what a person allowed a client, as they see it.
type ConsentView struct {
	Client    blueberry.OAuthClient
	Scopes    []ScopeText
	GrantedAt time.Time
}

// Consents reads what the actor allowed clients.
func (s *Server) Consents(ctx context.Context, actor blueberry.Actor) ([]ConsentView, error) {
	if err := access.NeedPerson(actor); err != nil {
		return nil, err
	}
	var given []blueberry.ClientConsent
	err := s.Record.View(ctx, func(tx Tx) (err error) {
		given, err = tx.ConsentsOf(ctx, actor.UserID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	out := make([]ConsentView, len(given))
	for i, c := range given {
		out[i] = ConsentView{Client: c.Client, Scopes: ScopeTexts(c.Scopes), GrantedAt: c.GrantedAt}
	}
	return out, nil
}

// RevokeConsent takes back what the actor allowed a client, with every token that came of it.
func (s *Server) RevokeConsent(ctx context.Context, actor blueberry.Actor, clientID string) error {
	if err := access.NeedPerson(actor); err != nil {
		return err
	}
	return s.Record.Update(ctx, func(tx Tx) error {
		if err := tx.DeleteConsent(ctx, actor.UserID, clientID); err != nil {
			return err
		}
		n, err := tx.RevokeOAuthTokens(ctx, actor.UserID, clientID, s.now())
		if err != nil {
			return fmt.Errorf("revoke tokens: %w", err)
		}
		if err := tx.BumpAccessEpoch(ctx); err != nil {
			return fmt.Errorf("bump access epoch: %w", err)
		}
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			At: s.now(), Actor: actor, Action: actionRevoke, Resource: clientID, Detail: fmt.Sprintf("consent was taken back, %d tokens ended", n),
		})
	})
}
