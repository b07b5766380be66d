package access

import (
	"context"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// UserDetail is a user with what they hold and how they sign in.
type UserDetail struct {
	User          blueberry.User
	Memberships   []blueberry.Member // that they were given
	ByGroup       []blueberry.Member // by the groups of their identity providers; without a project: owner
	Identities    []blueberry.Identity
	Passkeys      []blueberry.Passkey // without what proves them
	Password      bool                // whether they have one
	SecondFactor  bool                // whether it needs a code as well
	RecoveryCodes int                 // that are left
}

// User reads an account by id or address. Everyone may read their own; to others, one they may not read is not there.
func (a *Accounts) User(ctx context.Context, actor blueberry.Actor, id string) (user blueberry.User, err error) {
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		user, err = a.userFor(ctx, tx, actor, id, blueberry.GrantUsersRead)
		return err
	})
	return user, err
}

// Users reads one page of accounts.
func (a *Accounts) Users(ctx context.Context, actor blueberry.Actor, q blueberry.UserQuery) (page blueberry.UserPage, err error) {
	if err := actor.Can(blueberry.GrantUsersRead); err != nil {
		return page, err
	}
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		page, err = tx.ListUsers(ctx, q)
		return err
	})
	return page, err
}

// UserDetail reads an account with what it holds.
func (a *Accounts) UserDetail(ctx context.Context, actor blueberry.Actor, id string) (d UserDetail, err error) {
	err = a.Record.View(ctx, func(tx Tx) error {
		user, err := a.userFor(ctx, tx, actor, id, blueberry.GrantUsersRead)
		if err != nil {
			return err
		}
		d, err = detailOf(ctx, tx, user)
		return err
	})
	return d, err
}

func detailOf(ctx context.Context, tx Tx, user blueberry.User) (d UserDetail, err error) {
	d.User = user
	if d.Memberships, err = tx.MembershipsOf(ctx, user.ID); err != nil {
		return d, err
	}
	if d.ByGroup, err = groupRoles(ctx, tx, user.ID); err != nil {
		return d, err
	}
	if d.Identities, err = tx.IdentitiesOf(ctx, user.ID); err != nil {
		return d, err
	}
	if d.Passkeys, err = tx.Passkeys(ctx, user.ID); err != nil {
		return d, err
	}
	for i := range d.Passkeys {
		d.Passkeys[i].Data = nil
	}
	c, err := tx.Credentials(ctx, user.ID)
	d.Password, d.SecondFactor, d.RecoveryCodes = c.Password != "", c.SecondFactor(), len(c.RecoveryCodes)
	return d, err
}

// userFor reads an account, by id or address, for who holds the grant. Who may only see it lacks the grant; to anyone else it is not there, whether it is or
// not. For reading, it is one's own that one may see.
func (a *Accounts) userFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, grant blueberry.Grant) (blueberry.User, error) {
	user, err := userBy(ctx, tx, id)
	if err != nil && !isNotFound(err) {
		return user, err
	}
	lacking := actor.Can(grant)
	own := err == nil && user.ID == actor.UserID
	switch {
	case lacking == nil:
		return user, err
	case own && grant == blueberry.GrantUsersRead:
		return user, nil
	case own, actor.Can(blueberry.GrantUsersRead) == nil:
		if err != nil {
			return user, err
		}
		return blueberry.User{}, lacking
	}
	return blueberry.User{}, blueberry.Hidden(blueberry.Errorf(blueberry.NotFound, "USER_NOT_FOUND", "there is no user %q", id), grant)
}

func userBy(ctx context.Context, tx Tx, idOrEmail string) (blueberry.User, error) {
	if !strings.Contains(idOrEmail, "@") {
		return tx.User(ctx, idOrEmail)
	}
	return tx.UserByEmail(ctx, blueberry.NormalEmail(idOrEmail))
}
