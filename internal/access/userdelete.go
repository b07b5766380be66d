package access

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// DeleteUser removes an account that nobody has ever signed in to. One with a history is Conflict: it is made inactive instead.
func (a *Accounts) DeleteUser(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error {
	return a.update(ctx, func(tx Tx) error {
		user, err := a.userFor(ctx, tx, actor, id, blueberry.GrantUsersWrite)
		if err != nil {
			return err
		}
		if user.Owner || user.BreakGlass {
			if err := actor.Can(blueberry.GrantAll); err != nil {
				return err
			}
		}
		if err := checkVersion("user "+user.Email, user.Version, ifVersion); err != nil {
			return err
		}
		awaited := user.Invitation.State != blueberry.InvitationNone && user.Invitation.State != blueberry.InvitationAccepted
		if user.Status == blueberry.UserActive || !awaited || !user.LastSeenAt.IsZero() {
			return blueberry.Errorf(blueberry.Conflict, "USER_HAS_HISTORY", "%s has been here: make the account inactive instead", user.Email)
		}
		if err := tx.DeleteUser(ctx, user.ID, user.Version); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantUsersWrite), resource: user.ID, detail: fmt.Sprintf("%s removed %s, who had never come in", actor.Name, user.Email),
			before: userFields(user),
		})
	})
}
