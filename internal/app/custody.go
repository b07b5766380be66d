package app

import (
	"context"
	"net/url"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/custody"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/pki"
	"github.com/blueberry-idp/blueberry/internal/store"
)

func accessRecord(s *store.Store) access.Record {
	return narrow(s, func(tx *store.Tx) access.Tx { return tx })
}

// watchedOAuth is the record of the OAuth server, after whose writes the gate forgets what it knew whenever one has bumped the access epoch.
type watchedOAuth struct {
	record[oauth.Tx]
	moved func()
}

// Update runs f in a transaction that writes.
func (w watchedOAuth) Update(ctx context.Context, f func(tx oauth.Tx) error) error {
	bumped := false
	err := w.record.Update(ctx, func(tx oauth.Tx) error {
		bumped = false
		return f(bumpNoted{tx, &bumped})
	})
	if bumped { // after an error too: of a commit whose answer was lost nobody knows
		w.moved()
	}
	return err
}

type bumpNoted struct {
	oauth.Tx
	bumped *bool
}

// BumpAccessEpoch notes that it was called.
func (t bumpNoted) BumpAccessEpoch(ctx context.Context) error {
	*t.bumped = true
	return t.Tx.BumpAccessEpoch(ctx)
}

// platformSecrets keeps the platform's own secrets in the record, encrypted.
type platformSecrets struct {
	store  *store.Store
	keyset *keys.Keyset
	now    func() time.Time
}

func platformSecretBound(name string) string { return "platform_secrets.value:" + name }

// Get reads a value and its version, or NotFound.
func (p platformSecrets) Get(ctx context.Context, name string) (value []byte, version int64, err error) {
	var row blueberry.PlatformSecret
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.PlatformSecret(ctx, name)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	value, err = p.keyset.Open(row.Value, platformSecretBound(name))
	return value, row.Version, err
}

// Put makes the value when version is 0, else replaces the one of that version.
func (p platformSecrets) Put(ctx context.Context, name string, value []byte, version int64) error {
	box, err := p.keyset.Seal(value, platformSecretBound(name))
	if err != nil {
		return err
	}
	return p.store.Update(ctx, func(tx *store.Tx) error {
		now := p.now()
		return tx.PutPlatformSecret(ctx, blueberry.PlatformSecret{Name: name, Version: version, Value: box, CreatedAt: now, UpdatedAt: now})
	})
}

// sealed is everything in the record that is encrypted.
type sealed struct {
	store  *store.Store
	keyset *keys.Keyset
}

// Reencrypt seals anew what is not sealed by the newest key.
func (s sealed) Reencrypt(ctx context.Context) (int, error) {
	return s.store.Reencrypt(ctx, store.Reseal{Current: s.keyset.Current, Open: s.keyset.Open, Seal: s.keyset.Seal})
}

// KeysInUse names the keys that something is sealed with.
func (s sealed) KeysInUse(ctx context.Context) ([]string, error) {
	return s.store.KeysInUse(ctx, keys.SealedBy)
}

// authority gives custody the authority of pki.
type authority struct{ *pki.CA }

// Issue signs a certificate. The authority is made at its first use.
func (a authority) Issue(ctx context.Context, name string, request []byte, life time.Duration) (custody.Issued, error) {
	if err := a.Open(ctx); err != nil {
		return custody.Issued{}, err
	}
	i, err := a.CA.Issue(ctx, name, request, life)
	if err != nil {
		return custody.Issued{}, err
	}
	return custody.Issued{
		Certificate: blueberry.Certificate{Serial: i.Serial, Name: i.Name, NotBefore: i.NotBefore, NotAfter: i.NotAfter}, PEM: i.Certificate, Key: i.Key,
	}, nil
}

// Roots gives the roots that are trusted, PEM.
func (a authority) Roots(ctx context.Context) ([]byte, error) {
	if err := a.Open(ctx); err != nil {
		return nil, err
	}
	return a.CA.Roots(ctx), nil
}

// Rotate makes a new root.
func (a authority) Rotate(ctx context.Context) error {
	if err := a.Open(ctx); err != nil {
		return err
	}
	return a.CA.Rotate(ctx)
}

// withoutPassword parts a URL from its password.
func withoutPassword(text string) (bare, password string) {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text, ""
	}
	password, _ = u.User.Password()
	if u.User = url.User(u.User.Username()); u.User.Username() == "" {
		u.User = nil
	}
	return u.String(), password
}
