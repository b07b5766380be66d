package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/sdk"
)

// Subscriptions are the operations on who is told of events, and on what was told.
type Subscriptions interface {
	Add(ctx context.Context, actor blueberry.Actor, w notify.SubscriptionWish) (notify.Added, error)
	Subscription(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Subscription, error)
	List(ctx context.Context, actor blueberry.Actor, project string, q blueberry.SubscriptionQuery) ([]blueberry.Subscription, error)
	Change(ctx context.Context, actor blueberry.Actor, id string, c notify.SubscriptionChange, ifVersion int64) (blueberry.Subscription, error)
	// Rotate makes a new secret of a webhook, which is value unless that is empty. The former one signs for a week more.
	Rotate(ctx context.Context, actor blueberry.Actor, id, value string) (notify.Added, error)
	Remove(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error
	// Test tells a subscription of an event that is none, now and once.
	Test(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Notice, error)
	// RedriveDead has every dead notice of a subscription sent once more, and tells how many.
	RedriveDead(ctx context.Context, actor blueberry.Actor, id string) (int, error)

	Notices(ctx context.Context, actor blueberry.Actor, project string, q blueberry.NoticeQuery) ([]blueberry.Notice, error)
	Notice(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Notice, error)
	// Redrive has a notice sent once more.
	Redrive(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Notice, error)

	Preferences(ctx context.Context, actor blueberry.Actor) (notify.PreferencesSet, error)
	// SetPreferences writes what the actor prefers, in place of all before.
	SetPreferences(ctx context.Context, actor blueberry.Actor, w notify.PreferencesWish, ifVersion int64) (notify.PreferencesSet, error)
	// TestPreferences tells the actor of an event that is none, by each way that is on.
	TestPreferences(ctx context.Context, actor blueberry.Actor) ([]blueberry.Notice, error)
	OwnNotices(ctx context.Context, actor blueberry.Actor, q blueberry.NoticeQuery) ([]blueberry.Notice, error)
}

// subscriptions are the routes of subscriptions.
type subscriptions struct {
	operations Subscriptions
}

func (h subscriptions) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "add-subscription", Method: http.MethodPost, Path: "/v1/subscriptions", Tags: []string{tagSubscriptions}, DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Subscribe to events",
		Description: "Events that happen from now on are sent there, each at least once and under its own id. A webhook gets CloudEvents that are signed in the form of the Standard Webhooks; " +
			"its secret is told here alone. Queues of SQS, topics of Pub/Sub and subjects of NATS get the same CloudEvents in structured form. Addresses and keys are kept encrypted and never shown.",
	}, h.add)
	r.example(http.MethodPost, "/v1/subscriptions", sdk.AddSubscriptionRequest{
		Name: "ci", Kind: "webhook", URL: "https://hooks.example.com/blueberry", Events: []string{"environment.ready", "environment.failed", "pull.*"},
	})
	register(r, huma.Operation{
		OperationID: "list-subscriptions", Method: http.MethodGet, Path: "/v1/subscriptions", Tags: []string{tagSubscriptions},
		Summary: "List subscriptions", Description: "By id, without addresses and secrets.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-subscription", Method: http.MethodGet, Path: "/v1/subscriptions/{id}", Tags: []string{tagSubscriptions},
		Summary: "Read a subscription",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "change-subscription", Method: http.MethodPatch, Path: "/v1/subscriptions/{id}", Tags: []string{tagSubscriptions}, Metadata: gathers(),
		Summary: "Change a subscription", Description: "What is absent stays. One that is switched on again sends what waited.",
	}, h.change)
	events := []string{"environment.*"}
	r.example(http.MethodPatch, "/v1/subscriptions/{id}", sdk.ChangeSubscriptionRequest{Events: &events})
	register(r, huma.Operation{
		OperationID: "remove-subscription", Method: http.MethodDelete, Path: "/v1/subscriptions/{id}", Tags: []string{tagSubscriptions}, DefaultStatus: http.StatusNoContent,
		Summary: "Remove a subscription", Description: "With its notices; what waits is not sent.",
	}, h.remove)
	register(r, huma.Operation{
		OperationID: "rotate-subscription", Method: http.MethodPost, Path: "/v1/subscriptions/{id}/rotate", Tags: []string{tagSubscriptions},
		Summary:     "Make a new secret of a webhook",
		Description: "For a week what is sent is signed by the former one, too; one before that ends now. The new one is told here alone. The body may be left out. 409 `SUBSCRIPTION_UNSIGNED` for kinds that sign nothing.",
	}, h.rotate)
	r.example(http.MethodPost, "/v1/subscriptions/{id}/rotate", sdk.RotateSubscriptionRequest{})
	r.api.OpenAPI().Paths["/v1/subscriptions/{id}/rotate"].Post.RequestBody.Required = false
	register(r, huma.Operation{
		OperationID: "test-subscription", Method: http.MethodPost, Path: "/v1/subscriptions/{id}/test", Tags: []string{tagSubscriptions},
		Summary: "Test a subscription", Description: "Sends an event of the type `subscription.test` now and once, also while it is off or quiet. The answer is the notice: its state and its attempt say how it went.",
	}, h.test)
	register(r, huma.Operation{
		OperationID: "redrive-subscription", Method: http.MethodPost, Path: "/v1/subscriptions/{id}/redrive", Tags: []string{tagSubscriptions},
		Summary: "Send all dead notices of a subscription again", Description: "409 `SUBSCRIPTION_OFF` while it is off.",
	}, h.redrive)
}

// SubscriptionByID names a subscription.
type SubscriptionByID struct {
	strict
	ID string `path:"id" doc:"Id of the subscription" example:"sub_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func toldSubscription(s blueberry.Subscription, err error) (*tagged[sdk.Subscription], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.Subscription]{ETag: etag(s.Version), Location: "/v1/subscriptions/" + s.ID, Body: wireSubscription(s)}, nil
}

func addedSubscription(a notify.Added, err error) (*tagged[sdk.AddedSubscription], error) {
	if err != nil {
		return nil, err
	}
	s := a.Subscription
	body := sdk.AddedSubscription{Subscription: wireSubscription(s), Secret: a.Secret.Value}
	return &tagged[sdk.AddedSubscription]{ETag: etag(s.Version), Location: "/v1/subscriptions/" + s.ID, Body: body}, nil
}

type addSubscriptionInput struct {
	strict
	OnceHeader
	Body body[sdk.AddSubscriptionRequest]
}

func (h subscriptions) add(ctx context.Context, in *addSubscriptionInput) (*tagged[sdk.AddedSubscription], error) {
	b := in.Body.Value
	return addedSubscription(h.operations.Add(ctx, actorOf(ctx), notify.SubscriptionWish{
		Project: b.Project, Installation: b.Installation, Name: b.Name, Kind: blueberry.SubscriptionKind(b.Kind),
		Address: blueberry.SubscriptionAddress{URL: b.URL, Key: b.Key, To: b.To, User: b.User, Region: b.Region, Stream: b.Stream}, Events: b.Events, Quiet: readQuietHours(b.Quiet), Secret: b.Secret, Found: in.Body.unknown,
	}))
}

type listSubscriptionsInput struct {
	strict
	Project string `query:"project" maxLength:"64" doc:"Only of this project" example:"default"`
	After   string `query:"after" maxLength:"64" doc:"Only those behind the one with this id" example:"sub_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h subscriptions) list(ctx context.Context, in *listSubscriptionsInput) (*answer[sdk.SubscriptionList], error) {
	limit := pageSize(in.Limit)
	found, err := h.operations.List(ctx, actorOf(ctx), in.Project, blueberry.SubscriptionQuery{After: in.After, Limit: limit})
	return answered(found, err, func(found []blueberry.Subscription) sdk.SubscriptionList {
		out := sdk.SubscriptionList{Items: list(found, wireSubscription)}
		if n := len(found); n >= limit {
			out.NextAfter = found[n-1].ID
		}
		return out
	})
}

func (h subscriptions) get(ctx context.Context, in *SubscriptionByID) (*tagged[sdk.Subscription], error) {
	return toldSubscription(h.operations.Subscription(ctx, actorOf(ctx), in.ID))
}

func (h subscriptions) versionOf(ctx context.Context, id, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		s, err := h.operations.Subscription(ctx, actorOf(ctx), id)
		return s.Version, err
	})
}

type changeSubscriptionInput struct {
	SubscriptionByID
	OnceHeader
	MatchHeader
	Body body[sdk.ChangeSubscriptionRequest]
}

func (h subscriptions) change(ctx context.Context, in *changeSubscriptionInput) (*tagged[sdk.Subscription], error) {
	version, err := h.versionOf(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	c := notify.SubscriptionChange{Name: b.Name, URL: b.URL, Key: b.Key, To: b.To, User: b.User, Region: b.Region, Stream: b.Stream, Events: b.Events, Off: b.Off, Found: in.Body.unknown}
	if b.Quiet != nil {
		quiet := readQuietHours(*b.Quiet)
		c.Quiet = &quiet
	}
	return toldSubscription(h.operations.Change(ctx, actorOf(ctx), in.ID, c, version))
}

type removeSubscriptionInput struct {
	SubscriptionByID
	MatchHeader
}

func (h subscriptions) remove(ctx context.Context, in *removeSubscriptionInput) (*nothing, error) {
	version, err := h.versionOf(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := h.operations.Remove(ctx, actorOf(ctx), in.ID, version); err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

type rotateSubscriptionInput struct {
	SubscriptionByID
	OnceHeader
	Body body[sdk.RotateSubscriptionRequest]
}

func (h subscriptions) rotate(ctx context.Context, in *rotateSubscriptionInput) (*tagged[sdk.AddedSubscription], error) {
	return addedSubscription(h.operations.Rotate(ctx, actorOf(ctx), in.ID, in.Body.Value.Secret))
}

type onSubscriptionInput struct {
	SubscriptionByID
	OnceHeader
}

func (h subscriptions) test(ctx context.Context, in *onSubscriptionInput) (*answer[sdk.Notice], error) {
	n, err := h.operations.Test(ctx, actorOf(ctx), in.ID)
	return answered(n, err, wireNotice)
}

func (h subscriptions) redrive(ctx context.Context, in *onSubscriptionInput) (*answer[sdk.RedrivenNotices], error) {
	n, err := h.operations.RedriveDead(ctx, actorOf(ctx), in.ID)
	return answered(n, err, func(n int) sdk.RedrivenNotices { return sdk.RedrivenNotices{Count: n} })
}
