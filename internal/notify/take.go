package notify

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Take makes the notices of events: one for each subscription that wants it, be it of a project or of the person whose environment it is. Whoever follows the
// events calls it in the transaction that also notes how far they came, so that each event is taken once.
func (s *Subscriptions) Take(ctx context.Context, tx Tx, events []blueberry.Event) error {
	subs, err := tx.LiveSubscriptions(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	var notices []blueberry.Notice
	var told []string
	for _, sub := range subs {
		before := len(notices)
		for _, e := range events {
			if sub.Wants(e) {
				notices = append(notices, blueberry.NewNotice(sub, e, now))
			}
		}
		if len(notices) > before {
			told = append(told, sub.ID)
		}
	}
	people, err := personalWishes(ctx, tx, events)
	if err != nil {
		return err
	}
	for _, w := range people {
		before := len(notices)
		for _, e := range events {
			if w.Wants(e) {
				notices = append(notices, blueberry.NewNotice(w.Subscription, e, now))
			}
		}
		if len(notices) > before {
			told = append(told, w.Subscription.ID)
		}
	}
	if err := tx.InsertNotices(ctx, notices); err != nil {
		return err
	}
	for _, id := range told {
		if err := tx.Enqueue(ctx, blueberry.JobNoticeSend, id); err != nil {
			return err
		}
	}
	return nil
}
