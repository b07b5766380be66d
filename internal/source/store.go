package source

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Record is what source needs of the record. Closures may run twice, so they do no I/O but through tx.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	RepositoryRows
	DeliveryRows
	SignRows
	PullRows
	CIRows
	BranchRows
	CommandRows
	FollowerRows

	// Project reads one by name, or NotFound.
	Project(ctx context.Context, name string) (blueberry.Project, error)
	// Enqueue makes sure that a job of the kind and subject runs after this transaction commits.
	Enqueue(ctx context.Context, kind blueberry.JobKind, subject string) error
	// AppendEvent adds a fact; Seq and ID are given by the record.
	AppendEvent(ctx context.Context, e blueberry.Event) error
	// AppendAudit adds what an actor did; ID is given by the record.
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
}

// RepositoryRows are the rows of repositories. Their secrets are sealed, bound to "repositories.secrets:<id>", their
// credentials to "repositories.credential:<id>".
type RepositoryRows interface {
	// InsertRepository adds one, at version 1; Conflict with code REPOSITORY_EXISTS and a fault on "name" while the project has one of the name.
	InsertRepository(ctx context.Context, r blueberry.Repository) error
	// Repository reads one by id, or NotFound with code REPOSITORY_NOT_FOUND.
	Repository(ctx context.Context, id string) (blueberry.Repository, error)
	// Repositories reads one page, by id.
	Repositories(ctx context.Context, q blueberry.RepositoryQuery) ([]blueberry.Repository, error)
	// UpdateRepository writes r if the row's version is still r.Version, else Conflict with code VERSION_MOVED; the version then counts up by one. The times of
	// deliveries are not among what it writes.
	UpdateRepository(ctx context.Context, r blueberry.Repository) error
	// DeleteRepository removes one with its deliveries and pull requests, or NotFound.
	DeleteRepository(ctx context.Context, id string) error
	// TouchRepository notes when the last delivery came that was accepted, or refused. It changes no version.
	TouchRepository(ctx context.Context, id string, accepted bool, at time.Time) error
	// SetHostHealth notes how speaking to the host went. It changes no version; of a repository that is gone, nothing.
	SetHostHealth(ctx context.Context, id string, h blueberry.HostHealth) error
	// SetHostSweep notes how far looking for lost deliveries has come, in the same way.
	SetHostSweep(ctx context.Context, id string, w blueberry.HostSweep) error
}

// DeliveryRows are the rows of deliveries.
type DeliveryRows interface {
	// InsertDelivery adds one. One that counts (accepted, ignored or unreadable, and no replay) is Conflict with code DELIVERY_SEEN when the repository has
	// another one that counts with the same HostID, if that is not empty, or the same Digest. Of many at the same time, one is added.
	InsertDelivery(ctx context.Context, d blueberry.Delivery) error
	// Delivery reads one with its body, or NotFound with code DELIVERY_NOT_FOUND.
	Delivery(ctx context.Context, id string) (blueberry.Delivery, error)
	// Deliveries reads one page without bodies and headers, the newest first.
	Deliveries(ctx context.Context, q blueberry.DeliveryQuery) ([]blueberry.Delivery, error)
	// PurgeDeliveries removes at most limit of those that came before a time, the oldest first, and tells how many.
	PurgeDeliveries(ctx context.Context, before time.Time, limit int) (int, error)
}

// PullRows are the rows of pull requests.
type PullRows interface {
	// InsertPull adds one, at version 1; Conflict with code PULL_EXISTS while the repository has one of the number.
	InsertPull(ctx context.Context, p blueberry.PullRequest) error
	// Pull reads one by id, or NotFound with code PULL_NOT_FOUND.
	Pull(ctx context.Context, id string) (blueberry.PullRequest, error)
	// FindPull reads one by repository and number, or NotFound with code PULL_NOT_FOUND.
	FindPull(ctx context.Context, repositoryID string, number int) (blueberry.PullRequest, error)
	// Pulls reads one page, the newest first by id.
	Pulls(ctx context.Context, q blueberry.PullQuery) ([]blueberry.PullRequest, error)
	// UpdatePull writes p if the row's version is still p.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
	UpdatePull(ctx context.Context, p blueberry.PullRequest) error
	// PullsOfEnvironments gives the pull requests that have one of the environments.
	PullsOfEnvironments(ctx context.Context, ids []string) ([]blueberry.PullRequest, error)
	// PullReport reads what the host of a pull request was told; zero before the first time.
	PullReport(ctx context.Context, pullID string) (blueberry.PullReport, error)
	// SetPullReport writes it, or is NotFound with code PULL_NOT_FOUND when the pull request is gone.
	SetPullReport(ctx context.Context, pullID string, r blueberry.PullReport) error
}
