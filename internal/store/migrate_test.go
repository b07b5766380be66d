package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// tables lists our tables, without goose's.
func tables(t *testing.T, s *store.Store) (names []string) {
	t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' ORDER BY name`
	if s.Dialect() == store.Postgres {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%' ORDER BY tablename`
	}
	rows, err := s.ReadDB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

// dump gives every row of every table.
func dump(t *testing.T, s *store.Store) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, table := range tables(t, s) {
		rows, err := s.ReadDB().QueryContext(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			line := ""
			for i := range values {
				line += fmt.Sprintf("%s=%v ", columns[i], *values[i].(*any))
			}
			out[table] = append(out[table], line)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(out[table])
	}
	return out
}

// fill puts a row into every table.
func fill(t *testing.T, s *store.Store) {
	t.Helper()
	e := fullEnvironment("pr-1")
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.InsertEnvironment(ctx, e); err != nil {
			return err
		}
		if err := tx.InsertRevision(ctx, revision(e, 1)); err != nil {
			return err
		}
		_, err := tx.ReserveIdempotency(ctx, "usr_1", "k", "d", start)
		return errors.Join(err,
			tx.PutLedger(ctx, e.ID, []blueberry.LedgerEntry{{ObjectRef: blueberry.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: e.Namespace}, Revision: 1}}),
			tx.AppendEvent(ctx, event("filled")),
			tx.AppendAudit(ctx, blueberry.AuditEntry{Actor: blueberry.System(), Action: "x", Resource: e.ID, At: start}),
			tx.InsertToken(ctx, blueberry.APIToken{ID: "tok_1", Hash: []byte("h"), CreatedAt: start}),
		)
	})
}

func TestMigrationsKeepWhatIsThere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fill(t, s)
		full := dump(t, s)
		for _, table := range tables(t, s) {
			if len(full[table]) == 0 {
				t.Errorf("nothing fills the table %s: fill has to", table)
			}
		}
		m, err := s.Migrator()
		if err != nil {
			t.Fatal(err)
		}
		newest, err := m.GetDBVersion(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for to := newest - 1; to >= 1; to-- {
			if _, err := m.DownTo(t.Context(), to); err != nil {
				t.Fatalf("down to %d: %v", to, err)
			}
			if _, err := m.Up(t.Context()); err != nil {
				t.Fatalf("up from %d: %v", to, err)
			}
			if d := cmp.Diff(full, dump(t, s)); d != "" {
				t.Errorf("down to %d and up again:\n%s", to, d)
			}
		}
		if _, err := m.DownTo(t.Context(), 0); err != nil {
			t.Fatalf("down to nothing: %v", err)
		}
		if left := tables(t, s); len(left) != 0 {
			t.Errorf("down to nothing leaves %v", left)
		}
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatalf("up from nothing: %v", err)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.PutProject(ctx, blueberry.Project{Name: blueberry.DefaultProject, CreatedAt: start})
		})
		fill(t, s)
	})
}

// Names are sorted by bytes on both databases, whatever language PostgreSQL's was made with.
func TestNamesSortByBytes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := []string{"pr", "pr-1", "pr-10", "pr-2", "pr1", "pr10", "prx"}
		for _, name := range []string{"prx", "pr1", "pr-10", "pr", "pr10", "pr-2", "pr-1"} {
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertEnvironment(ctx, environment(name, start))
			})
		}
		page, err := list(t, s, blueberry.EnvironmentQuery{Sort: blueberry.SortByName})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Items {
			got = append(got, e.Name)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

// A connection that dies in the middle takes the transaction with it, and the next one finds another connection.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	s := storetest.Postgres(t)
	err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.InsertEnvironment(ctx, environment("pr-1", start)); err != nil {
			return err
		}
		_, err := s.DB().ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`)
		return err
	})
	if err == nil {
		t.Fatal("the commit came through")
	}
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		return tx.InsertEnvironment(ctx, environment("pr-1", start))
	})
}
