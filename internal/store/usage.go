package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// demandColumns is a demand as kept.
type demandColumns struct {
	CPU     int64 `bun:"demand_cpu"`
	Memory  int64 `bun:"demand_memory"`
	Pods    int64 `bun:"demand_pods"`
	Storage int64 `bun:"demand_storage"`
}

// maxDemand bounds what one row counts with, so that no manifest can make a sum overflow: a pebibyte, a trillion cores.
const maxDemand = 1 << 50

func columnsOf(d blueberry.Demand) demandColumns {
	return demandColumns{min(d.CPU, maxDemand), min(d.Memory, maxDemand), min(d.Pods, maxDemand), min(d.Storage, maxDemand)}
}

func (c demandColumns) demand() blueberry.Demand { return blueberry.Demand(c) }

// usageRow is the sum over the environments of one kind.
type usageRow struct {
	Kind         string
	Environments int64
	demandColumns
}

func (r usageRow) usage() blueberry.Usage {
	return blueberry.Usage{Environments: r.Environments, Demand: r.demand()}
}

// sums counts and adds up living environments. PostgreSQL adds up numbers to a type of its own, so each sum is told to be one of ours.
func sums(sel *bun.SelectQuery) *bun.SelectQuery {
	sel = sel.Model((*environmentRow)(nil)).ColumnExpr("count(*) AS environments").Where("phase <> 'terminated'")
	for _, column := range []string{"demand_cpu", "demand_memory", "demand_pods", "demand_storage"} {
		sel = sel.ColumnExpr("CAST(COALESCE(SUM(?), 0) AS bigint) AS ?", bun.Ident(column), bun.Ident(column))
	}
	return sel
}

// ProjectUsage sums up what the living environments of a project use, by kind. The index environments_live_usage holds all that it reads.
func (t *Tx) ProjectUsage(ctx context.Context, project string) (map[blueberry.EnvironmentKind]blueberry.Usage, error) {
	var rows []usageRow
	if err := sums(t.db.NewSelect().Column("kind")).Where("project = ?", clean(project)).Group("kind").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("sum up project: %w", err)
	}
	out := map[blueberry.EnvironmentKind]blueberry.Usage{}
	for _, r := range rows {
		if r.Kind != "" {
			out[blueberry.EnvironmentKind(r.Kind)] = r.usage()
			continue
		}
		if err := t.addUnsorted(ctx, project, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// addUnsorted adds the environments that the version before kinds has written last, each as its kind.
func (t *Tx) addUnsorted(ctx context.Context, project string, to map[blueberry.EnvironmentKind]blueberry.Usage) error {
	var rows []environmentRow
	err := t.db.NewSelect().Model(&rows).Column("name", "expires_at", "demand_cpu", "demand_memory", "demand_pods", "demand_storage").
		Where("phase <> 'terminated'").Where("project = ?", clean(project)).Where("kind = ''").Scan(ctx)
	if err != nil {
		return fmt.Errorf("sum up project: %w", err)
	}
	for _, r := range rows {
		kind := blueberry.Environment{Name: r.Name, Lease: r.lease()}.Kind()
		to[kind] = to[kind].Add(blueberry.Usage{Environments: 1, Demand: r.demand()})
	}
	return nil
}

// TargetUsage sums up what the living environments on a target use.
func (t *Tx) TargetUsage(ctx context.Context, target string) (blueberry.Usage, error) {
	var row usageRow
	if err := sums(t.db.NewSelect()).Where("target = ?", clean(target)).Scan(ctx, &row); err != nil {
		return blueberry.Usage{}, fmt.Errorf("sum up target: %w", err)
	}
	return row.usage(), nil
}
