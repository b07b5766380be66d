package sdk

import "time"

// IdentityProvider is a place that vouches for people. Its secret is never told.
type IdentityProvider struct {
	ID              string    `json:"id" doc:"Sorts by the time of creation" example:"idp_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Name            string    `json:"name" doc:"In addresses" example:"google"`
	Kind            string    `json:"kind" enum:"oidc,firebase,github" doc:"How it is spoken to" example:"oidc"`
	Label           string    `json:"label" doc:"On the button" example:"Google"`
	Issuer          string    `json:"issuer,omitempty" doc:"URL of the issuer; of firebase the project id; of github the URL of an enterprise server" example:"https://accounts.google.com"`
	ClientID        string    `json:"client_id,omitempty" doc:"As the provider knows this installation" example:"blueberry"`
	HasClientSecret bool      `json:"has_client_secret" doc:"Whether a secret is kept for it" example:"true"`
	Scopes          []string  `json:"scopes" nullable:"false" doc:"Asked for beyond what is needed" example:"[\"groups\"]"`
	GroupsClaim     string    `json:"groups_claim,omitempty" doc:"Claim that lists groups; absent means groups" example:"groups"`
	AllowedDomains  []string  `json:"allowed_domains" nullable:"false" doc:"Domains of e-mail addresses that may sign up; empty for all" example:"[\"example.com\"]"`
	SignUp          bool      `json:"sign_up" doc:"Whether someone unknown gets an account; else only who was invited can come in" example:"false"`
	Disabled        bool      `json:"disabled" doc:"Whether nobody can come in by it" example:"false"`
	RedirectURL     string    `json:"redirect_url,omitempty" doc:"Where the provider must send people back to: register it there" example:"https://blueberry.example.com/sign-in/google/callback"`
	CreatedAt       time.Time `json:"created_at" doc:"When it was made"`
	UpdatedAt       time.Time `json:"updated_at" doc:"When it last changed"`
	Version         int64     `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"1"`
}

// IdentityProviderList is every identity provider.
type IdentityProviderList struct {
	Items []IdentityProvider `json:"items" nullable:"false" doc:"By name"`
}

// SetIdentityProviderRequest says all that an identity provider is to be.
type SetIdentityProviderRequest struct {
	Kind           string   `json:"kind" enum:"oidc,firebase,github" doc:"How it is spoken to" example:"oidc"`
	Label          string   `json:"label,omitempty" maxLength:"100" doc:"On the button; empty means its name" example:"Google"`
	Issuer         string   `json:"issuer,omitempty" maxLength:"500" doc:"URL of the issuer; of firebase the project id; of github the URL of an enterprise server" example:"https://accounts.google.com"`
	ClientID       string   `json:"client_id,omitempty" maxLength:"500" doc:"As the provider knows this installation" example:"blueberry"`
	ClientSecret   *string  `json:"client_secret,omitempty" maxLength:"2000" doc:"Absent leaves the one that is kept; empty removes it" writeOnly:"true" example:"GOCSPX-…"`
	Scopes         []string `json:"scopes,omitempty" nullable:"false" maxItems:"20" doc:"Asked for beyond what is needed" example:"[\"groups\"]"`
	GroupsClaim    string   `json:"groups_claim,omitempty" maxLength:"100" doc:"Claim that lists groups; empty means groups" example:"groups"`
	AllowedDomains []string `json:"allowed_domains,omitempty" nullable:"false" maxItems:"100" doc:"Domains of e-mail addresses that may sign up; empty for all" example:"[\"example.com\"]"`
	SignUp         bool     `json:"sign_up,omitempty" doc:"Someone unknown gets an account; else only who was invited can come in" example:"false"`
	Disabled       bool     `json:"disabled,omitempty" doc:"Nobody can come in by it" example:"false"`
}

// GroupRule gives everyone whose identity provider names a group a role.
type GroupRule struct {
	ID        string    `json:"id" doc:"Sorts by the time of creation" example:"grp_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Provider  string    `json:"provider" doc:"Name of the identity provider" example:"google"`
	Group     string    `json:"group" doc:"As the provider spells it" example:"platform"`
	Project   string    `json:"project,omitempty" doc:"Where the role counts; absent for the installation" example:"shop"`
	Role      string    `json:"role" enum:"owner,admin,maintainer,developer,viewer" doc:"Owner on the installation, one of the others in a project" example:"developer"`
	CreatedAt time.Time `json:"created_at" doc:"When it was made"`
}

// GroupRuleList is every group rule that one may see.
type GroupRuleList struct {
	Items []GroupRule `json:"items" nullable:"false" doc:"By provider, group and project"`
}

// CreateGroupRuleRequest asks for a group rule.
type CreateGroupRuleRequest struct {
	Provider string `json:"provider" minLength:"1" maxLength:"40" doc:"Name of the identity provider" example:"google"`
	Group    string `json:"group" minLength:"1" maxLength:"200" doc:"As the provider spells it" example:"platform"`
	Project  string `json:"project,omitempty" doc:"Where the role counts; empty for the installation" example:"shop"`
	Role     string `json:"role" enum:"owner,admin,maintainer,developer,viewer" doc:"Owner on the installation, one of the others in a project" example:"developer"`
}

// Role is a named list of grants.
type Role struct {
	Name   string   `json:"name" enum:"owner,admin,maintainer,developer,viewer" doc:"The role" example:"viewer"`
	Of     string   `json:"of" enum:"installation,project" doc:"Where it is given" example:"project"`
	Grants []string `json:"grants" nullable:"false" doc:"What it holds, that of the roles below it among it" example:"[\"environments:read\"]"`
}

// RoleList is every role.
type RoleList struct {
	Items  []Role   `json:"items" nullable:"false" doc:"The strongest first"`
	Grants []string `json:"grants" nullable:"false" doc:"Every grant there is" example:"[\"environments:read\"]"`
}
