package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// preferencesRow is preferences as kept.
type preferencesRow struct {
	bun.BaseModel `bun:"table:preferences"`

	UserID    string `bun:"user_id,pk"`
	Off       bool   `bun:"is_off"`
	Events    string `bun:"events"`
	Mail      bool   `bun:"by_mail"`
	Channel   string `bun:"channel"`
	Quiet     string `bun:"quiet"`
	Muted     string `bun:"muted"`
	UpdatedAt int64  `bun:"updated_at"`
	Version   int64  `bun:"version"`
}

func preferencesToRow(p blueberry.Preferences) (preferencesRow, error) {
	row := preferencesRow{UserID: clean(p.UserID), Off: p.Off, Mail: p.Mail, UpdatedAt: micros(p.UpdatedAt), Version: p.Version + 1}
	for _, x := range []struct {
		what string
		from any
		to   *string
	}{{"event patterns", p.Events, &row.Events}, {"channel", p.Channel, &row.Channel}, {"quiet hours", p.Quiet, &row.Quiet}, {"muted projects", p.Muted, &row.Muted}} {
		text, err := encode(x.what, x.from)
		if err != nil {
			return row, err
		}
		*x.to = clean(text)
	}
	return row, nil
}

func (r preferencesRow) preferences() (blueberry.Preferences, error) {
	out := blueberry.Preferences{UserID: r.UserID, Off: r.Off, Mail: r.Mail, UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version}
	for _, x := range []struct {
		what, from string
		to         any
	}{{"event patterns", r.Events, &out.Events}, {"channel", r.Channel, &out.Channel}, {"quiet hours", r.Quiet, &out.Quiet}, {"muted projects", r.Muted, &out.Muted}} {
		if err := decode(x.what, x.from, x.to); err != nil {
			return out, err
		}
	}
	return out, nil
}

func preferencesNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "PREFERENCES_NOT_FOUND", "user %s has set no preferences", id)
}

// Preferences reads those of a user, or NotFound with code PREFERENCES_NOT_FOUND while none are set.
func (t *Tx) Preferences(ctx context.Context, userID string) (blueberry.Preferences, error) {
	row, err := one[preferencesRow](ctx, t, "preferences", preferencesNotFound(userID), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("user_id = ?", clean(userID)) })
	if err != nil {
		return blueberry.Preferences{}, err
	}
	return row.preferences()
}

// PutPreferences writes p if those that are there are still at p.Version, of which 0 is that of none, else Conflict with code VERSION_MOVED; the version then
// counts up by one. NotFound when there is no such user.
func (t *Tx) PutPreferences(ctx context.Context, p blueberry.Preferences) error {
	row, err := preferencesToRow(p)
	if err != nil {
		return err
	}
	moved := blueberry.Errorf(blueberry.Conflict, "VERSION_MOVED", "the preferences have changed meanwhile")
	if p.Version == 0 {
		res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		if missingReference(err) {
			return userNotFound(p.UserID)
		}
		return deleted("insert preferences", res, err, moved)
	}
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("user_id").Where("user_id = ?", row.UserID).Where("version = ?", p.Version).Exec(ctx)
	return deleted("update preferences", res, err, moved)
}

// personal keeps the subscriptions that are of people, or those that are not.
func personal(s *bun.SelectQuery, are bool) *bun.SelectQuery {
	compare := "<>"
	if are {
		compare = "="
	}
	return s.Where("substr(project, 1, ?) "+compare+" ?", len(blueberry.UserID)+1, blueberry.UserID+"_")
}

// PersonalWishes reads who has set preferences and owns one of the environments: their subscriptions that are on, by id, without addresses and secrets; none of
// them is removed before the transaction ends.
func (t *Tx) PersonalWishes(ctx context.Context, environments []string) ([]blueberry.PersonalWish, error) {
	if len(environments) == 0 {
		return nil, nil
	}
	var found []struct {
		ID, Environment string
	}
	ids := make([]string, len(environments))
	for i, id := range environments {
		ids[i] = clean(id)
	}
	err := t.db.NewSelect().TableExpr("environments AS e").Join("JOIN users AS u ON u.email = e.owner").Join("JOIN subscriptions AS s ON s.project = u.id").
		ColumnExpr("s.id AS id").ColumnExpr("e.id AS environment").Where("e.id IN (?)", bun.List(ids)).Where("NOT s.is_off").OrderExpr("s.id, e.id").Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("read personal subscriptions: %w", err)
	}
	of := map[string][]string{}
	var subs []string
	for _, x := range found {
		if of[x.ID] == nil {
			subs = append(subs, x.ID)
		}
		of[x.ID] = append(of[x.ID], x.Environment)
	}
	var out []blueberry.PersonalWish
	for part := range slices.Chunk(subs, noticesAtOnce) {
		rows, err := many[subscriptionRow](ctx, t, "subscriptions", func(s *bun.SelectQuery) *bun.SelectQuery {
			s = s.ExcludeColumn("address", "secrets").Where("id IN (?)", bun.List(part)).Where("NOT is_off").Order("id")
			if t.readOnly {
				return s
			}
			return t.locking(s, "KEY SHARE")
		})
		if err != nil {
			return nil, err
		}
		list, err := nouns(rows, subscriptionRow.subscription)
		if err != nil {
			return nil, err
		}
		for _, sub := range list {
			p, err := t.Preferences(ctx, sub.Project)
			if err != nil {
				return nil, err
			}
			out = append(out, blueberry.PersonalWish{Subscription: sub, Preferences: p, Environments: of[sub.ID]})
		}
	}
	return out, nil
}

// UserIDByLabel gives the id of the user who is called so in owner fields, or NotFound.
func (t *Tx) UserIDByLabel(ctx context.Context, label string) (string, error) {
	u, err := t.UserByEmail(ctx, label)
	return u.ID, err
}
