package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"github.com/blueberry-idp/blueberry/internal/store"
)

// Store is the store, for tests of rooms that do not import it.
type Store = store.Store

// The environment variables that say where PostgreSQL is, or that there is none.
const (
	postgresURL     = "BLUEBERRY_TEST_POSTGRES"
	withoutPostgres = "BLUEBERRY_TEST_WITHOUT_POSTGRES"
)

// Each runs a test on both databases, side by side. Without a PostgreSQL its half fails, so that nobody believes in tests that did not run.
func Each(t *testing.T, f func(t *testing.T, s *Store)) {
	t.Helper()
	EachDSN(t, func(t *testing.T, dsn string) { f(t, Open(t, dsn)) })
}

// EachDSN is Each for tests that open the record themselves, or more than once.
func EachDSN(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run(store.SQLite, func(t *testing.T) {
		t.Parallel()
		f(t, SQLiteDSN(t))
	})
	if os.Getenv(withoutPostgres) == "1" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s=1 in CI: a test that was skipped is a test that did not hold", withoutPostgres)
		}
		t.Logf("%s=1: not run on PostgreSQL", withoutPostgres)
		return
	}
	t.Run(store.Postgres, func(t *testing.T) {
		t.Parallel()
		f(t, PostgresDSN(t))
	})
}

// SQLite opens a fresh record in a directory of the test.
func SQLite(t testing.TB) *Store {
	t.Helper()
	return Open(t, SQLiteDSN(t))
}

// Postgres opens a fresh database.
func Postgres(t testing.TB) *Store {
	t.Helper()
	return Open(t, PostgresDSN(t))
}

// Open opens a record and closes it when the test ends.
func Open(t testing.TB, dsn string) *Store {
	t.Helper()
	s, err := TryOpen(t.Context(), dsn)
	if err != nil {
		t.Fatalf("open the record: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the record: %v", err)
		}
	})
	return s
}

// TryOpen opens a record that the caller closes.
func TryOpen(ctx context.Context, dsn string) (*Store, error) {
	return store.Open(ctx, store.Config{DSN: dsn})
}

// migratedSQLite is a fresh record as a file, made once for all tests of a process: under the race detector migrating took a third of their time.
var migratedSQLite = sync.OnceValues(func() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "blueberry-storetest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "blueberry.db")
	s, err := TryOpen(context.Background(), sqliteDSN(path))
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLiteDSN names a fresh record that is migrated already.
func SQLiteDSN(t testing.TB) string {
	t.Helper()
	file, err := migratedSQLite()
	if err != nil {
		t.Fatalf("migrate a record: %v", err)
	}
	path := filepath.Join(t.TempDir(), "blueberry.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return sqliteDSN(path)
}

func sqliteDSN(path string) string { return (&url.URL{Scheme: store.SQLite, Path: path}).String() }

// PostgresDSN names a fresh record that is migrated already, and drops it when the test ends.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	admin := postgresServer(t)
	return database(t, admin, " TEMPLATE "+migratedPostgres.take(t, admin))
}

// EmptyPostgresDSN names a database that nothing has migrated, and drops it when the test ends.
func EmptyPostgresDSN(t testing.TB) string {
	t.Helper()
	return database(t, postgresServer(t), "")
}

func postgresServer(t testing.TB) string {
	t.Helper()
	admin := os.Getenv(postgresURL)
	if admin == "" {
		t.Fatalf("%s is not set: `make test` starts a PostgreSQL and sets it; %s=1 runs the tests without", postgresURL, withoutPostgres)
	}
	return admin
}

func database(t testing.TB, admin, like string) (dsn string) {
	t.Helper()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("%s is not a URL", postgresURL)
	}
	name := "blueberry_test_" + strings.ToLower(rand.Text())
	exec(t.Context(), t, admin, "CREATE DATABASE "+name+like)
	t.Cleanup(func() { exec(context.Background(), t, admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

// template is a migrated database from which those of tests are copied. It is there while a test of this process needs it, so that none is left behind.
type template struct {
	mu    sync.Mutex
	name  string
	users int
}

var migratedPostgres template

// take gives its name until the test ends.
func (x *template) take(t testing.TB, admin string) string {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.users == 0 {
		name := "blueberry_template_" + strings.ToLower(rand.Text())
		u, err := url.Parse(admin)
		if err != nil {
			t.Fatalf("%s is not a URL", postgresURL)
		}
		u.Path = "/" + name
		exec(t.Context(), t, admin, "CREATE DATABASE "+name)
		s, err := TryOpen(t.Context(), u.String())
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			t.Fatalf("migrate a record: %v", err)
		}
		x.name = name
	}
	x.users++
	t.Cleanup(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.users--; x.users == 0 {
			exec(context.Background(), t, admin, "DROP DATABASE IF EXISTS "+x.name+" WITH (FORCE)")
		}
	})
	return x.name
}

func exec(ctx context.Context, t testing.TB, dsn, query string) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatalf("open PostgreSQL: %v", err)
	}
	defer db.Close()
	const inUse = "55006" // a connection to it that was closed is not gone yet
	for {
		_, err = db.ExecContext(ctx, query)
		if refused := new(pgconn.PgError); !errors.As(err, &refused) || refused.Code != inUse {
			break
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}
