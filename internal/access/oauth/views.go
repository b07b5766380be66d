package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// looksAfter reports whether a user acts by themselves: with a session, or with our own command line. Their tokens are no business of other programs.
func looksAfter(a blueberry.Actor) bool {
	return a.UserID != "" && (a.Kind == blueberry.ActorUser || a.Kind == blueberry.ActorClient && a.ID == blueberry.CLIClientID)
}

// Tokens reads one page, newest first: one's own for no user, those of all for "*". Those of others take api-tokens:read.
func (s *Server) Tokens(ctx context.Context, actor blueberry.Actor, q blueberry.OAuthTokenQuery) ([]TokenView, error) {
	if q.UserID == "" {
		q.UserID = actor.UserID
	}
	if q.UserID != actor.UserID || !looksAfter(actor) {
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
		t, err := tokenByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if t.UserID != actor.UserID || !looksAfter(actor) {
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

// tokenByID reads the newest token before the text that comes right after the id.
func tokenByID(ctx context.Context, tx Tx, id string) (blueberry.OAuthToken, error) {
	if !blueberry.HasIDPrefix(id, blueberry.TokenID) {
		return blueberry.OAuthToken{}, errNoToken()
	}
	page, err := tx.ListOAuthTokens(ctx, blueberry.OAuthTokenQuery{Before: id + "0", Limit: 1})
	if err != nil {
		return blueberry.OAuthToken{}, fmt.Errorf("read OAuth token: %w", err)
	}
	if len(page) == 0 || page[0].ID != id {
		return blueberry.OAuthToken{}, errNoToken()
	}
	return page[0], nil
}

func errNeedPerson() error {
	return blueberry.Errorf(blueberry.Forbidden, "PERSON_NEEDED", "only a person can do this, signed in with a browser or the command line")
}

// ConsentView is what a person allowed a client, as they see it.
type ConsentView struct {
	Client    blueberry.OAuthClient
	Scopes    []ScopeText
	GrantedAt time.Time
}

// Consents reads what the actor allowed clients.
func (s *Server) Consents(ctx context.Context, actor blueberry.Actor) ([]ConsentView, error) {
	var out []ConsentView
	if !looksAfter(actor) {
		return nil, errNeedPerson()
	}
	err := s.Record.View(ctx, func(tx Tx) error {
		out = nil
		for after := ""; ; {
			page, err := tx.OAuthClients(ctx, after, maxPage)
			if err != nil {
				return err
			}
			for _, c := range page {
				given, err := tx.Consent(ctx, actor.UserID, c.ID)
				if errors.Is(err, blueberry.NotFound) {
					continue
				}
				if err != nil {
					return err
				}
				out = append(out, ConsentView{Client: c, Scopes: ScopeTexts(given.Scopes), GrantedAt: given.GrantedAt})
			}
			if len(page) < maxPage {
				return nil
			}
			after = page[len(page)-1].ID
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	return out, nil
}

// RevokeConsent takes back what the actor allowed a client, with every token that came of it.
func (s *Server) RevokeConsent(ctx context.Context, actor blueberry.Actor, clientID string) error {
	if !looksAfter(actor) {
		return errNeedPerson()
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
