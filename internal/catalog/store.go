package catalog

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Record is what catalog needs of the record. Closures may run twice, so they do no I/O but through tx.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	ConfigSets
	Blueprints
	Policies

	// Project reads a project, or NotFound.
	Project(ctx context.Context, name string) (blueberry.Project, error)
	// Environment reads one by id, or NotFound.
	Environment(ctx context.Context, id string) (blueberry.Environment, error)
	// RevisionInputs reads one without rendering and settings, or NotFound.
	RevisionInputs(ctx context.Context, environmentID string, number int) (blueberry.Revision, error)
	// Enqueue makes sure that a job of the kind and subject runs after this transaction commits: at once, also when one runs already.
	Enqueue(ctx context.Context, kind blueberry.JobKind, subject string) error
	// AppendEvent adds a fact; Seq and ID are given by the record.
	AppendEvent(ctx context.Context, e blueberry.Event) error
	// AppendAudit adds what an actor did; ID is given by the record.
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
}

// ConfigSets are the rows of config sets and their versions.
type ConfigSets interface {
	// InsertConfigSet is Conflict, with a fault on "name", while another one has the project and name.
	InsertConfigSet(ctx context.Context, s blueberry.ConfigSet) error
	// ConfigSet reads one by id, or NotFound.
	ConfigSet(ctx context.Context, id string) (blueberry.ConfigSet, error)
	// FindConfigSet reads one by project (empty for global) and name, or NotFound.
	FindConfigSet(ctx context.Context, project, name string) (blueberry.ConfigSet, error)
	// ListConfigSets reads one page; without project and global, of all that In lets.
	ListConfigSets(ctx context.Context, q blueberry.CatalogueQuery) (blueberry.ConfigSetPage, error)
	// UpdateConfigSet writes s if the row's version is still s.Version, else Conflict with code VERSION_MOVED; the row's version then counts up by one.
	UpdateConfigSet(ctx context.Context, s blueberry.ConfigSet) error
	// DeleteConfigSet removes a set with all its versions, if the row's version is still s.Version, else Conflict with code VERSION_MOVED. It locks
	// the row first, so that nobody begins to use it meanwhile; while a living environment uses it, it is Conflict with code CONFIG_SET_IN_USE.
	DeleteConfigSet(ctx context.Context, s blueberry.ConfigSet) error
	// InsertConfigVersion adds a version; Conflict when the number is taken.
	InsertConfigVersion(ctx context.Context, v blueberry.ConfigVersion) error
	// ConfigVersion reads one version of a set, or NotFound.
	ConfigVersion(ctx context.Context, setID string, number int) (blueberry.ConfigVersion, error)
	// ConfigVersions reads versions, newest first, those with a number below before (0: from the newest), without content and values.
	ConfigVersions(ctx context.Context, setID string, before, limit int) ([]blueberry.ConfigVersion, error)
	// ConfigUsers gives every living environment that the set is merged into, in the order of project and name.
	ConfigUsers(ctx context.Context, setID string) ([]blueberry.ConfigUser, error)
	// ResolveConfig finds the version that a reference of an environment of the project means. NotFound has the code CONFIG_SET_NOT_FOUND or
	// CONFIG_VERSION_NOT_FOUND.
	ResolveConfig(ctx context.Context, project string, ref blueberry.ConfigRef) (blueberry.ConfigSet, blueberry.ConfigVersion, error)
}

// Blueprints are the rows of the catalogue and their versions.
type Blueprints interface {
	// InsertBlueprint is Conflict, with a fault on "name", while another one has the project and name.
	InsertBlueprint(ctx context.Context, e blueberry.CatalogueEntry) error
	// BlueprintEntry reads one by id, or NotFound.
	BlueprintEntry(ctx context.Context, id string) (blueberry.CatalogueEntry, error)
	// FindBlueprint reads one by project (empty for global) and name, or NotFound.
	FindBlueprint(ctx context.Context, project, name string) (blueberry.CatalogueEntry, error)
	// ListBlueprints reads one page; without project and global, of all that In lets.
	ListBlueprints(ctx context.Context, q blueberry.CatalogueQuery) (blueberry.CataloguePage, error)
	// UpdateBlueprint writes e if the row's version is still e.Version, else Conflict with code VERSION_MOVED; the row's version then counts up by one.
	UpdateBlueprint(ctx context.Context, e blueberry.CatalogueEntry) error
	// DeleteBlueprint removes an entry with all its versions, under the same conditions; the code is BLUEPRINT_IN_USE.
	DeleteBlueprint(ctx context.Context, e blueberry.CatalogueEntry) error
	// InsertBlueprintVersion adds a version; Conflict when the number is taken.
	InsertBlueprintVersion(ctx context.Context, v blueberry.CatalogueVersion) error
	// BlueprintVersion reads one version, or NotFound.
	BlueprintVersion(ctx context.Context, entryID string, number int) (blueberry.CatalogueVersion, error)
	// BlueprintVersions reads versions, newest first, those with a number below before (0: from the newest), without content and blueprint.
	BlueprintVersions(ctx context.Context, entryID string, before, limit int) ([]blueberry.CatalogueVersion, error)
	// BlueprintUsers gives every living environment that was made of a blueprint of the catalogue, in the order of project and name.
	BlueprintUsers(ctx context.Context, entryID string) ([]blueberry.ConfigUser, error)
}

// Policies are the rows of policies.
type Policies interface {
	// InsertPolicy is Conflict, with a fault on "name", while another one has the project and name.
	InsertPolicy(ctx context.Context, p blueberry.Policy) error
	// Policy reads one by id, or NotFound.
	Policy(ctx context.Context, id string) (blueberry.Policy, error)
	// Policies reads those of the installation and of the project, in the order of their labels. An empty project reads those of every project too.
	Policies(ctx context.Context, project string) ([]blueberry.Policy, error)
	// PoliciesIn reads those of the installation and of the projects, in the order of their labels; nil reads all.
	PoliciesIn(ctx context.Context, projects []string) ([]blueberry.Policy, error)
	// UpdatePolicy writes p if the row's version is still p.Version, else Conflict with code VERSION_MOVED; the row's version then counts up by one.
	UpdatePolicy(ctx context.Context, p blueberry.Policy) error
	// DeletePolicy removes p under the same condition.
	DeletePolicy(ctx context.Context, p blueberry.Policy) error
}
