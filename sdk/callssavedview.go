package sdk

import (
	"context"
	"net/http"
)

// ListViews reads the views that one saved, by name. 403 PERSON_NEEDED for a program.
func (c *Client) ListViews(ctx context.Context) (SavedViewList, error) {
	return fetch[SavedViewList](ctx, c, newCall(http.MethodGet, "account", "views"))
}

// SaveView keeps a view under a name, in the place of the one that has it. 409 TOO_MANY_VIEWS says that there are as many as one may have.
func (c *Client) SaveView(ctx context.Context, name string, r SaveViewRequest, options ...CallOption) (SavedView, error) {
	return fetch[SavedView](ctx, c, put(r, "account", "views", name), options...)
}

// DeleteView deletes one. 404 VIEW_NOT_FOUND says that there is none of the name.
func (c *Client) DeleteView(ctx context.Context, name string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "account", "views", name), options...)
}
