package access

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ResetLink lets a user choose a new password.
type ResetLink struct {
	URL       string
	ExpiresAt time.Time
}

// ResetUser helps one who cannot come in any more: password, authenticator and recovery codes are gone at once, sessions and OAuth tokens end, and the link lets the person
// choose a new password. Passkeys and identity providers stay. The link opens the account, so only who holds all that the user does can have it made.
func (a *Accounts) ResetUser(ctx context.Context, actor blueberry.Actor, id string) (ResetLink, error) {
	var out ResetLink
	err := a.update(ctx, func(tx Tx) error {
		user, err := a.userFor(ctx, tx, actor, id, blueberry.GrantUsersWrite)
		if err != nil {
			return err
		}
		if err := mayActAs(ctx, tx, actor, user); err != nil {
			return err
		}
		if user.Status != blueberry.UserActive {
			return blueberry.Errorf(blueberry.Conflict, "USER_NOT_ACTIVE", "%s is not active: there is no password to reset", user.Email)
		}
		c, err := tx.Credentials(ctx, user.ID)
		if err != nil {
			return err
		}
		if c.Version != 0 {
			if err := tx.PutCredentials(ctx, blueberry.Credentials{UserID: user.ID, TOTPStep: c.TOTPStep, Version: c.Version}); err != nil {
				return err
			}
		}
		if out.URL, out.ExpiresAt, err = a.newLink(ctx, tx, blueberry.LinkReset, user.ID, blueberry.ResetLife); err != nil {
			return err
		}
		if err := a.endSignIns(ctx, tx, actor, user.ID); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantUsersWrite), resource: user.ID, detail: fmt.Sprintf("%s reset how %s signs in", actor.Name, user.Email),
			before: map[string]any{"password": c.Password != "", "second_factor": c.SecondFactor()},
			after:  map[string]any{"password": false, "second_factor": false},
		})
	})
	if err != nil {
		return ResetLink{}, err
	}
	return out, nil
}
