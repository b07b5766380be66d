package catalog

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// DeletePolicy removes a policy.
func (c *Catalog) DeletePolicy(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error {
	if err := actor.Can(blueberry.GrantPoliciesWrite); err != nil {
		return err
	}
	return again(func() error {
		return c.Record.Update(ctx, func(tx Tx) error {
			p, err := tx.Policy(ctx, id)
			if err != nil {
				return err
			}
			if err := checkVersion(p.Label(), p.Version, ifVersion); err != nil {
				return err
			}
			if err := tx.DeletePolicy(ctx, p); err != nil {
				return err
			}
			message := fmt.Sprintf("%s deleted policy %s", actor.Name, p.Label())
			return c.tell(ctx, tx, actor, fact{blueberry.PolicyDeleted, p.Project, p.ID, blueberry.GrantPoliciesWrite, message})
		})
	})
}
