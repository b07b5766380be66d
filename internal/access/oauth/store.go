package oauth

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Record is what the OAuth server needs of the record. Closures may run twice, so they do no I/O but through tx.
type Record interface {
	Update(ctx context.Context, f func(tx Tx) error) error
	View(ctx context.Context, f func(tx Tx) error) error
}

// Tx is one transaction of the record.
type Tx interface {
	Clients
	Tokens
	Devices
	Tries

	// BumpAccessEpoch has every process forget what it knows of who may do what.
	BumpAccessEpoch(ctx context.Context) error
	// AppendAudit adds what an actor did; ID and Caller are given by the record.
	AppendAudit(ctx context.Context, a blueberry.AuditEntry) error
}

// Clients are the programs that may ask.
type Clients interface {
	// OAuthClient reads one by id, or NotFound with code OAUTH_CLIENT_NOT_FOUND.
	OAuthClient(ctx context.Context, id string) (blueberry.OAuthClient, error)
	// OAuthClients reads one page by id, after the id given.
	OAuthClients(ctx context.Context, after string, limit int) ([]blueberry.OAuthClient, error)
	// PutOAuthClient adds one (Version 0) or changes it at its version; Conflict with code DUPLICATE_RESOURCE or VERSION_MOVED. LastUsedAt stays.
	PutOAuthClient(ctx context.Context, c blueberry.OAuthClient) error
	// DeleteOAuthClient removes one with its consents and tokens, or NotFound.
	DeleteOAuthClient(ctx context.Context, id string) error
	// TouchOAuthClient notes when a client was last used; the time never goes back.
	TouchOAuthClient(ctx context.Context, id string, at time.Time) error
	// Consent reads what a user allowed a client, or NotFound.
	Consent(ctx context.Context, userID, clientID string) (blueberry.Consent, error)
	// PutConsent adds or changes it.
	PutConsent(ctx context.Context, c blueberry.Consent) error
	// ConsentsOf reads what a user allowed clients, by id of the client.
	ConsentsOf(ctx context.Context, userID string) ([]blueberry.ClientConsent, error)
	// DeleteConsent removes it, or NotFound.
	DeleteConsent(ctx context.Context, userID, clientID string) error
}

// Tokens are the secrets that were issued.
type Tokens interface {
	InsertOAuthToken(ctx context.Context, t blueberry.OAuthToken) error
	// OAuthTokenByHash reads one of the kind, in whatever state, or NotFound with code OAUTH_TOKEN_NOT_FOUND. In Update it keeps other transactions from
	// reading it so until this one ends.
	OAuthTokenByHash(ctx context.Context, kind blueberry.OAuthTokenKind, hash []byte) (blueberry.OAuthToken, error)
	// OAuthToken reads one by id, in whatever state, or NotFound with code OAUTH_TOKEN_NOT_FOUND.
	OAuthToken(ctx context.Context, id string) (blueberry.OAuthToken, error)
	// UseOAuthToken notes a use: the first sets UsedAt, each LastUsedAt.
	UseOAuthToken(ctx context.Context, hash []byte, at time.Time) error
	// RevokeOAuthToken ends one; one that has ended stays as it is. It reports whether it did.
	RevokeOAuthToken(ctx context.Context, hash []byte, at time.Time) (bool, error)
	// RevokeFamily ends every token of a family, and tells how many.
	RevokeFamily(ctx context.Context, family string, at time.Time) (int, error)
	// RevokeOAuthTokens ends every token of a user and client; empty for any. It tells how many. Devices that were let in and wait get none any more.
	RevokeOAuthTokens(ctx context.Context, userID, clientID string, at time.Time) (int, error)
	// ListOAuthTokens reads one page, newest first.
	ListOAuthTokens(ctx context.Context, q blueberry.OAuthTokenQuery) ([]blueberry.OAuthToken, error)
}

// Devices are programs that wait for a person.
type Devices interface {
	// InsertDevice adds one; Conflict when the user code is taken by one that is pending.
	InsertDevice(ctx context.Context, d blueberry.DeviceAuthorization) error
	// DeviceByCode reads one by the hash of its device code, or NotFound.
	DeviceByCode(ctx context.Context, hash []byte) (blueberry.DeviceAuthorization, error)
	// DeviceByUserCode reads the newest by the hash of its user code, or NotFound.
	DeviceByUserCode(ctx context.Context, hash []byte) (blueberry.DeviceAuthorization, error)
	// UpdateDevice writes d if the row's version is still d.Version, else Conflict with code VERSION_MOVED.
	UpdateDevice(ctx context.Context, d blueberry.DeviceAuthorization) error
}

// Tries counts who typed wrong user codes. They are access's.
type Tries interface {
	// Attempts reads what failed for a key; an empty value for nothing.
	Attempts(ctx context.Context, key string) (blueberry.Attempts, error)
	// PutAttempts writes it, and keeps other transactions from reading it until this one ends.
	PutAttempts(ctx context.Context, a blueberry.Attempts) error
}
