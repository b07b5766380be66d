package audit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/audit"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// The canonical form is what hashes are made of: one that changes breaks every chain there is.
func TestCanonicalForm(t *testing.T) {
	t.Parallel()
	full := blueberry.AuditEntry{
		Seq: 7, ID: "aud_1", At: start, Action: "environments:update", Resource: "env_1", Project: "shop", Detail: "a <b> & \"c\"\nö\u2028", Result: blueberry.AuditDenied,
		Before: []byte(`{"a":"<&>"}`), After: []byte(`null`), Prev: "p", Hash: "h",
		Actor: blueberry.Actor{
			Kind: blueberry.ActorToken, ID: "tok_1", Name: "deploy", UserID: "usr_1", OnBehalfOf: "ada", Credential: "tok_1", Emergency: "emg_1",
			Grants: []blueberry.Grant{blueberry.GrantAll}, Projects: map[string][]blueberry.Grant{"shop": {blueberry.GrantAuditRead}},
		},
		Caller: blueberry.Caller{RequestID: "req_1", Address: "::1", UserAgent: "curl", Route: "PATCH /x"},
	}
	damaged := blueberry.AuditEntry{ID: "aud_2", At: start.Truncate(time.Second), Before: []byte(`{"cut":`)}
	for want, e := range map[string]blueberry.AuditEntry{
		`{"seq":7,"id":"aud_1","at":"2026-03-01T10:00:00.123456Z","actor":{"kind":"token","id":"tok_1","name":"deploy","user_id":"usr_1","on_behalf_of":"ada",` +
			`"credential":"tok_1","emergency":"emg_1","grants":["*:*"]},"action":"environments:update","resource":"env_1","project":"shop",` +
			`"detail":"a <b> & \"c\"\nö\u2028","before":{"a":"<&>"},"after":null,"result":"denied",` +
			`"caller":{"request_id":"req_1","address":"::1","user_agent":"curl","route":"PATCH /x"}}`: full,
		`{"seq":0,"id":"aud_2","at":"2026-03-01T10:00:00.000000Z","actor":{"kind":"","id":"","name":""},"action":"","before":"{\"cut\":","result":""}`: damaged,
	} {
		got, err := audit.Canonical(e)
		if err != nil || string(got) != want {
			t.Errorf("%v\n got %s\nwant %s", err, got, want)
		}
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := open(t, s)
		if n := h.seal(t); n != 0 {
			t.Errorf("sealed %d of nothing", n)
		}
		h.note(t, 5)
		if n := h.seal(t); n != 5 {
			t.Errorf("sealed %d", n)
		}
		h.note(t, 1300) // more than two batches
		if n := h.seal(t); n != 1300 {
			t.Errorf("sealed %d", n)
		}
		if r := h.verify(t, h.export(t, owner, blueberry.AuditQuery{})); !r.Whole || r.Entries != 1305 || r.First != 1 || r.Head.Seq != 1305 {
			t.Errorf("the report is %+v", r)
		}
	})
}

// Many processes write and seal on one record: one chain comes of it, with everything in it.
func TestManySealAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := open(t, s)
		var writers, sealers sync.WaitGroup
		done := make(chan struct{})
		for range 4 {
			writers.Go(func() {
				for range 50 {
					h.note(t, 1)
				}
			})
			sealers.Go(func() {
				for {
					if _, err := h.Seal(t.Context()); err != nil {
						t.Error(err)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		writers.Wait()
		close(done)
		sealers.Wait()
		if r := h.verify(t, h.export(t, owner, blueberry.AuditQuery{})); r.Entries != 200 {
			t.Errorf("the report is %+v", r)
		}
	})
}

// A transaction that fails after it has sealed leaves nothing behind.
func TestASealThatFails(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	h.note(t, 3)
	died := errors.New("died")
	broken := *h.Auditor
	broken.Record = dying{record{h.store}, died}
	if n, err := broken.Seal(t.Context()); !errors.Is(err, died) || n != 0 {
		t.Errorf("sealed %d, %v", n, err)
	}
	if n := h.seal(t); n != 3 {
		t.Errorf("sealed %d", n)
	}
	h.verify(t, h.export(t, owner, blueberry.AuditQuery{}))
}

// dying is a record whose process is killed before each commit.
type dying struct {
	record
	err error
}

func (d dying) Update(ctx context.Context, f func(audit.Tx) error) error {
	return d.record.Update(ctx, func(tx audit.Tx) error { return errors.Join(f(tx), d.err) })
}

// At most one checkpoint a minute stays, and one each thousand entries, and the newest always.
func TestCheckpointsAreThinned(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	one := func(n int) {
		h.note(t, n)
		h.add(-time.Duration(n) * time.Second) // the clock stands
		h.seal(t)
	}
	for range 5 {
		one(2) // entries 2, 4, … 10, in the first minute
	}
	h.add(time.Minute)
	for range 3 {
		one(1) // 11, 12, 13
	}
	one(990) // in two batches: 513, 1003
	one(1)   // 1004
	one(1)   // 1005
	var seqs []int64
	if err := h.store.View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.AuditCheckpoints(t.Context(), 0, 1<<40, 100)
		for _, c := range all {
			key, kerr := tx.SigningKey(t.Context(), c.KeyID)
			err = errors.Join(err, kerr)
			if !keys.Verify(key, audit.SignedCheckpoint(c), c.Signature) {
				t.Errorf("the checkpoint at %d is not signed", c.Seq)
			}
			seqs = append(seqs, c.Seq)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int64{2, 11, 1003, 1005}, seqs); d != "" {
		t.Error(d)
	}
	h.verify(t, h.export(t, owner, blueberry.AuditQuery{}))
}

// After a rotation of the signing key the old signatures prove as before.
func TestTheSigningKeyIsRotated(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	h.note(t, 2)
	h.seal(t)
	old := h.ring.ID()
	if _, err := h.ring.Rotate(t.Context(), func(id string, public []byte) error {
		return h.store.Update(t.Context(), func(tx *store.Tx) error { return tx.PutSigningKey(t.Context(), id, public, h.clock()) })
	}); err != nil {
		t.Fatal(err)
	}
	h.add(time.Hour)
	h.note(t, 2)
	r := h.verify(t, h.export(t, owner, blueberry.AuditQuery{}))
	if len(r.Keys) != 2 || r.Keys[0].ID != old || r.Keys[0].Given || r.Keys[1].ID != h.ring.ID() || !r.Keys[1].Given {
		t.Errorf("the keys are %+v", r.Keys)
	}
}

// signals tells each signature.
type signals struct {
	audit.Signer
	signed chan struct{}
}

func (s signals) Sign(text []byte) (string, []byte) {
	defer func() { s.signed <- struct{}{} }()
	return s.Signer.Sign(text)
}

func TestRunSealsWhatComes(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	signed := signals{h.ring, make(chan struct{}, 100)}
	h.Signer = signed
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := h.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for range 2 {
		h.note(t, 1)
		<-signed.signed
	}
	stop()
	wg.Wait()
}

func BenchmarkSeal(b *testing.B) {
	h := open(b, storetest.SQLite(b))
	for b.Loop() {
		b.StopTimer()
		h.note(b, 500)
		b.StartTimer()
		h.seal(b)
	}
	b.ReportMetric(float64(b.N*500)/b.Elapsed().Seconds(), "entries/s")
}
