package sdk

import (
	"context"
	"iter"
	"net/http"
	"strconv"
)

// PinEnvironment keeps an environment for longer than a lease can last.
func (c *Client) PinEnvironment(ctx context.Context, id string, r PinEnvironmentRequest, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, post(r, "environments", id, "pin"), options...)
}

// UnpinEnvironment gives an environment a lease again that is no longer than one can be.
func (c *Client) UnpinEnvironment(ctx context.Context, id string, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, newCall(http.MethodDelete, "environments", id, "pin"), options...)
}

// CreateExtendLink makes a link that extends a lease once. The answer is the only one that tells it.
func (c *Client) CreateExtendLink(ctx context.Context, id string, hours int, options ...CallOption) (ExtendLink, error) {
	return fetch[ExtendLink](ctx, c, post(CreateExtendLinkRequest{Hours: hours}, "environments", id, "extend-links"), options...)
}

// GetExtendLink tells what a link would do. It needs no credential, and changes nothing.
func (c *Client) GetExtendLink(ctx context.Context, token string) (ExtendOffer, error) {
	return fetch[ExtendOffer](ctx, c, newCall(http.MethodGet, "extend-links", token))
}

// UseExtendLink extends the lease that a link is for. It needs no credential. It is not repeated by itself: a second time the link is used up.
func (c *Client) UseExtendLink(ctx context.Context, token string) (ExtendedLease, error) {
	k := newCall(http.MethodPost, "extend-links", token)
	k.single = true
	return fetch[ExtendedLease](ctx, c, k)
}

// SleepEnvironment lets an environment fall asleep: its pods end, its data and addresses stay.
func (c *Client) SleepEnvironment(ctx context.Context, id string, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, post(nil, "environments", id, "sleep"), options...)
}

// WakeEnvironment wakes one that sleeps.
func (c *Client) WakeEnvironment(ctx context.Context, id string, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, post(nil, "environments", id, "wake"), options...)
}

// SetEnvironmentSleepPolicy says when an environment sleeps by itself.
func (c *Client) SetEnvironmentSleepPolicy(ctx context.Context, id string, p SleepPolicy, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, put(p, "environments", id, "sleep-policy"), options...)
}

// SetEnvironmentLabels gives an environment these labels, and takes all others away.
func (c *Client) SetEnvironmentLabels(ctx context.Context, id string, labels map[string]string, options ...CallOption) (Environment, error) {
	if labels == nil {
		labels = map[string]string{} // null is no object
	}
	return fetch[Environment](ctx, c, put(SetLabelsRequest{Labels: labels}, "environments", id, "labels"), options...)
}

// ListEnvironmentWakes reads why an environment was awake or asleep, newest first.
func (c *Client) ListEnvironmentWakes(ctx context.Context, id string, w WakeWindow) (WakeLedger, error) {
	k := newCall(http.MethodGet, "environments", id, "wake-ledger")
	k.setInt("before", w.Before)
	k.setInt("limit", int64(w.Limit))
	return fetch[WakeLedger](ctx, c, k)
}

// AllEnvironmentWakes reads run after run, newest first. It ends after the first error.
func (c *Client) AllEnvironmentWakes(ctx context.Context, id string, w WakeWindow) iter.Seq2[WakeEntry, error] {
	return pages(strconv.FormatInt(w.Before, 10), func(before string) ([]WakeEntry, string, error) {
		w.Before, _ = strconv.ParseInt(before, 10, 64)
		run, err := c.ListEnvironmentWakes(ctx, id, w)
		next := ""
		if run.NextBefore != 0 {
			next = strconv.FormatInt(run.NextBefore, 10)
		}
		return run.Items, next, err
	})
}

// RestartEnvironment lets pods be made anew.
func (c *Client) RestartEnvironment(ctx context.Context, id string, r RestartEnvironmentRequest, options ...CallOption) (RestartedEnvironment, error) {
	return fetch[RestartedEnvironment](ctx, c, post(r, "environments", id, "restart"), options...)
}

// ScaleEnvironment asks for a new revision in which a component runs so many pods.
func (c *Client) ScaleEnvironment(ctx context.Context, id string, r ScaleEnvironmentRequest, options ...CallOption) (ChangedEnvironment, error) {
	return fetch[ChangedEnvironment](ctx, c, post(r, "environments", id, "scale"), options...)
}

// RedeployEnvironment commits and applies the same revision anew, and restarts its pods.
func (c *Client) RedeployEnvironment(ctx context.Context, id string, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, post(nil, "environments", id, "redeploy"), options...)
}

// SetProjectLife changes how the environments of a project live.
func (c *Client) SetProjectLife(ctx context.Context, project string, r SetProjectLifeRequest, options ...CallOption) (Project, error) {
	return fetch[Project](ctx, c, patch(r, "projects", project, "life"), options...)
}
