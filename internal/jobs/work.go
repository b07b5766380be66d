package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Why the context of a run ended, other than by its timeout.
var (
	errStopping  = errors.New("the process stops")
	errLost      = errors.New("the session with the database was lost")
	errCancelled = errors.New("the job was cancelled")
)

// worker is what River calls. One kind has one.
type worker struct {
	river.WorkerDefaults[arguments]

	session *session
	kind    blueberry.JobKind
}

// Timeout tells River that the timeout is ours.
func (w *worker) Timeout(*river.Job[arguments]) time.Duration { return -1 }

// Work runs the job and ends the run. It gives River no error: the run has been ended.
func (w *worker) Work(ctx context.Context, job *river.Job[arguments]) error {
	w.session.run(ctx, w.kind, job.Args.Subject, job.JobRow)
	return nil
}

// run is one run of a job.
type run struct {
	kind    blueberry.JobKind
	subject string
	row     *rivertype.JobRow
	seen    int64 // what was wanted of the subject when the run began
	cancel  context.CancelCauseFunc
}

// ending is how a run ended.
type ending struct {
	outcome Outcome
	err     error
	cause   error // errStopping, errLost or errCancelled when that is why
}

func (s *session) run(ctx context.Context, kind blueberry.JobKind, subject string, row *rivertype.JobRow) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{kind: kind, subject: subject, row: row, cancel: cancel}
	s.add(r)
	defer s.remove(r)
	log := s.queue.log.With("kind", kind, "subject", subject, "job_id", row.ID)

	begun := time.Now()
	end := s.work(ctx, r)
	switch {
	case end.cause != nil:
		log.InfoContext(ctx, "job interrupted", "reason", end.cause)
	case end.err != nil:
		log.WarnContext(ctx, "job failed", "attempt", row.Attempt, "max_attempts", row.MaxAttempts, "error", end.err)
	default:
		log.DebugContext(ctx, "job ran", "duration", time.Since(begun), "again", end.outcome.Again)
	}
	if err := s.finish(ctx, r, end); err != nil {
		log.ErrorContext(ctx, "end of job not written", "error", err)
	}
}

// work calls the worker of the kind, after it has noted what is wanted: an enqueue that commits later is not seen by this run for sure.
func (s *session) work(ctx context.Context, r *run) (end ending) {
	q := s.queue
	k := q.kinds[r.kind]
	var cancelled bool
	err := q.readDB.QueryRowContext(ctx, q.sql.bind(`SELECT wanted, cancel = 1 FROM job_subjects WHERE kind = ? AND subject = ?`), string(r.kind), r.subject).
		Scan(&r.seen, &cancelled)
	switch {
	case errors.Is(err, sql.ErrNoRows): // wanted by nobody that we know of; the end of the run finds the same
	case err != nil:
		return ending{err: fmt.Errorf("read what is wanted: %w", err), cause: errLost} // no fault of the job
	case cancelled:
		return ending{cause: errCancelled}
	}
	job := blueberry.Job{
		ID: r.row.ID, Kind: r.kind, Subject: r.subject, State: blueberry.JobRunning, Attempt: r.row.Attempt, MaxAttempts: r.row.MaxAttempts,
		RunAt: r.row.ScheduledAt, CreatedAt: r.row.CreatedAt,
	}
	if n := len(r.row.Errors); n > 0 {
		job.LastError = r.row.Errors[n-1].Error
	}
	defer func() {
		if p := recover(); p != nil {
			q.log.ErrorContext(ctx, "job panicked", "kind", r.kind, "subject", r.subject, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			end = ending{err: fmt.Errorf("panic: %v", p)}
		}
	}()
	wctx, stop := context.WithTimeout(ctx, k.Timeout)
	defer stop()
	out, err := k.Work(wctx, job)
	if err != nil && ctx.Err() == nil && errors.Is(wctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("timed out after %s: %w", k.Timeout, err)
	}
	return interrupted(ctx, ending{outcome: out, err: err})
}

// interrupted notes why a run failed whose context was ended from outside. A run that succeeded nevertheless has succeeded.
func interrupted(ctx context.Context, end ending) ending {
	if end.err == nil || ctx.Err() == nil {
		return end
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errCancelled):
		end.cause = errCancelled
	case errors.Is(cause, errLost):
		end.cause = errLost
	default:
		end.cause = errStopping
	}
	return end
}

// finishPatience is how long the end of a run is tried to be written while the process stops or the session is lost. Until then it is tried for as long
// as it takes: the job would stay "running".
const finishPatience = 5 * time.Second

func (s *session) finish(ctx context.Context, r *run, end ending) error {
	// The end is written although ctx may have ended; when the whole session ends, not forever.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(s.ctx, func() {
		t := time.AfterFunc(finishPatience, cancel)
		context.AfterFunc(ctx, func() { t.Stop() })
	})
	defer stop()
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := s.queue.inTx(ctx, func(tx *sql.Tx) error { return s.end(ctx, tx, r, end) })
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.queue.log.DebugContext(ctx, "end of job not written yet", "job_id", r.row.ID, "error", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// end writes the end of a run: in one transaction it locks the subject against enqueues, compares what is wanted with what the run had seen, and
// decides what becomes of the job.
func (s *session) end(ctx context.Context, tx *sql.Tx, r *run, end ending) error {
	q := s.queue
	wanted, cancelled, err := q.lockSubject(ctx, tx, r.kind, r.subject)
	if err != nil {
		return err
	}
	more := wanted != r.seen
	if cancelled && (end.err != nil || end.outcome.Again > 0) && end.cause == nil {
		end.cause = errCancelled
	}

	var next transition
	switch {
	case errors.Is(end.cause, errCancelled):
		next = transition{state: rivertype.JobStateCancelled}
	case end.cause != nil: // no fault of the job: it runs again as if this run had not been
		next = transition{state: rivertype.JobStateAvailable, attempt: max(r.row.Attempt-1, 0)}
	case end.err != nil:
		next = transition{state: rivertype.JobStateRetryable, attempt: r.row.Attempt, failure: end.err.Error()}
		if r.row.Attempt >= r.row.MaxAttempts {
			next.state = rivertype.JobStateDiscarded
		} else if !more {
			next.after = q.kinds[r.kind].Backoff(r.row.Attempt)
		}
	case end.outcome.Again > 0:
		next = transition{state: rivertype.JobStateScheduled, forget: true, after: end.outcome.Again}
	default:
		next = transition{state: rivertype.JobStateCompleted, attempt: r.row.Attempt}
	}
	if more && (next.state == rivertype.JobStateCompleted || !finished(next.state)) {
		next.forget = next.forget || next.state == rivertype.JobStateCompleted
		if next.forget {
			next.attempt = 0
		}
		next.state, next.after = rivertype.JobStateAvailable, 0
	}
	ours, err := q.apply(ctx, tx, r.row.ID, r.row.Attempt, s.owner, next)
	if err != nil {
		return err
	}
	if !ours {
		q.log.WarnContext(ctx, "job was taken from this process while it ran", "kind", r.kind, "subject", r.subject, "job_id", r.row.ID)
		return nil
	}
	return q.settle(ctx, tx, r.kind, r.subject, next.state, more)
}

// settle brings the row of the subject in line with a job that just went to a state. The row is locked by tx.
func (q *Queue) settle(ctx context.Context, tx *sql.Tx, kind blueberry.JobKind, subject string, state rivertype.JobState, more bool) error {
	switch {
	case !finished(state):
		return nil
	case more: // the old job is at rest for good, what was wanted meanwhile is a job of its own
		return q.insert(ctx, tx, kind, subject)
	}
	return q.exec(ctx, tx, `DELETE FROM job_subjects WHERE kind = ? AND subject = ?`, string(kind), subject)
}

func (q *Queue) lockSubject(ctx context.Context, tx *sql.Tx, kind blueberry.JobKind, subject string) (wanted int64, cancelled bool, err error) {
	err = tx.QueryRowContext(ctx, q.sql.bind(`SELECT wanted, cancel = 1 FROM job_subjects WHERE kind = ? AND subject = ?`+q.sql.forUpdate()), string(kind), subject).
		Scan(&wanted, &cancelled)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, false, fmt.Errorf("lock subject: %w", err)
	}
	return wanted, cancelled, nil
}

// transition is where a running job goes.
type transition struct {
	state   rivertype.JobState
	after   time.Duration // until it may run
	attempt int           // failures so far
	failure string        // its last error
	forget  bool          // clears its error: a success ends a row of failures
}

// apply moves a job that runs, in that attempt and by that owner; it reports whether there was one. Without this check a process that was believed dead
// would end the run of another one.
func (q *Queue) apply(ctx context.Context, tx *sql.Tx, id int64, attempt int, owner string, t transition) (bool, error) {
	set := `state = ?, attempt = ?`
	if q.sql.postgres {
		set = `state = CAST(? AS river_job_state), attempt = ?`
	}
	args := []any{string(t.state), t.attempt}
	switch {
	case finished(t.state):
		set += `, finalized_at = ` + q.sql.now()
	default:
		set += `, attempted_by = NULL, scheduled_at = ` + q.sql.in(t.after) // River adds a name for each run, up to 100
	}
	switch {
	case t.failure != "":
		b, err := json.Marshal(rivertype.AttemptError{At: time.Now().UTC(), Attempt: attempt, Error: clip(t.failure)})
		if err != nil {
			return false, fmt.Errorf("encode error of job: %w", err)
		}
		set += `, errors = ` + q.sql.errorList()
		args = append(args, string(b))
	case t.forget:
		set += `, errors = NULL`
	}
	args = append(args, id, attempt, owner)
	n, err := q.execRows(ctx, tx, `UPDATE river_job SET `+set+` WHERE id = ? AND state = 'running' AND attempt = ? AND `+q.sql.owner()+` = ?`, args...)
	return n == 1, err
}

const maxFailure = 4000 // bytes of an error that are kept

// clip makes a text fit to be kept: not too long, and without what PostgreSQL's JSON refuses.
func clip(s string) string {
	s = plain(s)
	if len(s) <= maxFailure {
		return s
	}
	return strings.ToValidUTF8(s[:maxFailure], "") + "…"
}
