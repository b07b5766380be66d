package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/audit"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/objects"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/sdk"
)

var start = time.Date(2026, 3, 1, 10, 0, 0, 123456000, time.UTC)

var (
	owner = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "ada@example.com", UserID: "usr_1", Grants: []blueberry.Grant{blueberry.GrantAll}}
	admin = blueberry.Actor{ // of one project
		Kind: blueberry.ActorUser, ID: "usr_2", Name: "bob@example.com", UserID: "usr_2",
		Projects: map[string][]blueberry.Grant{"shop": {blueberry.GrantAuditRead}, "pay": {blueberry.GrantConfigRead}},
	}
	nobody = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_3", Name: "eve@example.com", UserID: "usr_3"}
)

// house is an Auditor on a real record and a real directory of objects, with a clock of its own.
type house struct {
	*audit.Auditor
	store   *storetest.Store
	objects *objects.Bucket
	ring    *keys.Ring

	mu  sync.Mutex
	now time.Time
}

// record is the store as audit sees it.
type record struct{ s *storetest.Store }

func (r record) Update(ctx context.Context, f func(audit.Tx) error) error {
	return r.s.Update(ctx, func(tx *store.Tx) error { return f(tx) })
}

func (r record) View(ctx context.Context, f func(audit.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

func open(t testing.TB, s *storetest.Store) *house {
	t.Helper()
	ring, err := keys.Open(filepath.Join(t.TempDir(), "signing-key"))
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := objects.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	h := &house{store: s, objects: bucket, ring: ring, now: start}
	h.Auditor = &audit.Auditor{Record: record{s}, Objects: bucket, Signer: ring, Now: h.clock, Logger: slog.New(slog.DiscardHandler)}
	h.publish(t)
	return h
}

func (h *house) publish(t testing.TB) {
	t.Helper()
	if err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.PutSigningKey(t.Context(), h.ring.ID(), h.ring.Public(), h.clock())
	}); err != nil {
		t.Fatal(err)
	}
}

func (h *house) clock() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *house) add(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }

// note writes n entries, a second apart, in turn of two projects and of the installation.
func (h *house) note(t testing.TB, n int) {
	t.Helper()
	from := h.clock()
	h.add(time.Duration(n) * time.Second)
	if err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		for i := range n {
			e := blueberry.AuditEntry{
				At: from.Add(time.Duration(i+1) * time.Second), Actor: owner, Action: "environments:create", Resource: fmt.Sprint("env_", i),
				Project: []string{"shop", "pay", ""}[i%3], Detail: "made <b>it</b> & ö \u2028", After: []byte(`{"hours": 24, "html": "<&>"}`),
				Caller: blueberry.Caller{RequestID: fmt.Sprint("req_", i), Address: "192.0.2.1"},
			}
			if err := tx.AppendAudit(t.Context(), e); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func (h *house) seal(t testing.TB) int {
	t.Helper()
	n, err := h.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (h *house) archive(t testing.TB) int {
	t.Helper()
	n, err := h.Archive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (h *house) export(t testing.TB, actor blueberry.Actor, q blueberry.AuditQuery) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := h.Export(t.Context(), actor, q, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// verify proves an export by the key of the house.
func (h *house) verify(t testing.TB, export []byte) sdk.AuditReport {
	t.Helper()
	report, err := sdk.VerifyAudit(bytes.NewReader(export), sdk.AuditVerifyOptions{Keys: []string{h.ring.ID()}})
	if err != nil {
		t.Fatalf("%v\n%s", err, export)
	}
	if !report.Trusted || report.SignedBy != h.ring.ID() {
		t.Errorf("the report is %+v", report)
	}
	return report
}

// faultOf is what the verifier finds.
func faultOf(t testing.TB, export []byte, o sdk.AuditVerifyOptions) *sdk.AuditFault {
	t.Helper()
	_, err := sdk.VerifyAudit(bytes.NewReader(export), o)
	var f *sdk.AuditFault
	if err != nil && !errors.As(err, &f) {
		t.Fatalf("not a fault: %v", err)
	}
	return f
}

func (h *house) exec(t testing.TB, query string) {
	t.Helper()
	if _, err := h.store.DB().ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}
