package jobs

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// How often and how long, of one session.
const (
	fetchCooldown = 20 * time.Millisecond
	fetchPoll     = 100 * time.Millisecond // also how late a job starts after the commit that enqueued it
	promoteEvery  = 100 * time.Millisecond // how late a snoozed or retrying job becomes available
	cancelEvery   = 250 * time.Millisecond // how late a running job hears that it was cancelled
	strayEvery    = 2 * time.Second
	strayAge      = 10 * time.Second // a job that River took for us reaches its worker long before
	hardStop      = 10 * time.Second // how long work may take to end after its context has
	restartPause  = 500 * time.Millisecond
	keepCompleted = time.Hour // so that the table does not grow
	keepCancelled = 24 * time.Hour
	keepDead      = 30 * 24 * time.Hour
	never         = 100 * 365 * 24 * time.Hour
)

// Run works until ctx ends, then lets runs end for the time of Config.Drain and cancels the rest. A database that goes away ends the runs; work goes on
// when it is back. The error is not nil when runs did not end although they were cancelled. On SQLite one queue may run at a time: it takes what others
// left running for theirs who died.
func (q *Queue) Run(ctx context.Context) error {
	if len(q.kinds) == 0 {
		return errors.New("a queue without kinds has nothing to run")
	}
	for {
		err := q.runSession(ctx)
		if ctx.Err() != nil {
			return err
		}
		q.log.WarnContext(ctx, "jobs stopped and start again", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restartPause):
		}
	}
}

// session is one life of the queue under one name. A process that loses its presence starts another one.
type session struct {
	queue *Queue
	owner string          // our name in attempted_by
	ctx   context.Context // ends when the runs have to end

	mu   sync.Mutex
	runs map[int64]*run // by id of the job
}

func (s *session) add(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[r.row.ID] = r
}

// remove forgets a run, unless a later run of the same job has taken its place.
func (s *session) remove(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs[r.row.ID] == r {
		delete(s.runs, r.row.ID)
	}
}

func (s *session) running(id int64) *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs[id]
}

func (q *Queue) runSession(ctx context.Context) error {
	work, endWork := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endWork(errStopping)
	s := &session{queue: q, owner: "blueberry-" + strings.ToLower(rand.Text()), ctx: work, runs: map[int64]*run{}}

	lost := make(chan error, 1)
	release, err := s.begin(ctx, func(err error) {
		endWork(errLost)
		lost <- err
	})
	if err != nil {
		return err
	}
	defer release()
	client, err := s.start(work)
	if err != nil {
		return err
	}
	stopped := client.Stopped()
	stopDuties := s.duties(work)
	defer stopDuties()
	q.log.InfoContext(ctx, "jobs run", "owner", s.owner)

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-lost:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.drain)
	defer cancel()
	if cause == nil && client.Stop(stop) == nil {
		return nil
	}
	endWork(errStopping) // changes nothing when the session was lost
	select {
	case <-stopped:
		return cause
	case <-time.After(hardStop):
		return errors.Join(cause, fmt.Errorf("%d jobs did not end within %s after they were cancelled", s.count(), hardStop))
	}
}

func (s *session) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.runs)
}

// start starts River under the name of the session. Its own rescue is put off for good: it looks at the age of a run only, ours knows who is dead.
func (s *session) start(ctx context.Context) (*river.Client[*sql.Tx], error) {
	q := s.queue
	workers := river.NewWorkers()
	for kind := range q.kinds {
		river.AddWorkerArgs(workers, arguments{kind: kind}, &worker{session: s, kind: kind})
	}
	client, err := river.NewClient(q.driver(), &river.Config{
		ID:                          s.owner,
		Logger:                      q.riverLog(),
		Queues:                      map[string]river.QueueConfig{queueName: {MaxWorkers: q.maxWorkers}},
		Workers:                     workers,
		PollOnly:                    true,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchPoll,
		JobTimeout:                  -1,
		RescueStuckJobsAfter:        never,
		CompletedJobRetentionPeriod: keepCompleted,
		CancelledJobRetentionPeriod: keepCancelled,
		DiscardedJobRetentionPeriod: keepDead,
	})
	if err != nil {
		return nil, fmt.Errorf("make the client that works: %w", err)
	}
	if err := client.Start(ctx); err != nil {
		return nil, fmt.Errorf("start to work: %w", err)
	}
	return client, nil
}

// duties starts what a session does beside the work, and gives what stops it.
func (s *session) duties(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	every := func(d time.Duration, what string, f func(context.Context) error) {
		wg.Go(func() { s.every(ctx, d, what, f) })
	}
	every(promoteEvery, "promote jobs whose time has come", s.queue.promote)
	every(cancelEvery, "look for cancelled jobs", s.hearCancels)
	every(strayEvery, "look for stray jobs", s.rescueStrays)
	if s.queue.sql.postgres {
		reaper := &reaper{session: s, dead: map[string]time.Time{}}
		every(reapEvery, "look for dead processes", reaper.reap)
	}
	return func() { cancel(); wg.Wait() }
}

// every calls f again and again. It logs when f begins to fail, and when it works again.
func (s *session) every(ctx context.Context, d time.Duration, what string, f func(context.Context) error) {
	t := time.NewTicker(d)
	defer t.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		err := f(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			s.queue.log.WarnContext(ctx, "duty of the queue fails", "duty", what, "error", err)
		case err == nil && failing:
			s.queue.log.InfoContext(ctx, "duty of the queue works again", "duty", what)
		}
		failing = err != nil
	}
}

// promote makes jobs available whose time has come. River's scheduler does so too, every five seconds and in one process only.
func (q *Queue) promote(ctx context.Context) error {
	due := ` FROM river_job WHERE state IN ('scheduled', 'retryable') AND queue = ? AND priority = ? AND scheduled_at <= ` + q.sql.now()
	var any bool
	err := q.readDB.QueryRowContext(ctx, q.sql.bind(`SELECT EXISTS (SELECT 1`+due+`)`), queueName, river.PriorityDefault).Scan(&any)
	if err != nil || !any {
		return err // hardly ever is there one, and on SQLite looking does not stop writers
	}
	return q.inTx(ctx, func(tx *sql.Tx) error {
		return q.exec(ctx, tx, `UPDATE river_job SET state = 'available' WHERE id IN (SELECT id`+due+q.sql.only(` FOR UPDATE SKIP LOCKED`, ``)+`)`, queueName, river.PriorityDefault)
	})
}

// hearCancels ends the runs in this process that someone asked to be cancelled.
func (s *session) hearCancels(ctx context.Context) error {
	if s.count() == 0 {
		return nil
	}
	ids, err := s.queue.ids(ctx, `SELECT job_id FROM job_subjects WHERE cancel = 1`)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if r := s.running(id); r != nil {
			r.cancel(errCancelled)
		}
	}
	return nil
}

// rescueStrays takes back jobs that are ours in the record but not in this process: the answer to the query that took them was lost.
func (s *session) rescueStrays(ctx context.Context) error {
	q := s.queue
	ids, err := q.ids(ctx, `SELECT id FROM river_job WHERE state = 'running' AND `+q.sql.owner()+` = ? AND attempted_at < `+q.sql.in(-strayAge), s.owner)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if s.running(id) != nil {
			continue
		}
		// It may have ended, and begun again, since we asked: the age is looked at once more.
		if err := q.rescue(ctx, id, s.owner, `attempted_at < `+q.sql.in(-strayAge), "its process did not get it"); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) ids(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := q.readDB.QueryContext(ctx, q.sql.bind(query), args...)
	if err != nil {
		return nil, fmt.Errorf("look for jobs: %w", err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look for jobs: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look for jobs: %w", err)
	}
	return ids, nil
}

// rescue makes a job available again that an owner has but nobody runs. The attempt counts: a job that kills its process is dead some day.
func (q *Queue) rescue(ctx context.Context, id int64, owner, condition, reason string) error {
	var kind blueberry.JobKind
	var subject string
	err := q.db.QueryRowContext(ctx, q.sql.bind(`SELECT kind, `+q.sql.subject()+` FROM river_job WHERE id = ?`), id).Scan(&kind, &subject)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	return q.inTx(ctx, func(tx *sql.Tx) error {
		_, cancelled, err := q.lockSubject(ctx, tx, kind, subject)
		if err != nil {
			return err
		}
		var attempt, most int
		err = tx.QueryRowContext(ctx, q.sql.bind(`SELECT attempt, max_attempts FROM river_job WHERE id = ? AND state = 'running' AND `+
			q.sql.owner()+` = ? AND `+condition+q.sql.forUpdate()), id, owner).Scan(&attempt, &most)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // ended after all, or rescued by another process
		}
		if err != nil {
			return fmt.Errorf("read job: %w", err)
		}
		next := transition{state: rivertype.JobStateAvailable, attempt: attempt, failure: "interrupted: " + reason}
		switch {
		case cancelled:
			next.state = rivertype.JobStateCancelled
		case attempt >= most:
			next.state = rivertype.JobStateDiscarded
		}
		if _, err := q.apply(ctx, tx, id, attempt, owner, next); err != nil {
			return err
		}
		q.log.InfoContext(ctx, "job rescued", "kind", kind, "subject", subject, "job_id", id, "reason", reason, "state", next.state)
		return q.settle(ctx, tx, kind, subject, next.state, false)
	})
}
