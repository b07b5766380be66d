package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// CreatePolicy makes a policy. From then on it judges every plan of its project, or of the installation.
func (c *Catalog) CreatePolicy(ctx context.Context, actor blueberry.Actor, r NewPolicy) (blueberry.Policy, error) {
	p, faults, err := c.checkPolicy(ctx, actor, blueberry.GrantPoliciesWrite, r)
	if err != nil {
		return blueberry.Policy{}, err
	}
	if err := checkNone("policy "+r.Name, r.IfVersion); err != nil {
		return blueberry.Policy{}, err
	}
	if err := c.checkPolicyName(ctx, p, &faults); err != nil {
		return blueberry.Policy{}, err
	}
	if err := faults.Err(); err != nil {
		return blueberry.Policy{}, err
	}
	now := c.Now()
	p.ID, p.Author, p.CreatedAt, p.UpdatedAt, p.Version = blueberry.NewID(blueberry.PolicyID, now), actor.Name, now, now, 1
	err = c.Record.Update(ctx, func(tx Tx) error {
		if err := tx.InsertPolicy(ctx, p); err != nil {
			return taken(err, "policy", p.Name)
		}
		message := fmt.Sprintf("%s made policy %s", actor.Name, p.Label())
		return c.tell(ctx, tx, actor, fact{
			event: blueberry.PolicyChanged, project: p.Project, resource: p.ID, grant: blueberry.GrantPoliciesWrite, message: message, after: policyFields(p),
		})
	})
	if err != nil {
		return blueberry.Policy{}, err
	}
	return p, nil
}

// policyFields are a policy as the audit has it.
func policyFields(p blueberry.Policy) map[string]any {
	return map[string]any{"name": p.Label(), "version": p.Version, "digest": digestOf([]byte(p.Text))}
}

// checkPolicyName notes a name that another policy of the same scope has.
func (c *Catalog) checkPolicyName(ctx context.Context, p blueberry.Policy, faults *blueberry.Faults) error {
	return c.Record.View(ctx, func(tx Tx) error {
		there, err := tx.Policies(ctx, p.Project)
		if slices.ContainsFunc(there, func(x blueberry.Policy) bool { return x.Project == p.Project && x.Name == p.Name }) {
			faults.Add("name", "taken", "%q is the name of a policy that exists", p.Name)
		}
		return err
	})
}
