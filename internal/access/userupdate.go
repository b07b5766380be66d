package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// UserChange says what of an account is to change. What is nil stays.
type UserChange struct {
	Name       *string
	Email      *string
	Owner      *bool
	BreakGlass *bool
	Status     *blueberry.UserStatus // active or inactive
	Found      blueberry.Faults      // what was wrong with the request before it came here
}

// UpdateUser changes an account. People change their own name; all else takes users:write, and never gives what the actor does not hold. One that becomes
// inactive may do nothing at once, and its sessions end. One active owner is always left.
func (a *Accounts) UpdateUser(ctx context.Context, actor blueberry.Actor, id string, r UserChange, ifVersion int64) (blueberry.User, error) {
	var out blueberry.User
	err := a.update(ctx, func(tx Tx) error {
		user, err := a.userToChange(ctx, tx, actor, id, r)
		if err != nil {
			return err
		}
		if err := checkVersion("user "+user.Email, user.Version, ifVersion); err != nil {
			return err
		}
		if out, err = a.changedUser(user, r); err != nil {
			return err
		}
		if err := mayChange(ctx, tx, actor, user, out); err != nil {
			return err
		}
		before, after := changed(userFields(user), userFields(out))
		if len(after) == 0 {
			return nil
		}
		if out.Email != user.Email || out.Status != user.Status { // whoever makes a link or signs in by password waits, and sees what is new
			if _, err := tx.Credentials(ctx, user.ID); err != nil {
				return err
			}
		}
		if err := a.keepAnOwner(ctx, tx, user, out); err != nil {
			return err
		}
		out.UpdatedAt = a.Now()
		if err := tx.UpdateUser(ctx, out); err != nil {
			return err
		}
		out.Version++
		if err := a.endAccess(ctx, tx, actor, user, out); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantUsersWrite), resource: user.ID, detail: fmt.Sprintf("%s changed the account of %s", actor.Name, user.Email),
			before: before, after: after,
		})
	})
	if err != nil {
		return blueberry.User{}, err
	}
	return out, nil
}

// userToChange reads the account for who may change it at all.
func (a *Accounts) userToChange(ctx context.Context, tx Tx, actor blueberry.Actor, id string, r UserChange) (blueberry.User, error) {
	nameOnly := r.Email == nil && r.Owner == nil && r.BreakGlass == nil && r.Status == nil
	if nameOnly && IsPerson(actor) {
		if user, err := userBy(ctx, tx, id); err == nil && user.ID == actor.UserID {
			return user, nil
		}
	}
	return a.userFor(ctx, tx, actor, id, blueberry.GrantUsersWrite)
}

func (a *Accounts) changedUser(user blueberry.User, r UserChange) (blueberry.User, error) {
	f := slices.Clone(r.Found)
	if r.Name != nil {
		user.Name = *r.Name
		checkLine(&f, "name", user.Name, blueberry.MaxPersonName)
	}
	if r.Email != nil {
		user.Email = blueberry.NormalEmail(*r.Email)
		f.CheckEmail("email", user.Email)
	}
	if r.Owner != nil {
		user.Owner = *r.Owner
	}
	if r.BreakGlass != nil {
		user.BreakGlass = *r.BreakGlass
	}
	if r.Status != nil {
		user.Status = statusAfter(&f, user, *r.Status)
	}
	return user, f.Err()
}

// statusAfter is the status that a wish leads to: one who has never come in is still awaited.
func statusAfter(f *blueberry.Faults, user blueberry.User, wish blueberry.UserStatus) blueberry.UserStatus {
	awaited := user.Invitation.State != blueberry.InvitationNone && user.Invitation.State != blueberry.InvitationAccepted
	switch {
	case wish == blueberry.UserInactive:
		return wish
	case wish == blueberry.UserActive && user.Status == blueberry.UserPending:
		f.Add("status", "pending", "becomes active when %s accepts the invitation", user.Email)
	case wish == blueberry.UserActive && awaited:
		return blueberry.UserPending
	case wish != blueberry.UserActive:
		f.Add("status", "enum", "%q is neither active nor inactive", string(wish))
	}
	return wish
}

// mayChange refuses what would give the actor, or the user, more than the actor holds. An address is where a link to a new password goes, so who changes
// that of another one could act as them; an owner is changed by owners only.
func mayChange(ctx context.Context, tx Tx, actor blueberry.Actor, was, is blueberry.User) error {
	self := was.ID == actor.UserID && actor.Kind == blueberry.ActorUser // a token may be narrower than its user
	if is.Owner && !was.Owner || is.BreakGlass && !was.BreakGlass {
		if err := mayMakeOwners(actor); err != nil {
			return err
		}
	}
	if self {
		return nil
	}
	if was.Owner || was.BreakGlass {
		if err := actor.Can(blueberry.GrantAll); err != nil {
			return err
		}
	}
	if is.Email != was.Email || is.Status != was.Status && is.Status != blueberry.UserInactive {
		return mayActAs(ctx, tx, actor, was)
	}
	return nil
}

// mayActAs is nil when an actor holds everything that a user does, or would do while active, and does not only borrow it: of one who holds anything, an
// emergency opens no account, as that would outlast it.
func mayActAs(ctx context.Context, tx Tx, actor blueberry.Actor, user blueberry.User) error {
	held, err := rights(ctx, tx, user)
	if err != nil {
		return err
	}
	lends := actor.Emergency != "" && len(held.Grants)+len(held.Projects) > 0
	if lends || user.BreakGlass || slices.Contains(held.Grants, blueberry.GrantAll) {
		return mayMakeOwners(actor)
	}
	for project, grants := range held.Projects {
		for _, g := range grants {
			if actor.CanIn(project, g) != nil {
				return actor.Can(g) // without the project: the actor may not know of it
			}
		}
	}
	return mayGive(actor, blueberry.Actor{Grants: held.Grants})
}

// keepAnOwner refuses to lose the last active owner.
func (a *Accounts) keepAnOwner(ctx context.Context, tx Tx, was, is blueberry.User) error {
	active := func(u blueberry.User) bool { return u.Owner && u.Status == blueberry.UserActive }
	if !active(was) || active(is) {
		return nil
	}
	n, err := tx.CountOwners(ctx)
	if err == nil && n <= 1 {
		err = blueberry.Errorf(blueberry.Conflict, "LAST_OWNER", "%s is the last owner who is active: make another one first", was.Email)
	}
	return err
}

// endAccess ends sessions and OAuth tokens when a status changes, and again when it changes back, so that none comes back by itself; and links to an address
// that is not theirs any more.
func (a *Accounts) endAccess(ctx context.Context, tx Tx, actor blueberry.Actor, was, is blueberry.User) error {
	if is.Status == was.Status && is.Email == was.Email {
		return nil
	}
	for _, kind := range []blueberry.LinkKind{blueberry.LinkInvite, blueberry.LinkReset} {
		if err := tx.DropLinks(ctx, kind, is.ID, a.Now()); err != nil {
			return err
		}
	}
	if is.Status == was.Status {
		if is.Status == blueberry.UserPending && a.Mail != nil {
			return tx.Enqueue(ctx, blueberry.JobUserInvite, is.ID) // to the new address
		}
		return nil
	}
	return a.endSignIns(ctx, tx, actor, is.ID)
}

// endSignIns ends every session and OAuth token of a user.
func (a *Accounts) endSignIns(ctx context.Context, tx Tx, actor blueberry.Actor, userID string) error {
	if _, err := tx.RevokeSessions(ctx, userID, "", actor.Name, a.Now()); err != nil {
		return err
	}
	_, err := tx.RevokeOAuthTokens(ctx, userID, "", a.Now())
	return err
}
