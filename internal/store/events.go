package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type eventRow struct {
	bun.BaseModel `bun:"table:events"`

	Seq           int64  `bun:"seq,pk"`
	ID            string `bun:"id"`
	Type          string `bun:"type"`
	EnvironmentID string `bun:"environment_id"`
	Project       string `bun:"project"`
	Environment   string `bun:"environment"`
	Actor         string `bun:"actor"`
	Message       string `bun:"message"`
	At            int64  `bun:"at"`
}

// AppendEvent adds a fact; Seq and ID are given when the transaction commits, so Events of this transaction does not show it.
func (t *Tx) AppendEvent(_ context.Context, e blueberry.Event) error {
	if t.readOnly {
		return errReadOnly
	}
	t.events = append(t.events, e)
	return nil
}

// flushEvents inserts what was appended and gives the last Seq, or 0. It comes last in a transaction because it locks the row that holds the highest
// Seq until the commit: a transaction with a higher Seq can only commit later, and the time others wait is short.
func (t *Tx) flushEvents(ctx context.Context) (int64, error) {
	n := int64(len(t.events))
	if n == 0 {
		return 0, nil
	}
	var last int64
	if err := t.db.NewRaw("UPDATE event_seq SET seq = seq + ? WHERE id = 1 RETURNING seq", n).Scan(ctx, &last); err != nil {
		return 0, fmt.Errorf("number events: %w", err)
	}
	rows := make([]eventRow, n)
	for i, e := range t.events {
		rows[i] = eventRow{
			Seq: last - n + 1 + int64(i), ID: blueberry.NewID(blueberry.EventID, e.At), Type: string(e.Type), EnvironmentID: e.EnvironmentID,
			Project: e.Project, Environment: e.Environment, Actor: clean(e.Actor), Message: clean(e.Message), At: micros(e.At),
		}
	}
	if _, err := t.db.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return 0, fmt.Errorf("insert events: %w", err)
	}
	return last, nil
}

// Events reads events in the order of Seq; with In, only those of these projects. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) Events(ctx context.Context, q blueberry.EventQuery) ([]blueberry.Event, error) {
	var rows []eventRow
	sel := t.db.NewSelect().Model(&rows).Where("seq > ?", q.After)
	if q.EnvironmentID != "" {
		sel = sel.Where("environment_id = ?", clean(q.EnvironmentID))
	}
	if q.In != nil {
		sel = within(sel, bun.Ident("project"), q.In)
	}
	if err := sel.Order("seq").Limit(int64(pageLimit(q.Limit))).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	out := make([]blueberry.Event, len(rows))
	for i, r := range rows {
		out[i] = blueberry.Event{
			Seq: r.Seq, ID: r.ID, Type: blueberry.EventType(r.Type), EnvironmentID: r.EnvironmentID, Project: r.Project,
			Environment: r.Environment, Actor: r.Actor, Message: r.Message, At: timeOf(r.At),
		}
	}
	return out, nil
}

// MaxEventSeq is the Seq of the last committed event; 0 before the first.
func (t *Tx) MaxEventSeq(ctx context.Context) (int64, error) {
	var seq int64
	if err := t.db.NewRaw("SELECT seq FROM event_seq WHERE id = 1").Scan(ctx, &seq); err != nil {
		return 0, fmt.Errorf("read the last event: %w", err)
	}
	return seq, nil
}
