package sdk

import "time"

// Revision is one accepted desired state of an environment. Lists leave out the blueprint.
type Revision struct {
	ID               string             `json:"id" doc:"Sorts by the time of creation" example:"rev_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Number           int                `json:"number" doc:"Counts from 1" example:"2"`
	Author           string             `json:"author" doc:"Who asked for it" example:"admin"`
	Reason           string             `json:"reason" doc:"Why" example:"log more"`
	Source           Source             `json:"source" doc:"Where the blueprint came from, with the commit; empty if it came with the request"`
	Head             string             `json:"head,omitempty" doc:"Of a restricted environment: the commit that runs, of which nothing else is taken" example:"9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"`
	BlueprintRef     string             `json:"blueprint_ref,omitempty" doc:"Version of the catalogue's blueprint; absent when the blueprint came from a repository or with the request" example:"shop@3"`
	BlueprintFollows bool               `json:"blueprint_follows,omitempty" doc:"Whether newer versions of the catalogue's blueprint reach the environment; else it names this one" example:"false"`
	Blueprint        *Blueprint         `json:"blueprint,omitempty" doc:"The blueprint as it was understood"`
	ConfigSets       []ConfigUse        `json:"config_sets" nullable:"false" doc:"Config sets that are merged, in the order of their layers"`
	Parameters       map[string]any     `json:"parameters,omitempty" doc:"Values that the request chose" example:"{\"replicas\": 2}"`
	Overrides        map[string]any     `json:"overrides,omitempty" doc:"Values above all others, keyed by component" example:"{\"backend\": {\"env\": {\"LOG_LEVEL\": \"debug\"}}}"`
	Branch           string             `json:"branch,omitempty" doc:"Whose name is looked for in the repositories of the blueprint; absent for none" example:"feature/cart"`
	Repositories     []SourceRepository `json:"repositories,omitempty" nullable:"false" doc:"The repositories of the blueprint that its components name, as they were resolved"`
	Commits          map[string]string  `json:"commits,omitempty" doc:"Component to the commit that it runs, where that is not the one of its repository" example:"{\"backend\": \"5f1d3c1e8a0b4c6d9e2f7a8b9c0d1e2f3a4b5c6d\"}"`
	Images           map[string]string  `json:"images,omitempty" doc:"Component to the image that CI built of its commit" example:"{\"backend\": \"ghcr.io/acme/backend@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"}"`
	Demand           Demand             `json:"demand,omitzero" doc:"What it asks of the target, at its largest"`
	PlanID           string             `json:"plan_id,omitempty" doc:"Plan that it came of; absent for revisions older than plans" example:"pln_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	RestoredFrom     int                `json:"restored_from,omitempty" doc:"Number of the revision that it brings back; absent if none" example:"1"`
	Commit           string             `json:"commit,omitempty" doc:"Commit of the GitOps repository that holds it; absent until committed" example:"0b7c1f4d5e6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c"`
	CreatedAt        time.Time          `json:"created_at" doc:"When it was accepted"`
}

// ConfigUse is a reference to a config set as it was resolved for one revision.
type ConfigUse struct {
	Ref         string `json:"ref" doc:"The reference as it was given" example:"shop"`
	ConfigSetID string `json:"config_set_id" doc:"Id of the config set" example:"cfg_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Number      int    `json:"number" doc:"Version that is merged" example:"3"`
	Follows     bool   `json:"follows" doc:"Whether newer versions reach the environment; else the reference names this one" example:"true"`
	Default     bool   `json:"default" doc:"Whether the blueprint names it, not the request" example:"false"`
	Author      string `json:"author,omitempty" doc:"Who made that version" example:"admin"`
	Digest      string `json:"digest" doc:"Digest of that version" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
}

// SourceRepository is a repository of a blueprint as it was resolved for one revision.
type SourceRepository struct {
	Name       string `json:"name" doc:"In the blueprint" example:"web"`
	Repository string `json:"repository" doc:"That Git clones from" example:"https://git.example.com/acme/web.git"`
	Ref        string `json:"ref,omitempty" doc:"Of the blueprint, or the full name of the branch that matched. Absent means the default branch" example:"refs/heads/feature/cart"`
	Commit     string `json:"commit" doc:"What it was" example:"5f1d3c1e8a0b4c6d9e2f7a8b9c0d1e2f3a4b5c6d"`
	Matched    bool   `json:"matched" doc:"Whether the branch of the environment chose it" example:"true"`
}

// Demand is what a revision asks of its target, at its largest: every autoscaler at its most.
type Demand struct {
	CPU     string `json:"cpu" doc:"Requested cores" example:"1500m"`
	Memory  string `json:"memory" doc:"Requested bytes" example:"2Gi"`
	Pods    int64  `json:"pods" doc:"How many pods" example:"4"`
	Storage string `json:"storage" doc:"Claimed bytes" example:"10Gi"`
}

// RevisionList is a run of revisions, newest first.
type RevisionList struct {
	Items      []Revision `json:"items" nullable:"false" doc:"Newest first, without blueprints"`
	NextBefore int        `json:"next_before,omitempty" doc:"Give it as before to read on; absent when there is no more" example:"41"`
}

// RevisionDiff is what differs between two revisions.
type RevisionDiff struct {
	From    Revision        `json:"from" doc:"The one revision"`
	To      Revision        `json:"to" doc:"The other"`
	Inputs  []InputChange   `json:"inputs" nullable:"false" doc:"Inputs that differ"`
	Config  []SettingChange `json:"config" nullable:"false" doc:"Effective values that differ, ordered by path"`
	Objects []ObjectDiff    `json:"objects" nullable:"false" doc:"Objects that differ, field by field"`
}

// InputChange is an input that differs between two revisions.
type InputChange struct {
	Kind   string `json:"kind" doc:"Kind of input" example:"config_set"`
	Name   string `json:"name,omitempty" doc:"Of the config set or component; absent where there is one of the kind" example:"shop"`
	Before string `json:"before,omitempty" doc:"Absent where there was none" example:"2"`
	After  string `json:"after,omitempty" doc:"Absent where there is none" example:"3"`
}

// ChangeEnvironmentRequest asks for a new revision. What is nil stays as it is.
type ChangeEnvironmentRequest struct {
	Source       *SourceChange     `json:"source,omitempty" doc:"Another repository, ref or path; what is absent stays as it is"`
	Blueprint    *Blueprint        `json:"blueprint,omitempty" doc:"The blueprint itself, instead of one in a repository or the catalogue"`
	BlueprintRef *string           `json:"blueprint_ref,omitempty" doc:"A blueprint of the catalogue: name, name@version or global/name" example:"shop@3"`
	ConfigSets   []string          `json:"config_sets,omitzero" nullable:"false" maxItems:"20" doc:"References of all config sets that are merged above those that the blueprint names, in this order" example:"[\"shop@3\", \"global/logging\"]"`
	Parameters   map[string]any    `json:"parameters,omitzero" doc:"Values of parameters. One that is absent stays as it is, null takes the blueprint's default" example:"{\"replicas\": 2}"`
	Overrides    map[string]any    `json:"overrides,omitzero" doc:"All values above all others, keyed by component, or by all for every one" example:"{\"backend\": {\"env\": {\"LOG_LEVEL\": \"debug\"}}}"`
	Branch       *string           `json:"branch,omitempty" doc:"Look for the branch of this name in the repositories of the blueprint, and take their newest commits; empty means no branch" example:"feature/cart"`
	Images       map[string]string `json:"images,omitzero" doc:"All images that CI built, by component, each with its digest. They belong to the commit: with another one they go" example:"{\"backend\": \"ghcr.io/acme/backend@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"}"`
	Strict       bool              `json:"strict,omitempty" doc:"Refuse what would be dropped with a warning" example:"false"`
	Reason       string            `json:"reason,omitempty" maxLength:"500" doc:"Why. Empty means changed" example:"log more"`
	Refresh      bool              `json:"refresh,omitempty" doc:"Also take the newest commit of the ref" example:"false"`
	PlanID       string            `json:"plan_id,omitempty" doc:"Do just what this plan says; then nothing else may be set" example:"pln_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// SourceChange says what becomes of an environment's source. What is nil stays as it is.
type SourceChange struct {
	Repository *string `json:"repository,omitempty" doc:"URL of the application's Git repository" example:"https://git.example.com/acme/shop.git"`
	Ref        *string `json:"ref,omitempty" doc:"Branch, tag or commit. Empty means the default branch" example:"main"`
	Path       *string `json:"path,omitempty" doc:"Path of the blueprint in the repository. Empty means blueberry.yaml" example:"blueberry.yaml"`
}

// RollbackEnvironmentRequest asks for a new revision equal to an old one.
type RollbackEnvironmentRequest struct {
	Revision int    `json:"revision,omitempty" minimum:"1" doc:"Number of the revision to bring back. Required without plan_id" example:"1"`
	Reason   string `json:"reason,omitempty" maxLength:"500" doc:"Why" example:"errors after the release"`
	PlanID   string `json:"plan_id,omitempty" doc:"Do just what this plan says; then nothing else may be set" example:"pln_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// ChangedEnvironment is the answer to a change. Without a difference the environment is as it was, and the plan says so.
type ChangedEnvironment struct {
	Environment Environment `json:"environment" doc:"The environment"`
	Plan        Plan        `json:"plan" doc:"The plan that was applied; its changes are false when there was no difference"`
}
