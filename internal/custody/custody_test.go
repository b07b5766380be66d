package custody_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/custody"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// house is custody on a real record and a real keyset.
type house struct {
	*custody.Custody
	store  *store.Store
	keyset *keys.Keyset
	ca     *paper

	mu       sync.Mutex
	now      time.Time
	enqueued []string
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

type record struct{ h *house }

func (r record) Update(ctx context.Context, f func(tx custody.Tx) error) error {
	return r.h.store.Update(ctx, func(tx *store.Tx) error { return f(noting{tx, r.h}) })
}

func (r record) View(ctx context.Context, f func(tx custody.Tx) error) error {
	return r.h.store.View(ctx, func(tx *store.Tx) error { return f(noting{tx, r.h}) })
}

// noting keeps what is enqueued, since there is no queue here.
type noting struct {
	*store.Tx
	h *house
}

func (n noting) Enqueue(_ context.Context, kind blueberry.JobKind, subject string) error {
	n.h.enqueued = append(n.h.enqueued, string(kind)+" "+subject)
	return nil
}

type sealed struct{ h *house }

func (s sealed) Reencrypt(ctx context.Context) (int, error) {
	return s.h.store.Reencrypt(ctx, store.Reseal{Current: s.h.keyset.Current, Open: s.h.keyset.Open, Seal: s.h.keyset.Seal})
}

func (s sealed) KeysInUse(ctx context.Context) ([]string, error) {
	return s.h.store.KeysInUse(ctx, keys.SealedBy)
}

// paper is an authority that signs nothing: what is tested is what is kept of it.
type paper struct {
	refreshed, rotated int
	broken             error
	now                func() time.Time
}

func (p *paper) Issue(_ context.Context, name string, _ []byte, life time.Duration) (custody.Issued, error) {
	if name == "" {
		return custody.Issued{}, blueberry.Faults{{Field: "name", Code: "required", Message: "is needed"}}.Err()
	}
	return custody.Issued{Certificate: blueberry.Certificate{Serial: "0a", Name: name, NotBefore: p.now(), NotAfter: p.now().Add(life)}, PEM: []byte("certificate"), Key: []byte("key")}, nil
}
func (p *paper) Rotate(context.Context) error          { p.rotated++; return nil }
func (p *paper) Roots(context.Context) ([]byte, error) { return []byte("roots"), nil }
func (p *paper) Refresh(context.Context) error         { p.refreshed++; return p.broken }

func newHouse(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{store: storetest.Open(t, "sqlite://"+filepath.Join(dir, "record.db")), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var err error
	if h.keyset, err = keys.OpenKeyset(t.Context(), keys.KeysetConfig{File: filepath.Join(dir, "keyset.json"), Now: h.clock}); err != nil {
		t.Fatal(err)
	}
	if err := h.keyset.CheckCanary(t.Context(), h.store); err != nil {
		t.Fatal(err)
	}
	h.ca = &paper{now: h.clock}
	h.Custody = &custody.Custody{Record: record{h}, Sealed: sealed{h}, Keyset: h.keyset, Authority: h.ca, Now: h.clock, Logger: slog.New(slog.DiscardHandler)}
	return h
}

var (
	owner    = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "ada@example.com", Grants: []blueberry.Grant{blueberry.GrantAll}}
	stranger = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_2", Name: "eve@example.com", Projects: map[string][]blueberry.Grant{"shop": blueberry.RoleAdmin.Grants()}}
)

const secretBound = "platform_secrets.value:salt"

// A rotation brings what was sealed to the new key, and removes the old one only when nothing needs it and nobody can still write with it.
func TestRotation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	value, err := h.keyset.Seal([]byte("the salt"), secretBound)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.Update(ctx, func(tx *store.Tx) error {
		return tx.PutPlatformSecret(ctx, blueberry.PlatformSecret{Name: "salt", Value: value, CreatedAt: h.clock(), UpdatedAt: h.clock()})
	}); err != nil {
		t.Fatal(err)
	}
	first := h.keyset.KeyID()
	id, err := h.RotateKeys(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"keys.reencrypt " + id}, h.enqueued); diff != "" {
		t.Error(diff)
	}
	states, err := h.Keys(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]custody.KeyState{{ID: id, Newest: true}, {ID: first, InUse: true}}, states); diff != "" {
		t.Errorf("after the rotation: %s", diff)
	}
	if out, err := h.Reencrypt(ctx, blueberry.Job{}); err != nil || out.Again == 0 {
		t.Fatalf("re-encrypt: %+v, %v", out, err)
	}
	if got := h.keyset.KeyIDs(); !slices.Contains(got, first) {
		t.Error("the old key went while a slow server might still write with it")
	}
	h.pass(2 * time.Hour)
	if out, err := h.Reencrypt(ctx, blueberry.Job{}); err != nil || out.Again != 0 {
		t.Fatalf("re-encrypt: %+v, %v", out, err)
	}
	if diff := cmp.Diff([]string{id}, h.keyset.KeyIDs()); diff != "" {
		t.Errorf("after an hour: %s", diff)
	}
	var kept blueberry.PlatformSecret
	if err := h.store.View(ctx, func(tx *store.Tx) (err error) {
		kept, err = tx.PlatformSecret(ctx, "salt")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if plain, err := h.keyset.Open(kept.Value, secretBound); err != nil || string(plain) != "the salt" {
		t.Errorf("the secret is %q, %v", plain, err)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	if _, err := h.IssueCertificate(ctx, owner, custody.CertificateWish{Found: blueberry.Faults{{Field: "days", Code: "range"}}}); len(faults(err)) != 2 {
		t.Errorf("not every fault at once: %v", err)
	}
	issued, err := h.IssueCertificate(ctx, owner, custody.CertificateWish{Name: "prometheus"})
	if err != nil || string(issued.Key) != "key" || issued.IssuedBy != owner.Name {
		t.Fatalf("%+v, %v", issued, err)
	}
	h.ca.broken = errors.New("the record is away") // it is revoked all the same, and is read again soon
	for range 2 {                                  // the second changes nothing
		if err := h.RevokeCertificate(ctx, owner, issued.Serial); err != nil {
			t.Fatal(err)
		}
	}
	if h.ca.refreshed == 0 {
		t.Error("the authority was not told")
	}
	list, err := h.Certificates(ctx, owner)
	if err != nil || len(list) != 1 || list[0].RevokedBy != owner.Name {
		t.Errorf("%+v, %v", list, err)
	}
	if err := h.RevokeCertificate(ctx, owner, "0b"); !errors.Is(err, blueberry.NotFound) {
		t.Errorf("no such certificate: %v", err)
	}
	h.pass(31 * 24 * time.Hour)
	if list, err := h.Certificates(ctx, owner); err != nil || len(list) != 0 {
		t.Errorf("after its end: %+v, %v", list, err)
	}
}

func TestOnlyTheOwner(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"keys":   func() error { _, err := h.Keys(ctx, stranger); return err },
		"rotate": func() error { _, err := h.RotateKeys(ctx, stranger); return err },
		"list":   func() error { _, err := h.Certificates(ctx, stranger); return err },
		"issue": func() error {
			_, err := h.IssueCertificate(ctx, stranger, custody.CertificateWish{Name: "x"})
			return err
		},
		"revoke":     func() error { return h.RevokeCertificate(ctx, stranger, "0a") },
		"roots":      func() error { _, err := h.Roots(ctx, stranger); return err },
		"rotate all": func() error { return h.RotateAuthority(ctx, stranger) },
	} {
		if err := call(); !errors.Is(err, blueberry.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h.ca.rotated != 0 || len(h.keyset.KeyIDs()) != 1 {
		t.Error("something was done nevertheless")
	}
	if err := h.RotateAuthority(ctx, owner); err != nil || h.ca.rotated != 1 {
		t.Errorf("the owner: %v", err)
	}
}

func faults(err error) []blueberry.Fault {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return nil
	}
	return e.Fields
}
