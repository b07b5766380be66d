package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type configSetRow struct {
	bun.BaseModel `bun:"table:config_sets"`
	entryColumns
}

func (r configSetRow) set() blueberry.ConfigSet {
	return blueberry.ConfigSet{
		ID: r.ID, Project: r.Project, Name: r.Name, Latest: r.Latest, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
	}
}

type configVersionRow struct {
	bun.BaseModel `bun:"table:config_versions"`

	SetID string `bun:"set_id,pk"`
	versionColumns
	RestoredFrom int    `bun:"restored_from"`
	Public       string `bun:"public"`
	Parsed       string `bun:"parsed"`
}

func configVersionToRow(v blueberry.ConfigVersion) (configVersionRow, error) {
	public, err := encode("public patterns", v.Public)
	if err != nil {
		return configVersionRow{}, err
	}
	parsed, err := encodeExact("values", v.Values)
	if err != nil {
		return configVersionRow{}, err
	}
	return configVersionRow{
		SetID: v.SetID, RestoredFrom: v.RestoredFrom, Public: public, Parsed: string(parsed),
		versionColumns: versionColumns{
			Number: v.Number, Author: clean(v.Author), Message: clean(v.Message), sourceColumns: sourceToColumns(v.Source), Digest: v.Digest,
			CreatedAt: micros(v.CreatedAt), Content: append([]byte{}, v.Content...),
		},
	}, nil
}

// version gives a version; what was not read stays empty.
func (r configVersionRow) version() (blueberry.ConfigVersion, error) {
	v := blueberry.ConfigVersion{
		SetID: r.SetID, Number: r.Number, Author: r.Author, Message: r.Message, Source: r.source(), RestoredFrom: r.RestoredFrom,
		Content: r.Content, Digest: r.Digest, CreatedAt: timeOf(r.CreatedAt),
	}
	if r.Parsed != "" {
		if err := decodeExact("values", []byte(r.Parsed), &v.Values); err != nil {
			return blueberry.ConfigVersion{}, err
		}
	}
	return v, decode("public patterns", r.Public, &v.Public)
}

// InsertConfigSet adds a config set. It is Conflict, with a fault on "name", while another one has the project and name.
func (t *Tx) InsertConfigSet(ctx context.Context, s blueberry.ConfigSet) error {
	row := configSetRow{entryColumns: entryColumns{s.ID, s.Project, s.Name, s.Latest, micros(s.CreatedAt), micros(s.UpdatedAt), s.Version}}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	n, err := touched("insert config set", res, err)
	if err != nil || n == 1 {
		return err
	}
	return nameTaken("CONFIG_SET_NAME_TAKEN", "config set "+labelOf(s.Project, s.Name))
}

// ConfigSet reads one by id, or NotFound.
func (t *Tx) ConfigSet(ctx context.Context, id string) (blueberry.ConfigSet, error) {
	return t.configSet(ctx, id, "id = ?", clean(id))
}

// FindConfigSet reads one by project (empty for global) and name, or NotFound.
func (t *Tx) FindConfigSet(ctx context.Context, project, name string) (blueberry.ConfigSet, error) {
	return t.configSet(ctx, labelOf(project, name), "project = ? AND name = ?", clean(project), clean(name))
}

func (t *Tx) configSet(ctx context.Context, what, where string, args ...any) (blueberry.ConfigSet, error) {
	var row configSetRow
	err := t.db.NewSelect().Model(&row).Where(where, args...).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.ConfigSet{}, configSets().missing(what)
	}
	if err != nil {
		return blueberry.ConfigSet{}, fmt.Errorf("read config set: %w", err)
	}
	return row.set(), nil
}

// ListConfigSets reads one page, by name; without project and global, of all. A cursor of another query or of nobody is Invalid on "cursor".
func (t *Tx) ListConfigSets(ctx context.Context, q blueberry.CatalogueQuery) (blueberry.ConfigSetPage, error) {
	rows, next, err := listEntries[configSetRow](ctx, t, configSets(), q)
	if err != nil {
		return blueberry.ConfigSetPage{}, err
	}
	page := blueberry.ConfigSetPage{Items: make([]blueberry.ConfigSet, len(rows)), Next: next}
	for i, r := range rows {
		page.Items[i] = r.set()
	}
	return page, nil
}

// UpdateConfigSet writes what can change of s, its latest version, if the row's version is still s.Version, else Conflict with code VERSION_MOVED; the
// row's version then counts up by one. It waits for everyone who has the set in LockConfig.
func (t *Tx) UpdateConfigSet(ctx context.Context, s blueberry.ConfigSet) error {
	res, err := t.db.NewUpdate().Model((*configSetRow)(nil)).Set("latest = ?", s.Latest).Set("updated_at = ?", micros(s.UpdatedAt)).
		Set("version = ?", s.Version+1).Where("id = ?", clean(s.ID)).Where("version = ?", s.Version).Exec(ctx)
	return t.guard(configSets(), s.ID, s.Project, s.Name, s.Version).check(ctx, "update config set", res, err)
}

// DeleteConfigSet removes a set with all its versions, if the row's version is still s.Version, else Conflict with code VERSION_MOVED. It locks the row
// first, so that nobody begins to use it meanwhile; while a living environment uses it, it is Conflict with code CONFIG_SET_IN_USE.
func (t *Tx) DeleteConfigSet(ctx context.Context, s blueberry.ConfigSet) error {
	if err := t.lockUnused(ctx, configSets(), t.guard(configSets(), s.ID, s.Project, s.Name, s.Version), s.ID); err != nil {
		return err
	}
	if _, err := t.db.NewDelete().Model((*configVersionRow)(nil)).Where("set_id = ?", s.ID).Exec(ctx); err != nil {
		return fmt.Errorf("delete versions of config set: %w", err)
	}
	if _, err := t.db.NewDelete().Model((*configSetRow)(nil)).Where("id = ?", s.ID).Exec(ctx); err != nil {
		return fmt.Errorf("delete config set: %w", err)
	}
	return nil
}

// InsertConfigVersion adds a version; Conflict when the number is taken, NotFound when there is no such set.
func (t *Tx) InsertConfigVersion(ctx context.Context, v blueberry.ConfigVersion) error {
	row, err := configVersionToRow(v)
	if err != nil {
		return err
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	switch {
	case err == nil:
		return nil
	case isTaken(err):
		return blueberry.Errorf(blueberry.Conflict, "CONFIG_VERSION_EXISTS", "the config set has a version %d", v.Number)
	case missingReference(err):
		return configSets().missing(v.SetID)
	}
	return fmt.Errorf("insert version of config set: %w", err)
}

// ConfigVersion reads one version of a set, or NotFound.
func (t *Tx) ConfigVersion(ctx context.Context, setID string, number int) (blueberry.ConfigVersion, error) {
	var row configVersionRow
	err := t.db.NewSelect().Model(&row).Where("set_id = ?", clean(setID)).Where("number = ?", number).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.ConfigVersion{}, blueberry.Errorf(blueberry.NotFound, "CONFIG_VERSION_NOT_FOUND", "the config set has no version %d", number)
	}
	if err != nil {
		return blueberry.ConfigVersion{}, fmt.Errorf("read version of config set: %w", err)
	}
	return row.version()
}

// ConfigVersions reads versions, newest first, those with a number below before (0: from the newest), without content and values.
func (t *Tx) ConfigVersions(ctx context.Context, setID string, before, limit int) ([]blueberry.ConfigVersion, error) {
	rows, err := versions[configVersionRow](ctx, t, configSets(), setID, before, limit, "content", "parsed")
	if err != nil {
		return nil, err
	}
	out := make([]blueberry.ConfigVersion, len(rows))
	for i, r := range rows {
		if out[i], err = r.version(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ResolveConfig finds the version that a reference of an environment of the project means. NotFound has the code CONFIG_SET_NOT_FOUND or
// CONFIG_VERSION_NOT_FOUND.
func (t *Tx) ResolveConfig(ctx context.Context, project string, ref blueberry.ConfigRef) (blueberry.ConfigSet, blueberry.ConfigVersion, error) {
	s, err := t.FindConfigSet(ctx, ref.Project(project), ref.Name)
	if err != nil {
		return blueberry.ConfigSet{}, blueberry.ConfigVersion{}, err
	}
	number := ref.Version
	if ref.Follows() {
		number = s.Latest
	}
	v, err := t.ConfigVersion(ctx, s.ID, number)
	if errors.Is(err, blueberry.NotFound) {
		err = blueberry.Errorf(blueberry.NotFound, "CONFIG_VERSION_NOT_FOUND", "the config set %s has no version %d", labelOf(s.Project, s.Name), number)
	}
	return s, v, err
}

// LockConfig gives the newest version of each set, and keeps anyone from publishing another, and from deleting the set, until the transaction ends. A set
// that is not there is left out.
func (t *Tx) LockConfig(ctx context.Context, setIDs []string) (map[string]int, error) {
	if t.readOnly {
		return nil, errReadOnly
	}
	out := make(map[string]int, len(setIDs))
	if len(setIDs) == 0 {
		return out, nil
	}
	ids := make([]string, len(setIDs))
	for i, id := range setIDs {
		ids[i] = clean(id)
	}
	var rows []configSetRow
	sel := t.db.NewSelect().Model(&rows).Column("id", "latest").Where("id IN (?)", bun.List(ids)).Order("id") // one order for everybody who locks sets
	if err := t.locking(sel, "SHARE").Scan(ctx); err != nil {
		return nil, fmt.Errorf("lock config sets: %w", err)
	}
	for _, r := range rows {
		out[r.ID] = r.Latest
	}
	return out, nil
}
