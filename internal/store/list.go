package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

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
		if from, err = decodeCursor(q, by); err != nil {
			f.Add("cursor", "cursor", "is not a cursor of this query")
		}
	}
	if err := f.Err(); err != nil {
		return blueberry.EnvironmentPage{}, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = blueberry.DefaultPageSize
	}
	limit = min(limit, blueberry.MaxPageSize)

	var rows []environmentRow
	sel := filter(t.db.NewSelect().Model(&rows).ExcludeColumn("search"), q)
	direction, beyond := "ASC", ">"
	if q.Desc {
		direction, beyond = "DESC", "<"
	}
	if q.Cursor != "" {
		sel = sel.Where("(?, id) ? (?, ?)", bun.Ident(by.column), bun.Safe(beyond), from.key(by), clean(from.ID))
	}
	err := sel.OrderExpr("? ?, id ?", bun.Ident(by.column), bun.Safe(direction), bun.Safe(direction)).Limit(int64(limit) + 1).Scan(ctx)
	if err != nil {
		return blueberry.EnvironmentPage{}, fmt.Errorf("list environments: %w", err)
	}

	page := blueberry.EnvironmentPage{Items: make([]blueberry.Environment, 0, min(limit, len(rows)))}
	for i, r := range rows {
		if i == limit {
			if page.Next, err = encodeCursor(q, by, rows[limit-1]); err != nil {
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
	for _, x := range []struct{ column, value string }{{"project", q.Project}, {"name", q.Name}, {"owner", q.Owner}} {
		if x.value != "" {
			sel = sel.Where("? = ?", bun.Ident(x.column), clean(x.value))
		}
	}
	if q.Search != "" {
		part := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(clean(q.Search)))
		sel = sel.Where(`search LIKE ? ESCAPE '\'`, "%"+part+"%")
	}
	return sel
}

// position is what a cursor holds: the last row of the page before, and which query it is of.
type position struct {
	Query string `json:"q"`
	Text  string `json:"t,omitempty"`
	Int   int64  `json:"i,omitempty"`
	ID    string `json:"id"`
}

func (p position) key(by sortColumn) any {
	if by.text {
		return clean(p.Text)
	}
	return p.Int
}

const maxCursor = 512 // characters; ours have about 120

// queryDigest binds a cursor to everything that decides on the order and the choice of rows. It keeps callers from mistakes, not from mischief: whoever
// may list may start anywhere.
func queryDigest(q blueberry.EnvironmentQuery) string {
	q.Cursor, q.Limit = "", 0
	if q.Sort == "" {
		q.Sort = blueberry.SortByCreated
	}
	phases := slices.Clone(q.Phases)
	slices.Sort(phases)
	q.Phases = slices.Compact(phases)
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", []any{q.Project, q.Name, q.Search, q.Owner, q.Phases, q.Sort, fmt.Sprint(q.Desc)}))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func encodeCursor(q blueberry.EnvironmentQuery, by sortColumn, last environmentRow) (string, error) {
	p := position{Query: queryDigest(q), ID: last.ID}
	switch v := by.of(last).(type) {
	case string:
		p.Text = v
	case int64:
		p.Int = v
	}
	b, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("encode cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func decodeCursor(q blueberry.EnvironmentQuery, by sortColumn) (position, error) {
	if len(q.Cursor) > maxCursor {
		return position{}, fmt.Errorf("cursor has %d characters", len(q.Cursor))
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	if err != nil {
		return position{}, fmt.Errorf("decode cursor: %w", err)
	}
	var p position
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return position{}, fmt.Errorf("decode cursor: %w", err)
	}
	if d.More() || p.ID == "" || by.text && p.Int != 0 || !by.text && p.Text != "" {
		return position{}, fmt.Errorf("cursor is of another form")
	}
	if p.Query != queryDigest(q) {
		return position{}, fmt.Errorf("cursor is of another query")
	}
	return p, nil
}
