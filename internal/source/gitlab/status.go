package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/blueberry-idp/blueberry/internal/source"
)

var statusStates = map[source.StatusState]string{source.StatusPending: "pending", source.StatusSuccess: "success", source.StatusFailure: "failed"}

type status struct {
	ID          int64  `json:"id"`
	Status      string `json:"status"` // when it is set, its name is state
	Name        string `json:"name"`
	Description string `json:"description"`
	TargetURL   string `json:"target_url"`
}

// under reports whether the status says that something is under way. GitLab refuses to set such a status again, also with other words.
func (s status) under() bool { return s.Status == "pending" || s.Status == "running" }

// SetStatus has a commit bear the status. While one is pending its description stays as it is: GitLab changes it with the state alone.
func (Host) SetStatus(ctx context.Context, c *source.Connection, commit string, s source.CommitStatus) error {
	at, err := projectPath(c)
	if err != nil {
		return err
	}
	commit = url.PathEscape(commit)
	var there []status
	q := url.Values{"name": {s.Context}, "per_page": {"100"}}
	if _, _, err := c.Call(ctx, http.MethodGet, at+"/repository/commits/"+commit+"/statuses?"+q.Encode(), nil, nil, &there); err != nil {
		return err
	}
	want := statusStates[s.State]
	var newest status
	for _, x := range there {
		if x.Name == s.Context && x.ID > newest.ID {
			newest = x
		}
	}
	if newest == (status{newest.ID, want, s.Context, s.Description, s.URL}) || s.State == source.StatusPending && newest.under() {
		return nil
	}
	in := map[string]string{"state": want, "name": s.Context, "description": s.Description}
	if s.URL != "" {
		in["target_url"] = s.URL
	}
	set := func() error {
		_, _, err := c.Call(ctx, http.MethodPost, at+"/statuses/"+commit, nil, in, nil)
		return err
	}
	if err = set(); source.HostStatus(err) != http.StatusNotFound {
		return err
	}
	// No branch of the project has the commit: it comes from a fork, and GitLab wants to be told a ref.
	var merges []struct {
		IID int64 `json:"iid"`
	}
	if _, _, e := c.Call(ctx, http.MethodGet, at+"/repository/commits/"+commit+"/merge_requests", nil, nil, &merges); e != nil || len(merges) == 0 {
		return err
	}
	in["ref"] = fmt.Sprintf("refs/merge-requests/%d/head", merges[0].IID)
	return set()
}
