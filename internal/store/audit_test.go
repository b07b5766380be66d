package store_test

import (
	"context"
	"encoding/json"
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

// fillAudit seals what is there, archives the first entry and leaves one unsealed.
func fillAudit(t testing.TB, s *store.Store) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AppendAudit(ctx, fullEntry("env_1", start)); err != nil {
			return err
		}
		sealed, err := sealAll(ctx, tx)
		if err != nil {
			return err
		}
		first := sealed[0]
		return errors.Join(
			tx.PutAuditCheckpoint(ctx, blueberry.AuditCheckpoint{Seq: sealed[len(sealed)-1].Seq, Hash: "h", At: start, KeyID: "key_1", Signature: []byte("s")}),
			tx.ArchiveAudit(ctx, archiveOf([]blueberry.AuditEntry{first})),
			tx.AppendAudit(ctx, fullEntry("env_2", start.Add(time.Hour))),
		)
	})
}

// sealAll chains what is not sealed. The hashes are no hashes: only internal/audit knows how to make them.
func sealAll(ctx context.Context, tx *store.Tx) ([]blueberry.AuditEntry, error) {
	seq, hash, err := tx.LockAuditHead(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := tx.UnsealedAudit(ctx, 1000)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		seq++
		entries[i].Seq, entries[i].Prev, entries[i].Hash = seq, hash, fmt.Sprintf("hash of %d", seq)
		hash = entries[i].Hash
	}
	return entries, tx.SealAudit(ctx, entries)
}

func archiveOf(entries []blueberry.AuditEntry) blueberry.AuditArchive {
	first, last := entries[0], entries[len(entries)-1]
	return blueberry.AuditArchive{
		Name: fmt.Sprintf("audit/2026/%d-%d", first.Seq, last.Seq), First: first.Seq, Last: last.Seq, FirstPrev: first.Prev, LastHash: last.Hash,
		From: first.At, To: last.At, Entries: len(entries), Digest: "d", ArchivedAt: start.Add(time.Hour),
	}
}

func fullEntry(resource string, at time.Time) blueberry.AuditEntry {
	return blueberry.AuditEntry{
		At: at, Action: "environments:update", Resource: resource, Project: blueberry.DefaultProject, Detail: "changed it's 🫐 \\ \"name\"",
		Actor: blueberry.Actor{
			Kind: blueberry.ActorToken, ID: "tok_1", Name: "ada@example.com", UserID: "usr_1", OnBehalfOf: "ada@example.com", Credential: "tok_1", Emergency: "emg_1",
			Grants: []blueberry.Grant{blueberry.GrantAuditRead},
		},
		Before: json.RawMessage(`{"hours":9007199254740993,"<b>":null}`), After: json.RawMessage(`[1,2.50]`), Result: blueberry.AuditFailed,
		Caller: blueberry.Caller{RequestID: "req_1", Address: "192.0.2.1", UserAgent: "blueberry/1", Route: "PATCH /v1/environments/{id}"},
	}
}

func audit(t testing.TB, s *store.Store, q blueberry.AuditQuery) []blueberry.AuditEntry {
	t.Helper()
	return view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.AuditEntry, error) { return tx.Audit(ctx, q) })
}

func TestAnAuditEntryComesBackAsItWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := fullEntry("env_1", start)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AppendAudit(ctx, want) })
		got := audit(t, s, blueberry.AuditQuery{})
		if len(got) != 1 || !blueberry.HasIDPrefix(got[0].ID, blueberry.AuditID) {
			t.Fatalf("got %+v", got)
		}
		want.ID = got[0].ID
		if d := cmp.Diff(want, got[0]); d != "" {
			t.Error(d)
		}
	})
}

func TestTheCallerOfAnEntry(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	call := &blueberry.Call{Caller: blueberry.Caller{RequestID: "req_1", Address: "192.0.2.1", UserAgent: "curl", Route: "POST /v1/environments"}}
	ctx := blueberry.WithCall(t.Context(), call)
	if call.Noted() {
		t.Error("noted before anything was written")
	}
	undo := errors.New("undo")
	if err := s.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.AppendAudit(ctx, blueberry.AuditEntry{Resource: "undone", At: start}), undo)
	}); !errors.Is(err, undo) || call.Noted() {
		t.Errorf("%v; noted %v what was rolled back", err, call.Noted())
	}
	own := blueberry.Caller{RequestID: "req_2"}
	if err := s.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(
			tx.AppendAudit(ctx, blueberry.AuditEntry{Resource: "first", At: start}),
			tx.AppendAudit(ctx, blueberry.AuditEntry{Resource: "second", At: start.Add(time.Second), Caller: own}),
		)
	}); err != nil {
		t.Fatal(err)
	}
	got := audit(t, s, blueberry.AuditQuery{})
	if !call.Noted() || got[1].Caller != call.Caller || got[0].Caller != own || got[0].Result != blueberry.AuditSucceeded {
		t.Errorf("noted %v, entries %+v", call.Noted(), got)
	}
}

// What comes from outside is cut, cleaned and free of secrets, and the JSON stays JSON.
func TestTextsOfAnAuditEntry(t *testing.T) {
	t.Parallel()
	const secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		text := "a\x00b\xff " + secret
		value := json.RawMessage(`{"note": "said \"` + secret + `\"\n", "` + secret + `": [1.50, "x\u0000` + secret + `"], "bad": "` + "\xff" + `"}`)
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.AppendAudit(ctx, blueberry.AuditEntry{
					At: start, Action: text, Resource: text, Project: text, Detail: text, Before: value, After: value,
					Actor:  blueberry.Actor{ID: text, Name: text, UserID: text, OnBehalfOf: text, Credential: text, Emergency: text},
					Caller: blueberry.Caller{RequestID: text, Address: text, UserAgent: text, Route: text},
				}),
				tx.AppendAudit(ctx, blueberry.AuditEntry{
					At: start.Add(time.Second), Detail: strings.Repeat("ö", 5000), Resource: strings.Repeat("r", 5000), After: json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`),
					Caller: blueberry.Caller{UserAgent: strings.Repeat("u", 1<<20)},
				}),
			)
		})
		got := audit(t, s, blueberry.AuditQuery{})
		b, err := json.Marshal(got[1])
		if err != nil {
			t.Fatalf("what came back is no JSON: %v", err)
		}
		if strings.Contains(string(b), "0123456789") || !strings.Contains(got[1].Detail, "a\uFFFDb\uFFFD (hidden)") || !strings.Contains(string(got[1].Before), "1.50") {
			t.Errorf("kept %s", b)
		}
		long := got[0]
		if len(long.Detail) > 2010 || len(long.Resource) > 330 || len(long.Caller.UserAgent) > 260 || !strings.HasPrefix(string(long.After), `{"bytes":1048578,"sha256":"`) {
			t.Errorf("kept %d, %d, %d bytes and %s", len(long.Detail), len(long.Resource), len(long.Caller.UserAgent), long.After)
		}
		err = tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.AppendAudit(ctx, blueberry.AuditEntry{At: start, Before: json.RawMessage(`{"cut":`)})
		})
		if err == nil {
			t.Error("half a JSON was taken")
		}
	})
}

// TestAuditQueries: the record answers as the rule says that the archives are searched by.
func TestAuditQueries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "ada@example.com", UserID: "usr_1"}
		token := blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_1", Name: "deploy", UserID: "usr_1", OnBehalfOf: "ada@example.com"}
		bob := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_2", Name: "bob@example.com", UserID: "usr_2"}
		var all []blueberry.AuditEntry
		for i, e := range []blueberry.AuditEntry{
			{Actor: ada, Action: "environments:create", Resource: "env_1", Project: "shop", Detail: "Made Ärger 100%"},
			{Actor: token, Action: "environments:delete", Resource: "env_1", Project: "shop", Result: blueberry.AuditDenied, Caller: blueberry.Caller{RequestID: "req_1"}},
			{Actor: bob, Action: "environments", Resource: "ENV_1", Project: "pay", Detail: "a_b"},
			{Actor: bob, Action: "session:sign-in", Detail: `a\b`, Result: blueberry.AuditFailed},
			{Actor: bob, Action: "environments:create", Resource: "env_2", Project: "Shop"},
		} {
			e.At = start.Add(time.Duration(i) * time.Hour)
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AppendAudit(ctx, e) })
			all = append(all, audit(t, s, blueberry.AuditQuery{Limit: 1})...)
		}
		for reason, c := range map[string]struct {
			q    blueberry.AuditQuery
			want []int // newest first
		}{
			"all":                            {blueberry.AuditQuery{}, []int{4, 3, 2, 1, 0}},
			"a page":                         {blueberry.AuditQuery{Limit: 2, Before: all[3].ID}, []int{2, 1}},
			"a user, and with their tokens":  {blueberry.AuditQuery{Actor: "usr_1"}, []int{1, 0}},
			"an address":                     {blueberry.AuditQuery{Actor: "ada@example.com"}, []int{1, 0}},
			"a token":                        {blueberry.AuditQuery{Actor: "tok_1"}, []int{1}},
			"an actor is exact":              {blueberry.AuditQuery{Actor: "ada"}, nil},
			"an action":                      {blueberry.AuditQuery{Action: "environments"}, []int{2}},
			"actions of one thing":           {blueberry.AuditQuery{Action: "environments:"}, []int{4, 1, 0}},
			"actions of another case":        {blueberry.AuditQuery{Action: "Environments:"}, nil},
			"a resource":                     {blueberry.AuditQuery{Resource: "env_1"}, []int{1, 0}},
			"a project":                      {blueberry.AuditQuery{Project: "shop"}, []int{1, 0}},
			"some projects":                  {blueberry.AuditQuery{Projects: []string{"shop", "pay"}}, []int{2, 1, 0}},
			"no projects":                    {blueberry.AuditQuery{Projects: []string{}}, nil},
			"no project is none of the some": {blueberry.AuditQuery{Projects: []string{""}}, nil},
			"a project beside the some":      {blueberry.AuditQuery{Project: "Shop", Projects: []string{"shop"}}, nil},
			"a result":                       {blueberry.AuditQuery{Result: blueberry.AuditDenied}, []int{1}},
			"a request":                      {blueberry.AuditQuery{Request: "req_1"}, []int{1}},
			"a part of the detail":           {blueberry.AuditQuery{Search: "MADE"}, []int{0}},
			"a part of the resource":         {blueberry.AuditQuery{Search: "env_1"}, []int{2, 1, 0}},
			"a part of the actor":            {blueberry.AuditQuery{Search: "BOB@"}, []int{4, 3, 2}},
			"letters beyond ASCII are exact": {blueberry.AuditQuery{Search: "Ärger"}, []int{0}},
			"in another case they are not":   {blueberry.AuditQuery{Search: "ärger"}, nil},
			"no wildcard %":                  {blueberry.AuditQuery{Search: "1%"}, nil},
			"a percent sign":                 {blueberry.AuditQuery{Search: "0%"}, []int{0}},
			"no wildcard _":                  {blueberry.AuditQuery{Search: "b_b"}, nil},
			"an underscore":                  {blueberry.AuditQuery{Search: "a_b"}, []int{2}},
			"a backslash":                    {blueberry.AuditQuery{Search: `a\`}, []int{3}},
			"from, included":                 {blueberry.AuditQuery{From: all[3].At}, []int{4, 3}},
			"to, excluded":                   {blueberry.AuditQuery{To: all[1].At}, []int{0}},
			"less than a millisecond after":  {blueberry.AuditQuery{To: all[1].At.Add(time.Microsecond)}, []int{1, 0}},
			"nothing in between":             {blueberry.AuditQuery{From: all[1].At.Add(time.Microsecond), To: all[2].At}, nil},
			"what no database takes":         {blueberry.AuditQuery{Actor: "\x00", Action: "\xff:", Search: "\x00"}, nil},
		} {
			var want, matching []blueberry.AuditEntry
			for _, i := range c.want {
				want = append(want, all[i])
			}
			got := audit(t, s, c.q)
			if d := cmp.Diff(ids(want), ids(got)); d != "" {
				t.Errorf("%s:\n%s", reason, d)
			}
			for _, e := range slices.Backward(all) {
				if c.q.Matches(e) && (c.q.Before == "" || e.ID < c.q.Before) {
					matching = append(matching, e)
				}
			}
			if c.q.Limit > 0 {
				matching = matching[:c.q.Limit]
			}
			if d := cmp.Diff(ids(want), ids(matching)); d != "" {
				t.Errorf("%s, by the rule:\n%s", reason, d)
			}
		}
	})
}

func ids(entries []blueberry.AuditEntry) (out []string) {
	for _, e := range entries {
		out = append(out, e.ID)
	}
	return out
}

func TestTheChainOfTheAudit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i := range 5 {
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.AppendAudit(ctx, fullEntry(fmt.Sprint("env_", i), start.Add(time.Duration(i)*time.Minute)))
			})
		}
		var sealed []blueberry.AuditEntry
		update(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			sealed, err = sealAll(ctx, tx)
			return err
		})
		if d := cmp.Diff(sealed, view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.AuditEntry, error) {
			return tx.AuditRun(ctx, blueberry.AuditQuery{}, 0, 5, 100)
		})); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(sealed[2:4], view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.AuditEntry, error) {
			return tx.AuditRun(ctx, blueberry.AuditQuery{Action: "environments:"}, 2, 4, 100)
		})); d != "" {
			t.Error(d)
		}
		seq, hash, err := int64(0), "", error(nil)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { seq, hash, err = tx.AuditHead(ctx); return err })
		if seq != 5 || hash != "hash of 5" {
			t.Errorf("the head is %d, %q", seq, hash)
		}
		for reason, entries := range map[string][]blueberry.AuditEntry{
			"sealed already":      {{ID: sealed[0].ID, Seq: 6, Prev: hash, Hash: "x"}},
			"nobody's":            {{ID: "aud_none", Seq: 6, Prev: hash, Hash: "x"}},
			"not behind the head": {{ID: sealed[0].ID, Seq: 8, Prev: hash, Hash: "x"}},
		} {
			if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SealAudit(ctx, entries) }); err == nil {
				t.Errorf("%s: sealed", reason)
			}
		}

		cut := archiveOf(sealed[:3])
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.ArchiveAudit(ctx, cut) })
		wantError(t, "archived twice", tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.ArchiveAudit(ctx, cut) }), blueberry.Conflict)
		if got := audit(t, s, blueberry.AuditQuery{}); len(got) != 2 || got[1].Seq != 4 {
			t.Errorf("left are %+v", ids(got))
		}
		wrong := archiveOf(sealed[3:])
		wrong.Entries = 3
		if err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.ArchiveAudit(ctx, wrong) }); err == nil {
			t.Error("an archive of other entries was taken")
		}
		for reason, c := range map[string]struct {
			from, to time.Time
			want     int
		}{
			"all":    {want: 1},
			"later":  {from: cut.To.Add(1000), want: 0},
			"till":   {to: cut.From, want: 0},
			"within": {from: cut.To, to: cut.From.Add(1000), want: 1},
		} {
			got := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.AuditArchive, error) {
				return tx.AuditArchives(ctx, c.from, c.to, 10)
			})
			if len(got) != c.want || c.want == 1 && cmp.Diff(cut, got[0]) != "" {
				t.Errorf("%s: %+v", reason, got)
			}
		}
		for seq, want := range map[int64]bool{0: false, 1: true, 3: true, 4: false} {
			update(t, s, func(ctx context.Context, tx *store.Tx) error {
				if _, ok, err := tx.AuditArchiveOf(ctx, seq); err != nil || ok != want {
					t.Errorf("the archive of %d: %v, %v", seq, ok, err)
				}
				return nil
			})
		}
	})
}

func TestAuditCheckpoints(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var all []blueberry.AuditCheckpoint
		for i := range int64(4) {
			all = append(all, blueberry.AuditCheckpoint{Seq: i + 1, Hash: "h", At: start, KeyID: "key_1", Signature: []byte{0, 0xff}})
			update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.PutAuditCheckpoint(ctx, all[i]) })
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.DropAuditCheckpoint(ctx, 2), tx.DropAuditCheckpoint(ctx, 99))
		})
		got := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.AuditCheckpoint, error) {
			return tx.AuditCheckpoints(ctx, 1, 3, 10)
		})
		if d := cmp.Diff(all[2:3], got); d != "" {
			t.Error(d)
		}
		got = view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.AuditCheckpoint, error) {
			return tx.LastAuditCheckpoints(ctx, 2)
		})
		if d := cmp.Diff([]blueberry.AuditCheckpoint{all[3], all[2]}, got); d != "" {
			t.Error(d)
		}
	})
}

// The version before writes entries without what it does not know; they are sealed as the others.
func TestAuditOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const old = `INSERT INTO audit (id, actor_kind, actor_id, actor_name, actor_grants, action, resource, detail, at) VALUES ('aud_old', 'job', 'a', 'b', 'null', 'x', 'y', 'z', 7)`
		if _, err := s.DB().ExecContext(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { _, err := sealAll(ctx, tx); return err })
		got := audit(t, s, blueberry.AuditQuery{})
		if len(got) != 1 || got[0].Seq != 1 || got[0].Result != blueberry.AuditSucceeded {
			t.Errorf("got %+v", got)
		}
	})
}

func BenchmarkAppendAudit(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{store.SQLite: storetest.SQLite, store.Postgres: storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			e := fullEntry("env_1", start)
			err := s.Update(b.Context(), func(tx *store.Tx) error { // one transaction: what the entry adds to one that is there anyway
				for b.Loop() {
					e.At = e.At.Add(time.Millisecond)
					if err := tx.AppendAudit(b.Context(), e); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
