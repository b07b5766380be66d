package gitea

import (
	"context"
	"net/http"
	"net/url"

	"github.com/blueberry-idp/blueberry/internal/source"
)

type status struct {
	ID          int64  `json:"id"`
	Status      string `json:"status"` // when it is set, its name is state
	Context     string `json:"context"`
	Description string `json:"description"`
	TargetURL   string `json:"target_url"`
}

// SetStatus has a commit bear the status. Each one is kept, and the newest is shown. What "highestindex" means differs between versions; the newest is found by
// its id.
func (Host) SetStatus(ctx context.Context, c *source.Connection, commit string, s source.CommitStatus) error {
	at, err := repo(c)
	if err != nil {
		return err
	}
	commit = url.PathEscape(commit)
	var there []status
	if _, _, err := c.Call(ctx, http.MethodGet, at+"/commits/"+commit+"/statuses?sort=recentupdate&limit=50", nil, nil, &there); err != nil {
		return err
	}
	var newest status
	for _, x := range there {
		if x.Context == s.Context && x.ID > newest.ID {
			newest = x
		}
	}
	if newest == (status{newest.ID, string(s.State), s.Context, s.Description, s.URL}) {
		return nil
	}
	in := map[string]string{"state": string(s.State), "context": s.Context, "description": s.Description, "target_url": s.URL}
	_, _, err = c.Call(ctx, http.MethodPost, at+"/statuses/"+commit, nil, in, nil)
	return err
}
