package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type holdRow struct {
	bun.BaseModel `bun:"table:holds"`

	EnvironmentID string `bun:"environment_id,pk"`
	Kind          string `bun:"kind,pk"`
	Name          string `bun:"name,pk"`
	Value         string `bun:"value,pk"`
	HeldBy        string `bun:"held_by"`
	Reason        string `bun:"reason"`
	Since         int64  `bun:"since"`
}

// Holds reads what is held for an environment, oldest first.
func (t *Tx) Holds(ctx context.Context, environmentID string) ([]blueberry.Hold, error) {
	var rows []holdRow
	if err := t.db.NewSelect().Model(&rows).Where("environment_id = ?", clean(environmentID)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read holds: %w", err)
	}
	slices.SortFunc(rows, func(a, b holdRow) int { // here, so that both databases give one order
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	out := make([]blueberry.Hold, len(rows))
	for i, r := range rows {
		out[i] = blueberry.Hold{
			EnvironmentID: r.EnvironmentID, PlanInput: blueberry.PlanInput{Kind: r.Kind, Name: r.Name, Value: r.Value},
			By: r.HeldBy, Reason: r.Reason, Since: timeOf(r.Since),
		}
	}
	return out, nil
}

// PutHolds adds holds; one that is there already stays as it is. NotFound when an environment is not there.
func (t *Tx) PutHolds(ctx context.Context, holds []blueberry.Hold) error {
	if len(holds) == 0 {
		return nil
	}
	rows := make([]holdRow, len(holds))
	for i, h := range holds {
		rows[i] = holdRow{
			EnvironmentID: clean(h.EnvironmentID), Kind: clean(h.Kind), Name: clean(h.Name), Value: clean(h.Value),
			HeldBy: clean(h.By), Reason: clean(h.Reason), Since: micros(h.Since),
		}
	}
	_, err := t.db.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx)
	if missingReference(err) {
		return environmentNotFound(holds[0].EnvironmentID)
	}
	if err != nil {
		return fmt.Errorf("write holds: %w", err)
	}
	return nil
}

// ReleaseHold removes one by kind, name and value, and reports whether it was there.
func (t *Tx) ReleaseHold(ctx context.Context, environmentID string, input blueberry.PlanInput) (bool, error) {
	res, err := t.db.NewDelete().Model((*holdRow)(nil)).Where("environment_id = ?", clean(environmentID)).
		Where("kind = ?", clean(input.Kind)).Where("name = ?", clean(input.Name)).Where("value = ?", clean(input.Value)).Exec(ctx)
	n, err := touched("release hold", res, err)
	return n > 0, err
}
