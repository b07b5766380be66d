package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type tokenRow struct {
	bun.BaseModel `bun:"table:api_tokens"`

	ID            string `bun:"id,pk"`
	Name          string `bun:"name"`
	Hash          []byte `bun:"hash,notnull"`
	UserID        string `bun:"user_id"`
	ServiceID     string `bun:"service_id"`
	Grants        string `bun:"grants"`
	Projects      string `bun:"projects"`
	Hint          string `bun:"hint"`
	CreatedAt     int64  `bun:"created_at"`
	CreatedBy     string `bun:"created_by"`
	ExpiresAt     int64  `bun:"expires_at"`
	LastUsedAt    int64  `bun:"last_used_at"`
	RevokedAt     int64  `bun:"revoked_at"`
	RevokedBy     string `bun:"revoked_by"`
	PreviousHash  []byte `bun:"previous_hash"`
	PreviousUntil int64  `bun:"previous_until"`
	RotatedAt     int64  `bun:"rotated_at"`
	Warned        int    `bun:"warned"`
	Version       int64  `bun:"version"`
}

func tokenToRow(k blueberry.APIToken) (tokenRow, error) {
	grants, err := encode("grants", k.Grants)
	if err != nil {
		return tokenRow{}, err
	}
	projects, err := encode("projects", k.Projects)
	if err != nil {
		return tokenRow{}, err
	}
	row := tokenRow{
		ID: k.ID, Name: clean(k.Name), Hash: bytesOf(k.Hash), UserID: k.UserID, ServiceID: k.ServiceID, Grants: grants, Projects: projects, Hint: clean(k.Hint),
		CreatedAt: micros(k.CreatedAt), CreatedBy: clean(k.CreatedBy), ExpiresAt: micros(k.ExpiresAt), LastUsedAt: micros(k.LastUsedAt),
		RevokedAt: micros(k.RevokedAt), RevokedBy: clean(k.RevokedBy), PreviousUntil: micros(k.PreviousUntil), RotatedAt: micros(k.RotatedAt),
		Warned: k.Warned, Version: k.Version,
	}
	if len(k.PreviousHash) > 0 {
		row.PreviousHash = k.PreviousHash
	}
	return row, nil
}

func (r tokenRow) token() (blueberry.APIToken, error) {
	k := blueberry.APIToken{
		ID: r.ID, Name: r.Name, Hash: r.Hash, UserID: r.UserID, ServiceID: r.ServiceID, Hint: r.Hint,
		CreatedAt: timeOf(r.CreatedAt), CreatedBy: r.CreatedBy, ExpiresAt: timeOf(r.ExpiresAt), LastUsedAt: timeOf(r.LastUsedAt),
		RevokedAt: timeOf(r.RevokedAt), RevokedBy: r.RevokedBy, PreviousHash: r.PreviousHash, PreviousUntil: timeOf(r.PreviousUntil), RotatedAt: timeOf(r.RotatedAt),
		Warned: r.Warned, Version: r.Version,
	}
	if err := decode("grants", r.Grants, &k.Grants); err != nil {
		return blueberry.APIToken{}, err
	}
	return k, decode("projects", r.Projects, &k.Projects)
}

func tokenNotFound() error {
	return blueberry.Errorf(blueberry.NotFound, "API_TOKEN_NOT_FOUND", "there is no such API token")
}

func tokenExists(id string) error {
	return blueberry.Errorf(blueberry.Conflict, "API_TOKEN_EXISTS", "the API token %s exists", id)
}

// InsertToken adds a token; Conflict when its id or hash is there.
func (t *Tx) InsertToken(ctx context.Context, k blueberry.APIToken) error {
	row, err := tokenToRow(k)
	if err != nil {
		return err
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	if isTaken(err) {
		return tokenExists(k.ID)
	}
	if err != nil {
		return fmt.Errorf("insert API token: %w", err)
	}
	return nil
}

// TokenByHash reads the token whose secret, or whose secret before a rotation, has the hash, or NotFound. What has ended is given too.
func (t *Tx) TokenByHash(ctx context.Context, hash []byte) (blueberry.APIToken, error) {
	return t.token(ctx, "hash = ?0 OR previous_hash = ?0", bytesOf(hash)) // each has its index
}

// Token reads one by id, or NotFound with code API_TOKEN_NOT_FOUND.
func (t *Tx) Token(ctx context.Context, id string) (blueberry.APIToken, error) {
	return t.token(ctx, "id = ?", clean(id))
}

func (t *Tx) token(ctx context.Context, where string, arg any) (blueberry.APIToken, error) {
	row, err := one[tokenRow](ctx, t, "API token", tokenNotFound(), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where(where, arg) })
	if err != nil {
		return blueberry.APIToken{}, err
	}
	return row.token()
}

// UpdateToken writes t if the row's version is still t.Version, else Conflict with code VERSION_MOVED; the version then counts up by one. LastUsedAt stays.
func (t *Tx) UpdateToken(ctx context.Context, k blueberry.APIToken) error {
	row, err := tokenToRow(k)
	if err != nil {
		return err
	}
	row.Version++
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "created_at", "created_by", "last_used_at").
		Where("id = ?", clean(k.ID)).Where("version = ?", k.Version).Exec(ctx)
	if isTaken(err) {
		return tokenExists(k.ID)
	}
	g := guarded{
		label: "API token " + k.Name, version: k.Version,
		there: t.db.NewSelect().Model((*tokenRow)(nil)).Where("id = ?", clean(k.ID)), missing: tokenNotFound(),
	}
	return g.check(ctx, "update API token", res, err)
}

// ListTokens reads one page, newest first.
func (t *Tx) ListTokens(ctx context.Context, q blueberry.APITokenQuery) ([]blueberry.APIToken, error) {
	rows, err := many[tokenRow](ctx, t, "API tokens", func(s *bun.SelectQuery) *bun.SelectQuery {
		if q.UserID != "" {
			s = s.Where("user_id = ?", clean(q.UserID))
		}
		if q.ServiceID != "" {
			s = s.Where("service_id = ?", clean(q.ServiceID))
		}
		if !q.Unused.IsZero() {
			s = s.Where("last_used_at < ?", micros(q.Unused)).Where("created_at < ?", micros(q.Unused))
		}
		if !q.Ended {
			s = s.Where("revoked_at = 0").Where("expires_at = 0 OR expires_at > ?", micros(q.Now))
		}
		return newest(s, q.Before, q.Limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, tokenRow.token)
}

// ExpiringTokens reads tokens that are not revoked and end before the time, by id, after the id given. Those that have ended already are among them.
func (t *Tx) ExpiringTokens(ctx context.Context, before time.Time, after string, limit int) ([]blueberry.APIToken, error) {
	rows, err := many[tokenRow](ctx, t, "API tokens", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("revoked_at = 0").Where("expires_at > 0").Where("expires_at < ?", micros(before)).Where("id > ?", clean(after)).
			Order("id").Limit(int64(pageLimit(limit)))
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, tokenRow.token)
}

// CountTokens counts every token.
func (t *Tx) CountTokens(ctx context.Context) (int, error) {
	n, err := t.db.NewSelect().Model((*tokenRow)(nil)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count API tokens: %w", err)
	}
	return int(n), nil
}

// TouchToken notes when a token was last used; the time never goes back.
func (t *Tx) TouchToken(ctx context.Context, id string, at time.Time) error {
	return t.touch(ctx, "api_tokens", "last_used_at", id, micros(at))
}
