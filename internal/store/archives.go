package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// archiveRow is an archive as kept: what is asked for by, and the whole as gzip of JSON.
type archiveRow struct {
	bun.BaseModel `bun:"table:archives"`

	EnvironmentID string `bun:"environment_id,pk"`
	Project       string `bun:"project"`
	Environment   string `bun:"environment"`
	State         string `bun:"state"`
	ArchivedAt    int64  `bun:"archived_at"`
	LogsUntil     int64  `bun:"logs_until"`
	PurgeAt       int64  `bun:"purge_at"`
	Content       []byte `bun:"content"`
}

func (r archiveRow) archive() (blueberry.Archive, error) {
	var a blueberry.Archive
	return a, unpressExact("archive", r.Content, &a)
}

// PutArchive inserts or replaces by environment id.
func (t *Tx) PutArchive(ctx context.Context, a blueberry.Archive) error {
	content, err := t.store.pressExact("archive", a)
	if err != nil {
		return err
	}
	row := archiveRow{
		EnvironmentID: clean(a.EnvironmentID), Project: clean(a.Project), Environment: clean(a.Environment), State: clean(string(a.State)),
		ArchivedAt: micros(a.ArchivedAt), LogsUntil: micros(a.LogsUntil), PurgeAt: micros(a.PurgeAt), Content: content,
	}
	insert := t.db.NewInsert().Model(&row).On("CONFLICT (environment_id) DO UPDATE")
	for _, column := range []string{"project", "environment", "state", "archived_at", "logs_until", "purge_at", "content"} {
		insert = insert.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	if _, err := insert.Exec(ctx); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return nil
}

func archiveNotFound(environmentID string) error {
	return blueberry.Errorf(blueberry.NotFound, "ARCHIVE_NOT_FOUND", "there is no archive of environment %q", environmentID)
}

// Archive reads one, or NotFound with code ARCHIVE_NOT_FOUND.
func (t *Tx) Archive(ctx context.Context, environmentID string) (blueberry.Archive, error) {
	row, err := one[archiveRow](ctx, t, "archive", archiveNotFound(environmentID), func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("environment_id = ?", clean(environmentID))
	})
	if err != nil {
		return blueberry.Archive{}, err
	}
	return row.archive()
}

// Archives reads one page, the last archived first. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize. Before an archive that is not
// there (any more) is Invalid on "cursor".
func (t *Tx) Archives(ctx context.Context, q blueberry.ArchiveQuery) ([]blueberry.Archive, error) {
	var at int64
	if q.Before != "" {
		row, err := one[archiveRow](ctx, t, "archive", cursorGone(), func(s *bun.SelectQuery) *bun.SelectQuery {
			return s.Column("archived_at").Where("environment_id = ?", clean(q.Before))
		})
		if err != nil {
			return nil, err
		}
		at = row.ArchivedAt
	}
	rows, err := many[archiveRow](ctx, t, "archives", func(s *bun.SelectQuery) *bun.SelectQuery {
		if q.Before != "" {
			s = s.Where("(archived_at, environment_id) < (?, ?)", at, clean(q.Before))
		}
		if q.In != nil {
			s = within(s, t.unindexed("project"), q.In)
		}
		for _, x := range []struct{ column, value string }{{"project", q.Project}, {"environment", q.Environment}, {"state", string(q.State)}} {
			if x.value != "" {
				s = s.Where("? = ?", bun.Ident(x.column), clean(x.value))
			}
		}
		return s.Order("archived_at DESC", "environment_id DESC").Limit(int64(pageLimit(q.Limit)))
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, archiveRow.archive)
}

func cursorGone() error {
	var f blueberry.Faults
	f.Add("cursor", "cursor", "names what is not there any more; begin anew")
	return f.Err()
}

// ArchivesDue reads those whose logs (or, without logs, all of which) are kept no longer, the earliest first.
func (t *Tx) ArchivesDue(ctx context.Context, now time.Time, logs bool, limit int) ([]blueberry.Archive, error) {
	column := "purge_at"
	if logs {
		column = "logs_until"
	}
	rows, err := many[archiveRow](ctx, t, "archives", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("? > 0", bun.Ident(column)).Where("? <= ?", bun.Ident(column), micros(now)).
			OrderExpr("?, environment_id", bun.Ident(column)).Limit(int64(pageLimit(limit)))
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, archiveRow.archive)
}

// DeleteArchive removes one; of what is not there nothing.
func (t *Tx) DeleteArchive(ctx context.Context, environmentID string) error {
	if _, err := t.db.NewDelete().Model((*archiveRow)(nil)).Where("environment_id = ?", clean(environmentID)).Exec(ctx); err != nil {
		return fmt.Errorf("delete archive: %w", err)
	}
	return nil
}

type receiptRow struct {
	bun.BaseModel `bun:"table:receipts"`

	EnvironmentID string `bun:"environment_id,pk"`
	Content       []byte `bun:"content"`
}

// PutReceipt inserts or replaces by environment id; NotFound when there is no such environment.
func (t *Tx) PutReceipt(ctx context.Context, r blueberry.Receipt) error {
	content, err := t.store.pressExact("receipt", r)
	if err != nil {
		return err
	}
	row := receiptRow{EnvironmentID: clean(r.EnvironmentID), Content: content}
	_, err = t.db.NewInsert().Model(&row).On("CONFLICT (environment_id) DO UPDATE").Set("content = EXCLUDED.content").Exec(ctx)
	if missingReference(err) {
		return environmentNotFound(r.EnvironmentID)
	}
	if err != nil {
		return fmt.Errorf("write receipt: %w", err)
	}
	return nil
}

// Receipt reads one, or NotFound with code RECEIPT_NOT_FOUND.
func (t *Tx) Receipt(ctx context.Context, environmentID string) (blueberry.Receipt, error) {
	missing := blueberry.Errorf(blueberry.NotFound, "RECEIPT_NOT_FOUND", "there is no receipt of environment %q", environmentID)
	row, err := one[receiptRow](ctx, t, "receipt", missing, func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("environment_id = ?", clean(environmentID))
	})
	if err != nil {
		return blueberry.Receipt{}, err
	}
	var r blueberry.Receipt
	return r, unpressExact("receipt", row.Content, &r)
}
