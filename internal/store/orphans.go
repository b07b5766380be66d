package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type orphanRow struct {
	bun.BaseModel `bun:"table:orphans"`

	ID          string `bun:"id,pk"`
	Target      string `bun:"target"`
	Kind        string `bun:"kind"`
	Namespace   string `bun:"namespace"`
	Project     string `bun:"project"`
	Environment string `bun:"environment"`
	Objects     string `bun:"objects"`
	Message     string `bun:"message"`
	FoundAt     int64  `bun:"found_at"`
	SeenAt      int64  `bun:"seen_at"`
	ApprovedBy  string `bun:"approved_by"`
	ApprovedAt  int64  `bun:"approved_at"`
	Leftovers   string `bun:"leftovers"`
}

func orphanToRow(o blueberry.Orphan) (orphanRow, error) {
	objects, err := encode("objects", o.Objects)
	if err != nil {
		return orphanRow{}, err
	}
	leftovers, err := encode("leftovers", o.Leftovers)
	if err != nil {
		return orphanRow{}, err
	}
	return orphanRow{
		ID: clean(o.ID), Target: clean(o.Target), Kind: clean(string(o.Kind)), Namespace: clean(o.Namespace), Project: clean(o.Project), Environment: clean(o.Env),
		Objects: objects, Message: clean(o.Message), FoundAt: micros(o.FoundAt), SeenAt: micros(o.SeenAt),
		ApprovedBy: clean(o.ApprovedBy), ApprovedAt: micros(o.ApprovedAt), Leftovers: leftovers,
	}, nil
}

func (r orphanRow) orphan() (blueberry.Orphan, error) {
	o := blueberry.Orphan{
		ID: r.ID, Target: r.Target, Kind: blueberry.OrphanKind(r.Kind), Namespace: r.Namespace, Project: r.Project, Env: r.Environment, Message: r.Message,
		FoundAt: timeOf(r.FoundAt), SeenAt: timeOf(r.SeenAt), ApprovedBy: r.ApprovedBy, ApprovedAt: timeOf(r.ApprovedAt),
	}
	if err := decode("objects", r.Objects, &o.Objects); err != nil {
		return blueberry.Orphan{}, err
	}
	return o, decode("leftovers", r.Leftovers, &o.Leftovers)
}

func orphanNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "ORPHAN_NOT_FOUND", "there is no orphan %q", id)
}

// PutOrphan inserts, or, for the same target, kind, namespace, project and environment, replaces objects, last time and message, and keeps id, first time,
// approval and leftovers.
func (t *Tx) PutOrphan(ctx context.Context, o blueberry.Orphan) error {
	row, err := orphanToRow(o)
	if err != nil {
		return err
	}
	_, err = t.db.NewInsert().Model(&row).On("CONFLICT (target, kind, namespace, project, environment) DO UPDATE").
		Set("objects = EXCLUDED.objects").Set("seen_at = EXCLUDED.seen_at").Set("message = EXCLUDED.message").Exec(ctx)
	if err != nil {
		return fmt.Errorf("write orphan: %w", err)
	}
	return nil
}

// Orphan reads one, or NotFound with code ORPHAN_NOT_FOUND.
func (t *Tx) Orphan(ctx context.Context, id string) (blueberry.Orphan, error) {
	row, err := one[orphanRow](ctx, t, "orphan", orphanNotFound(id), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.Orphan{}, err
	}
	return row.orphan()
}

// Orphans reads one page in the order of ids. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) Orphans(ctx context.Context, q blueberry.OrphanQuery) ([]blueberry.Orphan, error) {
	rows, err := many[orphanRow](ctx, t, "orphans", func(s *bun.SelectQuery) *bun.SelectQuery {
		for _, x := range []struct{ column, value string }{
			{"target", q.Target}, {"kind", string(q.Kind)}, {"project", q.Project}, {"environment", q.Env}, {"namespace", q.Namespace},
		} {
			if x.value != "" {
				s = s.Where("? = ?", bun.Ident(x.column), clean(x.value))
			}
		}
		if q.Approved {
			s = s.Where("approved_at > 0")
		}
		return s.Where("id > ?", clean(q.After)).Order("id").Limit(int64(pageLimit(q.Limit)))
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, orphanRow.orphan)
}

// ApproveOrphan notes who allowed the removal; Conflict with code ORPHAN_APPROVED when someone has, or NotFound. Of many who approve at once, one does.
func (t *Tx) ApproveOrphan(ctx context.Context, id, by string, now time.Time) error {
	res, err := t.db.NewUpdate().Model((*orphanRow)(nil)).Set("approved_by = ?", clean(by)).Set("approved_at = ?", micros(now)).
		Where("id = ?", clean(id)).Where("approved_at = 0").Exec(ctx)
	n, err := touched("approve orphan", res, err)
	if err != nil || n == 1 {
		return err
	}
	o, err := t.Orphan(ctx, id)
	if err != nil {
		return err
	}
	return blueberry.Errorf(blueberry.Conflict, "ORPHAN_APPROVED", "the removal of orphan %s was approved by %s", id, o.ApprovedBy)
}

// SetOrphanLeftovers notes what is still there, or NotFound.
func (t *Tx) SetOrphanLeftovers(ctx context.Context, id string, left []blueberry.ObjectRef) error {
	text, err := encode("leftovers", left)
	if err != nil {
		return err
	}
	res, err := t.db.NewUpdate().Model((*orphanRow)(nil)).Set("leftovers = ?", text).Where("id = ?", clean(id)).Exec(ctx)
	return deleted("write leftovers of orphan", res, err, orphanNotFound(id))
}

// DeleteOrphan removes one; of what is not there nothing.
func (t *Tx) DeleteOrphan(ctx context.Context, id string) error {
	if _, err := t.db.NewDelete().Model((*orphanRow)(nil)).Where("id = ?", clean(id)).Exec(ctx); err != nil {
		return fmt.Errorf("delete orphan: %w", err)
	}
	return nil
}

// DropOrphansUnseen removes those of a target, not approved, that no scan has seen since a time, and tells how many.
func (t *Tx) DropOrphansUnseen(ctx context.Context, target string, before time.Time) (int, error) {
	res, err := t.db.NewDelete().Model((*orphanRow)(nil)).Where("target = ?", clean(target)).Where("approved_at = 0").Where("seen_at < ?", micros(before)).Exec(ctx)
	n, err := touched("drop orphans", res, err)
	return int(n), err
}
