package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// CreateConfigSet makes a config set with its first version.
func (c *Catalog) CreateConfigSet(ctx context.Context, actor blueberry.Actor, r NewConfig) (ConfigEdited, error) {
	faults := slices.Clone(r.Found)
	project := scope(&faults, r.Project, r.Global)
	if err := allowedIn(actor, project, blueberry.GrantConfigWrite); err != nil {
		return ConfigEdited{}, err
	}
	if err := checkNone("config set "+label(project, r.Name), r.IfVersion); err != nil {
		return ConfigEdited{}, err
	}
	faults.CheckName("name", r.Name, blueberry.MaxConfigName)
	err := c.Record.View(ctx, func(tx Tx) error {
		if err := checkProject(ctx, tx, &faults, project); err != nil {
			return err
		}
		_, err := tx.FindConfigSet(ctx, project, r.Name)
		switch {
		case err == nil:
			faults.Add("name", "taken", "%q is the name of a config set that exists", r.Name)
		case !errors.Is(err, blueberry.NotFound):
			return err
		}
		return nil
	})
	if err != nil {
		return ConfigEdited{}, err
	}
	w, err := c.read(ctx, r.Edit, "", &faults)
	defer w.release()
	if err != nil {
		return ConfigEdited{}, err
	}
	v, err := c.configVersion(actor, r.Edit, w, &faults)
	if err != nil {
		return ConfigEdited{}, err
	}
	if err := faults.Err(); err != nil {
		return ConfigEdited{}, err
	}
	now := c.Now()
	set := blueberry.ConfigSet{
		ID: blueberry.NewID(blueberry.ConfigSetID, now), Project: project, Name: r.Name, Latest: 1, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	v.SetID, v.Number = set.ID, 1
	err = c.Record.Update(ctx, func(tx Tx) error {
		if err := tx.InsertConfigSet(ctx, set); err != nil {
			return taken(err, "config set", r.Name)
		}
		return c.recordVersion(ctx, tx, actor, set, v)
	})
	if err != nil {
		return ConfigEdited{}, err
	}
	return ConfigEdited{Set: set, Version: v}, nil
}

// configVersion makes a version of what was written: it has no set and no number yet. What is wrong with it goes to faults.
func (c *Catalog) configVersion(actor blueberry.Actor, r Edit, w written, faults *blueberry.Faults) (blueberry.ConfigVersion, error) {
	faults.CheckText("message", r.Message, blueberry.MaxConfigMessage)
	checkPatterns(faults, "public", r.Public)
	v := blueberry.ConfigVersion{
		Author: actor.Name, Message: r.Message, Source: w.source, Content: w.content, Digest: digestOf(w.content), Public: r.Public, CreatedAt: c.Now(),
	}
	if !w.ok {
		return v, nil
	}
	values, err := render.ParseValues(w.content, r.Public)
	v.Values = values
	return v, faults.Merge("content", err)
}

// recordVersion adds a version to a set that is written already, and leaves the job that has its users looked at.
func (c *Catalog) recordVersion(ctx context.Context, tx Tx, actor blueberry.Actor, set blueberry.ConfigSet, v blueberry.ConfigVersion) error {
	if err := tx.InsertConfigVersion(ctx, v); err != nil {
		return err
	}
	if err := tx.Enqueue(ctx, blueberry.JobConfigPublished, set.ID); err != nil {
		return err
	}
	message := fmt.Sprintf("%s published version %d of config set %s", actor.Name, v.Number, label(set.Project, set.Name))
	if v.RestoredFrom > 0 {
		message += fmt.Sprintf(", equal to version %d", v.RestoredFrom)
	}
	if v.Message != "" {
		message += ": " + v.Message
	}
	return c.tell(ctx, tx, actor, fact{
		event: blueberry.ConfigSetChanged, project: set.Project, resource: set.ID, grant: blueberry.GrantConfigWrite, message: message,
		before: versionFields(v.Number - 1), after: versionFields(v.Number),
	})
}
