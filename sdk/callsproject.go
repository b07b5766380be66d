package sdk

import (
	"context"
	"iter"
	"net/http"
)

// CreateProject makes a project.
func (c *Client) CreateProject(ctx context.Context, r CreateProjectRequest, options ...CallOption) (Project, error) {
	return fetch[Project](ctx, c, post(r, "projects"), options...)
}

// UpdateProject changes the description of a project.
func (c *Client) UpdateProject(ctx context.Context, name string, r UpdateProjectRequest, options ...CallOption) (Project, error) {
	return fetch[Project](ctx, c, patch(r, "projects", name), options...)
}

// DeleteProject removes a project in which no environment lives, with all that it holds.
func (c *Client) DeleteProject(ctx context.Context, name string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "projects", name), options...)
}

// ListProjectMembers reads the members of a project.
func (c *Client) ListProjectMembers(ctx context.Context, project string) (MemberList, error) {
	return fetch[MemberList](ctx, c, newCall(http.MethodGet, "projects", project, "members"))
}

// SetProjectMember gives a user, by id or e-mail address, a role in a project.
func (c *Client) SetProjectMember(ctx context.Context, project, user string, r SetMemberRequest, options ...CallOption) (Member, error) {
	return fetch[Member](ctx, c, put(r, "projects", project, "members", user), options...)
}

// RemoveProjectMember takes a user's role in a project.
func (c *Client) RemoveProjectMember(ctx context.Context, project, user string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "projects", project, "members", user), options...)
}

// CreateServiceAccount makes a program of a project.
func (c *Client) CreateServiceAccount(ctx context.Context, project string, r CreateServiceAccountRequest, options ...CallOption) (ServiceAccount, error) {
	return fetch[ServiceAccount](ctx, c, post(r, "projects", project, "service-accounts"), options...)
}

// ListServiceAccounts reads the service accounts of a project.
func (c *Client) ListServiceAccounts(ctx context.Context, project string) (ServiceAccountList, error) {
	return fetch[ServiceAccountList](ctx, c, newCall(http.MethodGet, "projects", project, "service-accounts"))
}

// GetServiceAccount reads one service account by id.
func (c *Client) GetServiceAccount(ctx context.Context, id string) (ServiceAccount, error) {
	return fetch[ServiceAccount](ctx, c, newCall(http.MethodGet, "service-accounts", id))
}

// UpdateServiceAccount changes what the request names.
func (c *Client) UpdateServiceAccount(ctx context.Context, id string, r UpdateServiceAccountRequest, options ...CallOption) (ServiceAccount, error) {
	return fetch[ServiceAccount](ctx, c, patch(r, "service-accounts", id), options...)
}

// DeleteServiceAccount removes a service account and revokes its tokens.
func (c *Client) DeleteServiceAccount(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "service-accounts", id), options...)
}

// CreateOAuthClient registers a client. The answer is the only one that tells its secret.
func (c *Client) CreateOAuthClient(ctx context.Context, r CreateOAuthClientRequest, options ...CallOption) (MadeOAuthClient, error) {
	return fetch[MadeOAuthClient](ctx, c, post(r, "oauth-clients"), options...)
}

// ListOAuthClients reads clients, by id.
func (c *Client) ListOAuthClients(ctx context.Context, f OAuthClientFilter) (OAuthClientList, error) {
	k := newCall(http.MethodGet, "oauth-clients")
	k.set("after", f.After)
	k.setInt("limit", int64(f.Limit))
	return fetch[OAuthClientList](ctx, c, k)
}

// AllOAuthClients reads run after run. It ends after the first error.
func (c *Client) AllOAuthClients(ctx context.Context, f OAuthClientFilter) iter.Seq2[OAuthClient, error] {
	return pages(f.After, func(after string) ([]OAuthClient, string, error) {
		f.After = after
		run, err := c.ListOAuthClients(ctx, f)
		return run.Items, run.NextAfter, err
	})
}

// GetOAuthClient reads one client by id.
func (c *Client) GetOAuthClient(ctx context.Context, id string) (OAuthClient, error) {
	return fetch[OAuthClient](ctx, c, newCall(http.MethodGet, "oauth-clients", id))
}

// UpdateOAuthClient changes what the request names.
func (c *Client) UpdateOAuthClient(ctx context.Context, id string, r UpdateOAuthClientRequest, options ...CallOption) (OAuthClient, error) {
	return fetch[OAuthClient](ctx, c, patch(r, "oauth-clients", id), options...)
}

// RotateOAuthClientSecret gives a client another secret; the one before stops working.
func (c *Client) RotateOAuthClientSecret(ctx context.Context, id string, options ...CallOption) (MadeOAuthClient, error) {
	return fetch[MadeOAuthClient](ctx, c, post(nil, "oauth-clients", id, "secret"), options...)
}

// DeleteOAuthClient removes a client with its consents and tokens.
func (c *Client) DeleteOAuthClient(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "oauth-clients", id), options...)
}

// ListOAuthTokens reads what was issued to OAuth clients, newest first: for oneself unless the filter says for whom.
func (c *Client) ListOAuthTokens(ctx context.Context, f OAuthTokenFilter) (OAuthTokenList, error) {
	k := IDWindow{Before: f.Before, Limit: f.Limit}.call("oauth-tokens")
	k.set("user", f.User)
	k.set("client", f.Client)
	k.set("family", f.Family)
	return fetch[OAuthTokenList](ctx, c, k)
}

// AllOAuthTokens reads run after run, newest first. It ends after the first error.
func (c *Client) AllOAuthTokens(ctx context.Context, f OAuthTokenFilter) iter.Seq2[OAuthToken, error] {
	return pages(f.Before, func(before string) ([]OAuthToken, string, error) {
		f.Before = before
		run, err := c.ListOAuthTokens(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// RevokeOAuthToken ends a token, at once, on every server: a refresh token or a code with all of its family, an access token alone.
func (c *Client) RevokeOAuthToken(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "oauth-tokens", id), options...)
}

// ListIdentityProviders reads the places that vouch for people.
func (c *Client) ListIdentityProviders(ctx context.Context) (IdentityProviderList, error) {
	return fetch[IdentityProviderList](ctx, c, newCall(http.MethodGet, "identity-providers"))
}

// GetIdentityProvider reads one by name.
func (c *Client) GetIdentityProvider(ctx context.Context, name string) (IdentityProvider, error) {
	return fetch[IdentityProvider](ctx, c, newCall(http.MethodGet, "identity-providers", name))
}

// SetIdentityProvider makes one, or says all that it is to be.
func (c *Client) SetIdentityProvider(ctx context.Context, name string, r SetIdentityProviderRequest, options ...CallOption) (IdentityProvider, error) {
	return fetch[IdentityProvider](ctx, c, put(r, "identity-providers", name), options...)
}

// DeleteIdentityProvider removes one with the identities and group rules of it.
func (c *Client) DeleteIdentityProvider(ctx context.Context, name string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "identity-providers", name), options...)
}

// CreateGroupRule gives a group of an identity provider a role.
func (c *Client) CreateGroupRule(ctx context.Context, r CreateGroupRuleRequest, options ...CallOption) (GroupRule, error) {
	return fetch[GroupRule](ctx, c, post(r, "group-rules"), options...)
}

// ListGroupRules reads the group rules that one may see.
func (c *Client) ListGroupRules(ctx context.Context) (GroupRuleList, error) {
	return fetch[GroupRuleList](ctx, c, newCall(http.MethodGet, "group-rules"))
}

// DeleteGroupRule removes a group rule.
func (c *Client) DeleteGroupRule(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "group-rules", id), options...)
}
