package access

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// load reads from the record what a credential gives now.
func (g *Gate) load(ctx context.Context, kind, credential string) (*answer, error) {
	if kind == AccessPrefix {
		return g.loadOAuth(ctx, credential)
	}
	s := sighting{turn: g.epoch.begin(), at: g.Now()}
	var a *answer
	err := g.Record.View(ctx, func(tx Tx) (err error) {
		// In the snapshot in which the answer is read, so that one can not be older than the other.
		if s.epoch, err = tx.AccessEpoch(ctx); err != nil {
			return err
		}
		if kind == SessionPrefix {
			a, err = g.sessionAnswer(ctx, tx, hashOf(credential))
		} else {
			a, err = g.tokenAnswer(ctx, tx, hashOf(credential))
		}
		return err
	})
	if err != nil {
		return nil, refusal(err)
	}
	a.epoch = s.epoch
	if g.epoch.saw(s) {
		g.answers.clear()
	}
	return a, nil
}

// refusal is what becomes of an error on the way to an answer: what is not there and what is not allowed are the same to who asks.
func refusal(err error) error {
	if isNotFound(err) || errors.Is(err, blueberry.Forbidden) || errors.Is(err, blueberry.Unauthenticated) {
		return unknown()
	}
	return doing("authenticate", err)
}

func (g *Gate) sessionAnswer(ctx context.Context, tx Tx, hash []byte) (*answer, error) {
	s, err := tx.SessionByHash(ctx, hash)
	if err != nil {
		return nil, err
	}
	now := g.Now()
	if !s.Live(now) {
		return nil, unknown()
	}
	actor, until, err := person(ctx, tx, s.UserID, now)
	if err != nil {
		return nil, err
	}
	actor.Credential, actor.Until = s.ID, s.ExpiresAt
	return &answer{actor: actor, until: earliest(until, s.ExpiresAt), session: s.ID, user: s.UserID}, nil
}

func (g *Gate) tokenAnswer(ctx context.Context, tx Tx, hash []byte) (*answer, error) {
	t, err := tx.TokenByHash(ctx, hash)
	if err != nil {
		return nil, err
	}
	now := g.Now()
	if !t.RevokedAt.IsZero() || t.Expired(now) {
		return nil, unknown()
	}
	until := t.ExpiresAt
	if slices.Equal(t.PreviousHash, hash) && len(hash) > 0 {
		if !now.Before(t.PreviousUntil) {
			return nil, unknown()
		}
		until = earliest(until, t.PreviousUntil)
	}
	actor, err := tokenActor(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	actor.Until = until
	return &answer{actor: actor, until: until, token: t.ID}, nil
}

// tokenActor is what an API token may do: what its user or service account may at this moment, narrowed to what the token was made for. An emergency of the
// user is not passed on: it is for the person, and a token may lie about in many places.
func tokenActor(ctx context.Context, tx Tx, t blueberry.APIToken) (blueberry.Actor, error) {
	held, name, onBehalf := blueberry.Actor{Grants: []blueberry.Grant{blueberry.GrantAll}}, t.Name, ""
	switch {
	case t.UserID != "":
		user, err := tx.User(ctx, t.UserID)
		if err != nil {
			return blueberry.Actor{}, err
		}
		if user.Status != blueberry.UserActive {
			return blueberry.Actor{}, unknown()
		}
		if held, err = rights(ctx, tx, user); err != nil {
			return blueberry.Actor{}, err
		}
		name, onBehalf = user.Label(), user.Label()
	case t.ServiceID != "":
		s, err := tx.ServiceAccount(ctx, t.ServiceID)
		if err != nil {
			return blueberry.Actor{}, err
		}
		if s.Disabled {
			return blueberry.Actor{}, unknown()
		}
		held = blueberry.Actor{Projects: map[string][]blueberry.Grant{s.Project: s.Role.Grants()}}
		name = s.Project + "/" + s.Name
	}
	actor := held.Narrowed(t.Grants, t.Projects)
	actor.Kind, actor.ID, actor.Name, actor.UserID, actor.OnBehalfOf, actor.Credential = blueberry.ActorToken, t.ID, name, t.UserID, onBehalf, t.ID
	return actor, nil
}

// loadOAuth asks the OAuth server. The epoch is read before, so that a change in between is seen at the next poll.
func (g *Gate) loadOAuth(ctx context.Context, credential string) (*answer, error) {
	if g.OAuth == nil {
		return nil, unknown()
	}
	s := sighting{turn: g.epoch.begin(), at: g.Now()}
	read := func(tx Tx) (err error) {
		s.epoch, err = tx.AccessEpoch(ctx)
		return err
	}
	if err := g.Record.View(ctx, read); err != nil {
		return nil, doing("read access epoch", err)
	}
	token, client, err := g.OAuth.Granted(ctx, credential)
	if err != nil {
		return nil, refusal(err)
	}
	now := g.Now()
	if token.Kind != blueberry.OAuthAccess || client.Disabled || !token.Live(now) {
		return nil, unknown()
	}
	a := &answer{epoch: s.epoch, until: token.ExpiresAt, user: token.UserID, oauth: string(token.Hash), client: client.ID}
	err = g.Record.View(ctx, func(tx Tx) (err error) {
		var until time.Time
		if a.actor, until, err = clientActor(ctx, tx, token, client, now); err == nil {
			a.until, a.actor.Until = earliest(token.ExpiresAt, until), token.ExpiresAt
		}
		return err
	})
	if err != nil {
		return nil, refusal(err)
	}
	if g.epoch.saw(s) {
		g.answers.clear()
	}
	return a, nil
}

// clientActor is what an OAuth access token may do: of its user, or of the client itself, and never more than scopes and client name.
func clientActor(ctx context.Context, tx Tx, t blueberry.OAuthToken, c blueberry.OAuthClient, now time.Time) (actor blueberry.Actor, until time.Time, err error) {
	var scopes []blueberry.Grant
	for _, s := range t.Scopes {
		if s != offlineAccess { // it is no grant
			scopes = append(scopes, blueberry.Grant(s))
		}
	}
	if t.UserID == "" {
		own := blueberry.Actor{Grants: c.Grants}.Narrowed(scopes, c.Projects)
		own.Kind, own.ID, own.Name, own.Credential = blueberry.ActorClient, c.ID, c.Name, t.ID
		return own, time.Time{}, nil
	}
	user, until, err := clientUser(ctx, tx, t.UserID, c, now)
	if err != nil {
		return blueberry.Actor{}, until, err
	}
	actor = user.Narrowed(scopes, nil).Narrowed(c.Grants, c.Projects)
	actor.Kind, actor.ID, actor.OnBehalfOf, actor.Credential = blueberry.ActorClient, c.ID, user.Name, t.ID
	actor.Person = c.ID == blueberry.CLIClientID && slices.Contains(scopes, blueberry.GrantAll)
	return actor, until, nil
}

// offlineAccess is the scope that asks for a refresh token.
const offlineAccess = "offline_access"

// clientUser is what the user of a client may do. An emergency is the person's, so of all clients it passes on to our own command line alone.
func clientUser(ctx context.Context, tx Tx, userID string, c blueberry.OAuthClient, now time.Time) (actor blueberry.Actor, until time.Time, err error) {
	if c.ID == blueberry.CLIClientID {
		return person(ctx, tx, userID, now)
	}
	user, err := activeUser(ctx, tx, userID)
	if err != nil {
		return actor, until, err
	}
	actor, err = rights(ctx, tx, user)
	return actor, until, err
}

// earliest is the earlier of two times, of which the zero one stands for never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
