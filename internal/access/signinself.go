package access

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// proven changes the credentials of a person who is signed in and proves themselves again. Failures are counted, so that an open browser is no place to
// guess at.
func (s *SignIn) proven(ctx context.Context, actor blueberry.Actor, g *guard, action string, change func(Tx, blueberry.User, *blueberry.Credentials) (string, error)) error {
	if err := s.checkSelf(ctx, actor); err != nil {
		return err
	}
	if err := s.reserve(ctx, g); err != nil {
		return err
	}
	return s.provenAfter(ctx, actor, g, action, change)
}

func (s *SignIn) checkSelf(ctx context.Context, actor blueberry.Actor) error {
	return s.Record.View(ctx, func(tx Tx) error {
		_, err := s.self(ctx, tx, actor)
		return err
	})
}

// provenAfter is proven for an attempt that is counted already.
func (s *SignIn) provenAfter(ctx context.Context, actor blueberry.Actor, g *guard, action string, change func(Tx, blueberry.User, *blueberry.Credentials) (string, error)) error {
	err := s.Record.Update(ctx, func(tx Tx) error {
		user, err := s.self(ctx, tx, actor)
		if err != nil {
			return err
		}
		c, err := tx.Credentials(ctx, user.ID)
		if err != nil {
			return err
		}
		c.UserID = user.ID
		detail, err := change(tx, user, &c)
		if err != nil {
			return err
		}
		if err := tx.PutCredentials(ctx, c); err != nil {
			return err
		}
		return errors.Join(s.release(ctx, tx, g, true), s.audit(ctx, tx, blueberry.AuditEntry{Actor: actor, Action: action, Resource: user.ID, Detail: detail}))
	})
	return s.proofError(ctx, g, actor, action, err)
}

// proofError turns the outcome of a proof into what the person reads, and gives the attempt back if it was no guess.
func (s *SignIn) proofError(ctx context.Context, g *guard, actor blueberry.Actor, action string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, errProof) {
		if err := s.fail(ctx, g, action, actor.UserID, "password or code was wrong"); err != nil {
			return err
		}
		return blueberry.Errorf(blueberry.Forbidden, "PROOF_WRONG", "password or code is wrong")
	}
	if back := s.Record.Update(ctx, func(tx Tx) error { return s.release(ctx, tx, g, false) }); back != nil {
		return fmt.Errorf("give attempt back: %w", back)
	}
	if errors.Is(err, errCodeNeeded) {
		return blueberry.Errorf(blueberry.Forbidden, "SECOND_FACTOR_NEEDED", "a code of the second factor is needed")
	}
	return fmt.Errorf("%s: %w", action, err)
}

// provePassword counts an attempt and compares the password of who is signed in. It gives the hash that it was compared with; the attempt stays counted
// until provenAfter. An account without a password takes the empty one.
func (s *SignIn) provePassword(ctx context.Context, actor blueberry.Actor, g *guard, action, password string) (kept string, err error) {
	var c blueberry.Credentials
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		if _, err = s.self(ctx, tx, actor); err != nil {
			return err
		}
		c, err = tx.Credentials(ctx, actor.UserID)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read own credentials: %w", err)
	}
	if err := s.reserve(ctx, g); err != nil {
		return "", err
	}
	same, _, err := s.isPassword(ctx, c.Password, typed(password))
	if err != nil {
		return "", err
	}
	if !same && (c.Password != "" || password != "") {
		return "", s.proofError(ctx, g, actor, action, errProof)
	}
	return c.Password, nil
}
