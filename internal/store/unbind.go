package store

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"
)

// naming narrows tokens or clients to those whose list of projects may hold a name, and locks them, by id so that two who do so do not wait in a ring. The
// list is JSON; who reads it finds out for sure.
func (t *Tx) naming(sel *bun.SelectQuery, project string) *bun.SelectQuery {
	return t.held(sel.Where(`projects LIKE ? ESCAPE '\'`, likePart(`"`+project+`"`)).Order("id"))
}

// without takes a project out of a list. The last one stays, because an empty list means everywhere: what is bound to it has to end instead.
func without(projects []string, project string) (left []string, ends bool) {
	left = slices.DeleteFunc(slices.Clone(projects), func(p string) bool { return p == project })
	if len(left) == 0 {
		return projects, true
	}
	return left, false
}

// unbindTokens takes a project out of the API tokens that may act in it, and revokes those that may act nowhere else.
func (t *Tx) unbindTokens(ctx context.Context, project, by string, at time.Time) error {
	rows, err := many[tokenRow](ctx, t, "API tokens of project", func(s *bun.SelectQuery) *bun.SelectQuery {
		return t.naming(s.Where("revoked_at = 0"), project)
	})
	if err != nil {
		return err
	}
	tokens, err := nouns(rows, tokenRow.token)
	if err != nil {
		return err
	}
	for _, k := range tokens {
		if !slices.Contains(k.Projects, project) {
			continue
		}
		var ends bool
		if k.Projects, ends = without(k.Projects, project); ends {
			k.RevokedAt, k.RevokedBy = at, by
		}
		if err := t.UpdateToken(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// unbindClients takes a project out of the OAuth clients that may act in it, and disables those that may act nowhere else.
func (t *Tx) unbindClients(ctx context.Context, project string) error {
	rows, err := many[clientRow](ctx, t, "OAuth clients of project", func(s *bun.SelectQuery) *bun.SelectQuery { return t.naming(s, project) })
	if err != nil {
		return err
	}
	clients, err := nouns(rows, clientRow.client)
	if err != nil {
		return err
	}
	for _, c := range clients {
		if !slices.Contains(c.Projects, project) {
			continue
		}
		var ends bool
		if c.Projects, ends = without(c.Projects, project); ends {
			c.Disabled = true
		}
		if err := t.PutOAuthClient(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
