package catalog

import (
	"context"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
)

// CheckPolicy tells every fault of a policy that could be made, and makes none.
func (c *Catalog) CheckPolicy(ctx context.Context, actor blueberry.Actor, r NewPolicy) error {
	_, faults, err := c.checkPolicy(ctx, actor, blueberry.GrantPoliciesRead, r)
	if err != nil {
		return err
	}
	return faults.Err()
}

// checkPolicy gives the policy that was asked for, without an id, and all that is wrong with its scope, its name and its text. The actor must hold the grant
// where the policy belongs.
func (c *Catalog) checkPolicy(ctx context.Context, actor blueberry.Actor, grant blueberry.Grant, r NewPolicy) (blueberry.Policy, blueberry.Faults, error) {
	faults := slices.Clone(r.Found)
	p := blueberry.Policy{Project: scope(&faults, r.Project, r.Installation), Name: r.Name, Text: r.Text}
	if err := allowedIn(actor, p.Project, grant); err != nil {
		return p, nil, err
	}
	if err := faults.Merge("", policy.Check(p)); err != nil {
		return p, faults, err
	}
	err := c.Record.View(ctx, func(tx Tx) error { return checkProject(ctx, tx, &faults, p.Project) })
	return p, faults, err
}
