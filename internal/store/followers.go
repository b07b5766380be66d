package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Follower is the Seq of the last event that was handed to who follows the events under a name. One who is new begins behind all that there is.
func (t *Tx) Follower(ctx context.Context, name string) (seq int64, err error) {
	err = t.db.NewRaw("SELECT seq FROM followers WHERE name = ?", clean(name)).Scan(ctx, &seq)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t.newFollower(ctx, name)
	case err != nil:
		return 0, fmt.Errorf("read follower: %w", err)
	}
	return seq, nil
}

func (t *Tx) newFollower(ctx context.Context, name string) (int64, error) {
	if t.readOnly {
		return 0, errReadOnly
	}
	seq, err := t.MaxEventSeq(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := t.db.NewRaw("INSERT INTO followers (name, seq) VALUES (?, ?) ON CONFLICT DO NOTHING", clean(name), seq).Exec(ctx); err != nil {
		return 0, fmt.Errorf("add follower: %w", err)
	}
	return seq, nil
}

// MoveFollower notes that the events up to a Seq were handed over, or is Conflict with code FOLLOWER_MOVED when another server did so since from was read.
func (t *Tx) MoveFollower(ctx context.Context, name string, from, to int64) error {
	if t.readOnly {
		return errReadOnly
	}
	res, err := t.db.NewRaw("UPDATE followers SET seq = ? WHERE name = ? AND seq = ?", to, clean(name), from).Exec(ctx)
	return deleted("move follower", res, err, blueberry.Errorf(blueberry.Conflict, "FOLLOWER_MOVED", "another server has followed the events meanwhile"))
}
