package catalog

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// DeleteConfigSet removes a config set with all its versions. While environments use it, it is Conflict with a fault for each of them.
func (c *Catalog) DeleteConfigSet(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error {
	return again(func() error {
		return c.Record.Update(ctx, func(tx Tx) error {
			set, err := configSetFor(ctx, tx, actor, id, blueberry.GrantConfigDelete)
			if err != nil {
				return err
			}
			name := "config set " + label(set.Project, set.Name)
			if err := checkVersion(name, set.Version, ifVersion); err != nil {
				return err
			}
			if err := tx.DeleteConfigSet(ctx, set); inUse(err) {
				users, err := tx.ConfigUsers(ctx, id)
				if err != nil {
					return err
				}
				return used("CONFIG_SET_USED", name, seen(actor, users))
			} else if err != nil {
				return err
			}
			message := fmt.Sprintf("%s deleted %s with its %d version(s)", actor.Name, name, set.Latest)
			return c.tell(ctx, tx, actor, fact{
				event: blueberry.ConfigSetDeleted, project: set.Project, resource: set.ID, grant: blueberry.GrantConfigDelete, message: message,
				before: versionFields(set.Latest),
			})
		})
	})
}
