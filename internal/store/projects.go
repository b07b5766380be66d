package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// projectRow is a project as kept. The row of a deleted one stays, because history names it: DeletedAt says so, and nobody is told of it.
type projectRow struct {
	bun.BaseModel `bun:"table:projects,alias:projects"`

	Name         string `bun:"name,pk"`
	Description  string `bun:"description"`
	ClusterKinds string `bun:"cluster_kinds"`
	CreatedAt    int64  `bun:"created_at"`
	Quota        string `bun:"quota"`
	Version      int64  `bun:"version"`
	DeletedAt    int64  `bun:"deleted_at"`
	MaxPinHours  int    `bun:"max_pin_hours"`
	Sleep        string `bun:"sleep"`
}

func projectToRow(p blueberry.Project) (projectRow, error) {
	kinds, err := encode("cluster kinds", p.ClusterKinds)
	if err != nil {
		return projectRow{}, err
	}
	quota, err := encode("quota", p.Quota)
	if err != nil {
		return projectRow{}, err
	}
	sleep, err := encode("sleep policy", policyToColumn(p.Sleep))
	if err != nil {
		return projectRow{}, err
	}
	return projectRow{
		Name: p.Name, Description: clean(p.Description), ClusterKinds: kinds, CreatedAt: micros(p.CreatedAt), Quota: quota, Version: max(1, p.Version),
		MaxPinHours: p.MaxPinHours, Sleep: sleep,
	}, nil
}

func (r projectRow) project() (blueberry.Project, error) {
	p := blueberry.Project{Name: r.Name, Description: r.Description, CreatedAt: timeOf(r.CreatedAt), Version: r.Version, MaxPinHours: r.MaxPinHours}
	var sleep policyColumn
	if err := decode("sleep policy", r.Sleep, &sleep); err != nil {
		return blueberry.Project{}, err
	}
	p.Sleep = sleep.policy()
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

// keepProject makes sure that a project is there and is not deleted until this transaction ends. An empty one means the installation.
func (t *Tx) keepProject(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	if t.readOnly {
		return errReadOnly
	}
	_, err := t.readProject(ctx, name, "KEY SHARE")
	return err
}

func (t *Tx) readProject(ctx context.Context, name, lock string) (blueberry.Project, error) {
	row, err := one[projectRow](ctx, t, "project", projectNotFound(name), func(s *bun.SelectQuery) *bun.SelectQuery {
		return t.locking(s.Where("name = ?", clean(name)).Where("deleted_at = 0"), lock)
	})
	if err != nil {
		return blueberry.Project{}, err
	}
	return row.project()
}

func projectNotFound(name string) error {
	return blueberry.Errorf(blueberry.NotFound, "PROJECT_NOT_FOUND", "there is no project %q", name)
}

// Projects reads all, by name.
func (t *Tx) Projects(ctx context.Context) ([]blueberry.Project, error) {
	rows, err := many[projectRow](ctx, t, "projects", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("deleted_at = 0") })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b projectRow) int { return strings.Compare(a.Name, b.Name) }) // here, so that both databases give one order
	return nouns(rows, projectRow.project)
}

// InsertProject adds one, at version 1 when it has none; Conflict with code DUPLICATE_RESOURCE and a fault on "name". The name of a deleted one is free.
func (t *Tx) InsertProject(ctx context.Context, p blueberry.Project) error {
	row, err := projectToRow(p)
	if err != nil {
		return err
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	n, err := touched("insert project", res, err)
	if err != nil || n > 0 {
		return err
	}
	if _, err := t.Project(ctx, p.Name); errors.Is(err, blueberry.NotFound) {
		return duplicate("name", "%s was the name of a project that was deleted, whose history keeps it", p.Name)
	} else if err != nil {
		return err
	}
	return duplicate("name", "there is a project %s", p.Name)
}

// PutProject makes a project, at version 1 when it has none, or changes what one may do. The description, quota and life of one that is there stay.
func (t *Tx) PutProject(ctx context.Context, p blueberry.Project) error {
	row, err := projectToRow(p)
	if err != nil {
		return err
	}
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
	return t.changeProject(ctx, p, "quota", quota)
}

// DescribeProject writes the description if the version is still p.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
func (t *Tx) DescribeProject(ctx context.Context, p blueberry.Project) error {
	return t.changeProject(ctx, p, "description", clean(p.Description))
}

// SetProjectLife writes how long environments of a project may be pinned, and when they sleep, if its version is still p.Version, else Conflict with code
// VERSION_MOVED; the version then counts up by one.
func (t *Tx) SetProjectLife(ctx context.Context, p blueberry.Project) error {
	sleep, err := encode("sleep policy", policyToColumn(p.Sleep))
	if err != nil {
		return err
	}
	res, err := t.db.NewUpdate().Model((*projectRow)(nil)).Set("max_pin_hours = ?", p.MaxPinHours).Set("sleep = ?", sleep).Set("version = ?", p.Version+1).
		Where("name = ?", clean(p.Name)).Where("version = ?", p.Version).Where("deleted_at = 0").Exec(ctx)
	return t.projectGuard(p.Name, p.Version).check(ctx, "change life of project", res, err)
}

func (t *Tx) changeProject(ctx context.Context, p blueberry.Project, column, value string) error {
	res, err := t.db.NewUpdate().Model((*projectRow)(nil)).Set("? = ?", bun.Ident(column), value).Set("version = ?", p.Version+1).
		Where("name = ?", clean(p.Name)).Where("version = ?", p.Version).Where("deleted_at = 0").Exec(ctx)
	return t.projectGuard(p.Name, p.Version).check(ctx, "change "+column+" of project", res, err)
}

func (t *Tx) projectGuard(name string, version int64) guarded {
	return guarded{
		label: "project " + name, version: version,
		there: t.db.NewSelect().Model((*projectRow)(nil)).Where("name = ?", clean(name)).Where("deleted_at = 0"), missing: projectNotFound(name),
	}
}

// inUseFaults is how many of the environments that keep a project are told.
const inUseFaults = 20

// DeleteProject removes a project if its version is still the one given, with its members, group rules, service accounts (their tokens are revoked), config
// sets, blueprints, policies, subscriptions and repositories; API tokens and OAuth clients that may act in it alone end, others lose its name. Conflict with code
// PROJECT_IN_USE, with a fault for each of up to 20, while environments that are not terminated are in it. Its history stays. It waits for everyone who is
// adding an environment to it.
func (t *Tx) DeleteProject(ctx context.Context, name string, version int64, by string, at time.Time) error {
	if t.readOnly {
		return errReadOnly
	}
	p, err := t.readProject(ctx, name, "UPDATE")
	if err != nil {
		return err
	}
	if p.Version != version {
		return t.projectGuard(name, version).moved()
	}
	living, err := many[environmentRow](ctx, t, "environments of project", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Column("id", "name", "phase").Where("project = ?", clean(name)).Where("phase <> 'terminated'").Order("name", "id").Limit(inUseFaults)
	})
	if err != nil {
		return err
	}
	if len(living) > 0 {
		e := blueberry.Errorf(blueberry.Conflict, "PROJECT_IN_USE", "project %s has environments that are not terminated", name)
		for _, x := range living {
			e.Fields = append(e.Fields, blueberry.Fault{Field: "environments", Code: "in_use", Message: fmt.Sprintf("%s (%s) is %s", x.Name, x.ID, x.Phase)})
		}
		return e
	}
	if err := t.emptyProject(ctx, name, by, at); err != nil {
		return err
	}
	_, err = t.db.NewUpdate().Model((*projectRow)(nil)).Set("deleted_at = ?", micros(at)).Set("quota = '{}'").Set("version = version + 1").
		Where("name = ?", clean(name)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("delete project: %w", err)
	}
	return nil
}

// emptyProject removes everything of a project but its environments and their history.
func (t *Tx) emptyProject(ctx context.Context, name, by string, at time.Time) error {
	name = clean(name)
	var services []string
	if err := t.db.NewSelect().Table("service_accounts").Column("id").Where("project = ?", name).Scan(ctx, &services); err != nil {
		return fmt.Errorf("read service accounts of project: %w", err)
	}
	if err := t.revokeTokensOf(ctx, services, by, at); err != nil {
		return err
	}
	if err := t.unbindTokens(ctx, name, by, at); err != nil {
		return err
	}
	if err := t.unbindClients(ctx, name); err != nil {
		return err
	}
	for _, x := range []struct{ table, where string }{
		{"members", "project = ?"},
		{"group_rules", "project = ?"},
		{"service_accounts", "project = ?"},
		{"config_uses", "set_id IN (SELECT id FROM config_sets WHERE project = ?)"}, // left by what the version before this one has terminated
		{"config_versions", "set_id IN (SELECT id FROM config_sets WHERE project = ?)"},
		{"config_sets", "project = ?"},
		{"blueprint_uses", "entry_id IN (SELECT id FROM blueprints WHERE project = ?)"},
		{"blueprint_versions", "entry_id IN (SELECT id FROM blueprints WHERE project = ?)"},
		{"blueprints", "project = ?"},
		{"policies", "project = ?"},
		{"scan_exceptions", "project = ?"},
	} {
		if _, err := t.db.NewDelete().Table(x.table).Where(x.where, name).Exec(ctx); err != nil {
			return fmt.Errorf("delete %s of project: %w", x.table, err)
		}
	}
	if _, err := t.dropSubscriptions(ctx, "project", name); err != nil {
		return err
	}
	_, err := t.dropRepositories(ctx, "project", name)
	return err
}

func (t *Tx) ensureDefaultProject(ctx context.Context) error {
	row := projectRow{Name: blueberry.DefaultProject, ClusterKinds: "null", CreatedAt: micros(time.Now()), Quota: "{}", Version: 1, Sleep: "{}"}
	_, err := t.db.NewInsert().Model(&row).On("CONFLICT (name) DO NOTHING").Exec(ctx)
	return err
}
