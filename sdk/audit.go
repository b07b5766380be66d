package sdk

import (
	"encoding/json"
	"time"
)

// AuditEntry is one action of an actor, or a try at one.
type AuditEntry struct {
	ID        string          `json:"id" doc:"Sorts by time" example:"aud_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	At        time.Time       `json:"at" doc:"When it was done"`
	Actor     AuditActor      `json:"actor" doc:"Who did it"`
	Action    string          `json:"action" doc:"The grant that it took, or what else was done" example:"environments:create"`
	Resource  string          `json:"resource,omitempty" doc:"Id or name of what was acted on" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project   string          `json:"project,omitempty" doc:"Where; absent for the installation" example:"shop"`
	Detail    string          `json:"detail,omitempty" doc:"One sentence for people" example:"asked for shop/pr-1"`
	Before    json.RawMessage `json:"before,omitempty" doc:"What the action changed, as it was; secrets are masked"`
	After     json.RawMessage `json:"after,omitempty" doc:"The same as it became"`
	Result    string          `json:"result" enum:"succeeded,denied,failed" doc:"How it ended" example:"succeeded"`
	RequestID string          `json:"request_id,omitempty" doc:"Request that did it" example:"req_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Address   string          `json:"address,omitempty" doc:"Network address of the caller" example:"203.0.113.7"`
	UserAgent string          `json:"user_agent,omitempty" doc:"Program of the caller, as it told of itself" example:"blueberry-cli"`
	Route     string          `json:"route,omitempty" doc:"Route that was called" example:"POST /v1/environments"`
	Seq       int64           `json:"seq,omitempty" doc:"Place in the chain; absent in the first moments" example:"1042"`
	Prev      string          `json:"prev,omitempty" doc:"Hash of the entry before" example:"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Hash      string          `json:"hash,omitempty" doc:"Over the entry and the hash before" example:"fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"`
}

// AuditActor is who did something.
type AuditActor struct {
	Kind       string `json:"kind" doc:"What acted: user, token, client or job" example:"user"`
	ID         string `json:"id,omitempty" doc:"Of the user, token or client" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Name       string `json:"name,omitempty" doc:"As it is shown" example:"ada@example.com"`
	OnBehalfOf string `json:"on_behalf_of,omitempty" doc:"Address of the user that a token or client acted for" example:"ada@example.com"`
	Credential string `json:"credential,omitempty" doc:"Id of the session or token that proved it" example:"ses_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Emergency  string `json:"emergency,omitempty" doc:"Id of the emergency that was open" example:"emg_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// AuditList is a run of entries.
type AuditList struct {
	Items      []AuditEntry `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string       `json:"next_before,omitempty" doc:"Give it as before to read on; absent at the end"`
}

// AuditVerification is what the server found when it proved its own audit.
type AuditVerification struct {
	Holds  bool        `json:"holds" doc:"Whether everything fits: hashes, links and signatures" example:"true"`
	Report AuditReport `json:"report" doc:"What was proven; with a fault as far as it came"`
	Fault  *AuditFault `json:"fault,omitempty" doc:"The first thing that does not fit; absent if all of it holds"`
}

// AuditFilter says which entries to list.
type AuditFilter struct {
	Actor    string // id or name
	Action   string // exact, or a prefix that ends with ":"
	Resource string
	Project  string
	Result   string
	Search   string // part of the detail, resource or actor
	Request  string // id of the request
	From, To time.Time
	Before   string // id to start before; empty means the newest
	Limit    int
}

// AccessReview is who has what, by which way, and what of it nobody uses.
type AccessReview struct {
	At              time.Time              `json:"at" doc:"When it was made"`
	UnusedDays      int                    `json:"unused_days" doc:"After how many days without use something counts as unused here" example:"90"`
	Users           []UserReview           `json:"users" nullable:"false" doc:"By address"`
	ServiceAccounts []ServiceAccountReview `json:"service_accounts" nullable:"false" doc:"By project and name"`
	APITokens       []APITokenReview       `json:"api_tokens" nullable:"false" doc:"Newest first, without those that have ended"`
	OAuthClients    []OAuthClientReview    `json:"oauth_clients" nullable:"false" doc:"Those that act for themselves, by id, without those that are disabled"`
	Truncated       bool                   `json:"truncated,omitempty" doc:"Whether there are more than 10,000 of something, of which the rest is left out" example:"false"`
}

// UserReview is what one user has.
type UserReview struct {
	User   User      `json:"user" doc:"The user"`
	Roles  []Holding `json:"roles" nullable:"false" doc:"By project"`
	Unused bool      `json:"unused" doc:"Whether they were not here for so long" example:"false"`
}

// Holding is a role with the way by which it is held.
type Holding struct {
	ProjectRole
	By string `json:"by" doc:"How they came by it: owner, member, or group: with provider and group" example:"member"`
}

// ServiceAccountReview is a service account with the last use of its tokens.
type ServiceAccountReview struct {
	ServiceAccount ServiceAccount `json:"service_account" doc:"The service account"`
	LastUsedAt     time.Time      `json:"last_used_at,omitzero" doc:"When one of its tokens was last used; absent for never"`
	Unused         bool           `json:"unused" doc:"Whether none was used for so long" example:"false"`
}

// APITokenReview is a token with whose it is.
type APITokenReview struct {
	Token  APIToken `json:"token" doc:"The token"`
	Of     string   `json:"of" doc:"Address of the user, or project and name of the service account" example:"ada@example.com"`
	Unused bool     `json:"unused" doc:"Whether it was not used for so long" example:"true"`
}

// OAuthClientReview is a client that acts for itself.
type OAuthClientReview struct {
	Client OAuthClient `json:"client" doc:"The client"`
	Unused bool        `json:"unused" doc:"Whether it was not used for so long" example:"false"`
}

// ReviewFilter says what to review.
type ReviewFilter struct {
	Project    string // only this one
	UnusedDays int    // after how many days without use something counts as unused; 0 means 90
}

// Emergency is the power of an owner that a user took for a short time.
type Emergency struct {
	ID       string    `json:"id" doc:"Sorts by time" example:"emg_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	UserID   string    `json:"user_id" doc:"Who took it" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Reason   string    `json:"reason" doc:"Why" example:"The shop is down and its admin cannot be reached"`
	Open     bool      `json:"open" doc:"Whether it still gives anything" example:"false"`
	OpenedAt time.Time `json:"opened_at" doc:"When it was taken"`
	EndsAt   time.Time `json:"ends_at" doc:"When it ends by itself"`
	ClosedAt time.Time `json:"closed_at,omitzero" doc:"When it was given back early; absent if it was not"`
}

// EmergencyList is a run of emergencies.
type EmergencyList struct {
	Items      []Emergency `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string      `json:"next_before,omitempty" doc:"Give it as before to read on; absent at the end"`
}

// IDWindow is a run of a list, newest first.
type IDWindow struct {
	Before string // id to start before; empty means the newest
	Limit  int
}

// OpenEmergencyRequest takes the power of an owner. Every user is told.
type OpenEmergencyRequest struct {
	Reason  string `json:"reason" minLength:"10" maxLength:"500" doc:"Why; every user reads it" example:"The shop is down and its admin cannot be reached"`
	Minutes int    `json:"minutes,omitempty" minimum:"1" maximum:"60" doc:"How long; absent means 60" example:"30"`
}
