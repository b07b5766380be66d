package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type revisionRow struct {
	bun.BaseModel `bun:"table:revisions"`

	EnvironmentID    string `bun:"environment_id,pk"`
	Number           int    `bun:"number,pk"`
	ID               string `bun:"id"`
	Author           string `bun:"author"`
	Reason           string `bun:"reason"`
	SourceRepository string `bun:"source_repository"`
	SourceRef        string `bun:"source_ref"`
	SourceCommit     string `bun:"source_commit"`
	SourcePath       string `bun:"source_path"`
	Blueprint        string `bun:"blueprint"`
	Digest           string `bun:"digest"`
	GitCommit        string `bun:"git_commit"`
	CreatedAt        int64  `bun:"created_at"`
}

type renderingRow struct {
	bun.BaseModel `bun:"table:renderings"`

	Digest    string `bun:"digest,pk"`
	Content   []byte `bun:"content"`
	CreatedAt int64  `bun:"created_at"`
}

// InsertRevision adds a revision and its rendering; a rendering of the same digest is kept once. It is Conflict when the number is taken.
func (t *Tx) InsertRevision(ctx context.Context, r blueberry.Revision) error {
	if d := blueberry.DigestOf(r.Rendering.Files); d != r.Rendering.Digest {
		return fmt.Errorf("insert revision: the files have the digest %s, the rendering says %q", d, r.Rendering.Digest)
	}
	blueprint, err := encode("blueprint", r.Blueprint)
	if err != nil {
		return err
	}
	if err := t.putRendering(ctx, r.Rendering, r.CreatedAt); err != nil {
		return err
	}
	row := revisionRow{
		EnvironmentID: r.EnvironmentID, Number: r.Number, ID: r.ID, Author: clean(r.Author), Reason: clean(r.Reason),
		SourceRepository: clean(r.Source.Repository), SourceRef: clean(r.Source.Ref), SourceCommit: r.Source.Commit, SourcePath: clean(r.Source.Path),
		Blueprint: blueprint, Digest: r.Rendering.Digest, GitCommit: r.Commit, CreatedAt: micros(r.CreatedAt),
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	switch {
	case err == nil:
		return nil
	case isTaken(err):
		return blueberry.Errorf(blueberry.Conflict, "REVISION_EXISTS", "environment %s has a revision %d", r.EnvironmentID, r.Number)
	case missingReference(err):
		return environmentNotFound(r.EnvironmentID)
	}
	return fmt.Errorf("insert revision: %w", err)
}

// Revision reads one with its rendering, or NotFound.
func (t *Tx) Revision(ctx context.Context, environmentID string, number int) (blueberry.Revision, error) {
	var row revisionRow
	err := t.db.NewSelect().Model(&row).Where("environment_id = ?", clean(environmentID)).Where("number = ?", number).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Revision{}, revisionNotFound(environmentID, number)
	}
	if err != nil {
		return blueberry.Revision{}, fmt.Errorf("read revision: %w", err)
	}
	r := blueberry.Revision{
		ID: row.ID, EnvironmentID: row.EnvironmentID, Number: row.Number, Author: row.Author, Reason: row.Reason,
		Source: blueberry.Source{Repository: row.SourceRepository, Ref: row.SourceRef, Commit: row.SourceCommit, Path: row.SourcePath},
		Commit: row.GitCommit, CreatedAt: timeOf(row.CreatedAt),
	}
	if err := decodeBlueprint(row.Blueprint, &r.Blueprint); err != nil {
		return blueberry.Revision{}, err
	}
	if r.Rendering, err = t.rendering(ctx, row.Digest); err != nil {
		return blueberry.Revision{}, err
	}
	return r, nil
}

func revisionNotFound(environmentID string, number int) error {
	return blueberry.Errorf(blueberry.NotFound, "REVISION_NOT_FOUND", "environment %s has no revision %d", environmentID, number)
}

// SetRevisionCommit notes the commit that holds the revision in Git; NotFound when there is no such revision.
func (t *Tx) SetRevisionCommit(ctx context.Context, environmentID string, number int, commit string) error {
	res, err := t.db.NewUpdate().Model((*revisionRow)(nil)).Set("git_commit = ?", commit).
		Where("environment_id = ?", clean(environmentID)).Where("number = ?", number).Exec(ctx)
	if err != nil {
		return fmt.Errorf("set commit of revision: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("set commit of revision: %w", err)
	}
	if n == 0 {
		return revisionNotFound(environmentID, number)
	}
	return nil
}

func (t *Tx) putRendering(ctx context.Context, r blueberry.Rendering, now time.Time) error {
	there, err := t.db.NewSelect().Model((*renderingRow)(nil)).Where("digest = ?", r.Digest).Exists(ctx)
	if err != nil {
		return fmt.Errorf("look for rendering: %w", err)
	}
	if there {
		return nil // no need to press it again
	}
	content, err := pack(r.Files)
	if err != nil {
		return fmt.Errorf("pack rendering: %w", err)
	}
	row := renderingRow{Digest: r.Digest, Content: content, CreatedAt: micros(now)}
	if _, err := t.db.NewInsert().Model(&row).On("CONFLICT (digest) DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("insert rendering: %w", err)
	}
	return nil
}

func (t *Tx) rendering(ctx context.Context, digest string) (blueberry.Rendering, error) {
	var row renderingRow
	if err := t.db.NewSelect().Model(&row).Where("digest = ?", digest).Scan(ctx); err != nil {
		return blueberry.Rendering{}, fmt.Errorf("read rendering %s: %w", digest, err)
	}
	files, err := unpack(row.Content)
	if err != nil {
		return blueberry.Rendering{}, fmt.Errorf("unpack rendering %s: %w", digest, err)
	}
	if d := blueberry.DigestOf(files); d != digest {
		return blueberry.Rendering{}, fmt.Errorf("rendering %s was changed in the record: it has the digest %s now", digest, d)
	}
	return blueberry.Rendering{Digest: digest, Files: files}, nil
}

// decodeBlueprint reads numbers of values as YAML reads them: whole ones as int, so that a chart which asks for the kind of a value gets the same answer
// from what was kept as from what was sent.
func decodeBlueprint(text string, b *blueberry.Blueprint) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(b); err != nil {
		return fmt.Errorf("decode blueprint: %w", err)
	}
	for i := range b.Components {
		for k, v := range b.Components[i].Values {
			b.Components[i].Values[k] = plainNumbers(v)
		}
	}
	return nil
}

func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil && i >= math.MinInt && i <= math.MaxInt {
			return int(i)
		}
		f, err := v.Float64()
		if err != nil {
			return v.String() // outside of every number type; it was no number of ours
		}
		return f
	case map[string]any:
		for k, x := range v {
			v[k] = plainNumbers(x)
		}
	case []any:
		for i, x := range v {
			v[i] = plainNumbers(x)
		}
	}
	return v
}
