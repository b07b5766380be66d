package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ciReportRow is a report as kept: Parts is all of it, Summary what lists tell.
type ciReportRow struct {
	bun.BaseModel `bun:"table:ci_reports"`

	ID           string `bun:"id,pk"`
	RepositoryID string `bun:"repository_id"`
	Project      string `bun:"project"`
	Commit       string `bun:"commit_name"`
	Branch       string `bun:"branch"`
	Pipeline     string `bun:"pipeline"`
	CreatedAt    int64  `bun:"created_at"`
	UpdatedAt    int64  `bun:"updated_at"`
	Version      int64  `bun:"version"`
	Summary      string `bun:"summary"`
	Parts        []byte `bun:"parts"`
}

// ciParts is what of a report is JSON.
type ciParts struct {
	Run      blueberry.CIRun        `json:"run"`
	Stages   []blueberry.CIStage    `json:"stages,omitempty"`
	Images   []blueberry.CIImage    `json:"images,omitempty"`
	SBOMs    []blueberry.CISBOM     `json:"sboms,omitempty"`
	Tests    []blueberry.CITests    `json:"tests,omitempty"`
	Coverage []blueberry.CICoverage `json:"coverage,omitempty"`
	Scans    []blueberry.CIScan     `json:"scans,omitempty"`
	Lints    []blueberry.CIScan     `json:"lints,omitempty"`
}

// summary leaves out findings and failures.
func (p ciParts) summary() ciParts {
	bare := func(list []blueberry.CIScan) []blueberry.CIScan {
		out := make([]blueberry.CIScan, len(list))
		for i, x := range list {
			x.Findings = nil
			out[i] = x
		}
		return out
	}
	tests := make([]blueberry.CITests, len(p.Tests))
	for i, x := range p.Tests {
		x.Failures = nil
		tests[i] = x
	}
	p.Tests, p.Scans, p.Lints = tests, bare(p.Scans), bare(p.Lints)
	return p
}

func (s *Store) ciReportToRow(r blueberry.CIReport) (ciReportRow, error) {
	parts := ciParts{r.Run, r.Stages, r.Images, r.SBOMs, r.Tests, r.Coverage, r.Scans, r.Lints}
	summary, err := encode("summary of CI report", parts.summary())
	if err != nil {
		return ciReportRow{}, err
	}
	whole, err := s.pressExact("CI report", parts)
	if err != nil {
		return ciReportRow{}, err
	}
	return ciReportRow{
		ID: clean(r.ID), RepositoryID: clean(r.RepositoryID), Project: clean(r.Project), Commit: clean(r.Commit), Branch: clean(r.Branch), Pipeline: clean(r.Pipeline),
		CreatedAt: micros(r.CreatedAt), UpdatedAt: micros(r.UpdatedAt), Version: 1, Summary: summary, Parts: whole,
	}, nil
}

// report gives a report; what was not read of it is what lists tell.
func (r ciReportRow) report() (blueberry.CIReport, error) {
	var p ciParts
	var err error
	if len(r.Parts) > 0 {
		err = unpressExact("CI report", r.Parts, &p)
	} else {
		err = decode("summary of CI report", r.Summary, &p)
	}
	return blueberry.CIReport{
		ID: r.ID, RepositoryID: r.RepositoryID, Project: r.Project, Commit: r.Commit, Branch: r.Branch, Pipeline: r.Pipeline, Run: p.Run, Stages: p.Stages, Images: p.Images,
		SBOMs: p.SBOMs, Tests: p.Tests, Coverage: p.Coverage, Scans: p.Scans, Lints: p.Lints, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
	}, err
}

func ciReportNotFound(what string) error {
	return blueberry.Errorf(blueberry.NotFound, "CI_REPORT_NOT_FOUND", "there is no CI report %s", what)
}

// InsertCIReport adds one, at version 1; Conflict with code CI_REPORT_EXISTS while the repository has one of the commit and the pipeline, NotFound when there is
// no such repository.
func (t *Tx) InsertCIReport(ctx context.Context, r blueberry.CIReport) error {
	row, err := t.store.ciReportToRow(r)
	if err != nil {
		return err
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if missingReference(err) {
		return repositoryNotFound(r.RepositoryID)
	}
	return deleted("insert CI report", res, err, blueberry.Errorf(blueberry.Conflict, "CI_REPORT_EXISTS", "pipeline %s has reported on the commit", r.Pipeline))
}

// CIReport reads one with all its parts by id, or NotFound with code CI_REPORT_NOT_FOUND.
func (t *Tx) CIReport(ctx context.Context, id string) (blueberry.CIReport, error) {
	row, err := one[ciReportRow](ctx, t, "CI report", ciReportNotFound(fmt.Sprintf("%q", id)), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.CIReport{}, err
	}
	return row.report()
}

// FindCIReport reads that of a pipeline on a commit, with all its parts, or NotFound with code CI_REPORT_NOT_FOUND.
func (t *Tx) FindCIReport(ctx context.Context, repositoryID, commit, pipeline string) (blueberry.CIReport, error) {
	row, err := one[ciReportRow](ctx, t, "CI report", ciReportNotFound("of the pipeline and the commit"), func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("repository_id = ?", clean(repositoryID)).Where("commit_name = ?", clean(commit)).Where("pipeline = ?", clean(pipeline))
	})
	if err != nil {
		return blueberry.CIReport{}, err
	}
	return row.report()
}

// CIReports reads one page, the newest first, without findings and failures. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) CIReports(ctx context.Context, q blueberry.CIQuery) ([]blueberry.CIReport, error) {
	rows, err := many[ciReportRow](ctx, t, "CI reports", func(s *bun.SelectQuery) *bun.SelectQuery {
		s = s.ExcludeColumn("parts")
		if q.Projects != nil {
			s = within(s, t.unindexed("project"), q.Projects)
		}
		for _, x := range []struct{ column, value string }{
			{"repository_id", q.RepositoryID}, {"commit_name", q.Commit}, {"branch", q.Branch}, {"pipeline", q.Pipeline},
		} {
			if x.value != "" {
				s = s.Where("? = ?", bun.Ident(x.column), clean(x.value))
			}
		}
		return newest(s, q.Before, q.Limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, ciReportRow.report)
}

// CIReportsOf gives what every pipeline says of a commit, with all parts. Of a commit that is told by its first digits, there are none when two may be meant.
func (t *Tx) CIReportsOf(ctx context.Context, repositoryID, commit string) ([]blueberry.CIReport, error) {
	rows, err := many[ciReportRow](ctx, t, "CI reports of commit", func(s *bun.SelectQuery) *bun.SelectQuery {
		s = s.Where("repository_id = ?", clean(repositoryID))
		if commit = clean(commit); len(commit) >= 40 {
			s = s.Where("commit_name = ?", commit)
		} else {
			s = s.Where("commit_name >= ?", commit).Where("commit_name < ?", commit+"g") // hexadecimal digits end with f
		}
		return s.Order("pipeline").Limit(2 * blueberry.MaxPipelines) // of one commit there are no more; of two, some of each
	})
	if err != nil || len(commit) < 12 {
		return nil, err
	}
	for _, r := range rows {
		if r.Commit != rows[0].Commit {
			return nil, nil
		}
	}
	return nouns(rows, ciReportRow.report)
}

// UpdateCIReport writes r if the row's version is still r.Version, else Conflict with code VERSION_MOVED; the version then counts up by one. The repository, the
// commit and the pipeline are not among what it writes.
func (t *Tx) UpdateCIReport(ctx context.Context, r blueberry.CIReport) error {
	row, err := t.store.ciReportToRow(r)
	if err != nil {
		return err
	}
	row.Version = r.Version + 1
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "repository_id", "project", "commit_name", "pipeline", "created_at").
		Where("id = ?", row.ID).Where("version = ?", r.Version).Exec(ctx)
	g := guarded{
		label: "CI report " + r.ID, version: r.Version,
		there: t.db.NewSelect().Model((*ciReportRow)(nil)).Where("id = ?", row.ID), missing: ciReportNotFound(fmt.Sprintf("%q", r.ID)),
	}
	return g.check(ctx, "update CI report", res, err)
}

// PurgeCIReports removes at most limit of those that said their last news before a time, the oldest first, and tells how many. Those of a commit of which another
// pipeline has said something since stay: what one of them found must not go before what another let pass.
func (t *Tx) PurgeCIReports(ctx context.Context, before time.Time, limit int) (int, error) {
	since := t.db.NewSelect().TableExpr("ci_reports AS since").ColumnExpr("1").Where("since.repository_id = ci_reports.repository_id").
		Where("since.commit_name = ci_reports.commit_name").Where("since.updated_at >= ?", micros(before))
	oldest := t.db.NewSelect().TableExpr("ci_reports").Column("id").Where("updated_at < ?", micros(before)).Where("NOT EXISTS (?)", since).
		Order("updated_at", "id").Limit(int64(limit))
	res, err := t.db.NewDelete().Model((*ciReportRow)(nil)).Where("id IN (?)", oldest).Exec(ctx)
	n, err := touched("purge CI reports", res, err)
	return int(n), err
}

// PullsAt gives the open pull requests of a repository that have a commit, which some hosts tell by its first 12 digits; at most MaxPageSize.
func (t *Tx) PullsAt(ctx context.Context, repositoryID, commit string) ([]blueberry.PullRequest, error) {
	rows, err := many[pullRow](ctx, t, "pull requests at commit", func(s *bun.SelectQuery) *bun.SelectQuery {
		commit = clean(commit)
		return s.Where("repository_id = ?", clean(repositoryID)).Where("state = ?", string(blueberry.PullOpen)).
			Where("head_commit IN (?, ?)", commit, commit[:min(len(commit), 12)]).Order("id").Limit(int64(blueberry.MaxPageSize))
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, pullRow.pull)
}
