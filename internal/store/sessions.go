package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions"`

	ID         string `bun:"id,pk"`
	Hash       []byte `bun:"hash,notnull"`
	UserID     string `bun:"user_id"`
	Method     string `bun:"method"`
	Address    string `bun:"address"`
	UserAgent  string `bun:"user_agent"`
	CreatedAt  int64  `bun:"created_at"`
	ExpiresAt  int64  `bun:"expires_at"`
	LastSeenAt int64  `bun:"last_seen_at"`
	RevokedAt  int64  `bun:"revoked_at"`
	RevokedBy  string `bun:"revoked_by"`
}

func (r sessionRow) session() (blueberry.Session, error) {
	return blueberry.Session{
		ID: r.ID, Hash: r.Hash, UserID: r.UserID, Method: r.Method, Address: r.Address, UserAgent: r.UserAgent,
		CreatedAt: timeOf(r.CreatedAt), ExpiresAt: timeOf(r.ExpiresAt), LastSeenAt: timeOf(r.LastSeenAt), RevokedAt: timeOf(r.RevokedAt), RevokedBy: r.RevokedBy,
	}, nil
}

func sessionNotFound() error {
	return blueberry.Errorf(blueberry.NotFound, "SESSION_NOT_FOUND", "there is no such session")
}

// InsertSession adds a session; Conflict when its id or hash is there, NotFound when there is no such user, Forbidden with code USER_INACTIVE when the user is
// not active. It holds the user's row, which every change of the status writes: of a session and a deactivation at once, the second sees the first.
func (t *Tx) InsertSession(ctx context.Context, s blueberry.Session) error {
	user, err := one[userRow](ctx, t, "user of session", userNotFound(s.UserID), func(sel *bun.SelectQuery) *bun.SelectQuery {
		return t.locking(sel.Column("id", "email", "status").Where("id = ?", clean(s.UserID)), "NO KEY UPDATE")
	})
	if err != nil {
		return err
	}
	if user.Status != string(blueberry.UserActive) {
		return blueberry.Errorf(blueberry.Forbidden, "USER_INACTIVE", "%s is not active", user.Email)
	}
	row := sessionRow{
		ID: s.ID, Hash: bytesOf(s.Hash), UserID: s.UserID, Method: clean(s.Method), Address: clean(s.Address), UserAgent: clean(s.UserAgent),
		CreatedAt: micros(s.CreatedAt), ExpiresAt: micros(s.ExpiresAt), LastSeenAt: micros(s.LastSeenAt), RevokedAt: micros(s.RevokedAt), RevokedBy: clean(s.RevokedBy),
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	switch {
	case err == nil:
		return nil
	case isTaken(err):
		return blueberry.Errorf(blueberry.Conflict, "DUPLICATE_RESOURCE", "the session %s exists", s.ID)
	case missingReference(err):
		return userNotFound(s.UserID)
	}
	return fmt.Errorf("insert session: %w", err)
}

// SessionByHash reads one, live or not, or NotFound.
func (t *Tx) SessionByHash(ctx context.Context, hash []byte) (blueberry.Session, error) {
	return t.session(ctx, "hash = ?", bytesOf(hash))
}

// Session reads one by id, or NotFound with code SESSION_NOT_FOUND.
func (t *Tx) Session(ctx context.Context, id string) (blueberry.Session, error) {
	return t.session(ctx, "id = ?", clean(id))
}

func (t *Tx) session(ctx context.Context, where string, arg any) (blueberry.Session, error) {
	row, err := one[sessionRow](ctx, t, "session", sessionNotFound(), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where(where, arg) })
	if err != nil {
		return blueberry.Session{}, err
	}
	return row.session()
}

// SessionsOf reads the live ones of a user (empty: of all users), newest first, before the id given.
func (t *Tx) SessionsOf(ctx context.Context, userID string, now time.Time, before string, limit int) ([]blueberry.Session, error) {
	rows, err := many[sessionRow](ctx, t, "sessions", func(s *bun.SelectQuery) *bun.SelectQuery {
		if userID != "" {
			s = s.Where("user_id = ?", clean(userID))
		}
		return newest(s.Where("revoked_at = 0").Where("expires_at > ?", micros(now)), before, limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, sessionRow.session)
}

// RevokeSessions ends the live sessions of a user but for the one with the id except; empty for all of them. It tells how many. An empty user has none.
func (t *Tx) RevokeSessions(ctx context.Context, userID, except, by string, at time.Time) (int, error) {
	res, err := t.db.NewUpdate().Model((*sessionRow)(nil)).Set("revoked_at = ?", micros(at)).Set("revoked_by = ?", clean(by)).
		Where("user_id = ?", clean(userID)).Where("id <> ?", clean(except)).Where("revoked_at = 0").Where("expires_at > ?", micros(at)).Exec(ctx)
	n, err := touched("revoke sessions", res, err)
	return int(n), err
}

// RevokeSession ends one, or is NotFound. One that was revoked before stays as it is.
func (t *Tx) RevokeSession(ctx context.Context, id, by string, at time.Time) error {
	res, err := t.db.NewUpdate().Model((*sessionRow)(nil)).Set("revoked_at = ?", micros(at)).Set("revoked_by = ?", clean(by)).
		Where("id = ?", clean(id)).Where("revoked_at = 0").Exec(ctx)
	if n, err := touched("revoke session", res, err); err != nil || n == 1 {
		return err
	}
	_, err = t.Session(ctx, id)
	return err
}

// TouchSession notes when a session was last seen; the time never goes back.
func (t *Tx) TouchSession(ctx context.Context, id string, at time.Time) error {
	return t.touch(ctx, "sessions", "last_seen_at", id, micros(at))
}

// SweepAccess removes sessions, links, attempts, device authorizations and OAuth tokens whose time was over before the time given, and tells how many. An OAuth
// token that was revoked stays until then: that it is used once more is what gives a thief away.
func (t *Tx) SweepAccess(ctx context.Context, before time.Time) (int, error) {
	var total int
	at := micros(before)
	for _, x := range []struct{ table, ended string }{
		{"sessions", "expires_at < ?0"},
		{"links", "expires_at < ?0"},
		{"attempts", "since < ?0 AND locked_until < ?0"},
		{"device_authorizations", "expires_at < ?0"},
		{"oauth_tokens", "expires_at < ?0"},
	} {
		res, err := t.db.NewDelete().Table(x.table).Where(x.ended, at).Exec(ctx)
		n, err := touched("sweep "+x.table, res, err)
		if err != nil {
			return 0, err
		}
		total += int(n)
	}
	return total, nil
}

type emergencyRow struct {
	bun.BaseModel `bun:"table:emergencies"`

	ID       string `bun:"id,pk"`
	UserID   string `bun:"user_id"`
	Reason   string `bun:"reason"`
	OpenedAt int64  `bun:"opened_at"`
	EndsAt   int64  `bun:"ends_at"`
	ClosedAt int64  `bun:"closed_at"`
}

func (r emergencyRow) emergency() (blueberry.Emergency, error) {
	return blueberry.Emergency{
		ID: r.ID, UserID: r.UserID, Reason: r.Reason, OpenedAt: timeOf(r.OpenedAt), EndsAt: timeOf(r.EndsAt), ClosedAt: timeOf(r.ClosedAt),
	}, nil
}

func emergencyNotFound() error {
	return blueberry.Errorf(blueberry.NotFound, "EMERGENCY_NOT_FOUND", "there is no such emergency")
}

// InsertEmergency adds one; Conflict when its id is there, NotFound when there is no such user.
func (t *Tx) InsertEmergency(ctx context.Context, e blueberry.Emergency) error {
	row := emergencyRow{ID: e.ID, UserID: e.UserID, Reason: clean(e.Reason), OpenedAt: micros(e.OpenedAt), EndsAt: micros(e.EndsAt), ClosedAt: micros(e.ClosedAt)}
	_, err := t.db.NewInsert().Model(&row).Exec(ctx)
	switch {
	case err == nil:
		return nil
	case isTaken(err):
		return blueberry.Errorf(blueberry.Conflict, "DUPLICATE_RESOURCE", "the emergency %s exists", e.ID)
	case missingReference(err):
		return userNotFound(e.UserID)
	}
	return fmt.Errorf("insert emergency: %w", err)
}

// Emergency reads one by id, or NotFound with code EMERGENCY_NOT_FOUND.
func (t *Tx) Emergency(ctx context.Context, id string) (blueberry.Emergency, error) {
	return t.emergency(ctx, func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
}

// OpenEmergency reads the one that is open of a user, or NotFound.
func (t *Tx) OpenEmergency(ctx context.Context, userID string, now time.Time) (blueberry.Emergency, error) {
	return t.emergency(ctx, func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("user_id = ?", clean(userID)).Where("closed_at = 0").Where("ends_at > ?", micros(now)).Order("ends_at DESC", "id DESC").Limit(1)
	})
}

func (t *Tx) emergency(ctx context.Context, narrow func(*bun.SelectQuery) *bun.SelectQuery) (blueberry.Emergency, error) {
	row, err := one[emergencyRow](ctx, t, "emergency", emergencyNotFound(), narrow)
	if err != nil {
		return blueberry.Emergency{}, err
	}
	return row.emergency()
}

// Emergencies reads one page, newest first.
func (t *Tx) Emergencies(ctx context.Context, before string, limit int) ([]blueberry.Emergency, error) {
	rows, err := many[emergencyRow](ctx, t, "emergencies", func(s *bun.SelectQuery) *bun.SelectQuery { return newest(s, before, limit) })
	if err != nil {
		return nil, err
	}
	return nouns(rows, emergencyRow.emergency)
}

// CloseEmergency ends one early, or is NotFound. One that was closed before stays as it is.
func (t *Tx) CloseEmergency(ctx context.Context, id string, at time.Time) error {
	res, err := t.db.NewUpdate().Model((*emergencyRow)(nil)).Set("closed_at = ?", micros(at)).Where("id = ?", clean(id)).Where("closed_at = 0").Exec(ctx)
	if n, err := touched("close emergency", res, err); err != nil || n == 1 {
		return err
	}
	_, err = t.Emergency(ctx, id)
	return err
}
