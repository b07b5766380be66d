package store

import (
	"context"
	"fmt"
)

// DeleteUser removes one with all that is of them, if the row's version is still the one given, else Conflict with code VERSION_MOVED.
func (t *Tx) DeleteUser(ctx context.Context, id string, version int64) error {
	res, err := t.db.NewDelete().Model((*userRow)(nil)).Where("id = ?", clean(id)).Where("version = ?", version).Exec(ctx) // the references take the rest along
	g := guarded{
		label: "user " + id, version: version,
		there: t.db.NewSelect().Model((*userRow)(nil)).Where("id = ?", clean(id)), missing: userNotFound(id),
	}
	if err := g.check(ctx, "delete user", res, err); err != nil {
		return err
	}
	if _, err := t.db.NewDelete().Table("links").Where("user_id = ?", clean(id)).Exec(ctx); err != nil { // not a reference: the link of the first owner has no user
		return fmt.Errorf("delete links: %w", err)
	}
	_, err = t.dropSubscriptions(ctx, "project", id) // of the person
	return err
}
