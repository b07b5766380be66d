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

type projectRow struct {
	bun.BaseModel `bun:"table:projects"`

	Name         string `bun:"name,pk"`
	ClusterKinds string `bun:"cluster_kinds"`
	CreatedAt    int64  `bun:"created_at"`
}

// Project reads a project, or NotFound.
func (t *Tx) Project(ctx context.Context, name string) (blueberry.Project, error) {
	var row projectRow
	err := t.db.NewSelect().Model(&row).Where("name = ?", clean(name)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Project{}, blueberry.Errorf(blueberry.NotFound, "PROJECT_NOT_FOUND", "there is no project %q", name)
	}
	if err != nil {
		return blueberry.Project{}, fmt.Errorf("read project: %w", err)
	}
	p := blueberry.Project{Name: row.Name, CreatedAt: timeOf(row.CreatedAt)}
	return p, decode("cluster kinds", row.ClusterKinds, &p.ClusterKinds)
}

// PutProject makes a project, or changes what one may do.
func (t *Tx) PutProject(ctx context.Context, p blueberry.Project) error {
	kinds, err := encode("cluster kinds", p.ClusterKinds)
	if err != nil {
		return err
	}
	row := projectRow{Name: p.Name, ClusterKinds: kinds, CreatedAt: micros(p.CreatedAt)}
	if _, err := t.db.NewInsert().Model(&row).On("CONFLICT (name) DO UPDATE").Set("cluster_kinds = EXCLUDED.cluster_kinds").Exec(ctx); err != nil {
		return fmt.Errorf("write project: %w", err)
	}
	return nil
}

func (t *Tx) ensureDefaultProject(ctx context.Context) error {
	row := projectRow{Name: blueberry.DefaultProject, ClusterKinds: "null", CreatedAt: micros(time.Now())}
	_, err := t.db.NewInsert().Model(&row).On("CONFLICT (name) DO NOTHING").Exec(ctx)
	return err
}
