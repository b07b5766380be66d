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

	// Project reads a project, or NotFound.
	Project(ctx context.Context, name string) (blueberry.Project, error)
	// Enqueue makes sure that a job of the kind and subject runs after this transaction commits: at once, also when one runs already.
	Enqueue(ctx context.Context, kind blueberry.JobKind, subject string) error
	// AppendEvent adds a fact; Seq and ID are given by the record.
	AppendEvent(ctx context.Context, e blueberry.Event) error
	// AppendAudit adds what an actor did; ID is given by the record.
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
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
	InsertRevision(ctx context.Context, r blueberry.Revision) error
	// Revision reads one with its rendering, or NotFound.
	Revision(ctx context.Context, environmentID string, number int) (blueberry.Revision, error)
	// SetRevisionCommit notes the commit that holds the revision in Git.
	SetRevisionCommit(ctx context.Context, environmentID string, number int, commit string) error
}

// Ledger is every object that was or may have been made for an environment.
type Ledger interface {
	LedgerOf(ctx context.Context, environmentID string) ([]blueberry.LedgerEntry, error)
	// PutLedger inserts or replaces entries by object.
	PutLedger(ctx context.Context, environmentID string, entries []blueberry.LedgerEntry) error
}
