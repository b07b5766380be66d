package bitbucket

import (
	"context"
	"net/http"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// isServer reports whether the API is that of Data Center.
func isServer(c *source.Connection) bool {
	_, _, ok := strings.Cut(c.API, restAPI)
	return ok
}

// restAPI is where the API of Data Center begins, below its root.
const restAPI = "/rest/api/"

// Connect makes the credential ready: a token alone, or a token beside the name of its user.
func (Host) Connect(_ context.Context, c *source.Connection) error {
	c.Token = c.Credential
	c.Sign = source.Bearer(c.Token)
	if user, token := c.Access.User, c.Token; user != "" {
		c.Sign = func(r *http.Request) { r.SetBasicAuth(user, token) }
	}
	return nil
}

// CloneAs gives what Git clones with. A token whose user is named by an address of mail is an API token of Cloud, beside which Git has a name of its own.
func (Host) CloneAs(c *source.Connection) (user, password string) {
	switch {
	case c.Access.User == "":
		return "x-token-auth", c.Token
	case strings.Contains(c.Access.User, "@") && !isServer(c):
		return "x-bitbucket-api-token-auth", c.Token
	}
	return c.Access.User, c.Token
}

// SetDeployment does nothing: deployments are those of Bitbucket's own pipelines.
func (Host) SetDeployment(context.Context, *source.Connection, source.Deployment) (string, error) {
	return "", nil
}

// repo is the path of the repository, without a slash at its end.
func repo(c *source.Connection) (string, error) {
	parts, err := c.Parts(2)
	switch {
	case err != nil:
		return "", err
	case isServer(c):
		return "/projects/" + parts[0] + "/repos/" + parts[1], nil
	}
	return "/repositories/" + parts[0] + "/" + parts[1], nil
}
