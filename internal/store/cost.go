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

type priceRow struct {
	bun.BaseModel `bun:"table:prices"`

	Target       string `bun:"target,pk"`
	Since        int64  `bun:"since,pk"`
	Currency     string `bun:"currency"`
	CPUHour      int64  `bun:"cpu_hour"`
	MemoryHour   int64  `bun:"memory_hour"`
	StorageMonth int64  `bun:"storage_month"`
	SetBy        string `bun:"set_by"`
	Removed      bool   `bun:"removed"`
}

func (r priceRow) prices() (blueberry.Prices, error) {
	return blueberry.Prices{
		Target: r.Target, Currency: r.Currency, CPUHour: blueberry.Amount(r.CPUHour), MemoryHour: blueberry.Amount(r.MemoryHour),
		StorageMonth: blueberry.Amount(r.StorageMonth), Since: timeOf(r.Since), By: r.SetBy, Removed: r.Removed,
	}, nil
}

type costSpanRow struct {
	bun.BaseModel `bun:"table:cost_spans"`

	EnvironmentID string `bun:"environment_id,pk"`
	Seq           int64  `bun:"seq,pk"`
	Revision      int    `bun:"revision"`
	Asleep        bool   `bun:"asleep"`
	Parts         string `bun:"parts"`
	BeganAt       int64  `bun:"began_at"`
	EndedAt       int64  `bun:"ended_at"`
}

func (r costSpanRow) span() (blueberry.CostSpan, error) {
	s := blueberry.CostSpan{
		EnvironmentID: r.EnvironmentID, Seq: r.Seq, Revision: r.Revision, Asleep: r.Asleep, BeganAt: timeOf(r.BeganAt), EndedAt: timeOf(r.EndedAt),
	}
	return s, decode("parts of span", r.Parts, &s.Parts)
}

func requestsToColumn(r blueberry.Requests) (string, error) {
	if r.Revision == 0 {
		return "", nil
	}
	return encode("requests", r)
}

// AppendPrices has prices hold from p.Since on, or from just behind the last ones of their target when a clock was set back. What held before is kept. It is
// Conflict with code VERSION_MOVED when someone else came first.
func (t *Tx) AppendPrices(ctx context.Context, p blueberry.Prices) error {
	var last int64
	err := t.db.NewSelect().Model((*priceRow)(nil)).ColumnExpr("COALESCE(MAX(since), 0)").Where("target = ?", clean(p.Target)).Scan(ctx, &last)
	if err != nil {
		return fmt.Errorf("read prices: %w", err)
	}
	row := priceRow{
		Target: clean(p.Target), Since: max(micros(p.Since), last+1), Currency: clean(p.Currency), CPUHour: int64(p.CPUHour), MemoryHour: int64(p.MemoryHour),
		StorageMonth: int64(p.StorageMonth), SetBy: clean(p.By), Removed: p.Removed,
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	if isTaken(err) {
		return blueberry.Errorf(blueberry.Conflict, "VERSION_MOVED", "the prices have just changed")
	}
	if err != nil {
		return fmt.Errorf("insert prices: %w", err)
	}
	return nil
}

// Prices reads all that ever were set, the oldest first: of one target with those of every target, or, where all is asked for, of each.
func (t *Tx) Prices(ctx context.Context, target string, all bool) (blueberry.PriceSheet, error) {
	rows, err := many[priceRow](ctx, t, "prices", func(s *bun.SelectQuery) *bun.SelectQuery {
		if !all {
			s = s.Where("target IN (?, '')", clean(target))
		}
		return s.Order("since", "target")
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, priceRow.prices)
}

// CostSpans reads the record of the cost of an environment, the oldest first.
func (t *Tx) CostSpans(ctx context.Context, environmentID string) ([]blueberry.CostSpan, error) {
	rows, err := many[costSpanRow](ctx, t, "spans of cost", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("environment_id = ?", clean(environmentID)).Order("seq")
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, costSpanRow.span)
}

// keepCost has the record of the cost of an environment go on as it was just written. Its row is held by this transaction, so that spans begin and end once.
func (t *Tx) keepCost(ctx context.Context, e blueberry.Environment) error {
	var last costSpanRow
	err := t.db.NewSelect().Model(&last).Where("environment_id = ?", e.ID).Order("seq DESC").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		last, err = costSpanRow{Parts: "null"}, nil
	}
	if err != nil {
		return fmt.Errorf("read last span of cost: %w", err)
	}
	was, err := last.span()
	if err != nil {
		return err
	}
	ended, begun := blueberry.NextSpan(was, e)
	if ended != nil {
		_, err := t.db.NewUpdate().Model((*costSpanRow)(nil)).Set("ended_at = ?", endOf(ended.EndedAt)).
			Where("environment_id = ?", e.ID).Where("seq = ?", ended.Seq).Where("ended_at = 0").Exec(ctx)
		if err != nil {
			return fmt.Errorf("end span of cost: %w", err)
		}
	}
	if begun == nil {
		return nil
	}
	parts, err := encode("parts of span", begun.Parts)
	if err != nil {
		return err
	}
	row := costSpanRow{EnvironmentID: e.ID, Seq: begun.Seq, Revision: begun.Revision, Asleep: begun.Asleep, Parts: parts, BeganAt: micros(begun.BeganAt)}
	if _, err := t.db.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("begin span of cost: %w", err)
	}
	return nil
}

// endOf is a time as kept that is never the 0 of what goes on.
func endOf(at time.Time) int64 { return max(1, micros(at)) }
