package fleet

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Record is what fleet needs of the record. Closures may run twice, so they do no I/O but through tx.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	Targets
	Environments
	Prices

	// Enqueue makes sure that a job of the kind and subject runs after this transaction commits.
	Enqueue(ctx context.Context, kind blueberry.JobKind, subject string) error
	// AppendEvent adds a fact; Seq and ID are given by the record.
	AppendEvent(ctx context.Context, e blueberry.Event) error
	// AppendAudit adds what an actor did; ID and Caller are given by the record.
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
}

// Targets are the rows of targets. Each write counts up an epoch, by which servers know that they have to open and close drivers. Kubeconfigs are sealed.
type Targets interface {
	// InsertTarget adds one; Conflict with code TARGET_EXISTS and a fault on "name".
	InsertTarget(ctx context.Context, t blueberry.Target) error
	// Target reads one, or NotFound with code TARGET_NOT_FOUND.
	Target(ctx context.Context, name string) (blueberry.Target, error)
	// LockTarget is Target, and keeps others from adding environments to it, and from changing it, until this transaction ends.
	LockTarget(ctx context.Context, name string) (blueberry.Target, error)
	// Targets reads all, by name.
	Targets(ctx context.Context) ([]blueberry.Target, error)
	// UpdateTarget writes t if the row's version is still t.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
	UpdateTarget(ctx context.Context, t blueberry.Target) error
	// DeleteTarget removes one; Conflict with code TARGET_IN_USE while environments that are not terminated are on it.
	DeleteTarget(ctx context.Context, name string) error
}

// Environments are what lives on targets.
type Environments interface {
	// TargetUsage sums up what the living environments on a target use.
	TargetUsage(ctx context.Context, target string) (blueberry.Usage, error)
	// LiveNamespaces reads living environments of a target after an id, in the order of ids, with phase and lease but without conditions and hosts.
	LiveNamespaces(ctx context.Context, target, after string, limit int) ([]blueberry.Environment, error)
}

// Prices are what targets cost. None is ever changed or taken away: those that hold are the last.
type Prices interface {
	// AppendPrices has prices hold from p.Since on; Conflict with code VERSION_MOVED when someone else came first.
	AppendPrices(ctx context.Context, p blueberry.Prices) error
	// Prices reads all that ever were set, the oldest first: of one target with those of every target, or, where all is asked for, of each.
	Prices(ctx context.Context, target string, all bool) (blueberry.PriceSheet, error)
}
