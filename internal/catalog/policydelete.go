package catalog

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// DeletePolicy removes a policy.
func (c *Catalog) DeletePolicy(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error {
	return again(func() error {
		return c.Record.Update(ctx, func(tx Tx) error {
			p, err := policyFor(ctx, tx, actor, id, blueberry.GrantPoliciesWrite)
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
			return c.tell(ctx, tx, actor, fact{
				event: blueberry.PolicyDeleted, project: p.Project, resource: p.ID, grant: blueberry.GrantPoliciesWrite, message: message, before: policyFields(p),
			})
		})
	})
}
