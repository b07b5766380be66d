package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type projectRow struct {
	bun.BaseModel `bun:"table:projects"`

	Name         string `bun:"name,pk"`
	ClusterKinds string `bun:"cluster_kinds"`
	CreatedAt    int64  `bun:"created_at"`
	Quota        string `bun:"quota"`
	Version      int64  `bun:"version"`
}

func (r projectRow) project() (blueberry.Project, error) {
	p := blueberry.Project{Name: r.Name, CreatedAt: timeOf(r.CreatedAt), Version: r.Version}
	if err := decode("quota", r.Quota, &p.Quota); err != nil {
		return blueberry.Project{}, err
	}
	return p, decode("cluster kinds", r.ClusterKinds, &p.ClusterKinds)
}

// Project reads a project, or NotFound.
func (t *Tx) Project(ctx context.Context, name string) (blueberry.Project, error) {
	return t.readProject(ctx, name, "")
}

// LockProject reads a project, or NotFound, and keeps other transactions from locking it, and from changing its quota, until this one ends.
func (t *Tx) LockProject(ctx context.Context, name string) (blueberry.Project, error) {
	if t.readOnly {
		return blueberry.Project{}, errReadOnly
	}
	// Not FOR UPDATE: that waits for everyone who has just added an environment of the project, and two of them who lock then wait for each other.
	return t.readProject(ctx, name, "NO KEY UPDATE")
}

func (t *Tx) readProject(ctx context.Context, name, lock string) (blueberry.Project, error) {
	var row projectRow
	err := t.locking(t.db.NewSelect().Model(&row).Where("name = ?", clean(name)), lock).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Project{}, projectNotFound(name)
	}
	if err != nil {
		return blueberry.Project{}, fmt.Errorf("read project: %w", err)
	}
	return row.project()
}

func projectNotFound(name string) error {
	return blueberry.Errorf(blueberry.NotFound, "PROJECT_NOT_FOUND", "there is no project %q", name)
}

// Projects reads all, by name.
func (t *Tx) Projects(ctx context.Context) ([]blueberry.Project, error) {
	var rows []projectRow
	if err := t.db.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read projects: %w", err)
	}
	slices.SortFunc(rows, func(a, b projectRow) int { return strings.Compare(a.Name, b.Name) }) // here, so that both databases give one order
	out := make([]blueberry.Project, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.project(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PutProject makes a project, at version 1 when it has none, or changes what one may do. The quota of one that is there stays.
func (t *Tx) PutProject(ctx context.Context, p blueberry.Project) error {
	kinds, err := encode("cluster kinds", p.ClusterKinds)
	if err != nil {
		return err
	}
	quota, err := encode("quota", p.Quota)
	if err != nil {
		return err
	}
	row := projectRow{Name: p.Name, ClusterKinds: kinds, CreatedAt: micros(p.CreatedAt), Quota: quota, Version: max(1, p.Version)}
	if _, err := t.db.NewInsert().Model(&row).On("CONFLICT (name) DO UPDATE").Set("cluster_kinds = EXCLUDED.cluster_kinds").Exec(ctx); err != nil {
		return fmt.Errorf("write project: %w", err)
	}
	return nil
}

// SetQuota writes the quota of a project if its version is still p.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
func (t *Tx) SetQuota(ctx context.Context, p blueberry.Project) error {
	quota, err := encode("quota", p.Quota)
	if err != nil {
		return err
	}
	res, err := t.db.NewUpdate().Model((*projectRow)(nil)).Set("quota = ?", quota).Set("version = ?", p.Version+1).
		Where("name = ?", clean(p.Name)).Where("version = ?", p.Version).Exec(ctx)
	g := guarded{
		label: "project " + p.Name, version: p.Version,
		there: t.db.NewSelect().Model((*projectRow)(nil)).Where("name = ?", clean(p.Name)), missing: projectNotFound(p.Name),
	}
	return g.check(ctx, "set quota", res, err)
}

func (t *Tx) ensureDefaultProject(ctx context.Context) error {
	row := projectRow{Name: blueberry.DefaultProject, ClusterKinds: "null", CreatedAt: micros(time.Now()), Quota: "{}", Version: 1}
	_, err := t.db.NewInsert().Model(&row).On("CONFLICT (name) DO NOTHING").Exec(ctx)
	return err
}
