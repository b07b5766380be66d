package sdk

import (
	"context"
	"iter"
	"net/http"
)

// CreateUser makes a user and invites them.
func (c *Client) CreateUser(ctx context.Context, r CreateUserRequest, options ...CallOption) (InvitedUser, error) {
	return fetch[InvitedUser](ctx, c, post(r, "users"), options...)
}

// ListUsers reads one page of users.
func (c *Client) ListUsers(ctx context.Context, f UserFilter) (UserPage, error) {
	k := newCall(http.MethodGet, "users")
	k.set("q", f.Search)
	k.set("status", f.Status)
	k.set("project", f.Project)
	k.set("sort", f.Sort)
	k.setInt("limit", int64(f.Limit))
	k.set("cursor", f.Cursor)
	return fetch[UserPage](ctx, c, k)
}

// AllUsers reads page after page. It ends after the first error.
func (c *Client) AllUsers(ctx context.Context, f UserFilter) iter.Seq2[User, error] {
	return pages(f.Cursor, func(cursor string) ([]User, string, error) {
		f.Cursor = cursor
		page, err := c.ListUsers(ctx, f)
		return page.Items, page.NextCursor, err
	})
}

// GetUser reads one user by id or e-mail address, with what they hold.
func (c *Client) GetUser(ctx context.Context, user string) (UserDetail, error) {
	return fetch[UserDetail](ctx, c, newCall(http.MethodGet, "users", user))
}

// UpdateUser changes what the request names.
func (c *Client) UpdateUser(ctx context.Context, user string, r UpdateUserRequest, options ...CallOption) (User, error) {
	return fetch[User](ctx, c, patch(r, "users", user), options...)
}

// DeleteUser removes a user who never signed in.
func (c *Client) DeleteUser(ctx context.Context, user string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "users", user), options...)
}

// InviteUser sends the invitation again. Links before it stop working.
func (c *Client) InviteUser(ctx context.Context, user string, options ...CallOption) (InvitedUser, error) {
	return fetch[InvitedUser](ctx, c, post(nil, "users", user, "invitation"), options...)
}

// ResetUser ends the user's sessions and makes a link that lets them choose a new password.
func (c *Client) ResetUser(ctx context.Context, user string, options ...CallOption) (ResetLink, error) {
	return fetch[ResetLink](ctx, c, post(nil, "users", user, "reset"), options...)
}

// ListUserSessions reads the live sessions of a user, newest first.
func (c *Client) ListUserSessions(ctx context.Context, user string, w IDWindow) (SessionList, error) {
	return fetch[SessionList](ctx, c, w.call("users", user, "sessions"))
}

// AllUserSessions reads run after run, newest first. It ends after the first error.
func (c *Client) AllUserSessions(ctx context.Context, user string, w IDWindow) iter.Seq2[Session, error] {
	return pages(w.Before, func(before string) ([]Session, string, error) {
		w.Before = before
		run, err := c.ListUserSessions(ctx, user, w)
		return run.Items, run.NextBefore, err
	})
}

// RevokeUserSessions ends every session of a user.
func (c *Client) RevokeUserSessions(ctx context.Context, user string, options ...CallOption) (RevokedSessions, error) {
	return fetch[RevokedSessions](ctx, c, newCall(http.MethodDelete, "users", user, "sessions"), options...)
}

// RevokeOtherSessions ends every session of a user but the one that the call is made with.
func (c *Client) RevokeOtherSessions(ctx context.Context, user string, options ...CallOption) (RevokedSessions, error) {
	k := newCall(http.MethodDelete, "users", user, "sessions")
	k.set("others", "true")
	return fetch[RevokedSessions](ctx, c, k, options...)
}

// ListSessions reads live sessions, newest first: one's own unless the filter says whose.
func (c *Client) ListSessions(ctx context.Context, f SessionFilter) (SessionList, error) {
	k := IDWindow{Before: f.Before, Limit: f.Limit}.call("sessions")
	k.set("user", f.User)
	return fetch[SessionList](ctx, c, k)
}

// AllSessions reads run after run, newest first. It ends after the first error.
func (c *Client) AllSessions(ctx context.Context, f SessionFilter) iter.Seq2[Session, error] {
	return pages(f.Before, func(before string) ([]Session, string, error) {
		f.Before = before
		run, err := c.ListSessions(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// RevokeSession ends a session at once, on every server.
func (c *Client) RevokeSession(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "sessions", id), options...)
}

// CreateAPIToken makes a token. The answer is the only one that tells its secret.
func (c *Client) CreateAPIToken(ctx context.Context, r CreateAPITokenRequest, options ...CallOption) (MadeAPIToken, error) {
	return fetch[MadeAPIToken](ctx, c, post(r, "api-tokens"), options...)
}

// ListAPITokens reads tokens, newest first: one's own unless the filter says whose.
func (c *Client) ListAPITokens(ctx context.Context, f APITokenFilter) (APITokenList, error) {
	k := IDWindow{Before: f.Before, Limit: f.Limit}.call("api-tokens")
	k.set("user", f.User)
	k.set("service_account", f.ServiceAccount)
	k.setInt("unused_days", int64(f.UnusedDays))
	k.setTrue("ended", f.Ended)
	return fetch[APITokenList](ctx, c, k)
}

// AllAPITokens reads run after run, newest first. It ends after the first error.
func (c *Client) AllAPITokens(ctx context.Context, f APITokenFilter) iter.Seq2[APIToken, error] {
	return pages(f.Before, func(before string) ([]APIToken, string, error) {
		f.Before = before
		run, err := c.ListAPITokens(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// GetAPIToken reads one token by id.
func (c *Client) GetAPIToken(ctx context.Context, id string) (APIToken, error) {
	return fetch[APIToken](ctx, c, newCall(http.MethodGet, "api-tokens", id))
}

// RotateAPIToken gives a token another secret; the one before works for a while longer.
func (c *Client) RotateAPIToken(ctx context.Context, id string, r RotateAPITokenRequest, options ...CallOption) (MadeAPIToken, error) {
	return fetch[MadeAPIToken](ctx, c, post(r, "api-tokens", id, "rotation"), options...)
}

// RevokeAPIToken ends a token at once, on every server.
func (c *Client) RevokeAPIToken(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "api-tokens", id), options...)
}

func patch(body any, path ...string) *call {
	k := newCall(http.MethodPatch, path...)
	k.body = body
	return k
}

func (w IDWindow) call(path ...string) *call {
	k := newCall(http.MethodGet, path...)
	k.set("before", w.Before)
	k.setInt("limit", int64(w.Limit))
	return k
}

func (c *call) setTrue(name string, value bool) {
	if value {
		c.query.Set(name, "true")
	}
}
