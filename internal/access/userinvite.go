package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// InviteUser invites again one who has not come in yet. Links that were sent before work no more.
func (a *Accounts) InviteUser(ctx context.Context, actor blueberry.Actor, id string) (Invited, error) {
	var out Invited
	err := a.update(ctx, func(tx Tx) error {
		user, err := a.userFor(ctx, tx, actor, id, blueberry.GrantUsersWrite)
		if err != nil {
			return err
		}
		if err := mayActAs(ctx, tx, actor, user); err != nil { // the link opens the account
			return err
		}
		if user.Status != blueberry.UserPending {
			return blueberry.Errorf(blueberry.Conflict, "USER_NOT_PENDING", "%s has come in already, or may not", user.Label())
		}
		user.UpdatedAt = a.Now()
		if out, err = a.invite(ctx, tx, user); err != nil {
			return err
		}
		if err := tx.UpdateUser(ctx, out.User); err != nil {
			return err
		}
		out.User.Version++
		return a.note(ctx, tx, actor, change{
			action: string(blueberry.GrantUsersWrite), resource: user.ID, detail: fmt.Sprintf("%s invited %s again", actor.Name, user.Email),
		})
	})
	return out, err
}

// invite has the mail sent, or makes a link for who asked. It writes all but the user.
func (a *Accounts) invite(ctx context.Context, tx Tx, user blueberry.User) (out Invited, err error) {
	out.User = user
	if a.Mail != nil {
		out.User.Invitation = blueberry.Invitation{State: blueberry.InvitationQueued}
		return out, tx.Enqueue(ctx, blueberry.JobUserInvite, user.ID)
	}
	out.User.Invitation = blueberry.Invitation{State: blueberry.InvitationManual}
	out.Link, out.LinkExpiresAt, err = a.newLink(ctx, tx, blueberry.LinkInvite, user.ID, blueberry.InvitationLife)
	return out, err
}

// newLink makes a one-time link, and those before it worthless.
func (a *Accounts) newLink(ctx context.Context, tx Tx, kind blueberry.LinkKind, userID string, life time.Duration) (url string, expires time.Time, err error) {
	now := a.Now()
	if err := tx.DropLinks(ctx, kind, userID, now); err != nil {
		return "", expires, err
	}
	secret, hash := NewSecret(LinkPrefix)
	link := blueberry.Link{ID: blueberry.NewID(blueberry.LinkID, now), Kind: kind, UserID: userID, Hash: hash, CreatedAt: now, ExpiresAt: now.Add(life)}
	return linkAddress(a.PublicURL, kind, secret), link.ExpiresAt, tx.InsertLink(ctx, link)
}

// SendInvitation works on jobs of kind user.invite: it makes the link, sends the mail and notes how that went. A worker that dies between sends another mail
// with another link; only the last one works.
func (a *Accounts) SendInvitation(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	var user blueberry.User
	var link string
	err := a.update(ctx, func(tx Tx) (err error) {
		link = ""
		if user, err = tx.User(ctx, job.Subject); err != nil || user.Status != blueberry.UserPending || a.Mail == nil {
			return err
		}
		link, _, err = a.newLink(ctx, tx, blueberry.LinkInvite, user.ID, blueberry.InvitationLife)
		return err
	})
	switch {
	case isNotFound(err) || err == nil && user.Status != blueberry.UserPending:
		return blueberry.JobOutcome{}, nil // removed, or came in, or may not any more: nothing is left to do
	case err != nil:
		return blueberry.JobOutcome{}, doing("make the link of an invitation", err)
	}
	failed := errors.New("no mail is set up")
	if link != "" {
		failed = a.Mail.Send(ctx, a.invitationMail(user, link))
	}
	if err := a.noteInvitation(ctx, user.ID, failed); err != nil {
		return blueberry.JobOutcome{}, err
	}
	if failed != nil {
		return blueberry.JobOutcome{}, errors.New("send invitation: " + trouble(failed))
	}
	return blueberry.JobOutcome{}, nil
}

func (a *Accounts) noteInvitation(ctx context.Context, userID string, failed error) error {
	err := a.update(ctx, func(tx Tx) error {
		user, err := tx.User(ctx, userID)
		if isNotFound(err) || err == nil && user.Status != blueberry.UserPending {
			return nil // came in meanwhile: the mail cannot have failed
		}
		if err != nil {
			return err
		}
		user.Invitation = blueberry.Invitation{State: blueberry.InvitationSent, SentAt: a.Now()}
		if failed != nil {
			user.Invitation = blueberry.Invitation{State: blueberry.InvitationFailed, Error: trouble(failed)}
		}
		return tx.UpdateUser(ctx, user)
	})
	return doing("note how an invitation went", err)
}

func (a *Accounts) invitationMail(user blueberry.User, link string) Mail {
	return Mail{
		To: []string{user.Email}, Subject: "You are invited to Blueberry",
		Text: fmt.Sprintf("You are invited to Blueberry at %s.\n\nChoose how you sign in, within %d days:\n\n%s\n\nThe link works once and is for you alone. "+
			"If you did not expect this mail, there is nothing to do.\n", a.PublicURL, int(blueberry.InvitationLife.Hours()/24), link),
	}
}
