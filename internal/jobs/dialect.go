package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// dialect is where the SQL of the two databases differs. Times are the database's own, so that clocks of several processes do not matter; SQLite's are
// texts in the form that River compares.
type dialect struct{ postgres bool }

func dialectOf(word string) (dialect, error) {
	switch word {
	case "sqlite":
		return dialect{}, nil
	case "postgres":
		return dialect{postgres: true}, nil
	}
	return dialect{}, fmt.Errorf("a queue cannot be on %q", word)
}

// bind turns ? into $1, $2, … for PostgreSQL. Our queries have no question mark but these.
func (d dialect) bind(query string) string {
	if !d.postgres {
		return query
	}
	var b strings.Builder
	n := 0
	for i := range len(query) {
		if query[i] != '?' {
			b.WriteByte(query[i])
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	return b.String()
}

func (d dialect) now() string { return d.in(0) }

// in is the time after a while; before now for a negative one.
func (d dialect) in(after time.Duration) string {
	ms := after.Milliseconds()
	if d.postgres {
		return fmt.Sprintf("clock_timestamp() + interval '%d milliseconds'", ms)
	}
	return fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '%+.3f seconds')", float64(ms)/1000)
}

// forUpdate locks the rows read until the transaction ends. SQLite has one writer anyway.
func (d dialect) forUpdate() string { return d.only(" FOR UPDATE", "") }

// owner is who runs a job: the last that took it.
func (d dialect) owner() string {
	return d.only(`attempted_by[array_upper(attempted_by, 1)]`, `json_extract(CAST(attempted_by AS text), '$[#-1]')`)
}

func (d dialect) subject() string {
	return d.only(`args->>'subject'`, `json_extract(CAST(args AS text), '$.subject')`)
}

func (d dialect) lastError() string {
	return d.only(`errors[array_upper(errors, 1)]->>'error'`, `json_extract(CAST(errors AS text), '$[#-1].error')`)
}

// errorList is a list of one error, given as JSON: only the last one is kept.
func (d dialect) errorList() string {
	return d.only(`ARRAY[CAST(? AS jsonb)]`, `json_array(json(?))`)
}

func (d dialect) only(postgres, sqlite string) string {
	if d.postgres {
		return postgres
	}
	return sqlite
}

func (q *Queue) driver() riverdriver.Driver[*sql.Tx] {
	if q.sql.postgres {
		return riverDriver{riverdatabasesql.New(q.db)}
	}
	return riverDriver{riversqlite.New(q.db)}
}

// migrationLock keeps two processes that start at once from migrating at once. The number only has to be ours: "bb jobs".
const migrationLock int64 = 0x6262206a6f6273

// A row of job_subjects stands for a subject with a job that is alive: wanted counts its enqueues, job_id is that job, cancel is 1 when someone asked the
// run to stop. Both databases take this text.
const subjectsTable = `CREATE TABLE IF NOT EXISTS job_subjects (
	kind    text   NOT NULL,
	subject text   NOT NULL,
	wanted  bigint NOT NULL,
	job_id  bigint NOT NULL,
	cancel  bigint NOT NULL,
	PRIMARY KEY (kind, subject)
)`

func (q *Queue) migrate(ctx context.Context) error {
	if q.sql.postgres {
		conn, err := q.db.Conn(ctx)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		defer closeSession(conn, migrationLock)
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
			return fmt.Errorf("lock migrations: %w", err)
		}
	}
	m, err := rivermigrate.New(q.driver(), &rivermigrate.Config{Logger: q.riverLog()})
	if err != nil {
		return fmt.Errorf("read migrations of the queue: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	if _, err := q.db.ExecContext(ctx, subjectsTable); err != nil {
		return fmt.Errorf("make the table of subjects: %w", err)
	}
	return nil
}
