package app

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/notify/chat"
	"github.com/blueberry-idp/blueberry/internal/notify/queue"
	"github.com/blueberry-idp/blueberry/internal/notify/webhook"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// openSubscriptions makes the operations on who is told of events.
func (s *Server) openSubscriptions() {
	out := &notify.Outbound{AllowLocal: s.Config.AllowLocalNotifications}
	sqs := queue.SQS{Outbound: out}
	if s.Config.LendAWSIdentity {
		sqs.Own = &queue.Own{}
	}
	s.subscriptions = &notify.Subscriptions{
		Record: narrow(s.store, func(tx *store.Tx) notify.Tx { return tx }), Seal: s.rights.keyset, People: s.rights.gate,
		Senders: map[blueberry.SubscriptionKind]notify.Sender{
			blueberry.SubscriptionWebhook: webhook.Sender{Outbound: out}, blueberry.SubscriptionSlack: chat.Slack{Outbound: out}, blueberry.SubscriptionTeams: chat.Teams{Outbound: out},
			blueberry.SubscriptionDiscord: chat.Discord{Outbound: out}, blueberry.SubscriptionPagerDuty: chat.PagerDuty{Outbound: out},
			blueberry.SubscriptionSQS: sqs, blueberry.SubscriptionPubSub: queue.PubSub{Outbound: out}, blueberry.SubscriptionNATS: queue.NATS{Outbound: out},
		},
		PublicURL: s.publicURL(), AllowLocal: s.Config.AllowLocalNotifications, LendAWS: s.Config.LendAWSIdentity, AtOnce: max(s.Config.Workers/4, 1), Now: time.Now,
	}
	if s.rights.mail != nil {
		s.subscriptions.Senders[blueberry.SubscriptionMail] = notify.ByMail{Mailer: s.rights.mail, Logger: s.Logger}
	}
}

// takeNotices makes notices of events, until ctx ends.
func (s *Server) takeNotices(ctx context.Context) error {
	return s.follow(ctx, "notify", func(ctx context.Context, tx *store.Tx, events []blueberry.Event) error {
		return s.subscriptions.Take(ctx, tx, events)
	})
}

// purgeNotices is for a rule, which is listed before the operations are there.
func (s *Server) purgeNotices(ctx context.Context) (int, string, error) {
	return s.subscriptions.Purge(ctx)
}
