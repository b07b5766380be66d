package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock keeps two processes that start at once on one PostgreSQL from migrating at once. The number only has to be ours: "blueberr".
const migrationLock int64 = 0x626c756562657272

// migrate brings the schema to the newest version.
func (s *Store) migrate(ctx context.Context) (err error) {
	if s.dialect == Postgres {
		conn, err := s.write.Conn(ctx)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		defer conn.Close() // a session that ends lets its locks go
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
			return fmt.Errorf("lock migrations: %w", err)
		}
		defer func() {
			_, uerr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
			if err == nil && uerr != nil {
				err = fmt.Errorf("unlock migrations: %w", uerr)
			}
		}()
	}
	p, err := s.migrator()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (s *Store) migrator() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	dialect := goose.DialectSQLite3
	if s.dialect == Postgres {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, s.write, dir, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(
		s.byteOrder(2, "environments.id", "environments.name", "environments.phase"),
		s.byteOrder(4, "config_sets.id", "config_sets.name", "config_uses.environment_id",
			"blueprints.id", "blueprints.name", "blueprint_uses.environment_id", "plans.id"), // of tables that migration 3 has just made
		s.byteOrder(7, "users.id", "users.email", "sessions.id", "emergencies.id", "api_tokens.id",
			"oauth_clients.id", "oauth_tokens.id", "device_authorizations.id"), // of tables that migration 6 has just made, and of one with few rows
	))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

// byteOrder is a migration: what lists are sorted by is sorted by bytes, as SQLite does and as ids are made, and not by the language of a PostgreSQL
// database, in which "pr-10" and "pr1" change places.
func (s *Store) byteOrder(version int64, columns ...string) *goose.Migration {
	collate := func(with string) *goose.GoFunc {
		return &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			if s.dialect != Postgres {
				return nil
			}
			for _, c := range columns {
				table, column, _ := strings.Cut(c, ".")
				q := fmt.Sprintf(`ALTER TABLE %s ALTER COLUMN %s TYPE text COLLATE %s`, table, column, with)
				if _, err := tx.ExecContext(ctx, q); err != nil {
					return fmt.Errorf("collate %s: %w", c, err)
				}
			}
			return nil
		}}
	}
	return goose.NewGoMigration(version, collate(`"C"`), collate(`"default"`))
}
