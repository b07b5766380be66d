package sdk

import (
	"context"
	"iter"
	"net/http"
	"strconv"
)

// PlanNewEnvironment tells what CreateEnvironment would do.
func (c *Client) PlanNewEnvironment(ctx context.Context, r CreateEnvironmentRequest, options ...CallOption) (Plan, error) {
	return fetch[Plan](ctx, c, post(r, "environments", "plan"), options...)
}

// PlanEnvironment tells what a change, a rollback or the end of an environment would do.
func (c *Client) PlanEnvironment(ctx context.Context, id string, r PlanEnvironmentRequest, options ...CallOption) (Plan, error) {
	return fetch[Plan](ctx, c, post(r, "environments", id, "plan"), options...)
}

// GetPlan reads one plan by id.
func (c *Client) GetPlan(ctx context.Context, id string) (Plan, error) {
	return fetch[Plan](ctx, c, newCall(http.MethodGet, "plans", id))
}

// GetPlanRendering reads the manifests that applying a plan commits, byte for byte.
func (c *Client) GetPlanRendering(ctx context.Context, id string) (Rendering, error) {
	return fetch[Rendering](ctx, c, newCall(http.MethodGet, "plans", id, "rendering"))
}

// ListEnvironmentPlans reads plans of an environment, newest first.
func (c *Client) ListEnvironmentPlans(ctx context.Context, id string, w PlanWindow) (PlanList, error) {
	k := newCall(http.MethodGet, "environments", id, "plans")
	k.set("before", w.Before)
	k.setInt("limit", int64(w.Limit))
	return fetch[PlanList](ctx, c, k)
}

// AllEnvironmentPlans reads run after run, newest first. It ends after the first error.
func (c *Client) AllEnvironmentPlans(ctx context.Context, id string, w PlanWindow) iter.Seq2[Plan, error] {
	return pages(w.Before, func(before string) ([]Plan, string, error) {
		w.Before = before
		run, err := c.ListEnvironmentPlans(ctx, id, w)
		return run.Items, run.NextBefore, err
	})
}

// ChangeEnvironment asks for a new revision. It is accepted, not yet applied, when the call returns. Without a difference nothing is made, and the plan
// says so.
func (c *Client) ChangeEnvironment(ctx context.Context, id string, r ChangeEnvironmentRequest, options ...CallOption) (ChangedEnvironment, error) {
	k := newCall(http.MethodPatch, "environments", id)
	k.body = r
	return fetch[ChangedEnvironment](ctx, c, k, options...)
}

// RollbackEnvironment asks for a new revision equal to an old one, and holds the inputs that it takes away.
func (c *Client) RollbackEnvironment(ctx context.Context, id string, r RollbackEnvironmentRequest, options ...CallOption) (ChangedEnvironment, error) {
	return fetch[ChangedEnvironment](ctx, c, post(r, "environments", id, "rollback"), options...)
}

// RefreshEnvironment brings an environment to the newest of what it follows, unless that is held.
func (c *Client) RefreshEnvironment(ctx context.Context, id string, options ...CallOption) (ChangedEnvironment, error) {
	return fetch[ChangedEnvironment](ctx, c, post(nil, "environments", id, "refresh"), options...)
}

// ListEnvironmentRevisions reads revisions of an environment, newest first.
func (c *Client) ListEnvironmentRevisions(ctx context.Context, id string, w Window) (RevisionList, error) {
	return fetch[RevisionList](ctx, c, w.call("environments", id, "revisions"))
}

// AllEnvironmentRevisions reads run after run, newest first. It ends after the first error.
func (c *Client) AllEnvironmentRevisions(ctx context.Context, id string, w Window) iter.Seq2[Revision, error] {
	return runs(w, func(w Window) ([]Revision, int, error) {
		run, err := c.ListEnvironmentRevisions(ctx, id, w)
		return run.Items, run.NextBefore, err
	})
}

// GetEnvironmentRevision reads one revision with its blueprint.
func (c *Client) GetEnvironmentRevision(ctx context.Context, id string, number int) (Revision, error) {
	return fetch[Revision](ctx, c, newCall(http.MethodGet, "environments", id, "revisions", strconv.Itoa(number)))
}

// DiffEnvironmentRevisions compares two revisions.
func (c *Client) DiffEnvironmentRevisions(ctx context.Context, id string, from, to int) (RevisionDiff, error) {
	return fetch[RevisionDiff](ctx, c, between(from, to, "environments", id, "diff"))
}

// GetEnvironmentSettings reads the effective values of a revision with where each comes from; 0 means the desired one. With a path, only that setting and
// those below it.
func (c *Client) GetEnvironmentSettings(ctx context.Context, id string, revision int, path string) (EnvironmentSettings, error) {
	k := newCall(http.MethodGet, "environments", id, "settings")
	k.setInt("revision", int64(revision))
	k.set("path", path)
	return fetch[EnvironmentSettings](ctx, c, k)
}

// GetEnvironmentDrift asks the target what differs from what was applied.
func (c *Client) GetEnvironmentDrift(ctx context.Context, id string) (Drift, error) {
	return fetch[Drift](ctx, c, newCall(http.MethodGet, "environments", id, "drift"))
}

// SetEnvironmentDriftPolicy says what is done about drift.
func (c *Client) SetEnvironmentDriftPolicy(ctx context.Context, id string, p DriftPolicy, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, put(p, "environments", id, "drift-policy"), options...)
}

// ListEnvironmentHolds reads what is held for an environment.
func (c *Client) ListEnvironmentHolds(ctx context.Context, id string) (HoldList, error) {
	return fetch[HoldList](ctx, c, newCall(http.MethodGet, "environments", id, "holds"))
}

// ReleaseEnvironmentHolds lets held inputs come back, and tells how many. When none of that kind is held it is refused.
func (c *Client) ReleaseEnvironmentHolds(ctx context.Context, id string, r ReleaseHoldsRequest, options ...CallOption) (ReleasedHolds, error) {
	return fetch[ReleasedHolds](ctx, c, post(r, "environments", id, "holds", "release"), options...)
}
