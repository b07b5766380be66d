package sdk

import (
	"context"
	"iter"
	"net/http"
)

// AddSubscription adds a subscription, and gives it with the secret of its webhook, which no other call tells. A Problem of status 422 has every fault by field;
// 409 SUBSCRIPTION_EXISTS says that the project has one of the name. It is not repeated by itself.
func (c *Client) AddSubscription(ctx context.Context, r AddSubscriptionRequest, options ...CallOption) (AddedSubscription, error) {
	return fetch[AddedSubscription](ctx, c, single(r, "subscriptions"), options...)
}

// ListSubscriptions reads one run of subscriptions, by id.
func (c *Client) ListSubscriptions(ctx context.Context, f SubscriptionFilter) (SubscriptionList, error) {
	k := newCall(http.MethodGet, "subscriptions")
	k.set("project", f.Project)
	k.set("after", f.After)
	k.setInt("limit", int64(f.Limit))
	return fetch[SubscriptionList](ctx, c, k)
}

// AllSubscriptions reads run after run. It ends after the first error.
func (c *Client) AllSubscriptions(ctx context.Context, f SubscriptionFilter) iter.Seq2[Subscription, error] {
	return pages(f.After, func(after string) ([]Subscription, string, error) {
		f.After = after
		run, err := c.ListSubscriptions(ctx, f)
		return run.Items, run.NextAfter, err
	})
}

// GetSubscription reads one subscription by id, or gives a Problem of status 404 SUBSCRIPTION_NOT_FOUND.
func (c *Client) GetSubscription(ctx context.Context, id string) (Subscription, error) {
	return fetch[Subscription](ctx, c, newCall(http.MethodGet, "subscriptions", id))
}

// ChangeSubscription changes what the request names. With IfMatch a Problem of status 412 says that it has changed meanwhile; one of status 422 has every fault
// by field.
func (c *Client) ChangeSubscription(ctx context.Context, id string, r ChangeSubscriptionRequest, options ...CallOption) (Subscription, error) {
	return fetch[Subscription](ctx, c, patch(r, "subscriptions", id), options...)
}

// RemoveSubscription forgets a subscription with its notices.
func (c *Client) RemoveSubscription(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "subscriptions", id), options...)
}

// RotateSubscription makes a new secret of a webhook, and gives it: no other call tells it. For a week what is sent is signed by the former one, too. It is not
// repeated by itself, because a second time would end the former one. A Problem of status 409 SUBSCRIPTION_UNSIGNED says that its kind signs nothing.
func (c *Client) RotateSubscription(ctx context.Context, id string, r RotateSubscriptionRequest, options ...CallOption) (AddedSubscription, error) {
	return fetch[AddedSubscription](ctx, c, single(r, "subscriptions", id, "rotate"), options...)
}

// TestSubscription tells a subscription of an event that is none, now and once, and gives the notice: its state and its attempt say how it went.
func (c *Client) TestSubscription(ctx context.Context, id string, options ...CallOption) (Notice, error) {
	return fetch[Notice](ctx, c, single(nil, "subscriptions", id, "test"), options...)
}

// RedriveSubscription has every dead notice of a subscription sent once more. A Problem of status 409 SUBSCRIPTION_OFF says that it is off.
func (c *Client) RedriveSubscription(ctx context.Context, id string, options ...CallOption) (RedrivenNotices, error) {
	return fetch[RedrivenNotices](ctx, c, post(nil, "subscriptions", id, "redrive"), options...)
}

// ListNotices reads one run of notices, the newest first.
func (c *Client) ListNotices(ctx context.Context, f NoticeFilter) (NoticeList, error) {
	k := newCall(http.MethodGet, "notices")
	k.set("project", f.Project)
	k.set("subscription", f.Subscription)
	k.set("state", f.State)
	k.set("before", f.Before)
	k.setInt("limit", int64(f.Limit))
	return fetch[NoticeList](ctx, c, k)
}

// AllNotices reads run after run, the newest first. It ends after the first error.
func (c *Client) AllNotices(ctx context.Context, f NoticeFilter) iter.Seq2[Notice, error] {
	return pages(f.Before, func(before string) ([]Notice, string, error) {
		f.Before = before
		run, err := c.ListNotices(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// GetNotice reads one notice by id, or gives a Problem of status 404 NOTICE_NOT_FOUND.
func (c *Client) GetNotice(ctx context.Context, id string) (Notice, error) {
	return fetch[Notice](ctx, c, newCall(http.MethodGet, "notices", id))
}

// RedriveNotice has a notice that is dead or was delivered sent once more, under the same event id. A Problem of status 409 is NOTICE_WAITING for one that has
// not been given up, or SUBSCRIPTION_OFF.
func (c *Client) RedriveNotice(ctx context.Context, id string, options ...CallOption) (Notice, error) {
	return fetch[Notice](ctx, c, post(nil, "notices", id, "redrive"), options...)
}
