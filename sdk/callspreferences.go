package sdk

import (
	"context"
	"iter"
	"net/http"
)

// GetPreferences reads what one wants to be told oneself. 403 PERSON_NEEDED for a program.
func (c *Client) GetPreferences(ctx context.Context) (Preferences, error) {
	return fetch[Preferences](ctx, c, newCall(http.MethodGet, "account", "preferences"))
}

// SetPreferences sets it, in place of all before, and gives the secret of a webhook that was made for it, which no other call tells. A Problem of status 422 has
// every fault by field; with IfMatch one of status 412 says that they have changed meanwhile. It is not repeated by itself.
func (c *Client) SetPreferences(ctx context.Context, r SetPreferencesRequest, options ...CallOption) (SetPreferences, error) {
	k := put(r, "account", "preferences")
	k.single = true
	return fetch[SetPreferences](ctx, c, k, options...)
}

// TestPreferences sends a test now and once by each way that is on. 409 NOBODY_TOLD says that none is.
func (c *Client) TestPreferences(ctx context.Context, options ...CallOption) (TestedPreferences, error) {
	return fetch[TestedPreferences](ctx, c, single(nil, "account", "preferences", "test"), options...)
}

// ListOwnNotices reads one run of what one was told oneself, newest first. Project and Subscription of the filter do not count.
func (c *Client) ListOwnNotices(ctx context.Context, f NoticeFilter) (NoticeList, error) {
	k := newCall(http.MethodGet, "account", "notices")
	k.set("state", f.State)
	k.set("before", f.Before)
	k.setInt("limit", int64(f.Limit))
	return fetch[NoticeList](ctx, c, k)
}

// AllOwnNotices reads run after run. It ends after the first error.
func (c *Client) AllOwnNotices(ctx context.Context, f NoticeFilter) iter.Seq2[Notice, error] {
	return pages(f.Before, func(before string) ([]Notice, string, error) {
		f.Before = before
		run, err := c.ListOwnNotices(ctx, f)
		return run.Items, run.NextBefore, err
	})
}
