package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// warnBatch is how many tokens are read at a time.
const warnBatch = 100

// WarnTokens has people warned of tokens that end soon: once for each of TokenWarnings. It is called every now and then, by any number of processes. When it
// fails for one token the others are warned of nevertheless.
func (a *Accounts) WarnTokens(ctx context.Context) error {
	now := a.Now()
	horizon := now.Add(time.Duration(blueberry.TokenWarnings()[0])*24*time.Hour + time.Microsecond) // the record counts in these, and wants "before"
	var failed error
	for after := ""; ; {
		var due []blueberry.APIToken
		err := a.Record.View(ctx, func(tx Tx) (err error) {
			due, err = tx.ExpiringTokens(ctx, horizon, after, warnBatch)
			return err
		})
		if err != nil {
			return errors.Join(failed, doing("read tokens that end soon", err))
		}
		for _, t := range due {
			after = t.ID
			if t.DueWarning(now) == 0 {
				continue
			}
			if err := a.warn(ctx, t.ID); err != nil {
				failed = errors.Join(failed, doing("warn of token "+t.ID, err))
			}
		}
		if len(due) < warnBatch {
			return failed
		}
	}
}

// warn marks the token and leaves the job together, so that each warning comes once.
func (a *Accounts) warn(ctx context.Context, id string) error {
	return a.update(ctx, func(tx Tx) error {
		t, err := tx.Token(ctx, id)
		if isNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		days := t.DueWarning(a.Now())
		if days == 0 {
			return nil // another process was quicker
		}
		t.Warned = days
		if err := tx.UpdateToken(ctx, t); err != nil {
			return err
		}
		project, err := tokenProject(ctx, tx, t)
		if err != nil {
			return err
		}
		message := fmt.Sprintf("API token %s ends %s", t.Name, t.ExpiresAt.UTC().Format(time.RFC3339))
		c := change{project: project, detail: message}
		if err := a.tell(ctx, tx, blueberry.System(), blueberry.TokenExpiring, c); err != nil {
			return err
		}
		return tx.Enqueue(ctx, blueberry.JobTokenWarn, t.ID)
	})
}

// SendTokenWarning works on jobs of kind api_token.warn: it writes to the token's user, or to the admins of its service account's project.
func (a *Accounts) SendTokenWarning(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	var t blueberry.APIToken
	var to []string
	label := ""
	err := a.Record.View(ctx, func(tx Tx) (err error) {
		if t, err = tx.Token(ctx, job.Subject); err != nil {
			return err
		}
		to, label, err = peopleOf(ctx, tx, t)
		return err
	})
	if isNotFound(err) {
		return blueberry.JobOutcome{}, nil
	}
	if err != nil {
		return blueberry.JobOutcome{}, doing("read whom to warn", err)
	}
	if a.Mail == nil || len(to) == 0 || t.Warned == 0 || !t.RevokedAt.IsZero() || t.Expired(a.Now()) {
		return blueberry.JobOutcome{}, nil // nobody to write to, or rotated or revoked meanwhile
	}
	text := fmt.Sprintf("The API token %q of %s (%s, ends in …%s) stops working at %s.\n\nRotate it before: %s\n",
		t.Name, label, t.ID, t.Hint, t.ExpiresAt.UTC().Format(time.RFC1123), a.PublicURL)
	for _, address := range to { // one mail each: who else is warned is nobody's business
		if err := a.Mail.Send(ctx, Mail{To: []string{address}, Subject: "An API token of Blueberry ends soon", Text: text}); err != nil {
			return blueberry.JobOutcome{}, errors.New("send token warning: " + trouble(err))
		}
	}
	return blueberry.JobOutcome{}, nil
}

func peopleOf(ctx context.Context, tx Tx, t blueberry.APIToken) (to []string, label string, err error) {
	if t.ServiceID == "" {
		user, err := tx.User(ctx, t.UserID)
		if err != nil || user.Status != blueberry.UserActive {
			return nil, "", err
		}
		return []string{user.Email}, user.Email, nil
	}
	s, err := tx.ServiceAccount(ctx, t.ServiceID)
	if err != nil {
		return nil, "", err
	}
	members, err := tx.Members(ctx, s.Project)
	for _, m := range members {
		if m.Role == blueberry.RoleAdmin && m.User.Status == blueberry.UserActive {
			to = append(to, m.User.Email)
		}
	}
	return to, serviceLabel(s), err
}
