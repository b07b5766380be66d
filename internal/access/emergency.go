package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// EmergencyWish asks for the power of an owner for a short time.
type EmergencyWish struct {
	Reason  string
	Minutes int              // at most 60; 0 means 60
	Found   blueberry.Faults // what was wrong with the request before it came here
}

// OpenEmergency gives a user the power of an owner for a short time. The reason is before everyone's eyes: in the audit, in an event and in a mail to every
// active user. It is for the person: API tokens of theirs do not gain by it, and what it gives cannot be given on for good.
func (a *Accounts) OpenEmergency(ctx context.Context, actor blueberry.Actor, r EmergencyWish) (blueberry.Emergency, error) {
	if err := actor.Can(blueberry.GrantEmergenciesOpen); err != nil {
		return blueberry.Emergency{}, err
	}
	if err := NeedPerson(actor); err != nil {
		return blueberry.Emergency{}, err
	}
	reason, life := strings.TrimSpace(r.Reason), time.Duration(r.Minutes)*time.Minute
	if r.Minutes == 0 {
		life = blueberry.MaxEmergency
	}
	if err := checkEmergency(r, reason, life); err != nil {
		return blueberry.Emergency{}, err
	}
	now := a.Now()
	e := blueberry.Emergency{ID: blueberry.NewID(blueberry.EmergencyID, now), UserID: actor.UserID, Reason: reason, OpenedAt: now, EndsAt: now.Add(life)}
	err := a.Record.Update(ctx, func(tx Tx) error {
		if err := tx.BumpAccessEpoch(ctx); err != nil { // first: of two at once the second waits here, and sees that one is open
			return err
		}
		user, err := tx.User(ctx, actor.UserID)
		if err != nil {
			return err
		}
		if !user.BreakGlass {
			return blueberry.Errorf(blueberry.Conflict, "EMERGENCY_NOT_NEEDED", "%s is an owner, or not among those who may break the glass: it would give nothing", user.Email)
		}
		open, err := tx.OpenEmergency(ctx, user.ID, now)
		if err == nil {
			return blueberry.Errorf(blueberry.Conflict, "EMERGENCY_OPEN", "an emergency is open already, until %s", open.EndsAt.UTC().Format(time.RFC3339))
		}
		if !isNotFound(err) {
			return err
		}
		if err := tx.InsertEmergency(ctx, e); err != nil {
			return err
		}
		c := change{
			action: string(blueberry.GrantEmergenciesOpen), resource: e.ID,
			detail: fmt.Sprintf("%s took the power of an owner for %d minutes: %s", user.Email, int(life.Minutes()), reason),
			after:  map[string]any{"reason": reason, "ends_at": e.EndsAt},
		}
		return a.announce(ctx, tx, actor, blueberry.EmergencyOpened, c)
	})
	if err != nil {
		return blueberry.Emergency{}, err
	}
	return e, nil
}

func checkEmergency(r EmergencyWish, reason string, life time.Duration) error {
	f := slices.Clone(r.Found)
	if n := utf8.RuneCountInString(reason); n < blueberry.MinReason {
		f.Add("reason", "too_short", "has %d characters, at least %d are needed: everyone will read it", n, blueberry.MinReason)
	}
	f.CheckText("reason", reason, blueberry.MaxDescription)
	if life < time.Minute || life > blueberry.MaxEmergency {
		f.Add("minutes", "range", "must be 1 to %d", int(blueberry.MaxEmergency.Minutes()))
	}
	return f.Err()
}

// announce notes an emergency that was opened or closed in audit and events, and has the mails sent for one that was opened. The epoch was moved before.
func (a *Accounts) announce(ctx context.Context, tx Tx, actor blueberry.Actor, event blueberry.EventType, c change) error {
	if err := a.tell(ctx, tx, actor, event, c); err != nil {
		return err
	}
	if event == blueberry.EmergencyOpened {
		if err := tx.Enqueue(ctx, blueberry.JobEmergencyTell, c.resource); err != nil {
			return err
		}
	}
	return a.note(ctx, tx, actor, c)
}

// CloseEmergency ends an emergency early: one's own, or, as an owner, anyone's.
func (a *Accounts) CloseEmergency(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Emergency, error) {
	var e blueberry.Emergency
	err := a.Record.Update(ctx, func(tx Tx) (err error) {
		if err := tx.BumpAccessEpoch(ctx); err != nil {
			return err
		}
		missing := blueberry.Errorf(blueberry.NotFound, "EMERGENCY_NOT_FOUND", "there is no emergency %q", id)
		if e, err = tx.Emergency(ctx, id); isNotFound(err) {
			return missing
		} else if err != nil {
			return err
		}
		if own := IsPerson(actor) && actor.UserID == e.UserID; !own {
			lacking := actor.Can(blueberry.GrantAll)
			if lacking != nil && actor.Can(blueberry.GrantEmergenciesRead) != nil {
				return blueberry.Hidden(missing, blueberry.GrantEmergenciesRead)
			}
			if lacking != nil {
				return lacking
			}
		}
		now := a.Now()
		if !e.Open(now) {
			return blueberry.Errorf(blueberry.Conflict, "EMERGENCY_ENDED", "the emergency has ended already")
		}
		if err := tx.CloseEmergency(ctx, id, now); err != nil {
			return err
		}
		e.ClosedAt = now
		user, err := tx.User(ctx, e.UserID)
		if err != nil {
			return err
		}
		c := change{
			action: string(blueberry.GrantEmergenciesOpen), resource: id, detail: fmt.Sprintf("%s ended the emergency of %s", actor.Name, user.Email),
			before: map[string]any{"ends_at": e.EndsAt}, after: map[string]any{"closed_at": now},
		}
		return a.announce(ctx, tx, actor, blueberry.EmergencyClosed, c)
	})
	if err != nil {
		return blueberry.Emergency{}, err
	}
	return e, nil
}

// Emergencies reads one page, newest first.
func (a *Accounts) Emergencies(ctx context.Context, actor blueberry.Actor, before string, limit int) (out []blueberry.Emergency, err error) {
	if err := actor.Can(blueberry.GrantEmergenciesRead); err != nil {
		return nil, err
	}
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		out, err = tx.Emergencies(ctx, before, pageLimit(limit))
		return err
	})
	return out, err
}

// TellEmergency works on jobs of kind emergency.tell: it writes to every active user. When a mail fails the others are sent nevertheless, and the job runs
// again: someone told twice is better than someone not told.
func (a *Accounts) TellEmergency(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	if a.Mail == nil {
		return blueberry.JobOutcome{}, nil
	}
	var e blueberry.Emergency
	var who blueberry.User
	err := a.Record.View(ctx, func(tx Tx) (err error) {
		if e, err = tx.Emergency(ctx, job.Subject); err != nil {
			return err
		}
		who, err = tx.User(ctx, e.UserID)
		return err
	})
	if err != nil {
		return blueberry.JobOutcome{}, doing("read the emergency", err)
	}
	text := fmt.Sprintf("%s took the power of an owner of Blueberry at %s, from %s until %s.\n\nThe reason given: %s\n\nIf that is a surprise, end it and ask.\n", who.Email,
		a.PublicURL, e.OpenedAt.UTC().Format(time.RFC1123), e.EndsAt.UTC().Format(time.RFC1123), e.Reason)
	var failed error
	err = a.everyActive(ctx, func(u blueberry.User) {
		m := Mail{To: []string{u.Email}, Subject: "Emergency access to Blueberry was taken", Text: text}
		if err := a.Mail.Send(ctx, m); err != nil {
			failed = errors.New("send news of an emergency: " + trouble(err))
		}
	})
	return blueberry.JobOutcome{}, errors.Join(err, failed)
}

// everyActive calls f for each active user, page by page.
func (a *Accounts) everyActive(ctx context.Context, f func(blueberry.User)) error {
	q := blueberry.UserQuery{Status: blueberry.UserActive, Limit: blueberry.MaxPageSize}
	for {
		var page blueberry.UserPage
		err := a.Record.View(ctx, func(tx Tx) (err error) {
			page, err = tx.ListUsers(ctx, q)
			return err
		})
		if err != nil {
			return doing("read active users", err)
		}
		for _, u := range page.Items {
			if err := ctx.Err(); err != nil {
				return err
			}
			f(u)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}
