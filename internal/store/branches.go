package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type branchRow struct {
	bun.BaseModel `bun:"table:branches"`

	ID             string `bun:"id,pk"`
	RepositoryID   string `bun:"repository_id"`
	Project        string `bun:"project"`
	Name           string `bun:"name"`
	HeadCommit     string `bun:"head_commit"`
	HostAt         int64  `bun:"host_at"`
	HeardAt        int64  `bun:"heard_at"`
	Outcome        string `bun:"outcome"`
	Message        string `bun:"message"`
	Environment    string `bun:"environment"`
	EnvironmentID  string `bun:"environment_id"`
	BuiltCommit    string `bun:"built_commit"`
	ApprovedCommit string `bun:"approved_commit"`
	ApprovedBy     string `bun:"approved_by"`
	ApprovedAt     int64  `bun:"approved_at"`
	Turn           int    `bun:"turn"`
	Told           string `bun:"told"`
	CreatedAt      int64  `bun:"created_at"`
	UpdatedAt      int64  `bun:"updated_at"`
	Version        int64  `bun:"version"`
}

func branchToRow(b blueberry.Branch) branchRow {
	return branchRow{
		ID: clean(b.ID), RepositoryID: clean(b.RepositoryID), Project: clean(b.Project), Name: clean(b.Name), HeadCommit: clean(b.HeadCommit), HostAt: micros(b.HostAt),
		HeardAt: micros(b.HeardAt), Outcome: clean(string(b.Outcome)), Message: clean(b.Message), Environment: clean(b.Environment),
		EnvironmentID: clean(b.EnvironmentID), BuiltCommit: clean(b.BuiltCommit), ApprovedCommit: clean(b.ApprovedCommit), ApprovedBy: clean(b.ApprovedBy),
		ApprovedAt: micros(b.ApprovedAt), Turn: b.Turn, Told: clean(b.Told), CreatedAt: micros(b.CreatedAt), UpdatedAt: micros(b.UpdatedAt), Version: 1,
	}
}

func (r branchRow) branch() (blueberry.Branch, error) {
	return blueberry.Branch{
		ID: r.ID, RepositoryID: r.RepositoryID, Project: r.Project, Name: r.Name, HeadCommit: r.HeadCommit, HostAt: timeOf(r.HostAt), HeardAt: timeOf(r.HeardAt),
		Outcome: blueberry.PullOutcome(r.Outcome), Message: r.Message, Environment: r.Environment, EnvironmentID: r.EnvironmentID, BuiltCommit: r.BuiltCommit,
		PullApproval: blueberry.PullApproval{ApprovedCommit: r.ApprovedCommit, ApprovedBy: r.ApprovedBy, ApprovedAt: timeOf(r.ApprovedAt)},
		Turn:         r.Turn, Told: r.Told, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
	}, nil
}

func branchNotFound(what string) error {
	return blueberry.Errorf(blueberry.NotFound, "BRANCH_NOT_FOUND", "there is no branch %q", what)
}

// InsertBranch adds one, at version 1; Conflict with code BRANCH_EXISTS while the repository has one of the name, NotFound when there is no such repository.
func (t *Tx) InsertBranch(ctx context.Context, b blueberry.Branch) error {
	row := branchToRow(b)
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if missingReference(err) {
		return repositoryNotFound(b.RepositoryID)
	}
	return deleted("insert branch", res, err, blueberry.Errorf(blueberry.Conflict, "BRANCH_EXISTS", "branch %q of the repository is known", b.Name))
}

// Branch reads one by id, or NotFound with code BRANCH_NOT_FOUND.
func (t *Tx) Branch(ctx context.Context, id string) (blueberry.Branch, error) {
	return t.readBranch(ctx, id, "id = ?", clean(id))
}

// FindBranch reads one by repository and name, or NotFound with code BRANCH_NOT_FOUND.
func (t *Tx) FindBranch(ctx context.Context, repositoryID, name string) (blueberry.Branch, error) {
	return t.readBranch(ctx, name, "repository_id = ? AND name = ?", clean(repositoryID), clean(name))
}

func (t *Tx) readBranch(ctx context.Context, what, where string, args ...any) (blueberry.Branch, error) {
	row, err := one[branchRow](ctx, t, "branch", branchNotFound(what), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where(where, args...) })
	if err != nil {
		return blueberry.Branch{}, err
	}
	return row.branch()
}

// Branches reads one page, the newest first by id. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) Branches(ctx context.Context, q blueberry.BranchQuery) ([]blueberry.Branch, error) {
	rows, err := many[branchRow](ctx, t, "branches", func(s *bun.SelectQuery) *bun.SelectQuery {
		if q.Projects != nil {
			s = within(s, t.unindexed("project"), q.Projects)
		}
		for _, x := range []struct{ column, value string }{{"repository_id", q.RepositoryID}, {"name", q.Name}, {"outcome", string(q.Outcome)}} {
			if x.value != "" {
				s = s.Where("? = ?", bun.Ident(x.column), clean(x.value))
			}
		}
		if q.Live {
			s = s.Where("head_commit <> ''")
		}
		return newest(s, q.Before, q.Limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, branchRow.branch)
}

// BranchesOfEnvironments gives the branches that have one of the environments.
func (t *Tx) BranchesOfEnvironments(ctx context.Context, ids []string) ([]blueberry.Branch, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := many[branchRow](ctx, t, "branches", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("environment_id IN (?)", bun.List(ids)).Order("id")
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, branchRow.branch)
}

// UpdateBranch writes b if the row's version is still b.Version, else Conflict with code VERSION_MOVED; the version then counts up by one. The repository, the
// project and the name are not among what it writes.
func (t *Tx) UpdateBranch(ctx context.Context, b blueberry.Branch) error {
	row := branchToRow(b)
	row.Version = b.Version + 1
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "repository_id", "project", "name", "created_at").
		Where("id = ?", row.ID).Where("version = ?", b.Version).Exec(ctx)
	g := guarded{
		label: fmt.Sprintf("branch %q", b.Name), version: b.Version,
		there: t.db.NewSelect().Model((*branchRow)(nil)).Where("id = ?", row.ID), missing: branchNotFound(b.ID),
	}
	return g.check(ctx, "update branch", res, err)
}

// DeleteBranch removes one, or NotFound with code BRANCH_NOT_FOUND.
func (t *Tx) DeleteBranch(ctx context.Context, id string) error {
	res, err := t.db.NewDelete().Model((*branchRow)(nil)).Where("id = ?", clean(id)).Exec(ctx)
	return deleted("delete branch", res, err, branchNotFound(id))
}

// SetBranchSweep notes how asking Git for the branches of a repository went. It changes no version; of a repository that is gone, nothing.
func (t *Tx) SetBranchSweep(ctx context.Context, id string, w blueberry.BranchSweep) error {
	return setJSON(ctx, t, "repositories", "branch_sweep", id, w)
}
