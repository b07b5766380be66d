package sdk

import (
	"context"
	"iter"
	"net/http"
	"strconv"
)

// CreateConfigSet makes a config set with its first version.
func (c *Client) CreateConfigSet(ctx context.Context, r CreateConfigSetRequest, options ...CallOption) (EditedConfigSet, error) {
	return fetch[EditedConfigSet](ctx, c, post(r, "config-sets"), options...)
}

// CheckConfigSet tells every fault of a config set that could be made, or of values that one could get, as a *Problem. Nothing is stored.
func (c *Client) CheckConfigSet(ctx context.Context, r CreateConfigSetRequest) error {
	return c.do(ctx, post(r, "config-sets", "check"))
}

// ListConfigSets reads one page of config sets.
func (c *Client) ListConfigSets(ctx context.Context, f CatalogueFilter) (ConfigSetPage, error) {
	return fetch[ConfigSetPage](ctx, c, f.call("config-sets"))
}

// AllConfigSets reads page after page. It ends after the first error.
func (c *Client) AllConfigSets(ctx context.Context, f CatalogueFilter) iter.Seq2[ConfigSet, error] {
	return pages(f.Cursor, func(cursor string) ([]ConfigSet, string, error) {
		f.Cursor = cursor
		page, err := c.ListConfigSets(ctx, f)
		return page.Items, page.NextCursor, err
	})
}

// GetConfigSet reads one config set by id.
func (c *Client) GetConfigSet(ctx context.Context, id string) (ConfigSet, error) {
	return fetch[ConfigSet](ctx, c, newCall(http.MethodGet, "config-sets", id))
}

// DeleteConfigSet removes a config set that no environment uses.
func (c *Client) DeleteConfigSet(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "config-sets", id), options...)
}

// EditConfigSet makes a new version of a config set.
func (c *Client) EditConfigSet(ctx context.Context, id string, r EditConfigSetRequest, options ...CallOption) (EditedConfigSet, error) {
	return fetch[EditedConfigSet](ctx, c, post(r, "config-sets", id, "versions"), options...)
}

// RestoreConfigSet makes a new version with the content of an old one.
func (c *Client) RestoreConfigSet(ctx context.Context, id string, r RestoreConfigSetRequest, options ...CallOption) (EditedConfigSet, error) {
	return fetch[EditedConfigSet](ctx, c, post(r, "config-sets", id, "restore"), options...)
}

// ListConfigSetVersions reads versions of a config set, newest first.
func (c *Client) ListConfigSetVersions(ctx context.Context, id string, w Window) (ConfigVersionList, error) {
	return fetch[ConfigVersionList](ctx, c, w.call("config-sets", id, "versions"))
}

// AllConfigSetVersions reads run after run, newest first. It ends after the first error.
func (c *Client) AllConfigSetVersions(ctx context.Context, id string, w Window) iter.Seq2[ConfigVersion, error] {
	return runs(w, func(w Window) ([]ConfigVersion, int, error) {
		run, err := c.ListConfigSetVersions(ctx, id, w)
		return run.Items, run.NextBefore, err
	})
}

// GetConfigSetVersion reads one version with its content.
func (c *Client) GetConfigSetVersion(ctx context.Context, id string, number int) (ConfigVersion, error) {
	return fetch[ConfigVersion](ctx, c, newCall(http.MethodGet, "config-sets", id, "versions", strconv.Itoa(number)))
}

// DiffConfigSetVersions compares two versions of a config set.
func (c *Client) DiffConfigSetVersions(ctx context.Context, id string, from, to int) (ConfigDiff, error) {
	return fetch[ConfigDiff](ctx, c, between(from, to, "config-sets", id, "diff"))
}

// ListConfigSetUsers reads the living environments that a config set is merged into.
func (c *Client) ListConfigSetUsers(ctx context.Context, id string) (EnvironmentUseList, error) {
	return fetch[EnvironmentUseList](ctx, c, newCall(http.MethodGet, "config-sets", id, "users"))
}

// GetConfigSetImpact tells what another version of a config set would change. Nothing is stored.
func (c *Client) GetConfigSetImpact(ctx context.Context, id string, r ConfigImpactRequest) (ConfigImpact, error) {
	return fetch[ConfigImpact](ctx, c, post(r, "config-sets", id, "impact"))
}

func (f CatalogueFilter) call(path ...string) *call {
	k := newCall(http.MethodGet, path...)
	k.set("project", f.Project)
	k.set("scope", f.Scope)
	k.set("q", f.Search)
	k.setInt("limit", int64(f.Limit))
	k.set("cursor", f.Cursor)
	return k
}

func (w Window) call(path ...string) *call {
	k := newCall(http.MethodGet, path...)
	k.setInt("before", int64(w.Before))
	k.setInt("limit", int64(w.Limit))
	return k
}

func between(from, to int, path ...string) *call {
	k := newCall(http.MethodGet, path...)
	k.setInt("from", int64(from))
	k.setInt("to", int64(to))
	return k
}

// runs walks a list of numbered things; next reads the run that a window asks for.
func runs[T any](w Window, next func(Window) ([]T, int, error)) iter.Seq2[T, error] {
	cursor := ""
	if w.Before > 0 {
		cursor = strconv.Itoa(w.Before)
	}
	return pages(cursor, func(cursor string) ([]T, string, error) {
		w.Before, _ = strconv.Atoi(cursor) // we wrote it below; empty is 0
		items, before, err := next(w)
		if before == 0 {
			return items, "", err
		}
		return items, strconv.Itoa(before), err
	})
}
