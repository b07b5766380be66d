package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type credentialsRow struct {
	bun.BaseModel `bun:"table:credentials"`

	UserID            string `bun:"user_id,pk"`
	Password          string `bun:"password"`
	PasswordChangedAt int64  `bun:"password_changed_at"`
	TOTPSecret        []byte `bun:"totp_secret"`
	TOTPConfirmedAt   int64  `bun:"totp_confirmed_at"`
	TOTPStep          int64  `bun:"totp_step"`
	RecoveryCodes     string `bun:"recovery_codes"`
	Version           int64  `bun:"version"`
}

// Credentials reads those of a user; of one who has none it gives an empty value at version 0. In Update it keeps other transactions from reading them so
// until this one ends: a sign-in and a change of the password come one after the other.
func (t *Tx) Credentials(ctx context.Context, userID string) (blueberry.Credentials, error) {
	rows, err := many[credentialsRow](ctx, t, "credentials", func(s *bun.SelectQuery) *bun.SelectQuery { return t.held(s.Where("user_id = ?", clean(userID))) })
	if err != nil || len(rows) == 0 {
		return blueberry.Credentials{UserID: userID}, err
	}
	r := rows[0]
	c := blueberry.Credentials{
		UserID: r.UserID, Password: r.Password, PasswordChangedAt: timeOf(r.PasswordChangedAt), TOTPSecret: r.TOTPSecret,
		TOTPConfirmedAt: timeOf(r.TOTPConfirmedAt), TOTPStep: r.TOTPStep, Version: r.Version,
	}
	return c, decode("recovery codes", r.RecoveryCodes, &c.RecoveryCodes)
}

// PutCredentials writes c if the row's version is still c.Version (0: there is no row), else Conflict with code VERSION_MOVED; the version then counts up
// by one. NotFound when there is no such user.
func (t *Tx) PutCredentials(ctx context.Context, c blueberry.Credentials) error {
	codes, err := encode("recovery codes", c.RecoveryCodes)
	if err != nil {
		return err
	}
	row := credentialsRow{
		UserID: c.UserID, Password: clean(c.Password), PasswordChangedAt: micros(c.PasswordChangedAt), TOTPSecret: c.TOTPSecret,
		TOTPConfirmedAt: micros(c.TOTPConfirmedAt), TOTPStep: c.TOTPStep, RecoveryCodes: codes, Version: c.Version + 1,
	}
	moved := guarded{label: "the credentials of user " + c.UserID, version: c.Version}.moved()
	if c.Version == 0 {
		res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		if missingReference(err) {
			return userNotFound(c.UserID)
		}
		return deleted("insert credentials", res, err, moved)
	}
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("user_id").Where("user_id = ?", clean(c.UserID)).Where("version = ?", c.Version).Exec(ctx)
	return deleted("update credentials", res, err, moved)
}

type passkeyRow struct {
	bun.BaseModel `bun:"table:passkeys,alias:passkeys"`

	ID           string `bun:"id,pk"`
	UserID       string `bun:"user_id"`
	Name         string `bun:"name"`
	CredentialID []byte `bun:"credential_id,notnull"`
	Data         []byte `bun:"data,notnull"`
	CreatedAt    int64  `bun:"created_at"`
	LastUsedAt   int64  `bun:"last_used_at"`
}

func (r passkeyRow) passkey() blueberry.Passkey {
	return blueberry.Passkey{
		ID: r.ID, UserID: r.UserID, Name: r.Name, CredentialID: r.CredentialID, Data: r.Data, CreatedAt: timeOf(r.CreatedAt), LastUsedAt: timeOf(r.LastUsedAt),
	}
}

func passkeyNotFound() error {
	return blueberry.Errorf(blueberry.NotFound, "PASSKEY_NOT_FOUND", "there is no such passkey")
}

// Passkeys reads those of a user, oldest first.
func (t *Tx) Passkeys(ctx context.Context, userID string) ([]blueberry.Passkey, error) {
	rows, err := many[passkeyRow](ctx, t, "passkeys", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("user_id = ?", clean(userID)) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b passkeyRow) int { return strings.Compare(a.ID, b.ID) }) // here, so that both databases give one order
	return nouns(rows, func(r passkeyRow) (blueberry.Passkey, error) { return r.passkey(), nil })
}

// PasskeyByCredential reads one by the authenticator's id of it, or NotFound. In Update it keeps other transactions from reading it so until this one ends:
// its counter is checked by one at a time.
func (t *Tx) PasskeyByCredential(ctx context.Context, credentialID []byte) (blueberry.Passkey, error) {
	row, err := one[passkeyRow](ctx, t, "passkey", passkeyNotFound(), func(s *bun.SelectQuery) *bun.SelectQuery {
		return t.held(s.Where("credential_id = ?", bytesOf(credentialID)))
	})
	return row.passkey(), err
}

// PutPasskey adds one, or changes its name, data and last use; Conflict with code DUPLICATE_RESOURCE when the credential is another passkey's, of whichever user.
func (t *Tx) PutPasskey(ctx context.Context, p blueberry.Passkey) error {
	row := passkeyRow{
		ID: p.ID, UserID: p.UserID, Name: clean(p.Name), CredentialID: bytesOf(p.CredentialID), Data: bytesOf(p.Data),
		CreatedAt: micros(p.CreatedAt), LastUsedAt: micros(p.LastUsedAt),
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT (credential_id) DO UPDATE").
		Set("name = EXCLUDED.name").Set("data = EXCLUDED.data").Set("last_used_at = EXCLUDED.last_used_at").
		Where("passkeys.id = EXCLUDED.id").Where("passkeys.user_id = EXCLUDED.user_id").Exec(ctx)
	taken := blueberry.Errorf(blueberry.Conflict, "DUPLICATE_RESOURCE", "the authenticator is registered already")
	switch {
	case isTaken(err): // the id, with another credential
		return taken
	case missingReference(err):
		return userNotFound(p.UserID)
	}
	return deleted("write passkey", res, err, taken)
}

// DeletePasskey removes one of a user, or NotFound.
func (t *Tx) DeletePasskey(ctx context.Context, userID, id string) error {
	res, err := t.db.NewDelete().Model((*passkeyRow)(nil)).Where("id = ?", clean(id)).Where("user_id = ?", clean(userID)).Exec(ctx)
	return deleted("delete passkey", res, err, passkeyNotFound())
}

// bytesOf is never nil, which would be no bytes but NULL.
func bytesOf(b []byte) []byte { return append([]byte{}, b...) }

type attemptsRow struct {
	bun.BaseModel `bun:"table:attempts"`

	Key         string `bun:"key,pk"`
	Failures    int    `bun:"failures"`
	Since       int64  `bun:"since"`
	LockedUntil int64  `bun:"locked_until"`
}

// Attempts reads what failed for a key; an empty value for nothing. In Update it keeps other transactions from reading it so until this one ends.
func (t *Tx) Attempts(ctx context.Context, key string) (blueberry.Attempts, error) {
	var rows []attemptsRow
	var err error
	if t.readOnly || t.store.dialect != Postgres {
		rows, err = many[attemptsRow](ctx, t, "attempts", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("key = ?", clean(key)) })
	} else { // makes the row when there is none: the first two failures of a key need one to wait for, too
		row := attemptsRow{Key: clean(key)}
		_, err = t.db.NewInsert().Model(&row).On("CONFLICT (key) DO UPDATE").Set("key = EXCLUDED.key").Returning("*").Exec(ctx)
		rows = []attemptsRow{row}
	}
	if err != nil {
		return blueberry.Attempts{}, fmt.Errorf("read attempts: %w", err)
	}
	a := blueberry.Attempts{Key: key}
	for _, r := range rows {
		a.Failures, a.Since, a.LockedUntil = r.Failures, timeOf(r.Since), timeOf(r.LockedUntil)
	}
	return a, nil
}

// PutAttempts writes it, and keeps other transactions from reading it until this one ends.
func (t *Tx) PutAttempts(ctx context.Context, a blueberry.Attempts) error {
	row := attemptsRow{Key: clean(a.Key), Failures: a.Failures, Since: micros(a.Since), LockedUntil: micros(a.LockedUntil)}
	_, err := t.db.NewInsert().Model(&row).On("CONFLICT (key) DO UPDATE").
		Set("failures = EXCLUDED.failures").Set("since = EXCLUDED.since").Set("locked_until = EXCLUDED.locked_until").Exec(ctx)
	if err != nil {
		return fmt.Errorf("write attempts: %w", err)
	}
	return nil
}
