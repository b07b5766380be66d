package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// configUseRow says that a config set is merged into the desired revision of an environment. The order of the sets is in the revision.
type configUseRow struct {
	bun.BaseModel `bun:"table:config_uses"`

	EnvironmentID string `bun:"environment_id,pk"`
	SetID         string `bun:"set_id,pk"`
	useColumns
}

// blueprintUseRow says that the desired revision of an environment was made of a blueprint of the catalogue.
type blueprintUseRow struct {
	bun.BaseModel `bun:"table:blueprint_uses"`

	EnvironmentID string `bun:"environment_id,pk"`
	EntryID       string `bun:"entry_id"`
	useColumns
}

type useColumns struct {
	Number int    `bun:"number"`
	Follow bool   `bun:"follow"`
	Stack  string `bun:"stack"`
}

// replaceUses makes what the revision uses what its environment uses.
func (t *Tx) replaceUses(ctx context.Context, r blueberry.Revision) error {
	if r.Number > 1 { // the first one has nothing to replace
		if err := t.dropUses(ctx, r.EnvironmentID); err != nil {
			return err
		}
	}
	if r.RestoredFrom > 0 {
		if err := t.leaveOutGone(ctx, &r); err != nil {
			return err
		}
	}
	if err := t.insertSourceUses(ctx, r); err != nil {
		return err
	}
	if len(r.Config) == 0 && r.Catalogue.EntryID == "" {
		return nil
	}
	stack, err := stackOf(r.Inputs)
	if err != nil {
		return err
	}
	if rows := configUses(r, stack); len(rows) > 0 {
		_, err := t.db.NewInsert().Model(&rows).Exec(ctx)
		if missingReference(err) {
			return blueberry.Errorf(blueberry.Conflict, "CONFIG_SET_GONE", "one of the config sets %s was deleted", configNames(r.Config))
		}
		if err != nil {
			return fmt.Errorf("insert uses of config sets: %w", err)
		}
	}
	if r.Catalogue.EntryID == "" {
		return nil
	}
	row := blueprintUseRow{EnvironmentID: r.EnvironmentID, EntryID: r.Catalogue.EntryID, useColumns: useColumns{r.Catalogue.Version, r.Catalogue.Follow, stack}}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	if missingReference(err) {
		return blueberry.Errorf(blueberry.Conflict, "BLUEPRINT_GONE", "the blueprint %s was deleted", r.Catalogue)
	}
	if err != nil {
		return fmt.Errorf("insert use of blueprint: %w", err)
	}
	return nil
}

// leaveOutGone takes out what was deleted since the revision that r brings back: its manifests are kept, and need nothing of it.
func (t *Tx) leaveOutGone(ctx context.Context, r *blueberry.Revision) error {
	ids := make([]string, len(r.Config))
	for i, u := range r.Config {
		ids[i] = u.SetID
	}
	there, err := t.LockConfig(ctx, ids)
	if err != nil {
		return err
	}
	r.Config = slices.DeleteFunc(slices.Clone(r.Config), func(u blueberry.ConfigUse) bool { return there[u.SetID] == 0 })
	if r.Catalogue.EntryID == "" {
		return nil
	}
	latest, err := t.LockBlueprint(ctx, r.Catalogue.EntryID)
	if latest == 0 {
		r.Catalogue = blueberry.BlueprintRef{}
	}
	return err
}

// configUses gives one row for each set, in the order of ids. Of a set that is merged twice the later version counts, and it follows if one of the two does.
func configUses(r blueberry.Revision, stack string) []configUseRow {
	var rows []configUseRow
	for _, u := range r.Config {
		row := configUseRow{EnvironmentID: r.EnvironmentID, SetID: u.SetID, useColumns: useColumns{u.Number, u.Follows(), stack}}
		if i := slices.IndexFunc(rows, func(x configUseRow) bool { return x.SetID == u.SetID }); i >= 0 {
			row.Follow = row.Follow || rows[i].Follow
			rows[i] = row
			continue
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b configUseRow) int { return strings.Compare(a.SetID, b.SetID) }) // one order for everybody who locks sets
	return rows
}

func configNames(uses []blueberry.ConfigUse) string {
	names := make([]string, len(uses))
	for i, u := range uses {
		names[i] = u.String()
	}
	return strings.Join(names, ", ")
}

// dropUses ends every use of an environment.
func (t *Tx) dropUses(ctx context.Context, environmentID string) error {
	if _, err := t.db.NewDelete().Model((*configUseRow)(nil)).Where("environment_id = ?", environmentID).Exec(ctx); err != nil {
		return fmt.Errorf("delete uses of config sets: %w", err)
	}
	if _, err := t.db.NewDelete().Model((*blueprintUseRow)(nil)).Where("environment_id = ?", environmentID).Exec(ctx); err != nil {
		return fmt.Errorf("delete use of blueprint: %w", err)
	}
	if _, err := t.db.NewDelete().Model((*sourceUseRow)(nil)).Where("environment_id = ?", environmentID).Exec(ctx); err != nil {
		return fmt.Errorf("delete uses of repositories: %w", err)
	}
	return nil
}

// stackOf is a digest over everything that decides on what a change of a config set does to an environment, but its name and the commits: blueprint,
// repository, versions of config sets, parameters, overrides, and which components run an image of CI. A number counts by its value, whichever of Go's types it has.
func stackOf(in blueberry.Inputs) (string, error) {
	type use struct {
		SetID  string
		Number int
	}
	uses := make([]use, len(in.Config))
	for i, u := range in.Config {
		uses[i] = use{u.SetID, u.Number}
	}
	stack := []any{in.Source.Repository, in.Blueprint, uses, in.Parameters, in.Overrides}
	if in.Head != "" {
		stack = append(stack, "restricted") // it is rendered in another way
	}
	if len(in.Images) > 0 { // which they are matters to none of the layers below
		stack = append(stack, slices.Sorted(maps.Keys(in.Images)))
	}
	b, err := json.Marshal(stack)
	if err != nil {
		return "", fmt.Errorf("encode stack: %w", err)
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:18]), nil
}

// uses names one of the two tables of uses, and its column of what is used.
type uses struct{ table, column string }

func ofConfigSet() uses { return uses{"config_uses", "set_id"} }
func ofBlueprint() uses { return uses{"blueprint_uses", "entry_id"} }

// users gives the living environments that use the thing with the id, in the order of project and name. There may be tens of thousands, so the rows are
// read without reflection.
func (t *Tx) users(ctx context.Context, of uses, id string) ([]blueberry.ConfigUser, error) {
	rows, err := t.db.QueryContext(ctx, `SELECT e.id, e.project, e.name, e.phase, e.revision, u.number, u.follow, u.stack
		FROM ? AS u JOIN environments AS e ON e.id = u.environment_id WHERE u.? = ? AND e.phase <> 'terminated'`,
		bun.Ident(of.table), bun.Ident(of.column), clean(id))
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	defer rows.Close()
	var out []blueberry.ConfigUser
	for rows.Next() {
		var u blueberry.ConfigUser
		if err := rows.Scan(&u.EnvironmentID, &u.Project, &u.Name, &u.Phase, &u.Revision, &u.Number, &u.Follow, &u.Stack); err != nil {
			return nil, fmt.Errorf("read users: %w", err)
		}
		out = append(out, u)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	slices.SortFunc(out, func(a, b blueberry.ConfigUser) int { // here, so that both databases give one order
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// followers gives ids of living environments that follow the thing with the id, after the id given, in the order of ids.
func (t *Tx) followers(ctx context.Context, of uses, id, after string, limit int) ([]string, error) {
	var ids []string
	err := t.db.NewRaw(`SELECT u.environment_id FROM ? AS u JOIN environments AS e ON e.id = u.environment_id
		WHERE u.? = ? AND u.environment_id > ? AND u.follow AND e.phase <> 'terminated' ORDER BY u.environment_id LIMIT ?`,
		bun.Ident(of.table), bun.Ident(of.column), clean(id), clean(after), limit).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("read followers: %w", err)
	}
	return ids, nil
}

// used reports whether a living environment uses the thing with the id.
func (t *Tx) used(ctx context.Context, of uses, id string) (bool, error) {
	var there bool
	err := t.db.NewRaw(`SELECT EXISTS (SELECT 1 FROM ? AS u JOIN environments AS e ON e.id = u.environment_id WHERE u.? = ? AND e.phase <> 'terminated')`,
		bun.Ident(of.table), bun.Ident(of.column), id).Scan(ctx, &there)
	if err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return there, nil
}

// ConfigUsers gives every living environment that the set is merged into, in the order of project and name.
func (t *Tx) ConfigUsers(ctx context.Context, setID string) ([]blueberry.ConfigUser, error) {
	return t.users(ctx, ofConfigSet(), setID)
}

// BlueprintUsers gives every living environment that was made of a blueprint of the catalogue, in the order of project and name.
func (t *Tx) BlueprintUsers(ctx context.Context, entryID string) ([]blueberry.ConfigUser, error) {
	return t.users(ctx, ofBlueprint(), entryID)
}

// ConfigFollowers gives the ids of the living environments that follow a set, after the id given, in the order of ids.
func (t *Tx) ConfigFollowers(ctx context.Context, setID, after string, limit int) ([]string, error) {
	return t.followers(ctx, ofConfigSet(), setID, after, limit)
}

// BlueprintFollowers is ConfigFollowers for a blueprint of the catalogue.
func (t *Tx) BlueprintFollowers(ctx context.Context, entryID, after string, limit int) ([]string, error) {
	return t.followers(ctx, ofBlueprint(), entryID, after, limit)
}
