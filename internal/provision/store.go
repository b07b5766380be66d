package provision

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Record is what provision needs of the record. Closures may run twice, so they do no I/O but through tx.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	Environments
	Revisions
	Ledger
	Plans
	Catalogue
	Projects
	Targets
	Activity
	Archives
	Retention
	Orphans
	Costs

	// Enqueue makes sure that a job of the kind and subject runs after this transaction commits: at once, also when one runs already.
	Enqueue(ctx context.Context, kind blueberry.JobKind, subject string) error
	// AppendEvent adds a fact; Seq and ID are given by the record.
	AppendEvent(ctx context.Context, e blueberry.Event) error
	// AppendAudit adds what an actor did; ID is given by the record.
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
	// MaxEventSeq is the Seq of the last committed event; 0 before the first.
	MaxEventSeq(ctx context.Context) (int64, error)
	// Events reads events in the order of Seq.
	Events(ctx context.Context, q blueberry.EventQuery) ([]blueberry.Event, error)
}

// Environments are the rows of environments.
type Environments interface {
	// InsertEnvironment is Conflict, with a fault on "name", while an environment that is not terminated holds the project and name or the
	// target and namespace.
	InsertEnvironment(ctx context.Context, e blueberry.Environment) error
	// Environment reads one by id, or NotFound.
	Environment(ctx context.Context, id string) (blueberry.Environment, error)
	// UpdateEnvironment writes e if the row's version is still e.Version, else Conflict with code VERSION_MOVED; the row's version then counts up by one.
	UpdateEnvironment(ctx context.Context, e blueberry.Environment) error
	// ListEnvironments reads one page.
	ListEnvironments(ctx context.Context, q blueberry.EnvironmentQuery) (blueberry.EnvironmentPage, error)
	// ClaimDueEnvironments gives the ids of those whose DeadlineAt is earliest and not after now, and moves their deadline to until.
	ClaimDueEnvironments(ctx context.Context, now, until time.Time, limit int) ([]string, error)
	// FindEnvironment gives the id of the environment, not terminated, that holds the namespace on the target; NotFound when there is none.
	FindEnvironment(ctx context.Context, target, namespace string) (string, error)
	// EnvironmentOfRequest reads the environment that the request with the key has made at or after since, or NotFound.
	EnvironmentOfRequest(ctx context.Context, key string, since time.Time) (blueberry.Environment, error)
	// LiveEnvironments gives ids of environments of the target that are not terminated, after the id given, in the order of ids.
	LiveEnvironments(ctx context.Context, target, after string, limit int) ([]string, error)
}

// Revisions are the desired states of an environment.
type Revisions interface {
	// InsertRevision adds a revision with its rendering and settings, and makes its config sets and its blueprint of the catalogue those that the
	// environment uses. Of a revision that brings back an old one, those that were deleted meanwhile are left out.
	InsertRevision(ctx context.Context, r blueberry.Revision) error
	// Revision reads one with its rendering but without its settings, or NotFound.
	Revision(ctx context.Context, environmentID string, number int) (blueberry.Revision, error)
	// RevisionInputs reads one without rendering and settings, or NotFound.
	RevisionInputs(ctx context.Context, environmentID string, number int) (blueberry.Revision, error)
	// RevisionSettings reads the settings of one, or NotFound. A revision older than settings has none.
	RevisionSettings(ctx context.Context, environmentID string, number int) ([]blueberry.Setting, error)
	// Revisions reads one page, newest first, without renderings and settings.
	Revisions(ctx context.Context, q blueberry.RevisionQuery) ([]blueberry.Revision, error)
	// SetRevisionCommit notes the commit that holds the revision in Git.
	SetRevisionCommit(ctx context.Context, environmentID string, number int, commit string) error
}

// Ledger is every object that was or may have been made for an environment.
type Ledger interface {
	LedgerOf(ctx context.Context, environmentID string) ([]blueberry.LedgerEntry, error)
	// PutLedger inserts or replaces entries by object.
	PutLedger(ctx context.Context, environmentID string, entries []blueberry.LedgerEntry) error
}

// Plans are what changes would do, and what is held.
type Plans interface {
	// InsertPlan adds a plan. Its rendering, if it has one, must have been put.
	InsertPlan(ctx context.Context, p blueberry.Plan) error
	// Plan reads one, or NotFound.
	Plan(ctx context.Context, id string) (blueberry.Plan, error)
	// Plans reads one page, newest first.
	Plans(ctx context.Context, q blueberry.PlanQuery) ([]blueberry.Plan, error)
	// ClaimPlan marks a plan as applied; Conflict with code PLAN_APPLIED when it was before.
	ClaimPlan(ctx context.Context, id string, revision int, now time.Time) error
	// SweepPlans removes plans that were not applied and expired before the time, and tells how many.
	SweepPlans(ctx context.Context, before time.Time) (int, error)
	// SigningKey reads the public key by which the signature of a plan is proven, or NotFound.
	SigningKey(ctx context.Context, id string) ([]byte, error)
	// PutRendering keeps a rendering by its digest.
	PutRendering(ctx context.Context, r blueberry.Rendering, now time.Time) error
	// Rendering reads one by its digest, or NotFound.
	Rendering(ctx context.Context, digest string) (blueberry.Rendering, error)

	// Holds reads what is held for an environment, oldest first.
	Holds(ctx context.Context, environmentID string) ([]blueberry.Hold, error)
	// PutHolds adds holds; one that is there already stays as it is.
	PutHolds(ctx context.Context, holds []blueberry.Hold) error
	// ReleaseHold removes one by kind, name and value, and reports whether it was there.
	ReleaseHold(ctx context.Context, environmentID string, input blueberry.PlanInput) (bool, error)
}

// Catalogue is what revisions are made of.
type Catalogue interface {
	// ResolveConfig finds the version that a reference of an environment of the project means. NotFound has the code CONFIG_SET_NOT_FOUND or
	// CONFIG_VERSION_NOT_FOUND.
	ResolveConfig(ctx context.Context, project string, ref blueberry.ConfigRef) (blueberry.ConfigSet, blueberry.ConfigVersion, error)
	// ConfigVersion reads one version of a set, or NotFound.
	ConfigVersion(ctx context.Context, setID string, number int) (blueberry.ConfigVersion, error)
	// LockConfig gives the newest version of each set, and keeps anyone from publishing another until the transaction ends. A set that is not there is
	// left out.
	LockConfig(ctx context.Context, setIDs []string) (map[string]int, error)
	// ConfigFollowers gives the ids of the living environments that follow a set, after the id given, in the order of ids.
	ConfigFollowers(ctx context.Context, setID, after string, limit int) ([]string, error)
	// SourceFollowers gives the ids of the living environments that are made of a branch of a repository which their blueprint names, or would be if the
	// repository had that branch.
	SourceFollowers(ctx context.Context, q blueberry.SourceFollowerQuery) ([]string, error)
	// ResolveBlueprint finds the version that a reference means. NotFound has the code BLUEPRINT_NOT_FOUND or BLUEPRINT_VERSION_NOT_FOUND.
	ResolveBlueprint(ctx context.Context, project string, ref blueberry.BlueprintRef) (blueberry.CatalogueEntry, blueberry.CatalogueVersion, error)
	// LockBlueprint is LockConfig for one blueprint of the catalogue: its newest version, 0 when it is not there.
	LockBlueprint(ctx context.Context, entryID string) (int, error)
	// BlueprintFollowers is ConfigFollowers for a blueprint of the catalogue.
	BlueprintFollowers(ctx context.Context, entryID, after string, limit int) ([]string, error)
	// Policies reads those of the installation and of the project, in the order of their labels.
	Policies(ctx context.Context, project string) ([]blueberry.Policy, error)
}

// Projects are the boundaries of quotas.
type Projects interface {
	// Project reads a project, or NotFound.
	Project(ctx context.Context, name string) (blueberry.Project, error)
	// Projects reads all, by name.
	Projects(ctx context.Context) ([]blueberry.Project, error)
	// LockProject reads a project, or NotFound, and keeps other transactions from locking it until this one ends.
	LockProject(ctx context.Context, name string) (blueberry.Project, error)
	// SetProjectLife writes how long environments of a project may be pinned, and when they sleep, if its version is still p.Version, else Conflict with
	// code VERSION_MOVED.
	SetProjectLife(ctx context.Context, p blueberry.Project) error
	// SetQuota writes the quota of a project if its version is still p.Version, else Conflict with code VERSION_MOVED.
	SetQuota(ctx context.Context, p blueberry.Project) error
	// ProjectUsage sums up what the living environments of a project use, by kind.
	ProjectUsage(ctx context.Context, project string) (map[blueberry.EnvironmentKind]blueberry.Usage, error)
	// TargetUsage sums up what the living environments on a target use.
	TargetUsage(ctx context.Context, target string) (blueberry.Usage, error)
}

// Targets are the places as registered.
type Targets interface {
	// Target reads one, or NotFound.
	Target(ctx context.Context, name string) (blueberry.Target, error)
	// LockTarget is Target, and keeps others from adding environments to it, and from changing it, until this transaction ends.
	LockTarget(ctx context.Context, name string) (blueberry.Target, error)
}

// Activity is who uses what, and why it was awake.
type Activity interface {
	// TouchActivity notes when environments were last used, by id; of two times the later is kept, and ids that are unknown are left out.
	TouchActivity(ctx context.Context, at map[string]time.Time) error
	// Activity is when an environment was last used; zero for never.
	Activity(ctx context.Context, environmentID string) (time.Time, error)
	// EnvironmentByHost reads the living environment that has the host, or NotFound.
	EnvironmentByHost(ctx context.Context, host string) (blueberry.Environment, error)
	// AppendWake adds a line to the wake ledger; Seq is given by the record.
	AppendWake(ctx context.Context, w blueberry.WakeEntry) error
	// WakeEntries reads lines before a Seq (0 for the newest), newest first.
	WakeEntries(ctx context.Context, environmentID string, before int64, limit int) ([]blueberry.WakeEntry, error)
}

// Archives are what is kept of environments that ended or failed.
type Archives interface {
	// PutArchive inserts or replaces by environment id.
	PutArchive(ctx context.Context, a blueberry.Archive) error
	// Archive reads one, or NotFound.
	Archive(ctx context.Context, environmentID string) (blueberry.Archive, error)
	// Archives reads one page, newest first.
	Archives(ctx context.Context, q blueberry.ArchiveQuery) ([]blueberry.Archive, error)
	// ArchivesDue reads those whose logs (or, without logs, all of which) are kept no longer, the earliest first.
	ArchivesDue(ctx context.Context, now time.Time, logs bool, limit int) ([]blueberry.Archive, error)
	// DeleteArchive removes one; of what is not there nothing.
	DeleteArchive(ctx context.Context, environmentID string) error
	// PutReceipt inserts or replaces by environment id.
	PutReceipt(ctx context.Context, r blueberry.Receipt) error
	// Receipt reads one, or NotFound.
	Receipt(ctx context.Context, environmentID string) (blueberry.Receipt, error)
	// PurgeEnvironment removes a terminated environment with all that hangs on it; Conflict when it is not terminated.
	PurgeEnvironment(ctx context.Context, environmentID string) error
}

// Retention is what the sweeps know.
type Retention interface {
	// PutRetentionRun notes the last run of a rule.
	PutRetentionRun(ctx context.Context, r blueberry.RetentionRun) error
	// RetentionRuns reads the last run of each rule, by name.
	RetentionRuns(ctx context.Context) (map[string]blueberry.RetentionRun, error)
	// ClaimRetention is true for one caller in each period: that one runs the rule.
	ClaimRetention(ctx context.Context, rule string, now time.Time, every time.Duration) (bool, error)
	// FailedBefore gives ids of environments that are failed since before a time and not pinned.
	FailedBefore(ctx context.Context, before time.Time, limit int) ([]string, error)
	// OverdueEnvironments gives ids of living environments whose lease ended before now and that are not being removed, and of those whose deadline passed
	// more than a minute before now.
	OverdueEnvironments(ctx context.Context, now time.Time, limit int) ([]string, error)
	// LiveNamespaces reads living environments of a target after an id, in the order of ids, without conditions and hosts.
	LiveNamespaces(ctx context.Context, target, after string, limit int) ([]blueberry.Environment, error)
}

// Orphans are what is on a target and in no record, or the reverse.
type Orphans interface {
	// PutOrphan inserts, or, for the same target, kind, namespace, project and environment, replaces what was seen and keeps id, first time and approval.
	PutOrphan(ctx context.Context, o blueberry.Orphan) error
	// Orphan reads one, or NotFound.
	Orphan(ctx context.Context, id string) (blueberry.Orphan, error)
	// Orphans reads one page in the order of ids.
	Orphans(ctx context.Context, q blueberry.OrphanQuery) ([]blueberry.Orphan, error)
	// ApproveOrphan notes who allowed the removal; Conflict when someone has.
	ApproveOrphan(ctx context.Context, id, by string, now time.Time) error
	// SetOrphanLeftovers notes what is still there.
	SetOrphanLeftovers(ctx context.Context, id string, left []blueberry.ObjectRef) error
	// DeleteOrphan removes one; of what is not there nothing.
	DeleteOrphan(ctx context.Context, id string) error
	// DropOrphansUnseen removes those of a target, not approved, that no scan has seen since a time, and tells how many.
	DropOrphansUnseen(ctx context.Context, target string, before time.Time) (int, error)
}

// Costs are the prices of targets, and for how long environments asked for what. The spans are written with the environment.
type Costs interface {
	// Prices reads all that ever were set: of one target with those of every target, or, where all is asked for, of each.
	Prices(ctx context.Context, target string, all bool) (blueberry.PriceSheet, error)
	// CostSpans reads the record of the cost of an environment, the oldest first.
	CostSpans(ctx context.Context, environmentID string) ([]blueberry.CostSpan, error)
}
