package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// SignIn proves people: by password, passkey, an identity provider or a one-time link. It also keeps what they prove themselves with.
type SignIn struct {
	Record    Record
	Seal      Sealer
	Drivers   map[blueberry.ProviderKind]ProviderDriver
	Mail      Mailer // nil: no mail is set up
	PublicURL string // without a slash at its end
	Now       func() time.Time
	Logger    *slog.Logger
	Slots     chan struct{} // bounds how many passwords are hashed at once: each takes 19 MiB. PasswordSlots makes it
}

// From is where a person signs in from.
type From struct {
	Address   string // of the client, behind proxies that are trusted
	UserAgent string
	Device    string // value of the device cookie; empty for none
}

// Entered is a session that was just opened.
type Entered struct {
	Secret   string // value of the session cookie. Empty: it is done and nobody was signed in, as after a reset while a second factor is set up, or after linking
	Session  blueberry.Session
	Device   string // new value of the device cookie, for DeviceLife; empty with Secret
	ReturnTo string // local path to go on at; "/" unless another one was asked for
}

// DeviceLife is how long a browser is known after a sign-in.
const DeviceLife = 180 * 24 * time.Hour

const maxUserAgent = 300 // characters that are kept

// refused is the one answer to whoever is not who they say, so that it tells nothing of the account.
func refused() error {
	return blueberry.Errorf(blueberry.Unauthenticated, "SIGN_IN_FAILED", "the sign-in did not work: address, password or code is wrong")
}

// nobody is the actor of what was tried by someone who proved nothing.
func nobody() blueberry.Actor { return blueberry.Actor{Kind: blueberry.ActorUser, Name: "anonymous"} }

// personActor names a user in the audit. It carries no grants.
func personActor(u blueberry.User, session string) blueberry.Actor {
	return blueberry.Actor{Kind: blueberry.ActorUser, ID: u.ID, UserID: u.ID, Name: u.Label(), Credential: session}
}

// audit is Tx.AppendAudit with what every entry of sign-in has in common.
func (s *SignIn) audit(ctx context.Context, tx Tx, a blueberry.AuditEntry) error {
	a.At = s.Now()
	if err := tx.AppendAudit(ctx, a); err != nil {
		return fmt.Errorf("audit %s: %w", a.Action, err)
	}
	return nil
}

// auditDenied notes a failure in a transaction of its own. Of one network no more than networkFailures are noted in an hour, with a last entry that says so.
// The record being down must not turn a refusal into something else.
func (s *SignIn) auditDenied(ctx context.Context, from From, action, resource, detail string) {
	blueberry.CallOf(ctx).Note()
	c := count{key: "noise:" + networkOf(from.Address), limit: networkFailures}
	err := s.Record.Update(ctx, func(tx Tx) error {
		now := s.Now()
		a, err := tx.Attempts(ctx, c.key)
		if err != nil {
			return err
		}
		if a = c.current(a, now); now.Before(a.LockedUntil) {
			return nil
		}
		a.Key = c.key
		if a.Failures++; c.pause(a.Failures) > 0 {
			a.LockedUntil = now.Add(failurePause)
			detail += fmt.Sprintf("; more failures of the network are not noted until %s", a.LockedUntil.UTC().Format(time.RFC3339))
		}
		return errors.Join(tx.PutAttempts(ctx, a),
			s.audit(ctx, tx, blueberry.AuditEntry{Actor: nobody(), Action: action, Resource: resource, Detail: detail, Result: blueberry.AuditDenied}))
	})
	if err != nil {
		s.Logger.ErrorContext(ctx, "note a refused sign-in", "error", err)
	}
}

// entry is a session that is about to be opened.
type entry struct {
	entered Entered
	user    blueberry.User
	from    From
	method  string
}

// entry makes the secrets of a session, outside of the transaction that opens it. Both are new with every sign-in, so nobody can plant one.
func (s *SignIn) entry(u blueberry.User, from From, method string) (entry, error) {
	secret, hash := NewSecret(SessionPrefix)
	device, err := s.rememberDevice(from.Device, u.ID)
	if err != nil {
		return entry{}, err
	}
	now := s.Now()
	return entry{user: u, from: from, method: method, entered: Entered{
		Secret: secret, Device: device, ReturnTo: "/",
		Session: blueberry.Session{
			ID: blueberry.NewID(blueberry.SessionID, now), Hash: hash, UserID: u.ID, Method: method, Address: from.Address,
			UserAgent: clip(from.UserAgent, maxUserAgent), CreatedAt: now, ExpiresAt: now.Add(blueberry.SessionLife), LastSeenAt: now,
		},
	}}, nil
}

// open writes the session with its audit entry.
func (s *SignIn) open(ctx context.Context, tx Tx, e entry) error {
	session := e.entered.Session
	err := tx.InsertSession(ctx, session)
	if errors.Is(err, blueberry.Forbidden) { // became inactive at this moment
		return refused()
	}
	if err != nil {
		return fmt.Errorf("open session: %w", err)
	}
	if err := tx.TouchUser(ctx, e.user.ID, session.CreatedAt); err != nil {
		return fmt.Errorf("note the sign-in: %w", err)
	}
	known := "a new device"
	if s.knowsDevice(e.from.Device, e.user.ID) {
		known = "a known device"
	}
	return s.audit(ctx, tx, blueberry.AuditEntry{
		Actor: personActor(e.user, session.ID), Action: "session:sign-in", Resource: session.ID, Detail: "signed in by " + e.method + " on " + known,
		After: blueberry.AuditFields(map[string]any{"method": e.method, "expires_at": session.ExpiresAt}),
	})
}

// SignOut ends the session of a secret. One that is not there or has ended is fine.
func (s *SignIn) SignOut(ctx context.Context, secret string) error {
	hash, ok := HashSecret(SessionPrefix, secret)
	if !ok {
		return nil
	}
	err := s.Record.Update(ctx, func(tx Tx) error {
		now := s.Now()
		session, err := tx.SessionByHash(ctx, hash)
		if errors.Is(err, blueberry.NotFound) || err == nil && !session.Live(now) {
			return nil
		} else if err != nil {
			return err
		}
		user, err := tx.User(ctx, session.UserID)
		if err != nil {
			return err
		}
		if err := tx.RevokeSession(ctx, session.ID, user.Label(), now); err != nil {
			return err
		}
		return errors.Join(tx.BumpAccessEpoch(ctx),
			s.audit(ctx, tx, blueberry.AuditEntry{Actor: personActor(user, session.ID), Action: "session:sign-out", Resource: session.ID, Detail: "signed out"}))
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// self reads the account that an actor is signed in to with a session. Tokens and clients do not change how their people sign in.
func (s *SignIn) self(ctx context.Context, tx Tx, actor blueberry.Actor) (blueberry.User, error) {
	if actor.Kind != blueberry.ActorUser || actor.UserID == "" || !blueberry.HasIDPrefix(actor.Credential, blueberry.SessionID) {
		return blueberry.User{}, blueberry.Errorf(blueberry.Forbidden, "SESSION_NEEDED", "only a person who is signed in with a browser can do this")
	}
	u, err := tx.User(ctx, actor.UserID)
	if err != nil {
		return u, fmt.Errorf("read own account: %w", err)
	}
	session, err := tx.Session(ctx, actor.Credential)
	switch {
	case err != nil && !errors.Is(err, blueberry.NotFound):
		return u, fmt.Errorf("read own session: %w", err)
	case err != nil || session.UserID != u.ID || !session.Live(s.Now()) || u.Status != blueberry.UserActive:
		return u, blueberry.Errorf(blueberry.Unauthenticated, "SESSION_ENDED", "the session has ended: sign in again")
	}
	return u, nil
}

// clip cuts a text that came from outside to n characters and leaves out what cannot be shown.
func clip(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}
