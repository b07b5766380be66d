package sdk

import "time"

// Phase is where an environment is in its life.
type Phase string

// The phases.
const (
	Pending      Phase = "pending"
	Provisioning Phase = "provisioning"
	Ready        Phase = "ready"
	Degraded     Phase = "degraded"
	Updating     Phase = "updating"
	Sleeping     Phase = "sleeping"
	Failed       Phase = "failed"
	Terminating  Phase = "terminating"
	Terminated   Phase = "terminated"
)

// Source is where the blueprint of an environment comes from.
type Source struct {
	Repository string `json:"repository,omitempty" doc:"URL of the application's Git repository" example:"https://git.example.com/acme/shop.git"`
	Ref        string `json:"ref,omitempty" doc:"Branch, tag or commit. Empty means the default branch" example:"main"`
	Commit     string `json:"commit,omitempty" doc:"The commit that ref was when the request was accepted" example:"5f1d3c1e8a0b4c6d9e2f7a8b9c0d1e2f3a4b5c6d"`
	Path       string `json:"path,omitempty" doc:"Path of the blueprint in the repository. Empty means blueberry.yaml" example:"blueberry.yaml"`
}

// Environment is one running instance of a blueprint.
type Environment struct {
	ID             string             `json:"id" doc:"Sorts by the time of creation" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project        string             `json:"project" doc:"Boundary of ownership, quota and permission" example:"default"`
	Name           string             `json:"name" doc:"Unique in its project while the environment is not terminated" example:"pr-42"`
	Namespace      string             `json:"namespace" doc:"Kubernetes namespace on the target" example:"default-pr-42"`
	Target         string             `json:"target" doc:"Place that runs it" example:"local"`
	Owner          string             `json:"owner" doc:"Who asked for it" example:"admin"`
	Labels         map[string]string  `json:"labels,omitempty" doc:"Words that people put on it to find it again; absent when it has none" example:"{\"team\": \"checkout\"}"`
	Source         Source             `json:"source" doc:"Where the blueprint came from; empty if it came with the request"`
	Restricted     bool               `json:"restricted,omitempty" doc:"Whether it runs code that nobody vouches for: it has no secrets, no token, no way out, little room and a short lease, and nobody runs commands in it" example:"false"`
	Kind           string             `json:"kind" enum:"preview,ephemeral,standing" doc:"What sort it is for quotas: of a pull request, with a lease, or without" example:"preview"`
	BlueprintRef   string             `json:"blueprint_ref,omitempty" doc:"Version of the catalogue's blueprint that it is made of. Told when one environment is read" example:"shop@3"`
	ConfigSets     []string           `json:"config_sets,omitempty" nullable:"false" doc:"Config sets that are merged, each with its version, in the order of their layers. Told when one environment is read" example:"[\"shop@3\", \"global/logging@7\"]"`
	Branch         string             `json:"branch,omitempty" doc:"Whose name is looked for in the repositories of the blueprint. Told when one environment is read" example:"feature/cart"`
	Repositories   []SourceRepository `json:"repositories,omitempty" nullable:"false" doc:"The repositories of the blueprint that its components name, as they were resolved. Told when one environment is read"`
	Commits        map[string]string  `json:"commits,omitempty" doc:"Component to the commit that it runs, where that is not the one of its repository. Told when one environment is read" example:"{\"backend\": \"5f1d3c1e8a0b4c6d9e2f7a8b9c0d1e2f3a4b5c6d\"}"`
	Images         map[string]string  `json:"images,omitempty" doc:"Component to the image that CI built of its commit. Told when one environment is read" example:"{\"backend\": \"ghcr.io/acme/backend@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"}"`
	Phase          Phase              `json:"phase" enum:"pending,provisioning,ready,degraded,updating,sleeping,failed,terminating,terminated" doc:"Where it is in its life" example:"ready"`
	PhaseSince     time.Time          `json:"phase_since" doc:"When it entered the phase"`
	Reason         string             `json:"reason" doc:"One word: why it is in this phase" example:"Ready"`
	Message        string             `json:"message" doc:"The same for people" example:"2 of 2 pods are ready"`
	Conditions     []Condition        `json:"conditions" nullable:"false" doc:"The steps from request to reachable workload, in order"`
	ExpiresAt      time.Time          `json:"expires_at,omitzero" doc:"When its lease ends; absent if it never does"`
	Lease          Lease              `json:"lease" doc:"Until when it lives"`
	Sleep          EnvironmentSleep   `json:"sleep" doc:"Whether it should sleep, and when it does by itself"`
	Cause          string             `json:"cause,omitempty" doc:"Code of what keeps it from being ready, as last told; absent when nothing does. Ask why for all of it" example:"ImageNotFound"`
	HeldBy         string             `json:"held_by,omitempty" doc:"Driver that last applied it; absent before the first time" example:"kube"`
	Revision       int                `json:"revision" doc:"Number of the desired revision, from 1" example:"1"`
	SyncedRevision int                `json:"synced_revision" doc:"Revision that the target holds in full; 0 for none yet" example:"1"`
	Commit         string             `json:"commit,omitempty" doc:"Commit of the GitOps repository that holds the desired revision" example:"0b7c1f4d5e6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c"`
	Hosts          []string           `json:"hosts" nullable:"false" doc:"Host names of its components" example:"[\"web-pr-42.example.com\"]"`
	Demand         Demand             `json:"demand,omitzero" doc:"What the desired revision asks of the target, at its largest"`
	Cost           *Cost              `json:"cost,omitempty" doc:"What it costs now, and has cost. Told when one environment is read; absent where no prices are set, and none were while it was there"`
	Drift          EnvironmentDrift   `json:"drift" doc:"Whether the target was altered by another hand, and what is done about it"`
	CreatedAt      time.Time          `json:"created_at" doc:"When it was asked for"`
	UpdatedAt      time.Time          `json:"updated_at" doc:"When this record last changed"`
	TerminatedAt   time.Time          `json:"terminated_at,omitzero" doc:"When it was proven gone; absent before"`
	Version        int64              `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"7"`
}

// Condition is one step between a request and a reachable workload.
type Condition struct {
	Type    string    `json:"type" enum:"Rendered,Committed,Synced,Scheduled,Started,Ready,Reachable" doc:"Name of the step" example:"Synced"`
	Status  string    `json:"status" enum:"True,False,Unknown" doc:"Whether the step is done" example:"True"`
	Reason  string    `json:"reason" doc:"One word" example:"Complete"`
	Code    string    `json:"code,omitempty" doc:"Code of the error that it was set by; absent when there was none" example:"TARGET_UNREACHABLE"`
	Message string    `json:"message" doc:"The same for people" example:"21 of 21 objects are applied"`
	Since   time.Time `json:"since" doc:"When the status last changed"`
}

// CreateEnvironmentRequest asks for an environment. Its blueprint is read from Source, given in Blueprint, or named in BlueprintRef; with Source and another,
// that other is used and its charts and kustomizations are read from Source.
type CreateEnvironmentRequest struct {
	Project      string            `json:"project,omitempty" doc:"Empty means the default project" example:"default"`
	Name         string            `json:"name,omitempty" minLength:"1" maxLength:"40" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Lower-case letters, digits and dashes. Required without plan_id" example:"pr-42"`
	Target       string            `json:"target,omitempty" doc:"Place that runs it. Empty means the server's default target" example:"local"`
	TTLHours     *int              `json:"ttl_hours,omitempty" minimum:"1" maximum:"168" doc:"Length of the lease in hours. Absent means the blueprint's own, or 24" example:"24"`
	Source       *Source           `json:"source,omitempty" doc:"Repository that holds the blueprint; its commit field is ignored"`
	Blueprint    *Blueprint        `json:"blueprint,omitempty" doc:"The blueprint itself, instead of the file in the repository"`
	BlueprintRef string            `json:"blueprint_ref,omitempty" doc:"A blueprint of the catalogue: name, name@version or global/name" example:"shop@3"`
	ConfigSets   []string          `json:"config_sets,omitzero" nullable:"false" maxItems:"20" doc:"References of config sets, merged in this order above those that the blueprint names" example:"[\"shop@3\", \"global/logging\"]"`
	Parameters   map[string]any    `json:"parameters,omitzero" doc:"Values of the blueprint's parameters" example:"{\"replicas\": 2}"`
	Overrides    map[string]any    `json:"overrides,omitzero" doc:"Values above all others, keyed by component, or by all for every one" example:"{\"backend\": {\"env\": {\"LOG_LEVEL\": \"debug\"}}}"`
	Branch       string            `json:"branch,omitempty" doc:"Take the branch of this name in the repositories of the blueprint where there is one, else their refs" example:"feature/cart"`
	Images       map[string]string `json:"images,omitzero" doc:"Images that CI built, by component, each with its digest. They belong to the commit: with another one they go" example:"{\"backend\": \"ghcr.io/acme/backend@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"}"`
	Labels       map[string]string `json:"labels,omitzero" doc:"Words to find it again by, at most 32: keys and values as Kubernetes has them for labels" example:"{\"team\": \"checkout\"}"`
	Strict       bool              `json:"strict,omitempty" doc:"Refuse what would be dropped with a warning" example:"false"`
	Drift        *DriftPolicy      `json:"drift,omitempty" doc:"What is done about what another hand alters on the target. Absent means repair"`
	PlanID       string            `json:"plan_id,omitempty" doc:"Do just what this plan says; then nothing else may be set" example:"pln_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// SetLabelsRequest says which labels an environment has from now on.
type SetLabelsRequest struct {
	Labels map[string]string `json:"labels" doc:"All of them: what is not here goes" example:"{\"team\": \"checkout\", \"tier\": \"web\"}"`
}

// ExtendEnvironmentRequest adds time to a lease.
type ExtendEnvironmentRequest struct {
	Hours int `json:"hours" minimum:"1" maximum:"168" doc:"Hours to add to what is left. A lease never ends later than 168 hours from now" example:"24"`
}

// EnvironmentPage is one page of a list.
type EnvironmentPage struct {
	Items      []Environment `json:"items" nullable:"false" doc:"In the order asked for"`
	NextCursor string        `json:"next_cursor,omitempty" doc:"Asks for the next page; absent on the last"`
}

// EnvironmentFilter says which environments to list. The zero value asks for every one that is not terminated, newest first.
type EnvironmentFilter struct {
	Project string
	Name    string   // exact
	Search  string   // part of a name, owner, repository or label
	Owner   string   // exact
	Target  string   // exact
	Labels  []string // each key=value, or a key alone for any value; all of them hold
	// Restricted is "yes" for those that are restricted, "no" for those that are not; empty for both.
	Restricted string
	Phases     []Phase // empty means every phase but terminated
	Sort       string  // created_at, updated_at, expires_at, name or phase; a leading dash means descending. Empty means -created_at
	Limit      int     // of one page; 0 means the server's default
	Cursor     string  // NextCursor of the page before
}

// Rendering is the exact manifests of one revision.
type Rendering struct {
	Revision int            `json:"revision" doc:"Number of the revision" example:"1"`
	Digest   string         `json:"digest" doc:"Over names and contents of the files" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Commit   string         `json:"commit,omitempty" doc:"Commit of the GitOps repository that holds these very bytes; absent until committed" example:"0b7c1f4d5e6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c"`
	Files    []RenderedFile `json:"files" nullable:"false" doc:"One for each component, ordered by wave and name"`
}

// RenderedFile is one file of a rendering.
type RenderedFile struct {
	Path      string `json:"path" doc:"Name of the file in the environment's directory" example:"02-backend.yaml"`
	Component string `json:"component" doc:"Component that the file belongs to" example:"backend"`
	Wave      int    `json:"wave" doc:"Files of a lower wave are healthy before a higher one is applied; -1 is the platform's own" example:"2"`
	Content   string `json:"content" doc:"YAML documents, byte for byte as in Git" example:"apiVersion: v1\nkind: Service\n"`
}

// Object is one Kubernetes object that was made, or may have been made, for an environment.
type Object struct {
	APIVersion string    `json:"api_version" doc:"Group and version" example:"apps/v1"`
	Kind       string    `json:"kind" doc:"Kind of the object" example:"Deployment"`
	Namespace  string    `json:"namespace,omitempty" doc:"Absent for a cluster-scoped object" example:"default-pr-42"`
	Name       string    `json:"name" doc:"Name of the object" example:"backend"`
	Component  string    `json:"component" doc:"Component that it belongs to" example:"backend"`
	Wave       int       `json:"wave" doc:"Wave of that component" example:"1"`
	Revision   int       `json:"revision" doc:"Revision that last wanted it" example:"1"`
	MadeAt     time.Time `json:"made_at,omitzero" doc:"When it was made; absent when not known"`
	GoneAt     time.Time `json:"gone_at,omitzero" doc:"When it was proven gone; absent while it may exist"`
}

// ObjectList is every object of an environment. Of a terminated one it is the receipt: each has gone_at.
type ObjectList struct {
	Items []Object `json:"items" nullable:"false" doc:"Ordered by wave, kind and name"`
}
