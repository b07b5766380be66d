package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type idempotencyRow struct {
	bun.BaseModel `bun:"table:idempotency_keys"`

	Actor         string `bun:"actor,pk"`
	Key           string `bun:"key,pk"`
	RequestDigest string `bun:"request_digest"`
	Status        int    `bun:"status"`
	Header        string `bun:"header"`
	Body          []byte `bun:"body,notnull"`
	CreatedAt     int64  `bun:"created_at"`
}

// ReserveIdempotency gives nil when the key is ours now, else what is known of the request that has it: its answer, or Status 0 while it is being worked
// on. The caller compares RequestDigest. A key older than IdempotencyLifetime, or reserved longer than IdempotencyPatience ago without an answer, is
// taken over.
func (t *Tx) ReserveIdempotency(ctx context.Context, actor, key, requestDigest string, now time.Time) (*blueberry.IdempotentAnswer, error) {
	actor, key = clean(actor), clean(key)
	row := idempotencyRow{Actor: actor, Key: key, RequestDigest: requestDigest, Header: "null", Body: []byte{}, CreatedAt: micros(now)}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT (actor, key) DO UPDATE").
		Set("request_digest = EXCLUDED.request_digest").Set("status = 0").Set("header = EXCLUDED.header").Set("body = EXCLUDED.body").
		Set("created_at = EXCLUDED.created_at").
		Where("idempotency_row.created_at <= ?", micros(now.Add(-blueberry.IdempotencyLifetime))).
		WhereOr("idempotency_row.status = 0 AND idempotency_row.created_at <= ?", micros(now.Add(-blueberry.IdempotencyPatience))).
		Exec(ctx)
	n, err := touched("reserve idempotency key", res, err)
	if err != nil || n == 1 {
		return nil, err
	}
	if err := t.db.NewSelect().Model(&row).WherePK().Scan(ctx); err != nil {
		return nil, fmt.Errorf("read idempotency key: %w", err)
	}
	a := &blueberry.IdempotentAnswer{
		Key: row.Key, Actor: row.Actor, RequestDigest: row.RequestDigest, Status: row.Status, Body: row.Body, CreatedAt: timeOf(row.CreatedAt),
	}
	return a, decode("header", row.Header, &a.Header)
}

// FinishIdempotency keeps the answer of the request that reserved the key. It does nothing when the reservation is gone.
func (t *Tx) FinishIdempotency(ctx context.Context, a blueberry.IdempotentAnswer) error {
	header, err := encode("header", a.Header)
	if err != nil {
		return err
	}
	_, err = t.db.NewUpdate().Model((*idempotencyRow)(nil)).
		Set("status = ?", a.Status).Set("header = ?", header).Set("body = ?", append([]byte{}, a.Body...)).
		Where("actor = ?", clean(a.Actor)).Where("key = ?", clean(a.Key)).Where("status = 0").Where("request_digest = ?", a.RequestDigest).Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	return nil
}

// ReleaseIdempotency gives a reserved key back, so that the request may be sent again. A key with an answer stays.
func (t *Tx) ReleaseIdempotency(ctx context.Context, actor, key string) error {
	_, err := t.db.NewDelete().Model((*idempotencyRow)(nil)).Where("actor = ?", clean(actor)).Where("key = ?", clean(key)).Where("status = 0").Exec(ctx)
	if err != nil {
		return fmt.Errorf("release idempotency key: %w", err)
	}
	return nil
}

// SweepIdempotency removes keys made before a time, and tells how many.
func (t *Tx) SweepIdempotency(ctx context.Context, before time.Time) (int, error) {
	res, err := t.db.NewDelete().Model((*idempotencyRow)(nil)).Where("created_at < ?", micros(before)).Exec(ctx)
	n, err := touched("sweep idempotency keys", res, err)
	return int(n), err
}

// releaseAbandoned gives back, on SQLite, the keys of requests that a process before this one did not finish: it is gone, as nobody else has the file.
// On PostgreSQL another process may work on them, and IdempotencyPatience decides.
func (t *Tx) releaseAbandoned(ctx context.Context) error {
	if t.store.dialect != SQLite {
		return nil
	}
	if _, err := t.db.NewDelete().Model((*idempotencyRow)(nil)).Where("status = 0").Exec(ctx); err != nil {
		return fmt.Errorf("release abandoned idempotency keys: %w", err)
	}
	return nil
}
