package access

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Self is who is asking.
type Self struct {
	Actor   blueberry.Actor
	User    *blueberry.User    // the account that it acts on; nil for none
	Session *blueberry.Session // that it was asked with; nil for none
	Detail  UserDetail         // of User. To a program that acts for the user only what it needs to know: nothing of how they sign in
}

// Self tells who is asking, and what they may do.
func (a *Accounts) Self(ctx context.Context, actor blueberry.Actor) (Self, error) {
	out := Self{Actor: actor}
	if actor.UserID == "" {
		return out, nil
	}
	err := a.Record.View(ctx, func(tx Tx) error {
		user, err := tx.User(ctx, actor.UserID)
		if err != nil {
			return err
		}
		out.User, out.Detail = &user, UserDetail{User: user}
		if !IsPerson(actor) {
			return nil
		}
		if out.Detail, err = detailOf(ctx, tx, user); err != nil {
			return err
		}
		if actor.Kind != blueberry.ActorUser {
			return nil
		}
		s, err := tx.Session(ctx, actor.Credential)
		if isNotFound(err) {
			return nil
		}
		out.Session = &s
		return err
	})
	if err != nil {
		return Self{}, err
	}
	return out, nil
}
