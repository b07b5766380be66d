package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type oauthTokenRow struct {
	bun.BaseModel `bun:"table:oauth_tokens"`

	Hash       []byte `bun:"hash,pk"`
	ID         string `bun:"id"`
	Kind       string `bun:"kind"`
	Family     string `bun:"family"`
	ClientID   string `bun:"client_id"`
	UserID     string `bun:"user_id"`
	Scopes     string `bun:"scopes"`
	Request    []byte `bun:"request"`
	IssuedAt   int64  `bun:"issued_at"`
	ExpiresAt  int64  `bun:"expires_at"`
	UsedAt     int64  `bun:"used_at"`
	LastUsedAt int64  `bun:"last_used_at"`
	RevokedAt  int64  `bun:"revoked_at"`
}

func (r oauthTokenRow) token() (blueberry.OAuthToken, error) {
	k := blueberry.OAuthToken{
		Hash: r.Hash, ID: r.ID, Kind: blueberry.OAuthTokenKind(r.Kind), Family: r.Family, ClientID: r.ClientID, UserID: r.UserID, Request: r.Request,
		IssuedAt: timeOf(r.IssuedAt), ExpiresAt: timeOf(r.ExpiresAt), UsedAt: timeOf(r.UsedAt), LastUsedAt: timeOf(r.LastUsedAt), RevokedAt: timeOf(r.RevokedAt),
	}
	return k, decode("scopes", r.Scopes, &k.Scopes)
}

// InsertOAuthToken adds a token; Conflict when its id or hash is there, NotFound when there is no such client.
func (t *Tx) InsertOAuthToken(ctx context.Context, k blueberry.OAuthToken) error {
	scopes, err := encode("scopes", k.Scopes)
	if err != nil {
		return err
	}
	row := oauthTokenRow{
		Hash: bytesOf(k.Hash), ID: k.ID, Kind: string(k.Kind), Family: clean(k.Family), ClientID: clean(k.ClientID), UserID: k.UserID, Scopes: scopes, Request: k.Request,
		IssuedAt: micros(k.IssuedAt), ExpiresAt: micros(k.ExpiresAt), UsedAt: micros(k.UsedAt), LastUsedAt: micros(k.LastUsedAt), RevokedAt: micros(k.RevokedAt),
	}
	_, err = t.db.NewInsert().Model(&row).Exec(ctx)
	switch {
	case err == nil:
		return nil
	case isTaken(err):
		return blueberry.Errorf(blueberry.Conflict, "DUPLICATE_RESOURCE", "the OAuth token %s exists", k.ID)
	case missingReference(err):
		return clientNotFound(k.ClientID)
	}
	return fmt.Errorf("insert OAuth token: %w", err)
}

// OAuthTokenByHash reads one of the kind, in whatever state, or NotFound with code OAUTH_TOKEN_NOT_FOUND. In Update it keeps other transactions from reading
// it so until this one ends.
func (t *Tx) OAuthTokenByHash(ctx context.Context, kind blueberry.OAuthTokenKind, hash []byte) (blueberry.OAuthToken, error) {
	missing := blueberry.Errorf(blueberry.NotFound, "OAUTH_TOKEN_NOT_FOUND", "there is no such OAuth token")
	row, err := one[oauthTokenRow](ctx, t, "OAuth token", missing, func(s *bun.SelectQuery) *bun.SelectQuery {
		return t.held(s.Where("hash = ?", bytesOf(hash)).Where("kind = ?", clean(string(kind))))
	})
	if err != nil {
		return blueberry.OAuthToken{}, err
	}
	return row.token()
}

// OAuthToken reads one by id, in whatever state, or NotFound with code OAUTH_TOKEN_NOT_FOUND.
func (t *Tx) OAuthToken(ctx context.Context, id string) (blueberry.OAuthToken, error) {
	missing := blueberry.Errorf(blueberry.NotFound, "OAUTH_TOKEN_NOT_FOUND", "there is no such OAuth token")
	row, err := one[oauthTokenRow](ctx, t, "OAuth token", missing, func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.OAuthToken{}, err
	}
	return row.token()
}

// UseOAuthToken notes a use: the first sets UsedAt, each LastUsedAt, which never goes back.
func (t *Tx) UseOAuthToken(ctx context.Context, hash []byte, at time.Time) error {
	_, err := t.db.NewUpdate().Model((*oauthTokenRow)(nil)).
		Set("used_at = CASE WHEN used_at = 0 THEN ?0 ELSE used_at END", micros(at)).Set("last_used_at = ?", micros(at)).
		Where("hash = ?", bytesOf(hash)).Where("last_used_at < ?", micros(at)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("note use of OAuth token: %w", err)
	}
	return nil
}

// RevokeOAuthToken ends one; one that has ended stays as it is. It reports whether it did.
func (t *Tx) RevokeOAuthToken(ctx context.Context, hash []byte, at time.Time) (bool, error) {
	n, err := t.endOAuthTokens(ctx, at, "hash = ?", bytesOf(hash))
	return n > 0, err
}

// RevokeFamily ends every token of a family, and tells how many. One that is being made of another one of the family at this moment ends too.
func (t *Tx) RevokeFamily(ctx context.Context, family string, at time.Time) (int, error) {
	return t.endAll(ctx, at, []condition{{"family", family}})
}

// RevokeOAuthTokens ends every token of a user and client, as RevokeFamily does; empty for any. It tells how many. A device that was let in and has not come for
// its tokens gets none any more.
func (t *Tx) RevokeOAuthTokens(ctx context.Context, userID, clientID string, at time.Time) (int, error) {
	var where []condition
	for _, c := range []condition{{"user_id", userID}, {"client_id", clientID}} {
		if c.value != "" {
			where = append(where, c)
		}
	}
	if err := t.denyDevices(ctx, where); err != nil { // first: one that comes for its tokens now has them by the time they are ended
		return 0, err
	}
	return t.endAll(ctx, at, where)
}

func (t *Tx) denyDevices(ctx context.Context, conditions []condition) error {
	q := t.db.NewUpdate().Model((*deviceRow)(nil)).Set("status = ?", string(blueberry.DeviceDenied)).Set("version = version + 1").
		Where("status = ?", string(blueberry.DeviceApproved))
	for _, c := range conditions {
		q = q.Where("? = ?", bun.Ident(c.column), clean(c.value))
	}
	if _, err := q.Exec(ctx); err != nil {
		return fmt.Errorf("deny devices: %w", err)
	}
	return nil
}

// condition is what a column has to be.
type condition struct{ column, value string }

// endAll ends tokens. Whoever exchanges a token for new ones holds the row of the old one until the new ones are there to see. So the rows are locked first,
// and again until there are no more of them: then nobody is left who could have made one that was not seen.
func (t *Tx) endAll(ctx context.Context, at time.Time, conditions []condition) (total int, err error) {
	where, args := "TRUE", []any{}
	for _, c := range conditions {
		where, args = where+" AND ? = ?", append(args, bun.Ident(c.column), clean(c.value))
	}
	for before := -1; ; {
		var hashes [][]byte
		sel := t.db.NewSelect().Model((*oauthTokenRow)(nil)).Column("hash").Where(where, args...).Order("hash")
		if err := t.held(sel).Scan(ctx, &hashes); err != nil {
			return total, fmt.Errorf("lock OAuth tokens: %w", err)
		}
		if len(hashes) == before {
			return total, nil
		}
		before = len(hashes)
		n, err := t.endOAuthTokens(ctx, at, where, args...)
		if err != nil {
			return total, err
		}
		total += n
	}
}

func (t *Tx) endOAuthTokens(ctx context.Context, at time.Time, where string, args ...any) (int, error) {
	res, err := t.db.NewUpdate().Model((*oauthTokenRow)(nil)).Set("revoked_at = ?", micros(at)).
		Where(where, args...).Where("revoked_at = 0").Where("expires_at > ?", micros(at)).Exec(ctx)
	n, err := touched("revoke OAuth tokens", res, err)
	return int(n), err
}

// ListOAuthTokens reads one page, newest first.
func (t *Tx) ListOAuthTokens(ctx context.Context, q blueberry.OAuthTokenQuery) ([]blueberry.OAuthToken, error) {
	rows, err := many[oauthTokenRow](ctx, t, "OAuth tokens", func(s *bun.SelectQuery) *bun.SelectQuery {
		for _, c := range []condition{{"user_id", q.UserID}, {"client_id", q.ClientID}, {"family", q.Family}} {
			if c.value != "" {
				s = s.Where("? = ?", bun.Ident(c.column), clean(c.value))
			}
		}
		return newest(s, q.Before, q.Limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, oauthTokenRow.token)
}

type deviceRow struct {
	bun.BaseModel `bun:"table:device_authorizations"`

	ID           string `bun:"id,pk"`
	DeviceHash   []byte `bun:"device_hash,notnull"`
	UserCodeHash []byte `bun:"user_code_hash,notnull"`
	ClientID     string `bun:"client_id"`
	Scopes       string `bun:"scopes"`
	Address      string `bun:"address"`
	UserAgent    string `bun:"user_agent"`
	Status       string `bun:"status"`
	UserID       string `bun:"user_id"`
	CreatedAt    int64  `bun:"created_at"`
	ExpiresAt    int64  `bun:"expires_at"`
	PolledAt     int64  `bun:"polled_at"`
	Interval     int64  `bun:"poll_interval"`
	Version      int64  `bun:"version"`
}

func deviceToRow(d blueberry.DeviceAuthorization) (deviceRow, error) {
	scopes, err := encode("scopes", d.Scopes)
	return deviceRow{
		ID: d.ID, DeviceHash: bytesOf(d.DeviceHash), UserCodeHash: bytesOf(d.UserCodeHash), ClientID: clean(d.ClientID), Scopes: scopes,
		Address: clean(d.Address), UserAgent: clean(d.UserAgent), Status: string(d.Status), UserID: d.UserID,
		CreatedAt: micros(d.CreatedAt), ExpiresAt: micros(d.ExpiresAt), PolledAt: micros(d.PolledAt), Interval: d.Interval.Microseconds(), Version: d.Version,
	}, err
}

func deviceNotFound() error {
	return blueberry.Errorf(blueberry.NotFound, "DEVICE_NOT_FOUND", "there is no such device authorization")
}

// InsertDevice adds one; Conflict with code USER_CODE_TAKEN when the user code is taken by one that is pending, NotFound when there is no such client.
func (t *Tx) InsertDevice(ctx context.Context, d blueberry.DeviceAuthorization) error {
	row, err := deviceToRow(d)
	if err != nil {
		return err
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if missingReference(err) {
		return clientNotFound(d.ClientID)
	}
	return deleted("insert device authorization", res, err, blueberry.Errorf(blueberry.Conflict, "USER_CODE_TAKEN", "the user code is taken"))
}

// DeviceByCode reads one by the hash of its device code, or NotFound with code DEVICE_NOT_FOUND.
func (t *Tx) DeviceByCode(ctx context.Context, hash []byte) (blueberry.DeviceAuthorization, error) {
	return t.device(ctx, func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("device_hash = ?", bytesOf(hash)) })
}

// DeviceByUserCode reads the newest by the hash of its user code, or NotFound with code DEVICE_NOT_FOUND.
func (t *Tx) DeviceByUserCode(ctx context.Context, hash []byte) (blueberry.DeviceAuthorization, error) {
	return t.device(ctx, func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("user_code_hash = ?", bytesOf(hash)).Order("id DESC").Limit(1)
	})
}

func (t *Tx) device(ctx context.Context, narrow func(*bun.SelectQuery) *bun.SelectQuery) (blueberry.DeviceAuthorization, error) {
	r, err := one[deviceRow](ctx, t, "device authorization", deviceNotFound(), narrow)
	if err != nil {
		return blueberry.DeviceAuthorization{}, err
	}
	d := blueberry.DeviceAuthorization{
		ID: r.ID, DeviceHash: r.DeviceHash, UserCodeHash: r.UserCodeHash, ClientID: r.ClientID, Address: r.Address, UserAgent: r.UserAgent,
		Status: blueberry.DeviceStatus(r.Status), UserID: r.UserID, CreatedAt: timeOf(r.CreatedAt), ExpiresAt: timeOf(r.ExpiresAt), PolledAt: timeOf(r.PolledAt),
		Interval: time.Duration(r.Interval) * time.Microsecond, Version: r.Version,
	}
	return d, decode("scopes", r.Scopes, &d.Scopes)
}

// UpdateDevice writes d if the row's version is still d.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
func (t *Tx) UpdateDevice(ctx context.Context, d blueberry.DeviceAuthorization) error {
	row, err := deviceToRow(d)
	if err != nil {
		return err
	}
	row.Version++
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "device_hash", "user_code_hash", "client_id", "created_at").
		Where("id = ?", clean(d.ID)).Where("version = ?", d.Version).Exec(ctx)
	g := guarded{
		label: "the device authorization", version: d.Version,
		there: t.db.NewSelect().Model((*deviceRow)(nil)).Where("id = ?", clean(d.ID)), missing: deviceNotFound(),
	}
	return g.check(ctx, "update device authorization", res, err)
}
