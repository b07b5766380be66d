package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type renderingRow struct {
	bun.BaseModel `bun:"table:renderings"`

	Digest    string `bun:"digest,pk"`
	Content   []byte `bun:"content"`
	CreatedAt int64  `bun:"created_at"`
}

// PutRendering keeps a rendering by its digest; one that is there already stays as it is.
func (t *Tx) PutRendering(ctx context.Context, r blueberry.Rendering, now time.Time) error {
	if d := blueberry.DigestOf(r.Files); d != r.Digest {
		return fmt.Errorf("put rendering: the files have the digest %s, the rendering says %q", d, r.Digest)
	}
	row := renderingRow{Digest: r.Digest, CreatedAt: micros(now)}
	for { // until it is locked as somebody else's or inserted as ours; between the two, others may insert it or sweep it away
		there, err := t.lockRendering(ctx, r.Digest)
		if err != nil || there {
			return err // no need to press it again
		}
		if row.Content == nil {
			if row.Content, err = t.store.pack(r.Files); err != nil {
				return fmt.Errorf("pack rendering: %w", err)
			}
		}
		res, err := t.db.NewInsert().Model(&row).On("CONFLICT (digest) DO NOTHING").Exec(ctx)
		if n, err := touched("insert rendering", res, err); err != nil || n == 1 {
			return err
		}
	}
}

// lockRendering reports whether a rendering is there, and keeps sweepRenderings from taking it away before something refers to it.
func (t *Tx) lockRendering(ctx context.Context, digest string) (bool, error) {
	var found string
	err := t.locking(t.db.NewSelect().Model((*renderingRow)(nil)).Column("digest").Where("digest = ?", digest), "KEY SHARE").Scan(ctx, &found)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for rendering: %w", err)
	}
	return true, nil
}

// Rendering reads one by its digest, or NotFound.
func (t *Tx) Rendering(ctx context.Context, digest string) (blueberry.Rendering, error) {
	var row renderingRow
	err := t.db.NewSelect().Model(&row).Where("digest = ?", clean(digest)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Rendering{}, blueberry.Errorf(blueberry.NotFound, "RENDERING_NOT_FOUND", "there is no rendering %q", digest)
	}
	if err != nil {
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

const sweepChunk = 500 // digests of one statement

// sweepRenderings removes those of the renderings that neither a revision nor a plan refers to.
func (t *Tx) sweepRenderings(ctx context.Context, digests []string) error {
	slices.Sort(digests) // one order for everybody who locks
	for chunk := range slices.Chunk(slices.Compact(digests), sweepChunk) {
		if t.store.dialect == Postgres {
			// First the lock, then the look: what was added to refer to it meanwhile is seen, and nothing more can be.
			if _, err := t.db.NewRaw("SELECT digest FROM renderings WHERE digest IN (?) ORDER BY digest FOR UPDATE", bun.List(chunk)).Exec(ctx); err != nil {
				return fmt.Errorf("lock renderings: %w", err)
			}
		}
		_, err := t.db.NewRaw(`DELETE FROM renderings WHERE digest IN (?)
			AND NOT EXISTS (SELECT 1 FROM revisions WHERE revisions.digest = renderings.digest)
			AND NOT EXISTS (SELECT 1 FROM plans WHERE plans.rendering_digest = renderings.digest)`, bun.List(chunk)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("sweep renderings: %w", err)
		}
	}
	return nil
}
