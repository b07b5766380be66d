package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// touched is how many rows a statement wrote.
func touched(doing string, res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	return n, nil
}

// guarded is one row that is written only while it has the version that the writer has read.
type guarded struct {
	label   string // "config set default/shop"
	version int64
	there   *bun.SelectQuery // finds the row whatever its version
	missing error            // when there is none
}

// check tells what became of a write that named the version.
func (g guarded) check(ctx context.Context, doing string, res sql.Result, err error) error {
	n, err := touched(doing, res, err)
	if err != nil || n == 1 {
		return err
	}
	there, err := g.there.Exists(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if !there {
		return g.missing
	}
	return g.moved()
}

func (g guarded) moved() error {
	return blueberry.Errorf(blueberry.Conflict, "VERSION_MOVED", "%s was changed since version %d was read", g.label, g.version)
}

// nameTaken is the Conflict of something that another one of its name stands in the way of.
func nameTaken(code, what string) error {
	e := blueberry.Errorf(blueberry.Conflict, code, "there is a %s", what)
	e.Fields = []blueberry.Fault{{Field: "name", Code: "taken", Message: e.Detail}}
	return e
}

// locking has a query lock the rows that it reads until the transaction ends: "SHARE", "UPDATE". SQLite has one writer anyway.
func (t *Tx) locking(sel *bun.SelectQuery, lock string) *bun.SelectQuery {
	if lock == "" || t.store.dialect != Postgres {
		return sel
	}
	return sel.For(lock)
}
