package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

var start = time.Date(2026, 3, 1, 10, 0, 0, 123456000, time.UTC)

func update(t testing.TB, s *store.Store, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := tryUpdate(t, s, f); err != nil {
		t.Fatal(err)
	}
}

func tryUpdate(t testing.TB, s *store.Store, f func(ctx context.Context, tx *store.Tx) error) error {
	t.Helper()
	return s.Update(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) })
}

func view[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx *store.Tx) (T, error)) T {
	t.Helper()
	out, err := tryView(t, s, f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryView[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx *store.Tx) (T, error)) (out T, err error) {
	t.Helper()
	err = s.View(t.Context(), func(tx *store.Tx) error {
		var err error
		out, err = f(t.Context(), tx)
		return err
	})
	return out, err
}

func environment(name string, now time.Time) blueberry.Environment {
	e, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: blueberry.DefaultProject, Name: name, Target: "local", Owner: "ada", Hours: 24}, now)
	if err != nil {
		panic(err)
	}
	return e
}

func fullEnvironment(name string) blueberry.Environment {
	e := environment(name, start)
	e.Source = blueberry.Source{Repository: "https://git.example/shop.git", Ref: "main", Commit: "0123456789012345678901234567890123456789", Path: "blueberry.yaml"}
	e.Synced, e.Commit, e.Hosts = 1, "abc", []string{"web-pr-1.example.test"}
	e.DeadlineAt, e.TerminatedAt = start.Add(time.Hour), start.Add(2*time.Hour)
	e.Message = `it's "quoted" \ back ? and ö 🫐`
	e.Demand = blueberry.Demand{CPU: 1500, Memory: 3 << 30, Pods: 4, Storage: 10 << 30}
	e.Drift = blueberry.DriftPolicy{Mode: blueberry.DriftReport, Ignore: []blueberry.DriftIgnore{{Kind: "Deployment", Name: "*", Path: "spec.replicas"}}}
	e.DriftSince = start.Add(time.Minute)
	e.Lease.PinnedBy, e.Lease.Warned = "ada", 2*time.Hour
	e.Conditions[1].Code = "GIT_REFUSED"
	e.Sleep = blueberry.Sleep{
		Asleep: true, Why: blueberry.ByIdleness, By: "system", Since: start, Policy: sleepPolicy(),
		Replicas: map[string]int{"Deployment.apps default-pr-1/web": 3}, ActiveAt: start.Add(-time.Hour),
		Step: blueberry.TurnApplied, Own: true, Seen: start.Add(-time.Minute),
	}
	e.Labels = blueberry.Labels{"team": "checkout", "example.com/tier": "", "a": "b.c-d_E"}
	e.Cause, e.HeldBy, e.Restricted = blueberry.CauseCrash, "kube", true
	e.Requests = blueberry.Requests{
		Revision: 1, NotCounted: []string{"web: ö\x00"}, Parts: []blueberry.ComponentRequests{{Component: "web", Pods: 2, CPU: 250, Memory: 1 << 30, Storage: 10 << 30}},
	}
	return e
}

func sleepPolicy() blueberry.SleepPolicy {
	return blueberry.SleepPolicy{
		Idle: 30 * time.Minute, Windows: []blueberry.SleepWindow{{Days: []time.Weekday{time.Sunday, time.Friday}, From: 19 * 60, To: 0}}, TimeZone: "Europe/Zurich",
	}
}

func revision(e blueberry.Environment, number int) blueberry.Revision {
	files := []blueberry.RenderedFile{
		{Name: "00-environment.yaml", Wave: -1, Component: "environment", Content: []byte("kind: Namespace\n"), Objects: []blueberry.ObjectRef{{APIVersion: "v1", Kind: "Namespace", Name: e.Namespace}}},
		{Name: "01-web.yaml", Wave: 1, Component: "web", Content: fmt.Appendf(nil, "kind: Deployment # %s %d \xff\x00\n", e.ID, number)},
	}
	return blueberry.Revision{
		ID: blueberry.NewID(blueberry.RevisionID, start), EnvironmentID: e.ID, Number: number, Author: "ada", Reason: "requested",
		Inputs: blueberry.Inputs{Source: e.Source, Blueprint: blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "shop/web:1", Port: 80, Wave: 1, Values: map[string]any{
			"replicas": 2, "ratio": 0.5, "big": 9007199254740993, "on": true, "none": nil, "list": []any{1, "x", map[string]any{"deep": 3}},
		}}}}},
		Rendering: blueberry.Rendering{Digest: blueberry.DigestOf(files), Files: files},
		CreatedAt: start,
	}
}

func TestEnvironmentComesBackAsItWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		forever := environment("forever", start)
		forever.Lease = blueberry.Lease{}
		for _, want := range []blueberry.Environment{environment("plain", start), fullEnvironment("full"), forever} {
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, want) })
			got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
				return tx.Environment(ctx, want.ID)
			})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("inserted %s:\n%s", want.Name, d)
			}
			want.Message, want.Phase, want.Hosts = "moved", blueberry.Provisioning, nil
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, want) })
			want.Version++
			got = view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
				return tx.Environment(ctx, want.ID)
			})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("updated %s:\n%s", want.Name, d)
			}
		}
	})
}

func TestRevisionComesBackAsItWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := fullEnvironment("pr-1")
		first, second := revision(e, 1), revision(e, 2)
		second.Rendering = first.Rendering // the same manifests once more
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertEnvironment(ctx, e), tx.InsertRevision(ctx, first), tx.InsertRevision(ctx, second), tx.SetRevisionCommit(ctx, e.ID, 2, "abc"))
		})
		second.Commit = "abc"
		for _, want := range []blueberry.Revision{first, second} {
			got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Revision, error) {
				return tx.Revision(ctx, e.ID, want.Number)
			})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("revision %d:\n%s", want.Number, d)
			}
		}
		if n := count(t, s, "renderings"); n != 1 {
			t.Errorf("the same manifests are kept %d times", n)
		}
		taken := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertRevision(ctx, revision(e, 2)) })
		wantError(t, "a number that is taken", taken, blueberry.Conflict)
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Revision, error) { return tx.Revision(ctx, e.ID, 3) })
		wantError(t, "a revision that is not there", err, blueberry.NotFound)
		err = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SetRevisionCommit(ctx, e.ID, 3, "abc") })
		wantError(t, "the commit of a revision that is not there", err, blueberry.NotFound)
		err = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertRevision(ctx, revision(environment("nowhere", start), 1))
		})
		wantError(t, "a revision of an environment that is not there", err, blueberry.NotFound)

		forged := revision(e, 3)
		forged.Rendering.Digest = first.Rendering.Digest
		if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertRevision(ctx, forged) }); err == nil {
			t.Error("a digest that does not fit the files was taken")
		}
	})
}

func TestNamesAndNamespacesAreHeldByTheLiving(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		first := environment("pr-1", start)
		insert := func(e blueberry.Environment) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) })
		}
		if err := insert(first); err != nil {
			t.Fatal(err)
		}
		other := environment("other", start)
		other.Namespace = first.Namespace
		lost := environment("lost", start)
		lost.Project = "nobody"
		again := environment("again", start)
		again.ID = first.ID
		for name, test := range map[string]struct {
			e     blueberry.Environment
			kind  blueberry.Kind
			code  string
			field string
		}{
			"name":      {environment("pr-1", start), blueberry.Conflict, "ENVIRONMENT_NAME_TAKEN", "name"},
			"namespace": {other, blueberry.Conflict, "NAMESPACE_TAKEN", "name"},
			"project":   {lost, blueberry.NotFound, "PROJECT_NOT_FOUND", ""},
			"id":        {again, blueberry.Conflict, "ENVIRONMENT_EXISTS", ""},
		} {
			err := insert(test.e)
			wantError(t, name, err, test.kind)
			var e *blueberry.Error
			if errors.As(err, &e) && (e.Code != test.code || test.field != "" && (len(e.Fields) != 1 || e.Fields[0].Field != test.field)) {
				t.Errorf("%s: got %+v", name, e)
			}
		}
		find := func() (string, error) {
			return tryView(t, s, func(ctx context.Context, tx *store.Tx) (string, error) {
				return tx.FindEnvironment(ctx, "local", first.Namespace)
			})
		}
		if id, err := find(); err != nil || id != first.ID {
			t.Errorf("found %s, %v", id, err)
		}
		first.Phase = blueberry.Terminated
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateEnvironment(ctx, first) })
		_, err := find()
		wantError(t, "the namespace of a terminated environment", err, blueberry.NotFound)
		if err := insert(environment("pr-1", start)); err != nil {
			t.Errorf("the name of a terminated environment is not free: %v", err)
		}
	})
}

// Of many who create the same environment at once, one does.
func TestOneOfManyGetsTheName(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				switch err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
					return tx.InsertEnvironment(ctx, environment("pr-1", start))
				}); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, blueberry.Conflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d got it", won.Load())
		}
	})
}

func TestVersionGuardsAgainstLostUpdates(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) })
		var wg sync.WaitGroup
		const writers, each = 5, 10
		for range writers {
			wg.Go(func() {
				for done := 0; done < each; {
					err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
						e, err := tx.Environment(ctx, e.ID)
						if err != nil {
							return err
						}
						e.Synced++
						return tx.UpdateEnvironment(ctx, e)
					})
					var moved *blueberry.Error
					switch {
					case err == nil:
						done++
					case errors.As(err, &moved) && moved.Code == "VERSION_MOVED":
					default:
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
			return tx.Environment(ctx, e.ID)
		})
		if got.Synced != writers*each || got.Version != writers*each {
			t.Errorf("%d of %d updates are there, version %d", got.Synced, writers*each, got.Version)
		}
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.UpdateEnvironment(ctx, environment("none", start))
		})
		wantError(t, "an environment that is not there", err, blueberry.NotFound)
	})
}

func TestDueAndLiveEnvironments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var ids []string
		for i := range 6 {
			e := environment(fmt.Sprintf("pr-%d", i), start.Add(time.Duration(i)*time.Millisecond))
			if i > 0 {
				e.DeadlineAt = start.Add(time.Duration(10-i) * time.Minute) // the later made, the earlier due
			}
			if i == 5 {
				e.Phase = blueberry.Terminated
				e.DeadlineAt = time.Time{}
			}
			ids = append(ids, e.ID)
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) })
		}
		now := start.Add(8 * time.Minute)
		for _, want := range [][]string{{ids[3], ids[4]}, {ids[2]}, nil} { // the earliest come first, and none comes twice
			var due []string
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				due, err = tx.ClaimDueEnvironments(ctx, now, now.Add(time.Minute), 2)
				return err
			})
			slices.Sort(due)
			if d := cmp.Diff(want, due, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("due:\n%s", d)
			}
		}
		live := view(t, s, func(ctx context.Context, tx *store.Tx) ([]string, error) {
			return tx.LiveEnvironments(ctx, "local", ids[1], 2)
		})
		if d := cmp.Diff([]string{ids[2], ids[3]}, live); d != "" {
			t.Errorf("live:\n%s", d)
		}
		phases := view(t, s, func(ctx context.Context, tx *store.Tx) (map[blueberry.Phase]int, error) {
			return tx.CountEnvironmentsByPhase(ctx)
		})
		if d := cmp.Diff(map[blueberry.Phase]int{blueberry.Pending: 5, blueberry.Terminated: 1}, phases); d != "" {
			t.Errorf("phases:\n%s", d)
		}
	})
}

func TestLedgerReplacesByObject(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := environment("pr-1", start)
		entry := func(kind, name string, wave, revision int) blueberry.LedgerEntry {
			return blueberry.LedgerEntry{ObjectRef: blueberry.ObjectRef{APIVersion: "v1", Kind: kind, Namespace: "n", Name: name}, Component: "web", Wave: wave, Revision: revision}
		}
		put := func(entries ...blueberry.LedgerEntry) {
			t.Helper()
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutLedger(ctx, e.ID, entries) })
		}
		read := func() []blueberry.LedgerEntry {
			return view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.LedgerEntry, error) {
				return tx.LedgerOf(ctx, e.ID)
			})
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertEnvironment(ctx, e) })
		put()
		put(entry("Service", "a", 1, 1), entry("Namespace", "n", -1, 1), entry("Service", "a", 2, 2))
		gone := entry("Namespace", "n", -1, 1)
		gone.GoneAt = start
		put(gone)
		if d := cmp.Diff([]blueberry.LedgerEntry{gone, entry("Service", "a", 2, 2)}, read()); d != "" {
			t.Error(d)
		}
		var many []blueberry.LedgerEntry
		for i := range 1203 { // more than two statements
			many = append(many, entry("ConfigMap", fmt.Sprintf("c%d", i), 5, 3))
		}
		put(many...)
		if got := read(); len(got) != 1205 {
			t.Errorf("%d entries", len(got))
		}
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutLedger(ctx, "env_none", many) })
		wantError(t, "the ledger of nobody", err, blueberry.NotFound)
	})
}

func TestProjectsAndAudit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		project := func(name string) (blueberry.Project, error) {
			return tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Project, error) { return tx.Project(ctx, name) })
		}
		if p, err := project(blueberry.DefaultProject); err != nil || p.ClusterKinds != nil || p.CreatedAt.IsZero() {
			t.Errorf("default project is %+v, %v", p, err)
		}
		_, err := project("none")
		wantError(t, "a project that is not there", err, blueberry.NotFound)
		want := blueberry.Project{Name: "shop", ClusterKinds: []string{"CustomResourceDefinition"}, CreatedAt: start, Version: 1}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutProject(ctx, want) })
		if got, err := project("shop"); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v\n%s", err, cmp.Diff(want, got))
		}

		entry := blueberry.AuditEntry{Actor: blueberry.System(), Action: "environments:create", Resource: "env_1", Detail: "pr-1", At: start}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AppendAudit(ctx, entry) })
		got := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.AuditEntry, error) {
			return tx.Audit(ctx, blueberry.AuditQuery{Resource: "env_1"})
		})
		if len(got) != 1 || !blueberry.HasIDPrefix(got[0].ID, blueberry.AuditID) {
			t.Fatalf("got %+v", got)
		}
		got[0].ID, entry.Result = "", blueberry.AuditSucceeded
		if d := cmp.Diff(entry, got[0]); d != "" {
			t.Error(d)
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := blueberry.APIToken{ID: "tok_1", Name: "admin", Hash: []byte{0, 1, 0xff, '\''}, Grants: []blueberry.Grant{blueberry.GrantAll}, CreatedAt: start, ExpiresAt: start.Add(time.Hour)}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertToken(ctx, want) })
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.TouchToken(ctx, want.ID, start.Add(time.Minute)), tx.TouchToken(ctx, want.ID, start))
		})
		want.LastUsedAt = start.Add(time.Minute)
		got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.APIToken, error) {
			return tx.TokenByHash(ctx, want.Hash)
		})
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.APIToken, error) {
			return tx.TokenByHash(ctx, []byte("other"))
		})
		wantError(t, "another secret", err, blueberry.NotFound)
		want.ID = "tok_2"
		wantError(t, "the same secret", tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertToken(ctx, want) }), blueberry.Conflict)
		if n := view(t, s, func(ctx context.Context, tx *store.Tx) (int, error) { return tx.CountTokens(ctx) }); n != 1 {
			t.Errorf("%d tokens", n)
		}
	})
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		reserve := func(actor, key, digest string, now time.Time) *blueberry.IdempotentAnswer {
			t.Helper()
			var a *blueberry.IdempotentAnswer
			update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				a, err = tx.ReserveIdempotency(ctx, actor, key, digest, now)
				return err
			})
			return a
		}
		if a := reserve("usr_1", "k", "d1", start); a != nil {
			t.Fatalf("a fresh key is taken: %+v", a)
		}
		if a := reserve("usr_1", "k", "d2", start.Add(time.Second)); a == nil || a.Status != 0 || a.RequestDigest != "d1" {
			t.Fatalf("a request that runs is not seen: %+v", a)
		}
		if a := reserve("usr_2", "k", "d1", start); a != nil {
			t.Errorf("the keys of two actors meet: %+v", a)
		}
		want := blueberry.IdempotentAnswer{Key: "k", Actor: "usr_1", RequestDigest: "d1", Status: 202, Header: map[string]string{"Location": "/v1/x"}, Body: []byte("{\x00}"), CreatedAt: start}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.FinishIdempotency(ctx, want) })
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.ReleaseIdempotency(ctx, "usr_1", "k") }) // an answer stays
		if d := cmp.Diff(&want, reserve("usr_1", "k", "d1", start.Add(23*time.Hour))); d != "" {
			t.Errorf("the answer:\n%s", d)
		}
		if a := reserve("usr_1", "k", "d3", start.Add(24*time.Hour)); a != nil {
			t.Errorf("a key of yesterday is taken: %+v", a)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.ReleaseIdempotency(ctx, "usr_1", "k") })
		if a := reserve("usr_1", "k", "d4", start); a != nil {
			t.Errorf("a released key is taken: %+v", a)
		}
		if a := reserve("usr_1", "k", "d5", start.Add(blueberry.IdempotencyPatience)); a != nil {
			t.Errorf("the key of a dead process is taken: %+v", a)
		}
		var n int
		update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			n, err = tx.SweepIdempotency(ctx, start.Add(time.Second))
			return err
		})
		if n != 1 || count(t, s, "idempotency_keys") != 1 { // usr_2's went
			t.Errorf("%d keys were swept", n)
		}
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if reserve("usr_1", "race", "d", start) == nil {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d requests got the key", won.Load())
		}
	})
}

func count(t testing.TB, s *store.Store, table string) (n int) {
	t.Helper()
	if err := s.ReadDB().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func wantError(t testing.TB, what string, err error, kind blueberry.Kind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: got %v, want %v", what, err, kind)
	}
}

// Texts come from clusters, repositories and people. One that a database refuses would stop the work that wants to tell it.
func TestTextsThatNoDatabaseTakes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const bad = "a\x00b\xff'\\"
		e := environment("pr-1", start)
		e.Owner, e.Reason, e.Message, e.Source.Repository, e.Source.Ref = bad, bad, bad, bad, bad
		e.Conditions[0].Message = bad
		r := revision(e, 1)
		r.Author, r.Reason, r.Source.Path, r.Blueprint.Components[0].Health, r.Plan = bad, bad, bad, bad, bad
		r.Overrides, r.Settings = map[string]any{bad: bad}, []blueberry.Setting{{Path: bad, Value: bad, Origin: blueberry.Origin{Author: bad}}}
		e.Drift.Ignore = []blueberry.DriftIgnore{{Kind: bad, Name: bad, Path: bad}}
		set, entry, rules, held, p := configSet("shop"), catalogueEntry("shop"), policy("", "rules"), hold(e, bad), plan(e, r)
		version := configVersion(set, 1)
		version.Author, version.Message, version.Source.Ref, version.Public, version.Values = bad, bad, bad, []string{bad}, map[string]any{bad: bad}
		entry.Description, rules.Text, rules.Author, held.By, held.Reason, p.Reason, p.EnvironmentID = bad, bad, bad, bad, bad, bad, bad
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			if err := errors.Join(tx.InsertEnvironment(ctx, e), tx.InsertRevision(ctx, r)); err != nil {
				return err
			}
			return errors.Join(
				tx.InsertConfigSet(ctx, set), tx.InsertConfigVersion(ctx, version), tx.InsertBlueprint(ctx, entry), tx.InsertPolicy(ctx, rules),
				tx.PutHolds(ctx, []blueberry.Hold{held}), tx.InsertPlan(ctx, p),
				tx.AppendEvent(ctx, blueberry.Event{EnvironmentID: e.ID, Actor: bad, Message: bad, At: start}),
				tx.AppendAudit(ctx, blueberry.AuditEntry{Actor: blueberry.Actor{ID: bad, Name: bad}, Resource: bad, Detail: bad, At: start}),
			)
		})
		got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
			return tx.Environment(ctx, e.ID)
		})
		if want := "a\uFFFDb\uFFFD'\\"; got.Message != want || got.Owner != want {
			t.Errorf("got %q by %q", got.Message, got.Owner)
		}
		for name, read := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"environment": func(ctx context.Context, tx *store.Tx) error { _, err := tx.Environment(ctx, bad); return err },
			"revision":    func(ctx context.Context, tx *store.Tx) error { _, err := tx.Revision(ctx, bad, 1); return err },
			"project":     func(ctx context.Context, tx *store.Tx) error { _, err := tx.Project(ctx, bad); return err },
			"namespace":   func(ctx context.Context, tx *store.Tx) error { _, err := tx.FindEnvironment(ctx, bad, bad); return err },
		} {
			_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (int, error) { return 0, read(ctx, tx) })
			wantError(t, name, err, blueberry.NotFound)
		}
	})
}

// TestRestrictedIsWrittenOnce: what an environment is not given, it is never given later.
func TestRestrictedIsWrittenOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, restricted := range []bool{true, false} {
			e := environment(fmt.Sprintf("pr-%t", restricted), start)
			e.Restricted, e.Version = restricted, 1
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				if err := tx.InsertEnvironment(ctx, e); err != nil {
					return err
				}
				e.Restricted, e.Message = !restricted, "changed"
				return tx.UpdateEnvironment(ctx, e)
			})
			got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.Environment, error) {
				return tx.Environment(ctx, e.ID)
			})
			if got.Restricted != restricted || got.Message != "changed" {
				t.Errorf("it was made with %t and has %t: %s", restricted, got.Restricted, got.Message)
			}
		}
	})
}
