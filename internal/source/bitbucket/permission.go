package bitbucket

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// Permission gives what a user may do, also as a member of a group. Cloud names users by UUID, Data Center by name.
func (Host) Permission(ctx context.Context, c *source.Connection, user string) (blueberry.HostPermission, error) {
	if isServer(c) {
		return serverPermission(ctx, c, user)
	}
	return cloudPermission(ctx, c, user)
}

var cloudPermissions = map[string]blueberry.HostPermission{"admin": blueberry.HostAdmin, "write": blueberry.HostWrite, "read": blueberry.HostRead}

// cloudPermission reads the effective permissions in the repository, of which there is at most one of a user. The credential has to be of somebody who runs it.
func cloudPermission(ctx context.Context, c *source.Connection, user string) (blueberry.HostPermission, error) {
	parts, err := c.Parts(2)
	if err != nil {
		return blueberry.HostNone, err
	}
	if strings.ContainsAny(user, `"\`) { // no UUID has them, and a query would end at one
		return blueberry.HostNone, nil
	}
	var said struct {
		Values []struct {
			Permission string    `json:"permission"`
			User       cloudUser `json:"user"`
		} `json:"values"`
	}
	at := fmt.Sprintf("/workspaces/%s/permissions/repositories/%s?q=%s&pagelen=100", parts[0], parts[1], url.QueryEscape(`user.uuid="`+user+`"`))
	if _, _, err := c.Call(ctx, http.MethodGet, at, nil, nil, &said); err != nil {
		return blueberry.HostNone, err
	}
	best := blueberry.HostNone
	for _, x := range said.Values {
		if p, known := cloudPermissions[x.Permission]; known && x.User.UUID == user && p.Holds(best) {
			best = p
		}
	}
	return best, nil
}

// serverPermission asks who holds a permission, the strongest first: lists of permissions tell of each person and each group apart. A server leaves out what it
// does not know of a question, and one that leaves out all of it has everybody hold everything. So whoever holds something must not hold it in a repository that
// there is not.
func serverPermission(ctx context.Context, c *source.Connection, user string) (blueberry.HostPermission, error) {
	if _, err := repo(c); err != nil {
		return blueberry.HostNone, err
	}
	key, slug, _ := strings.Cut(c.Repository, "/")
	for _, x := range []struct {
		name  string
		means blueberry.HostPermission
	}{{"REPO_ADMIN", blueberry.HostAdmin}, {"REPO_WRITE", blueberry.HostWrite}, {"REPO_READ", blueberry.HostRead}} {
		holds, err := serverHolds(ctx, c, user, x.name, key, slug)
		if err != nil {
			return blueberry.HostNone, err
		}
		if !holds {
			continue
		}
		anywhere, err := serverHolds(ctx, c, user, x.name, key, strings.ToLower(rand.Text()))
		switch status := source.HostStatus(err); {
		case status == http.StatusNotFound || status == http.StatusBadRequest: // it has looked for the repository
			return x.means, nil
		case err != nil:
			return blueberry.HostNone, err
		case anywhere:
			return blueberry.HostNone, &source.HostError{Status: http.StatusForbidden, Text: "the server does not tell permissions in a repository from others"}
		}
		return x.means, nil
	}
	return blueberry.HostNone, nil
}

// serverHolds reports whether a user is among those of whom the server says that they hold a permission in a repository.
func serverHolds(ctx context.Context, c *source.Connection, user, permission, key, slug string) (bool, error) {
	for start := 0; ; {
		q := url.Values{
			"filter": {user}, "permission.1": {permission}, "permission.1.projectKey": {key}, "permission.1.repositorySlug": {slug},
			"limit": {"100"}, "start": {fmt.Sprint(start)},
		}
		var said struct {
			Values []struct {
				Name   string `json:"name"`
				Active *bool  `json:"active"`
			} `json:"values"`
			serverPage
		}
		if _, _, err := c.Call(ctx, http.MethodGet, "/users?"+q.Encode(), nil, nil, &said); err != nil {
			return false, err
		}
		for _, v := range said.Values { // whose name, or name for people, holds the text
			if v.Name == user && (v.Active == nil || *v.Active) {
				return true, nil
			}
		}
		next := number(said.next())
		if next <= start {
			return false, nil
		}
		start = next
	}
}
