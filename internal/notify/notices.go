package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Notices reads one page, the newest first. An empty project means all that the actor may see.
func (s *Subscriptions) Notices(ctx context.Context, actor blueberry.Actor, project string, q blueberry.NoticeQuery) ([]blueberry.Notice, error) {
	in, err := within(actor, project, blueberry.GrantNoticesRead)
	if err != nil {
		return nil, err
	}
	q.Projects = in
	return view(ctx, s, func(tx Tx) ([]blueberry.Notice, error) { return tx.Notices(ctx, q) })
}

// Notice reads one, with its attempts.
func (s *Subscriptions) Notice(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Notice, error) {
	n, err := view(ctx, s, func(tx Tx) (blueberry.Notice, error) {
		return noticeFor(ctx, tx, actor, id, blueberry.GrantNoticesRead)
	})
	return seenBy(actor, n), err
}

// seenBy is a notice as an actor may see it.
func seenBy(actor blueberry.Actor, n blueberry.Notice) blueberry.Notice {
	if id, err := self(actor); err == nil && id == n.Project {
		return asSeen(actor, n)
	}
	return n
}

func noticeFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, g blueberry.Grant) (blueberry.Notice, error) {
	n, err := tx.Notice(ctx, id)
	if err != nil {
		return blueberry.Notice{}, err
	}
	if id, err := self(actor); err == nil && id == n.Project {
		return n, nil // what they were told themselves
	}
	if err := allowed(actor, n.Project, g, blueberry.Errorf(blueberry.NotFound, "NOTICE_NOT_FOUND", "there is no notice %q", id)); err != nil {
		return blueberry.Notice{}, err
	}
	return n, nil
}

// Redrive has a notice that is dead or was delivered sent once more, under the same id. Conflict while it waits, and while its subscription is off.
func (s *Subscriptions) Redrive(ctx context.Context, actor blueberry.Actor, id string) (out blueberry.Notice, err error) {
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			n, err := noticeFor(ctx, tx, actor, id, blueberry.GrantNoticesRedrive)
			if err != nil {
				return err
			}
			if n.State == blueberry.NoticeWaiting {
				return blueberry.Errorf(blueberry.Conflict, "NOTICE_WAITING", "notice %s has not been given up: it waits for its next attempt", n.ID)
			}
			sub, err := tx.Subscription(ctx, n.SubscriptionID)
			if err != nil {
				return err
			}
			if err := isOn(sub); err != nil {
				return err
			}
			if err := s.wake(ctx, tx, sub); err != nil {
				return err
			}
			n = n.Redriven(s.Now())
			if err := tx.UpdateNotice(ctx, n); err != nil {
				return err
			}
			n.Version++
			out = seenBy(actor, n)
			return s.redriven(ctx, tx, actor, sub, n.ID, fmt.Sprintf("%s had notice %s of subscription %s sent again", actor.Name, n.ID, sub.Name))
		})
	})
	return out, err
}

// RedriveDead has every dead notice of a subscription sent once more, and tells how many. Conflict while it is off.
func (s *Subscriptions) RedriveDead(ctx context.Context, actor blueberry.Actor, id string) (count int, err error) {
	err = s.Record.Update(ctx, func(tx Tx) error {
		sub, err := subscriptionFor(ctx, tx, actor, id, blueberry.GrantNoticesRedrive)
		if err != nil {
			return err
		}
		if err := isOn(sub); err != nil {
			return err
		}
		if err := s.wake(ctx, tx, sub); err != nil {
			return err
		}
		now := s.Now()
		count, err = tx.RedriveNotices(ctx, id, now, now.Add(blueberry.NoticeLife))
		if err != nil || count == 0 {
			return err
		}
		return s.redriven(ctx, tx, actor, sub, sub.ID, fmt.Sprintf("%s had %d dead notices of subscription %s sent again", actor.Name, count, sub.Name))
	})
	return count, err
}

func isOn(sub blueberry.Subscription) error {
	if sub.Off {
		return blueberry.Errorf(blueberry.Conflict, "SUBSCRIPTION_OFF", "subscription %s is off: nothing is sent", sub.Name)
	}
	return nil
}

// wake has a subscription looked at, at once: who redrives believes that the receiver is back. It comes before notices are written, as with all who write both.
func (s *Subscriptions) wake(ctx context.Context, tx Tx, sub blueberry.Subscription) error {
	sub.Health.RestUntil = time.Time{}
	if err := tx.PutSubscriptionHealth(ctx, sub.ID, sub.Health); err != nil {
		return err
	}
	return tx.Enqueue(ctx, blueberry.JobNoticeSend, sub.ID)
}

func (s *Subscriptions) redriven(ctx context.Context, tx Tx, actor blueberry.Actor, sub blueberry.Subscription, resource, detail string) error {
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(blueberry.GrantNoticesRedrive), Resource: resource, Project: projectOf(sub), Detail: detail, At: s.Now(),
	})
}
