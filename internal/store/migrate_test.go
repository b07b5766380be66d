package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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

// rowsOf is every row of a table, each as its columns by name.
type rowsOf map[string][]map[string]string

// dump gives every row of every table.
func dump(t *testing.T, s *store.Store) rowsOf {
	t.Helper()
	out := rowsOf{}
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
			row := map[string]string{}
			for i := range values {
				row[columns[i]] = fmt.Sprintf("%v", *values[i].(*any))
			}
			out[table] = append(out[table], row)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(out[table], func(a, b map[string]string) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return out
}

// within gives what of the rows is in the tables and columns of an older schema.
func (r rowsOf) within(older rowsOf) rowsOf {
	out := rowsOf{}
	for table, rows := range older {
		for _, row := range r[table] {
			cut := map[string]string{}
			for column, value := range row {
				if _, ok := rows[0][column]; ok {
					cut[column] = value
				}
			}
			out[table] = append(out[table], cut)
		}
	}
	return out
}

// fill puts a row into every table, and gives the environment and the revision that it is all about.
func fill(t *testing.T, s *store.Store) (blueberry.Environment, blueberry.Revision) {
	t.Helper()
	e := fullEnvironment("pr-1")
	e.Phase = blueberry.Provisioning // from here on it costs
	set, entry := configSet("shop"), catalogueEntry("shop")
	r := fullRevision(e, 1, set, entry)
	p := plan(e, r)
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		if err := errors.Join(tx.InsertConfigSet(ctx, set), tx.InsertBlueprint(ctx, entry), tx.InsertEnvironment(ctx, e)); err != nil {
			return err
		}
		if err := errors.Join(tx.InsertRevision(ctx, r), tx.InsertPlan(ctx, p)); err != nil {
			return err
		}
		_, err := tx.ReserveIdempotency(ctx, "usr_1", "k", "d", start)
		return errors.Join(err,
			tx.PutLedger(ctx, e.ID, []blueberry.LedgerEntry{{ObjectRef: blueberry.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: e.Namespace}, Revision: 1}}),
			tx.AppendEvent(ctx, event("filled")),
			tx.AppendAudit(ctx, blueberry.AuditEntry{Actor: blueberry.System(), Action: "x", Resource: e.ID, At: start}),
			tx.InsertToken(ctx, blueberry.APIToken{ID: "tok_1", Hash: []byte("h"), CreatedAt: start}),
			tx.InsertConfigVersion(ctx, configVersion(set, 1)),
			tx.InsertBlueprintVersion(ctx, catalogueVersion(entry, 1)),
			tx.PutHolds(ctx, []blueberry.Hold{hold(e, "3")}),
			tx.InsertPolicy(ctx, policy("", "images")),
			tx.PutSigningKey(ctx, "key_1", []byte("public"), start),
			fillAccess(ctx, tx, "usr_1"),
			fillLife(ctx, tx, e),
			fillPulls(ctx, tx),
			fillCI(ctx, tx),
			fillNotify(ctx, tx),
			tx.InsertCertificate(ctx, blueberry.Certificate{Serial: "0a", Name: "prometheus", NotBefore: start, NotAfter: start.Add(time.Hour)}),
			tx.PutPlatformSecret(ctx, blueberry.PlatformSecret{Name: "salt", Value: []byte("sealed"), CreatedAt: start, UpdatedAt: start}),
		)
	})
	if _, err := s.KeepCanary(t.Context(), []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	fillAudit(t, s)
	return e, r
}

func TestMigrationsKeepWhatIsThere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e, r := fill(t, s)
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
			before := dump(t, s)
			if d := cmp.Diff(full.within(before), before); d != "" {
				t.Errorf("down to %d:\n%s", to, d)
			}
			if _, err := m.Up(t.Context()); err != nil {
				t.Fatalf("up from %d: %v", to, err)
			}
			if d := cmp.Diff(before, dump(t, s).within(before)); d != "" {
				t.Errorf("up from %d:\n%s", to, d)
			}
			readsOld(t, s, e, r, to)
			fillsAnew(t, s, to)
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

// readsOld reads what came up from a version of the schema: what that one did not know is as if it had never been set.
func readsOld(t *testing.T, s *store.Store, e blueberry.Environment, r blueberry.Revision, version int64) {
	t.Helper()
	if version < 3 {
		r.Catalogue, r.Config, r.Parameters, r.Overrides, r.Settings = blueberry.BlueprintRef{}, nil, nil, nil, nil
		r.Head, r.Branch, r.Sources, r.Commits, r.Images = "", "", nil, nil, nil
		r.Demand, r.Plan, r.RestoredFrom = blueberry.Demand{}, "", 0
		e.Demand, e.Drift, e.DriftSince = blueberry.Demand{}, blueberry.DriftPolicy{}, time.Time{}
	}
	if version < 9 {
		e.Lease.Warned, e.Lease.PinnedBy, e.Sleep, e.Cause, e.HeldBy = 0, "", blueberry.Sleep{}, "", ""
	}
	if version < 15 {
		e.Restricted = false
	}
	if version < 21 {
		e.Requests = blueberry.Requests{}
	}
	if version < 23 {
		e.Labels = nil
	}
	if got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
		return tx.EnvironmentByHost(ctx, e.Hosts[0])
	}); got.ID != e.ID {
		t.Errorf("the host, up from %d, is that of %q", version, got.ID)
	}
	if d := cmp.Diff(r.Settings, view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Setting, error) {
		return tx.RevisionSettings(ctx, e.ID, 1)
	})); d != "" {
		t.Errorf("the settings, up from %d:\n%s", version, d)
	}
	r.Settings = nil
	if d := cmp.Diff(r, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Revision, error) { return tx.Revision(ctx, e.ID, 1) })); d != "" {
		t.Errorf("the revision, up from %d:\n%s", version, d)
	}
	if d := cmp.Diff(e, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
		return tx.Environment(ctx, e.ID)
	})); d != "" {
		t.Errorf("the environment, up from %d:\n%s", version, d)
	}
	usage := map[blueberry.EnvironmentKind]blueberry.Usage{blueberry.Preview: {Environments: 1, Demand: e.Demand}}
	if d := cmp.Diff(usage, view(t, s, func(ctx context.Context, tx *store.Tx) (map[blueberry.EnvironmentKind]blueberry.Usage, error) {
		return tx.ProjectUsage(ctx, e.Project)
	})); d != "" {
		t.Errorf("the usage, up from %d:\n%s", version, d)
	}
}

// fillsAnew puts rows into the tables that came with migration 6 over what an older version has left, and takes them away again.
func fillsAnew(t *testing.T, s *store.Store, version int64) {
	t.Helper()
	undo := errors.New("undo")
	err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
		if k, err := tx.TokenByHash(ctx, []byte("h")); err != nil || k.ID != "tok_1" || k.UserID != "" || version < 6 && k.Version != 1 {
			t.Errorf("the API token, up from %d: %+v, %v", version, k, err)
		}
		return errors.Join(fillAccess(ctx, tx, "usr_2"), undo)
	})
	if !errors.Is(err, undo) || len(err.(interface{ Unwrap() []error }).Unwrap()) != 1 { //nolint:errorlint // what errors.Join gave, and nothing but undo
		t.Errorf("fill, up from %d: %v", version, err)
	}
}

// oldEnvironments and oldRevisions are the columns that the version before configuration writes.
const (
	oldEnvironments = `id, project, name, namespace, target, owner, source_repository, source_ref, source_commit, source_path, request_key, phase, phase_since,
		reason, message, conditions, expires_at, revision, synced, git_commit, hosts, deadline_at, created_at, updated_at, terminated_at, version, search`
	oldRevisions = `environment_id, number, id, author, reason, source_repository, source_ref, source_commit, source_path, blueprint, digest, git_commit, created_at`
)

// While an installation is upgraded, the version before writes beside this one.
func TestTheVersionBeforeMayWrite(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e, _ := fill(t, s)
		exec := func(query string) {
			t.Helper()
			if _, err := s.DB().ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
		old := func(columns, id, name string) string { // the same row under another id and name
			return strings.NewReplacer("environment_id,", "'"+id+"',", " id,", " '"+id+"',", "id, project", "'"+id+"', project", "name, namespace", "'"+name+"', '"+name+"'").Replace(columns)
		}
		exec("INSERT INTO environments (" + oldEnvironments + ") SELECT " + old(oldEnvironments, "env_old", "old") + " FROM environments")
		exec("INSERT INTO revisions (" + oldRevisions + ") SELECT " + old(oldRevisions, "env_old", "") + " FROM revisions")
		exec("INSERT INTO projects (name, cluster_kinds, created_at) VALUES ('old', 'null', 1)")
		exec("INSERT INTO api_tokens (id, name, hash, grants, created_at, expires_at, last_used_at) VALUES ('tok_old', 'admin', 'old', '[\"*:*\"]', 1, 0, 0)")
		exec("INSERT INTO ledger (environment_id, api_version, kind, namespace, name, component, wave, revision, gone_at) VALUES ('env_old', 'v1', 'Namespace', '', 'old', '', 0, 1, 0)")
		exec("UPDATE environments SET phase = 'terminated' WHERE id = '" + e.ID + "'") // without ending its uses, and without taking its hosts away

		got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Revision, error) {
			return tx.Revision(ctx, "env_old", 1)
		})
		if got.Blueprint.Name == "" || len(got.Config) != 0 || got.Demand != (blueberry.Demand{}) {
			t.Errorf("its revision is %+v", got)
		}
		want := map[blueberry.EnvironmentKind]blueberry.Usage{blueberry.Ephemeral: {Environments: 1}}
		if d := cmp.Diff(want, view(t, s, func(ctx context.Context, tx *store.Tx) (map[blueberry.EnvironmentKind]blueberry.Usage, error) {
			return tx.ProjectUsage(ctx, e.Project)
		})); d != "" {
			t.Errorf("its environment counts as:\n%s", d)
		}
		environment := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
			return tx.Environment(ctx, "env_old")
		})
		if environment.Lease != (blueberry.Lease{ExpiresAt: e.Lease.ExpiresAt}) || !cmp.Equal(environment.Sleep, blueberry.Sleep{}) || environment.Cause != "" || environment.HeldBy != "" {
			t.Errorf("its environment is %+v", environment)
		}
		if l := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.LedgerEntry, error) {
			return tx.LedgerOf(ctx, "env_old")
		}); !l[0].MadeAt.IsZero() {
			t.Errorf("its ledger is %+v", l)
		}
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
			return tx.EnvironmentByHost(ctx, e.Hosts[0])
		})
		wantCode(t, "a host that it terminated, and one that it did not note", err, blueberry.NotFound, "HOST_UNKNOWN")
		environment.Message = "written anew"
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, environment) })
		if got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
			return tx.EnvironmentByHost(ctx, e.Hosts[0])
		}); got.ID != "env_old" {
			t.Errorf("the host is that of %q", got.ID)
		}
		if p := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Project, error) { return tx.Project(ctx, "old") }); p.Version != 1 || p.Quota.Environments != nil || p.MaxPinHours != 0 || len(p.Sleep.Windows) != 0 {
			t.Errorf("its project is %+v", p)
		}
		key := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.APIToken, error) { return tx.Token(ctx, "tok_old") })
		if key.Version != 1 || key.UserID != "" || key.Projects != nil || !slices.Equal(key.Grants, []blueberry.Grant{blueberry.GrantAll}) {
			t.Errorf("its API token is %+v", key)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			set, err := tx.FindConfigSet(ctx, e.Project, "shop")
			if err != nil {
				return err
			}
			return tx.DeleteConfigSet(ctx, set) // what it terminated uses nothing
		})
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
