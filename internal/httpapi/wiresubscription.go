package httpapi

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// wireSubscription never tells an address or a secret.
func wireSubscription(s blueberry.Subscription) sdk.Subscription {
	h := s.Health
	return sdk.Subscription{
		ID: s.ID, Project: s.Project, Name: s.Name, Kind: string(s.Kind), Events: list(s.Events, same), Endpoint: s.Endpoint, Quiet: wireQuietHours(s.Quiet),
		Off: s.Off, OffWhy: s.OffWhy, CreatedAt: instant(s.CreatedAt), UpdatedAt: instant(s.UpdatedAt), Version: s.Version,
		Health: sdk.SubscriptionHealth{
			DeliveredAt: instant(h.DeliveredAt), FailingSince: instant(h.FailingSince), Failures: h.Failures, LastError: h.LastError, RestUntil: instant(h.RestUntil),
		},
	}
}

func wireQuietHours(q blueberry.QuietHours) sdk.QuietHours {
	return sdk.QuietHours{Windows: wireSleepPolicy(blueberry.SleepPolicy{Windows: q.Windows}).Windows, TimeZone: q.TimeZone}
}

func readQuietHours(q sdk.QuietHours) blueberry.QuietHours {
	return blueberry.QuietHours{Windows: readSleepPolicy(sdk.SleepPolicy{Windows: q.Windows}).Windows, TimeZone: q.TimeZone}
}

func wireNotice(n blueberry.Notice) sdk.Notice {
	return sdk.Notice{
		ID: n.ID, SubscriptionID: n.SubscriptionID, Project: n.Project, EventID: n.Event.ID, EventType: string(n.Event.Type), EventSeq: n.Event.Seq,
		EnvironmentID: n.Event.EnvironmentID, Message: n.Event.Message, State: string(n.State), Tries: n.Tries, NextAt: instant(n.NextAt),
		CreatedAt: instant(n.CreatedAt), EndedAt: instant(n.EndedAt),
		Attempts: list(n.Attempts, func(a blueberry.NoticeAttempt) sdk.NoticeAttempt {
			return sdk.NoticeAttempt{At: instant(a.At), Status: a.Status, Error: a.Error, TookMS: a.Took.Milliseconds()}
		}),
	}
}
