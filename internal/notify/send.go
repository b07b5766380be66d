package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What one run of the job does before it lets others have their turn.
const (
	noticesOfRun   = 100
	timeOfRun      = 30 * time.Second
	forPlace       = time.Second
	unboundedSends = 1 << 16
	deadToldEach   = time.Hour // how often it is told that notices of a subscription are dead
)

// SendNotices is the job that sends the notices of a subscription, its subject: one after the other, the earliest first, until none is due. After one that
// failed the receiver rests, so that one that is down takes no place from the others. A run that dies after it has sent sends once more, under the same id.
func (s *Subscriptions) SendNotices(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	select {
	case s.places() <- struct{}{}:
		defer func() { <-s.places() }()
	default: // receivers that are slow take no more workers than these from all other work
		return blueberry.JobOutcome{Again: forPlace}, nil
	}
	began := s.Now()
	for range noticesOfRun {
		sub, n, wait, err := s.next(ctx, job.Subject)
		if err != nil || n.ID == "" {
			return blueberry.JobOutcome{Again: wait}, err
		}
		gone, err := s.withhold(ctx, sub, n)
		if err != nil {
			return blueberry.JobOutcome{}, err
		}
		if gone {
			continue
		}
		if err := s.sendOne(ctx, sub, n); err != nil {
			return blueberry.JobOutcome{}, err
		}
		if s.Now().Sub(began) > timeOfRun {
			break
		}
	}
	return blueberry.JobOutcome{Again: time.Millisecond}, nil
}

// places bounds how many subscriptions are told of something at once.
func (s *Subscriptions) places() chan struct{} {
	s.once.Do(func() { s.sending = make(chan struct{}, cmp.Or(s.AtOnce, unboundedSends)) })
	return s.sending
}

// next is the notice of a subscription that is due. Without one, wait says when to look again; 0 for not before something happens.
func (s *Subscriptions) next(ctx context.Context, id string) (sub blueberry.Subscription, n blueberry.Notice, wait time.Duration, err error) {
	now := s.Now()
	err = s.Record.View(ctx, func(tx Tx) (err error) {
		n, wait = blueberry.Notice{}, 0
		if sub, err = tx.Subscription(ctx, id); err != nil || sub.Off {
			return err
		}
		found, err := tx.NextNotice(ctx, id)
		if err != nil {
			return err
		}
		from := found.NextAt
		for _, not := range []time.Time{sub.Quiet.Until(now), sub.Health.RestUntil} {
			if not.After(from) {
				from = not
			}
		}
		if from.After(now) {
			wait = max(from.Sub(now), time.Millisecond)
			return nil
		}
		n = found
		return nil
	})
	if errors.Is(err, blueberry.NotFound) { // the subscription is gone, or nothing waits
		err = nil
	}
	return sub, n, wait, err
}

func (s *Subscriptions) sendOne(ctx context.Context, sub blueberry.Subscription, n blueberry.Notice) error {
	a, r, err := s.try(ctx, sub, n.Event)
	if err != nil {
		return err
	}
	// When we were cut off, the receiver is not to blame: then this fails, too, and nothing is noted.
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error { return s.note(ctx, tx, sub.ID, n, a, r) })
	})
	if errors.Is(err, blueberry.NotFound) {
		return nil // it was removed meanwhile
	}
	return err
}

// try makes one attempt to tell a subscription of an event.
func (s *Subscriptions) try(ctx context.Context, sub blueberry.Subscription, e blueberry.Event) (a blueberry.NoticeAttempt, r blueberry.NoticeResult, err error) {
	sender, ok := s.Senders[sub.Kind]
	a.At = s.Now()
	if !ok {
		return a, blueberry.NoticeResult{Error: fmt.Sprintf("%s is not set up on this server", sub.Kind)}, nil
	}
	p := Parcel{ID: e.ID, At: a.At.Unix(), Event: e, Message: messageOf(e, s.PublicURL), Attributes: attributesOf(e, s.PublicURL)}
	if p.Address, err = s.address(sub); err != nil {
		return a, r, err
	}
	if id := sub.Personal(); id != "" && sub.Kind == blueberry.SubscriptionMail {
		person, why, err := s.reader(ctx, id, e.Project)
		if err != nil || why != "" {
			return a, blueberry.NoticeResult{Error: why, Refused: true}, err
		}
		p.Address.To = person.Name
	}
	secrets, err := s.secrets(sub)
	if err != nil {
		return a, r, err
	}
	for _, x := range secrets {
		p.Secrets = append(p.Secrets, x.Value)
	}
	if p.CloudEvent, err = cloudEventOf(e, s.PublicURL); err != nil {
		return a, r, err
	}
	r = sender.Send(ctx, p)
	a.Took = s.Now().Sub(a.At)
	return a, r, nil
}

// note writes down what came of an attempt. The subscription is written before the notice, as whoever removes one does.
func (s *Subscriptions) note(ctx context.Context, tx Tx, id string, n blueberry.Notice, a blueberry.NoticeAttempt, r blueberry.NoticeResult) error {
	sub, err := tx.Subscription(ctx, id)
	if err != nil {
		return err
	}
	at := a.At.Add(a.Took)
	after := n.After(a, r)
	failing := sub.Health
	if r.OK() {
		sub.Health = sub.Health.Delivered(at)
	} else {
		sub.Health = sub.Health.Failed(r, at)
	}
	tellDead := after.State == blueberry.NoticeDead && at.Sub(sub.Health.DeadToldAt) >= deadToldEach
	if tellDead {
		sub.Health.DeadToldAt = at
	}
	if r.Gone() && !sub.Off {
		sub.Off, sub.OffWhy, sub.UpdatedAt = true, "its receiver answered 410: it is gone", at
		if err := tx.UpdateSubscription(ctx, sub); err != nil {
			return err
		}
		off := fact{event: blueberry.SubscriptionSwitchedOff, message: fmt.Sprintf("%s was switched off: %s", labelOf(sub), sub.OffWhy)}
		if err := s.tell(ctx, tx, blueberry.System(), sub, off); err != nil {
			return err
		}
	} else if err := tx.PutSubscriptionHealth(ctx, id, sub.Health); err != nil {
		return err
	}
	if err := tx.UpdateNotice(ctx, after); err != nil {
		return err
	}
	if !r.OK() && !failing.FailingSince.IsZero() && at.Sub(failing.FailingSince) >= blueberry.NoticeLife {
		if _, err := tx.ExpireNotices(ctx, id, at); err != nil { // nothing has come through all the time that they had
			return err
		}
	}
	if !tellDead {
		return nil
	}
	message := fmt.Sprintf("%s could not be told of %s, and it is not tried again: %s", labelOf(sub), n.Event.Type, r.Why())
	return tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.NoticeDied, Project: projectOf(sub), Actor: blueberry.System().Name, Message: message, At: at})
}
