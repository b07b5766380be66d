package jobs

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"hash/fnv"
	"sync"
	"time"
)

// How the living are told from the dead on PostgreSQL.
//
// The kernel closes the connection of a killed process, so its lock is free at once and the reapers see it after reapEvery; they wait reapGrace more, and
// that is the time in which a process that lives but lost its connection finds out (presenceEvery) and cancels its runs. Together about 1.5 s.
//
// When a host or the network falls silent, nobody closes anything. PostgreSQL then gives the lock up after keepalives without an answer (5 s, then three
// of 2 s); the process gives up earlier, after presenceTimeout. A shorter one would take a busy machine for a dead one.
const (
	presenceEvery   = 200 * time.Millisecond
	presenceTimeout = 5 * time.Second
	keepalives      = `SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3`
	reapEvery       = 300 * time.Millisecond
	reapGrace       = 900 * time.Millisecond
)

// presenceKey is the number of the advisory lock that stands for an owner.
func presenceKey(owner string) int64 {
	h := fnv.New64a()
	h.Write([]byte("blueberry jobs " + owner))
	return int64(h.Sum64())
}

// begin makes the session known as living before it takes a job, and gives what ends that.
//
// On PostgreSQL the session holds an advisory lock under its name on a connection of its own; the lock dies with the connection, and so with the
// process. onLost is called once when the connection is gone. On SQLite there is one process, held by the lock of the file: whatever runs in the record
// was left by a dead one.
func (s *session) begin(ctx context.Context, onLost func(error)) (end func(), err error) {
	if !s.queue.sql.postgres {
		return func() {}, s.rescueAll(ctx)
	}
	conn, err := s.queue.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	key := presenceKey(s.owner)
	if _, err := conn.ExecContext(ctx, keepalives); err != nil {
		closeSession(conn, key)
		return nil, fmt.Errorf("set keepalives: %w", err)
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, key); err != nil {
		closeSession(conn, key)
		return nil, fmt.Errorf("show presence: %w", err)
	}
	watching, cancel := context.WithCancel(s.ctx)
	var wg sync.WaitGroup
	wg.Go(func() { watch(watching, conn, onLost) })
	return func() {
		cancel()
		wg.Wait()
		closeSession(conn, key)
	}, nil
}

func watch(ctx context.Context, conn *sql.Conn, onLost func(error)) {
	t := time.NewTicker(presenceEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		ping, cancel := context.WithTimeout(ctx, presenceTimeout)
		_, err := conn.ExecContext(ping, `SELECT 1`)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			onLost(fmt.Errorf("presence lost: %w", err))
			return
		}
	}
}

// closeSession lets an advisory lock go and the connection back into the pool; a connection that cannot even do that is thrown away, so that the lock
// cannot stay in the pool.
func closeSession(conn *sql.Conn, key int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // also after the context of the caller has ended
	defer cancel()
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, key); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = conn.Close() // there is nothing left to lose
}

func (s *session) rescueAll(ctx context.Context) error {
	q := s.queue
	rows, err := q.owned(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := q.rescue(ctx, r.id, r.owner, `1 = 1`, "its process died"); err != nil {
			return fmt.Errorf("rescue job %d: %w", r.id, err)
		}
	}
	return nil
}

type ownedJob struct {
	id    int64
	owner string
}

// owned lists every job that is said to run, and by whom.
func (q *Queue) owned(ctx context.Context) ([]ownedJob, error) {
	rows, err := q.readDB.QueryContext(ctx, `SELECT id, `+q.sql.owner()+` FROM river_job WHERE state = 'running' ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list running jobs: %w", err)
	}
	defer rows.Close()
	var out []ownedJob
	for rows.Next() {
		var j ownedJob
		if err := rows.Scan(&j.id, &j.owner); err != nil {
			return nil, fmt.Errorf("list running jobs: %w", err)
		}
		out = append(out, j)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list running jobs: %w", err)
	}
	return out, nil
}

// reaper rescues the jobs of processes that are gone. Every process has one; two that meet do no harm.
type reaper struct {
	session *session
	dead    map[string]time.Time // owner → since when it is known to be gone
}

func (p *reaper) reap(ctx context.Context) error {
	q := p.session.queue
	jobs, err := q.owned(ctx)
	if err != nil {
		return err
	}
	gone := map[string]time.Time{}
	byOwner := map[string][]int64{}
	for _, j := range jobs {
		if j.owner != p.session.owner {
			byOwner[j.owner] = append(byOwner[j.owner], j.id)
		}
	}
	for owner, ids := range byOwner {
		absent, err := q.absent(ctx, owner)
		if err != nil {
			return err
		}
		if !absent {
			continue
		}
		since, known := p.dead[owner]
		if !known {
			since = time.Now()
		}
		gone[owner] = since
		if time.Since(since) < reapGrace {
			continue
		}
		for _, id := range ids {
			if err := q.rescue(ctx, id, owner, `TRUE`, "its process died"); err != nil {
				return fmt.Errorf("rescue job %d: %w", id, err)
			}
		}
	}
	p.dead = gone
	return nil
}

// absent reports whether nobody holds the presence of an owner. A name is used once, so who is absent stays absent.
func (q *Queue) absent(ctx context.Context, owner string) (bool, error) {
	var free bool
	err := q.inTx(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, presenceKey(owner)).Scan(&free)
	})
	if err != nil {
		return false, fmt.Errorf("look for presence: %w", err)
	}
	return free, nil
}
