package catalog

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// EditConfigSet adds a version to a config set. Content that is that of the latest version makes none. Without Public, that of the latest version goes on
// to hold.
func (c *Catalog) EditConfigSet(ctx context.Context, actor blueberry.Actor, id string, r Edit) (ConfigEdited, error) {
	if _, _, err := c.latestConfig(ctx, actor, id, blueberry.GrantConfigWrite, r.IfVersion); err != nil {
		return ConfigEdited{}, err
	}
	found := slices.Clone(r.Found)
	w, err := c.read(ctx, r, "", &found)
	defer w.release()
	if err != nil {
		return ConfigEdited{}, err
	}
	var out ConfigEdited
	err = again(func() error {
		_, latest, err := c.latestConfig(ctx, actor, id, blueberry.GrantConfigWrite, r.IfVersion)
		if err != nil {
			return err
		}
		faults, edit := slices.Clone(found), r
		if edit.Public == nil {
			edit.Public = latest.Public
		}
		v, err := c.configVersion(actor, edit, w, &faults)
		if err != nil {
			return err
		}
		if err := faults.Err(); err != nil {
			return err
		}
		out, err = c.addVersion(ctx, actor, id, r.IfVersion, v, func(latest blueberry.ConfigVersion) bool {
			return r.Public != nil || slices.Equal(latest.Public, v.Public)
		})
		return err
	})
	return out, err
}

// RestoreConfigSet adds a version that is equal to an old one.
func (c *Catalog) RestoreConfigSet(ctx context.Context, actor blueberry.Actor, id string, number int, message string, ifVersion int64) (ConfigEdited, error) {
	set, _, err := c.latestConfig(ctx, actor, id, blueberry.GrantConfigWrite, ifVersion)
	if err != nil {
		return ConfigEdited{}, err
	}
	var faults blueberry.Faults
	faults.CheckText("message", message, blueberry.MaxConfigMessage)
	if number < 1 || number > set.Latest {
		faults.Add("version", "unknown", "there is no version %d; the latest is %d", number, set.Latest)
	}
	if err := faults.Err(); err != nil {
		return ConfigEdited{}, err
	}
	var v blueberry.ConfigVersion
	err = c.Record.View(ctx, func(tx Tx) error {
		v, err = tx.ConfigVersion(ctx, id, number)
		return err
	})
	if err != nil {
		return ConfigEdited{}, err
	}
	if message == "" {
		message = fmt.Sprintf("restored version %d", number)
	}
	v.Author, v.Message, v.RestoredFrom, v.CreatedAt = actor.Name, message, number, c.Now()
	var out ConfigEdited
	err = again(func() error {
		out, err = c.addVersion(ctx, actor, id, ifVersion, v, func(blueberry.ConfigVersion) bool { return true })
		return err
	})
	return out, err
}

// latestConfig reads a set with its latest version, for an actor who may do with it what takes the grant.
func (c *Catalog) latestConfig(ctx context.Context, actor blueberry.Actor, id string, grant blueberry.Grant, ifVersion int64) (
	set blueberry.ConfigSet, v blueberry.ConfigVersion, err error,
) {
	err = c.Record.View(ctx, func(tx Tx) error {
		if set, err = configSetFor(ctx, tx, actor, id, grant); err != nil {
			return err
		}
		if err := checkVersion(set.Name, set.Version, ifVersion); err != nil {
			return err
		}
		v, err = tx.ConfigVersion(ctx, id, set.Latest)
		return err
	})
	return set, v, err
}

// addVersion writes v as the next version of the set, unless the latest is equal to it. fits says whether v was made for the latest version that is there
// now; when not, all begins anew.
func (c *Catalog) addVersion(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64, v blueberry.ConfigVersion,
	fits func(latest blueberry.ConfigVersion) bool,
) (ConfigEdited, error) {
	var out ConfigEdited
	err := c.Record.Update(ctx, func(tx Tx) error {
		set, err := tx.ConfigSet(ctx, id)
		if err != nil {
			return err
		}
		if err := checkVersion(set.Name, set.Version, ifVersion); err != nil {
			return err
		}
		latest, err := tx.ConfigVersion(ctx, id, set.Latest)
		if err != nil {
			return err
		}
		switch {
		case !fits(latest):
			return errMoved(set.Name)
		case bytes.Equal(latest.Content, v.Content) && slices.Equal(latest.Public, v.Public):
			out = ConfigEdited{Set: set, Version: latest, Unchanged: true}
			return nil
		}
		set.Latest++
		set.UpdatedAt = v.CreatedAt
		if err := tx.UpdateConfigSet(ctx, set); err != nil { // first of all writes: of two at once, one begins anew
			return err
		}
		set.Version++
		v := v
		v.SetID, v.Number = set.ID, set.Latest
		out = ConfigEdited{Set: set, Version: v}
		return c.recordVersion(ctx, tx, actor, set, v)
	})
	return out, err
}
