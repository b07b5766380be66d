package store

import (
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// savedViewRow is a saved view as kept.
type savedViewRow struct {
	bun.BaseModel `bun:"table:saved_views"`

	UserID    string `bun:"user_id,pk"`
	Name      string `bun:"name,pk"`
	Page      string `bun:"page"`
	Query     string `bun:"query"`
	CreatedAt int64  `bun:"created_at"`
}

func (r savedViewRow) view() (blueberry.SavedView, error) {
	return blueberry.SavedView{UserID: r.UserID, Name: r.Name, Page: r.Page, Query: r.Query, CreatedAt: timeOf(r.CreatedAt)}, nil
}

// SavedViews reads those of a user, by name.
func (t *Tx) SavedViews(ctx context.Context, userID string) ([]blueberry.SavedView, error) {
	rows, err := many[savedViewRow](ctx, t, "saved views", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("user_id = ?", clean(userID)) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b savedViewRow) int { return strings.Compare(a.Name, b.Name) }) // databases have orders of their own
	return nouns(rows, savedViewRow.view)
}

// PutSavedView adds one, or puts it in the place of the one of its name. NotFound when there is no such user.
func (t *Tx) PutSavedView(ctx context.Context, v blueberry.SavedView) error {
	row := savedViewRow{UserID: clean(v.UserID), Name: clean(v.Name), Page: clean(v.Page), Query: clean(v.Query), CreatedAt: micros(v.CreatedAt)}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT (user_id, name) DO UPDATE").Set("page = EXCLUDED.page").Set("query = EXCLUDED.query").Set("created_at = EXCLUDED.created_at").Exec(ctx)
	if missingReference(err) {
		return userNotFound(v.UserID)
	}
	_, err = touched("put saved view", res, err)
	return err
}

// DeleteSavedView removes one of a user, or NotFound with code VIEW_NOT_FOUND.
func (t *Tx) DeleteSavedView(ctx context.Context, userID, name string) error {
	res, err := t.db.NewDelete().Model((*savedViewRow)(nil)).Where("user_id = ?", clean(userID)).Where("name = ?", clean(name)).Exec(ctx)
	return deleted("delete saved view", res, err, blueberry.Errorf(blueberry.NotFound, "VIEW_NOT_FOUND", "there is no saved view %q", name))
}
