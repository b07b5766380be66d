package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type platformSecretRow struct {
	bun.BaseModel `bun:"table:platform_secrets"`

	Name      string `bun:"name,pk"`
	Version   int64  `bun:"version"`
	Value     []byte `bun:"value"`
	CreatedAt int64  `bun:"created_at"`
	UpdatedAt int64  `bun:"updated_at"`
}

func (r platformSecretRow) secret() blueberry.PlatformSecret {
	return blueberry.PlatformSecret{Name: r.Name, Version: r.Version, Value: r.Value, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt)}
}

// PutPlatformSecret makes a secret when p.Version is 0, else writes the value of the one that still has that version; the version then counts up by one. It is
// Conflict when one is there already, or has moved.
func (t *Tx) PutPlatformSecret(ctx context.Context, p blueberry.PlatformSecret) error {
	if p.Version == 0 {
		row := platformSecretRow{Name: p.Name, Version: 1, Value: p.Value, CreatedAt: micros(p.CreatedAt), UpdatedAt: micros(p.UpdatedAt)}
		res, err := t.db.NewInsert().Model(&row).On("CONFLICT (name) DO NOTHING").Exec(ctx)
		n, err := touched("insert platform secret", res, err)
		if err == nil && n == 0 {
			return blueberry.Errorf(blueberry.Conflict, "PLATFORM_SECRET_EXISTS", "there is a platform secret %q", p.Name)
		}
		return err
	}
	there := func() *bun.SelectQuery {
		return t.db.NewSelect().Model((*platformSecretRow)(nil)).Where("name = ?", clean(p.Name))
	}
	res, err := t.db.NewUpdate().Model((*platformSecretRow)(nil)).Set("version = ?", p.Version+1).Set("value = ?", p.Value).Set("updated_at = ?", micros(p.UpdatedAt)).
		Where("name = ?", clean(p.Name)).Where("version = ?", p.Version).Exec(ctx)
	g := guarded{label: "platform secret " + p.Name, version: p.Version, there: there(), missing: platformSecretNotFound(p.Name)}
	return g.check(ctx, "update platform secret", res, err)
}

// PlatformSecret reads one by name, or NotFound.
func (t *Tx) PlatformSecret(ctx context.Context, name string) (blueberry.PlatformSecret, error) {
	var row platformSecretRow
	err := t.db.NewSelect().Model(&row).Where("name = ?", clean(name)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.PlatformSecret{}, platformSecretNotFound(name)
	}
	if err != nil {
		return blueberry.PlatformSecret{}, fmt.Errorf("read platform secret: %w", err)
	}
	return row.secret(), nil
}

// PlatformSecrets reads all, by name.
func (t *Tx) PlatformSecrets(ctx context.Context) ([]blueberry.PlatformSecret, error) {
	var rows []platformSecretRow
	if err := t.db.NewSelect().Model(&rows).Order("name").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read platform secrets: %w", err)
	}
	out := make([]blueberry.PlatformSecret, len(rows))
	for i, r := range rows {
		out[i] = r.secret()
	}
	return out, nil
}

func platformSecretNotFound(name string) error {
	return blueberry.Errorf(blueberry.NotFound, "PLATFORM_SECRET_NOT_FOUND", "there is no platform secret %q", name)
}
