package access_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// town is an installation with people: Accounts and a Gate on a real record, a clock that stands still until it is moved, and a mail server.
type town struct {
	*access.Accounts
	gate   *access.Gate
	store  *storetest.Store
	clock  *townClock
	letter *townPost

	mu   sync.Mutex
	jobs []string // that were enqueued: kind and subject
}

type townClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *townClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *townClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// townRecord is the store as access sees it.
type townRecord struct{ s *storetest.Store }

func (r townRecord) Update(ctx context.Context, f func(access.Tx) error) error {
	return r.s.Update(ctx, func(tx *store.Tx) error { return f(tx) })
}

func (r townRecord) View(ctx context.Context, f func(access.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

// townPost is a mail server that can be down.
type townPost struct {
	mu   sync.Mutex
	sent []access.Mail
	down error
}

func (l *townPost) Send(_ context.Context, m access.Mail) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down != nil {
		return l.down
	}
	l.sent = append(l.sent, m)
	return nil
}

func newTown(t testing.TB) *town { return townOn(t, storetest.SQLite(t)) }

func townOn(t testing.TB, s *storetest.Store) *town {
	t.Helper()
	w := &town{store: s, clock: &townClock{t: time.Date(2031, 4, 1, 12, 0, 0, 0, time.UTC)}, letter: &townPost{}}
	s.SetEnqueuer(func(_ context.Context, _ *sql.Tx, kind blueberry.JobKind, subject string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.jobs = append(w.jobs, string(kind)+" "+subject)
		return nil
	})
	seal, err := keys.OpenKeyset(t.Context(), keys.KeysetConfig{File: filepath.Join(t.TempDir(), "keyset.json")})
	if err != nil {
		t.Fatal(err)
	}
	w.gate = &access.Gate{Record: townRecord{s}, Now: w.clock.now, Logger: slog.New(slog.DiscardHandler)}
	w.Accounts = &access.Accounts{
		Record: w.gate.Watch(townRecord{s}), Now: w.clock.now, Seal: seal, PublicURL: "https://blueberry.example.com", Logger: slog.New(slog.DiscardHandler),
	}
	return w
}

// gateOf is a gate of another process on the same record: it is told nothing of what this one does.
func (w *town) gateOf() *access.Gate {
	return &access.Gate{Record: townRecord{w.store}, Now: w.clock.now, Logger: slog.New(slog.DiscardHandler)}
}

var root = blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_root", Name: "admin", Credential: "tok_root", Grants: []blueberry.Grant{blueberry.GrantAll}}

func (w *town) update(t testing.TB, f func(tx access.Tx) error) {
	t.Helper()
	if err := w.gate.Watch(townRecord{w.store}).Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func (w *town) project(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := w.CreateProject(t.Context(), root, access.NewProject{Name: name}); err != nil {
			t.Fatal(err)
		}
		w.clock.move(time.Millisecond)
	}
}

// person makes an active user, changed as f says, and gives the actor of a session of theirs.
func (w *town) person(t testing.TB, email string, f func(*blueberry.User)) blueberry.Actor {
	t.Helper()
	now := w.clock.now()
	u := blueberry.User{ID: blueberry.NewID(blueberry.UserID, now), Email: email, Status: blueberry.UserActive, CreatedAt: now, UpdatedAt: now, Version: 1}
	if f != nil {
		f(&u)
	}
	w.update(t, func(tx access.Tx) error { return tx.InsertUser(t.Context(), u) })
	w.clock.move(time.Millisecond)
	if u.Status != blueberry.UserActive {
		return blueberry.Actor{Kind: blueberry.ActorUser, ID: u.ID, UserID: u.ID, Name: u.Email}
	}
	return w.signedIn(t, u.ID)
}

// member makes an active user with a role in a project.
func (w *town) member(t testing.TB, email, project string, role blueberry.Role) blueberry.Actor {
	t.Helper()
	a := w.person(t, email, nil)
	w.update(t, func(tx access.Tx) error {
		return errors.Join(tx.PutMember(t.Context(), blueberry.Member{Project: project, UserID: a.UserID, Role: role, CreatedAt: w.clock.now(), UpdatedAt: w.clock.now()}),
			tx.BumpAccessEpoch(t.Context()))
	})
	return w.signedIn(t, a.UserID)
}

func owner(u *blueberry.User)      { u.Owner = true }
func breakGlass(u *blueberry.User) { u.BreakGlass = true }

// signedIn is the user as the gate lets them in, with a new session.
func (w *town) signedIn(t testing.TB, userID string) blueberry.Actor {
	t.Helper()
	return w.enter(t, w.gate, w.session(t, userID))
}

// session opens a session and gives its secret.
func (w *town) session(t testing.TB, userID string) string {
	t.Helper()
	secret, hash := access.NewSecret(access.SessionPrefix)
	now := w.clock.now()
	w.update(t, func(tx access.Tx) error {
		return tx.InsertSession(t.Context(), blueberry.Session{
			ID: blueberry.NewID(blueberry.SessionID, now), Hash: hash, UserID: userID, Method: "password", CreatedAt: now, ExpiresAt: now.Add(blueberry.SessionLife),
		})
	})
	return secret
}

func (w *town) enter(t testing.TB, g *access.Gate, secret string) blueberry.Actor {
	t.Helper()
	a, err := g.Authenticate(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// token makes an API token and gives it with the actor that it lets in.
func (w *town) token(t testing.TB, maker blueberry.Actor, r access.NewToken) (access.MadeToken, blueberry.Actor) {
	t.Helper()
	if r.Name == "" {
		r.Name = "ci"
	}
	made, err := w.CreateToken(t.Context(), maker, r)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.move(time.Millisecond)
	return made, w.enter(t, w.gate, made.Secret)
}

// audit reads the newest entries first.
func (w *town) audit(t testing.TB) []blueberry.AuditEntry {
	t.Helper()
	var out []blueberry.AuditEntry
	err := w.store.View(t.Context(), func(tx *store.Tx) (err error) {
		out, err = tx.Audit(t.Context(), blueberry.AuditQuery{Limit: blueberry.MaxPageSize})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// refusal is kind, code and faults of an error: what callers depend on. A denial that is noted for the audit follows in brackets.
func refusal(err error) string {
	if err == nil {
		return ""
	}
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return "no refusal: " + err.Error()
	}
	out := []string{string(e.Kind), e.Code}
	for _, f := range e.Fields {
		out = append(out, f.Field+":"+f.Code)
	}
	if e.Denied != "" {
		out = append(out, "["+string(e.Denied)+"]")
	}
	return strings.Join(out, " ")
}

func wants(t testing.TB, what, want string, err error) {
	t.Helper()
	if got := refusal(err); got != want {
		t.Errorf("%s: got %q, want %q (%v)", what, got, want, err)
	}
}

func to[T any](v T) *T { return &v }
