package store_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestArchivesComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		want := archive(e)
		want.Receipt.Leftovers = nil
		bare := blueberry.Archive{EnvironmentID: e.ID, Receipt: nil, ArchivedAt: start}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutArchive(ctx, bare), tx.PutArchive(ctx, want))
		})
		read := func(id string) (blueberry.Archive, error) {
			return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Archive, error) { return tx.Archive(ctx, id) })
		}
		got, err := read(e.ID)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v:\n%s", err, d)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.DeleteArchive(ctx, e.ID), tx.DeleteArchive(ctx, e.ID))
		})
		_, err = read(e.ID)
		wantCode(t, "deleted", err, blueberry.NotFound, "ARCHIVE_NOT_FOUND")
	})
}

func TestReceiptsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		want := receipt(e)
		want.Leftovers = nil
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEnvironment(ctx, e), tx.PutReceipt(ctx, receipt(e)), tx.PutReceipt(ctx, want))
		})
		read := func(id string) (blueberry.Receipt, error) {
			return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Receipt, error) { return tx.Receipt(ctx, id) })
		}
		got, err := read(e.ID)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v:\n%s", err, d)
		}
		_, err = read("env_none\x00")
		wantCode(t, "of none", err, blueberry.NotFound, "RECEIPT_NOT_FOUND")
		err = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.PutReceipt(ctx, blueberry.Receipt{EnvironmentID: "env_none"})
		})
		wantCode(t, "for none", err, blueberry.NotFound, "ENVIRONMENT_NOT_FOUND")
	})
}

func TestArchivesAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i, a := range []blueberry.Archive{
			{Project: "default", Environment: "pr-1", State: blueberry.ArchivedEnded, ArchivedAt: start.Add(time.Hour), LogsUntil: start, PurgeAt: start.Add(3 * time.Hour)},
			{Project: "default", Environment: "pr-1", State: blueberry.ArchivedEnded, ArchivedAt: start, LogsUntil: start.Add(time.Hour), PurgeAt: start.Add(2 * time.Hour)},
			{Project: "shop", Environment: "pr-1", State: blueberry.ArchivedFailed, ArchivedAt: start, PurgeAt: start.Add(time.Hour)},
			{Project: "other", Environment: "pr-2", State: blueberry.ArchivedEnded, ArchivedAt: start.Add(time.Minute)},
		} {
			a.EnvironmentID = "env_" + strconv.Itoa(i)
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutArchive(ctx, a) })
		}
		ids := func(f func(ctx context.Context, tx *store.Tx) ([]blueberry.Archive, error)) (out []string) {
			t.Helper()
			for _, a := range view(t, s, f) {
				out = append(out, a.EnvironmentID)
			}
			return out
		}
		for reason, c := range map[string]struct {
			q    blueberry.ArchiveQuery
			want []string
		}{
			"all":               {blueberry.ArchiveQuery{}, []string{"env_0", "env_3", "env_2", "env_1"}},
			"a page":            {blueberry.ArchiveQuery{Limit: 3}, []string{"env_0", "env_3", "env_2"}},
			"the next":          {blueberry.ArchiveQuery{Limit: 3, Before: "env_2"}, []string{"env_1"}},
			"behind the last":   {blueberry.ArchiveQuery{Before: "env_1"}, nil},
			"of a project":      {blueberry.ArchiveQuery{Project: "default"}, []string{"env_0", "env_1"}},
			"within some":       {blueberry.ArchiveQuery{In: []string{"shop", "other"}}, []string{"env_3", "env_2"}},
			"within none":       {blueberry.ArchiveQuery{In: []string{}}, nil},
			"of a name":         {blueberry.ArchiveQuery{Environment: "pr-1", Project: "shop"}, []string{"env_2"}},
			"of those that end": {blueberry.ArchiveQuery{State: blueberry.ArchivedFailed}, []string{"env_2"}},
		} {
			if d := cmp.Diff(c.want, ids(func(ctx context.Context, tx *store.Tx) ([]blueberry.Archive, error) { return tx.Archives(ctx, c.q) })); d != "" {
				t.Errorf("%s:\n%s", reason, d)
			}
		}
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.Archive, error) {
			return tx.Archives(ctx, blueberry.ArchiveQuery{Before: "env_none"})
		})
		wantError(t, "before what is not there", err, blueberry.Invalid)
		for reason, c := range map[string]struct {
			at   time.Duration
			logs bool
			want []string
		}{
			"logs now":         {0, true, []string{"env_0"}},
			"logs later":       {time.Hour, true, []string{"env_0", "env_1"}},
			"archives now":     {0, false, nil},
			"archives later":   {3 * time.Hour, false, []string{"env_2", "env_1", "env_0"}},
			"just before that": {3*time.Hour - time.Microsecond, false, []string{"env_2", "env_1"}},
		} {
			got := ids(func(ctx context.Context, tx *store.Tx) ([]blueberry.Archive, error) {
				return tx.ArchivesDue(ctx, start.Add(c.at), c.logs, 10)
			})
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s:\n%s", reason, d)
			}
		}
	})
}

// Of an environment that is purged nothing stays but its audit entries and its archive, and nothing of another one goes.
func TestPurge(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e, r := fill(t, s)
		shared := environment("pr-2", start)
		other := r
		other.ID, other.EnvironmentID, other.Plan = "rev_other", shared.ID, ""
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			x, err := tx.Target(ctx, "local")
			if err != nil {
				return err
			}
			x.State = blueberry.TargetActive
			of := event("of another")
			of.EnvironmentID = shared.ID
			mine := event("of it")
			mine.EnvironmentID = e.ID
			return errors.Join(tx.InsertEnvironment(ctx, shared), tx.InsertRevision(ctx, other), tx.AppendEvent(ctx, of), tx.AppendEvent(ctx, mine))
		})
		alone := revision(e, 2)
		alone.Config, alone.Catalogue = nil, blueberry.BlueprintRef{}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertRevision(ctx, alone) })
		purge := func(id string) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PurgeEnvironment(ctx, id) })
		}
		wantCode(t, "a living one", purge(e.ID), blueberry.Conflict, "ENVIRONMENT_ALIVE")
		wantCode(t, "none", purge("env_none"), blueberry.NotFound, "ENVIRONMENT_NOT_FOUND")
		// As the version before this one ends it: with all its uses and hosts.
		if _, err := s.DB().ExecContext(t.Context(), "UPDATE environments SET phase = 'terminated' WHERE id = '"+e.ID+"'"); err != nil {
			t.Fatal(err)
		}
		before := dump(t, s)
		if err := purge(e.ID); err != nil {
			t.Fatal(err)
		}
		after := dump(t, s)
		for table, rows := range after {
			for _, row := range rows {
				if table != "archives" && (row["environment_id"] == e.ID || table == "environments" && row["id"] == e.ID) {
					t.Errorf("left in %s: %v", table, row)
				}
			}
		}
		for table, want := range map[string]int{
			"environments": 1, "revisions": 1, "ledger": 0, "renderings": 1, "receipts": 0, "wake_entries": 0, "activity": 0, "environment_hosts": 0, "holds": 0, "archives": 1,
			"audit": len(before["audit"]), "targets": 1, "orphans": 1, "config_sets": 1, "users": len(before["users"]),
		} {
			if got := len(after[table]); got != want {
				t.Errorf("%s has %d rows, want %d", table, got, want)
			}
		}
		wantCode(t, "a second time", purge(e.ID), blueberry.NotFound, "ENVIRONMENT_NOT_FOUND")
	})
}
