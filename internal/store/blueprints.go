package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type blueprintRow struct {
	bun.BaseModel `bun:"table:blueprints"`
	entryColumns
	Description string `bun:"description"`
}

func (r blueprintRow) catalogueEntry() blueberry.CatalogueEntry {
	return blueberry.CatalogueEntry{
		ID: r.ID, Project: r.Project, Name: r.Name, Latest: r.Latest, Description: r.Description,
		CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
	}
}

type blueprintVersionRow struct {
	bun.BaseModel `bun:"table:blueprint_versions"`

	EntryID string `bun:"entry_id,pk"`
	versionColumns
	Blueprint string `bun:"blueprint"`
}

func (r blueprintVersionRow) version() (blueberry.CatalogueVersion, error) {
	v := blueberry.CatalogueVersion{
		EntryID: r.EntryID, Number: r.Number, Author: r.Author, Message: r.Message, Source: r.source(),
		Content: r.Content, Digest: r.Digest, CreatedAt: timeOf(r.CreatedAt),
	}
	if r.Blueprint == "" {
		return v, nil
	}
	return v, decodeExact("blueprint", []byte(r.Blueprint), &v.Blueprint)
}

// InsertBlueprint adds a blueprint to the catalogue. It is Conflict, with a fault on "name", while another one has the project and name.
func (t *Tx) InsertBlueprint(ctx context.Context, e blueberry.CatalogueEntry) error {
	row := blueprintRow{
		entryColumns: entryColumns{e.ID, e.Project, e.Name, e.Latest, micros(e.CreatedAt), micros(e.UpdatedAt), e.Version},
		Description:  clean(e.Description),
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	n, err := touched("insert blueprint", res, err)
	if err != nil || n == 1 {
		return err
	}
	return nameTaken("BLUEPRINT_NAME_TAKEN", "blueprint "+labelOf(e.Project, e.Name))
}

// LockBlueprint gives the newest version of a blueprint, 0 when it is not there, and keeps anyone from publishing another until the transaction ends.
func (t *Tx) LockBlueprint(ctx context.Context, id string) (int, error) {
	if t.readOnly {
		return 0, errReadOnly
	}
	var row blueprintRow
	err := t.locking(t.db.NewSelect().Model(&row).Column("id", "latest").Where("id = ?", clean(id)), "SHARE").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("lock blueprint: %w", err)
	}
	return row.Latest, nil
}

// BlueprintEntry reads one by id, or NotFound.
func (t *Tx) BlueprintEntry(ctx context.Context, id string) (blueberry.CatalogueEntry, error) {
	return t.blueprintEntry(ctx, id, "id = ?", clean(id))
}

// FindBlueprint reads one by project (empty for global) and name, or NotFound.
func (t *Tx) FindBlueprint(ctx context.Context, project, name string) (blueberry.CatalogueEntry, error) {
	return t.blueprintEntry(ctx, labelOf(project, name), "project = ? AND name = ?", clean(project), clean(name))
}

func (t *Tx) blueprintEntry(ctx context.Context, what, where string, args ...any) (blueberry.CatalogueEntry, error) {
	var row blueprintRow
	err := t.db.NewSelect().Model(&row).Where(where, args...).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.CatalogueEntry{}, blueprints().missing(what)
	}
	if err != nil {
		return blueberry.CatalogueEntry{}, fmt.Errorf("read blueprint: %w", err)
	}
	return row.catalogueEntry(), nil
}

// ListBlueprints reads one page, by name; without project and global, of all. A cursor of another query or of nobody is Invalid on "cursor".
func (t *Tx) ListBlueprints(ctx context.Context, q blueberry.CatalogueQuery) (blueberry.CataloguePage, error) {
	rows, next, err := listEntries[blueprintRow](ctx, t, blueprints(), q)
	if err != nil {
		return blueberry.CataloguePage{}, err
	}
	page := blueberry.CataloguePage{Items: make([]blueberry.CatalogueEntry, len(rows)), Next: next}
	for i, r := range rows {
		page.Items[i] = r.catalogueEntry()
	}
	return page, nil
}

// UpdateBlueprint writes what can change of e, its latest version and description, if the row's version is still e.Version, else Conflict with code
// VERSION_MOVED; the row's version then counts up by one.
func (t *Tx) UpdateBlueprint(ctx context.Context, e blueberry.CatalogueEntry) error {
	res, err := t.db.NewUpdate().Model((*blueprintRow)(nil)).Set("latest = ?", e.Latest).Set("description = ?", clean(e.Description)).
		Set("updated_at = ?", micros(e.UpdatedAt)).Set("version = ?", e.Version+1).Where("id = ?", clean(e.ID)).Where("version = ?", e.Version).Exec(ctx)
	return t.guard(blueprints(), e.ID, e.Project, e.Name, e.Version).check(ctx, "update blueprint", res, err)
}

// DeleteBlueprint removes an entry with all its versions, if the row's version is still e.Version, else Conflict with code VERSION_MOVED. It locks the row
// first, so that nobody begins to use it meanwhile; while a living environment uses it, it is Conflict with code BLUEPRINT_IN_USE.
func (t *Tx) DeleteBlueprint(ctx context.Context, e blueberry.CatalogueEntry) error {
	if err := t.lockUnused(ctx, blueprints(), t.guard(blueprints(), e.ID, e.Project, e.Name, e.Version), e.ID); err != nil {
		return err
	}
	if _, err := t.db.NewDelete().Model((*blueprintVersionRow)(nil)).Where("entry_id = ?", e.ID).Exec(ctx); err != nil {
		return fmt.Errorf("delete versions of blueprint: %w", err)
	}
	if _, err := t.db.NewDelete().Model((*blueprintRow)(nil)).Where("id = ?", e.ID).Exec(ctx); err != nil {
		return fmt.Errorf("delete blueprint: %w", err)
	}
	return nil
}

// InsertBlueprintVersion adds a version; Conflict when the number is taken, NotFound when there is no such blueprint.
func (t *Tx) InsertBlueprintVersion(ctx context.Context, v blueberry.CatalogueVersion) error {
	blueprint, err := encodeExact("blueprint", v.Blueprint)
	if err != nil {
		return err
	}
	row := blueprintVersionRow{
		EntryID: v.EntryID, Blueprint: string(blueprint),
		versionColumns: versionColumns{
			Number: v.Number, Author: clean(v.Author), Message: clean(v.Message), sourceColumns: sourceToColumns(v.Source), Digest: v.Digest,
			CreatedAt: micros(v.CreatedAt), Content: append([]byte{}, v.Content...),
		},
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	switch {
	case err == nil:
		return nil
	case isTaken(err):
		return blueberry.Errorf(blueberry.Conflict, "BLUEPRINT_VERSION_EXISTS", "the blueprint has a version %d", v.Number)
	case missingReference(err):
		return blueprints().missing(v.EntryID)
	}
	return fmt.Errorf("insert version of blueprint: %w", err)
}

// BlueprintVersion reads one version, or NotFound.
func (t *Tx) BlueprintVersion(ctx context.Context, entryID string, number int) (blueberry.CatalogueVersion, error) {
	var row blueprintVersionRow
	err := t.db.NewSelect().Model(&row).Where("entry_id = ?", clean(entryID)).Where("number = ?", number).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.CatalogueVersion{}, blueberry.Errorf(blueberry.NotFound, "BLUEPRINT_VERSION_NOT_FOUND", "the blueprint has no version %d", number)
	}
	if err != nil {
		return blueberry.CatalogueVersion{}, fmt.Errorf("read version of blueprint: %w", err)
	}
	return row.version()
}

// BlueprintVersions reads versions, newest first, those with a number below before (0: from the newest), without content and blueprint.
func (t *Tx) BlueprintVersions(ctx context.Context, entryID string, before, limit int) ([]blueberry.CatalogueVersion, error) {
	rows, err := versions[blueprintVersionRow](ctx, t, blueprints(), entryID, before, limit, "content", "blueprint")
	if err != nil {
		return nil, err
	}
	out := make([]blueberry.CatalogueVersion, len(rows))
	for i, r := range rows {
		if out[i], err = r.version(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ResolveBlueprint finds the version that a reference means. NotFound has the code BLUEPRINT_NOT_FOUND or BLUEPRINT_VERSION_NOT_FOUND.
func (t *Tx) ResolveBlueprint(ctx context.Context, project string, ref blueberry.BlueprintRef) (blueberry.CatalogueEntry, blueberry.CatalogueVersion, error) {
	e, err := t.FindBlueprint(ctx, ref.Project(project), ref.Name)
	if err != nil {
		return blueberry.CatalogueEntry{}, blueberry.CatalogueVersion{}, err
	}
	number := ref.Version
	if number == 0 {
		number = e.Latest
	}
	v, err := t.BlueprintVersion(ctx, e.ID, number)
	if errors.Is(err, blueberry.NotFound) {
		err = blueberry.Errorf(blueberry.NotFound, "BLUEPRINT_VERSION_NOT_FOUND", "the blueprint %s has no version %d", labelOf(e.Project, e.Name), number)
	}
	return e, v, err
}
