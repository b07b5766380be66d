package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Outcome is what a run that did not fail wants. It is a noun, so that workers need not import the queue and all that it leans on.
type Outcome = blueberry.JobOutcome

// Worker does one run of a job. It may be cut off at any line and run again. When ctx ends it returns soon.
type Worker func(ctx context.Context, job blueberry.Job) (Outcome, error)

// Kind is one kind of job.
type Kind struct {
	Work        Worker
	Timeout     time.Duration                   // of one run; 0 means DefaultTimeout
	MaxAttempts int                             // failures in a row until the job is dead; 0 means DefaultMaxAttempts
	Backoff     func(attempt int) time.Duration // pause after the failure number attempt, from 1; nil means DefaultBackoff
}

// Defaults of a Kind and of a Queue.
const (
	DefaultTimeout     = 5 * time.Minute
	DefaultMaxAttempts = 25
	DefaultMaxWorkers  = 20
	DefaultDrain       = 20 * time.Second
)

// Config says what a queue works on and with.
type Config struct {
	DB         *sql.DB // may write; on SQLite its one connection
	ReadDB     *sql.DB // for reading; nil means DB
	Dialect    string  // "sqlite" or "postgres"
	Workers    map[blueberry.JobKind]Kind
	Logger     *slog.Logger
	MaxWorkers int           // runs at once in this process; 0 means DefaultMaxWorkers
	Drain      time.Duration // how long Run lets work end by itself when it is told to stop; 0 means DefaultDrain
}

// Queue is the durable work of one process.
type Queue struct {
	db, readDB *sql.DB
	sql        dialect
	kinds      map[blueberry.JobKind]Kind
	log        *slog.Logger
	maxWorkers int
	drain      time.Duration
	inserter   *river.Client[*sql.Tx]
}

// queueName is River's queue. There is one, so that one index range answers "what may run now".
const queueName = river.QueueDefault

// Open migrates the tables of the queue and gives a queue that can enqueue and be asked; Run works.
func Open(ctx context.Context, c Config) (*Queue, error) {
	if c.DB == nil {
		return nil, errors.New("a queue needs a database")
	}
	d, err := dialectOf(c.Dialect)
	if err != nil {
		return nil, err
	}
	q := &Queue{
		db: c.DB, readDB: c.ReadDB, sql: d, kinds: make(map[blueberry.JobKind]Kind, len(c.Workers)),
		log: c.Logger, maxWorkers: c.MaxWorkers, drain: c.Drain,
	}
	if q.readDB == nil {
		q.readDB = q.db
	}
	if q.log == nil {
		q.log = slog.New(slog.DiscardHandler)
	}
	if q.maxWorkers == 0 {
		q.maxWorkers = DefaultMaxWorkers
	}
	if q.drain == 0 {
		q.drain = DefaultDrain
	}
	for name, k := range c.Workers {
		if k.Work == nil {
			return nil, fmt.Errorf("the kind %s has no worker", name)
		}
		q.kinds[name] = k.withDefaults()
	}
	if err := q.migrate(ctx); err != nil {
		return nil, err
	}
	q.inserter, err = river.NewClient(q.driver(), &river.Config{Logger: q.riverLog()})
	if err != nil {
		return nil, fmt.Errorf("make the client that inserts: %w", err)
	}
	return q, nil
}

func (k Kind) withDefaults() Kind {
	if k.Timeout == 0 {
		k.Timeout = DefaultTimeout
	}
	if k.MaxAttempts == 0 {
		k.MaxAttempts = DefaultMaxAttempts
	}
	if k.Backoff == nil {
		k.Backoff = DefaultBackoff
	}
	return k
}

// DefaultBackoff is 1 s after the first failure and twice as long after each further one, up to a minute, give or take a fifth so that jobs which failed
// together do not come back together.
func DefaultBackoff(attempt int) time.Duration {
	d := min(time.Second<<min(max(attempt-1, 0), 6), time.Minute)
	return d*4/5 + rand.N(d*2/5)
}

// arguments are what River keeps of a job. Kind is a value, not a type: kinds are data here.
type arguments struct {
	kind    blueberry.JobKind
	Subject string `json:"subject"`
}

// Kind names the kind to River.
func (a arguments) Kind() string { return string(a.kind) }

// alive are the states in which a job still may run. They are also what keeps a second job of the subject out.
func alive() []rivertype.JobState {
	return []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}
}

// Enqueue makes sure that a job of the kind and subject runs after tx commits. A job that waits for its time or its next attempt may run at once; one
// that runs now runs again when it has ended.
func (q *Queue) Enqueue(ctx context.Context, tx *sql.Tx, kind blueberry.JobKind, subject string) error {
	if _, ok := q.kinds[kind]; !ok {
		return fmt.Errorf("there is no kind of job %q", kind)
	}
	id, err := q.want(ctx, tx, kind, subject)
	if err != nil {
		return err
	}
	if id != 0 {
		switch state, err := q.stateOf(ctx, tx, id); {
		case err != nil:
			return err
		case state == rivertype.JobStateScheduled || state == rivertype.JobStateRetryable:
			return q.exec(ctx, tx, `UPDATE river_job SET state = 'available', scheduled_at = `+q.sql.now()+` WHERE id = ? AND state IN ('scheduled', 'retryable')`, id)
		case state != "" && !finished(state):
			return nil // about to run, or running: its end compares the counter
		}
	}
	return q.insert(ctx, tx, kind, subject)
}

// want counts up what is wanted of a subject and locks its row until tx ends, against another Enqueue and against the end of a run. It gives the job
// that is alive, or 0.
func (q *Queue) want(ctx context.Context, tx *sql.Tx, kind blueberry.JobKind, subject string) (id int64, err error) {
	err = tx.QueryRowContext(ctx, q.sql.bind(`INSERT INTO job_subjects (kind, subject, wanted, job_id, cancel) VALUES (?, ?, 1, 0, 0)
		ON CONFLICT (kind, subject) DO UPDATE SET wanted = job_subjects.wanted + 1 RETURNING job_id`), string(kind), subject).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("want job: %w", err)
	}
	return id, nil
}

// insert adds a fresh job for a subject whose row is locked by tx.
func (q *Queue) insert(ctx context.Context, tx *sql.Tx, kind blueberry.JobKind, subject string) error {
	res, err := q.inserter.InsertTx(ctx, tx, arguments{kind, subject}, &river.InsertOpts{
		Queue:       queueName,
		MaxAttempts: q.kinds[kind].MaxAttempts,
		UniqueOpts:  river.UniqueOpts{ByArgs: true, ByState: alive()},
	})
	if err != nil {
		return fmt.Errorf("insert job: %w", err)
	}
	return q.exec(ctx, tx, `UPDATE job_subjects SET job_id = ?, cancel = 0 WHERE kind = ? AND subject = ?`, res.Job.ID, string(kind), subject)
}

func (q *Queue) stateOf(ctx context.Context, tx *sql.Tx, id int64) (rivertype.JobState, error) {
	var state rivertype.JobState
	err := tx.QueryRowContext(ctx, q.sql.bind(`SELECT state FROM river_job WHERE id = ?`), id).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read job: %w", err)
	}
	return state, nil
}

func finished(s rivertype.JobState) bool {
	return s == rivertype.JobStateCompleted || s == rivertype.JobStateCancelled || s == rivertype.JobStateDiscarded
}

func (q *Queue) exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := q.execRows(ctx, tx, query, args...)
	return err
}

func (q *Queue) execRows(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, q.sql.bind(query), args...)
	if err != nil {
		return 0, fmt.Errorf("write job: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("write job: %w", err)
	}
	return n, nil
}

// inTx runs f in a transaction of the queue's own.
func (q *Queue) inTx(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := q.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
