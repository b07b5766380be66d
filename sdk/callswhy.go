package sdk

import (
	"context"
	"net/http"
)

// GetEnvironmentWhy tells why an environment is not ready, or what should be known of one that is.
func (c *Client) GetEnvironmentWhy(ctx context.Context, id string) (Why, error) {
	return fetch[Why](ctx, c, newCall(http.MethodGet, "environments", id, "why"))
}

// ListEnvironmentTimeline reads what happened to an environment, in the record and on its target.
func (c *Client) ListEnvironmentTimeline(ctx context.Context, id string, f TimelineFilter) (Timeline, error) {
	k := newCall(http.MethodGet, "environments", id, "timeline")
	k.setTime("after", f.After)
	k.setTime("before", f.Before)
	for _, kind := range f.Kinds {
		k.query.Add("kind", kind)
	}
	k.setInt("limit", int64(f.Limit))
	return fetch[Timeline](ctx, c, k)
}

// ListEnvironmentContainers reads the containers of an environment's pods.
func (c *Client) ListEnvironmentContainers(ctx context.Context, id string) (ContainerList, error) {
	return fetch[ContainerList](ctx, c, newCall(http.MethodGet, "environments", id, "containers"))
}

// GetEnvironmentLiveObject reads an object as it should be and as it is.
func (c *Client) GetEnvironmentLiveObject(ctx context.Context, id string, o ObjectRef) (LiveObject, error) {
	k := newCall(http.MethodGet, "environments", id, "objects", "live")
	k.set("api_version", o.APIVersion)
	k.set("kind", o.Kind)
	k.set("namespace", o.Namespace)
	k.set("name", o.Name)
	return fetch[LiveObject](ctx, c, k)
}

// ListEnvironmentUsage reads what the pods of an environment use.
func (c *Client) ListEnvironmentUsage(ctx context.Context, id string) (PodUsageList, error) {
	return fetch[PodUsageList](ctx, c, newCall(http.MethodGet, "environments", id, "usage"))
}

// GetEnvironmentReceipt reads the receipt of a removal, also while it goes on.
func (c *Client) GetEnvironmentReceipt(ctx context.Context, id string) (Receipt, error) {
	return fetch[Receipt](ctx, c, newCall(http.MethodGet, "environments", id, "receipt"))
}
