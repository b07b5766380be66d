package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// maxDescription is the length of the description of a blueprint, in characters.
const maxDescription = 500

// PublishBlueprint adds a version to the blueprint that has the project and the name, and makes the blueprint when there is none. Content that is that of
// the latest version makes none; of a blueprint with files in a repository, the commit belongs to the content. An empty description leaves it as it is.
func (c *Catalog) PublishBlueprint(ctx context.Context, actor blueberry.Actor, r NewBlueprint) (BlueprintPublished, error) {
	faults := slices.Clone(r.Found)
	project := scope(&faults, r.Project, r.Global)
	if err := allowedIn(actor, project, blueberry.GrantBlueprintsWrite); err != nil {
		return BlueprintPublished{}, err
	}
	faults.CheckText("description", r.Description, maxDescription)
	faults.CheckText("message", r.Message, blueberry.MaxConfigMessage)
	if err := c.Record.View(ctx, func(tx Tx) error { return checkProject(ctx, tx, &faults, project) }); err != nil {
		return BlueprintPublished{}, err
	}
	w, err := c.read(ctx, r.Edit, blueberry.BlueprintFile, &faults)
	defer w.release()
	if err != nil {
		return BlueprintPublished{}, err
	}
	v := blueberry.CatalogueVersion{Author: actor.Name, Message: r.Message, Source: w.source, Content: w.content, Digest: digestOf(w.content), CreatedAt: c.Now()}
	if w.ok {
		if v.Blueprint, err = render.ParseBlueprint(w.content); faults.Merge("content", err) != nil {
			return BlueprintPublished{}, err
		}
		checkFiles(&faults, v.Blueprint, w.tree)
		if err := c.checkSets(ctx, &faults, project, v.Blueprint); err != nil {
			return BlueprintPublished{}, err
		}
	}
	if err := faults.Err(); err != nil {
		return BlueprintPublished{}, err
	}
	var out BlueprintPublished
	err = again(func() error {
		out, err = c.publish(ctx, actor, project, r, v)
		return err
	})
	return out, err
}

// checkFiles notes files of a repository that components need and that are not there. What is in them is seen when they are rendered.
func checkFiles(faults *blueberry.Faults, b blueberry.Blueprint, tree fs.FS) {
	if tree == nil {
		if b.NeedsSource() {
			faults.Add("source.repository", "required", "the blueprint has components at a path of a repository: publish it from there")
		}
		return
	}
	for i, x := range b.Components {
		if x.Path() == "" || x.Repository != "" { // what another repository has is seen when it is rendered
			continue
		}
		if _, err := fs.Stat(tree, path.Clean(x.Path())); errors.Is(err, fs.ErrNotExist) {
			faults.Add(fmt.Sprintf("content.components[%d]", i), "file_not_found", "%s is not in the repository", x.Path())
		}
	}
}

// checkSets notes config sets that a blueprint names and that are not there. Which set of its project an environment of a global blueprint means is not
// known before there is one.
func (c *Catalog) checkSets(ctx context.Context, faults *blueberry.Faults, project string, b blueberry.Blueprint) error {
	return c.Record.View(ctx, func(tx Tx) error {
		for i, ref := range b.ConfigSets {
			if project == "" && !ref.Global {
				continue
			}
			_, _, err := tx.ResolveConfig(ctx, project, ref)
			var missing *blueberry.Error
			switch {
			case errors.Is(err, blueberry.NotFound) && errors.As(err, &missing):
				faults.Add(fmt.Sprintf("content.configSets[%d]", i), "unknown", "%s", missing.Detail)
			case err != nil:
				return err
			}
		}
		return nil
	})
}

func (c *Catalog) publish(ctx context.Context, actor blueberry.Actor, project string, r NewBlueprint, v blueberry.CatalogueVersion) (BlueprintPublished, error) {
	var out BlueprintPublished
	err := c.Record.Update(ctx, func(tx Tx) error {
		entry, err := tx.FindBlueprint(ctx, project, v.Blueprint.Name)
		if errors.Is(err, blueberry.NotFound) {
			out, err = c.firstVersion(ctx, tx, actor, project, r, v)
			return err
		}
		if err != nil {
			return err
		}
		if err := checkVersion(entry.Name, entry.Version, r.IfVersion); err != nil {
			return err
		}
		out, err = c.nextVersion(ctx, tx, actor, entry, r, v)
		return err
	})
	return out, err
}

func (c *Catalog) firstVersion(ctx context.Context, tx Tx, actor blueberry.Actor, project string, r NewBlueprint,
	v blueberry.CatalogueVersion,
) (BlueprintPublished, error) {
	name := v.Blueprint.Name
	if err := checkNone("blueprint "+label(project, name), r.IfVersion); err != nil {
		return BlueprintPublished{}, err
	}
	entry := blueberry.CatalogueEntry{
		ID: blueberry.NewID(blueberry.BlueprintID, v.CreatedAt), Project: project, Name: name, Latest: 1, Description: r.Description,
		CreatedAt: v.CreatedAt, UpdatedAt: v.CreatedAt, Version: 1,
	}
	err := tx.InsertBlueprint(ctx, entry)
	if errors.Is(err, blueberry.Conflict) {
		return BlueprintPublished{}, errMoved(name) // someone published it meanwhile: this is the next version
	}
	if err != nil {
		return BlueprintPublished{}, err
	}
	v.EntryID, v.Number = entry.ID, 1
	return BlueprintPublished{Entry: entry, Version: v}, c.recordBlueprint(ctx, tx, actor, entry, v)
}

func (c *Catalog) nextVersion(ctx context.Context, tx Tx, actor blueberry.Actor, entry blueberry.CatalogueEntry, r NewBlueprint,
	v blueberry.CatalogueVersion,
) (BlueprintPublished, error) {
	latest, err := tx.BlueprintVersion(ctx, entry.ID, entry.Latest)
	if err != nil {
		return BlueprintPublished{}, err
	}
	same, described := sameBlueprint(latest, v), r.Description != "" && r.Description != entry.Description
	if same && !described {
		return BlueprintPublished{Entry: entry, Version: latest, Unchanged: true}, nil
	}
	was := entry.Description
	if described {
		entry.Description = r.Description
	}
	if !same {
		entry.Latest++
	}
	entry.UpdatedAt = v.CreatedAt
	if err := tx.UpdateBlueprint(ctx, entry); err != nil { // first of all writes: of two at once, one begins anew
		return BlueprintPublished{}, err
	}
	entry.Version++
	if same {
		message := fmt.Sprintf("%s described blueprint %s", actor.Name, label(entry.Project, entry.Name))
		return BlueprintPublished{Entry: entry, Version: latest, Unchanged: true},
			c.tell(ctx, tx, actor, fact{
				project: entry.Project, resource: entry.ID, grant: blueberry.GrantBlueprintsWrite, message: message,
				before: map[string]any{"description": was}, after: map[string]any{"description": entry.Description},
			})
	}
	v.EntryID, v.Number = entry.ID, entry.Latest
	return BlueprintPublished{Entry: entry, Version: v}, c.recordBlueprint(ctx, tx, actor, entry, v)
}

// sameBlueprint reports whether two versions would make the same environments.
func sameBlueprint(a, b blueberry.CatalogueVersion) bool {
	if !bytes.Equal(a.Content, b.Content) {
		return false
	}
	return !a.Blueprint.NeedsSource() || a.Source.Repository == b.Source.Repository && a.Source.Commit == b.Source.Commit
}

// recordBlueprint adds a version to an entry that is written already, and leaves the job that has its users looked at.
func (c *Catalog) recordBlueprint(ctx context.Context, tx Tx, actor blueberry.Actor, entry blueberry.CatalogueEntry, v blueberry.CatalogueVersion) error {
	if err := tx.InsertBlueprintVersion(ctx, v); err != nil {
		return err
	}
	if err := tx.Enqueue(ctx, blueberry.JobBlueprintPublished, entry.ID); err != nil {
		return err
	}
	message := fmt.Sprintf("%s published version %d of blueprint %s", actor.Name, v.Number, label(entry.Project, entry.Name))
	if v.Message != "" {
		message += ": " + v.Message
	}
	return c.tell(ctx, tx, actor, fact{
		event: blueberry.BlueprintPublished, project: entry.Project, resource: entry.ID, grant: blueberry.GrantBlueprintsWrite, message: message,
		before: versionFields(v.Number - 1), after: versionFields(v.Number),
	})
}
