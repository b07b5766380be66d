package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/riverqueue/river/rivertype"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// stateOf tells a person's state from River's.
func stateOf(s rivertype.JobState) blueberry.JobState {
	switch s {
	case rivertype.JobStateRunning:
		return blueberry.JobRunning
	case rivertype.JobStateRetryable:
		return blueberry.JobRetrying
	case rivertype.JobStateDiscarded:
		return blueberry.JobDead
	case rivertype.JobStateCompleted:
		return blueberry.JobCompleted
	case rivertype.JobStateCancelled:
		return blueberry.JobCancelled
	}
	return blueberry.JobWaiting // available, scheduled, pending
}

// List reads one page of jobs, newest first, and the id to start the next page before; 0 when there is none. It takes the grant jobs:read. A state that
// does not exist is Invalid.
func (q *Queue) List(ctx context.Context, actor blueberry.Actor, query blueberry.JobQuery) (page []blueberry.Job, next int64, err error) {
	if err := actor.Can(blueberry.GrantJobsRead); err != nil {
		return nil, 0, err
	}
	var f blueberry.Faults
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, arg any) { where, args = append(where, condition), append(args, arg) }
	if query.Kind != "" {
		add("kind = ?", plain(string(query.Kind)))
	}
	if query.Subject != "" {
		add(q.sql.subject()+" = ?", plain(query.Subject))
	}
	if query.Before > 0 {
		add("id < ?", query.Before)
	}
	var states []string
	for i, s := range query.States {
		if !slices.Contains(blueberry.JobStates(), s) {
			f.Add(fmt.Sprintf("states[%d]", i), "unknown", "%q is no state of a job", s)
		}
		for _, r := range rivertype.JobStates() {
			if stateOf(r) == s {
				states = append(states, "'"+string(r)+"'") // River's own words: nothing of the caller's comes into the text
			}
		}
	}
	if err := f.Err(); err != nil {
		return nil, 0, err
	}
	if len(states) > 0 {
		where = append(where, "state IN ("+strings.Join(states, ", ")+")")
	}
	limit := query.Limit
	if limit <= 0 {
		limit = blueberry.DefaultPageSize
	}
	limit = min(limit, blueberry.MaxPageSize)

	rows, err := q.readDB.QueryContext(ctx, q.sql.bind(q.selectJob()+` WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT ?`), append(args, limit+1)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list jobs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		j, err := scanJob(rows.Scan)
		if err != nil {
			return nil, 0, fmt.Errorf("list jobs: %w", err)
		}
		page = append(page, j)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("list jobs: %w", err)
	}
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].ID
	}
	return page, next, nil
}

// plain makes a text one that PostgreSQL takes. What is lost was in no kind or subject.
func plain(s string) string { return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD") }

func (q *Queue) selectJob() string {
	return `SELECT id, kind, ` + q.sql.subject() + `, state, attempt, max_attempts, ` + q.sql.lastError() + `, scheduled_at, created_at, finalized_at FROM river_job`
}

func scanJob(scan func(...any) error) (blueberry.Job, error) {
	var (
		j             blueberry.Job
		state         rivertype.JobState
		subject, last sql.NullString
		finalized     sql.NullTime
	)
	err := scan(&j.ID, &j.Kind, &subject, &state, &j.Attempt, &j.MaxAttempts, &last, &j.RunAt, &j.CreatedAt, &finalized)
	if err != nil {
		return blueberry.Job{}, err
	}
	j.Subject, j.State, j.LastError = subject.String, stateOf(state), last.String
	j.RunAt, j.CreatedAt = j.RunAt.UTC(), j.CreatedAt.UTC()
	if finalized.Valid {
		j.FinishedAt = finalized.Time.UTC()
	}
	return j, nil
}

// Get reads one job, or NotFound. It takes the grant jobs:read.
func (q *Queue) Get(ctx context.Context, actor blueberry.Actor, id int64) (blueberry.Job, error) {
	if err := actor.Can(blueberry.GrantJobsRead); err != nil {
		return blueberry.Job{}, err
	}
	return q.get(ctx, q.readDB.QueryRowContext, id)
}

func (q *Queue) get(ctx context.Context, query func(context.Context, string, ...any) *sql.Row, id int64) (blueberry.Job, error) {
	j, err := scanJob(query(ctx, q.sql.bind(q.selectJob()+` WHERE id = ?`), id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Job{}, blueberry.Errorf(blueberry.NotFound, "JOB_NOT_FOUND", "there is no job %d", id)
	}
	if err != nil {
		return blueberry.Job{}, fmt.Errorf("read job: %w", err)
	}
	return j, nil
}

// Retry makes a job run now, with all its attempts before it. It takes the grant jobs:retry. A job that runs or is done is Conflict, and so is one whose
// subject has a newer job alive.
func (q *Queue) Retry(ctx context.Context, actor blueberry.Actor, id int64) (blueberry.Job, error) {
	if err := actor.Can(blueberry.GrantJobsRetry); err != nil {
		return blueberry.Job{}, err
	}
	return q.change(ctx, id, func(tx *sql.Tx, j blueberry.Job) error {
		current, err := q.want(ctx, tx, j.Kind, j.Subject)
		if err != nil {
			return err
		}
		if current != 0 && current != id {
			switch state, err := q.stateOf(ctx, tx, current); {
			case err != nil:
				return err
			case state != "" && !finished(state):
				return blueberry.Errorf(blueberry.Conflict, "JOB_SUPERSEDED", "job %d does the same and is alive", current)
			}
		}
		n, err := q.execRows(ctx, tx, `UPDATE river_job SET state = 'available', attempt = 0, finalized_at = NULL, scheduled_at = `+q.sql.now()+
			` WHERE id = ? AND state IN ('available', 'scheduled', 'pending', 'retryable', 'discarded', 'cancelled')`, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return blueberry.Errorf(blueberry.Conflict, "JOB_STATE", "job %d is %s and cannot be retried", id, j.State)
		}
		return q.exec(ctx, tx, `UPDATE job_subjects SET job_id = ?, cancel = 0 WHERE kind = ? AND subject = ?`, id, string(j.Kind), j.Subject)
	})
}

// Cancel keeps a job from running, or asks its run to end, wherever that is; then the job is still running when Cancel returns. It takes the grant
// jobs:retry. A job that has ended is Conflict.
func (q *Queue) Cancel(ctx context.Context, actor blueberry.Actor, id int64) (blueberry.Job, error) {
	if err := actor.Can(blueberry.GrantJobsRetry); err != nil {
		return blueberry.Job{}, err
	}
	return q.change(ctx, id, func(tx *sql.Tx, j blueberry.Job) error {
		if _, _, err := q.lockSubject(ctx, tx, j.Kind, j.Subject); err != nil {
			return err
		}
		n, err := q.execRows(ctx, tx, `UPDATE river_job SET state = 'cancelled', finalized_at = `+q.sql.now()+
			` WHERE id = ? AND state IN ('available', 'scheduled', 'pending', 'retryable')`, id)
		if err != nil {
			return err
		}
		if n == 1 {
			return q.settle(ctx, tx, j.Kind, j.Subject, rivertype.JobStateCancelled, false)
		}
		n, err = q.execRows(ctx, tx, `UPDATE job_subjects SET cancel = 1 WHERE kind = ? AND subject = ? AND job_id = ?
			AND EXISTS (SELECT 1 FROM river_job WHERE id = ? AND state = 'running')`, string(j.Kind), j.Subject, id, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return blueberry.Errorf(blueberry.Conflict, "JOB_STATE", "job %d is %s and cannot be cancelled", id, j.State)
		}
		return nil
	})
}

// change runs f on a job in a transaction and gives the job as it is then.
func (q *Queue) change(ctx context.Context, id int64, f func(tx *sql.Tx, j blueberry.Job) error) (after blueberry.Job, err error) {
	err = q.inTx(ctx, func(tx *sql.Tx) error {
		j, err := q.get(ctx, tx.QueryRowContext, id)
		if err != nil {
			return err
		}
		if err := f(tx, j); err != nil {
			return err
		}
		after, err = q.get(ctx, tx.QueryRowContext, id)
		return err
	})
	if err != nil {
		return blueberry.Job{}, err
	}
	return after, nil
}

// Depth counts jobs by state, for metrics. Every state is in the map.
func (q *Queue) Depth(ctx context.Context) (map[blueberry.JobState]int, error) {
	rows, err := q.readDB.QueryContext(ctx, `SELECT state, count(*) FROM river_job GROUP BY state`)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	defer rows.Close()
	out := make(map[blueberry.JobState]int)
	for _, s := range blueberry.JobStates() {
		out[s] = 0
	}
	for rows.Next() {
		var state rivertype.JobState
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("count jobs: %w", err)
		}
		out[stateOf(state)] += n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	return out, nil
}
