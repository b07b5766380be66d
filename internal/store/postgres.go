package store

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
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
