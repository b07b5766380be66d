package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type revisionRow struct {
	bun.BaseModel `bun:"table:revisions"`

	EnvironmentID string `bun:"environment_id,pk"`
	Number        int    `bun:"number,pk"`
	ID            string `bun:"id"`
	Author        string `bun:"author"`
	Reason        string `bun:"reason"`
	sourceColumns
	Blueprint string `bun:"blueprint"`
	Digest    string `bun:"digest"`
	GitCommit string `bun:"git_commit"`
	CreatedAt int64  `bun:"created_at"`
	Inputs    string `bun:"inputs"`
	demandColumns
	Plan         string `bun:"plan"`
	RestoredFrom int    `bun:"restored_from"`
	Settings     []byte `bun:"settings,notnull"`
}

// sourceColumns is where a revision or a version came from, as kept.
type sourceColumns struct {
	Repository string `bun:"source_repository"`
	Ref        string `bun:"source_ref"`
	Commit     string `bun:"source_commit"`
	Path       string `bun:"source_path"`
}

func sourceToColumns(s blueberry.Source) sourceColumns {
	return sourceColumns{clean(s.Repository), clean(s.Ref), clean(s.Commit), clean(s.Path)}
}

func (c sourceColumns) source() blueberry.Source { return blueberry.Source(c) }

// inputsColumn is what a revision was made of, besides source and blueprint.
type inputsColumn struct {
	Catalogue  blueberry.BlueprintRef `json:",omitzero"`
	Config     []blueberry.ConfigUse  `json:",omitempty"`
	Parameters map[string]any         `json:",omitzero"`
	Overrides  map[string]any         `json:",omitzero"`
	Head       string                 `json:",omitempty"`

	Branch  string                      `json:",omitempty"`
	Sources []blueberry.ComponentSource `json:",omitempty"`
	Commits map[string]string           `json:",omitempty"`
	Images  map[string]string           `json:",omitempty"`
}

func (s *Store) revisionToRow(r blueberry.Revision) (revisionRow, error) {
	blueprint, err := encodeExact("blueprint", r.Blueprint)
	if err != nil {
		return revisionRow{}, err
	}
	inputs, err := encodeExact("inputs", inputsColumn{
		r.Catalogue, r.Config, r.Parameters, r.Overrides, clean(r.Head), clean(r.Branch), r.Sources, r.Commits, r.Images,
	})
	if err != nil {
		return revisionRow{}, err
	}
	settings, err := s.packSettings(r.Settings)
	if err != nil {
		return revisionRow{}, err
	}
	return revisionRow{
		EnvironmentID: r.EnvironmentID, Number: r.Number, ID: r.ID, Author: clean(r.Author), Reason: clean(r.Reason), sourceColumns: sourceToColumns(r.Source),
		Blueprint: string(blueprint), Digest: r.Rendering.Digest, GitCommit: r.Commit, CreatedAt: micros(r.CreatedAt),
		Inputs: string(inputs), demandColumns: columnsOf(r.Demand), Plan: clean(r.Plan), RestoredFrom: r.RestoredFrom, Settings: settings,
	}, nil
}

// revision gives a revision with the digest of its rendering and nothing more of it, and without its settings.
func (r revisionRow) revision() (blueberry.Revision, error) {
	out := blueberry.Revision{
		ID: r.ID, EnvironmentID: r.EnvironmentID, Number: r.Number, Author: r.Author, Reason: r.Reason,
		Demand: r.demand(), Plan: r.Plan, RestoredFrom: r.RestoredFrom, Rendering: blueberry.Rendering{Digest: r.Digest}, Commit: r.GitCommit, CreatedAt: timeOf(r.CreatedAt),
	}
	out.Source = r.source()
	if err := decodeExact("blueprint", []byte(r.Blueprint), &out.Blueprint); err != nil {
		return blueberry.Revision{}, err
	}
	var in inputsColumn
	if err := decodeExact("inputs", []byte(r.Inputs), &in); err != nil {
		return blueberry.Revision{}, err
	}
	out.Catalogue, out.Config, out.Parameters, out.Overrides, out.Head = in.Catalogue, in.Config, in.Parameters, in.Overrides, in.Head
	out.Branch, out.Sources, out.Commits, out.Images = in.Branch, in.Sources, in.Commits, in.Images
	return out, nil
}

// InsertRevision adds a revision with its rendering and settings, and makes its config sets and its blueprint of the catalogue those that the environment
// uses. A rendering of the same digest is kept once. It is Conflict when the number is taken, and with the code CONFIG_SET_GONE or BLUEPRINT_GONE when
// what it uses was deleted.
func (t *Tx) InsertRevision(ctx context.Context, r blueberry.Revision) error {
	row, err := t.store.revisionToRow(r)
	if err != nil {
		return err
	}
	if err := t.PutRendering(ctx, r.Rendering, r.CreatedAt); err != nil {
		return err
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	switch {
	case err == nil:
		return t.replaceUses(ctx, r)
	case isTaken(err):
		return blueberry.Errorf(blueberry.Conflict, "REVISION_EXISTS", "environment %s has a revision %d", r.EnvironmentID, r.Number)
	case missingReference(err):
		return environmentNotFound(r.EnvironmentID)
	}
	return fmt.Errorf("insert revision: %w", err)
}

// Revision reads one with its rendering but without its settings, or NotFound.
func (t *Tx) Revision(ctx context.Context, environmentID string, number int) (blueberry.Revision, error) {
	r, err := t.RevisionInputs(ctx, environmentID, number)
	if err != nil {
		return blueberry.Revision{}, err
	}
	r.Rendering, err = t.Rendering(ctx, r.Rendering.Digest)
	return r, err
}

// RevisionInputs reads one without the files of its rendering and without settings, or NotFound.
func (t *Tx) RevisionInputs(ctx context.Context, environmentID string, number int) (blueberry.Revision, error) {
	var row revisionRow
	err := t.db.NewSelect().Model(&row).ExcludeColumn("settings").Where("environment_id = ?", clean(environmentID)).Where("number = ?", number).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Revision{}, revisionNotFound(environmentID, number)
	}
	if err != nil {
		return blueberry.Revision{}, fmt.Errorf("read revision: %w", err)
	}
	return row.revision()
}

// RevisionSettings reads the settings of one, or NotFound. A revision older than settings has none.
func (t *Tx) RevisionSettings(ctx context.Context, environmentID string, number int) ([]blueberry.Setting, error) {
	var packed []byte
	err := t.db.NewSelect().Model((*revisionRow)(nil)).Column("settings").Where("environment_id = ?", clean(environmentID)).Where("number = ?", number).Scan(ctx, &packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, revisionNotFound(environmentID, number)
	}
	if err != nil {
		return nil, fmt.Errorf("read settings of revision: %w", err)
	}
	return unpackSettings(packed)
}

// Revisions reads one page, newest first, each as RevisionInputs does. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) Revisions(ctx context.Context, q blueberry.RevisionQuery) ([]blueberry.Revision, error) {
	var rows []revisionRow
	sel := t.db.NewSelect().Model(&rows).ExcludeColumn("settings").Where("environment_id = ?", clean(q.EnvironmentID))
	if q.Before > 0 {
		sel = sel.Where("number < ?", q.Before)
	}
	if err := sel.Order("number DESC").Limit(int64(pageLimit(q.Limit))).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list revisions: %w", err)
	}
	out := make([]blueberry.Revision, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.revision(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func revisionNotFound(environmentID string, number int) error {
	return blueberry.Errorf(blueberry.NotFound, "REVISION_NOT_FOUND", "environment %s has no revision %d", environmentID, number)
}

// SetRevisionCommit notes the commit that holds the revision in Git; NotFound when there is no such revision.
func (t *Tx) SetRevisionCommit(ctx context.Context, environmentID string, number int, commit string) error {
	res, err := t.db.NewUpdate().Model((*revisionRow)(nil)).Set("git_commit = ?", commit).
		Where("environment_id = ?", clean(environmentID)).Where("number = ?", number).Exec(ctx)
	n, err := touched("set commit of revision", res, err)
	if err != nil {
		return err
	}
	if n == 0 {
		return revisionNotFound(environmentID, number)
	}
	return nil
}
