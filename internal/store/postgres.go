package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func (s *Store) openPostgres(c Config) error {
	cfg, err := pgx.ParseConfig(c.DSN)
	if err != nil {
		return errors.New("the DSN of the record is not valid for PostgreSQL") // the error of pgx holds the DSN
	}
	// bun writes values into the text of a query, so hardly any text comes twice: preparing each would cost a round trip and fill the cache of statements.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "blueberry"
	}
	db := stdlib.OpenDB(*cfg)
	conns := c.MaxConns
	if conns == 0 {
		conns = 20
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s.use(Postgres, db, db)
	return nil
}

// claimPatience is how long a claim is asked for: the connection of a process that was killed may be a moment in ending.
const claimPatience = 5 * time.Second

// Claim takes something on this record for this process alone, until release or the end of the process; Conflict when another process has it. On SQLite
// the whole record is this process's already. It is held by a connection, and is lost with it.
func (s *Store) Claim(ctx context.Context, what string) (release func(), err error) {
	if s.dialect != Postgres {
		return func() {}, nil
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", what, err)
	}
	release = func() {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // ends the connection, and the claim with it
		_ = conn.Close()
	}
	for deadline := time.Now().Add(claimPatience); ; {
		var ours bool
		if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(hashtextextended($1, 0))`, "blueberry "+what).Scan(&ours); err != nil {
			release()
			return nil, fmt.Errorf("claim %s: %w", what, err)
		}
		if ours {
			return release, nil
		}
		if time.Now().After(deadline) {
			release()
			return nil, blueberry.Errorf(blueberry.Conflict, "CLAIMED", "the %s of this record belongs to another process", what)
		}
		select {
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
