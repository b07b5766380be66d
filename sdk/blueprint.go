package sdk

// Blueprint describes what an environment is made of.
type Blueprint struct {
	Name          string            `json:"name" minLength:"1" maxLength:"40" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Lower-case letters, digits and dashes" example:"shop"`
	Components    []Component       `json:"components" nullable:"false" minItems:"1" maxItems:"50" doc:"The parts of an environment"`
	Repositories  []SideRepository  `json:"repositories,omitempty" nullable:"false" maxItems:"10" doc:"Repositories beside the one that the blueprint stands in, of which components are made"`
	Parameters    []Parameter       `json:"parameters,omitempty" nullable:"false" maxItems:"50" doc:"What a request may choose"`
	Schema        map[string]any    `json:"schema,omitempty" doc:"JSON schema of the effective values, keyed by component" example:"{\"type\": \"object\"}"`
	Fields        FieldClasses      `json:"fields,omitzero" doc:"Paths of values that must be set, cannot be set, or look like secrets and are none"`
	Computed      map[string]string `json:"computed,omitempty" doc:"Path to text with ${project}, ${environment}, ${namespace}, ${domain}, ${commit}, ${image}, ${image.repository}, ${image.tag}, ${image.digest}, ${<component>.host}, ${<component>.url} and ${<component>.service}: what only the platform sets" example:"{\"web.env.API_URL\": \"${backend.url}\"}"`
	Services      []ServiceSlot     `json:"services,omitempty" nullable:"false" maxItems:"20" doc:"Data services that the components need. They are declared only: nothing makes them yet"`
	Egress        []Egress          `json:"egress,omitempty" nullable:"false" maxItems:"50" doc:"Where every pod may connect to outside its environment"`
	ConfigSets    []string          `json:"config_sets,omitempty" nullable:"false" maxItems:"20" doc:"References of config sets that apply by default, below those of a request" example:"[\"shop\", \"global/logging@2\"]"`
	ConfigUpdates string            `json:"config_updates,omitempty" enum:"plan,automatic" doc:"What happens when a config set that an environment follows gets a new version: a plan waits for a person, or it is applied. Absent means plan" example:"plan"`
	Lease         LeaseBounds       `json:"lease,omitzero" doc:"Bounds of the leases of its environments"`
	Access        BlueprintAccess   `json:"access,omitzero" doc:"Who may use it from the catalogue. Absent means everyone who may create environments"`
}

// Component is one part of a blueprint. With chart it is a Helm chart, with kustomization a kustomization, with score a Score workload, else a web service.
type Component struct {
	Name          string         `json:"name" minLength:"1" maxLength:"22" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Unique in the blueprint" example:"backend"`
	Image         string         `json:"image,omitempty" doc:"Web service: image with tag or digest. Absent, a parameter or a layer of values sets it" example:"ghcr.io/acme/backend:1.4.2"`
	Port          int            `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"Web service: port that the container listens on. Absent means 8080" example:"8080"`
	Health        string         `json:"health,omitempty" doc:"Web service: path of the probes. Absent means /" example:"/healthz"`
	Chart         string         `json:"chart,omitempty" doc:"Helm chart: its directory in the repository" example:"deploy/charts/cache"`
	Kustomization string         `json:"kustomization,omitempty" doc:"Kustomization: its directory in the repository" example:"deploy/extras"`
	Score         string         `json:"score,omitempty" doc:"Score workload: path of its file in the repository" example:"backend/score.yaml"`
	Wave          int            `json:"wave,omitempty" minimum:"0" maximum:"99" doc:"Components of a lower wave are healthy before a higher one is applied" example:"1"`
	Values        map[string]any `json:"values,omitempty" doc:"Merged over the chart's defaults" example:"{\"replicas\": 2}"`
	Repository    string         `json:"repository,omitempty" doc:"Name of the blueprint's repository that it is made of. Absent means the one that the blueprint stands in" example:"web"`
	Paths         []string       `json:"paths,omitempty" nullable:"false" maxItems:"50" doc:"Patterns of the files of its repository that it is built from; ** is any number of directories. Absent means all" example:"[\"backend/**\", \"go.mod\"]"`
}

// SideRepository is a repository beside the one that a blueprint stands in.
type SideRepository struct {
	Name  string `json:"name" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" maxLength:"22" doc:"Unique in the blueprint" example:"web"`
	URL   string `json:"url" doc:"That Git clones from" example:"https://git.example.com/acme/web.git"`
	Ref   string `json:"ref,omitempty" doc:"Branch, tag or commit. Absent means the default branch" example:"main"`
	Match string `json:"match,omitempty" enum:"branch,fixed" doc:"Whether the branch with the name of the environment's is taken where there is one, or always ref. Absent means branch" example:"branch"`
}

// Parameter is one value that a request may choose.
type Parameter struct {
	Name     string   `json:"name" pattern:"^[a-z][a-z0-9_-]{0,39}$" doc:"Unique in the blueprint" example:"replicas"`
	Type     string   `json:"type,omitempty" enum:"string,integer,number,boolean" doc:"Type of its value. Absent means string" example:"integer"`
	Help     string   `json:"help,omitempty" doc:"What it is for" example:"How many copies of the backend run"`
	Default  any      `json:"default,omitempty" doc:"Its value when a request chooses none" example:"2"`
	Enum     []any    `json:"enum,omitempty" nullable:"false" doc:"The only values it may have" example:"[1, 2, 3]"`
	Min      *float64 `json:"min,omitempty" doc:"Smallest number it may be" example:"1"`
	Max      *float64 `json:"max,omitempty" doc:"Largest number it may be" example:"10"`
	Pattern  string   `json:"pattern,omitempty" doc:"Pattern (RE2) that the whole text must match" example:"[a-z]+"`
	Required bool     `json:"required,omitempty" doc:"Whether a request must choose it, when it has no default" example:"false"`
	Sets     []string `json:"sets" nullable:"false" minItems:"1" doc:"Paths of values that it is written to; all.<path> is that path of every component" example:"[\"backend.replicas\"]"`
}

// FieldClasses sort paths of values. A pattern is a path whose segments may be * (one segment, or a part of it) or ** (any number); it matches a path and all
// below it. The first segment is the component.
type FieldClasses struct {
	Required  []string `json:"required,omitempty" nullable:"false" maxItems:"100" doc:"Must be set by someone" example:"[\"backend.env.REGION\"]"`
	Forbidden []string `json:"forbidden,omitempty" nullable:"false" maxItems:"100" doc:"Config sets, parameters and overrides cannot set them" example:"[\"*.resources\"]"`
	Public    []string `json:"public,omitempty" nullable:"false" maxItems:"100" doc:"Look like secrets and are none" example:"[\"*.env.PUBLIC_KEY\"]"`
}

// ServiceSlot declares a data service that the components need.
type ServiceSlot struct {
	Name string `json:"name" doc:"Unique in the blueprint" example:"db"`
	Kind string `json:"kind" enum:"postgres,mongodb,redis,bucket,queue" doc:"Kind of service" example:"postgres"`
	Size string `json:"size,omitempty" doc:"Size of its storage" example:"1Gi"`
}

// Egress is one opening to the outside.
type Egress struct {
	CIDR  string `json:"cidr" doc:"Network" example:"10.1.0.0/16"`
	Ports []int  `json:"ports,omitempty" nullable:"false" doc:"TCP ports. Absent means every port" example:"[5432]"`
}

// LeaseBounds narrow the leases of a blueprint's environments.
type LeaseBounds struct {
	Default int `json:"default,omitempty" minimum:"0" maximum:"168" doc:"Hours of a lease whose request names none. Absent means the platform's own" example:"24"`
	Max     int `json:"max,omitempty" minimum:"0" maximum:"168" doc:"Most hours that a request may name. Absent means the platform's own" example:"72"`
}

// BlueprintAccess says who may use a blueprint of the catalogue.
type BlueprintAccess struct {
	Projects []string `json:"projects,omitempty" nullable:"false" doc:"Only in these projects" example:"[\"default\"]"`
	Actors   []string `json:"actors,omitempty" nullable:"false" doc:"Only by these actors, by name" example:"[\"admin\"]"`
}

// BlueprintRequest asks what a blueprint would become. The blueprint is given by exactly one of: a file of Source's repository, Blueprint,
// BlueprintRef, a file of Files.
type BlueprintRequest struct {
	Project      string            `json:"project,omitempty" doc:"Project whose rules apply. Empty means the default project" example:"default"`
	Name         string            `json:"name,omitempty" doc:"Name of the environment to render for. Empty means preview" example:"preview"`
	Source       *Source           `json:"source,omitempty" doc:"Repository that holds the blueprint, or with files the path of the blueprint among them"`
	Blueprint    *Blueprint        `json:"blueprint,omitempty" doc:"The blueprint itself"`
	BlueprintRef string            `json:"blueprint_ref,omitempty" doc:"A blueprint of the catalogue: name, name@version or global/name" example:"shop@3"`
	Files        map[string][]byte `json:"files,omitempty" doc:"A tree sent along instead of a repository: path to content, base64"`
	ConfigSets   []string          `json:"config_sets,omitzero" nullable:"false" maxItems:"20" doc:"References of config sets, merged in this order above those that the blueprint names" example:"[\"shop@3\", \"global/logging\"]"`
	Parameters   map[string]any    `json:"parameters,omitzero" doc:"Values of the blueprint's parameters" example:"{\"replicas\": 2}"`
	Overrides    map[string]any    `json:"overrides,omitzero" doc:"Values above all others, keyed by component, or by all for every one" example:"{\"backend\": {\"env\": {\"LOG_LEVEL\": \"debug\"}}}"`
	Strict       bool              `json:"strict,omitempty" doc:"Refuse what would be dropped with a warning" example:"false"`
}

// BlueprintCheck is the answer for a valid blueprint. A blueprint that is not valid is a problem that lists every fault.
type BlueprintCheck struct {
	Blueprint Blueprint `json:"blueprint" doc:"The blueprint as it was understood"`
	Source    Source    `json:"source" doc:"Where it was read, with the commit"`
	Digest    string    `json:"digest" doc:"Digest of the rendering that it gives" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Objects   int       `json:"objects" doc:"How many Kubernetes objects it renders to" example:"21"`
	Warnings  []Warning `json:"warnings" nullable:"false" doc:"What a user should know and what stops nothing"`
}

// BlueprintRendering is what a blueprint renders to.
type BlueprintRendering struct {
	Blueprint Blueprint      `json:"blueprint" doc:"The blueprint as it was understood"`
	Source    Source         `json:"source" doc:"Where it was read, with the commit"`
	Digest    string         `json:"digest" doc:"Over names and contents of the files" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Files     []RenderedFile `json:"files" nullable:"false" doc:"One for each component, ordered by wave and name"`
	Settings  []Setting      `json:"settings" nullable:"false" doc:"The effective values with where each comes from, ordered by path"`
	Warnings  []Warning      `json:"warnings" nullable:"false" doc:"What a user should know and what stops nothing"`
}
