package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// sortColumn is the column of a sort order, and how a row stands in it. The indexes of migration 1 hold each column with the id.
type sortColumn struct {
	column string
	text   bool
	of     func(environmentRow) any
}

func sortColumnOf(s blueberry.EnvironmentSort) (sortColumn, bool) {
	switch s {
	case "", blueberry.SortByCreated:
		return sortColumn{"created_at", false, func(r environmentRow) any { return r.CreatedAt }}, true
	case blueberry.SortByName:
		return sortColumn{"name", true, func(r environmentRow) any { return r.Name }}, true
	case blueberry.SortByExpires:
		return sortColumn{"expires_at", false, func(r environmentRow) any { return r.ExpiresAt }}, true
	case blueberry.SortByPhase:
		return sortColumn{"phase", true, func(r environmentRow) any { return r.Phase }}, true
	case blueberry.SortByUpdated:
		return sortColumn{"updated_at", false, func(r environmentRow) any { return r.UpdatedAt }}, true
	}
	return sortColumn{}, false
}

// ListEnvironments reads one page. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize. An unknown sort is Invalid on "sort", a cursor
// of another query or of nobody on "cursor".
func (t *Tx) ListEnvironments(ctx context.Context, q blueberry.EnvironmentQuery) (blueberry.EnvironmentPage, error) {
	var f blueberry.Faults
	by, ok := sortColumnOf(q.Sort)
	if !ok {
		f.Add("sort", "unknown", "%q is no sort order of environments", q.Sort)
	}
	var from position
	if q.Cursor != "" && ok {
		var err error
		if from, err = decodeCursor(q.Cursor, environmentsDigest(q), by.text); err != nil {
			f.Add("cursor", "cursor", "is not a cursor of this query")
		}
	}
	if err := f.Err(); err != nil {
		return blueberry.EnvironmentPage{}, err
	}
	limit := pageLimit(q.Limit)

	var rows []environmentRow
	order := func(sel *bun.SelectQuery) *bun.SelectQuery {
		direction := "ASC"
		if q.Desc {
			direction = "DESC"
		}
		return sel.OrderExpr("? ?, id ?", bun.Ident(by.column), bun.Safe(direction), bun.Safe(direction))
	}
	chosen := func(sel *bun.SelectQuery) *bun.SelectQuery {
		if sel = t.labelled(filter(sel, q), q.Labels); q.In != nil {
			sel = within(sel, t.unindexed("project"), q.In)
		}
		if q.Cursor != "" {
			beyond := ">"
			if q.Desc {
				beyond = "<"
			}
			sel = sel.Where("(?, id) ? (?, ?)", bun.Ident(by.column), bun.Safe(beyond), from.key(by), clean(from.ID))
		}
		return order(sel).Limit(int64(limit) + 1)
	}
	sel := t.db.NewSelect().Model(&rows).ExcludeColumn("search")
	if t.store.dialect == SQLite && inFacets(q) {
		sel = order(sel.Where("id IN (?)", chosen(t.db.NewSelect().ColumnExpr("id").TableExpr("environments INDEXED BY environments_live_facets"))))
	} else {
		sel = chosen(sel)
	}
	err := sel.Scan(ctx)
	if err != nil {
		return blueberry.EnvironmentPage{}, fmt.Errorf("list environments: %w", err)
	}

	page := blueberry.EnvironmentPage{Items: make([]blueberry.Environment, 0, min(limit, len(rows)))}
	for i, r := range rows {
		if i == limit {
			if page.Next, err = encodeCursor(positionOf(q, by, rows[limit-1])); err != nil {
				return blueberry.EnvironmentPage{}, err
			}
			break
		}
		e, err := r.environment()
		if err != nil {
			return blueberry.EnvironmentPage{}, err
		}
		page.Items = append(page.Items, e)
	}
	return page, nil
}

// inFacets reports whether a page is found faster in the index that holds all that lists are filtered and sorted by. SQLite knows nothing of how many rows a
// filter leaves. It walks in the order of the list past every whole row until the page is full, which takes long when few rows are left, or it sorts whole rows
// by the index of one filter, which takes longer when many are. In the index it reads and sorts a tenth as much, and only then the rows of the page. A list that
// nothing narrows is walked in its order, and one name has few rows.
func inFacets(q blueberry.EnvironmentQuery) bool {
	return !slices.Contains(q.Phases, blueberry.Terminated) && q.Name == "" &&
		(len(q.Phases) > 0 || q.Project != "" || q.Owner != "" || q.Target != "" || q.Restricted != nil || q.Search != "" || len(q.Labels) > 0 || q.In != nil)
}

func filter(sel *bun.SelectQuery, q blueberry.EnvironmentQuery) *bun.SelectQuery {
	if !slices.Contains(q.Phases, blueberry.Terminated) {
		sel = sel.Where("phase <> 'terminated'") // word for word as in the indexes, which serve only then
	}
	if len(q.Phases) > 0 {
		phases := make([]string, len(q.Phases))
		for i, p := range q.Phases {
			phases[i] = clean(string(p))
		}
		sel = sel.Where("phase IN (?)", bun.List(phases))
	}
	for _, x := range []struct{ column, value string }{{"project", q.Project}, {"name", q.Name}, {"owner", q.Owner}, {"target", q.Target}} {
		if x.value != "" {
			sel = sel.Where("? = ?", bun.Ident(x.column), clean(x.value))
		}
	}
	if q.Restricted != nil {
		sel = sel.Where("restricted = ?", *q.Restricted)
	}
	if q.Search != "" {
		sel = sel.Where(`search LIKE ? ESCAPE '\'`, likePart(q.Search))
	}
	return sel
}

// unindexed is a column whose indexes are not to be used. SQLite knows nothing of how many rows a project has: it would read and sort all of many projects
// for one page, which takes thirty times as long as to walk in the order of the list and leave out the others.
func (t *Tx) unindexed(column string) schema.QueryAppender {
	if t.store.dialect == SQLite {
		return bun.SafeQuery("+?", bun.Ident(column))
	}
	return bun.SafeQuery("?", bun.Ident(column))
}

// within keeps the rows whose project, as the column says it, is one of those. Of no project there are none.
func within(sel *bun.SelectQuery, column schema.QueryAppender, projects []string) *bun.SelectQuery {
	if len(projects) == 0 {
		return sel.Where("1 = 0")
	}
	names := make([]string, len(projects))
	for i, p := range projects {
		names[i] = clean(p)
	}
	return sel.Where("? IN (?)", column, bun.List(names))
}

// environmentsDigest is the digest of the query. Phases in another order and the default sort by its name are the same query.
func environmentsDigest(q blueberry.EnvironmentQuery) string {
	if q.Sort == "" {
		q.Sort = blueberry.SortByCreated
	}
	phases := slices.Clone(q.Phases)
	slices.Sort(phases)
	restricted := ""
	if q.Restricted != nil {
		restricted = strconv.FormatBool(*q.Restricted)
	}
	return queryDigest(q.Project, q.Name, q.Search, q.Owner, q.Target, restricted, labelsKey(q.Labels), slices.Compact(phases), q.Sort, strconv.FormatBool(q.Desc), strconv.FormatBool(q.In == nil), q.In)
}

// positionOf is where a row stands in the order of the query.
func positionOf(q blueberry.EnvironmentQuery, by sortColumn, last environmentRow) position {
	p := position{Query: environmentsDigest(q), ID: last.ID}
	switch v := by.of(last).(type) {
	case string:
		p.Text = v
	case int64:
		p.Int = v
	}
	return p
}

func (p position) key(by sortColumn) any {
	if by.text {
		return clean(p.Text)
	}
	return p.Int
}
