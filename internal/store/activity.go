package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const touchChunk = 1000 // environments of one statement

// TouchActivity notes when environments were last used, by id; of two times the later is kept, and ids that are unknown are left out. No version of an
// environment moves.
func (t *Tx) TouchActivity(ctx context.Context, at map[string]time.Time) error {
	if t.readOnly {
		return errReadOnly
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(at)), touchChunk) { // one order for everybody who locks
		args := make([]any, 0, 2*len(ids))
		for _, id := range ids {
			args = append(args, clean(id), micros(at[id]))
		}
		rows := strings.TrimSuffix(strings.Repeat("(?, CAST(? AS bigint)), ", len(ids)), ", ")
		_, err := t.db.NewRaw(`INSERT INTO activity (environment_id, at)
			SELECT environments.id, touched.column2 FROM (VALUES `+rows+`) AS touched, environments WHERE environments.id = touched.column1 ORDER BY environments.id
			ON CONFLICT (environment_id) DO UPDATE SET at = EXCLUDED.at WHERE activity.at < EXCLUDED.at`, args...).Exec(ctx)
		if err != nil {
			return fmt.Errorf("touch activity: %w", err)
		}
	}
	return nil
}

// Activity is when an environment was last used; zero for never.
func (t *Tx) Activity(ctx context.Context, environmentID string) (time.Time, error) {
	var at int64
	err := t.db.NewSelect().Table("activity").Column("at").Where("environment_id = ?", clean(environmentID)).Scan(ctx, &at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("read activity: %w", err)
	}
	return timeOf(at), nil
}

type wakeRow struct {
	bun.BaseModel `bun:"table:wake_entries"`

	EnvironmentID string `bun:"environment_id,pk"`
	Seq           int64  `bun:"seq,pk"`
	Asleep        bool   `bun:"asleep"`
	Why           string `bun:"why"`
	Actor         string `bun:"actor"`
	Detail        string `bun:"detail"`
	At            int64  `bun:"at"`
}

func (r wakeRow) entry() (blueberry.WakeEntry, error) {
	return blueberry.WakeEntry{
		EnvironmentID: r.EnvironmentID, Seq: r.Seq, Asleep: r.Asleep, Why: blueberry.WakeReason(r.Why), By: r.Actor, Detail: r.Detail, At: timeOf(r.At),
	}, nil
}

// AppendWake adds a line to the wake ledger of an environment, behind its last one; NotFound when there is no such environment.
func (t *Tx) AppendWake(ctx context.Context, w blueberry.WakeEntry) error {
	if err := t.lockEnvironment(ctx, w.EnvironmentID); err != nil { // so that two do not take one number
		return err
	}
	row := wakeRow{EnvironmentID: clean(w.EnvironmentID), Asleep: w.Asleep, Why: clean(string(w.Why)), Actor: clean(w.By), Detail: clean(w.Detail), At: micros(w.At)}
	err := t.db.NewSelect().Model((*wakeRow)(nil)).ColumnExpr("COALESCE(MAX(seq), 0) + 1").Where("environment_id = ?", row.EnvironmentID).Scan(ctx, &row.Seq)
	if err != nil {
		return fmt.Errorf("number wake entry: %w", err)
	}
	if _, err := t.db.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("insert wake entry: %w", err)
	}
	return nil
}

// lockEnvironment keeps others from changing an environment until the transaction ends; NotFound when it is not there.
func (t *Tx) lockEnvironment(ctx context.Context, id string) error {
	if t.readOnly {
		return errReadOnly
	}
	var found string
	sel := t.db.NewSelect().Model((*environmentRow)(nil)).Column("id").Where("id = ?", clean(id))
	err := t.locking(sel, "NO KEY UPDATE").Scan(ctx, &found)
	if errors.Is(err, sql.ErrNoRows) {
		return environmentNotFound(id)
	}
	if err != nil {
		return fmt.Errorf("lock environment: %w", err)
	}
	return nil
}

// WakeEntries reads lines of the wake ledger before a Seq (0 for the newest), newest first. A limit of 0 is DefaultPageSize, one above MaxPageSize is
// MaxPageSize.
func (t *Tx) WakeEntries(ctx context.Context, environmentID string, before int64, limit int) ([]blueberry.WakeEntry, error) {
	rows, err := many[wakeRow](ctx, t, "wake ledger", func(s *bun.SelectQuery) *bun.SelectQuery {
		if before > 0 {
			s = s.Where("seq < ?", before)
		}
		return s.Where("environment_id = ?", clean(environmentID)).Order("seq DESC").Limit(int64(pageLimit(limit)))
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, wakeRow.entry)
}
