package provision

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Wish is what someone wants of the inputs of an environment. Of a create, what is nil is left out; of a change, it stays as it is.
type Wish struct {
	Repository, Ref, Path *string
	Head                  *string              `json:",omitempty"` // commit that runs in a restricted environment: a value, of which nothing else is taken
	Branch                *string              `json:",omitempty"` // whose name is looked for in the repositories of the blueprint; they are asked anew. Empty: none
	Commits               *map[string]string   `json:",omitempty"` // component → commit that it runs, where that is not the one of its repository: all of them
	Images                *map[string]string   `json:",omitempty"` // component → image by digest that CI built of the commit: all of them
	Blueprint             *blueberry.Blueprint // instead of one in the repository or the catalogue
	Catalogue             *string              // reference of a blueprint of the catalogue: "shop@3"
	ConfigSets            *[]string            // references: "shop@3", "global/logging"; above those that the blueprint names
	Parameters            map[string]any       // nil: as it is. A null of one takes the blueprint's default
	Overrides             map[string]any       // nil: as it is; else all of them, keyed by component
	Strict                bool                 // what would be dropped with a warning is a fault
}

// ChangeRequest asks for a new revision of an environment.
type ChangeRequest struct {
	Wish
	Reason    string           // of the revision; empty means "changed"
	Refresh   bool             // also take the newest commit of the ref, though nobody named it
	Sides     bool             `json:",omitempty"` // also take the newest commits of the blueprint's other repositories
	Found     blueberry.Faults `json:"-"`          // what the door has found wrong already; it is told with the rest
	IfVersion int64            `json:"-"`          // 0 means any
	PlanID    string           `json:"-"`          // apply this plan; then nothing else may be set
}

// RollbackRequest asks for a new revision equal to an old one.
type RollbackRequest struct {
	Number    int
	Reason    string
	IfVersion int64  `json:"-"`
	PlanID    string `json:"-"`
}

// PlanRequest asks what a change of an environment would do. Exactly one of its three parts is set.
type PlanRequest struct {
	Change   *ChangeRequest
	Rollback *RollbackRequest
	Destroy  bool
	Found    blueberry.Faults
}

// Changed is the answer to a change: the environment, and the plan that was applied. Without a difference the environment is as it was, and the plan
// says so.
type Changed struct {
	Environment blueberry.Environment
	Plan        blueberry.Plan
}

// RevisionDiff is what differs between two revisions.
type RevisionDiff struct {
	From, To blueberry.Revision // without renderings
	Objects  []blueberry.ObjectDiff
	Config   []blueberry.SettingChange
	Inputs   []InputChange
}

// InputChange is an input that differs between two revisions.
type InputChange struct {
	Kind, Name    string // as of blueberry.PlanInput
	Before, After string // empty where there is none
}

// ProjectState is a project with what its environments use.
type ProjectState struct {
	blueberry.Project
	Used map[blueberry.EnvironmentKind]blueberry.Usage
}

// HoldRelease names the holds to release. The zero value means all of the environment.
type HoldRelease struct {
	Kind, Name, Value string
}
