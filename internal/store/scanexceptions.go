package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type scanExceptionRow struct {
	bun.BaseModel `bun:"table:scan_exceptions"`

	ID           string `bun:"id,pk"`
	Project      string `bun:"project"`
	RepositoryID string `bun:"repository_id"`
	Finding      string `bun:"finding"`
	Package      string `bun:"package"`
	Reason       string `bun:"reason"`
	UntilAt      int64  `bun:"until_at"`
	CreatedBy    string `bun:"created_by"`
	CreatedAt    int64  `bun:"created_at"`
}

func (r scanExceptionRow) exception() (blueberry.ScanException, error) {
	return blueberry.ScanException{
		ID: r.ID, Project: r.Project, RepositoryID: r.RepositoryID, Finding: r.Finding, Package: r.Package, Reason: r.Reason, Until: timeOf(r.UntilAt),
		CreatedBy: r.CreatedBy, CreatedAt: timeOf(r.CreatedAt),
	}, nil
}

// InsertScanException adds one, or NotFound when there is no such project.
func (t *Tx) InsertScanException(ctx context.Context, x blueberry.ScanException) error {
	if err := t.keepProject(ctx, x.Project); err != nil {
		return err
	}
	row := scanExceptionRow{
		ID: clean(x.ID), Project: clean(x.Project), RepositoryID: clean(x.RepositoryID), Finding: clean(x.Finding), Package: clean(x.Package), Reason: clean(x.Reason),
		UntilAt: micros(x.Until), CreatedBy: clean(x.CreatedBy), CreatedAt: micros(x.CreatedAt),
	}
	_, err := t.db.NewInsert().Model(&row).Exec(ctx)
	if missingReference(err) {
		return projectNotFound(x.Project)
	}
	if err != nil {
		return fmt.Errorf("insert scan exception: %w", err)
	}
	return nil
}

func scanExceptionNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "SCAN_EXCEPTION_NOT_FOUND", "there is no scan exception %q", id)
}

// ScanException reads one by id, or NotFound with code SCAN_EXCEPTION_NOT_FOUND.
func (t *Tx) ScanException(ctx context.Context, id string) (blueberry.ScanException, error) {
	row, err := one[scanExceptionRow](ctx, t, "scan exception", scanExceptionNotFound(id), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.ScanException{}, err
	}
	return row.exception()
}

// ScanExceptions reads one page, the newest first.
func (t *Tx) ScanExceptions(ctx context.Context, q blueberry.ScanExceptionQuery) ([]blueberry.ScanException, error) {
	rows, err := many[scanExceptionRow](ctx, t, "scan exceptions", func(s *bun.SelectQuery) *bun.SelectQuery {
		if q.Projects != nil {
			s = within(s, t.unindexed("project"), q.Projects)
		}
		if q.RepositoryID != "" {
			s = s.Where("repository_id IN ('', ?)", clean(q.RepositoryID))
		}
		if !q.Live.IsZero() {
			s = s.Where("until_at > ?", micros(q.Live))
		}
		return newest(s, q.Before, q.Limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, scanExceptionRow.exception)
}

// CountScanExceptions counts those of a project that live.
func (t *Tx) CountScanExceptions(ctx context.Context, project string, now time.Time) (int, error) {
	n, err := t.db.NewSelect().Model((*scanExceptionRow)(nil)).Where("project = ?", clean(project)).Where("until_at > ?", micros(now)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count scan exceptions: %w", err)
	}
	return int(n), nil
}

// DeleteScanException removes one, or NotFound with code SCAN_EXCEPTION_NOT_FOUND.
func (t *Tx) DeleteScanException(ctx context.Context, id string) error {
	res, err := t.db.NewDelete().Model((*scanExceptionRow)(nil)).Where("id = ?", clean(id)).Exec(ctx)
	return deleted("delete scan exception", res, err, scanExceptionNotFound(id))
}

// PurgeScanExceptions removes at most limit of those that ended before a time, and tells how many.
func (t *Tx) PurgeScanExceptions(ctx context.Context, before time.Time, limit int) (int, error) {
	oldest := t.db.NewSelect().Model((*scanExceptionRow)(nil)).Column("id").Where("until_at < ?", micros(before)).Order("until_at", "id").Limit(int64(limit))
	res, err := t.db.NewDelete().Model((*scanExceptionRow)(nil)).Where("id IN (?)", oldest).Exec(ctx)
	n, err := touched("purge scan exceptions", res, err)
	return int(n), err
}
