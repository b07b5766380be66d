package github

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// permissions are the four that GitHub reduces all roles to; triage is read, and maintain is write.
var permissions = map[string]blueberry.HostPermission{"admin": blueberry.HostAdmin, "write": blueberry.HostWrite, "read": blueberry.HostRead}

// Permission gives what a user may do, also as a member of a team. Of a public repository, everybody may read.
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
		Role string `json:"role_name"` // or one that an organisation has made
	}
	_, _, err = c.Call(ctx, http.MethodGet, at+"/collaborators/"+url.PathEscape(user)+"/permission", nil, nil, &said)
	switch {
	case source.HostStatus(err) == http.StatusNotFound:
		return blueberry.HostNone, nil
	case err != nil:
		return blueberry.HostNone, err
	case !strings.EqualFold(said.User.Login, user): // the answer is about somebody else
		return blueberry.HostNone, nil
	case said.Role == "maintain" && said.Permission == "write":
		return blueberry.HostAdmin, nil
	}
	if p, known := permissions[said.Permission]; known {
		return p, nil
	}
	return blueberry.HostNone, nil
}
