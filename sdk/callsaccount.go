package sdk

import (
	"context"
	"net/http"
)

// single is post for what is never repeated by itself.
func single(body any, path ...string) *call {
	k := post(body, path...)
	k.single = true
	return k
}

// GetAccount tells who is asking, and what they may do.
func (c *Client) GetAccount(ctx context.Context) (Account, error) {
	return fetch[Account](ctx, c, newCall(http.MethodGet, "account"))
}

// ChangePassword gives one's own account another password. Other sessions end.
func (c *Client) ChangePassword(ctx context.Context, r ChangePasswordRequest, options ...CallOption) error {
	return c.do(ctx, single(r, "account", "password"), options...)
}

// BeginTOTP makes the secret of an authenticator. It counts once ConfirmTOTP has taken a code.
func (c *Client) BeginTOTP(ctx context.Context, options ...CallOption) (TOTPSetup, error) {
	return fetch[TOTPSetup](ctx, c, post(nil, "account", "totp"), options...)
}

// ConfirmTOTP makes the authenticator count, and gives the recovery codes.
func (c *Client) ConfirmTOTP(ctx context.Context, r CodeRequest, options ...CallOption) (RecoveryCodes, error) {
	return fetch[RecoveryCodes](ctx, c, post(r, "account", "totp", "confirmation"), options...)
}

// RemoveTOTP takes the second factor off.
func (c *Client) RemoveTOTP(ctx context.Context, r RemoveTOTPRequest, options ...CallOption) error {
	return c.do(ctx, single(r, "account", "totp", "removal"), options...)
}

// CreateRecoveryCodes makes new recovery codes; those before stop working.
func (c *Client) CreateRecoveryCodes(ctx context.Context, r CodeRequest, options ...CallOption) (RecoveryCodes, error) {
	return fetch[RecoveryCodes](ctx, c, post(r, "account", "recovery-codes"), options...)
}

// ListPasskeys reads one's own passkeys.
func (c *Client) ListPasskeys(ctx context.Context) (PasskeyList, error) {
	return fetch[PasskeyList](ctx, c, newCall(http.MethodGet, "account", "passkeys"))
}

// BeginPasskey begins to add a passkey.
func (c *Client) BeginPasskey(ctx context.Context, r BeginPasskeyRequest, options ...CallOption) (PasskeyCeremony, error) {
	return fetch[PasskeyCeremony](ctx, c, post(r, "account", "passkeys"), options...)
}

// ConfirmPasskey adds the passkey that the browser made.
func (c *Client) ConfirmPasskey(ctx context.Context, r PasskeyAnswer, options ...CallOption) (Passkey, error) {
	return fetch[Passkey](ctx, c, post(r, "account", "passkeys", "confirmation"), options...)
}

// DeletePasskey removes one of one's own passkeys.
func (c *Client) DeletePasskey(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "account", "passkeys", id), options...)
}

// ListSignInWays tells how people can sign in here.
func (c *Client) ListSignInWays(ctx context.Context) (SignInWays, error) {
	return fetch[SignInWays](ctx, c, newCall(http.MethodGet, "account", "sign-in-ways"))
}

// ListConsents reads the OAuth clients that one has allowed.
func (c *Client) ListConsents(ctx context.Context) (ConsentList, error) {
	return fetch[ConsentList](ctx, c, newCall(http.MethodGet, "account", "consents"))
}

// RevokeConsent takes back what one allowed an OAuth client. Its tokens end.
func (c *Client) RevokeConsent(ctx context.Context, client string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "account", "consents", client), options...)
}

// UnlinkIdentity unties an account at an identity provider from one's own.
func (c *Client) UnlinkIdentity(ctx context.Context, provider string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "account", "identities", provider), options...)
}

// SignInByPassword opens a session. Its secret is a cookie: HTTPClient needs a Jar to keep it. Programs use API tokens or OAuth.
func (c *Client) SignInByPassword(ctx context.Context, r PasswordSignInRequest, options ...CallOption) (SignedIn, error) {
	return fetch[SignedIn](ctx, c, single(r, "sessions"), options...)
}

// BeginPasskeySignIn begins to sign in with a passkey.
func (c *Client) BeginPasskeySignIn(ctx context.Context, options ...CallOption) (PasskeyCeremony, error) {
	return fetch[PasskeyCeremony](ctx, c, single(nil, "sessions", "passkey", "options"), options...)
}

// SignInByPasskey opens a session by a passkey.
func (c *Client) SignInByPasskey(ctx context.Context, r PasskeyAnswer, options ...CallOption) (SignedIn, error) {
	return fetch[SignedIn](ctx, c, single(r, "sessions", "passkey"), options...)
}

// SignInByIDToken opens a session by the ID token of an identity provider.
func (c *Client) SignInByIDToken(ctx context.Context, r IDTokenSignInRequest, options ...CallOption) (SignedIn, error) {
	return fetch[SignedIn](ctx, c, single(r, "sessions", "id-token"), options...)
}

// SignOut ends the session of the cookie.
func (c *Client) SignOut(ctx context.Context, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "sessions", "current"), options...)
}

// CompleteSetup makes the first owner and signs them in.
func (c *Client) CompleteSetup(ctx context.Context, r SetupRequest, options ...CallOption) (SignedIn, error) {
	return fetch[SignedIn](ctx, c, single(r, "setup"), options...)
}

// AcceptInvitation lets an invited user in.
func (c *Client) AcceptInvitation(ctx context.Context, r AcceptInvitationRequest, options ...CallOption) (SignedIn, error) {
	return fetch[SignedIn](ctx, c, single(r, "invitations", "acceptance"), options...)
}

// RequestReset asks for a mail with a link that lets one choose a new password.
func (c *Client) RequestReset(ctx context.Context, r ResetRequest, options ...CallOption) error {
	return c.do(ctx, single(r, "resets"), options...)
}

// CompleteReset chooses a new password and signs in, unless there is a second factor.
func (c *Client) CompleteReset(ctx context.Context, r CompleteResetRequest, options ...CallOption) (SignedIn, error) {
	return fetch[SignedIn](ctx, c, single(r, "resets", "completion"), options...)
}
