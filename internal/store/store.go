package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// The dialects.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// updateAttempts is how often Update runs a closure that loses against another writer.
const updateAttempts = 6

// Enqueuer adds a job in a transaction.
type Enqueuer func(ctx context.Context, tx *sql.Tx, kind blueberry.JobKind, subject string) error

// Config says where the record is.
type Config struct {
	DSN      string // "sqlite:///var/lib/blueberry/blueberry.db", or "postgres://user@host/database"
	MaxConns int    // connections to PostgreSQL; 0 means 20
	Logger   *slog.Logger
}

// Store is the record.
type Store struct {
	dialect string
	log     *slog.Logger
	write   *sql.DB // SQLite: one connection; PostgreSQL: the pool
	read    *sql.DB // SQLite: read-only connections; PostgreSQL: the same pool
	writer  *bun.DB
	reader  *bun.DB
	lock    *fileLock // SQLite only
	enqueue Enqueuer
	gzips   sync.Pool // of *gzip.Writer

	mu    sync.Mutex
	hooks []func(lastSeq int64)
}

// Open opens the record, migrates it and makes sure that the default project exists. A SQLite file that another process has is Unavailable with its pid.
func Open(ctx context.Context, c Config) (_ *Store, err error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{log: c.Logger}
	defer func() {
		if err != nil {
			_ = s.Close() // err is what matters
		}
	}()
	u, err := url.Parse(c.DSN)
	if err != nil {
		return nil, errors.New("the DSN of the record is not a URL") // the error of url.Parse holds the password
	}
	switch u.Scheme {
	case "sqlite":
		err = s.openSQLite(ctx, u)
	case "postgres", "postgresql":
		err = s.openPostgres(c)
	default:
		err = fmt.Errorf("the DSN of the record starts with %q, must be sqlite:// or postgres://", u.Scheme)
	}
	if err != nil {
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		return nil, fmt.Errorf("reach the record: %w", err)
	}
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	if err := s.Update(ctx, func(tx *Tx) error { return errors.Join(tx.ensureDefaultProject(ctx), tx.releaseAbandoned(ctx)) }); err != nil {
		return nil, fmt.Errorf("prepare the record: %w", err)
	}
	return s, nil
}

func (s *Store) use(dialect string, write, read *sql.DB) {
	s.dialect, s.write, s.read = dialect, write, read
	if dialect == SQLite {
		s.writer, s.reader = bun.NewDB(write, sqlitedialect.New()), bun.NewDB(read, sqlitedialect.New())
		return
	}
	s.writer = bun.NewDB(write, pgdialect.New())
	s.reader = s.writer
}

// Close closes every connection and lets another process have the file.
func (s *Store) Close() error {
	var errs []error
	if s.read != nil && s.read != s.write {
		errs = append(errs, s.read.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close()) // last of all: the closing of the last connection folds SQLite's log into the file
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
	}
	return errors.Join(errs...)
}

// DB is the pool that may write.
func (s *Store) DB() *sql.DB { return s.write }

// ReadDB is the pool for reading; on PostgreSQL it is DB.
func (s *Store) ReadDB() *sql.DB { return s.read }

// Dialect is SQLite or Postgres.
func (s *Store) Dialect() string { return s.dialect }

// Ping reports whether the record can be reached.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.read.PingContext(ctx); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// SetEnqueuer says how Tx.Enqueue adds a job. It is called once, before the first Update that enqueues.
func (s *Store) SetEnqueuer(e Enqueuer) { s.enqueue = e }

// OnCommit calls f after each commit of this process that added events, with the highest Seq of that commit. Calls may overlap and come out of order; f
// must not block. Events of other processes are not told: MaxEventSeq knows them.
func (s *Store) OnCommit(f func(lastSeq int64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, f)
}

// Update runs f in one transaction and commits it when f returns nil. A transaction that loses against another one is run again, so f may run more than
// once and does nothing but through tx; an Update within an Update waits for itself on SQLite.
//
// On PostgreSQL the isolation is READ COMMITTED: every write of ours that depends on what was read names it (version of an environment, status of a key,
// row lock of a subject), so a higher level would only add retries.
func (s *Store) Update(ctx context.Context, f func(tx *Tx) error) error {
	for attempt := 1; ; attempt++ {
		tx, err := s.update(ctx, f)
		switch {
		case err == nil:
			s.committed(tx)
			return nil
		case attempt == updateAttempts || !isContention(err):
			return err
		}
		s.log.DebugContext(ctx, "transaction lost against another", "attempt", attempt, "error", err)
		t := time.NewTimer(time.Duration(rand.Int64N(int64(5*time.Millisecond) << attempt)))
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
	}
}

func (s *Store) update(ctx context.Context, f func(tx *Tx) error) (tx *Tx, err error) {
	btx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = btx.Rollback() }() // does nothing after the commit; after an error or a panic of f it lets the connection go
	tx = &Tx{db: btx, store: s}
	if err := f(tx); err != nil {
		return nil, err
	}
	if tx.lastSeq, err = tx.flushEvents(ctx); err != nil {
		return nil, err
	}
	if err := btx.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return tx, nil
}

// View runs f on one unchanging state of the record. Writing in it is an error.
func (s *Store) View(ctx context.Context, f func(tx *Tx) error) error {
	var opts *sql.TxOptions // SQLite: the pool is read-only, and every transaction a snapshot
	if s.dialect == Postgres {
		opts = &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	}
	btx, err := s.reader.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = btx.Rollback() }() // there is nothing to commit
	return f(&Tx{db: btx, store: s, readOnly: true})
}

// committed tells who waits for it what a transaction has done for good.
func (s *Store) committed(tx *Tx) {
	for _, call := range tx.calls {
		call.Note()
	}
	if tx.lastSeq == 0 {
		return
	}
	s.mu.Lock()
	hooks := s.hooks
	s.mu.Unlock()
	for _, f := range hooks {
		f(tx.lastSeq)
	}
}

// Tx is one transaction of the record.
type Tx struct {
	db       bun.Tx
	store    *Store
	readOnly bool
	events   []blueberry.Event // added at the end of Update
	lastSeq  int64             // of these
	calls    []*blueberry.Call // that left an audit entry
}

// Enqueue makes sure that a job of the kind and subject runs after this transaction commits.
func (t *Tx) Enqueue(ctx context.Context, kind blueberry.JobKind, subject string) error {
	if t.readOnly {
		return errReadOnly
	}
	if t.store.enqueue == nil {
		return errors.New("the record has no enqueuer")
	}
	if err := t.store.enqueue(ctx, t.db.Tx, kind, subject); err != nil {
		return fmt.Errorf("enqueue %s %s: %w", kind, subject, err)
	}
	return nil
}
