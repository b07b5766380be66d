package access

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/text/unicode/norm"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// PasswordAttempt is what a person typed.
type PasswordAttempt struct {
	Email    string
	Password string
	Code     string // of the second factor, or a recovery code; empty for none
	From
}

const maxPasswordBytes = 4 * blueberry.MaxPassword // of UTF-8; a longer one is nobody's

// The outcomes of a transaction that are not errors of it.
var (
	errProof      = errors.New("the proof is wrong")
	errCodeNeeded = errors.New("a code is needed")
)

// typed is a password in the form in which it is hashed: keyboards differ in how they write the same letter. One that is too long is cut: nobody has it.
func typed(password string) string {
	if len(password) > maxPasswordBytes {
		password = password[:maxPasswordBytes+1]
	}
	return norm.NFKC.String(password)
}

// claimant is what is known of the address that someone typed. Zero for nobody.
type claimant struct {
	user        blueberry.User
	credentials blueberry.Credentials
}

func (s *SignIn) accountOf(ctx context.Context, email string) (claimant, error) {
	var out claimant
	err := s.Record.View(ctx, func(tx Tx) (err error) {
		out = claimant{}
		if out.user, err = tx.UserByEmail(ctx, email); err != nil {
			out.user = blueberry.User{}
			if !errors.Is(err, blueberry.NotFound) {
				return err
			}
		}
		out.credentials, err = tx.Credentials(ctx, out.user.ID) // of nobody too, for the same work
		return err
	})
	if err != nil {
		return out, fmt.Errorf("read account: %w", err)
	}
	return out, nil
}

// Password signs a person in. Whatever is wrong is the same Unauthenticated error after the same work; that a code is needed is told only to who knows the
// password. While failures lock the way it is TooMany with the time to wait.
func (s *SignIn) Password(ctx context.Context, a PasswordAttempt) (Entered, error) {
	email := clip(blueberry.NormalEmail(a.Email), blueberry.MaxEmail)
	is, err := s.accountOf(ctx, email)
	if err != nil {
		return Entered{}, err
	}
	g := s.guardOf(email, is.user.ID, a.From)
	if err := s.reserve(ctx, g); err != nil {
		return Entered{}, err
	}
	password := typed(a.Password)
	same, old, err := s.isPassword(ctx, is.credentials.Password, password)
	if err != nil {
		return Entered{}, err // the attempt stays counted, or hanging up would make it free
	}
	if !same || is.user.Status != blueberry.UserActive {
		return Entered{}, s.wrong(ctx, g, is.user, "address or password was wrong, or the account may not sign in")
	}
	renewed := ""
	if old {
		if renewed, err = s.hashPassword(ctx, password); err != nil {
			return Entered{}, err
		}
	}
	e, err := s.enterByPassword(ctx, is, a, g, renewed)
	switch {
	case errors.Is(err, errCodeNeeded):
		return Entered{}, s.codeNeeded(ctx, g, is.user)
	case errors.Is(err, errProof) || errors.Is(err, blueberry.Conflict): // two sign-ins with one code: the second finds the credentials moved
		return Entered{}, s.wrong(ctx, g, is.user, "the code of the second factor was wrong or used before")
	case err != nil:
		return Entered{}, fmt.Errorf("sign in: %w", err)
	}
	return e, nil
}

// enterByPassword opens the session of someone whose password was right.
func (s *SignIn) enterByPassword(ctx context.Context, is claimant, a PasswordAttempt, g *guard, renewed string) (Entered, error) {
	e, err := s.entry(is.user, a.From, "password")
	if err != nil {
		return Entered{}, err
	}
	err = s.Record.Update(ctx, func(tx Tx) error {
		user, err := tx.User(ctx, is.user.ID)
		if err != nil {
			return err
		}
		c, err := tx.Credentials(ctx, user.ID)
		if err != nil {
			return err
		}
		if user.Status != blueberry.UserActive || c.Password != is.credentials.Password {
			return errProof // it changed under our hands
		}
		e.method = "password"
		if c.SecondFactor() {
			way, err := s.takeCode(ctx, tx, user, &c, a.Code)
			if err != nil {
				return err
			}
			e.method += "+" + way
		}
		e.entered.Session.Method = e.method
		if renewed != "" {
			c.Password = renewed
		}
		if renewed != "" || c.SecondFactor() {
			if err := tx.PutCredentials(ctx, c); err != nil {
				return err
			}
		}
		return errors.Join(s.release(ctx, tx, g, true), s.open(ctx, tx, e))
	})
	return e.entered, err
}

// wrong notes a failure and gives the one answer to it.
func (s *SignIn) wrong(ctx context.Context, g *guard, u blueberry.User, detail string) error {
	if err := s.fail(ctx, g, "session:sign-in", u.ID, detail); err != nil {
		return err
	}
	return refused()
}

// codeNeeded gives the attempt back: nothing in it was wrong. It forgets no failure, or whoever knows the password could guess codes without end.
func (s *SignIn) codeNeeded(ctx context.Context, g *guard, u blueberry.User) error {
	err := s.Record.Update(ctx, func(tx Tx) error {
		return errors.Join(s.release(ctx, tx, g, false), s.audit(ctx, tx, blueberry.AuditEntry{
			Actor: nobody(), Action: "session:sign-in", Resource: u.ID, Detail: "the password was right, and there was no code of the second factor",
			Result: blueberry.AuditDenied,
		}))
	})
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	return blueberry.Errorf(blueberry.Unauthenticated, "SECOND_FACTOR_NEEDED", "a code of the second factor is needed")
}
