package notify

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Test tells a subscription of an event that is none, now and once, also while it is off or quiet, and gives the notice with its attempt.
func (s *Subscriptions) Test(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Notice, error) {
	sub, err := view(ctx, s, func(tx Tx) (blueberry.Subscription, error) {
		return subscriptionFor(ctx, tx, actor, id, blueberry.GrantSubscriptionsWrite)
	})
	if err != nil {
		return blueberry.Notice{}, err
	}
	return s.test(ctx, actor, sub)
}

func (s *Subscriptions) test(ctx context.Context, actor blueberry.Actor, sub blueberry.Subscription) (blueberry.Notice, error) {
	now := s.Now()
	n := blueberry.NewNotice(sub, blueberry.Event{
		ID: blueberry.NewID(blueberry.EventID, now), Type: blueberry.SubscriptionTested, Project: projectOf(sub), Actor: actor.Name, At: now,
		Message: fmt.Sprintf("%s tests subscription %s", actor.Name, sub.Name),
	}, now)
	a, r, err := s.try(ctx, sub, n.Event)
	if err != nil {
		return n, err
	}
	n.ExpiresAt = now // one attempt is all there is
	n = n.After(a, r)
	outcome := "it was delivered"
	if !r.OK() {
		outcome = r.Why()
	}
	return n, s.Record.Update(ctx, func(tx Tx) error {
		if err := tx.InsertNotices(ctx, []blueberry.Notice{n}); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			Actor: actor, Action: string(blueberry.GrantSubscriptionsWrite), Resource: sub.ID, Project: projectOf(sub), At: now,
			Detail: fmt.Sprintf("%s tested subscription %s: %s", actor.Name, sub.Name, outcome),
		})
	})
}
