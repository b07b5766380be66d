package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type tokenRow struct {
	bun.BaseModel `bun:"table:api_tokens"`

	ID         string `bun:"id,pk"`
	Name       string `bun:"name"`
	Hash       []byte `bun:"hash"`
	Grants     string `bun:"grants"`
	CreatedAt  int64  `bun:"created_at"`
	ExpiresAt  int64  `bun:"expires_at"`
	LastUsedAt int64  `bun:"last_used_at"`
}

// InsertToken adds a token; Conflict when its id or hash is there.
func (t *Tx) InsertToken(ctx context.Context, k blueberry.APIToken) error {
	grants, err := encode("grants", k.Grants)
	if err != nil {
		return err
	}
	row := tokenRow{
		ID: k.ID, Name: k.Name, Hash: k.Hash, Grants: grants,
		CreatedAt: micros(k.CreatedAt), ExpiresAt: micros(k.ExpiresAt), LastUsedAt: micros(k.LastUsedAt),
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	if isTaken(err) {
		return blueberry.Errorf(blueberry.Conflict, "API_TOKEN_EXISTS", "the API token %s exists", k.ID)
	}
	if err != nil {
		return fmt.Errorf("insert API token: %w", err)
	}
	return nil
}

// TokenByHash reads the token of a secret by the SHA-256 of the secret, or NotFound. A token that has expired is given too.
func (t *Tx) TokenByHash(ctx context.Context, hash []byte) (blueberry.APIToken, error) {
	var row tokenRow
	err := t.db.NewSelect().Model(&row).Where("hash = ?", hash).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.APIToken{}, blueberry.Errorf(blueberry.NotFound, "API_TOKEN_NOT_FOUND", "there is no such API token")
	}
	if err != nil {
		return blueberry.APIToken{}, fmt.Errorf("read API token: %w", err)
	}
	k := blueberry.APIToken{
		ID: row.ID, Name: row.Name, Hash: row.Hash,
		CreatedAt: timeOf(row.CreatedAt), ExpiresAt: timeOf(row.ExpiresAt), LastUsedAt: timeOf(row.LastUsedAt),
	}
	return k, decode("grants", row.Grants, &k.Grants)
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
func (t *Tx) TouchToken(ctx context.Context, id string, now time.Time) error {
	_, err := t.db.NewUpdate().Model((*tokenRow)(nil)).Set("last_used_at = ?", micros(now)).
		Where("id = ?", id).Where("last_used_at < ?", micros(now)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("touch API token: %w", err)
	}
	return nil
}
