package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// PurgeEnvironment removes a terminated environment with its revisions, the renderings that were theirs alone, ledger, plans, holds, events, receipt, wake
// ledger, activity, spans of cost and hosts. Its audit entries and its archive stay. Conflict with code ENVIRONMENT_ALIVE when it is not terminated, or NotFound.
func (t *Tx) PurgeEnvironment(ctx context.Context, environmentID string) error {
	if t.readOnly {
		return errReadOnly
	}
	id := clean(environmentID)
	row, err := one[environmentRow](ctx, t, "environment", environmentNotFound(environmentID), func(s *bun.SelectQuery) *bun.SelectQuery {
		return t.held(s.Column("id", "name", "phase").Where("id = ?", id))
	})
	if err != nil {
		return err
	}
	if blueberry.Phase(row.Phase).Alive() {
		return blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ALIVE", "environment %s is %s, not terminated", row.Name, row.Phase)
	}
	var digests []string
	err = t.db.NewRaw(`SELECT digest FROM revisions WHERE environment_id = ?
		UNION SELECT rendering_digest FROM plans WHERE environment_id = ? AND rendering_digest IS NOT NULL`, id, id).Scan(ctx, &digests)
	if err != nil {
		return fmt.Errorf("read renderings of environment: %w", err)
	}
	for _, table := range []string{
		"config_uses", "blueprint_uses", "source_uses", // left by what the version before this one has terminated
		"holds", "plans", "revisions", "ledger", "events", "receipts", "wake_entries", "activity", "cost_spans", "environment_hosts",
	} {
		if _, err := t.db.NewDelete().Table(table).Where("environment_id = ?", id).Exec(ctx); err != nil {
			return fmt.Errorf("delete %s of environment: %w", table, err)
		}
	}
	if _, err := t.db.NewDelete().Model((*environmentRow)(nil)).Where("id = ?", id).Exec(ctx); err != nil {
		return fmt.Errorf("delete environment: %w", err)
	}
	return t.sweepRenderings(ctx, digests)
}
