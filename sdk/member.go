package sdk

import "time"

// CreateProjectRequest asks for a project.
type CreateProjectRequest struct {
	Name        string `json:"name" minLength:"1" maxLength:"40" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Lower-case letters, digits and dashes" example:"shop"`
	Description string `json:"description,omitempty" maxLength:"500" doc:"For people" example:"The shop and what belongs to it"`
}

// UpdateProjectRequest says what a project is to be.
type UpdateProjectRequest struct {
	Description string `json:"description" maxLength:"500" doc:"For people" example:"The shop and what belongs to it"`
}

// Member is a user's role in a project.
type Member struct {
	UserID    string    `json:"user_id" doc:"Id of the user" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Email     string    `json:"email" doc:"Address of the user" example:"ada@example.com"`
	Name      string    `json:"name,omitempty" doc:"Name of the user" example:"Ada"`
	Status    string    `json:"status" enum:"pending_invite,active,inactive" doc:"Whether the user may come in" example:"active"`
	Role      string    `json:"role" enum:"admin,maintainer,developer,viewer" doc:"What they may do in the project" example:"developer"`
	CreatedAt time.Time `json:"created_at" doc:"When they became a member"`
	UpdatedAt time.Time `json:"updated_at" doc:"When the role last changed"`
}

// MemberList is the members of a project.
type MemberList struct {
	Items []Member `json:"items" nullable:"false" doc:"By address. Those who have a role by a group of their identity provider are not among them"`
}

// SetMemberRequest gives a user a role in a project.
type SetMemberRequest struct {
	Role string `json:"role" enum:"admin,maintainer,developer,viewer" doc:"What they may do in the project" example:"developer"`
}

// ServiceAccount is a program of a project: it acts by API tokens.
type ServiceAccount struct {
	ID          string    `json:"id" doc:"Sorts by the time of creation" example:"svc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project     string    `json:"project" doc:"Project that it belongs to" example:"shop"`
	Name        string    `json:"name" doc:"Unique in its project" example:"ci"`
	Description string    `json:"description,omitempty" doc:"For people" example:"Previews of pull requests"`
	Role        string    `json:"role" enum:"admin,maintainer,developer,viewer" doc:"What it may do in its project" example:"developer"`
	Disabled    bool      `json:"disabled" doc:"Whether its tokens are refused" example:"false"`
	CreatedAt   time.Time `json:"created_at" doc:"When it was made"`
	CreatedBy   string    `json:"created_by" doc:"Who made it" example:"ada@example.com"`
	Version     int64     `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"1"`
}

// ServiceAccountList is the service accounts of a project.
type ServiceAccountList struct {
	Items []ServiceAccount `json:"items" nullable:"false" doc:"By name"`
}

// CreateServiceAccountRequest asks for a service account.
type CreateServiceAccountRequest struct {
	Name        string `json:"name" minLength:"1" maxLength:"40" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Lower-case letters, digits and dashes" example:"ci"`
	Description string `json:"description,omitempty" maxLength:"500" doc:"For people" example:"Previews of pull requests"`
	Role        string `json:"role" enum:"admin,maintainer,developer,viewer" doc:"What it may do in its project; no more than its maker" example:"developer"`
}

// UpdateServiceAccountRequest says what of a service account is to change. What is absent stays.
type UpdateServiceAccountRequest struct {
	Description *string `json:"description,omitempty" maxLength:"500" doc:"For people" example:"Previews of pull requests"`
	Role        *string `json:"role,omitempty" enum:"admin,maintainer,developer,viewer" doc:"What it may do in its project" example:"viewer"`
	Disabled    *bool   `json:"disabled,omitempty" doc:"Whether its tokens are refused" example:"true"`
}
