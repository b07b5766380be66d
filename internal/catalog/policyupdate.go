package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
)

// UpdatePolicy gives a policy another text. Where it belongs and its name stay: verdicts are known by them.
func (c *Catalog) UpdatePolicy(ctx context.Context, actor blueberry.Actor, id string, r NewPolicy) (blueberry.Policy, error) {
	var out blueberry.Policy
	err := again(func() error {
		return c.Record.Update(ctx, func(tx Tx) error {
			p, err := policyFor(ctx, tx, actor, id, blueberry.GrantPoliciesWrite)
			if err != nil {
				return err
			}
			if err := checkVersion(p.Label(), p.Version, r.IfVersion); err != nil {
				return err
			}
			faults := slices.Clone(r.Found)
			checkKept(&faults, p, r)
			was := p
			p.Text = r.Text
			if err := faults.Merge("", policy.Check(p)); err != nil {
				return err
			}
			if err := faults.Err(); err != nil {
				return err
			}
			if out = p; p.Text == was.Text {
				return nil
			}
			p.Author, p.UpdatedAt = actor.Name, c.Now()
			if err := tx.UpdatePolicy(ctx, p); err != nil {
				return err
			}
			p.Version++
			out = p
			message := fmt.Sprintf("%s changed policy %s", actor.Name, p.Label())
			return c.tell(ctx, tx, actor, fact{
				event: blueberry.PolicyChanged, project: p.Project, resource: p.ID, grant: blueberry.GrantPoliciesWrite, message: message,
				before: policyFields(was), after: policyFields(p),
			})
		})
	})
	return out, err
}

// checkKept notes what a change of a policy may not change. What it leaves out stays.
func checkKept(faults *blueberry.Faults, p blueberry.Policy, r NewPolicy) {
	if r.Name != "" && r.Name != p.Name {
		faults.Add("name", "immutable", "is %q and stays so: verdicts are known by it", p.Name)
	}
	if r.Project != "" && r.Project != p.Project || r.Installation && p.Project != "" {
		faults.Add("project", "immutable", "the policy is %s and stays there", p.Label())
	}
}
