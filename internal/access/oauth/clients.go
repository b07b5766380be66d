package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const maxPage = 200

// CreateClient registers a client. It never holds more than its maker does.
func (s *Server) CreateClient(ctx context.Context, actor blueberry.Actor, w ClientWish) (MadeClient, error) {
	if err := actor.Can(blueberry.GrantClientsWrite); err != nil {
		return MadeClient{}, err
	}
	now := s.now()
	c := blueberry.OAuthClient{
		ID: blueberry.NewID(blueberry.ClientID, now), Name: w.Name, Public: w.Public, RedirectURIs: slices.Clone(w.RedirectURIs),
		Flows: slices.Clone(w.Flows), Grants: slices.Clone(w.Grants), Projects: slices.Clone(w.Projects), CreatedAt: now, CreatedBy: actor.Name,
	}
	if err := check(c); err != nil {
		return MadeClient{}, err
	}
	if err := within(actor, c); err != nil {
		return MadeClient{}, err
	}
	var secret string
	if !c.Public {
		secret, c.SecretHash = access.NewSecret(ClientPrefix)
	}
	err := s.Record.Update(ctx, func(tx Tx) error {
		if err := tx.PutOAuthClient(ctx, c); err != nil {
			return err
		}
		return s.noteClient(ctx, tx, actor, "registered", blueberry.OAuthClient{}, c)
	})
	if err != nil {
		return MadeClient{}, fmt.Errorf("register client: %w", err)
	}
	c.Version = 1
	return MadeClient{Client: c, Secret: secret}, nil
}

// Clients reads one page by id, after the id given.
func (s *Server) Clients(ctx context.Context, actor blueberry.Actor, after string, limit int) (page []blueberry.OAuthClient, err error) {
	if err := actor.Can(blueberry.GrantClientsRead); err != nil {
		return nil, err
	}
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		page, err = tx.OAuthClients(ctx, after, bounded(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	return page, nil
}

// Client reads one.
func (s *Server) Client(ctx context.Context, actor blueberry.Actor, id string) (c blueberry.OAuthClient, err error) {
	if err := actor.Can(blueberry.GrantClientsRead); err != nil {
		return blueberry.OAuthClient{}, err
	}
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		c, err = tx.OAuthClient(ctx, id)
		return err
	})
	return c, err
}

// UpdateClient changes a client at its version; 0 means any. What its tokens give changes with it, at once.
func (s *Server) UpdateClient(ctx context.Context, actor blueberry.Actor, id string, w ClientChange, ifVersion int64) (blueberry.OAuthClient, error) {
	return s.changeClient(ctx, actor, id, ifVersion, "changed", func(c *blueberry.OAuthClient) error {
		if c.Trusted && (w.Name != nil || w.RedirectURIs != nil || w.Flows != nil || w.Grants != nil || w.Projects != nil) {
			return blueberry.Errorf(blueberry.Conflict, "OAUTH_CLIENT_BUILT_IN", "the client %s comes with Blueberry: it can be disabled, no more", id)
		}
		set(&c.Name, w.Name)
		set(&c.RedirectURIs, w.RedirectURIs)
		set(&c.Flows, w.Flows)
		set(&c.Grants, w.Grants)
		set(&c.Projects, w.Projects)
		set(&c.Disabled, w.Disabled)
		if err := check(*c); err != nil {
			return err
		}
		if w.Grants != nil || w.Projects != nil || w.Flows != nil || w.RedirectURIs != nil {
			return within(actor, *c)
		}
		return nil
	})
}

// RotateClientSecret gives a client a new secret. The one before stops at once; tokens stay.
func (s *Server) RotateClientSecret(ctx context.Context, actor blueberry.Actor, id string) (MadeClient, error) {
	secret, hash := access.NewSecret(ClientPrefix)
	c, err := s.changeClient(ctx, actor, id, 0, "given a new secret", func(c *blueberry.OAuthClient) error {
		if c.Public {
			return blueberry.Errorf(blueberry.Conflict, "OAUTH_CLIENT_PUBLIC", "the client %s is public and has no secret", id)
		}
		c.SecretHash = hash
		return within(actor, *c) // whoever has the secret is the client
	})
	if err != nil {
		return MadeClient{}, err
	}
	return MadeClient{Client: c, Secret: secret}, nil
}

// changeClient is a change of one client with its audit entry.
func (s *Server) changeClient(
	ctx context.Context, actor blueberry.Actor, id string, ifVersion int64, what string, change func(c *blueberry.OAuthClient) error,
) (c blueberry.OAuthClient, err error) {
	if err := actor.Can(blueberry.GrantClientsWrite); err != nil {
		return blueberry.OAuthClient{}, err
	}
	err = s.Record.Update(ctx, func(tx Tx) error {
		before, err := readClient(ctx, tx, id, ifVersion)
		if err != nil {
			return err
		}
		c = before
		if err := change(&c); err != nil {
			return err
		}
		if err := tx.PutOAuthClient(ctx, c); err != nil {
			return fmt.Errorf("write client: %w", err)
		}
		if err := tx.BumpAccessEpoch(ctx); err != nil {
			return fmt.Errorf("bump access epoch: %w", err)
		}
		if err := s.noteClient(ctx, tx, actor, what, before, c); err != nil {
			return err
		}
		c.Version = before.Version + 1
		return nil
	})
	if err != nil {
		return blueberry.OAuthClient{}, err
	}
	return c, nil
}

// DeleteClient removes a client with its consents and tokens.
func (s *Server) DeleteClient(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error {
	if err := actor.Can(blueberry.GrantClientsWrite); err != nil {
		return err
	}
	return s.Record.Update(ctx, func(tx Tx) error {
		c, err := readClient(ctx, tx, id, ifVersion)
		if err != nil {
			return err
		}
		if c.Trusted {
			return blueberry.Errorf(blueberry.Conflict, "OAUTH_CLIENT_BUILT_IN", "the client %s comes with Blueberry: it can be disabled, no more", id)
		}
		if err := tx.DeleteOAuthClient(ctx, id); err != nil {
			return fmt.Errorf("delete client: %w", err)
		}
		if err := tx.BumpAccessEpoch(ctx); err != nil {
			return fmt.Errorf("bump access epoch: %w", err)
		}
		return s.noteClient(ctx, tx, actor, "removed", c, blueberry.OAuthClient{})
	})
}

func readClient(ctx context.Context, tx Tx, id string, ifVersion int64) (blueberry.OAuthClient, error) {
	c, err := tx.OAuthClient(ctx, id)
	if err != nil {
		return blueberry.OAuthClient{}, err
	}
	if ifVersion != 0 && ifVersion != c.Version {
		return blueberry.OAuthClient{}, blueberry.Errorf(blueberry.PreconditionFailed, "VERSION_MOVED",
			"the client %s is at version %d, the request was made for version %d", id, c.Version, ifVersion)
	}
	return c, nil
}

// noteClient writes the audit entry of a change; of a client that is empty there was or is none.
func (s *Server) noteClient(ctx context.Context, tx Tx, actor blueberry.Actor, what string, before, after blueberry.OAuthClient) error {
	entry := blueberry.AuditEntry{At: s.now(), Actor: actor, Action: string(blueberry.GrantClientsWrite), Resource: after.ID}
	if after.ID == "" {
		entry.Resource = before.ID
	}
	entry.Detail = "client " + entry.Resource + " was " + what
	var err error
	if entry.Before, err = shownClient(before); err != nil {
		return err
	}
	if entry.After, err = shownClient(after); err != nil {
		return err
	}
	if err := tx.AppendAudit(ctx, entry); err != nil {
		return fmt.Errorf("note client: %w", err)
	}
	return nil
}

// shownClient is a client without its secret.
func shownClient(c blueberry.OAuthClient) (json.RawMessage, error) {
	if c.ID == "" {
		return nil, nil
	}
	raw, err := json.Marshal(map[string]any{
		"name": c.Name, "public": c.Public, "redirect_uris": c.RedirectURIs, "flows": c.Flows, "grants": c.Grants, "projects": c.Projects, "disabled": c.Disabled,
	})
	if err != nil {
		return nil, fmt.Errorf("encode client: %w", err)
	}
	return raw, nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func bounded(limit int) int {
	if limit < 1 || limit > maxPage {
		return maxPage
	}
	return limit
}
