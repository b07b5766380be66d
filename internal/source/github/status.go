package github

import (
	"context"
	"net/http"
	"net/url"

	"github.com/blueberry-idp/blueberry/internal/source"
)

type status struct {
	State       string `json:"state"`
	Context     string `json:"context"`
	Description string `json:"description"`
	TargetURL   string `json:"target_url,omitempty"`
}

// SetStatus has a commit bear the status. GitHub keeps each one and shows the newest.
func (Host) SetStatus(ctx context.Context, c *source.Connection, commit string, s source.CommitStatus) error {
	at, err := repo(c)
	if err != nil {
		return err
	}
	commit = url.PathEscape(commit)
	var there []status
	if _, _, err := c.Call(ctx, http.MethodGet, at+"/commits/"+commit+"/statuses?per_page=100", nil, nil, &there); err != nil {
		return err
	}
	want := status{string(s.State), s.Context, s.Description, s.URL}
	for _, x := range there { // the newest first
		if x.Context == want.Context {
			if x == want {
				return nil
			}
			break
		}
	}
	_, _, err = c.Call(ctx, http.MethodPost, at+"/statuses/"+commit, nil, want, nil)
	return err
}
