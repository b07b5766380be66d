package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// planRow is a plan as kept: what is asked for by, and the rest as gzip of JSON.
type planRow struct {
	bun.BaseModel `bun:"table:plans"`

	ID              string `bun:"id,pk"`
	EnvironmentID   string `bun:"environment_id"`
	RenderingDigest string `bun:"rendering_digest,nullzero"`
	CreatedAt       int64  `bun:"created_at"`
	ExpiresAt       int64  `bun:"expires_at"`
	AppliedAt       int64  `bun:"applied_at"`
	AppliedRevision int    `bun:"applied_revision"`
	Content         []byte `bun:"content"`
}

func (s *Store) planToRow(p blueberry.Plan) (planRow, error) {
	row := planRow{
		ID: p.ID, EnvironmentID: clean(p.EnvironmentID), RenderingDigest: p.RenderingDigest, CreatedAt: micros(p.CreatedAt), ExpiresAt: micros(p.ExpiresAt),
		AppliedAt: micros(p.AppliedAt), AppliedRevision: p.AppliedRevision,
	}
	p.CreatedAt, p.ExpiresAt, p.AppliedAt, p.AppliedRevision = time.Time{}, time.Time{}, time.Time{}, 0
	var err error
	row.Content, err = s.pressExact("plan", p)
	return row, err
}

func (r planRow) plan() (blueberry.Plan, error) {
	var p blueberry.Plan
	if err := unpressExact("plan", r.Content, &p); err != nil {
		return blueberry.Plan{}, err
	}
	p.CreatedAt, p.ExpiresAt, p.AppliedAt, p.AppliedRevision = timeOf(r.CreatedAt), timeOf(r.ExpiresAt), timeOf(r.AppliedAt), r.AppliedRevision
	return p, nil
}

// InsertPlan adds a plan; Conflict when its id is there. Its rendering, if it has one, must have been put.
func (t *Tx) InsertPlan(ctx context.Context, p blueberry.Plan) error {
	row, err := t.store.planToRow(p)
	if err != nil {
		return err
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	switch {
	case err == nil:
		return nil
	case isTaken(err):
		return blueberry.Errorf(blueberry.Conflict, "PLAN_EXISTS", "the plan %s exists", p.ID)
	case missingReference(err):
		return fmt.Errorf("insert plan: the rendering %s was not put: %w", p.RenderingDigest, err)
	}
	return fmt.Errorf("insert plan: %w", err)
}

// Plan reads one, or NotFound.
func (t *Tx) Plan(ctx context.Context, id string) (blueberry.Plan, error) {
	var row planRow
	err := t.db.NewSelect().Model(&row).Where("id = ?", clean(id)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Plan{}, planNotFound(id)
	}
	if err != nil {
		return blueberry.Plan{}, fmt.Errorf("read plan: %w", err)
	}
	return row.plan()
}

func planNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "PLAN_NOT_FOUND", "there is no plan %q", id)
}

// Plans reads one page, newest first. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) Plans(ctx context.Context, q blueberry.PlanQuery) ([]blueberry.Plan, error) {
	var rows []planRow
	sel := t.db.NewSelect().Model(&rows).Where("environment_id = ?", clean(q.EnvironmentID))
	if q.Before != "" {
		sel = sel.Where("id < ?", clean(q.Before))
	}
	if err := sel.Order("id DESC").Limit(int64(pageLimit(q.Limit))).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	out := make([]blueberry.Plan, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.plan(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ClaimPlan marks a plan as applied; Conflict with code PLAN_APPLIED when it was before. Of many who claim at once, one gets it.
func (t *Tx) ClaimPlan(ctx context.Context, id string, revision int, now time.Time) error {
	res, err := t.db.NewUpdate().Model((*planRow)(nil)).Set("applied_at = ?", micros(now)).Set("applied_revision = ?", revision).
		Where("id = ?", clean(id)).Where("applied_at = 0").Exec(ctx)
	n, err := touched("claim plan", res, err)
	if err != nil || n == 1 {
		return err
	}
	there, err := t.db.NewSelect().Model((*planRow)(nil)).Where("id = ?", clean(id)).Exists(ctx)
	if err != nil {
		return fmt.Errorf("claim plan: %w", err)
	}
	if !there {
		return planNotFound(id)
	}
	return blueberry.Errorf(blueberry.Conflict, "PLAN_APPLIED", "the plan %s was applied before", id)
}

// SweepPlans removes plans that were not applied and expired before the time, with the renderings that were theirs alone, and tells how many.
func (t *Tx) SweepPlans(ctx context.Context, before time.Time) (int, error) {
	var digests []string
	err := t.db.NewRaw("DELETE FROM plans WHERE applied_at = 0 AND expires_at < ? RETURNING COALESCE(rendering_digest, '')", micros(before)).Scan(ctx, &digests)
	if err != nil {
		return 0, fmt.Errorf("sweep plans: %w", err)
	}
	return len(digests), t.sweepRenderings(ctx, digests)
}
