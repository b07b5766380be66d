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
	PreferencesRows

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
	// Subscriptions reads one page, by id. Those of people are among them only where their ids are named as projects.
	Subscriptions(ctx context.Context, q blueberry.SubscriptionQuery) ([]blueberry.Subscription, error)
	// CountSubscriptions tells how many a project has; of an empty one, how many are of the installation.
	CountSubscriptions(ctx context.Context, project string) (int, error)
	// LiveSubscriptions reads all that are not off and of no person, by id, without addresses and secrets; none of them is removed before the transaction ends.
	LiveSubscriptions(ctx context.Context) ([]blueberry.Subscription, error)
	// UpdateSubscription writes s if the row's version is still s.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
	UpdateSubscription(ctx context.Context, s blueberry.Subscription) error
	// PutSubscriptionHealth writes how sending went, and changes no version. NotFound when there is no such subscription.
	PutSubscriptionHealth(ctx context.Context, id string, h blueberry.SubscriptionHealth) error
	// DeleteSubscription removes one with its notices, or NotFound.
	DeleteSubscription(ctx context.Context, id string) error
}

// PreferencesRows are the rows of what people want to be told.
type PreferencesRows interface {
	// Preferences reads those of a user, or NotFound with code PREFERENCES_NOT_FOUND while none are set.
	Preferences(ctx context.Context, userID string) (blueberry.Preferences, error)
	// PutPreferences writes p if those that are there are still at p.Version, of which 0 is that of none, else Conflict with code VERSION_MOVED; the version then
	// counts up by one. NotFound when there is no such user.
	PutPreferences(ctx context.Context, p blueberry.Preferences) error
	// PersonalWishes reads who has set preferences and owns one of the environments: their subscriptions that are on, by id, without addresses and secrets; none of
	// them is removed before the transaction ends.
	PersonalWishes(ctx context.Context, environments []string) ([]blueberry.PersonalWish, error)
	// UserIDByLabel gives the id of the user who is called so in owner fields, or NotFound.
	UserIDByLabel(ctx context.Context, label string) (string, error)
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
