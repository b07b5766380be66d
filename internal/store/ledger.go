package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type ledgerRow struct {
	bun.BaseModel `bun:"table:ledger"`

	EnvironmentID string `bun:"environment_id,pk"`
	APIVersion    string `bun:"api_version,pk"`
	Kind          string `bun:"kind,pk"`
	Namespace     string `bun:"namespace,pk"`
	Name          string `bun:"name,pk"`
	Component     string `bun:"component"`
	Wave          int    `bun:"wave"`
	Revision      int    `bun:"revision"`
	GoneAt        int64  `bun:"gone_at"`
	MadeAt        int64  `bun:"made_at"`
}

const ledgerChunk = 500 // rows of one statement

// LedgerOf reads every entry of an environment, in the order of waves, then objects.
func (t *Tx) LedgerOf(ctx context.Context, environmentID string) ([]blueberry.LedgerEntry, error) {
	var rows []ledgerRow
	err := t.db.NewSelect().Model(&rows).Where("environment_id = ?", clean(environmentID)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	out := make([]blueberry.LedgerEntry, len(rows))
	for i, r := range rows {
		out[i] = blueberry.LedgerEntry{
			ObjectRef: blueberry.ObjectRef{APIVersion: r.APIVersion, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name},
			Component: r.Component, Wave: r.Wave, Revision: r.Revision, MadeAt: timeOf(r.MadeAt), GoneAt: timeOf(r.GoneAt),
		}
	}
	slices.SortFunc(out, compareEntries) // here, so that both databases give one order
	return out, nil
}

// PutLedger inserts or replaces entries by object. Of two entries of one object the last counts. MadeAt stays as it was first written, also when that was
// not known.
func (t *Tx) PutLedger(ctx context.Context, environmentID string, entries []blueberry.LedgerEntry) error {
	byObject := make(map[blueberry.ObjectRef]blueberry.LedgerEntry, len(entries))
	for _, e := range entries {
		byObject[e.ObjectRef] = e
	}
	rows := make([]ledgerRow, 0, len(byObject))
	for _, e := range byObject {
		rows = append(rows, ledgerRow{
			EnvironmentID: environmentID, APIVersion: e.APIVersion, Kind: e.Kind, Namespace: e.Namespace, Name: e.Name,
			Component: e.Component, Wave: e.Wave, Revision: e.Revision, MadeAt: micros(e.MadeAt), GoneAt: micros(e.GoneAt),
		})
	}
	// One order for everybody: two writers of one ledger then wait for each other instead of deadlocking.
	slices.SortFunc(rows, func(a, b ledgerRow) int {
		return compareRefs(blueberry.ObjectRef{APIVersion: a.APIVersion, Kind: a.Kind, Namespace: a.Namespace, Name: a.Name},
			blueberry.ObjectRef{APIVersion: b.APIVersion, Kind: b.Kind, Namespace: b.Namespace, Name: b.Name})
	})
	for chunk := range slices.Chunk(rows, ledgerChunk) {
		_, err := t.db.NewInsert().Model(&chunk).
			On("CONFLICT (environment_id, api_version, kind, namespace, name) DO UPDATE").
			Set("component = EXCLUDED.component").Set("wave = EXCLUDED.wave").Set("revision = EXCLUDED.revision").Set("gone_at = EXCLUDED.gone_at").
			Exec(ctx)
		if missingReference(err) {
			return environmentNotFound(environmentID)
		}
		if err != nil {
			return fmt.Errorf("write ledger: %w", err)
		}
	}
	return nil
}

func compareEntries(a, b blueberry.LedgerEntry) int {
	return cmp.Or(cmp.Compare(a.Wave, b.Wave), compareRefs(a.ObjectRef, b.ObjectRef))
}

func compareRefs(a, b blueberry.ObjectRef) int {
	return cmp.Or(cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
