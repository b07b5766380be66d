package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type auditRow struct {
	bun.BaseModel `bun:"table:audit"`

	ID          string `bun:"id,pk"`
	ActorKind   string `bun:"actor_kind"`
	ActorID     string `bun:"actor_id"`
	ActorName   string `bun:"actor_name"`
	ActorGrants string `bun:"actor_grants"` // as they were at that moment
	Action      string `bun:"action"`
	Resource    string `bun:"resource"`
	Detail      string `bun:"detail"`
	At          int64  `bun:"at"`
}

// AppendAudit adds what an actor did; ID is given here.
func (t *Tx) AppendAudit(ctx context.Context, a blueberry.AuditEntry) error {
	grants, err := encode("grants", a.Actor.Grants)
	if err != nil {
		return err
	}
	row := auditRow{
		ID: blueberry.NewID(blueberry.AuditID, a.At), ActorKind: string(a.Actor.Kind), ActorID: clean(a.Actor.ID), ActorName: clean(a.Actor.Name),
		ActorGrants: grants, Action: a.Action, Resource: clean(a.Resource), Detail: clean(a.Detail), At: micros(a.At),
	}
	if _, err := t.db.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("insert audit entry: %w", err)
	}
	return nil
}

// AuditOf reads what was done to a resource, oldest first, at most MaxPageSize entries behind the id given.
func (t *Tx) AuditOf(ctx context.Context, resource, after string) ([]blueberry.AuditEntry, error) {
	var rows []auditRow
	err := t.db.NewSelect().Model(&rows).Where("resource = ?", clean(resource)).Where("id > ?", clean(after)).Order("id").Limit(blueberry.MaxPageSize).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	out := make([]blueberry.AuditEntry, len(rows))
	for i, r := range rows {
		out[i] = blueberry.AuditEntry{
			ID: r.ID, Actor: blueberry.Actor{Kind: blueberry.ActorKind(r.ActorKind), ID: r.ActorID, Name: r.ActorName},
			Action: r.Action, Resource: r.Resource, Detail: r.Detail, At: timeOf(r.At),
		}
		if err := decode("grants", r.ActorGrants, &out[i].Actor.Grants); err != nil {
			return nil, err
		}
	}
	return out, nil
}
