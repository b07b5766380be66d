package access

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// RotateToken gives a token another secret. The one before works until the overlap has passed (0: 24 hours), and never longer than it would have; the one
// before that not at all. The token then lives for the time given (0: as long as before), and by a token no longer than that one. Only who could make the
// token gets its secret.
func (a *Accounts) RotateToken(ctx context.Context, actor blueberry.Actor, id string, overlap, life time.Duration) (MadeToken, error) {
	if err := mayMake(actor); err != nil {
		return MadeToken{}, err
	}
	secret, sum := NewSecret(TokenPrefix)
	var t blueberry.APIToken
	err := a.update(ctx, func(tx Tx) error {
		was, err := tokenFor(ctx, tx, actor, id, forWriting())
		if err != nil {
			return err
		}
		if err := mayRotate(ctx, tx, actor, was); err != nil {
			return err
		}
		var f blueberry.Faults
		checkLife(&f, "overlap_hours", overlap, maxOverlap)
		checkLife(&f, "days", life, blueberry.MaxTokenLife)
		if err := f.Err(); err != nil {
			return err
		}
		now := a.Now()
		if !was.RevokedAt.IsZero() || was.Expired(now) {
			return blueberry.Errorf(blueberry.Conflict, "API_TOKEN_ENDED", "the API token %s has ended: make another one", was.Name)
		}
		project, err := tokenProject(ctx, tx, was)
		if err != nil {
			return err
		}
		t = rotated(actor, was, now, overlap, life)
		t.Hash, t.Hint = sum, hint(secret)
		if err := tx.UpdateToken(ctx, t); err != nil {
			return err
		}
		t.Version++
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantTokensWrite), resource: t.ID, project: project, detail: fmt.Sprintf("%s rotated API token %s", actor.Name, t.Name),
			before: map[string]any{"expires_at": was.ExpiresAt}, after: map[string]any{"expires_at": t.ExpiresAt, "previous_until": t.PreviousUntil},
		})
	})
	if err != nil {
		return MadeToken{}, err
	}
	return MadeToken{Token: t, Secret: secret}, nil
}

// mayRotate refuses to tell a secret to who could not have made the token.
func mayRotate(ctx context.Context, tx Tx, actor blueberry.Actor, t blueberry.APIToken) error {
	switch {
	case t.UserID == "" && t.ServiceID == "":
		return blueberry.Errorf(blueberry.Conflict, "API_TOKEN_OF_FILE", "the installation's own token is replaced by removing its file and starting again, then revoking this one")
	case actor.Credential == t.ID:
		return nil
	case t.UserID != "" && t.UserID != actor.UserID:
		return blueberry.Errorf(blueberry.Forbidden, "API_TOKEN_OF_ANOTHER", "the API token %s is of another user: only they can rotate it", t.Name)
	case t.ServiceID != "" && actor.Emergency != "":
		return mayMakeOwners(actor)
	}
	return mayHold(ctx, tx, actor, t)
}

func rotated(actor blueberry.Actor, t blueberry.APIToken, now time.Time, overlap, life time.Duration) blueberry.APIToken {
	if overlap == 0 {
		overlap = defaultOverlap
	}
	if life == 0 {
		began := t.CreatedAt
		if !t.RotatedAt.IsZero() {
			began = t.RotatedAt
		}
		life = min(t.ExpiresAt.Sub(began), blueberry.MaxTokenLife)
	}
	t.PreviousHash, t.PreviousUntil, t.RotatedAt = t.Hash, earliest(now.Add(overlap), t.ExpiresAt), now
	t.ExpiresAt, t.Warned = endOf(actor, now, life), 0
	return t
}
