package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Audit reads the entries of a query that are in the record, newest first. A limit of 0 is DefaultPageSize; the highest is one more than MaxPageSize, by which
// the caller knows whether there is another page.
func (t *Tx) Audit(ctx context.Context, q blueberry.AuditQuery) ([]blueberry.AuditEntry, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = blueberry.DefaultPageSize
	}
	var rows []auditRow
	sel := auditFilter(t.db.NewSelect().Model(&rows), q)
	if q.Before != "" {
		sel = sel.Where("id < ?", clean(q.Before))
	}
	if err := sel.Order("id DESC").Limit(int64(min(limit, blueberry.MaxPageSize+1))).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}
	return auditEntries(rows)
}

// AuditRun reads sealed entries of a query in the order of the chain: those behind the place after, up to the place until. Before of the query is not heard.
func (t *Tx) AuditRun(ctx context.Context, q blueberry.AuditQuery, after, until int64, limit int) ([]blueberry.AuditEntry, error) {
	var rows []auditRow
	sel := auditFilter(t.db.NewSelect().Model(&rows), q).Where("seq > 0").Where("seq > ?", after).Where("seq <= ?", until)
	if err := sel.Order("seq").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	return auditEntries(rows)
}

func auditFilter(sel *bun.SelectQuery, q blueberry.AuditQuery) *bun.SelectQuery {
	if q.Actor != "" {
		x := clean(q.Actor)
		sel = sel.Where("(actor_id = ? OR actor_name = ? OR user_id = ? OR on_behalf_of = ?)", x, x, x, x)
	}
	switch {
	case strings.HasSuffix(q.Action, ":"):
		sel = sel.Where("substr(action, 1, ?) = ?", len([]rune(clean(q.Action))), clean(q.Action)) // no LIKE, whose case is another one on each database
	case q.Action != "":
		sel = sel.Where("action = ?", clean(q.Action))
	}
	for _, x := range []struct{ column, value string }{
		{"id", q.ID}, {"resource", q.Resource}, {"project", q.Project}, {"result", string(q.Result)}, {"request_id", q.Request},
	} {
		if x.value != "" {
			sel = sel.Where("? = ?", bun.Ident(x.column), clean(x.value))
		}
	}
	if q.Projects != nil {
		projects := make([]string, 0, len(q.Projects)+1)
		for _, p := range q.Projects {
			if p != "" { // what is the installation's is nobody's who may read some projects only
				projects = append(projects, clean(p))
			}
		}
		if len(projects) == 0 {
			sel = sel.Where("1 = 0")
		} else {
			sel = sel.Where("project IN (?)", bun.List(projects))
		}
	}
	if q.Search != "" {
		lower := "lower(?)"
		if sel.Dialect().Name() == dialect.PG {
			lower = `lower(? COLLATE "C")` // as SQLite's, which knows the letters of ASCII alone
		}
		pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(blueberry.LowerASCII(clean(q.Search))) + "%"
		sel = sel.WhereGroup(" AND ", func(sel *bun.SelectQuery) *bun.SelectQuery {
			for _, column := range []string{"detail", "resource", "actor_name", "actor_id"} {
				sel = sel.WhereOr(lower+` LIKE ? ESCAPE '\'`, bun.Ident(column), pattern)
			}
			return sel
		})
	}
	return auditBetween(sel, q.From, q.To)
}

// auditBetween bounds the time, from included, to excluded. An id begins with its time, so the bounds of ids serve the index.
func auditBetween(sel *bun.SelectQuery, from, to time.Time) *bun.SelectQuery {
	if !from.IsZero() {
		sel = sel.Where("at >= ?", micros(from)).Where("id >= ?", blueberry.FirstID(blueberry.AuditID, from))
	}
	if !to.IsZero() {
		sel = sel.Where("at < ?", micros(to)).Where("id < ?", blueberry.FirstID(blueberry.AuditID, to.Add(time.Millisecond)))
	}
	return sel
}
