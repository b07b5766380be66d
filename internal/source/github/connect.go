package github

import (
	"context"
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// version is that of the API.
const version = "2022-11-28"

// Connect makes the credential ready.
func (Host) Connect(ctx context.Context, c *source.Connection) error {
	c.Header = http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {version}}
	c.Token = c.Credential
	if c.Access.App != 0 {
		token, err := installationToken(ctx, c)
		if err != nil {
			return err
		}
		c.Token = token
	}
	c.Sign = source.Bearer(c.Token)
	return nil
}

// CloneAs gives what Git clones with.
func (Host) CloneAs(c *source.Connection) (user, password string) { return "x-access-token", c.Token }

// repo is the path of the repository, without a slash at its end.
func repo(c *source.Connection) (string, error) {
	parts, err := c.Parts(2)
	if err != nil {
		return "", err
	}
	return "/repos/" + parts[0] + "/" + parts[1], nil
}
