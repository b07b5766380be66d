package sdk

import "time"

// OAuthClient is a program that acts for users, or for itself, by OAuth 2.0.
type OAuthClient struct {
	ID           string    `json:"id" doc:"Its client_id" example:"cli_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Name         string    `json:"name" doc:"As users see it when they are asked" example:"Dashboards"`
	Public       bool      `json:"public" doc:"Whether it has no secret, as a program on a person's machine" example:"false"`
	RedirectURIs []string  `json:"redirect_uris" nullable:"false" doc:"Where codes may be sent, exactly" example:"[\"https://dashboards.example.com/callback\"]"`
	Flows        []string  `json:"flows" nullable:"false" doc:"Ways by which it gets tokens" example:"[\"authorization_code\", \"refresh_token\"]"`
	Grants       []string  `json:"grants" nullable:"false" doc:"The most it can be given" example:"[\"environments:read\"]"`
	Projects     []string  `json:"projects" nullable:"false" doc:"Nowhere else; empty for everywhere" example:"[\"shop\"]"`
	Trusted      bool      `json:"trusted" doc:"Whether it is the installation's own" example:"false"`
	Disabled     bool      `json:"disabled" doc:"Whether it and its tokens are refused" example:"false"`
	CreatedAt    time.Time `json:"created_at" doc:"When it was made"`
	CreatedBy    string    `json:"created_by" doc:"Who made it" example:"ada@example.com"`
	LastUsedAt   time.Time `json:"last_used_at,omitzero" doc:"When it last got a token; absent for never"`
	Version      int64     `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"1"`
}

// MadeOAuthClient is a client with its secret.
type MadeOAuthClient struct {
	Client OAuthClient `json:"client" doc:"The client"`
	Secret string      `json:"secret,omitempty" doc:"Secret, told only here: its client_secret; absent when it is public" example:"blk_…"`
}

// CreateOAuthClientRequest asks for a client. It never gets more than its maker holds.
type CreateOAuthClientRequest struct {
	Name         string   `json:"name" minLength:"1" maxLength:"100" doc:"As users see it when they are asked" example:"Dashboards"`
	Public       bool     `json:"public,omitempty" doc:"It has no secret, as a program on a person's machine" example:"false"`
	RedirectURIs []string `json:"redirect_uris,omitempty" nullable:"false" maxItems:"20" doc:"Where codes may be sent, exactly" example:"[\"https://dashboards.example.com/callback\"]"`
	Flows        []string `json:"flows" nullable:"false" maxItems:"4" doc:"Ways by which it gets tokens: authorization_code, client_credentials, refresh_token, urn:ietf:params:oauth:grant-type:device_code" example:"[\"authorization_code\", \"refresh_token\"]"`
	Grants       []string `json:"grants" nullable:"false" maxItems:"100" doc:"The most it can be given" example:"[\"environments:read\"]"`
	Projects     []string `json:"projects,omitempty" nullable:"false" maxItems:"100" doc:"Nowhere else; empty for everywhere" example:"[\"shop\"]"`
}

// UpdateOAuthClientRequest says what of a client is to change. What is absent stays.
type UpdateOAuthClientRequest struct {
	Name         *string   `json:"name,omitempty" minLength:"1" maxLength:"100" doc:"As users see it when they are asked" example:"Dashboards"`
	RedirectURIs *[]string `json:"redirect_uris,omitempty" nullable:"false" maxItems:"20" doc:"Where codes may be sent, exactly" example:"[\"https://dashboards.example.com/callback\"]"`
	Flows        *[]string `json:"flows,omitempty" nullable:"false" maxItems:"4" doc:"Ways by which it gets tokens" example:"[\"authorization_code\"]"`
	Grants       *[]string `json:"grants,omitempty" nullable:"false" maxItems:"100" doc:"The most it can be given" example:"[\"environments:read\"]"`
	Projects     *[]string `json:"projects,omitempty" nullable:"false" maxItems:"100" doc:"Nowhere else; empty for everywhere" example:"[\"shop\"]"`
	Disabled     *bool     `json:"disabled,omitempty" doc:"Whether it and its tokens are refused" example:"true"`
}

// OAuthClientList is a run of clients.
type OAuthClientList struct {
	Items     []OAuthClient `json:"items" nullable:"false" doc:"By id"`
	NextAfter string        `json:"next_after,omitempty" doc:"Give it as after to read on; absent at the end"`
}

// OAuthClientFilter says which clients to list.
type OAuthClientFilter struct {
	After string // id to start behind; empty means the first
	Limit int
}

// OAuthToken is what is known of a secret that was issued to a client.
type OAuthToken struct {
	ID         string    `json:"id" doc:"Sorts by the time of issue" example:"tok_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Kind       string    `json:"kind" enum:"code,access,refresh" doc:"What it is for" example:"access"`
	Family     string    `json:"family" doc:"Those of one consent or sign-in are a family; they end together" example:"gnt_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	ClientID   string    `json:"client_id" doc:"Client that it was issued to" example:"cli_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	UserID     string    `json:"user_id,omitempty" doc:"User that the client acts for; absent when it acts for itself" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Scopes     []string  `json:"scopes" nullable:"false" doc:"What it may do" example:"[\"environments:read\"]"`
	State      string    `json:"state" enum:"issued,active,expired,revoked,invalid" doc:"Where it is: issued, active from its first use, then expired or revoked, and invalid a day later" example:"active"`
	Since      time.Time `json:"since" doc:"Since when it is there"`
	IssuedAt   time.Time `json:"issued_at" doc:"When it was issued"`
	ExpiresAt  time.Time `json:"expires_at" doc:"When it ends by itself"`
	LastUsedAt time.Time `json:"last_used_at,omitzero" doc:"When it was last used; absent for never"`
	RevokedAt  time.Time `json:"revoked_at,omitzero" doc:"When it was revoked or replaced; absent if it was not"`
}

// OAuthTokenList is a run of tokens.
type OAuthTokenList struct {
	Items      []OAuthToken `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string       `json:"next_before,omitempty" doc:"Give it as before to read on; absent at the end"`
}

// OAuthTokenFilter says which tokens to list.
type OAuthTokenFilter struct {
	User   string // id; empty means one's own, "*" those of all
	Client string // id
	Family string
	Before string // id to start before; empty means the newest
	Limit  int
}
