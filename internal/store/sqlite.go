package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// openSQLite opens the file with one connection that writes and several that read. SQLite has one writer at a time anyway: with one connection the
// others wait in order in Go, and not by polling for the lock of the file.
func (s *Store) openSQLite(ctx context.Context, u *url.URL) error {
	path := u.Path
	if u.Host != "" || path == "" || path == "/" || u.RawQuery != "" {
		return errors.New("the DSN of a SQLite record is sqlite:///absolute/path/of/the/file.db and nothing else")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the directory of the record: %w", err)
	}
	lock, err := lockFile(ctx, path+".lock")
	if err != nil {
		return err
	}
	s.lock = lock
	// The file holds hashes of tokens: it is ours alone. SQLite gives its log the permissions of the file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the record: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("open the record: %w", err)
	}

	file := (&url.URL{Scheme: "file", Path: path}).String() // escapes what SQLite would read as parameters
	pragmas := "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)"
	write, err := sql.Open("sqlite", file+pragmas+"&_txlock=immediate")
	if err != nil {
		return fmt.Errorf("open the record: %w", err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", file+pragmas+"&_pragma=query_only(1)")
	if err != nil {
		return errors.Join(fmt.Errorf("open the record: %w", err), write.Close())
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	s.use(SQLite, write, read)
	return nil
}
