package audit

import (
	"context"
	"io"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Record is what audit needs of the record. Closures may run twice, so they do no I/O but through tx.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	Chain
	Archives

	// AppendAudit adds what an actor did; ID is given by the record.
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
	// Audit reads the entries of a query that are in the record, newest first.
	Audit(ctx context.Context, q blueberry.AuditQuery) ([]blueberry.AuditEntry, error)
	// AuditRun reads sealed entries of a query in the order of the chain: those behind the place after, up to the place until.
	AuditRun(ctx context.Context, q blueberry.AuditQuery, after, until int64, limit int) ([]blueberry.AuditEntry, error)
	// SigningKey reads a public key by its id, or NotFound.
	SigningKey(ctx context.Context, id string) ([]byte, error)
}

// Chain is the end of the chain, and the signatures under it.
type Chain interface {
	// AuditHead reads the place and the hash of the last entry that is sealed; 0 and 64 zeros before the first.
	AuditHead(ctx context.Context) (seq int64, hash string, err error)
	// LockAuditHead is AuditHead, and keeps every other transaction from locking it until this one ends.
	LockAuditHead(ctx context.Context) (seq int64, hash string, err error)
	// UnsealedAudit reads entries that have no place in the chain yet, in the order of their ids.
	UnsealedAudit(ctx context.Context, limit int) ([]blueberry.AuditEntry, error)
	// SealAudit writes Seq, Prev and Hash of entries that had none, and makes the last one the head.
	SealAudit(ctx context.Context, entries []blueberry.AuditEntry) error
	// PutAuditCheckpoint keeps a signature under the chain.
	PutAuditCheckpoint(ctx context.Context, c blueberry.AuditCheckpoint) error
	// DropAuditCheckpoint removes one.
	DropAuditCheckpoint(ctx context.Context, seq int64) error
	// AuditCheckpoints reads checkpoints in the order of the chain, those behind the place after, up to the place until.
	AuditCheckpoints(ctx context.Context, after, until int64, limit int) ([]blueberry.AuditCheckpoint, error)
	// LastAuditCheckpoints reads the newest, newest first.
	LastAuditCheckpoints(ctx context.Context, limit int) ([]blueberry.AuditCheckpoint, error)
}

// Archives are the rows of what was moved to the objects.
type Archives interface {
	// ArchiveAudit notes that a run of entries is in the objects, and removes it from the record; Conflict when someone else did.
	ArchiveAudit(ctx context.Context, a blueberry.AuditArchive) error
	// AuditArchives reads the archives that may hold entries of a time, to excluded, the one that goes on longest first.
	AuditArchives(ctx context.Context, from, to time.Time, limit int) ([]blueberry.AuditArchive, error)
	// AuditArchiveOf reads the archive that holds the entry at a place of the chain; ok is false when there is none.
	AuditArchiveOf(ctx context.Context, seq int64) (a blueberry.AuditArchive, ok bool, err error)
}

// Objects is where archives go.
type Objects interface {
	// Put keeps what is read under a name, whole or not at all.
	Put(ctx context.Context, name string, content io.Reader) error
	// Get reads an object, or NotFound.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// List gives names that begin with the prefix and come behind the name after.
	List(ctx context.Context, prefix, after string, limit int) ([]string, error)
	// Delete removes an object; that it is not there is no error.
	Delete(ctx context.Context, name string) error
}

// Signer signs for this server. The public half of its key is in the record before it signs.
type Signer interface {
	Sign(text []byte) (keyID string, signature []byte)
}
