package sdk

import "time"

// Plan is what a change would do: signed, applied at most once, and only while none of its inputs has moved.
type Plan struct {
	ID            string `json:"id" doc:"Sorts by the time of creation" example:"pln_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Kind          string `json:"kind" enum:"create,change,rollback,destroy" doc:"What it would do" example:"change"`
	Project       string `json:"project" doc:"Project of the environment" example:"default"`
	Environment   string `json:"environment" doc:"Name of the environment" example:"pr-42"`
	EnvironmentID string `json:"environment_id,omitempty" doc:"Id of the environment; absent for a create that was not applied" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Actor         string `json:"actor" doc:"Who asked for it" example:"admin"`
	Reason        string `json:"reason,omitempty" doc:"Reason that the revision will have" example:"log more"`
	Base          int    `json:"base" doc:"Number of the revision that it changes; 0 for a create" example:"1"`
	Revision      int    `json:"revision" doc:"Number of the revision that it makes; 0 when it makes none" example:"2"`

	Changes   bool     `json:"changes" doc:"Whether applying it would change anything" example:"true"`
	Appliable bool     `json:"appliable" doc:"Whether it may be applied, as far as is known now" example:"true"`
	Blockers  []string `json:"blockers" nullable:"false" doc:"Why it may not" example:"[]"`

	Inputs   []PlanInput     `json:"inputs" nullable:"false" doc:"What it leans on. When one of them moves it is not applied any more"`
	Digest   string          `json:"digest" doc:"Over inputs, request and rendering" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Objects  []ObjectDiff    `json:"objects" nullable:"false" doc:"What would become of each object"`
	Config   []SettingChange `json:"config" nullable:"false" doc:"Effective values that would change, ordered by path"`
	Quota    []Fit           `json:"quota" nullable:"false" doc:"The limits of the project"`
	Capacity []Fit           `json:"capacity" nullable:"false" doc:"The room on the target; empty when it does not tell"`
	Policies []PolicyVerdict `json:"policies" nullable:"false" doc:"What the rules of the installation and the project say"`
	Warnings []Warning       `json:"warnings" nullable:"false" doc:"What a user should know and what stops nothing"`
	Lease    PlanLease       `json:"lease" doc:"What would become of the lease"`
	Cost     *PlanCost       `json:"cost" doc:"What the change costs; null where no prices are set for the target"`
	DryRun   DryRun          `json:"dry_run" doc:"Whether the target was asked what it would make of it"`

	RenderingDigest string    `json:"rendering_digest,omitempty" doc:"Digest of the manifests that would be committed; absent for a destroy" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	KeyID           string    `json:"key_id" doc:"Key that signed it" example:"key_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Signature       []byte    `json:"signature" doc:"Ed25519 signature over what decides on an apply"`
	CreatedAt       time.Time `json:"created_at" doc:"When it was made"`
	ExpiresAt       time.Time `json:"expires_at" doc:"When it may not be applied any more"`
	AppliedAt       time.Time `json:"applied_at,omitzero" doc:"When it was applied; absent before"`
	AppliedRevision int       `json:"applied_revision,omitempty" doc:"Revision that it made" example:"2"`
}

// PlanInput is one thing that a plan leans on.
type PlanInput struct {
	Kind  string `json:"kind" enum:"environment,blueprint,commit,branch,run,config_set,image,policies,quota,target,renderer" doc:"Kind of input" example:"config_set"`
	Name  string `json:"name,omitempty" doc:"Of the config set or component; absent where there is one of the kind" example:"shop"`
	Value string `json:"value" doc:"What it was when the plan was made" example:"3"`
}

// ObjectDiff is what becomes of one object, field by field.
type ObjectDiff struct {
	APIVersion string      `json:"api_version" doc:"Group and version" example:"apps/v1"`
	Kind       string      `json:"kind" doc:"Kind of the object" example:"Deployment"`
	Namespace  string      `json:"namespace,omitempty" doc:"Absent for a cluster-scoped object" example:"default-pr-42"`
	Name       string      `json:"name" doc:"Name of the object" example:"backend"`
	Component  string      `json:"component" doc:"Component that it belongs to" example:"backend"`
	Action     string      `json:"action" enum:"create,update,delete,unchanged" doc:"What becomes of it" example:"update"`
	Checked    bool        `json:"checked" doc:"Whether the target was asked, by a dry run" example:"true"`
	Note       string      `json:"note,omitempty" doc:"Why it was not, or what it refuses"`
	Refused    bool        `json:"refused" doc:"Whether the target said no" example:"false"`
	Fields     []FieldDiff `json:"fields" nullable:"false" doc:"The fields that differ, ordered by path"`
}

// FieldDiff is one field that differs.
type FieldDiff struct {
	Path    string    `json:"path" doc:"Keys by dots, items of a list by [2] or [name=web]" example:"spec.replicas"`
	Op      string    `json:"op" enum:"add,remove,replace" doc:"What happens to it" example:"replace"`
	Before  any       `json:"before,omitempty" doc:"What it was; absent when it is added" example:"1"`
	After   any       `json:"after,omitempty" doc:"What it is then; absent when it is removed" example:"2"`
	Index   int       `json:"index,omitempty" doc:"Of an added item of a list: where it stands afterwards, from 0" example:"1"`
	Manager string    `json:"manager,omitempty" doc:"Drift: who owns the field on the target; absent when not known" example:"kubectl-edit"`
	Since   time.Time `json:"since,omitzero" doc:"Drift: when that manager last wrote the object; absent when not known"`
}

// Fit is one limit with what is used of it and what is asked for. CPU is in thousandths of a core, memory and storage in bytes, the rest are counts;
// QuantityText writes them for people.
type Fit struct {
	Resource string `json:"resource" enum:"environments,cpu,memory,pods,storage" doc:"What is limited" example:"cpu"`
	Scope    string `json:"scope" doc:"What the limit is of" example:"project default"`
	Used     int64  `json:"used" doc:"Without what is asked for. CPU in thousandths of a core, memory and storage in bytes, the rest counts" example:"3500"`
	Asked    int64  `json:"asked" doc:"More, or below zero less, than now; in the same unit" example:"500"`
	Limit    int64  `json:"limit" doc:"The limit, in the same unit" example:"4000"`
	Fits     bool   `json:"fits" doc:"Whether the limit holds afterwards. What asks for no more than before always fits" example:"true"`
}

// PolicyVerdict is what one rule says of one object of a plan.
type PolicyVerdict struct {
	Rule    string `json:"rule" doc:"Name of the policy and of the rule" example:"default/images-by-digest"`
	Object  string `json:"object" doc:"What it is about" example:"Deployment.apps default-pr-42/backend"`
	Denied  bool   `json:"denied" doc:"Whether it stops the plan; else it only warns" example:"true"`
	Message string `json:"message" doc:"What is wrong" example:"the image has no digest"`
	Fix     string `json:"fix,omitempty" doc:"What to do about it" example:"name the image by its digest"`
}

// PlanLease is what becomes of the lease.
type PlanLease struct {
	Before time.Time `json:"before,omitzero" doc:"When it ends now; absent if it never does"`
	After  time.Time `json:"after,omitzero" doc:"When it ends then; of a create, counted from when the plan was made"`
	Hours  int       `json:"hours,omitempty" doc:"Length of the lease of a create" example:"24"`
}

// DryRun says whether the target was asked what it would make of the plan.
type DryRun struct {
	Done   bool   `json:"done" doc:"Whether it was" example:"true"`
	Reason string `json:"reason,omitempty" doc:"Why not" example:"target local is down"`
}

// PlanEnvironmentRequest asks what a change of an environment would do. Exactly one of its three parts is set.
type PlanEnvironmentRequest struct {
	Change   *ChangeEnvironmentRequest   `json:"change,omitempty" doc:"A change; its plan_id must be empty"`
	Rollback *RollbackEnvironmentRequest `json:"rollback,omitempty" doc:"A rollback; its plan_id must be empty"`
	Destroy  bool                        `json:"destroy,omitempty" doc:"The end of the environment" example:"false"`
}

// PlanList is a run of plans, newest first.
type PlanList struct {
	Items      []Plan `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string `json:"next_before,omitempty" doc:"Give it as before to read on; absent when there is no more" example:"pln_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// PlanWindow says which plans of an environment to read, newest first.
type PlanWindow struct {
	Before string // id to start before; empty means the newest
	Limit  int    // 0 means the server's default
}
