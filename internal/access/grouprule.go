package access

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const maxGroup = 200 // characters; GitHub and Entra ID stop at 100 and 256 with names that people can tell apart

// GroupRules reads the rules that an actor may see: those of projects whose members they may read, those for owners with identity-providers:read.
func (a *Accounts) GroupRules(ctx context.Context, actor blueberry.Actor) (out []blueberry.GroupRule, err error) {
	seesOwners := actor.Can(blueberry.GrantProvidersRead) == nil
	if err := actor.CanSomewhere(blueberry.GrantMembersRead); err != nil && !seesOwners {
		return nil, err
	}
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		out, err = tx.GroupRules(ctx)
		return err
	})
	return slices.DeleteFunc(out, func(g blueberry.GroupRule) bool {
		if g.Project == "" {
			return !seesOwners
		}
		return actor.CanIn(g.Project, blueberry.GrantMembersRead) != nil
	}), err
}

// AddGroupRule gives everyone a role whom an identity provider counts to a group. In a project that is for who writes its members, on the installation for
// owners; nobody gives more than they hold. The rule counts for each person from their next sign-in that names the group, or at once when one did.
func (a *Accounts) AddGroupRule(ctx context.Context, actor blueberry.Actor, r blueberry.GroupRule) (blueberry.GroupRule, error) {
	if err := mayRule(actor, r); err != nil {
		return blueberry.GroupRule{}, err
	}
	var faults blueberry.Faults
	if r.Group == "" {
		faults.Add("group", "required", "is needed")
	}
	checkLine(&faults, "group", r.Group, maxGroup)
	if r.Project == "" && r.Role != blueberry.RoleOwner {
		faults.Add("role", "enum", "%q is no role of the installation: there is only owner", string(r.Role))
	} else if r.Project != "" {
		faults.CheckProjectRole("role", r.Role)
	}
	if !utf8.ValidString(r.Provider) {
		faults.Add("provider", "text", "must be text")
	}
	r.CreatedAt = a.Now()
	r.ID = blueberry.NewID(blueberry.GroupRuleID, r.CreatedAt)
	err := a.Record.Update(ctx, func(tx Tx) error {
		f := slices.Clone(faults)
		if r.Project != "" {
			if _, err := tx.Project(ctx, r.Project); err != nil {
				return err
			}
		}
		if _, err := tx.Provider(ctx, r.Provider); isNotFound(err) {
			f.Add("provider", "unknown", "there is no identity provider %q", r.Provider)
		} else if err != nil {
			return err
		}
		if err := f.Err(); err != nil {
			return err
		}
		if err := tx.PutGroupRule(ctx, r); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(ruleGrant(r)), resource: r.ID, project: r.Project, detail: fmt.Sprintf("%s made group %s of %s %s", actor.Name, r.Group, r.Provider, ruleLabel(r)),
			after: ruleFields(r),
		})
	})
	if err != nil {
		return blueberry.GroupRule{}, err
	}
	return r, nil
}

// mayRule refuses a rule that would give what the actor does not hold. Rules outlast an emergency, and one may be in the group oneself.
func mayRule(actor blueberry.Actor, r blueberry.GroupRule) error {
	if r.Project == "" || actor.Emergency != "" {
		return mayMakeOwners(actor)
	}
	if err := actor.CanIn(r.Project, blueberry.GrantMembersWrite); err != nil {
		return err
	}
	return mayGive(actor, roleIn(r.Project, r.Role))
}

// DeleteGroupRule takes a rule away. To who may not see it, it is not there.
func (a *Accounts) DeleteGroupRule(ctx context.Context, actor blueberry.Actor, id string) error {
	return a.Record.Update(ctx, func(tx Tx) error {
		missing := blueberry.Errorf(blueberry.NotFound, "GROUP_RULE_NOT_FOUND", "there is no group rule %q", id)
		all, err := tx.GroupRules(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(g blueberry.GroupRule) bool { return g.ID == id })
		if i < 0 {
			return missing
		}
		r := all[i]
		if r.Project == "" && actor.Can(blueberry.GrantProvidersRead) != nil {
			return blueberry.Hidden(missing, blueberry.GrantAll)
		}
		if err := actor.CanOn(r.Project, ruleGrant(r), missing); err != nil {
			return err
		}
		if err := tx.DeleteGroupRule(ctx, id); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(ruleGrant(r)), resource: id, project: r.Project,
			detail: fmt.Sprintf("%s took the rule away that made group %s of %s %s", actor.Name, r.Group, r.Provider, ruleLabel(r)), before: ruleFields(r),
		})
	})
}

// ruleGrant is what writing a rule takes.
func ruleGrant(r blueberry.GroupRule) blueberry.Grant {
	if r.Project == "" {
		return blueberry.GrantAll
	}
	return blueberry.GrantMembersWrite
}

func ruleLabel(r blueberry.GroupRule) string {
	if r.Project == "" {
		return "owners of the installation"
	}
	return fmt.Sprintf("%s of project %s", r.Role, r.Project)
}

func ruleFields(r blueberry.GroupRule) map[string]any {
	return map[string]any{"provider": r.Provider, "group": r.Group, "project": r.Project, "role": r.Role}
}
