package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// entryColumns is what config sets and blueprints of the catalogue have in common.
type entryColumns struct {
	ID        string `bun:"id,pk"`
	Project   string `bun:"project"`
	Name      string `bun:"name"`
	Latest    int    `bun:"latest"`
	CreatedAt int64  `bun:"created_at"`
	UpdatedAt int64  `bun:"updated_at"`
	Version   int64  `bun:"version"`
}

func (c entryColumns) entry() entryColumns { return c }

// versionColumns is what their versions have in common.
type versionColumns struct {
	Number  int    `bun:"number,pk"`
	Author  string `bun:"author"`
	Message string `bun:"message"`
	sourceColumns
	Digest    string `bun:"digest"`
	CreatedAt int64  `bun:"created_at"`
	Content   []byte `bun:"content,notnull"`
}

// entryKind names one of the two in queries and errors.
type entryKind struct {
	noun  string // "config set"
	code  string // of its errors: "CONFIG_SET"
	table string
	uses
}

func configSets() entryKind {
	return entryKind{"config set", "CONFIG_SET", "config_sets", ofConfigSet()}
}

func blueprints() entryKind { return entryKind{"blueprint", "BLUEPRINT", "blueprints", ofBlueprint()} }

// missing is the NotFound of one that is looked for by id, or by project and name.
func (k entryKind) missing(what string) error {
	return blueberry.Errorf(blueberry.NotFound, k.code+"_NOT_FOUND", "there is no %s %q", k.noun, what)
}

// scoped names one as a reference does: "shop", "global/shop".
func labelOf(project, name string) string {
	if project == "" {
		return blueberry.GlobalScope + "/" + name
	}
	return name
}

// guard is the guard of one's row.
func (t *Tx) guard(k entryKind, id, project, name string, version int64) guarded {
	return guarded{
		label: k.noun + " " + labelOf(project, name), version: version,
		there: t.db.NewSelect().Table(k.table).Where("id = ?", clean(id)), missing: k.missing(id),
	}
}

// lockUnused locks the row of one that is about to go, so that nobody begins to use it, and makes sure that no living environment does. What the terminated
// ones have left is taken away.
func (t *Tx) lockUnused(ctx context.Context, k entryKind, g guarded, id string) error {
	var version int64
	err := t.locking(g.there.Column("version"), "UPDATE").Scan(ctx, &version)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return g.missing
	case err != nil:
		return fmt.Errorf("lock %s: %w", k.noun, err)
	case version != g.version:
		return g.moved()
	}
	used, err := t.used(ctx, k.uses, id)
	if err != nil {
		return err
	}
	if used {
		return blueberry.Errorf(blueberry.Conflict, k.code+"_IN_USE", "%s is used by environments", g.label)
	}
	if _, err := t.db.NewDelete().Table(k.uses.table).Where("? = ?", bun.Ident(k.column), id).Exec(ctx); err != nil {
		return fmt.Errorf("delete uses of %s: %w", k.noun, err)
	}
	return nil
}

// listEntries reads one page by name, then id; without project and global, of all, or of those of In and of none. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
// A cursor of another query or of nobody is Invalid on "cursor".
func listEntries[R interface{ entry() entryColumns }](ctx context.Context, t *Tx, k entryKind, q blueberry.CatalogueQuery) (page []R, next string, err error) {
	digest := queryDigest(k.table, q.Project, strconv.FormatBool(q.Global), q.Search, strconv.FormatBool(q.In == nil), q.In)
	sel := t.db.NewSelect().Model(&page)
	if q.Cursor != "" {
		from, err := decodeCursor(q.Cursor, digest, true)
		if err != nil {
			var f blueberry.Faults
			f.Add("cursor", "cursor", "is not a cursor of this query")
			return nil, "", f.Err()
		}
		sel = sel.Where("(name, id) > (?, ?)", clean(from.Text), clean(from.ID))
	}
	switch {
	case q.Project != "" && q.Global:
		sel = sel.Where("project IN ('', ?)", clean(q.Project))
	case q.Project != "" || q.Global:
		sel = sel.Where("project = ?", clean(q.Project))
	case q.In != nil:
		sel = within(sel, bun.Ident("project"), append([]string{""}, q.In...))
	}
	if q.Search != "" {
		sel = sel.Where(`name LIKE ? ESCAPE '\'`, likePart(q.Search)) // names are in lower case
	}
	limit := pageLimit(q.Limit)
	if err := sel.Order("name", "id").Limit(int64(limit) + 1).Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list %ss: %w", k.noun, err)
	}
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1].entry()
		next, err = encodeCursor(position{Query: digest, Text: last.Name, ID: last.ID})
	}
	return page, next, err
}

// versions reads rows of one's versions, newest first, those with a number below before (0: from the newest), without what is long.
func versions[R any](ctx context.Context, t *Tx, k entryKind, id string, before, limit int, long ...string) ([]R, error) {
	var rows []R
	sel := t.db.NewSelect().Model(&rows).ExcludeColumn(long...).Where("? = ?", bun.Ident(k.column), clean(id))
	if before > 0 {
		sel = sel.Where("number < ?", before)
	}
	if err := sel.Order("number DESC").Limit(int64(pageLimit(limit))).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", k.noun, err)
	}
	return rows, nil
}
