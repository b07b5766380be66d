package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Members reads those who were given a role in a project, by address. Those who have one by a group are not among them.
func (a *Accounts) Members(ctx context.Context, actor blueberry.Actor, project string) (out []blueberry.Membership, err error) {
	if err := actor.CanIn(project, blueberry.GrantMembersRead); err != nil {
		return nil, err
	}
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		if _, err := tx.Project(ctx, project); err != nil {
			return err
		}
		out, err = tx.Members(ctx, project)
		return err
	})
	return out, err
}

// PutMember gives a user, by id or address, a role in a project, or another one. Nobody gives a role that holds more than they do.
func (a *Accounts) PutMember(ctx context.Context, actor blueberry.Actor, project, user string, role blueberry.Role) (blueberry.Membership, error) {
	if err := actor.CanIn(project, blueberry.GrantMembersWrite); err != nil {
		return blueberry.Membership{}, err
	}
	var f blueberry.Faults
	f.CheckProjectRole("role", role)
	if err := f.Err(); err != nil {
		return blueberry.Membership{}, err
	}
	var out blueberry.Membership
	err := a.Record.Update(ctx, func(tx Tx) error {
		u, was, err := memberOf(ctx, tx, project, user)
		if err != nil {
			return err
		}
		if err := mayGive(actor, roleIn(project, role)); err != nil {
			return err
		}
		now := a.Now()
		out = blueberry.Membership{User: u, Member: blueberry.Member{Project: project, UserID: u.ID, Role: role, CreatedAt: now, UpdatedAt: now}}
		c := change{
			action: string(blueberry.GrantMembersWrite), resource: u.ID, project: project,
			detail: fmt.Sprintf("%s made %s %s of project %s", actor.Name, u.Email, role, project), after: map[string]any{"role": role},
		}
		if was != nil {
			out.CreatedAt, c.before = was.CreatedAt, map[string]any{"role": was.Role}
			if was.Role == role {
				out.Member = *was
				return nil
			}
		}
		if err := tx.PutMember(ctx, out.Member); err != nil {
			return err
		}
		if err := a.tell(ctx, tx, actor, blueberry.MemberChanged, c); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, c)
	})
	if err != nil {
		return blueberry.Membership{}, err
	}
	return out, nil
}

// RemoveMember takes the role from a user, by id or address, that they were given in a project.
func (a *Accounts) RemoveMember(ctx context.Context, actor blueberry.Actor, project, user string) error {
	if err := actor.CanIn(project, blueberry.GrantMembersWrite); err != nil {
		return err
	}
	return a.Record.Update(ctx, func(tx Tx) error {
		u, was, err := memberOf(ctx, tx, project, user)
		if err != nil {
			return err
		}
		if err := tx.DeleteMember(ctx, project, u.ID); err != nil {
			return err
		}
		c := change{
			action: string(blueberry.GrantMembersWrite), resource: u.ID, project: project,
			detail: fmt.Sprintf("%s took %s out of project %s", actor.Name, u.Email, project),
		}
		if was != nil {
			c.before = map[string]any{"role": was.Role}
		}
		if err := a.tell(ctx, tx, actor, blueberry.MemberChanged, c); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, c)
	})
}

// memberOf reads a user with the role that they were given in a project, or without.
func memberOf(ctx context.Context, tx Tx, project, user string) (u blueberry.User, m *blueberry.Member, err error) {
	if _, err := tx.Project(ctx, project); err != nil {
		return u, nil, err
	}
	if u, err = userBy(ctx, tx, user); err != nil {
		return u, nil, err
	}
	all, err := tx.MembershipsOf(ctx, u.ID)
	if i := slices.IndexFunc(all, func(m blueberry.Member) bool { return m.Project == project }); i >= 0 {
		m = &all[i]
	}
	return u, m, err
}
