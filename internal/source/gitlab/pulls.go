package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// listed is a merge request of a list. It names projects by their ids alone.
type listed struct {
	IID          int64    `json:"iid"`
	Title        string   `json:"title"`
	URL          string   `json:"web_url"`
	State        string   `json:"state"`
	Draft        bool     `json:"draft"`
	Unfinished   bool     `json:"work_in_progress"` // as older servers call it
	SourceBranch string   `json:"source_branch"`
	TargetBranch string   `json:"target_branch"`
	Source       int64    `json:"source_project_id"` // null when it is gone
	Target       int64    `json:"target_project_id"`
	Commit       string   `json:"sha"`
	Labels       []string `json:"labels"`
	UpdatedAt    string   `json:"updated_at"`
	Author       struct {
		Username string `json:"username"`
	} `json:"author"`
}

// merge is the merge request between two projects.
func (said listed) merge(source, target project) merge {
	return merge{
		at: "merge_request.", number: said.IID, title: said.Title, url: said.URL, state: said.State, author: said.Author.Username, draft: said.Draft || said.Unfinished,
		source: source, target: target, sourceBranch: said.SourceBranch, targetBranch: said.TargetBranch, commit: said.Commit, updatedAt: said.UpdatedAt, labels: said.Labels,
	}
}

// Changed gives the merge requests that changed. Each project that one of them comes from is asked for once.
func (Host) Changed(ctx context.Context, c *source.Connection, since time.Time, etag string) (source.Changes, error) {
	at, err := projectPath(c)
	if err != nil {
		return source.Changes{}, err
	}
	state := "all"
	if since.IsZero() {
		state = "opened"
	}
	list := func(ctx context.Context, page, etag string) (source.PullPage, error) {
		var known http.Header
		if etag != "" {
			known = http.Header{"If-None-Match": {etag}}
		}
		n := max(1, number(page))
		var out source.PullPage
		path := fmt.Sprintf("%s/merge_requests?state=%s&order_by=updated_at&sort=desc&per_page=100&page=%d", at, state, n)
		h, status, err := c.Call(ctx, http.MethodGet, path, known, nil, &out.Pulls)
		out.ETag, out.Unchanged = h.Get("ETag"), status == http.StatusNotModified
		if source.HasNext(h) {
			out.Next = strconv.Itoa(n + 1)
		}
		return out, err
	}
	projects := projects{c, map[int64]project{}}
	return source.Collect(ctx, since, etag, list, func(ctx context.Context, js []byte) (blueberry.PullRequest, error) {
		var said listed
		if err := source.Decode(js, &said); err != nil {
			return blueberry.PullRequest{}, err
		}
		var r source.Reading
		p := said.merge(project{}, project{Path: c.Repository}).read(&r)
		if _, err := r.Give(source.Incoming{Pull: p}); err != nil || p.HostAt.Before(since) {
			return *p, err // the projects of what is old, or cannot be read, are not asked for
		}
		from, err := projects.get(ctx, said.Source)
		if err != nil {
			return *p, err
		}
		to, err := projects.get(ctx, said.Target)
		if err != nil {
			return *p, err
		}
		p = said.merge(from, to).read(&r)
		_, err = r.Give(source.Incoming{Pull: p})
		return *p, err
	})
}

// projects are those that were asked for, by their ids.
type projects struct {
	*source.Connection
	known map[int64]project
}

// get gives a project; an empty one when it is gone, or the token may not see it.
func (x projects) get(ctx context.Context, id int64) (project, error) {
	if p, ok := x.known[id]; ok || id == 0 {
		return p, nil
	}
	var said struct {
		Path string `json:"path_with_namespace"`
		URL  string `json:"http_url_to_repo"`
	}
	_, _, err := x.Call(ctx, http.MethodGet, fmt.Sprintf("/projects/%d", id), nil, nil, &said)
	if err != nil && !source.Denied(err) {
		return project{}, err
	}
	x.known[id] = project{said.Path, said.URL}
	return x.known[id], nil
}
