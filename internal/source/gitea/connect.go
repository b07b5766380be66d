package gitea

import (
	"context"
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// Connect makes the credential ready.
func (Host) Connect(_ context.Context, c *source.Connection) error {
	c.Token = c.Credential
	token := "token " + c.Token
	c.Sign = func(r *http.Request) { r.Header.Set("Authorization", token) }
	return nil
}

// CloneAs gives what Git clones with. Beside a token, the name of the user does not matter.
func (Host) CloneAs(c *source.Connection) (user, password string) { return "blueberry", c.Token }

// repo is the path of the repository, without a slash at its end.
func repo(c *source.Connection) (string, error) {
	parts, err := c.Parts(2)
	if err != nil {
		return "", err
	}
	return "/repos/" + parts[0] + "/" + parts[1], nil
}

// SetDeployment does nothing: neither Gitea nor Forgejo knows deployments.
func (Host) SetDeployment(context.Context, *source.Connection, source.Deployment) (string, error) {
	return "", nil
}
