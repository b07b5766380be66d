package gitlab

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// Connect makes the credential ready: a token of a person, a project or a group.
func (Host) Connect(_ context.Context, c *source.Connection) error {
	c.Token = c.Credential
	token := c.Token
	c.Sign = func(r *http.Request) { r.Header.Set("PRIVATE-TOKEN", token) }
	return nil
}

// CloneAs gives what Git clones with. Beside a token, the name of the user does not matter.
func (Host) CloneAs(c *source.Connection) (user, password string) { return "oauth2", c.Token }

// projectPath is the path of the project, without a slash at its end. Its whole name is one part.
func projectPath(c *source.Connection) (string, error) {
	if _, err := c.Parts(0); err != nil {
		return "", err
	}
	return "/projects/" + url.PathEscape(c.Repository), nil
}

// number is that of a page; 0 for the first.
func number(page string) int {
	n, _ := strconv.Atoi(page)
	return n
}
