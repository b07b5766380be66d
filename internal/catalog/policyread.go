package catalog

import (
	"context"
	"errors"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Policy reads one policy.
func (c *Catalog) Policy(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Policy, error) {
	return view(ctx, c, func(tx Tx) (blueberry.Policy, error) {
		return policyFor(ctx, tx, actor, id, blueberry.GrantPoliciesRead)
	})
}

// Policies reads those of the installation and of a project, in the order of their labels; without a project those of every one that the actor may read.
func (c *Catalog) Policies(ctx context.Context, actor blueberry.Actor, project string) ([]blueberry.Policy, error) {
	in, err := actor.Within(project, blueberry.GrantPoliciesRead)
	if err != nil {
		return nil, err
	}
	return view(ctx, c, func(tx Tx) ([]blueberry.Policy, error) {
		if project == "" {
			return tx.PoliciesIn(ctx, in)
		}
		if _, err := tx.Project(ctx, project); errors.Is(err, blueberry.NotFound) {
			return nil, blueberry.Errorf(blueberry.NotFound, "PROJECT_NOT_FOUND", "there is no project %q", project)
		} else if err != nil {
			return nil, err
		}
		return tx.Policies(ctx, project)
	})
}
