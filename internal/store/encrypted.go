package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"
)

// encryptedColumn is a column whose values are sealed. A value is bound to its row and column, as "<table>.<column>:<id>".
type encryptedColumn struct{ table, id, column string }

func (c encryptedColumn) bound(id string) string { return c.table + "." + c.column + ":" + id }

// encryptedColumns is every column of the record that is sealed. Whoever adds one adds it here, so that a new key reaches it.
func encryptedColumns() []encryptedColumn {
	return []encryptedColumn{
		{"credentials", "user_id", "totp_secret"},
		{"identity_providers", "id", "client_secret"},
		{"platform_secrets", "name", "value"},
		{"keyset_canary", "name", "value"},
		{"targets", "name", "kubeconfig"},
		{"targets", "name", "argo_kubeconfig"},
		{"repositories", "id", "secrets"},
		{"subscriptions", "id", "address"},
		{"subscriptions", "id", "secrets"},
		{"repositories", "id", "credential"},
	}
}

// canaryName is the one row of keyset_canary.
const canaryName = "canary"

// CanaryBound is what the canary is bound to.
const CanaryBound = "keyset_canary.value:" + canaryName

// keyPrefix is how many bytes of a sealed value name its key.
const keyPrefix = 5

// Reseal is how sealed values get a new key.
type Reseal struct {
	Batch   int                                               // rows that are read at a time; 0 means 100
	Current func(sealed []byte) bool                          // whether a value is sealed by the newest key
	Open    func(sealed []byte, bound string) ([]byte, error) //
	Seal    func(plain []byte, bound string) ([]byte, error)  // by the newest key
	Pause   func(ctx context.Context, rows int) error         // between batches; nil for none
}

type sealedRow struct {
	ID    string `bun:"id"`
	Value []byte `bun:"value"`
}

// Reencrypt seals every value of the record anew that is not sealed by the newest key, and tells how many it wrote. Each row is written by itself, if it still
// holds what was read: people go on meanwhile, and a process that dies leaves nothing half done. A value that cannot be opened is told in the error, and the
// others are done nevertheless.
func (s *Store) Reencrypt(ctx context.Context, r Reseal) (written int, err error) {
	if r.Batch <= 0 {
		r.Batch = 100
	}
	var faults []error
	for _, c := range encryptedColumns() {
		n, err := s.reencryptColumn(ctx, c, r, &faults)
		written += n
		if err != nil {
			return written, errors.Join(append(faults, err)...)
		}
	}
	return written, errors.Join(faults...)
}

func (s *Store) reencryptColumn(ctx context.Context, c encryptedColumn, r Reseal, faults *[]error) (written int, err error) {
	for after := ""; ; {
		rows, err := s.sealedRows(ctx, c, after, r.Batch)
		if err != nil {
			return written, err
		}
		for _, row := range rows {
			after = row.ID
			if r.Current(row.Value) {
				continue
			}
			ok, err := s.resealRow(ctx, c, r, row)
			switch {
			case ctx.Err() != nil:
				return written, ctx.Err()
			case err != nil:
				*faults = append(*faults, fmt.Errorf("seal %s anew: %w", c.bound(row.ID), err))
			case ok:
				written++
			}
		}
		if len(rows) < r.Batch {
			return written, nil
		}
		if r.Pause != nil {
			if err := r.Pause(ctx, len(rows)); err != nil {
				return written, err
			}
		}
	}
}

// sealedRows reads the next rows of a column that hold a value.
func (s *Store) sealedRows(ctx context.Context, c encryptedColumn, after string, limit int) (rows []sealedRow, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		return tx.db.NewSelect().TableExpr("?", bun.Ident(c.table)).ColumnExpr("? AS id", bun.Ident(c.id)).ColumnExpr("? AS value", bun.Ident(c.column)).
			Where("? > ?", bun.Ident(c.id), after).Where("length(?) > 0", bun.Ident(c.column)).OrderExpr("?", bun.Ident(c.id)).Limit(int64(limit)).Scan(ctx, &rows)
	})
	if err != nil {
		return nil, fmt.Errorf("read %s.%s: %w", c.table, c.column, err)
	}
	return rows, nil
}

// resealRow writes the value under the newest key; false when someone else has written the row meanwhile, who used the newest one.
func (s *Store) resealRow(ctx context.Context, c encryptedColumn, r Reseal, row sealedRow) (bool, error) {
	bound := c.bound(row.ID)
	plain, err := r.Open(row.Value, bound)
	if err != nil {
		return false, err
	}
	sealed, err := r.Seal(plain, bound)
	clear(plain)
	if err != nil {
		return false, err
	}
	var n int64
	err = s.Update(ctx, func(tx *Tx) error {
		res, err := tx.db.NewUpdate().TableExpr("?", bun.Ident(c.table)).Set("? = ?", bun.Ident(c.column), sealed).
			Where("? = ?", bun.Ident(c.id), row.ID).Where("? = ?", bun.Ident(c.column), row.Value).Exec(ctx)
		n, err = touched("write", res, err)
		return err
	})
	return n == 1, err
}

// KeysInUse gives the id of every key that a value of the record is sealed by, in order. sealedBy reads it off the first bytes of a value.
func (s *Store) KeysInUse(ctx context.Context, sealedBy func(sealed []byte) string) ([]string, error) {
	var ids []string
	err := s.View(ctx, func(tx *Tx) error {
		ids = nil
		for _, c := range encryptedColumns() {
			var prefixes [][]byte
			err := tx.db.NewSelect().TableExpr("?", bun.Ident(c.table)).ColumnExpr("DISTINCT substr(?, 1, ?)", bun.Ident(c.column), keyPrefix).
				Where("length(?) > 0", bun.Ident(c.column)).Scan(ctx, &prefixes)
			if err != nil {
				return fmt.Errorf("read the keys of %s.%s: %w", c.table, c.column, err)
			}
			for _, p := range prefixes {
				ids = append(ids, sealedBy(p))
			}
		}
		return nil
	})
	slices.Sort(ids)
	return slices.Compact(ids), err
}

type canaryRow struct {
	bun.BaseModel `bun:"table:keyset_canary"`

	Name      string `bun:"name,pk"`
	Value     []byte `bun:"value"`
	CreatedAt int64  `bun:"created_at"`
}

// KeepCanary keeps a sealed value if there is none yet, and gives the one that is kept: of processes that start at once, the first one's.
func (s *Store) KeepCanary(ctx context.Context, sealed []byte) (kept []byte, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		row := canaryRow{Name: canaryName, Value: sealed, CreatedAt: micros(time.Now())}
		if _, err := tx.db.NewInsert().Model(&row).On("CONFLICT (name) DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("insert the canary of the keyset: %w", err)
		}
		var there canaryRow
		if err := tx.db.NewSelect().Model(&there).Where("name = ?", canaryName).Scan(ctx); err != nil {
			return fmt.Errorf("read the canary of the keyset: %w", err)
		}
		kept = there.Value
		return nil
	})
	return kept, err
}
