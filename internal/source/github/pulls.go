package github

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Changed gives the pull requests that changed.
func (Host) Changed(ctx context.Context, c *source.Connection, since time.Time, etag string) (source.Changes, error) {
	at, err := repo(c)
	if err != nil {
		return source.Changes{}, err
	}
	state := "all"
	if since.IsZero() {
		state = "open"
	}
	list := func(ctx context.Context, page, etag string) (source.PullPage, error) {
		var known http.Header
		if etag != "" {
			known = http.Header{"If-None-Match": {etag}}
		}
		n := max(1, number(page))
		var out source.PullPage
		h, status, err := c.Call(ctx, http.MethodGet, fmt.Sprintf("%s/pulls?state=%s&sort=updated&direction=desc&per_page=100&page=%d", at, state, n), known, nil, &out.Pulls)
		out.ETag, out.Unchanged = h.Get("ETag"), status == http.StatusNotModified
		if source.HasNext(h) {
			out.Next = strconv.Itoa(n + 1)
		}
		return out, err
	}
	return source.Collect(ctx, since, etag, list, func(_ context.Context, js []byte) (blueberry.PullRequest, error) { return source.ReadPull(js, read) })
}
