package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// repositoryRow is a repository as kept. The secrets are sealed by whoever writes them.
type repositoryRow struct {
	bun.BaseModel `bun:"table:repositories"`

	ID             string `bun:"id,pk"`
	Project        string `bun:"project"`
	Name           string `bun:"name"`
	Host           string `bun:"host"`
	URL            string `bun:"url"`
	Secrets        []byte `bun:"secrets"`
	Policy         string `bun:"policy"`
	API            string `bun:"api"`
	Credential     []byte `bun:"credential"`
	Health         string `bun:"health"`
	Sweep          string `bun:"sweep"`
	Rules          string `bun:"rules"`
	BranchSweep    string `bun:"branch_sweep"`
	LastDeliveryAt int64  `bun:"last_delivery_at"`
	LastRefusedAt  int64  `bun:"last_refused_at"`
	CreatedAt      int64  `bun:"created_at"`
	UpdatedAt      int64  `bun:"updated_at"`
	Version        int64  `bun:"version"`
}

func repositoryToRow(r blueberry.Repository) (repositoryRow, error) {
	policy, err := encode("pull policy", r.Policy)
	if err != nil {
		return repositoryRow{}, err
	}
	api, err := encode("host API", r.HostAPI)
	if err != nil {
		return repositoryRow{}, err
	}
	health, err := encode("health of the host", r.Health)
	if err != nil {
		return repositoryRow{}, err
	}
	sweep, err := encode("sweep", r.Sweep)
	if err != nil {
		return repositoryRow{}, err
	}
	rules := "[]"
	if len(r.Rules) > 0 {
		if rules, err = encode("branch rules", r.Rules); err != nil {
			return repositoryRow{}, err
		}
	}
	branches, err := encode("sweep of branches", r.Branches)
	if err != nil {
		return repositoryRow{}, err
	}
	row := repositoryRow{
		ID: clean(r.ID), Project: clean(r.Project), Name: clean(r.Name), Host: clean(string(r.Host)), URL: clean(r.URL), Secrets: r.Secrets, Policy: policy,
		API: api, Credential: r.Credential, Health: health, Sweep: sweep, Rules: rules, BranchSweep: branches,
		LastDeliveryAt: micros(r.LastDeliveryAt), LastRefusedAt: micros(r.LastRefusedAt), CreatedAt: micros(r.CreatedAt), UpdatedAt: micros(r.UpdatedAt), Version: 1,
	}
	if len(row.Secrets) == 0 {
		row.Secrets = nil // one form of none
	}
	if len(row.Credential) == 0 {
		row.Credential = nil
	}
	return row, nil
}

func (r repositoryRow) repository() (blueberry.Repository, error) {
	out := blueberry.Repository{
		ID: r.ID, Project: r.Project, Name: r.Name, Host: blueberry.HostKind(r.Host), URL: r.URL, Secrets: r.Secrets, Credential: r.Credential,
		LastDeliveryAt: timeOf(r.LastDeliveryAt), LastRefusedAt: timeOf(r.LastRefusedAt), CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
	}
	err := errors.Join(decode("pull policy", r.Policy, &out.Policy), decode("host API", r.API, &out.HostAPI), decode("health of the host", r.Health, &out.Health),
		decode("sweep", r.Sweep, &out.Sweep), decode("branch rules", r.Rules, &out.Rules), decode("sweep of branches", r.BranchSweep, &out.Branches))
	if len(out.Rules) == 0 {
		out.Rules = nil // one form of none
	}
	return out, err
}

func repositoryNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "REPOSITORY_NOT_FOUND", "there is no repository %q", id)
}

func repositoryTaken(r blueberry.Repository) error {
	return nameTaken("REPOSITORY_EXISTS", "repository "+r.Name+" in project "+r.Project)
}

// InsertRepository adds one, at version 1; Conflict with code REPOSITORY_EXISTS and a fault on "name" while the project has one of the name, NotFound when
// there is no such project.
func (t *Tx) InsertRepository(ctx context.Context, r blueberry.Repository) error {
	row, err := repositoryToRow(r)
	if err != nil {
		return err
	}
	if err := t.keepProject(ctx, r.Project); err != nil {
		return err
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if missingReference(err) {
		return projectNotFound(r.Project)
	}
	return deleted("insert repository", res, err, repositoryTaken(r))
}

// Repository reads one by id, or NotFound with code REPOSITORY_NOT_FOUND. Its secrets are sealed.
func (t *Tx) Repository(ctx context.Context, id string) (blueberry.Repository, error) {
	row, err := one[repositoryRow](ctx, t, "repository", repositoryNotFound(id), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.Repository{}, err
	}
	return row.repository()
}

// Repositories reads one page, by id. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize. Their secrets are sealed.
func (t *Tx) Repositories(ctx context.Context, q blueberry.RepositoryQuery) ([]blueberry.Repository, error) {
	rows, err := many[repositoryRow](ctx, t, "repositories", func(s *bun.SelectQuery) *bun.SelectQuery {
		if q.Projects != nil {
			s = within(s, t.unindexed("project"), q.Projects)
		}
		return s.Where("id > ?", clean(q.After)).Order("id").Limit(int64(pageLimit(q.Limit)))
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, repositoryRow.repository)
}

// UpdateRepository writes r if the row's version is still r.Version, else Conflict with code VERSION_MOVED; the version then counts up by one. The project,
// the times of deliveries, the health and the sweeps are not among what it writes. A name that another one of the project has is Conflict with code REPOSITORY_EXISTS.
func (t *Tx) UpdateRepository(ctx context.Context, r blueberry.Repository) error {
	row, err := repositoryToRow(r)
	if err != nil {
		return err
	}
	row.Version = r.Version + 1
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "project", "last_delivery_at", "last_refused_at", "health", "sweep", "branch_sweep", "created_at").
		Where("id = ?", row.ID).Where("version = ?", r.Version).Exec(ctx)
	if isTaken(err) {
		return repositoryTaken(r)
	}
	g := guarded{
		label: "repository " + r.Name, version: r.Version,
		there: t.db.NewSelect().Model((*repositoryRow)(nil)).Where("id = ?", row.ID), missing: repositoryNotFound(r.ID),
	}
	return g.check(ctx, "update repository", res, err)
}

// SetHostHealth notes how speaking to the host went. It changes no version; of a repository that is gone, nothing.
func (t *Tx) SetHostHealth(ctx context.Context, id string, h blueberry.HostHealth) error {
	return setJSON(ctx, t, "repositories", "health", id, h)
}

// SetHostSweep notes how far looking for lost deliveries has come. It changes no version; of a repository that is gone, nothing.
func (t *Tx) SetHostSweep(ctx context.Context, id string, w blueberry.HostSweep) error {
	return setJSON(ctx, t, "repositories", "sweep", id, w)
}

func setJSON(ctx context.Context, t *Tx, table, column, id string, v any) error {
	if t.readOnly {
		return errReadOnly
	}
	js, err := encode(column, v)
	if err != nil {
		return err
	}
	if _, err := t.db.NewUpdate().Table(table).Set("? = ?", bun.Ident(column), js).Where("id = ?", clean(id)).Exec(ctx); err != nil {
		return fmt.Errorf("set %s of %s: %w", column, table, err)
	}
	return nil
}

// DeleteRepository removes one with its deliveries, pull requests and branches, or NotFound. It waits for everyone who is adding one of them.
func (t *Tx) DeleteRepository(ctx context.Context, id string) error {
	if t.readOnly {
		return errReadOnly
	}
	n, err := t.dropRepositories(ctx, "id", id)
	if err == nil && n == 0 {
		return repositoryNotFound(id)
	}
	return err
}

// dropRepositories removes those with the value in a column, with their deliveries, pull requests and branches, and tells how many. It locks them first, so that whoever
// adds one of these either comes before, or finds no repository.
func (t *Tx) dropRepositories(ctx context.Context, column, value string) (int, error) {
	var ids []string
	err := t.held(t.db.NewSelect().Model((*repositoryRow)(nil)).Column("id").Where("? = ?", bun.Ident(column), clean(value)).Order("id")).Scan(ctx, &ids)
	if err != nil {
		return 0, fmt.Errorf("read repositories: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	reports := t.db.NewSelect().Table("pulls").Column("id").Where("repository_id IN (?)", bun.List(ids))
	if _, err := t.db.NewDelete().Table("pull_reports").Where("pull_id IN (?)", reports).Exec(ctx); err != nil {
		return 0, fmt.Errorf("delete pull_reports: %w", err)
	}
	for _, x := range []struct{ table, column string }{{"deliveries", "repository_id"}, {"pull_commands", "repository_id"}, {"pulls", "repository_id"}, {"branches", "repository_id"}, {"ci_reports", "repository_id"}, {"scan_exceptions", "repository_id"}, {"repositories", "id"}} {
		if _, err := t.db.NewDelete().Table(x.table).Where("? IN (?)", bun.Ident(x.column), bun.List(ids)).Exec(ctx); err != nil {
			return 0, fmt.Errorf("delete %s: %w", x.table, err)
		}
	}
	return len(ids), nil
}

// TouchRepository notes when the last delivery came that was accepted, or refused. The time never goes back, and no version changes.
func (t *Tx) TouchRepository(ctx context.Context, id string, accepted bool, at time.Time) error {
	column := "last_refused_at"
	if accepted {
		column = "last_delivery_at"
	}
	return t.touch(ctx, "repositories", column, id, micros(at))
}
