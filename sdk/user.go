package sdk

import "time"

// User is the account of a person.
type User struct {
	ID         string     `json:"id" doc:"Sorts by the time of creation" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Email      string     `json:"email" doc:"In lower case, unique" example:"ada@example.com"`
	Name       string     `json:"name,omitempty" doc:"For people" example:"Ada"`
	Status     string     `json:"status" enum:"pending_invite,active,inactive" doc:"Whether they may come in. One that is pending has never signed in" example:"active"`
	Owner      bool       `json:"owner" doc:"Whether they are an owner of the installation, who may do everything" example:"false"`
	BreakGlass bool       `json:"break_glass" doc:"Whether they may take the power of an owner for an hour" example:"false"`
	Invitation Invitation `json:"invitation,omitzero" doc:"How far the invitation has come; absent if there was none"`
	CreatedAt  time.Time  `json:"created_at" doc:"When the account was made"`
	UpdatedAt  time.Time  `json:"updated_at" doc:"When it last changed"`
	LastSeenAt time.Time  `json:"last_seen_at,omitzero" doc:"When they were last here; absent for never"`
	Version    int64      `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"1"`
}

// Invitation is what is known of the mail that asked a user in.
type Invitation struct {
	State  string    `json:"state" enum:"queued,sent,failed,manual,accepted" doc:"Queued is on its way; of one that is manual an admin passes on the link" example:"sent"`
	Error  string    `json:"error,omitempty" doc:"Why the mail failed" example:"the mail server refused the address"`
	SentAt time.Time `json:"sent_at,omitzero" doc:"When the mail was handed over"`
}

// UserDetail is a user with what they hold and how they sign in.
type UserDetail struct {
	User
	Memberships      []ProjectRole `json:"memberships" nullable:"false" doc:"Roles that they were given, by project"`
	GroupMemberships []ProjectRole `json:"group_memberships" nullable:"false" doc:"Roles that they have by the groups of their identity provider"`
	Identities       []Identity    `json:"identities" nullable:"false" doc:"Accounts at identity providers that they sign in with"`
	Passkeys         []Passkey     `json:"passkeys" nullable:"false" doc:"Their passkeys"`
	Password         bool          `json:"password" doc:"Whether they have a password" example:"true"`
	SecondFactor     bool          `json:"second_factor" doc:"Whether their password needs a code as well" example:"true"`
	RecoveryCodes    int           `json:"recovery_codes" doc:"How many recovery codes are left to them" example:"8"`
}

// ProjectRole is a role in a project.
type ProjectRole struct {
	Project string `json:"project" doc:"Name of the project; empty for the installation" example:"shop"`
	Role    string `json:"role" enum:"owner,admin,maintainer,developer,viewer" doc:"What they may do there" example:"developer"`
}

// Identity is an account at an identity provider.
type Identity struct {
	Provider   string    `json:"provider" doc:"Name of the identity provider" example:"google"`
	Email      string    `json:"email,omitempty" doc:"Address there at the last sign-in" example:"ada@example.com"`
	Groups     []string  `json:"groups,omitempty" nullable:"false" doc:"Groups there at the last sign-in" example:"[\"platform\"]"`
	LinkedAt   time.Time `json:"linked_at" doc:"When it was tied to the user"`
	LastUsedAt time.Time `json:"last_used_at,omitzero" doc:"When they last signed in with it; absent for never"`
}

// Passkey is a WebAuthn credential of a user.
type Passkey struct {
	ID         string    `json:"id" doc:"Sorts by the time of creation" example:"psk_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Name       string    `json:"name" doc:"As its user calls it" example:"laptop"`
	CreatedAt  time.Time `json:"created_at" doc:"When it was made"`
	LastUsedAt time.Time `json:"last_used_at,omitzero" doc:"When they last signed in with it; absent for never"`
}

// UserPage is one page of users.
type UserPage struct {
	Items      []User `json:"items" nullable:"false" doc:"In the order that was asked for"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Asks for the next page; absent on the last"`
}

// UserFilter says which users to list.
type UserFilter struct {
	Search  string // part of an address or name
	Status  string
	Project string // only its members
	Sort    string // "email", "created_at", "last_seen_at", with "-" before it the other way round
	Limit   int
	Cursor  string
}

// CreateUserRequest asks for a user, who is invited by mail.
type CreateUserRequest struct {
	Email      string        `json:"email" minLength:"3" maxLength:"254" doc:"Where the invitation goes" example:"ada@example.com"`
	Name       string        `json:"name,omitempty" maxLength:"100" doc:"For people" example:"Ada"`
	Owner      bool          `json:"owner,omitempty" doc:"Makes them an owner of the installation" example:"false"`
	BreakGlass bool          `json:"break_glass,omitempty" doc:"Lets them take the power of an owner for an hour" example:"false"`
	Members    []ProjectRole `json:"members,omitempty" nullable:"false" maxItems:"100" doc:"Roles that they begin with"`
}

// UpdateUserRequest says what of a user is to change. What is absent stays.
type UpdateUserRequest struct {
	Name       *string `json:"name,omitempty" maxLength:"100" doc:"For people" example:"Ada"`
	Email      *string `json:"email,omitempty" maxLength:"254" doc:"New address" example:"ada@example.com"`
	Owner      *bool   `json:"owner,omitempty" doc:"Whether they are an owner of the installation. One owner is always left" example:"false"`
	BreakGlass *bool   `json:"break_glass,omitempty" doc:"Whether they may take the power of an owner for an hour" example:"false"`
	Status     *string `json:"status,omitempty" enum:"active,inactive" doc:"One that is inactive may do nothing, at once" example:"inactive"`
}

// InvitedUser is a user who was invited.
type InvitedUser struct {
	User          User      `json:"user" doc:"The user"`
	Link          string    `json:"link,omitempty" doc:"Secret, told only here: the link to pass on, when no mail is set up" example:"https://blueberry.example.com/invitation#bll_…"`
	LinkExpiresAt time.Time `json:"link_expires_at,omitzero" doc:"Until when the link works"`
}

// ResetLink lets a user choose a new password.
type ResetLink struct {
	URL       string    `json:"url" doc:"Secret, told only here: the link to pass on" example:"https://blueberry.example.com/reset#bll_…"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it works"`
}
