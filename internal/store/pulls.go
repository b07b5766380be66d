package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type pullRow struct {
	bun.BaseModel `bun:"table:pulls"`

	ID            string `bun:"id,pk"`
	RepositoryID  string `bun:"repository_id"`
	Project       string `bun:"project"`
	Number        int    `bun:"number"`
	Title         string `bun:"title"`
	URL           string `bun:"url"`
	Author        string `bun:"author"`
	Relation      string `bun:"relation"`
	Bot           bool   `bun:"bot"`
	Draft         bool   `bun:"draft"`
	Labels        string `bun:"labels"`
	State         string `bun:"state"`
	HeadRef       string `bun:"head_ref"`
	HeadCommit    string `bun:"head_commit"`
	HeadURL       string `bun:"head_url"`
	HeadRepo      string `bun:"head_repo"`
	BaseRepo      string `bun:"base_repo"`
	BaseRef       string `bun:"base_ref"`
	HostAt        int64  `bun:"host_at"`
	Outcome       string `bun:"outcome"`
	Message       string `bun:"message"`
	EnvironmentID string `bun:"environment_id"`
	BuiltCommit   string `bun:"built_commit"`
	Turn          int    `bun:"turn"`
	CreatedAt     int64  `bun:"created_at"`
	UpdatedAt     int64  `bun:"updated_at"`
	Version       int64  `bun:"version"`

	BuiltRestricted bool   `bun:"built_restricted"`
	Config          string `bun:"config"`
	ApprovedCommit  string `bun:"approved_commit"`
	ApprovedBy      string `bun:"approved_by"`
	ApprovedAt      int64  `bun:"approved_at"`

	GateCommit string `bun:"gate_commit"`
	GateSince  int64  `bun:"gate_since"`
	GateHeld   bool   `bun:"gate_held"`
}

func pullToRow(p blueberry.PullRequest) (pullRow, error) {
	labels, err := encode("labels", p.Labels)
	if err != nil {
		return pullRow{}, err
	}
	return pullRow{
		ID: clean(p.ID), RepositoryID: clean(p.RepositoryID), Project: clean(p.Project), Number: p.Number, Title: clean(p.Title), URL: clean(p.URL),
		Author: clean(p.Author), Relation: clean(string(p.Relation)), Bot: p.Bot, Draft: p.Draft, Labels: labels, State: clean(string(p.State)), HeadRef: clean(p.HeadRef),
		HeadCommit: clean(p.HeadCommit), HeadURL: clean(p.HeadURL), HeadRepo: clean(p.HeadRepo), BaseRepo: clean(p.BaseRepo), BaseRef: clean(p.BaseRef),
		HostAt: micros(p.HostAt), Outcome: clean(string(p.Outcome)), Message: clean(p.Message), EnvironmentID: clean(p.EnvironmentID),
		BuiltCommit: clean(p.BuiltCommit), Turn: p.Turn, CreatedAt: micros(p.CreatedAt), UpdatedAt: micros(p.UpdatedAt), Version: 1,
		BuiltRestricted: p.BuiltRestricted, Config: clean(string(p.Config)),
		ApprovedCommit: clean(p.ApprovedCommit), ApprovedBy: clean(p.ApprovedBy), ApprovedAt: micros(p.ApprovedAt),
		GateCommit: clean(p.Gate.Commit), GateSince: micros(p.Gate.Since), GateHeld: p.Gate.Held,
	}, nil
}

func (r pullRow) pull() (blueberry.PullRequest, error) {
	p := blueberry.PullRequest{
		ID: r.ID, RepositoryID: r.RepositoryID, Project: r.Project, Number: r.Number, Title: r.Title, URL: r.URL, Author: r.Author,
		Relation: blueberry.PullRelation(r.Relation), Bot: r.Bot, Draft: r.Draft, State: blueberry.PullState(r.State), HeadRef: r.HeadRef, HeadCommit: r.HeadCommit,
		HeadURL: r.HeadURL, HeadRepo: r.HeadRepo, BaseRepo: r.BaseRepo, BaseRef: r.BaseRef, HostAt: timeOf(r.HostAt),
		Outcome: blueberry.PullOutcome(r.Outcome), Message: r.Message, EnvironmentID: r.EnvironmentID, BuiltCommit: r.BuiltCommit,
		Turn: r.Turn, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
		BuiltRestricted: r.BuiltRestricted, Config: blueberry.PullConfig(r.Config),
		PullApproval: blueberry.PullApproval{ApprovedCommit: r.ApprovedCommit, ApprovedBy: r.ApprovedBy, ApprovedAt: timeOf(r.ApprovedAt)},
		Gate:         blueberry.PullGateMark{Commit: r.GateCommit, Since: timeOf(r.GateSince), Held: r.GateHeld},
	}
	return p, decode("labels", r.Labels, &p.Labels)
}

func pullNotFound(what string) error {
	return blueberry.Errorf(blueberry.NotFound, "PULL_NOT_FOUND", "there is no pull request %s", what)
}

// InsertPull adds one, at version 1; Conflict with code PULL_EXISTS while the repository has one of the number, NotFound when there is no such repository.
func (t *Tx) InsertPull(ctx context.Context, p blueberry.PullRequest) error {
	row, err := pullToRow(p)
	if err != nil {
		return err
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if missingReference(err) {
		return repositoryNotFound(p.RepositoryID)
	}
	return deleted("insert pull request", res, err, blueberry.Errorf(blueberry.Conflict, "PULL_EXISTS", "the repository has a pull request %d", p.Number))
}

// Pull reads one by id, or NotFound with code PULL_NOT_FOUND.
func (t *Tx) Pull(ctx context.Context, id string) (blueberry.PullRequest, error) {
	return t.readPull(ctx, fmt.Sprintf("%q", id), "id = ?", clean(id))
}

// FindPull reads one by repository and number, or NotFound with code PULL_NOT_FOUND.
func (t *Tx) FindPull(ctx context.Context, repositoryID string, number int) (blueberry.PullRequest, error) {
	return t.readPull(ctx, fmt.Sprint(number), "repository_id = ? AND number = ?", clean(repositoryID), number)
}

func (t *Tx) readPull(ctx context.Context, what, where string, args ...any) (blueberry.PullRequest, error) {
	row, err := one[pullRow](ctx, t, "pull request", pullNotFound(what), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where(where, args...) })
	if err != nil {
		return blueberry.PullRequest{}, err
	}
	return row.pull()
}

// Pulls reads one page, the newest first by id. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) Pulls(ctx context.Context, q blueberry.PullQuery) ([]blueberry.PullRequest, error) {
	rows, err := many[pullRow](ctx, t, "pull requests", func(s *bun.SelectQuery) *bun.SelectQuery {
		if q.Projects != nil {
			s = within(s, t.unindexed("project"), q.Projects)
		}
		for _, x := range []struct{ column, value string }{{"repository_id", q.RepositoryID}, {"state", string(q.State)}, {"outcome", string(q.Outcome)}, {"base_ref", q.BaseRef}} {
			if x.value != "" {
				s = s.Where("? = ?", bun.Ident(x.column), clean(x.value))
			}
		}
		return newest(s, q.Before, q.Limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, pullRow.pull)
}

// UpdatePull writes p if the row's version is still p.Version, else Conflict with code VERSION_MOVED; the version then counts up by one. The repository, the
// project and the number are not among what it writes.
func (t *Tx) UpdatePull(ctx context.Context, p blueberry.PullRequest) error {
	row, err := pullToRow(p)
	if err != nil {
		return err
	}
	row.Version = p.Version + 1
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "repository_id", "project", "number", "created_at").
		Where("id = ?", row.ID).Where("version = ?", p.Version).Exec(ctx)
	g := guarded{
		label: fmt.Sprintf("pull request %d", p.Number), version: p.Version,
		there: t.db.NewSelect().Model((*pullRow)(nil)).Where("id = ?", row.ID), missing: pullNotFound(fmt.Sprintf("%q", p.ID)),
	}
	return g.check(ctx, "update pull request", res, err)
}
