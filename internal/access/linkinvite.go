package access

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Acceptance is what an invited person chooses.
type Acceptance struct {
	Name     string // empty: as it was entered by who invited them
	Password string
}

// PasskeyAcceptance is Acceptance with a passkey in the place of a password.
type PasskeyAcceptance struct {
	Name     string
	Passkey  string // name of the passkey
	Ticket   string
	Response json.RawMessage
}

// InvitationOf gives the user that an invitation is for, while it works. It changes nothing, so a mail scanner that follows the link does no harm.
func (s *SignIn) InvitationOf(ctx context.Context, link string) (blueberry.User, error) {
	var u blueberry.User
	err := s.Record.View(ctx, func(tx Tx) (err error) {
		_, u, err = s.userOfLink(ctx, tx, blueberry.LinkInvite, link)
		return err
	})
	return u, err
}

// AcceptInvitation makes an invited user active with a password and signs them in.
func (s *SignIn) AcceptInvitation(ctx context.Context, link string, a Acceptance, from From) (Entered, error) {
	u, err := s.InvitationOf(ctx, link)
	if err != nil {
		return Entered{}, err
	}
	var faults blueberry.Faults
	checkLine(&faults, "name", a.Name, blueberry.MaxPersonName)
	hashed, e, err := s.chosen(ctx, faults, a.Password, u, from, "password")
	if err != nil {
		return Entered{}, err
	}
	err = s.Record.Update(ctx, func(tx Tx) error {
		l, u, err := s.userOfLink(ctx, tx, blueberry.LinkInvite, link)
		if err != nil {
			return err
		}
		c, err := tx.Credentials(ctx, u.ID)
		if err != nil {
			return err
		}
		c.UserID, c.Password, c.PasswordChangedAt = u.ID, hashed, s.Now()
		return errors.Join(tx.PutCredentials(ctx, c), s.accept(ctx, tx, l, u, a.Name, "a password"), s.open(ctx, tx, e))
	})
	if err != nil {
		return Entered{}, doing("accept invitation", err)
	}
	return e.entered, nil
}

// accept uses an invitation up and makes its user active.
func (s *SignIn) accept(ctx context.Context, tx Tx, l blueberry.Link, u blueberry.User, name, by string) error {
	if err := s.useLink(ctx, tx, l); err != nil {
		return err
	}
	u.Status, u.Invitation.State, u.Invitation.Error, u.UpdatedAt = blueberry.UserActive, blueberry.InvitationAccepted, "", s.Now()
	if name != "" {
		u.Name = name
	}
	if err := tx.UpdateUser(ctx, u); err != nil {
		return err
	}
	return errors.Join(tx.DropLinks(ctx, blueberry.LinkInvite, u.ID, s.Now()), tx.BumpAccessEpoch(ctx), s.audit(ctx, tx, blueberry.AuditEntry{
		Actor: personActor(u, ""), Action: "invitation:accept", Resource: u.ID, Detail: "accepted the invitation with " + by,
		Before: blueberry.AuditFields(map[string]any{"status": blueberry.UserPending}), After: blueberry.AuditFields(map[string]any{"status": u.Status}),
	}))
}

// BeginInvitationPasskey is BeginPasskey for who is invited.
func (s *SignIn) BeginInvitationPasskey(ctx context.Context, link string) (options json.RawMessage, ticket string, err error) {
	u, err := s.InvitationOf(ctx, link)
	if err != nil {
		return nil, "", err
	}
	return s.beginRegistration(ctx, u, nil)
}

// AcceptByPasskey makes an invited user active with a passkey and signs them in.
func (s *SignIn) AcceptByPasskey(ctx context.Context, link string, a PasskeyAcceptance, from From) (Entered, error) {
	u, err := s.InvitationOf(ctx, link)
	if err != nil {
		return Entered{}, err
	}
	var faults blueberry.Faults
	checkLine(&faults, "name", a.Name, blueberry.MaxPersonName)
	if err := faults.Err(); err != nil {
		return Entered{}, err
	}
	passkey, err := s.register(ctx, u, a.Ticket, a.Passkey, a.Response)
	if err != nil {
		return Entered{}, err
	}
	e, err := s.entry(u, from, "passkey")
	if err != nil {
		return Entered{}, err
	}
	err = s.Record.Update(ctx, func(tx Tx) error {
		l, u, err := s.userOfLink(ctx, tx, blueberry.LinkInvite, link)
		if err != nil {
			return err
		}
		return errors.Join(s.accept(ctx, tx, l, u, a.Name, "a passkey"), s.keepPasskey(ctx, tx, personActor(u, ""), passkey), s.open(ctx, tx, e))
	})
	if err != nil {
		return Entered{}, doing("accept invitation", err)
	}
	return e.entered, nil
}
