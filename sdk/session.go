package sdk

import "time"

// Session is a person signed in with a browser.
type Session struct {
	ID         string    `json:"id" doc:"Sorts by the time of creation" example:"ses_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	UserID     string    `json:"user_id" doc:"Whose it is" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Method     string    `json:"method" doc:"How they signed in: password, password+totp, passkey, or oidc: with the name of the provider" example:"passkey"`
	Address    string    `json:"address,omitempty" doc:"Network address at sign-in" example:"203.0.113.7"`
	UserAgent  string    `json:"user_agent,omitempty" doc:"Program at sign-in, as it told of itself" example:"Firefox/147.0"`
	Current    bool      `json:"current" doc:"Whether this call was made with it" example:"true"`
	CreatedAt  time.Time `json:"created_at" doc:"When they signed in"`
	ExpiresAt  time.Time `json:"expires_at" doc:"When it ends by itself, 24 hours after sign-in"`
	LastSeenAt time.Time `json:"last_seen_at,omitzero" doc:"When it was last used"`
}

// SessionList is a run of live sessions.
type SessionList struct {
	Items      []Session `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string    `json:"next_before,omitempty" doc:"Give it as before to read on; absent at the end"`
}

// SessionFilter says which live sessions to list.
type SessionFilter struct {
	User   string // id; empty means one's own, "*" those of all
	Before string // id to start before; empty means the newest
	Limit  int
}

// RevokedSessions tells how many sessions were ended.
type RevokedSessions struct {
	Revoked int `json:"revoked" doc:"How many were ended" example:"2"`
}

// SignedIn is the answer to who came in. The secret of the session is in a cookie.
type SignedIn struct {
	Session *Session `json:"session,omitempty" doc:"The session; absent when what was asked is done and one signs in with the second factor now"`
}

// PasswordSignInRequest asks for a session by a password.
type PasswordSignInRequest struct {
	Email    string `json:"email" maxLength:"254" doc:"Address of the account" example:"ada@example.com"`
	Password string `json:"password" maxLength:"512" doc:"Its password" writeOnly:"true" example:"correct horse battery staple"`
	Code     string `json:"code,omitempty" maxLength:"64" doc:"Code of the authenticator, or a recovery code, once the answer was SECOND_FACTOR_NEEDED" writeOnly:"true" example:"123456"`
}

// IDTokenSignInRequest asks for a session by the ID token of an identity provider, as an app has it.
type IDTokenSignInRequest struct {
	Provider string `json:"provider" maxLength:"40" doc:"Name of the identity provider" example:"google"`
	IDToken  string `json:"id_token" maxLength:"16384" doc:"The token: a JWT" writeOnly:"true" example:"eyJhbGciOiJSUzI1NiJ9.e30.c2ln"`
}

// PasskeyCeremony is what a browser needs for navigator.credentials, and what ties its answer to it.
type PasskeyCeremony struct {
	Options map[string]any `json:"options" doc:"For navigator.credentials.create or get, as JSON of WebAuthn" example:"{\"publicKey\": {\"challenge\": \"8J3k\"}}"`
	Ticket  string         `json:"ticket" doc:"Secret: send it back with the answer, once and within 5 minutes" example:"bll_…"`
}

// PasskeyAnswer is what a browser answered.
type PasskeyAnswer struct {
	Ticket   string         `json:"ticket" maxLength:"4096" doc:"As it was given" writeOnly:"true" example:"bll_…"`
	Response map[string]any `json:"response" doc:"What navigator.credentials gave, as JSON of WebAuthn" example:"{\"id\": \"8J3k\", \"type\": \"public-key\"}"`
}

// SetupRequest makes the first owner.
type SetupRequest struct {
	Link     string `json:"link" maxLength:"512" doc:"Secret of the set-up link" writeOnly:"true" example:"bll_…"`
	Email    string `json:"email" maxLength:"254" doc:"Address of the owner" example:"ada@example.com"`
	Name     string `json:"name,omitempty" maxLength:"100" doc:"For people" example:"Ada"`
	Password string `json:"password" maxLength:"512" doc:"Password of the owner, 12 to 128 characters" writeOnly:"true" example:"correct horse battery staple"`
}

// AcceptInvitationRequest lets an invited user in.
type AcceptInvitationRequest struct {
	Link     string `json:"link" maxLength:"512" doc:"Secret of the link" writeOnly:"true" example:"bll_…"`
	Name     string `json:"name,omitempty" maxLength:"100" doc:"For people" example:"Ada"`
	Password string `json:"password" maxLength:"512" doc:"New password, 12 to 128 characters" writeOnly:"true" example:"correct horse battery staple"`
}

// ResetRequest asks for a mail with a link that lets one choose a new password.
type ResetRequest struct {
	Email string `json:"email" maxLength:"254" doc:"Address of the account. The answer is the same whether there is one" example:"ada@example.com"`
}

// CompleteResetRequest chooses a new password.
type CompleteResetRequest struct {
	Link     string `json:"link" maxLength:"512" doc:"Secret of the link" writeOnly:"true" example:"bll_…"`
	Password string `json:"password" maxLength:"512" doc:"New password, 12 to 128 characters" writeOnly:"true" example:"correct horse battery staple"`
}
