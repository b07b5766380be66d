package access_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

const (
	goodPassword  = "a quite good phrase to keep"
	otherPassword = "another phrase nobody has yet"
)

// porch is a SignIn on a real record, with a clock of its own.
type porch struct {
	*access.SignIn
	store *storetest.Store
	clock *porchClock
	mail  *porchMail

	mu   sync.Mutex
	jobs []blueberry.Job
}

type porchClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *porchClock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *porchClock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

// porchRecord is the store as access sees it.
type porchRecord struct{ s *storetest.Store }

func (r porchRecord) Update(ctx context.Context, f func(access.Tx) error) error {
	return r.s.Update(ctx, func(tx *store.Tx) error { return f(tx) })
}

func (r porchRecord) View(ctx context.Context, f func(access.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

// porchBox seals with a key of its own, bound as the real one does.
type porchBox struct{ aead cipher.AEAD }

func newPorchBox(t testing.TB) porchBox {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return porchBox{aead}
}

func (b porchBox) Seal(plain []byte, bound string) ([]byte, error) {
	return b.aead.Seal(nil, nil, plain, []byte(bound)), nil
}

func (b porchBox) Open(sealed []byte, bound string) ([]byte, error) {
	return b.aead.Open(nil, nil, sealed, []byte(bound))
}

// porchMail is the mail server.
type porchMail struct {
	mu   sync.Mutex
	sent []access.Mail
}

func (l *porchMail) Send(_ context.Context, m access.Mail) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, m)
	return nil
}

func (l *porchMail) got() []access.Mail {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.sent)
}

var linkIn = regexp.MustCompile(`bll_[A-Za-z0-9_-]+`)

func newPorch(t testing.TB) *porch {
	t.Helper()
	return porchOn(t, storetest.SQLite(t))
}

func porchOn(t testing.TB, s *storetest.Store) *porch {
	t.Helper()
	p := &porch{store: s, clock: &porchClock{t: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}, mail: &porchMail{}}
	s.SetEnqueuer(func(_ context.Context, _ *sql.Tx, kind blueberry.JobKind, subject string) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.jobs = append(p.jobs, blueberry.Job{Kind: kind, Subject: subject})
		return nil
	})
	p.SignIn = &access.SignIn{
		Record: porchRecord{s}, Seal: newPorchBox(t), Mail: p.mail, PublicURL: "https://blueberry.example.com", Now: p.clock.now,
		Logger: slog.New(slog.DiscardHandler), Slots: access.PasswordSlots(), Drivers: map[blueberry.ProviderKind]access.ProviderDriver{},
	}
	return p
}

func (p *porch) update(t testing.TB, f func(ctx context.Context, tx access.Tx) error) {
	t.Helper()
	if err := p.Record.Update(t.Context(), func(tx access.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// cheap is the hash of a password that takes next to no work.
func cheap(password string) string {
	salt := []byte("salt of a test!!")
	key := argon2.IDKey([]byte(password), salt, 1, 64, 1, 32)
	return "$argon2id$v=19$m=64,t=1,p=1$" + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key)
}

// person adds an active user with goodPassword, of a hash that is cheap until they sign in.
func (p *porch) person(t testing.TB, email string) blueberry.User {
	t.Helper()
	u := p.bare(t, email, blueberry.UserActive)
	p.update(t, func(ctx context.Context, tx access.Tx) error {
		return tx.PutCredentials(ctx, blueberry.Credentials{UserID: u.ID, Password: cheap(goodPassword), PasswordChangedAt: p.clock.now()})
	})
	return u
}

// bare adds a user without any way to sign in.
func (p *porch) bare(t testing.TB, email string, status blueberry.UserStatus) blueberry.User {
	t.Helper()
	now := p.clock.now()
	u := blueberry.User{ID: blueberry.NewID(blueberry.UserID, now), Email: email, Status: status, CreatedAt: now, UpdatedAt: now, Version: 1}
	p.update(t, func(ctx context.Context, tx access.Tx) error { return tx.InsertUser(ctx, u) })
	return u
}

func (p *porch) user(t testing.TB, id string) (u blueberry.User) {
	t.Helper()
	p.update(t, func(ctx context.Context, tx access.Tx) (err error) {
		u, err = tx.User(ctx, id)
		return err
	})
	return u
}

func (p *porch) credentials(t testing.TB, id string) (c blueberry.Credentials) {
	t.Helper()
	p.update(t, func(ctx context.Context, tx access.Tx) (err error) {
		c, err = tx.Credentials(ctx, id)
		return err
	})
	return c
}

// link adds a one-time link and gives its secret.
func (p *porch) link(t testing.TB, kind blueberry.LinkKind, userID string, life time.Duration) string {
	t.Helper()
	secret, hash := access.NewSecret(access.LinkPrefix)
	now := p.clock.now()
	p.update(t, func(ctx context.Context, tx access.Tx) error {
		return tx.InsertLink(ctx, blueberry.Link{ID: blueberry.NewID(blueberry.LinkID, now), Kind: kind, UserID: userID, Hash: hash, CreatedAt: now, ExpiresAt: now.Add(life)})
	})
	return secret
}

func from(address, device string) access.From {
	return access.From{Address: address, UserAgent: "test/1", Device: device}
}

// enter signs in with the password and fails the test if that does not work.
func (p *porch) enter(t testing.TB, email, password, code string, f access.From) access.Entered {
	t.Helper()
	e, err := p.Password(t.Context(), access.PasswordAttempt{Email: email, Password: password, Code: code, From: f})
	if err != nil {
		t.Fatalf("sign in as %s: %v", email, err)
	}
	return e
}

// try signs in with the password and gives the code of the error, empty for none.
func (p *porch) try(t testing.TB, email, password, code string, f access.From) string {
	t.Helper()
	_, err := p.Password(t.Context(), access.PasswordAttempt{Email: email, Password: password, Code: code, From: f})
	return codeOf(t, err)
}

func codeOf(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *blueberry.Error
	if !errors.As(err, &e) {
		t.Fatalf("an internal error: %v", err)
	}
	return e.Code
}

// signedIn is the actor of a session.
func signedIn(u blueberry.User, e access.Entered) blueberry.Actor {
	return blueberry.Actor{Kind: blueberry.ActorUser, ID: u.ID, UserID: u.ID, Name: u.Email, Credential: e.Session.ID}
}

// live reports whether the session of a secret still counts.
func (p *porch) live(t testing.TB, secret string) bool {
	t.Helper()
	hash, ok := access.HashSecret(access.SessionPrefix, secret)
	if !ok {
		t.Fatal("no secret of a session")
	}
	var s blueberry.Session
	p.update(t, func(ctx context.Context, tx access.Tx) (err error) {
		s, err = tx.SessionByHash(ctx, hash)
		return err
	})
	return s.Live(p.clock.now())
}

// audited gives the entries of an action, oldest first, as "result actor: detail".
func (p *porch) audited(t testing.TB, action string) []string {
	t.Helper()
	var all []blueberry.AuditEntry
	if err := p.store.View(t.Context(), func(tx *store.Tx) (err error) {
		all, err = tx.Audit(t.Context(), blueberry.AuditQuery{Action: action, Limit: 500})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range slices.Backward(all) {
		result := a.Result
		if result == "" {
			result = blueberry.AuditSucceeded
		}
		out = append(out, string(result)+" "+a.Actor.Name+": "+a.Detail)
	}
	return out
}

func (p *porch) epoch(t testing.TB) (n int64) {
	t.Helper()
	p.update(t, func(ctx context.Context, tx access.Tx) (err error) {
		n, err = tx.AccessEpoch(ctx)
		return err
	})
	return n
}

func contains(list []string, part string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, part) })
}

func asError(err error, e **blueberry.Error) bool { return errors.As(err, e) }

// orError is the first error of both.
func orError(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// spoilt is a text with one character in its middle changed.
func spoilt(text string) string {
	at := len(text) / 2
	if text[at] == 'A' {
		return text[:at] + "B" + text[at+1:]
	}
	return text[:at] + "A" + text[at+1:]
}
