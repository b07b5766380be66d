package sdk

// Blueprint describes what an environment is made of.
type Blueprint struct {
	Name       string      `json:"name" minLength:"1" maxLength:"40" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Lower-case letters, digits and dashes" example:"shop"`
	Components []Component `json:"components" nullable:"false" minItems:"1" maxItems:"50" doc:"The parts of an environment"`
}

// Component is one part of a blueprint. With chart it is a Helm chart, with kustomization a kustomization, else a web service.
type Component struct {
	Name          string         `json:"name" minLength:"1" maxLength:"22" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Unique in the blueprint" example:"backend"`
	Image         string         `json:"image,omitempty" doc:"Web service: image with tag or digest" example:"ghcr.io/acme/backend:1.4.2"`
	Port          int            `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"Web service: port that the container listens on. Absent means 8080" example:"8080"`
	Health        string         `json:"health,omitempty" doc:"Web service: path of the probes. Absent means /" example:"/healthz"`
	Chart         string         `json:"chart,omitempty" doc:"Helm chart: its directory in the repository" example:"deploy/charts/cache"`
	Kustomization string         `json:"kustomization,omitempty" doc:"Kustomization: its directory in the repository" example:"deploy/extras"`
	Wave          int            `json:"wave,omitempty" minimum:"0" maximum:"99" doc:"Components of a lower wave are healthy before a higher one is applied" example:"1"`
	Values        map[string]any `json:"values,omitempty" doc:"Merged over the chart's defaults" example:"{\"replicas\": 2}"`
}

// BlueprintRequest asks what a blueprint would become. The blueprint is given by exactly one of: a file of Source's repository, Blueprint,
// a file of Files.
type BlueprintRequest struct {
	Project   string            `json:"project,omitempty" doc:"Project whose rules apply. Empty means the default project" example:"default"`
	Name      string            `json:"name,omitempty" doc:"Name of the environment to render for. Empty means preview" example:"preview"`
	Source    *Source           `json:"source,omitempty" doc:"Repository that holds the blueprint, or with files the path of the blueprint among them"`
	Blueprint *Blueprint        `json:"blueprint,omitempty" doc:"The blueprint itself"`
	Files     map[string][]byte `json:"files,omitempty" doc:"A tree sent along instead of a repository: path to content, base64"`
}

// BlueprintCheck is the answer for a valid blueprint. A blueprint that is not valid is a problem that lists every fault.
type BlueprintCheck struct {
	Blueprint Blueprint `json:"blueprint" doc:"The blueprint as it was understood"`
	Source    Source    `json:"source" doc:"Where it was read, with the commit"`
	Digest    string    `json:"digest" doc:"Digest of the rendering that it gives" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Objects   int       `json:"objects" doc:"How many Kubernetes objects it renders to" example:"21"`
}

// BlueprintRendering is what a blueprint renders to.
type BlueprintRendering struct {
	Blueprint Blueprint      `json:"blueprint" doc:"The blueprint as it was understood"`
	Source    Source         `json:"source" doc:"Where it was read, with the commit"`
	Digest    string         `json:"digest" doc:"Over names and contents of the files" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Files     []RenderedFile `json:"files" nullable:"false" doc:"One for each component, ordered by wave and name"`
}
