package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// one reads the one row that narrow finds, or gives the error of what is missing.
func one[R any](ctx context.Context, t *Tx, what string, missing error, narrow func(*bun.SelectQuery) *bun.SelectQuery) (R, error) {
	var row R
	err := narrow(t.db.NewSelect().Model(&row)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return row, missing
	}
	if err != nil {
		return row, fmt.Errorf("read %s: %w", what, err)
	}
	return row, nil
}

// many reads every row that narrow finds.
func many[R any](ctx context.Context, t *Tx, what string, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([]R, error) {
	var rows []R
	if err := narrow(t.db.NewSelect().Model(&rows)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return rows, nil
}

// nouns gives the noun of each row.
func nouns[R, N any](rows []R, of func(R) (N, error)) ([]N, error) {
	out := make([]N, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = of(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// newest narrows a list to one page, newest first: ids sort by the time they were made. It starts before an id, if there is one.
func newest(sel *bun.SelectQuery, before string, limit int) *bun.SelectQuery {
	if before != "" {
		sel = sel.Where("id < ?", clean(before))
	}
	return sel.Order("id DESC").Limit(int64(pageLimit(limit)))
}

// held locks the rows that an Update reads until it ends, so that what depends on them is decided by one at a time. A View only reads.
func (t *Tx) held(sel *bun.SelectQuery) *bun.SelectQuery {
	if t.readOnly {
		return sel
	}
	return t.locking(sel, "UPDATE")
}

// touch moves a time of a row forward; it never goes back, and a row that is not there is none to touch.
func (t *Tx) touch(ctx context.Context, table, column, id string, at int64) error {
	_, err := t.db.NewUpdate().Table(table).Set("? = ?", bun.Ident(column), at).Where("id = ?", clean(id)).Where("? < ?", bun.Ident(column), at).Exec(ctx)
	if err != nil {
		return fmt.Errorf("touch %s: %w", table, err)
	}
	return nil
}

// deleted tells what became of a delete of one row.
func deleted(doing string, res sql.Result, err, missing error) error {
	n, err := touched(doing, res, err)
	if err == nil && n == 0 {
		return missing
	}
	return err
}

// duplicate is the Conflict of something that is there already.
func duplicate(field, format string, args ...any) error {
	e := blueberry.Errorf(blueberry.Conflict, "DUPLICATE_RESOURCE", format, args...)
	e.Fields = []blueberry.Fault{{Field: field, Code: "taken", Message: e.Detail}}
	return e
}
