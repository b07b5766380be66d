package github

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// What GitHub takes of an App: the time of the token may be at most ten minutes ahead, and its clock may be behind ours.
const (
	tokenBack  = time.Minute
	tokenAhead = 9 * time.Minute
)

// installationToken asks for a token of the App's installation on the repository, which may do nothing elsewhere. It lives for an hour.
func installationToken(ctx context.Context, c *source.Connection) (string, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(c.Credential))
	if err != nil {
		return "", &source.HostError{Text: "the credential is no private key of an App: it must be RSA, in PEM"}
	}
	now := c.Now()
	claims := jwt.RegisteredClaims{
		Issuer: strconv.FormatInt(c.Access.App, 10), IssuedAt: jwt.NewNumericDate(now.Add(-tokenBack)), ExpiresAt: jwt.NewNumericDate(now.Add(tokenAhead)),
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(key)
	if err != nil {
		return "", &source.HostError{Text: "the private key of the App signs nothing"}
	}
	app := *c
	app.Token, app.Sign = signed, source.Bearer(signed)
	at, err := repo(c)
	if err != nil {
		return "", err
	}
	id := c.Access.Installation
	if id == 0 {
		var said struct {
			ID int64 `json:"id"`
		}
		if _, _, err := app.Call(ctx, http.MethodGet, at+"/installation", nil, nil, &said); err != nil {
			return "", err
		}
		id = said.ID
	}
	var said struct {
		Token string `json:"token"`
	}
	_, name, _ := strings.Cut(c.Repository, "/")
	in := map[string]any{"repositories": []string{name}}
	_, status, err := app.Call(ctx, http.MethodPost, fmt.Sprintf("/app/installations/%d/access_tokens", id), nil, in, &said)
	if err == nil && said.Token == "" {
		err = &source.HostError{Status: status, Text: "the host gave no token for the installation of the App"}
	}
	return said.Token, err
}
