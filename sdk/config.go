package sdk

import "time"

// ConfigSet is versioned named values that are merged into renderings. Its versions never change.
type ConfigSet struct {
	ID        string    `json:"id" doc:"Sorts by the time of creation" example:"cfg_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project   string    `json:"project,omitempty" doc:"Project that it belongs to; absent for a global one" example:"default"`
	Global    bool      `json:"global" doc:"Whether it belongs to no project" example:"false"`
	Name      string    `json:"name" doc:"Unique in its project" example:"shop"`
	Latest    int       `json:"latest" doc:"Number of its newest version, from 1" example:"3"`
	CreatedAt time.Time `json:"created_at" doc:"When its first version was made"`
	UpdatedAt time.Time `json:"updated_at" doc:"When this record last changed"`
	Version   int64     `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"3"`
}

// ConfigVersion is one edit of a config set. Lists leave out content and values.
type ConfigVersion struct {
	ConfigSetID  string         `json:"config_set_id" doc:"Config set that it is a version of" example:"cfg_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Number       int            `json:"number" doc:"Counts from 1" example:"3"`
	Author       string         `json:"author" doc:"Who made it" example:"admin"`
	Message      string         `json:"message,omitempty" doc:"Why" example:"Log more"`
	Source       Source         `json:"source,omitzero" doc:"Where it was imported from; absent if it was sent"`
	RestoredFrom int            `json:"restored_from,omitempty" doc:"Number of the version that it brings back; absent if none" example:"1"`
	Content      string         `json:"content,omitempty" doc:"YAML or JSON as it was written, with comments and order" example:"backend:\n  env:\n    LOG_LEVEL: debug # until the release\n"`
	Digest       string         `json:"digest" doc:"Over the content" example:"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Values       map[string]any `json:"values,omitempty" doc:"The content as values, keyed by component, or by all for every one" example:"{\"backend\": {\"env\": {\"LOG_LEVEL\": \"debug\"}}}"`
	Public       []string       `json:"public,omitempty" nullable:"false" doc:"Patterns of paths whose value looks like a secret and is none" example:"[\"*.env.PUBLIC_KEY\"]"`
	CreatedAt    time.Time      `json:"created_at" doc:"When it was made"`
}

// CreateConfigSetRequest asks for a config set with its first version. The content is sent, or read from Source.
type CreateConfigSetRequest struct {
	Project string   `json:"project,omitempty" doc:"Project that it belongs to. Empty means the default project" example:"default"`
	Global  bool     `json:"global,omitempty" doc:"It belongs to no project, and every one may use it; then project must be empty" example:"false"`
	Name    string   `json:"name" minLength:"1" maxLength:"40" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Lower-case letters, digits and dashes" example:"shop"`
	Content string   `json:"content,omitempty" doc:"Values as YAML or JSON, keyed by component, or by all for every one" example:"backend:\n  env:\n    LOG_LEVEL: debug\n"`
	Source  *Source  `json:"source,omitempty" doc:"Repository and path of a file with the content, instead of content; its commit field is ignored"`
	Message string   `json:"message,omitempty" maxLength:"500" doc:"Why" example:"Log more"`
	Public  []string `json:"public,omitempty" nullable:"false" maxItems:"100" doc:"Patterns of paths whose value looks like a secret and is none" example:"[\"*.env.PUBLIC_KEY\"]"`
}

// EditConfigSetRequest asks for a new version of a config set. The content is sent, or read from Source.
type EditConfigSetRequest struct {
	Content string   `json:"content,omitempty" doc:"All of its values as YAML or JSON, keyed by component, or by all for every one" example:"backend:\n  env:\n    LOG_LEVEL: debug\n"`
	Source  *Source  `json:"source,omitempty" doc:"Repository and path of a file with the content, instead of content; its commit field is ignored"`
	Message string   `json:"message,omitempty" maxLength:"500" doc:"Why" example:"Log more"`
	Public  []string `json:"public,omitzero" nullable:"false" maxItems:"100" doc:"Patterns of paths whose value looks like a secret and is none. Absent means those of the latest version" example:"[\"*.env.PUBLIC_KEY\"]"`
}

// RestoreConfigSetRequest asks for a new version with the content of an old one.
type RestoreConfigSetRequest struct {
	Version int    `json:"version" minimum:"1" doc:"Number of the version to bring back" example:"1"`
	Message string `json:"message,omitempty" maxLength:"500" doc:"Why" example:"Log less again"`
}

// EditedConfigSet is a config set with the version that was made.
type EditedConfigSet struct {
	ConfigSet ConfigSet     `json:"config_set" doc:"The config set"`
	Version   ConfigVersion `json:"version" doc:"The version that was made, or the latest when none was"`
	Unchanged bool          `json:"unchanged" doc:"The content is that of the latest version, so none was made" example:"false"`
}

// ConfigSetPage is one page of config sets.
type ConfigSetPage struct {
	Items      []ConfigSet `json:"items" nullable:"false" doc:"Ordered by name"`
	NextCursor string      `json:"next_cursor,omitempty" doc:"Asks for the next page; absent on the last"`
}

// ConfigVersionList is a run of versions, newest first.
type ConfigVersionList struct {
	Items      []ConfigVersion `json:"items" nullable:"false" doc:"Newest first, without content and values"`
	NextBefore int             `json:"next_before,omitempty" doc:"Give it as before to read on; absent when there is no more" example:"41"`
}

// ConfigDiff is what differs between two versions of a config set.
type ConfigDiff struct {
	From    *ConfigVersion  `json:"from,omitempty" doc:"The one version, with its content; absent when the other is the first"`
	To      ConfigVersion   `json:"to" doc:"The other, with its content"`
	Changes []SettingChange `json:"changes" nullable:"false" doc:"The values that differ, ordered by path"`
}

// ConfigImpactRequest asks what another version of a config set would change: one that exists, or one that does not yet.
type ConfigImpactRequest struct {
	Version int      `json:"version,omitempty" minimum:"1" doc:"Number of a version that exists. Absent, without content, means the latest, for the environments that have an older one" example:"3"`
	Content string   `json:"content,omitempty" doc:"Content of a version that does not exist yet, as YAML or JSON" example:"backend:\n  env:\n    LOG_LEVEL: debug\n"`
	Public  []string `json:"public,omitzero" nullable:"false" maxItems:"100" doc:"With content: patterns of paths whose value looks like a secret and is none. Absent means those of the latest version" example:"[\"*.env.PUBLIC_KEY\"]"`
	Search  string   `json:"q,omitempty" maxLength:"200" doc:"List only environments with this text in their name; the groups are of all" example:"pr-"`
	Limit   int      `json:"limit,omitempty" minimum:"1" maximum:"500" doc:"List at most so many environments; absent means 50" example:"50"`
	Cursor  string   `json:"cursor,omitempty" maxLength:"2048" doc:"next_cursor of the page before"`
}

// ConfigImpact is what another version of a config set would change.
type ConfigImpact struct {
	ConfigSet  ConfigSet             `json:"config_set" doc:"The config set"`
	Total      int                   `json:"total" doc:"Environments that it is merged into" example:"12"`
	Hidden     int                   `json:"hidden,omitempty" doc:"Further ones in projects that you may not read; nothing else tells of them" example:"2"`
	Change     int                   `json:"change" doc:"Of them, those whose effective values would change" example:"8"`
	Groups     []ImpactGroup         `json:"groups" nullable:"false" doc:"Environments that would change alike, with what would change"`
	Items      []ImpactedEnvironment `json:"items" nullable:"false" doc:"Environments that would change, ordered by project and name"`
	NextCursor string                `json:"next_cursor,omitempty" doc:"Asks for the next page; absent on the last"`
}

// ImpactGroup is environments that would change alike: they have the same inputs.
type ImpactGroup struct {
	Environments int             `json:"environments" doc:"How many there are" example:"8"`
	Example      EnvironmentUse  `json:"example" doc:"One of them"`
	Settings     []SettingChange `json:"settings" nullable:"false" doc:"Effective values that would change, ordered by path"`
	Objects      []ObjectDiff    `json:"objects" nullable:"false" doc:"What would become of the objects of the example"`
	Note         string          `json:"note,omitempty" doc:"Why there are no objects" example:"its charts are in a repository that cannot be read"`
	Faults       []FieldError    `json:"faults" nullable:"false" doc:"Why the change would be refused"`
	Warnings     []Warning       `json:"warnings" nullable:"false" doc:"What a user should know and what stops nothing"`
}

// ImpactedEnvironment is one environment that would change.
type ImpactedEnvironment struct {
	EnvironmentUse
	Group int  `json:"group" doc:"Index of its group" example:"0"`
	Pins  bool `json:"pins" doc:"It names a version, so a new one does not reach it by itself" example:"false"`
}
