package catalog

import (
	"context"
	"io/fs"
	"log/slog"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Catalog is the operations on config sets, blueprints and policies.
type Catalog struct {
	Record  Record
	Sources Sources
	Places  func(target string) Place // the zero Place of one that is not known
	Now     func() time.Time
	Logger  *slog.Logger
}

// Place is what a rendering has to know of a target.
type Place struct {
	Domain      string
	KubeVersion string
}

// Sources reads application repositories. Its errors are faults of "source.repository" and "source.ref".
type Sources interface {
	Fetch(ctx context.Context, repository, ref string) (Tree, error)
}

// Tree is a repository at one commit.
type Tree struct {
	Commit string
	FS     fs.FS
	Close  func() error
}

// Edit is the content of a new version: given here, or a file of a repository.
type Edit struct {
	Content               []byte
	Repository, Ref, Path string // instead of Content
	Message               string
	Public                []string         // config sets: patterns of paths whose value looks like a secret and is none; nil keeps those of the latest version
	Found                 blueberry.Faults // what the door has found wrong already; it is told with the rest
	IfVersion             int64            // 0 means any
}

// NewConfig asks for a config set with its first version.
type NewConfig struct {
	Project string // empty means the default project
	Global  bool   // then Project must be empty
	Name    string
	Edit
}

// ConfigEdited is a set with the version that was made. Unchanged: the content is that of the latest version, so none was made.
type ConfigEdited struct {
	Set       blueberry.ConfigSet
	Version   blueberry.ConfigVersion
	Unchanged bool
}

// ConfigDiff is what differs between two versions of a set.
type ConfigDiff struct {
	From, To blueberry.ConfigVersion
	Settings []blueberry.SettingChange
}

// ImpactRequest asks what another version of a set would change.
type ImpactRequest struct {
	Number  int      // a version that exists; 0 with no Content means the latest, for the environments that have an older one
	Content []byte   // or one that does not yet
	Public  []string // of Content; nil means those of the latest version
	Search  string   // only environments with this text in their name; the groups are of all
	Limit   int
	Cursor  string
}

// Users are the environments that are made of something, in the order of project and name.
type Users struct {
	Items  []blueberry.ConfigUser
	Hidden int // further ones that the actor may not read
}

// Impact is what another version of a set would change.
type Impact struct {
	Set    blueberry.ConfigSet
	Total  int // environments that the set is merged into
	Hidden int // further ones that the actor may not read; nothing else tells of them
	Change int // of them, those whose effective values would change, or for which the change would be refused
	Groups []ImpactGroup
	Page   []ImpactedEnvironment // of those that would change, in the order of project and name
	Next   string
}

// ImpactGroup is environments that would change alike: they have the same inputs.
type ImpactGroup struct {
	Environments int
	Settings     []blueberry.SettingChange
	Objects      []blueberry.ObjectDiff // of Example
	Example      blueberry.ConfigUser
	Note         string              // why there are no objects: "its charts are in a repository that cannot be read: …"
	Faults       []blueberry.Fault   // why the change would be refused, besides what stands in its way now
	Warnings     []blueberry.Warning // that the change would bring
}

// ImpactedEnvironment is one environment that would change.
type ImpactedEnvironment struct {
	blueberry.ConfigUser
	Group int  // index in Groups
	Pins  bool // it names a version, so a new one does not reach it by itself
}

// NewBlueprint asks for a blueprint of the catalogue with its first version. Its name is the blueprint's own.
type NewBlueprint struct {
	Project     string
	Global      bool
	Description string
	Edit
}

// BlueprintPublished is an entry with the version that was made. Unchanged: the content is that of the latest version, so none was made.
type BlueprintPublished struct {
	Entry     blueberry.CatalogueEntry
	Version   blueberry.CatalogueVersion
	Unchanged bool
}

// NewPolicy asks for a policy, or says what one should be.
type NewPolicy struct {
	Project      string
	Installation bool // then Project must be empty
	Name         string
	Text         string
	Found        blueberry.Faults
	IfVersion    int64
}
