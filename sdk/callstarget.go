package sdk

import (
	"context"
	"net/http"
)

// ListTargets reads the places that can hold environments, and whether they answer.
func (c *Client) ListTargets(ctx context.Context) (TargetList, error) {
	return fetch[TargetList](ctx, c, newCall(http.MethodGet, "targets"))
}

// ListNames reads the names of the projects and targets that one may see. No target is asked.
func (c *Client) ListNames(ctx context.Context) (Names, error) {
	return fetch[Names](ctx, c, newCall(http.MethodGet, "names"))
}

// RegisterTarget registers a place, and tells what it was found to need.
func (c *Client) RegisterTarget(ctx context.Context, r RegisterTargetRequest, options ...CallOption) (RegisteredTarget, error) {
	return fetch[RegisteredTarget](ctx, c, post(r, "targets"), options...)
}

// GetTarget reads one target by name.
func (c *Client) GetTarget(ctx context.Context, name string) (Target, error) {
	return fetch[Target](ctx, c, newCall(http.MethodGet, "targets", name))
}

// UpdateTarget changes what the request names.
func (c *Client) UpdateTarget(ctx context.Context, name string, r UpdateTargetRequest, options ...CallOption) (Target, error) {
	return fetch[Target](ctx, c, patch(r, "targets", name), options...)
}

// DeleteTarget removes a target on which no environment is.
func (c *Client) DeleteTarget(ctx context.Context, name string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "targets", name), options...)
}

// ListTargetChecks looks at everything that a target needs.
func (c *Client) ListTargetChecks(ctx context.Context, name string) (TargetCheckList, error) {
	return fetch[TargetCheckList](ctx, c, newCall(http.MethodGet, "targets", name, "checks"))
}

// CordonTarget lets a target take no new environments.
func (c *Client) CordonTarget(ctx context.Context, name string, r CordonTargetRequest, options ...CallOption) (Target, error) {
	return fetch[Target](ctx, c, post(r, "targets", name, "cordon"), options...)
}

// UncordonTarget lets a target take environments again.
func (c *Client) UncordonTarget(ctx context.Context, name string, options ...CallOption) (Target, error) {
	return fetch[Target](ctx, c, post(nil, "targets", name, "uncordon"), options...)
}

// DrainTarget removes the environments with a lease from a target, or tells which these are.
func (c *Client) DrainTarget(ctx context.Context, name string, r DrainTargetRequest, options ...CallOption) (TargetDrain, error) {
	return fetch[TargetDrain](ctx, c, post(r, "targets", name, "drain"), options...)
}

// ScanTarget begins to look for orphans on a target.
func (c *Client) ScanTarget(ctx context.Context, name string, options ...CallOption) error {
	return c.do(ctx, post(nil, "targets", name, "scan"), options...)
}

// ListPrices reads what targets cost, and what they ever did.
func (c *Client) ListPrices(ctx context.Context) (PriceList, error) {
	return fetch[PriceList](ctx, c, newCall(http.MethodGet, "prices"))
}

// SetPrices says what a target costs from now on, or every target that has no prices of its own.
func (c *Client) SetPrices(ctx context.Context, r SetPricesRequest, options ...CallOption) (Prices, error) {
	return fetch[Prices](ctx, c, put(r, "prices"), options...)
}

// RemovePrices takes back the prices of a target, or, for the empty name, those of every target that has none of its own.
func (c *Client) RemovePrices(ctx context.Context, target string, options ...CallOption) error {
	call := newCall(http.MethodDelete, "prices")
	if target != "" {
		call.query.Set("target", target)
	}
	return c.do(ctx, call, options...)
}
