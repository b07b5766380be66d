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
		s.fillHosts(10, s.byteOrder(10, "environment_hosts.environment_id", "activity.environment_id", "wake_entries.environment_id", "receipts.environment_id",
			"archives.environment_id", "orphans.id")), // of tables that migration 9 has just made
		s.byteOrder(12, "repositories.id", "deliveries.id", "deliveries.repository_id", "pulls.id", "pulls.repository_id"), // of tables that migration 11 has just made
		s.facets(24),
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

// facets is a migration: SQLite gets an index of all that environments are filtered and sorted by, from which a page is chosen without reading whole rows, and
// one of all that is summed up of a target. PostgreSQL knows how many rows a filter leaves: there they would only make writing slower, and text of any length
// does not fit into an index. The version before this one needs nothing of them.
func (s *Store) facets(version int64) *goose.Migration {
	run := func(queries ...string) *goose.GoFunc {
		return &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			if s.dialect != SQLite {
				return nil
			}
			for _, q := range queries {
				if _, err := tx.ExecContext(ctx, q); err != nil {
					return fmt.Errorf("index environments: %w", err)
				}
			}
			return nil
		}}
	}
	return goose.NewGoMigration(version, run(
		`CREATE INDEX environments_live_facets ON environments
			(search, labels, phase, owner, project, target, restricted, name, created_at, updated_at, expires_at, id) WHERE phase <> 'terminated'`,
		`CREATE INDEX environments_live_target_usage ON environments (target, demand_cpu, demand_memory, demand_pods, demand_storage, phase) WHERE phase <> 'terminated'`,
	), run(`DROP INDEX environments_live_target_usage`, `DROP INDEX environments_live_facets`))
}

// fillHosts is a migration: after another one of its version, the hosts of environments that are there can be looked up.
func (s *Store) fillHosts(version int64, after *goose.Migration) *goose.Migration {
	hosts := "json_each(environments.hosts) AS each"
	if s.dialect == Postgres {
		hosts = "json_array_elements_text(CASE WHEN hosts LIKE '[%' THEN hosts::json ELSE '[]'::json END) AS each(value)"
	}
	up := func(ctx context.Context, tx *sql.Tx) error {
		if err := after.UpFnContext(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO environment_hosts (host, environment_id) SELECT lower(each.value), environments.id FROM environments, `+hosts+`
			WHERE environments.phase <> 'terminated' AND each.value IS NOT NULL ON CONFLICT DO NOTHING`)
		if err != nil {
			return fmt.Errorf("fill environment_hosts: %w", err)
		}
		return nil
	}
	return goose.NewGoMigration(version, &goose.GoFunc{RunTx: up}, &goose.GoFunc{RunTx: after.DownFnContext})
}
