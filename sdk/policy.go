package sdk

import "time"

// Policy is rules in Cedar over the plans of a project or of the installation. The rules forbid: what none forbids is allowed.
type Policy struct {
	ID           string    `json:"id" doc:"Sorts by the time of creation" example:"pol_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project      string    `json:"project,omitempty" doc:"Project that it judges; absent when it judges every one" example:"default"`
	Installation bool      `json:"installation" doc:"Whether it judges every project" example:"false"`
	Name         string    `json:"name" doc:"Unique in its project" example:"images"`
	Text         string    `json:"text" doc:"Cedar" example:"@message(\"the image has no digest\")\nforbid (principal, action, resource is Image) unless { resource.by_digest };\n"`
	Author       string    `json:"author" doc:"Who wrote it last" example:"admin"`
	CreatedAt    time.Time `json:"created_at" doc:"When it was made"`
	UpdatedAt    time.Time `json:"updated_at" doc:"When it last changed"`
	Version      int64     `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"1"`
}

// CreatePolicyRequest asks for a policy, or for a check of one.
type CreatePolicyRequest struct {
	Project      string `json:"project,omitempty" doc:"Project that it judges. Empty means the default project" example:"default"`
	Installation bool   `json:"installation,omitempty" doc:"It judges every project; then project must be empty" example:"false"`
	Name         string `json:"name" minLength:"1" maxLength:"40" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Lower-case letters, digits and dashes" example:"images"`
	Text         string `json:"text" doc:"Cedar, at most 64 kB. Rules forbid; @message says what is wrong, @fix what to do, and with @warn a rule only warns" example:"@message(\"the image has no digest\")\nforbid (principal, action, resource is Image) unless { resource.by_digest };\n"`
}

// UpdatePolicyRequest says what a policy is to be.
type UpdatePolicyRequest struct {
	Text string `json:"text" doc:"Cedar, at most 64 kB" example:"@message(\"the image has no digest\")\nforbid (principal, action, resource is Image) unless { resource.by_digest };\n"`
}

// PolicyList is the policies of the installation and of a project.
type PolicyList struct {
	Items []Policy `json:"items" nullable:"false" doc:"Ordered by project and name"`
}
