package custody

import (
	"context"
	"log/slog"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Record is what custody needs of the record. Closures may run twice, so they do no I/O but through tx.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	InsertCertificate(ctx context.Context, c blueberry.Certificate) error
	// Certificate reads one by serial, or NotFound.
	Certificate(ctx context.Context, serial string) (blueberry.Certificate, error)
	// Certificates reads those that end after the time, the newest first.
	Certificates(ctx context.Context, after time.Time) ([]blueberry.Certificate, error)
	RevokeCertificate(ctx context.Context, serial, by string, at time.Time) error
	// Enqueue makes sure that a job of the kind and subject runs after this transaction commits.
	Enqueue(ctx context.Context, kind blueberry.JobKind, subject string) error
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
}

// Sealed is everything in the record that is encrypted.
type Sealed interface {
	// Reencrypt seals anew what is not sealed by the newest key, and tells how many values it wrote.
	Reencrypt(ctx context.Context) (int, error)
	// KeysInUse names the keys that something is sealed with.
	KeysInUse(ctx context.Context) ([]string, error)
}

// Keyset is the keys that encrypt.
type Keyset interface {
	// KeyIDs names every key, the newest first.
	KeyIDs() []string
	// Rotate adds a key, by which everything is sealed from now on.
	Rotate(ctx context.Context) (string, error)
	// Prune removes keys that are not in use, once they are old enough that no server has still to learn of the newest.
	Prune(ctx context.Context, inUse []string) ([]string, error)
}

// Authority issues certificates.
type Authority interface {
	// Issue signs a certificate for a client, of a key that it made itself (request, PEM) or of one that is made.
	Issue(ctx context.Context, name string, request []byte, life time.Duration) (Issued, error)
	// Rotate makes a new root; the one before stays trusted until everything that it signed has ended.
	Rotate(ctx context.Context) error
	// Roots gives the roots that are trusted, PEM.
	Roots(ctx context.Context) ([]byte, error)
	// Refresh reads the revocations again.
	Refresh(ctx context.Context) error
}

// Issued is a certificate with its key, both PEM. Key is nil when the client has it.
type Issued struct {
	blueberry.Certificate
	PEM, Key []byte
}

// Custody is the operations.
type Custody struct {
	Record    Record
	Sealed    Sealed
	Keyset    Keyset
	Authority Authority
	Now       func() time.Time
	Logger    *slog.Logger
}
