package sdk

import "time"

// CatalogueEntry is a blueprint of the catalogue. Its versions never change.
type CatalogueEntry struct {
	ID          string    `json:"id" doc:"Sorts by the time of creation" example:"bpt_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project     string    `json:"project,omitempty" doc:"Project that it belongs to; absent for a global one" example:"default"`
	Global      bool      `json:"global" doc:"Whether it belongs to no project" example:"false"`
	Name        string    `json:"name" doc:"Unique in its project" example:"shop"`
	Description string    `json:"description,omitempty" doc:"What it is for" example:"Shop with back end and cache"`
	Latest      int       `json:"latest" doc:"Number of its newest version, from 1" example:"3"`
	CreatedAt   time.Time `json:"created_at" doc:"When its first version was published"`
	UpdatedAt   time.Time `json:"updated_at" doc:"When this record last changed"`
	Version     int64     `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"3"`
}

// CatalogueVersion is one version of a blueprint of the catalogue. Lists leave out content and blueprint.
type CatalogueVersion struct {
	BlueprintID string     `json:"blueprint_id" doc:"Blueprint that it is a version of" example:"bpt_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Number      int        `json:"number" doc:"Counts from 1" example:"3"`
	Author      string     `json:"author" doc:"Who published it" example:"admin"`
	Message     string     `json:"message,omitempty" doc:"Why" example:"Two replicas by default"`
	Source      Source     `json:"source,omitzero" doc:"Where it was imported from, and what holds the files that its components need; absent if it was sent"`
	Content     string     `json:"content,omitempty" doc:"YAML or JSON, as it was written" example:"name: shop\n"`
	Digest      string     `json:"digest" doc:"Over the content" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Blueprint   *Blueprint `json:"blueprint,omitempty" doc:"The blueprint as it was understood"`
	CreatedAt   time.Time  `json:"created_at" doc:"When it was published"`
}

// PublishBlueprintRequest asks for a version of a blueprint of the catalogue, and for the blueprint if it is the first. Its name is the blueprint's own.
// The content is sent, or read from Source.
type PublishBlueprintRequest struct {
	Project     string  `json:"project,omitempty" doc:"Project that it belongs to. Empty means the default project" example:"default"`
	Global      bool    `json:"global,omitempty" doc:"It belongs to no project, and every one may use it; then project must be empty" example:"false"`
	Description string  `json:"description,omitempty" maxLength:"500" doc:"What it is for. Empty leaves it as it is" example:"Shop with back end and cache"`
	Content     string  `json:"content,omitempty" doc:"The blueprint as YAML or JSON, with the keys of blueberry.yaml" example:"name: shop\ncomponents:\n- name: backend\n  image: ghcr.io/acme/backend:1.4.2\n"`
	Source      *Source `json:"source,omitempty" doc:"Repository that holds the blueprint, instead of content; its commit field is ignored"`
	Message     string  `json:"message,omitempty" maxLength:"500" doc:"Why" example:"Two replicas by default"`
}

// PublishedBlueprint is a blueprint of the catalogue with the version that was made.
type PublishedBlueprint struct {
	Blueprint CatalogueEntry   `json:"blueprint" doc:"The blueprint of the catalogue"`
	Version   CatalogueVersion `json:"version" doc:"The version that was made, or the latest when none was"`
	Unchanged bool             `json:"unchanged" doc:"The content is that of the latest version, so none was made" example:"false"`
}

// CataloguePage is one page of blueprints.
type CataloguePage struct {
	Items      []CatalogueEntry `json:"items" nullable:"false" doc:"Ordered by name"`
	NextCursor string           `json:"next_cursor,omitempty" doc:"Asks for the next page; absent on the last"`
}

// CatalogueFilter says which blueprints or config sets to list. The zero value asks for every one that may be read.
type CatalogueFilter struct {
	Project string // empty means the default project
	Scope   string // project, global or all; empty means all
	Search  string // part of a name
	Limit   int    // of one page; 0 means the server's default
	Cursor  string // NextCursor of the page before
}

// CatalogueVersionList is a run of versions, newest first.
type CatalogueVersionList struct {
	Items      []CatalogueVersion `json:"items" nullable:"false" doc:"Newest first, without content and blueprint"`
	NextBefore int                `json:"next_before,omitempty" doc:"Give it as before to read on; absent when there is no more" example:"41"`
}

// EnvironmentUse is an environment that uses a config set or a blueprint of the catalogue.
type EnvironmentUse struct {
	EnvironmentID string `json:"environment_id" doc:"Id of the environment" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project       string `json:"project" doc:"Its project" example:"default"`
	Name          string `json:"name" doc:"Its name" example:"pr-42"`
	Phase         Phase  `json:"phase" enum:"pending,provisioning,ready,degraded,updating,sleeping,failed,terminating,terminated" doc:"Where it is in its life" example:"ready"`
	Revision      int    `json:"revision" doc:"Number of its desired revision" example:"2"`
	Number        int    `json:"number" doc:"Version that the revision uses" example:"3"`
	Follows       bool   `json:"follows" doc:"Whether newer versions reach it; else it names this one" example:"true"`
}

// EnvironmentUseList is every living environment that uses something.
type EnvironmentUseList struct {
	Items  []EnvironmentUse `json:"items" nullable:"false" doc:"Ordered by project and name"`
	Hidden int              `json:"hidden,omitempty" doc:"Further ones in projects that you may not read" example:"2"`
}

// Window says which part of a list of numbered things to read, newest first.
type Window struct {
	Before int // number to start before; 0 means the newest
	Limit  int // 0 means the server's default
}
