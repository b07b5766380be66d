package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// PullReport reads what the host of a pull request was told; zero before the first time.
func (t *Tx) PullReport(ctx context.Context, pullID string) (blueberry.PullReport, error) {
	var js string
	err := t.db.NewSelect().Table("pull_reports").Column("report").Where("pull_id = ?", clean(pullID)).Scan(ctx, &js)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.PullReport{}, nil
	}
	if err != nil {
		return blueberry.PullReport{}, fmt.Errorf("read pull report: %w", err)
	}
	var out blueberry.PullReport
	return out, decode("pull report", js, &out)
}

// SetPullReport writes it, or is NotFound with code PULL_NOT_FOUND when there is no such pull request any more.
func (t *Tx) SetPullReport(ctx context.Context, pullID string, r blueberry.PullReport) error {
	if t.readOnly {
		return errReadOnly
	}
	js, err := encode("pull report", r)
	if err != nil {
		return err
	}
	_, err = t.db.NewRaw("INSERT INTO pull_reports (pull_id, report, updated_at) VALUES (?, ?, ?) ON CONFLICT (pull_id) DO UPDATE SET report = excluded.report, updated_at = excluded.updated_at",
		clean(pullID), js, micros(r.ReportedAt)).Exec(ctx)
	if missingReference(err) {
		return pullNotFound(fmt.Sprintf("%q", pullID))
	}
	if err != nil {
		return fmt.Errorf("write pull report: %w", err)
	}
	return nil
}

// PullsOfEnvironments gives the pull requests that have one of the environments.
func (t *Tx) PullsOfEnvironments(ctx context.Context, ids []string) ([]blueberry.PullRequest, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := many[pullRow](ctx, t, "pull requests", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("environment_id IN (?)", bun.List(ids)).Order("id")
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, pullRow.pull)
}
