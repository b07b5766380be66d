package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type signingKeyRow struct {
	bun.BaseModel `bun:"table:signing_keys"`

	ID        string `bun:"id,pk"`
	Public    []byte `bun:"public"`
	CreatedAt int64  `bun:"created_at"`
}

// PutSigningKey keeps the public key that proves signatures made under an id. Keeping it again changes nothing; another key under the id is Conflict.
func (t *Tx) PutSigningKey(ctx context.Context, id string, public []byte, now time.Time) error {
	row := signingKeyRow{ID: id, Public: append([]byte{}, public...), CreatedAt: micros(now)}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	n, err := touched("insert signing key", res, err)
	if err != nil || n == 1 {
		return err
	}
	there, err := t.SigningKey(ctx, id)
	if err != nil {
		return err
	}
	if !bytes.Equal(there, public) {
		return blueberry.Errorf(blueberry.Conflict, "KEY_EXISTS", "the signing key %s is another one", id)
	}
	return nil
}

// SigningKey reads a public key by its id, or NotFound.
func (t *Tx) SigningKey(ctx context.Context, id string) ([]byte, error) {
	var row signingKeyRow
	err := t.db.NewSelect().Model(&row).Where("id = ?", clean(id)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, blueberry.Errorf(blueberry.NotFound, "KEY_NOT_FOUND", "there is no signing key %q", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	return row.Public, nil
}
