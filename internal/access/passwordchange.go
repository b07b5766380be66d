package access

import (
	"context"
	"errors"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// freshSession is how long after a sign-in a first password can be set without another proof.
const freshSession = 15 * time.Minute

// ChangePassword sets a new password and ends every other session and every OAuth token of the person. Old is the password from before, and empty for an account that has none:
// then the sign-in must have been a moment ago. Code is needed while a second factor is set up.
func (s *SignIn) ChangePassword(ctx context.Context, actor blueberry.Actor, old, password, code string) error {
	const action = "credentials:password-changed"
	var user blueberry.User
	if err := s.Record.View(ctx, func(tx Tx) (err error) {
		user, err = s.self(ctx, tx, actor)
		return err
	}); err != nil {
		return doing("change password", err)
	}
	var faults blueberry.Faults
	CheckNewPassword(&faults, "new_password", password, user)
	if old != "" && old == password {
		faults.Add("new_password", "same", "is the password from before")
	}
	if err := faults.Err(); err != nil {
		return err
	}
	g := guardOfSelf(actor.UserID)
	kept, err := s.provePassword(ctx, actor, g, action, old)
	if err != nil {
		return err
	}
	hashed, err := s.hashPassword(ctx, typed(password))
	if err != nil {
		return err
	}
	return s.provenAfter(ctx, actor, g, action, func(tx Tx, user blueberry.User, c *blueberry.Credentials) (string, error) {
		if c.Password != kept {
			return "", errProof
		}
		if kept == "" {
			if err := s.fresh(ctx, tx, actor); err != nil {
				return "", err
			}
		}
		if c.SecondFactor() {
			if _, err := s.takeCode(ctx, tx, user, c, code); err != nil {
				return "", err
			}
		}
		c.Password, c.PasswordChangedAt = hashed, s.Now()
		return "changed the password; other sessions and OAuth tokens ended", s.endSessions(ctx, tx, user, actor.Credential)
	})
}

// fresh is Forbidden when the actor signed in longer ago than a moment.
func (s *SignIn) fresh(ctx context.Context, tx Tx, actor blueberry.Actor) error {
	session, err := tx.Session(ctx, actor.Credential)
	if err != nil {
		return err
	}
	if s.Now().Before(session.CreatedAt.Add(freshSession)) {
		return nil
	}
	return blueberry.Errorf(blueberry.Forbidden, "SIGN_IN_AGAIN", "sign in again first: it was more than %d minutes ago", int(freshSession/time.Minute))
}

// endSessions ends those of a person but for one, and their OAuth tokens, and has every process know.
func (s *SignIn) endSessions(ctx context.Context, tx Tx, user blueberry.User, except string) error {
	_, err := tx.RevokeSessions(ctx, user.ID, except, user.Label(), s.Now())
	if err == nil {
		_, err = tx.RevokeOAuthTokens(ctx, user.ID, "", s.Now())
	}
	return errors.Join(err, tx.BumpAccessEpoch(ctx), tx.DropLinks(ctx, blueberry.LinkReset, user.ID, s.Now()))
}
