package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/oauth2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	pageSize = 100 // what GitHub gives at most
	maxPages = 10
)

// Driver speaks to GitHub. It is an access.ProviderDriver for blueberry.ProviderGitHub.
type Driver struct {
	Client *http.Client // nil for access.ProviderClient

	once sync.Once
	http *http.Client
}

func (d *Driver) client() *http.Client {
	d.once.Do(func() {
		if d.http = d.Client; d.http == nil {
			d.http = access.ProviderClient()
		}
	})
	return d.http
}

// places are the addresses of github.com, or of the enterprise server of a provider.
func places(p blueberry.IdentityProvider) (web, api string) {
	if p.Issuer == "" || strings.TrimRight(p.Issuer, "/") == "https://github.com" {
		return "https://github.com", "https://api.github.com"
	}
	web = strings.TrimRight(p.Issuer, "/")
	return web, web + "/api/v3"
}

func config(p blueberry.IdentityProvider, secret, redirect string) *oauth2.Config {
	web, _ := places(p)
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: secret, RedirectURL: redirect,
		Endpoint: oauth2.Endpoint{AuthURL: web + "/login/oauth/authorize", TokenURL: web + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams},
		Scopes:   append([]string{"read:user", "user:email", "read:org"}, p.Scopes...),
	}
}

// Begin gives the address of GitHub's page, with state and the S256 of PKCE. OAuth has no nonce: state and verifier tie the answer to the browser.
func (d *Driver) Begin(_ context.Context, p blueberry.IdentityProvider, secret string, r access.ProviderAsk) (string, error) {
	return config(p, secret, r.RedirectURL).AuthCodeURL(r.State, oauth2.S256ChallengeOption(r.Verifier)), nil
}

// Finish exchanges the code and reads the account.
func (d *Driver) Finish(ctx context.Context, p blueberry.IdentityProvider, secret string, a access.ProviderAnswer) (access.Claims, error) {
	web, api := places(p)
	if a.Issuer != "" && strings.TrimRight(a.Issuer, "/") != web && a.Issuer != web+"/login/oauth" {
		return access.Claims{}, wrong("it is of another provider than the one that was asked")
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, d.client())
	token, err := config(p, secret, a.RedirectURL).Exchange(ctx, a.Code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return access.Claims{}, exchangeError(err)
	}
	return account(ctx, reader{client: d.client(), api: api, token: token.AccessToken})
}

// IDToken is Conflict: GitHub has none.
func (d *Driver) IDToken(context.Context, blueberry.IdentityProvider, string, string) (access.Claims, error) {
	return access.Claims{}, blueberry.Errorf(blueberry.Conflict, "PROVIDER_HAS_NO_ID_TOKENS", "GitHub gives no ID tokens to people: sign in on its page")
}

func wrong(format string, args ...any) error {
	return blueberry.Errorf(blueberry.Unauthenticated, "PROVIDER_ANSWER_INVALID", "the answer of the identity provider is not valid: "+format, args...)
}

func unreachable(doing string) error {
	return blueberry.Errorf(blueberry.Unavailable, "PROVIDER_UNREACHABLE", "the identity provider does not answer as it should: %s failed", doing)
}

// exchangeError tells a refused code, which GitHub answers with 200, from a server that is down. GitHub's own text stays out.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil || refused.Response.StatusCode >= http.StatusInternalServerError {
		return unreachable("the exchange of the code")
	}
	if refused.ErrorCode == "incorrect_client_credentials" {
		return blueberry.Errorf(blueberry.Unavailable, "PROVIDER_CLIENT_REFUSED", "the identity provider does not take our client id and secret: tell an owner of Blueberry")
	}
	return wrong("it did not take the code")
}

// reader reads GitHub's API.
type reader struct {
	client *http.Client
	api    string
	token  string
}

func (r reader) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.api+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask GitHub: %w", err)
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("Authorization", "Bearer "+r.token)
	resp, err := r.client.Do(req) //nolint:bodyclose // Drain closes it
	if err != nil {
		return unreachable("the reading of the account")
	}
	defer access.Drain(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return unreachable(fmt.Sprintf("the reading of the account with status %d", resp.StatusCode))
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return unreachable("the reading of the account")
	}
	return nil
}

// list reads a list page by page.
func list[T any](ctx context.Context, r reader, path string) ([]T, error) {
	var all []T
	for page := 1; page <= maxPages; page++ {
		var items []T
		if err := r.get(ctx, path+"?"+url.Values{"per_page": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(page)}}.Encode(), &items); err != nil {
			return nil, err
		}
		all = append(all, items...)
		if len(items) < pageSize {
			break
		}
	}
	return all, nil
}

// account reads who a token is of.
func account(ctx context.Context, r reader) (access.Claims, error) {
	var user struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
		Name  string `json:"name"`
	}
	if err := r.get(ctx, "/user", &user); err != nil {
		return access.Claims{}, err
	}
	if user.ID <= 0 {
		return access.Claims{}, wrong("it names nobody")
	}
	out := access.Claims{Subject: strconv.FormatInt(user.ID, 10), Name: user.Name}
	if out.Name == "" {
		out.Name = user.Login
	}
	type address struct {
		Email             string `json:"email"`
		Primary, Verified bool
	}
	addresses, err := list[address](ctx, r, "/user/emails")
	if err != nil {
		return access.Claims{}, err
	}
	for _, a := range addresses {
		if a.Primary {
			out.Email, out.EmailVerified = a.Email, a.Verified
		}
	}
	type organization struct {
		Login string `json:"login"`
	}
	organizations, err := list[organization](ctx, r, "/user/orgs")
	if err != nil {
		return access.Claims{}, err
	}
	for _, o := range organizations {
		out.Groups = append(out.Groups, o.Login)
	}
	type team struct {
		Slug         string       `json:"slug"`
		Organization organization `json:"organization"`
	}
	teams, err := list[team](ctx, r, "/user/teams")
	if err != nil {
		return access.Claims{}, err
	}
	for _, t := range teams {
		out.Groups = append(out.Groups, t.Organization.Login+"/"+t.Slug)
	}
	return out, nil
}
