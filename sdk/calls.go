package sdk

import (
	"context"
	"iter"
	"net/http"
	"strconv"
)

// CreateEnvironment asks for an environment. It is accepted, not yet made, when the call returns.
func (c *Client) CreateEnvironment(ctx context.Context, r CreateEnvironmentRequest, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, post(r, "environments"), options...)
}

// GetEnvironment reads one environment by id.
func (c *Client) GetEnvironment(ctx context.Context, id string) (Environment, error) {
	return fetch[Environment](ctx, c, newCall(http.MethodGet, "environments", id))
}

// ListEnvironments reads one page of environments.
func (c *Client) ListEnvironments(ctx context.Context, f EnvironmentFilter) (EnvironmentPage, error) {
	k := newCall(http.MethodGet, "environments")
	k.set("project", f.Project)
	k.set("name", f.Name)
	k.set("q", f.Search)
	k.set("owner", f.Owner)
	k.set("target", f.Target)
	k.set("restricted", f.Restricted)
	for _, l := range f.Labels {
		k.query.Add("label", l)
	}
	for _, p := range f.Phases {
		k.query.Add("phase", string(p))
	}
	k.set("sort", f.Sort)
	k.setInt("limit", int64(f.Limit))
	k.set("cursor", f.Cursor)
	return fetch[EnvironmentPage](ctx, c, k)
}

// AllEnvironments reads page after page. It ends after the first error.
func (c *Client) AllEnvironments(ctx context.Context, f EnvironmentFilter) iter.Seq2[Environment, error] {
	return pages(f.Cursor, func(cursor string) ([]Environment, string, error) {
		f.Cursor = cursor
		page, err := c.ListEnvironments(ctx, f)
		return page.Items, page.NextCursor, err
	})
}

// DestroyEnvironment asks for the end of an environment. It is terminating, not yet gone, when the call returns. Asking twice is asking once. With
// ApplyPlan it does what a plan says.
func (c *Client) DestroyEnvironment(ctx context.Context, id string, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, newCall(http.MethodDelete, "environments", id), options...)
}

// ExtendEnvironment adds hours to what is left of an environment's lease.
func (c *Client) ExtendEnvironment(ctx context.Context, id string, hours int, options ...CallOption) (Environment, error) {
	return fetch[Environment](ctx, c, post(ExtendEnvironmentRequest{Hours: hours}, "environments", id, "extend"), options...)
}

// ListEnvironmentEvents reads events of one environment, oldest first.
func (c *Client) ListEnvironmentEvents(ctx context.Context, id string, f EventFilter) (EventList, error) {
	return fetch[EventList](ctx, c, events(f, "environments", id, "events"))
}

// GetEnvironmentRendering reads the manifests of a revision; 0 means the desired one.
func (c *Client) GetEnvironmentRendering(ctx context.Context, id string, revision int) (Rendering, error) {
	k := newCall(http.MethodGet, "environments", id, "rendering")
	k.setInt("revision", int64(revision))
	return fetch[Rendering](ctx, c, k)
}

// ListEnvironmentObjects reads what was made for an environment; of a terminated one, the receipt.
func (c *Client) ListEnvironmentObjects(ctx context.Context, id string) (ObjectList, error) {
	return fetch[ObjectList](ctx, c, newCall(http.MethodGet, "environments", id, "objects"))
}

// ListEvents reads events of every environment, oldest first.
func (c *Client) ListEvents(ctx context.Context, f EventFilter) (EventList, error) {
	return fetch[EventList](ctx, c, events(f, "events"))
}

// ListJobs reads one page of jobs, newest first.
func (c *Client) ListJobs(ctx context.Context, f JobFilter) (JobPage, error) {
	k := newCall(http.MethodGet, "jobs")
	k.set("kind", f.Kind)
	k.set("subject", f.Subject)
	for _, s := range f.States {
		k.query.Add("state", s)
	}
	k.setInt("limit", int64(f.Limit))
	k.set("cursor", f.Cursor)
	return fetch[JobPage](ctx, c, k)
}

// AllJobs reads page after page. It ends after the first error.
func (c *Client) AllJobs(ctx context.Context, f JobFilter) iter.Seq2[Job, error] {
	return pages(f.Cursor, func(cursor string) ([]Job, string, error) {
		f.Cursor = cursor
		page, err := c.ListJobs(ctx, f)
		return page.Items, page.NextCursor, err
	})
}

// GetJob reads one job.
func (c *Client) GetJob(ctx context.Context, id int64) (Job, error) {
	return fetch[Job](ctx, c, newCall(http.MethodGet, "jobs", strconv.FormatInt(id, 10)))
}

// RetryJob lets a dead, cancelled or waiting job run now.
func (c *Client) RetryJob(ctx context.Context, id int64, options ...CallOption) (Job, error) {
	return fetch[Job](ctx, c, post(nil, "jobs", strconv.FormatInt(id, 10), "retry"), options...)
}

// CancelJob ends a job that has not finished.
func (c *Client) CancelJob(ctx context.Context, id int64, options ...CallOption) (Job, error) {
	return fetch[Job](ctx, c, post(nil, "jobs", strconv.FormatInt(id, 10), "cancel"), options...)
}

// GetVersion tells what the server runs.
func (c *Client) GetVersion(ctx context.Context) (Version, error) {
	return fetch[Version](ctx, c, newCall(http.MethodGet, "version"))
}

func post(body any, path ...string) *call {
	k := newCall(http.MethodPost, path...)
	k.body = body
	return k
}

func events(f EventFilter, path ...string) *call {
	k := newCall(http.MethodGet, path...)
	k.setInt("after", f.After)
	k.setInt("limit", int64(f.Limit))
	return k
}

func fetch[T any](ctx context.Context, c *Client, k *call, options ...CallOption) (T, error) {
	var out T
	k.out = &out
	err := c.do(ctx, k, options...)
	return out, err
}

// pages walks a list; next reads the page behind a cursor.
func pages[T any](cursor string, next func(cursor string) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			items, following, err := next(cursor)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, x := range items {
				if !yield(x, nil) {
					return
				}
			}
			if following == "" {
				return
			}
			cursor = following
		}
	}
}
