package notify

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Record is what notify needs of the record. Closures may run twice, so they do no I/O but through tx.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	SubscriptionRows
	NoticeRows

	// Project reads one by name, or NotFound.
	Project(ctx context.Context, name string) (blueberry.Project, error)
	// Enqueue makes sure that a job of the kind and subject runs after this transaction commits.
	Enqueue(ctx context.Context, kind blueberry.JobKind, subject string) error
	// AppendEvent adds a fact; Seq and ID are given by the record.
	AppendEvent(ctx context.Context, e blueberry.Event) error
	// AppendAudit adds what an actor did; ID is given by the record.
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
}

// SubscriptionRows are the rows of subscriptions. Addresses are sealed, bound to "subscriptions.address:<id>", secrets to "subscriptions.secrets:<id>".
type SubscriptionRows interface {
	// InsertSubscription adds one, at version 1; Conflict with code SUBSCRIPTION_EXISTS and a fault on "name" while the project has one of the name.
	InsertSubscription(ctx context.Context, s blueberry.Subscription) error
	// Subscription reads one by id, or NotFound with code SUBSCRIPTION_NOT_FOUND.
	Subscription(ctx context.Context, id string) (blueberry.Subscription, error)
	// Subscriptions reads one page, by id.
	Subscriptions(ctx context.Context, q blueberry.SubscriptionQuery) ([]blueberry.Subscription, error)
	// LiveSubscriptions reads all that are not off, by id, without addresses and secrets; none of them is removed before the transaction ends.
	LiveSubscriptions(ctx context.Context) ([]blueberry.Subscription, error)
	// UpdateSubscription writes s if the row's version is still s.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
	UpdateSubscription(ctx context.Context, s blueberry.Subscription) error
	// PutSubscriptionHealth writes how sending went, and changes no version. NotFound when there is no such subscription.
	PutSubscriptionHealth(ctx context.Context, id string, h blueberry.SubscriptionHealth) error
	// DeleteSubscription removes one with its notices, or NotFound.
	DeleteSubscription(ctx context.Context, id string) error
}

// NoticeRows are the rows of notices.
type NoticeRows interface {
	// InsertNotices adds some, at version 1. A subscription has one of an event: another one is none to add.
	InsertNotices(ctx context.Context, list []blueberry.Notice) error
	// Notice reads one, or NotFound with code NOTICE_NOT_FOUND.
	Notice(ctx context.Context, id string) (blueberry.Notice, error)
	// NextNotice reads the one of a subscription that waits for the earliest time, of these the one of the earliest event, or NotFound with code NOTICE_NOT_FOUND.
	NextNotice(ctx context.Context, subscriptionID string) (blueberry.Notice, error)
	// Notices reads one page, the newest first.
	Notices(ctx context.Context, q blueberry.NoticeQuery) ([]blueberry.Notice, error)
	// UpdateNotice writes n if the row's version is still n.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
	UpdateNotice(ctx context.Context, n blueberry.Notice) error
	// RedriveNotices has all dead ones of a subscription wait again from now on, and tells how many.
	RedriveNotices(ctx context.Context, subscriptionID string, now, expires time.Time) (int, error)
	// ExpireNotices gives up those of a subscription that wait and whose time was over before now, and tells how many.
	ExpireNotices(ctx context.Context, subscriptionID string, now time.Time) (int, error)
	// PurgeNotices removes at most limit of those that were made before a time, the oldest first, and tells how many.
	PurgeNotices(ctx context.Context, before time.Time, limit int) (int, error)
}
