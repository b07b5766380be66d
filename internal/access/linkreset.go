package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// resetRequests is how many mails with a reset link one network can ask for in an hour.
const resetRequests = 10

// RequestReset has a mail sent with which the person sets a new password. It tells the caller nothing, and does the same whether or not there is an account:
// it leaves a job.
func (s *SignIn) RequestReset(ctx context.Context, email string, from From) error {
	email = blueberry.NormalEmail(email)
	var faults blueberry.Faults
	faults.CheckEmail("email", email)
	if len(faults) > 0 || s.Mail == nil {
		return nil
	}
	c := count{key: "reset:" + networkOf(from.Address), limit: resetRequests}
	err := s.Record.Update(ctx, func(tx Tx) error {
		now := s.Now()
		a, err := tx.Attempts(ctx, c.key)
		if err != nil {
			return err
		}
		a = c.current(a, now)
		if now.Before(a.LockedUntil) {
			return nil
		}
		a.Key = c.key
		if a.Failures++; c.pause(a.Failures) > 0 {
			a.LockedUntil = now.Add(failurePause)
		}
		return errors.Join(tx.PutAttempts(ctx, a), tx.Enqueue(ctx, blueberry.JobUserReset, email))
	})
	if err != nil {
		s.Logger.ErrorContext(ctx, "ask for a reset mail", "error", err) // the caller is told nothing of it, too
	}
	return nil
}

// SendReset does a job of RequestReset. Only an active person who has a password gets a mail: to others a mailbox gives no new way in.
func (s *SignIn) SendReset(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	done := blueberry.JobOutcome{}
	if s.Mail == nil {
		return done, nil
	}
	is, err := s.accountOf(ctx, job.Subject)
	if err != nil || is.user.Status != blueberry.UserActive || is.credentials.Password == "" {
		return done, err
	}
	secret, hash := NewSecret(LinkPrefix)
	made := false
	err = s.Record.Update(ctx, func(tx Tx) (err error) {
		made, err = s.keepReset(ctx, tx, is.user, hash)
		return err
	})
	if err != nil || !made {
		return done, doing("make reset link", err)
	}
	err = s.Mail.Send(ctx, Mail{To: []string{is.user.Email}, Subject: "Set a new password for Blueberry", Text: fmt.Sprintf(
		"Someone asked for a new password for your Blueberry account.\n\nIf it was you, set it here within %d minutes:\n\n%s\n\n"+
			"If it was not you, there is nothing to do: your password stays as it is.\n",
		int(blueberry.ResetLife/time.Minute), linkAddress(s.PublicURL, blueberry.LinkReset, secret))})
	if err != nil {
		return done, errors.New("send reset link: " + trouble(err))
	}
	return done, nil
}

// keepReset writes the link of a reset, unless the account is another one by now: a link for an address that is not theirs any more must not live. The
// credentials are read first, as whoever changes the address or the status does, so that of both at once the second sees the first.
func (s *SignIn) keepReset(ctx context.Context, tx Tx, was blueberry.User, hash []byte) (made bool, err error) {
	c, err := tx.Credentials(ctx, was.ID)
	if err != nil {
		return false, err
	}
	user, err := tx.User(ctx, was.ID)
	if isNotFound(err) || err == nil && (user.Email != was.Email || user.Status != blueberry.UserActive || c.Password == "") {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now := s.Now()
	return true, errors.Join(tx.DropLinks(ctx, blueberry.LinkReset, user.ID, now), tx.InsertLink(ctx, blueberry.Link{
		ID: blueberry.NewID(blueberry.LinkID, now), Kind: blueberry.LinkReset, UserID: user.ID, Hash: hash, CreatedAt: now, ExpiresAt: now.Add(blueberry.ResetLife),
	}), s.audit(ctx, tx, blueberry.AuditEntry{
		Actor: blueberry.System(), Action: "credentials:reset-requested", Resource: user.ID, Detail: "sends a link to set a new password, as someone asked for it",
	}))
}

// ResetOf gives the user that a reset link is for, while it works.
func (s *SignIn) ResetOf(ctx context.Context, link string) (blueberry.User, error) {
	var u blueberry.User
	err := s.Record.View(ctx, func(tx Tx) (err error) {
		_, u, err = s.userOfLink(ctx, tx, blueberry.LinkReset, link)
		return err
	})
	return u, err
}

// CompleteReset sets a new password, ends every session and OAuth token and signs the person in. While a second factor is set up it stays, and nobody is signed in: a mailbox
// is not enough for that.
func (s *SignIn) CompleteReset(ctx context.Context, link, password string, from From) (Entered, error) {
	u, err := s.ResetOf(ctx, link)
	if err != nil {
		return Entered{}, err
	}
	hashed, e, err := s.chosen(ctx, nil, password, u, from, "password-reset")
	if err != nil {
		return Entered{}, err
	}
	enters := false
	err = s.Record.Update(ctx, func(tx Tx) error {
		l, u, err := s.userOfLink(ctx, tx, blueberry.LinkReset, link)
		if err != nil {
			return err
		}
		c, err := tx.Credentials(ctx, u.ID)
		if err != nil {
			return err
		}
		c.UserID, c.Password, c.PasswordChangedAt = u.ID, hashed, s.Now()
		enters = !c.SecondFactor()
		if err := errors.Join(s.useLink(ctx, tx, l), tx.PutCredentials(ctx, c), s.endSessions(ctx, tx, u, "")); err != nil {
			return err
		}
		if err := s.audit(ctx, tx, blueberry.AuditEntry{
			Actor: personActor(u, ""), Action: "credentials:password-reset", Resource: u.ID, Detail: "set a new password by a link; all sessions and OAuth tokens ended",
		}); err != nil || !enters {
			return err
		}
		return s.open(ctx, tx, e)
	})
	switch {
	case err != nil:
		return Entered{}, doing("reset password", err)
	case !enters:
		return Entered{ReturnTo: "/"}, nil
	}
	return e.entered, nil
}
