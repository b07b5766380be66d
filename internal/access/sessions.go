package access

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Sessions reads live sessions, newest first: of a user by id or address, of oneself (empty) or of all ("*"). People see their own; the rest takes a grant.
func (a *Accounts) Sessions(ctx context.Context, actor blueberry.Actor, userID, before string, limit int) (out []blueberry.Session, err error) {
	err = a.Record.View(ctx, func(tx Tx) error {
		whose := ""
		if userID == "*" {
			if err := actor.Can(blueberry.GrantSessionsRead); err != nil {
				return err
			}
		} else {
			user, err := whoseSessions(ctx, tx, actor, userID, blueberry.GrantSessionsRead)
			if err != nil {
				return err
			}
			whose = user.ID
		}
		out, err = tx.SessionsOf(ctx, whose, a.Now(), before, pageLimit(limit))
		return err
	})
	return out, err
}

// whoseSessions is the user whose sessions are meant, for who may do that with them.
func whoseSessions(ctx context.Context, tx Tx, actor blueberry.Actor, userID string, grant blueberry.Grant) (blueberry.User, error) {
	if userID == "" {
		if err := NeedPerson(actor); err != nil {
			return blueberry.User{}, err
		}
		userID = actor.UserID
	}
	if own := userID == actor.UserID || blueberry.NormalEmail(userID) == actor.Name; !own || !IsPerson(actor) {
		if err := actor.Can(grant); err != nil {
			return blueberry.User{}, err // the same for whoever is named, so that it tells nothing of them
		}
	}
	return userBy(ctx, tx, userID)
}

// RevokeSession ends a session, at once and everywhere. To who may not see it, it is not there.
func (a *Accounts) RevokeSession(ctx context.Context, actor blueberry.Actor, id string) error {
	return a.Record.Update(ctx, func(tx Tx) error {
		missing := blueberry.Errorf(blueberry.NotFound, "SESSION_NOT_FOUND", "there is no session %q", id)
		s, err := tx.Session(ctx, id)
		if isNotFound(err) {
			return missing
		}
		if err != nil {
			return err
		}
		if own := IsPerson(actor) && actor.UserID == s.UserID; !own {
			lacking := actor.Can(blueberry.GrantSessionsRevoke)
			if lacking != nil && actor.Can(blueberry.GrantSessionsRead) != nil {
				return blueberry.Hidden(missing, blueberry.GrantSessionsRevoke)
			}
			if lacking != nil {
				return lacking
			}
		}
		now := a.Now()
		if !s.Live(now) {
			return nil
		}
		if err := tx.RevokeSession(ctx, id, actor.Name, now); err != nil {
			return err
		}
		user, err := tx.User(ctx, s.UserID)
		if err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantSessionsRevoke), resource: id, detail: fmt.Sprintf("%s ended a session of %s", actor.Name, user.Email),
			before: map[string]any{"user_id": s.UserID, "method": s.Method, "address": s.Address},
		})
	})
}

// RevokeSessions ends the sessions of a user, by id or address, or of oneself (empty), and tells how many; not the one that the actor has, if they ask so.
func (a *Accounts) RevokeSessions(ctx context.Context, actor blueberry.Actor, userID string, exceptOwn bool) (n int, err error) {
	except := ""
	if exceptOwn {
		except = actor.Credential
	}
	err = a.Record.Update(ctx, func(tx Tx) error {
		user, err := whoseSessions(ctx, tx, actor, userID, blueberry.GrantSessionsRevoke)
		if err != nil {
			return err
		}
		if n, err = tx.RevokeSessions(ctx, user.ID, except, actor.Name, a.Now()); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantSessionsRevoke), resource: user.ID, detail: fmt.Sprintf("%s ended %d session(s) of %s", actor.Name, n, user.Email),
			after: map[string]any{"revoked": n},
		})
	})
	return n, err
}
