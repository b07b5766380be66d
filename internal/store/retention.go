package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type retentionRow struct {
	bun.BaseModel `bun:"table:retention,alias:retention"`

	Rule    string `bun:"rule,pk"`
	NextRun int64  `bun:"next_run"`
	Began   int64  `bun:"began"`
	Ended   int64  `bun:"ended"`
	Removed int    `bun:"removed"`
	Detail  string `bun:"detail"`
	Error   string `bun:"error"`
}

// PutRetentionRun notes the last run of a rule. When the next one is due stays.
func (t *Tx) PutRetentionRun(ctx context.Context, r blueberry.RetentionRun) error {
	row := retentionRow{
		Rule: clean(r.Rule), Began: micros(r.Began), Ended: micros(r.Ended), Removed: r.Removed, Detail: clean(r.Detail), Error: clean(r.Error),
	}
	insert := t.db.NewInsert().Model(&row).On("CONFLICT (rule) DO UPDATE")
	for _, column := range []string{"began", "ended", "removed", "detail", "error"} {
		insert = insert.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	if _, err := insert.Exec(ctx); err != nil {
		return fmt.Errorf("write retention run: %w", err)
	}
	return nil
}

// RetentionRuns reads the last run of each rule, by name. A rule that never ended a run is not among them.
func (t *Tx) RetentionRuns(ctx context.Context) (map[string]blueberry.RetentionRun, error) {
	rows, err := many[retentionRow](ctx, t, "retention runs", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("began > 0") })
	if err != nil {
		return nil, err
	}
	out := make(map[string]blueberry.RetentionRun, len(rows))
	for _, r := range rows {
		out[r.Rule] = blueberry.RetentionRun{Rule: r.Rule, Began: timeOf(r.Began), Ended: timeOf(r.Ended), Removed: r.Removed, Detail: r.Detail, Error: r.Error}
	}
	return out, nil
}

// ClaimRetention is true for one caller in each period, which runs the rule: the first one at once. A period that became shorter counts from now on, and
// so does a clock that was set back.
func (t *Tx) ClaimRetention(ctx context.Context, rule string, now time.Time, every time.Duration) (bool, error) {
	next := micros(now.Add(every))
	row := retentionRow{Rule: clean(rule), NextRun: next}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT (rule) DO UPDATE").Set("next_run = EXCLUDED.next_run").
		Where("retention.next_run <= ? OR retention.next_run > ?", micros(now), next).Exec(ctx)
	n, err := touched("claim retention", res, err)
	return n == 1, err
}

// FailedBefore gives ids of environments that are failed since before a time and not pinned, the longest first.
func (t *Tx) FailedBefore(ctx context.Context, before time.Time, limit int) ([]string, error) {
	return t.environmentIDs(ctx, "failed", limit, func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("phase = 'failed'").Where("pinned_by = ''").Where("phase_since < ?", micros(before)).Order("phase_since", "id")
	})
}

// overdueAfter is how long behind its deadline an environment is overdue: who claims it moves the deadline, so it never is while that works.
const overdueAfter = time.Minute

// OverdueEnvironments gives ids, in order, of living environments whose lease ended before now and that are not being removed, and of those whose deadline
// passed more than a minute before now; at most limit.
func (t *Tx) OverdueEnvironments(ctx context.Context, now time.Time, limit int) ([]string, error) {
	ended, err := t.environmentIDs(ctx, "overdue", limit, func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("phase <> 'terminating'").Where("expires_at < ?", micros(now)).Order("expires_at", "id")
	})
	if err != nil {
		return nil, err
	}
	late, err := t.environmentIDs(ctx, "overdue", limit, func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("deadline_at > 0").Where("deadline_at < ?", micros(now.Add(-overdueAfter))).Order("deadline_at", "id")
	})
	if err != nil {
		return nil, err
	}
	ids := append(ended, late...)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids[:min(len(ids), pageLimit(limit))], nil
}

func (t *Tx) environmentIDs(ctx context.Context, what string, limit int, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([]string, error) {
	var ids []string
	err := narrow(t.db.NewSelect().Model((*environmentRow)(nil)).Column("id").Where("phase <> 'terminated'")).Limit(int64(pageLimit(limit))).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("list %s environments: %w", what, err)
	}
	return ids, nil
}

// LiveNamespaces reads living environments of a target after an id, in the order of ids: who and where they are, with phase and lease, and without
// conditions, hosts and whatever else neither a scan nor a drain asks for.
func (t *Tx) LiveNamespaces(ctx context.Context, target, after string, limit int) ([]blueberry.Environment, error) {
	rows, err := many[environmentRow](ctx, t, "living environments", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Column("id", "project", "name", "namespace", "target", "owner", "phase", "phase_since", "revision", "synced", "created_at",
			"expires_at", "pinned_by", "lease_warned").
			Where("target = ?", clean(target)).Where("id > ?", clean(after)).Where("phase <> 'terminated'").Order("id").Limit(int64(pageLimit(limit)))
	})
	if err != nil {
		return nil, err
	}
	out := make([]blueberry.Environment, len(rows))
	for i, r := range rows {
		out[i] = blueberry.Environment{
			ID: r.ID, Project: r.Project, Name: r.Name, Namespace: r.Namespace, Target: r.Target, Owner: r.Owner, Phase: blueberry.Phase(r.Phase), PhaseSince: timeOf(r.PhaseSince),
			Revision: r.Revision, Synced: r.Synced, CreatedAt: timeOf(r.CreatedAt), Lease: r.lease(),
		}
	}
	return out, nil
}
