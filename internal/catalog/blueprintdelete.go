package catalog

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// DeleteBlueprint removes a blueprint of the catalogue with all its versions. While environments are made of it, it is Conflict with a fault for each of
// them.
func (c *Catalog) DeleteBlueprint(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error {
	return again(func() error {
		return c.Record.Update(ctx, func(tx Tx) error {
			entry, err := blueprintFor(ctx, tx, actor, id, blueberry.GrantBlueprintsWrite)
			if err != nil {
				return err
			}
			name := "blueprint " + label(entry.Project, entry.Name)
			if err := checkVersion(name, entry.Version, ifVersion); err != nil {
				return err
			}
			if err := tx.DeleteBlueprint(ctx, entry); inUse(err) {
				users, err := tx.BlueprintUsers(ctx, id)
				if err != nil {
					return err
				}
				return used("BLUEPRINT_USED", name, seen(actor, users))
			} else if err != nil {
				return err
			}
			message := fmt.Sprintf("%s deleted %s with its %d version(s)", actor.Name, name, entry.Latest)
			return c.tell(ctx, tx, actor, fact{
				event: blueberry.BlueprintDeleted, project: entry.Project, resource: entry.ID, grant: blueberry.GrantBlueprintsWrite, message: message,
				before: versionFields(entry.Latest),
			})
		})
	})
}
