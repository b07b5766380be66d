package gitlab

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// The least levels of access: reporters read, developers push, maintainers and owners run the project.
const (
	reporter   = 20
	developer  = 30
	maintainer = 40
)

// Permission gives what a user may do, also as a member of a group. The user is named by number.
func (Host) Permission(ctx context.Context, c *source.Connection, user string) (blueberry.HostPermission, error) {
	at, err := projectPath(c)
	if err != nil {
		return blueberry.HostNone, err
	}
	var said struct {
		ID    int64  `json:"id"`
		Level int    `json:"access_level"`
		State string `json:"state"` // "active", or "awaiting", "blocked"
	}
	_, _, err = c.Call(ctx, http.MethodGet, at+"/members/all/"+url.PathEscape(user), nil, nil, &said)
	switch {
	case source.HostStatus(err) == http.StatusNotFound:
		return blueberry.HostNone, nil
	case err != nil:
		return blueberry.HostNone, err
	case strconv.FormatInt(said.ID, 10) != user || said.State != "active" || said.Level < reporter:
		return blueberry.HostNone, nil
	case said.Level >= maintainer:
		return blueberry.HostAdmin, nil
	case said.Level >= developer:
		return blueberry.HostWrite, nil
	}
	return blueberry.HostRead, nil
}
