package sdk

import "time"

// APIToken lets a program act. The secret is told once, by what makes it.
type APIToken struct {
	ID               string    `json:"id" doc:"Sorts by the time of creation" example:"tok_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Name             string    `json:"name" doc:"To tell it from others" example:"laptop"`
	UserID           string    `json:"user_id,omitempty" doc:"User on whose account it acts" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	ServiceAccountID string    `json:"service_account_id,omitempty" doc:"Service account that it is of" example:"svc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Grants           []string  `json:"grants" nullable:"false" doc:"No more than these, and never more than its user or service account holds" example:"[\"environments:read\"]"`
	Projects         []string  `json:"projects" nullable:"false" doc:"Nowhere else; empty for everywhere" example:"[\"shop\"]"`
	Hint             string    `json:"hint,omitempty" doc:"Last characters of the secret" example:"x7Ka"`
	CreatedAt        time.Time `json:"created_at" doc:"When it was made"`
	CreatedBy        string    `json:"created_by,omitempty" doc:"Who made it" example:"ada@example.com"`
	ExpiresAt        time.Time `json:"expires_at,omitzero" doc:"When it ends; absent for never, which only the installation's own has"`
	LastUsedAt       time.Time `json:"last_used_at,omitzero" doc:"When it was last used; absent for never"`
	RotatedAt        time.Time `json:"rotated_at,omitzero" doc:"When its secret was last replaced; absent for never"`
	PreviousUntil    time.Time `json:"previous_until,omitzero" doc:"Until when the secret before the rotation works too"`
	RevokedAt        time.Time `json:"revoked_at,omitzero" doc:"When it was revoked; absent if it was not"`
	RevokedBy        string    `json:"revoked_by,omitempty" doc:"Who revoked it" example:"ada@example.com"`
	Version          int64     `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"1"`
}

// MadeAPIToken is a token with its secret.
type MadeAPIToken struct {
	Token  APIToken `json:"token" doc:"The token"`
	Secret string   `json:"secret" doc:"Secret, told only here: send it as Authorization: Bearer" example:"blb_…"`
}

// CreateAPITokenRequest asks for a token. It can never do more than its maker, at any moment.
type CreateAPITokenRequest struct {
	Name             string   `json:"name" minLength:"1" maxLength:"100" doc:"To tell it from others" example:"laptop"`
	Grants           []string `json:"grants,omitempty" nullable:"false" maxItems:"100" doc:"What it may do; either these or a role" example:"[\"environments:read\"]"`
	Role             string   `json:"role,omitempty" enum:"owner,admin,maintainer,developer,viewer" doc:"The grants of a role instead" example:"viewer"`
	Projects         []string `json:"projects,omitempty" nullable:"false" maxItems:"100" doc:"Nowhere else; empty for everywhere" example:"[\"shop\"]"`
	ServiceAccountID string   `json:"service_account_id,omitempty" doc:"Makes it for a service account instead of for oneself" example:"svc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Days             int      `json:"days,omitempty" minimum:"1" maximum:"365" doc:"How long it works; absent means 90 days" example:"90"`
}

// RotateAPITokenRequest replaces the secret of a token.
type RotateAPITokenRequest struct {
	OverlapHours int `json:"overlap_hours,omitempty" minimum:"1" maximum:"168" doc:"How long the secret before works too; absent means 24 hours" example:"24"`
	Days         int `json:"days,omitempty" minimum:"1" maximum:"365" doc:"How long the token works from now; absent means as long as it did at first" example:"90"`
}

// APITokenList is a run of tokens.
type APITokenList struct {
	Items      []APIToken `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string     `json:"next_before,omitempty" doc:"Give it as before to read on; absent at the end"`
}

// APITokenFilter says which tokens to list.
type APITokenFilter struct {
	User           string // id; empty means one's own, "*" those of all
	ServiceAccount string // id
	UnusedDays     int    // only those that were not used for so many days
	Ended          bool   // those that are revoked or have expired, too
	Before         string // id to start before; empty means the newest
	Limit          int
}
