package bitbucket

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Changed gives the pull requests that changed. There is no etag.
func (Host) Changed(ctx context.Context, c *source.Connection, since time.Time, etag string) (source.Changes, error) {
	at, err := repo(c)
	if err != nil {
		return source.Changes{}, err
	}
	if isServer(c) {
		return source.Collect(ctx, since, etag, serverList(c, at, since), func(_ context.Context, js []byte) (blueberry.PullRequest, error) {
			return source.ReadPull(js, serverRead)
		})
	}
	return source.Collect(ctx, since, etag, cloudList(c, at, since), func(_ context.Context, js []byte) (blueberry.PullRequest, error) {
		return source.ReadPull(js, cloudRead)
	})
}

type lister func(ctx context.Context, page, etag string) (source.PullPage, error)

// cloudList lists those of Cloud, which gives at most 50 on a page.
func cloudList(c *source.Connection, at string, since time.Time) lister {
	wanted := "state=OPEN"
	if !since.IsZero() {
		wanted = "state=OPEN&state=MERGED&state=DECLINED&state=SUPERSEDED"
	}
	return func(ctx context.Context, page, _ string) (source.PullPage, error) {
		n := max(1, number(page))
		var said struct {
			Values []json.RawMessage `json:"values"`
			Next   string            `json:"next"` // an address; it is not followed but counted
		}
		_, _, err := c.Call(ctx, http.MethodGet, fmt.Sprintf("%s/pullrequests?%s&sort=-updated_on&pagelen=50&page=%d", at, wanted, n), nil, nil, &said)
		out := source.PullPage{Pulls: said.Values}
		if said.Next != "" {
			out.Next = strconv.Itoa(n + 1)
		}
		return out, err
	}
}

// serverList lists those of Data Center, the newest first.
func serverList(c *source.Connection, at string, since time.Time) lister {
	state := "ALL"
	if since.IsZero() {
		state = "OPEN"
	}
	return func(ctx context.Context, page, _ string) (source.PullPage, error) {
		var said struct {
			Values []json.RawMessage `json:"values"`
			serverPage
		}
		path := fmt.Sprintf("%s/pull-requests?state=%s&order=NEWEST&limit=100&start=%d", at, state, number(page))
		_, _, err := c.Call(ctx, http.MethodGet, path, nil, nil, &said)
		return source.PullPage{Pulls: said.Values, Next: said.next()}, err
	}
}
