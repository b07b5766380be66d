package access

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// NewUser asks for an account.
type NewUser struct {
	Email      string
	Name       string
	Owner      bool
	BreakGlass bool
	Members    []MemberWish
	Found      blueberry.Faults // what was wrong with the request before it came here
}

// MemberWish is a role that a new user begins with.
type MemberWish struct {
	Project string
	Role    blueberry.Role
}

// Invited is a user who was invited. There is a link only while no mail is set up: whoever asked passes it on.
type Invited struct {
	User          blueberry.User
	Link          string
	LinkExpiresAt time.Time
}

// CreateUser makes an account and invites its person: record, audit entry and the job that sends the mail, or none of them. An address that is taken,
// however it is spelled, is Conflict.
func (a *Accounts) CreateUser(ctx context.Context, actor blueberry.Actor, r NewUser) (Invited, error) {
	if err := actor.Can(blueberry.GrantUsersWrite); err != nil {
		return Invited{}, err
	}
	if err := mayCreate(actor, r); err != nil {
		return Invited{}, err
	}
	now := a.Now()
	user := blueberry.User{
		ID: blueberry.NewID(blueberry.UserID, now), Email: blueberry.NormalEmail(r.Email), Name: r.Name, Status: blueberry.UserPending, Owner: r.Owner,
		BreakGlass: r.BreakGlass, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	faults := slices.Clone(r.Found)
	faults.CheckEmail("email", user.Email)
	checkLine(&faults, "name", r.Name, blueberry.MaxPersonName)
	for i, m := range r.Members {
		at := fmt.Sprintf("members[%d]", i)
		faults.CheckProjectRole(at+".role", m.Role)
		if slices.ContainsFunc(r.Members[:i], func(before MemberWish) bool { return before.Project == m.Project }) {
			faults.Add(at+".project", "duplicate", "%s is named twice", m.Project)
		}
	}
	var out Invited
	err := a.Record.Update(ctx, func(tx Tx) (err error) {
		found := slices.Clone(faults)
		if err := checkProjects(ctx, tx, &found, r.Members); err != nil {
			return err
		}
		if err := found.Err(); err != nil {
			return err
		}
		if out, err = a.invite(ctx, tx, user); err != nil {
			return err
		}
		if err := tx.InsertUser(ctx, out.User); err != nil {
			return err
		}
		for _, m := range r.Members {
			if err := tx.PutMember(ctx, blueberry.Member{Project: m.Project, UserID: user.ID, Role: m.Role, CreatedAt: now, UpdatedAt: now}); err != nil {
				return err
			}
		}
		after := userFields(out.User)
		if len(r.Members) > 0 {
			after["members"] = rolesOf(r.Members)
		}
		return a.note(ctx, tx, actor, change{
			action: string(blueberry.GrantUsersWrite), resource: user.ID, detail: fmt.Sprintf("%s invited %s", actor.Name, user.Email), after: after,
		})
	})
	return out, err
}

// mayCreate refuses who would give what they do not hold.
func mayCreate(actor blueberry.Actor, r NewUser) error {
	if r.Owner || r.BreakGlass || actor.Emergency != "" && len(r.Members) > 0 { // the link of one who holds something would outlast an emergency
		if err := mayMakeOwners(actor); err != nil {
			return err
		}
	}
	for _, m := range r.Members {
		if err := actor.CanIn(m.Project, blueberry.GrantMembersWrite); err != nil {
			return err
		}
		if err := mayGive(actor, roleIn(m.Project, m.Role)); err != nil {
			return err
		}
	}
	return nil
}

func checkProjects(ctx context.Context, tx Tx, f *blueberry.Faults, members []MemberWish) error {
	for i, m := range members {
		_, err := tx.Project(ctx, m.Project)
		if isNotFound(err) {
			f.Add(fmt.Sprintf("members[%d].project", i), "unknown", "there is no project %q", m.Project)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// userFields is what the audit tells of an account.
func userFields(u blueberry.User) map[string]any {
	return map[string]any{"email": u.Email, "name": u.Name, "status": u.Status, "owner": u.Owner, "break_glass": u.BreakGlass}
}

func rolesOf(members []MemberWish) map[string]any {
	out := map[string]any{}
	for _, m := range members {
		out[m.Project] = m.Role
	}
	return out
}
