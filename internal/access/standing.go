package access

import (
	"context"
	"errors"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Standing tells what an actor who proved themselves some time ago may do now: for what was begun in their name and is done later, by a link or a job. Forbidden
// when their account or token has ended. The server itself, and an OAuth client that acts for nobody, are what they were.
func (g *Gate) Standing(ctx context.Context, actor blueberry.Actor) (now blueberry.Actor, err error) {
	err = g.Record.View(ctx, func(tx Tx) (err error) {
		now, err = g.standing(ctx, tx, actor)
		return err
	})
	if isNotFound(err) || errors.Is(err, blueberry.Unauthenticated) {
		err = blueberry.Errorf(blueberry.Forbidden, "ACTOR_ENDED", "%s has no access any more", actor.Name)
	}
	return now, err
}

func (g *Gate) standing(ctx context.Context, tx Tx, actor blueberry.Actor) (blueberry.Actor, error) {
	switch {
	case actor.Kind == blueberry.ActorToken:
		t, err := tx.Token(ctx, actor.ID)
		if err != nil {
			return actor, err
		}
		if !t.RevokedAt.IsZero() || t.Expired(g.Now()) {
			return actor, unknown()
		}
		return tokenActor(ctx, tx, t)
	case actor.UserID != "":
		now, _, err := person(ctx, tx, actor.UserID, g.Now())
		return now, err
	}
	return actor, nil
}
