package access

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Lives of API tokens that nobody asked otherwise for.
const (
	defaultTokenLife = 90 * 24 * time.Hour
	defaultOverlap   = 24 * time.Hour
	maxOverlap       = 7 * 24 * time.Hour
)

// MadeToken is a token with its secret, which is told only here.
type MadeToken struct {
	Token  blueberry.APIToken
	Secret string
}

// Token reads a token. One's own need no grant.
func (a *Accounts) Token(ctx context.Context, actor blueberry.Actor, id string) (t blueberry.APIToken, err error) {
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		t, err = tokenFor(ctx, tx, actor, id, forReading())
		return err
	})
	return t, err
}

// tokenUse is what somebody wants of a token, with the grants that it takes.
type tokenUse struct{ others, services blueberry.Grant }

func forReading() tokenUse {
	return tokenUse{blueberry.GrantTokensRead, blueberry.GrantServiceAccountsRead}
}

func forWriting() tokenUse {
	return tokenUse{blueberry.GrantTokensWrite, blueberry.GrantServiceAccountsWrite}
}

// tokenFor reads a token for who may use it so: its user, itself, who looks after its service account, who looks after all tokens. To others it is not there;
// who may read and not write it lacks the grant.
func tokenFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, use tokenUse) (blueberry.APIToken, error) {
	missing := blueberry.Errorf(blueberry.NotFound, "API_TOKEN_NOT_FOUND", "there is no API token %q", id)
	t, err := tx.Token(ctx, id)
	if isNotFound(err) {
		return t, missing
	}
	if err != nil {
		return t, err
	}
	lacking, err := lackingFor(ctx, tx, actor, t, use)
	if err != nil || lacking == nil {
		return t, err
	}
	if hidden, err := lackingFor(ctx, tx, actor, t, forReading()); err != nil {
		return blueberry.APIToken{}, err
	} else if hidden != nil {
		return blueberry.APIToken{}, blueberry.Hidden(missing, use.others)
	}
	return blueberry.APIToken{}, lacking
}

// lackingFor is the refusal to use a token; nil for none.
func lackingFor(ctx context.Context, tx Tx, actor blueberry.Actor, t blueberry.APIToken, use tokenUse) (lacking, err error) {
	if ownToken(actor, t) {
		return nil, nil
	}
	if t.ServiceID != "" {
		s, err := tx.ServiceAccount(ctx, t.ServiceID)
		if err == nil && actor.CanIn(s.Project, use.services) == nil {
			return nil, nil
		}
		if err != nil && !isNotFound(err) { // that of a service account that was removed stays readable for who reads all
			return nil, err
		}
	}
	return actor.Can(use.others), nil
}

// ownToken reports whether a token is the actor itself, or of the person who acts.
func ownToken(actor blueberry.Actor, t blueberry.APIToken) bool {
	return actor.Credential == t.ID || IsPerson(actor) && actor.UserID == t.UserID
}

// mayHold refuses a token that would let its holder do more than the actor may, now or later. A token is made by a person for themselves, by a token for its
// user within its own bounds, or for a service account by who holds all of it.
func mayHold(ctx context.Context, tx Tx, actor blueberry.Actor, t blueberry.APIToken) error {
	if t.ServiceID != "" {
		s, err := tx.ServiceAccount(ctx, t.ServiceID)
		if err != nil {
			return err
		}
		return mayGive(actor, blueberry.Actor{Projects: map[string][]blueberry.Grant{s.Project: t.Grants}})
	}
	user, err := tx.User(ctx, t.UserID)
	if err != nil {
		return err
	}
	if actor.Kind == blueberry.ActorToken {
		if err := withinToken(ctx, tx, actor, t); err != nil {
			return err
		}
	}
	if err := holdsAll(actor, t); err != nil || actor.Emergency == "" {
		return err
	}
	own, err := rights(ctx, tx, user) // what an emergency lends is not the user's to give on
	if err != nil {
		return err
	}
	return holdsAll(own, t)
}

// holdsAll refuses grants that an actor does not hold: in each of the projects that are named, or anywhere when none is.
func holdsAll(actor blueberry.Actor, t blueberry.APIToken) error {
	for _, g := range t.Grants {
		if len(t.Projects) == 0 {
			if err := actor.CanSomewhere(g); err != nil {
				return err
			}
		}
		for _, project := range t.Projects {
			if err := actor.CanIn(project, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// withinToken refuses what would outgrow the token that makes it once its user may do more.
func withinToken(ctx context.Context, tx Tx, actor blueberry.Actor, t blueberry.APIToken) error {
	maker, err := tx.Token(ctx, actor.Credential)
	if err != nil {
		return err
	}
	bound := blueberry.Actor{Name: actor.Name, Grants: maker.Grants}.Narrowed(maker.Grants, maker.Projects)
	if len(t.Projects) == 0 {
		return mayGive(bound, blueberry.Actor{Grants: t.Grants})
	}
	return holdsAll(bound, t)
}

// mayMake refuses who makes no tokens: a program to which a user gave some of their rights for a time would have them for good.
func mayMake(actor blueberry.Actor) error {
	if actor.Kind == blueberry.ActorClient && actor.UserID != "" && !IsPerson(actor) {
		return blueberry.Errorf(blueberry.Forbidden, "PERSON_NEEDED", "a program that acts for %s by OAuth makes no API tokens", actor.Name)
	}
	return nil
}

// endOf is when a token ends that an actor makes: one that a token makes ends no later than it.
func endOf(actor blueberry.Actor, now time.Time, life time.Duration) time.Time {
	end := now.Add(life)
	if actor.Kind == blueberry.ActorToken {
		end = earliest(end, actor.Until)
	}
	return end
}

// checkLife notes a life that a token cannot have; 0 stands for another one.
func checkLife(f *blueberry.Faults, field string, life, limit time.Duration) {
	if life < 0 || life > limit {
		f.Add(field, "range", "must be at most %d days", int(limit.Hours()/24))
	}
}

// tokenFields is what the audit tells of a token: nothing of its secret.
func tokenFields(t blueberry.APIToken) map[string]any {
	out := map[string]any{"name": t.Name, "grants": t.Grants, "projects": t.Projects, "expires_at": t.ExpiresAt}
	if t.ServiceID != "" {
		out["service_account_id"] = t.ServiceID
	}
	return out
}

// Tokens reads one page of tokens, newest first: one's own for no user, those of all for "*", those of a service account.
func (a *Accounts) Tokens(ctx context.Context, actor blueberry.Actor, q blueberry.APITokenQuery) (out []blueberry.APIToken, err error) {
	q.Now, q.Limit = a.Now(), pageLimit(q.Limit)
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		if q.ServiceID != "" {
			if _, err := serviceFor(ctx, tx, actor, q.ServiceID, blueberry.GrantServiceAccountsRead); err != nil {
				return err
			}
			q.UserID = ""
			out, err = tx.ListTokens(ctx, q)
			return err
		}
		if q.UserID == "" && actor.Kind == blueberry.ActorToken && actor.Can(blueberry.GrantTokensRead) != nil {
			out, err = itself(ctx, tx, actor, q.Before) // it is no business of a token what else its user has
			return err
		}
		if q, err = ofWhom(actor, q); err != nil {
			return err
		}
		out, err = tx.ListTokens(ctx, q)
		return err
	})
	return out, err
}

func itself(ctx context.Context, tx Tx, actor blueberry.Actor, before string) ([]blueberry.APIToken, error) {
	t, err := tx.Token(ctx, actor.Credential)
	if err != nil || before != "" && t.ID >= before {
		return nil, err
	}
	return []blueberry.APIToken{t}, nil
}

// ofWhom turns what was asked for into what the record takes, for who may read it.
func ofWhom(actor blueberry.Actor, q blueberry.APITokenQuery) (blueberry.APITokenQuery, error) {
	if q.UserID == "" {
		q.UserID = actor.UserID
	}
	if q.UserID != "" && q.UserID == actor.UserID && IsPerson(actor) {
		return q, nil
	}
	if q.UserID == "*" {
		q.UserID = ""
	}
	return q, actor.Can(blueberry.GrantTokensRead)
}

// RevokeToken ends a token, at once and for good.
func (a *Accounts) RevokeToken(ctx context.Context, actor blueberry.Actor, id string) error {
	return a.update(ctx, func(tx Tx) error {
		t, err := tokenFor(ctx, tx, actor, id, forWriting())
		if err != nil || !t.RevokedAt.IsZero() {
			return err
		}
		if t.UserID == "" && t.ServiceID == "" {
			if err := actor.Can(blueberry.GrantAll); err != nil { // the installation's own
				return err
			}
		}
		project, err := tokenProject(ctx, tx, t)
		if err != nil {
			return err
		}
		t.RevokedAt, t.RevokedBy = a.Now(), actor.Name
		if err := tx.UpdateToken(ctx, t); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantTokensWrite), resource: t.ID, project: project, detail: fmt.Sprintf("%s revoked API token %s", actor.Name, t.Name),
			before: tokenFields(t), after: map[string]any{"revoked_at": t.RevokedAt},
		})
	})
}

// tokenProject is the project to which a token belongs: that of its service account; none for those of users.
func tokenProject(ctx context.Context, tx Tx, t blueberry.APIToken) (string, error) {
	if t.ServiceID == "" {
		return "", nil
	}
	s, err := tx.ServiceAccount(ctx, t.ServiceID)
	if isNotFound(err) {
		return "", nil
	}
	return s.Project, err
}
