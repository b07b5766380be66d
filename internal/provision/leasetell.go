package provision

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Mailer sends mail. An error of it may be shown to admins, so it holds no password.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Mail is one message, as plain text.
type Mail struct {
	To      []string
	Subject string
	Text    string
}

// Owners knows what owners want to be told.
type Owners interface {
	// LeaseMail tells whether an owner is to be told by mail that the lease of an environment in a project ends, and not before when; zero for at once.
	LeaseMail(ctx context.Context, owner, project string) (wanted bool, notBefore time.Time, err error)
}

// linkHours is by how much the link in a warning extends a lease.
const linkHours = 24

// SendLeaseWarning is the worker of environment.lease_tell: it tells the owner of an environment by mail that its lease ends soon, with a link that extends
// it. Without a mail server, or an owner with an address, it does nothing; the event told it already.
func (p *Provisioner) SendLeaseWarning(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	if p.Mail == nil {
		return blueberry.JobOutcome{}, nil
	}
	wait, err := p.leaseMailWaits(ctx, job.Subject)
	if err != nil || wait != 0 {
		return blueberry.JobOutcome{Again: max(wait, 0)}, err
	}
	var m Mail
	err = p.Record.View(ctx, func(tx Tx) error {
		m = Mail{}
		e, err := tx.Environment(ctx, job.Subject)
		if err != nil {
			return err
		}
		if to := addressOf(e.Owner); to != "" && e.Lease.Warned != 0 && p.leaseLives(e) == nil {
			m, err = p.leaseMail(ctx, tx, e, to)
		}
		return err
	})
	if errors.Is(err, blueberry.NotFound) || err == nil && len(m.To) == 0 {
		return blueberry.JobOutcome{}, nil
	}
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	if err := p.Mail.Send(ctx, m); err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("send lease warning: %w", err)
	}
	return blueberry.JobOutcome{}, nil
}

// leaseMailWaits is how long the owner of an environment does not want to be disturbed; below zero when they do not want the mail at all. What would come too
// late then comes now.
func (p *Provisioner) leaseMailWaits(ctx context.Context, id string) (time.Duration, error) {
	if p.Owners == nil {
		return 0, nil
	}
	var e blueberry.Environment
	err := p.Record.View(ctx, func(tx Tx) (err error) {
		e, err = tx.Environment(ctx, id)
		return err
	})
	if errors.Is(err, blueberry.NotFound) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	wanted, notBefore, err := p.Owners.LeaseMail(ctx, e.Owner, e.Project)
	switch now := p.Now(); {
	case err != nil:
		return 0, fmt.Errorf("read what the owner wants to be told: %w", err)
	case !wanted:
		return -1, nil
	case notBefore.After(now) && notBefore.Before(e.Lease.ExpiresAt):
		return notBefore.Sub(now), nil
	}
	return 0, nil
}

// leaseMail writes the mail. Where the policies do not let the owner extend the lease, it has no link.
func (p *Provisioner) leaseMail(ctx context.Context, tx Tx, e blueberry.Environment, to string) (Mail, error) {
	left := leftText(e.Lease.ExpiresAt.Sub(p.Now()))
	text := fmt.Sprintf("The lease of environment %s of project %s ends in %s, at %s. Then it is removed, with its data.\n", e.Name, e.Project, left, endText(e.Lease))
	// The platform makes the link, and the owner acts by it: with no grants, so that no exception of a policy is theirs that is not known to be.
	link, err := p.extendLink(ctx, tx, blueberry.Actor{Kind: blueberry.ActorJob, ID: blueberry.System().ID, Name: e.Owner}, e, linkHours)
	switch {
	case err == nil:
		text += fmt.Sprintf("\nThis link extends it by %d hours. It works once, until the lease ends:\n%s\n", link.Hours, link.URL)
	case !errors.Is(err, blueberry.Conflict) && !errors.Is(err, blueberry.Forbidden):
		return Mail{}, err
	}
	return Mail{To: []string{to}, Subject: fmt.Sprintf("Environment %s ends in %s", e.Name, left), Text: text}, nil
}

// addressOf is the mail address that the name of an owner is; empty when it is none.
func addressOf(owner string) string {
	a, err := mail.ParseAddress(owner)
	if err != nil || a.Address != owner || strings.ContainsAny(owner, "\r\n,;<> ") {
		return ""
	}
	return owner
}
