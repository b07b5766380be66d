package gitea

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

var permissions = map[string]blueberry.HostPermission{
	"owner": blueberry.HostAdmin, "admin": blueberry.HostAdmin, "write": blueberry.HostWrite, "read": blueberry.HostRead,
}

// Permission gives what a user may do, also as a member of a team. The credential is asked to be of somebody who runs the repository.
func (Host) Permission(ctx context.Context, c *source.Connection, user string) (blueberry.HostPermission, error) {
	at, err := repo(c)
	if err != nil {
		return blueberry.HostNone, err
	}
	var said struct {
		Permission string `json:"permission"`
		User       struct {
			Login string `json:"login"`
		} `json:"user"`
	}
	_, _, err = c.Call(ctx, http.MethodGet, at+"/collaborators/"+url.PathEscape(user)+"/permission", nil, nil, &said)
	switch {
	case source.HostStatus(err) == http.StatusNotFound:
		return blueberry.HostNone, nil
	case err != nil:
		return blueberry.HostNone, err
	case !strings.EqualFold(said.User.Login, user): // the answer is about somebody else
		return blueberry.HostNone, nil
	}
	if p, known := permissions[said.Permission]; known {
		return p, nil
	}
	return blueberry.HostNone, nil
}
