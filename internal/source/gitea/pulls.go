package gitea

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Changed gives the pull requests that changed. There is no etag. A server may give fewer on a page than it is asked for; where it does not tell whether there
// are more, the list ends with an empty page.
func (Host) Changed(ctx context.Context, c *source.Connection, since time.Time, etag string) (source.Changes, error) {
	at, err := repo(c)
	if err != nil {
		return source.Changes{}, err
	}
	state := "all"
	if since.IsZero() {
		state = "open"
	}
	list := func(ctx context.Context, page, _ string) (source.PullPage, error) {
		n := max(1, number(page))
		var out source.PullPage
		h, _, err := c.Call(ctx, http.MethodGet, fmt.Sprintf("%s/pulls?state=%s&sort=recentupdate&page=%d&limit=50", at, state, n), nil, nil, &out.Pulls)
		if source.HasNext(h) || h.Get("Link") == "" {
			out.Next = strconv.Itoa(n + 1)
		}
		return out, err
	}
	return source.Collect(ctx, since, etag, list, func(_ context.Context, js []byte) (blueberry.PullRequest, error) { return source.ReadPull(js, read) })
}
