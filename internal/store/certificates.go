package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type certificateRow struct {
	bun.BaseModel `bun:"table:certificates"`

	Serial    string `bun:"serial,pk"`
	Name      string `bun:"name"`
	NotBefore int64  `bun:"not_before"`
	NotAfter  int64  `bun:"not_after"`
	IssuedBy  string `bun:"issued_by"`
	RevokedAt int64  `bun:"revoked_at"`
	RevokedBy string `bun:"revoked_by"`
}

func (r certificateRow) certificate() blueberry.Certificate {
	return blueberry.Certificate{
		Serial: r.Serial, Name: r.Name, NotBefore: timeOf(r.NotBefore), NotAfter: timeOf(r.NotAfter), IssuedBy: r.IssuedBy,
		RevokedAt: timeOf(r.RevokedAt), RevokedBy: r.RevokedBy,
	}
}

// InsertCertificate adds one that was issued.
func (t *Tx) InsertCertificate(ctx context.Context, c blueberry.Certificate) error {
	row := certificateRow{
		Serial: clean(c.Serial), Name: clean(c.Name), NotBefore: micros(c.NotBefore), NotAfter: micros(c.NotAfter), IssuedBy: clean(c.IssuedBy),
		RevokedAt: micros(c.RevokedAt), RevokedBy: clean(c.RevokedBy),
	}
	if _, err := t.db.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("insert certificate: %w", err)
	}
	return nil
}

// Certificate reads one by serial, or NotFound with code CERTIFICATE_NOT_FOUND.
func (t *Tx) Certificate(ctx context.Context, serial string) (blueberry.Certificate, error) {
	var row certificateRow
	err := t.db.NewSelect().Model(&row).Where("serial = ?", clean(serial)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Certificate{}, blueberry.Errorf(blueberry.NotFound, "CERTIFICATE_NOT_FOUND", "there is no certificate %s", serial)
	}
	if err != nil {
		return blueberry.Certificate{}, fmt.Errorf("read certificate: %w", err)
	}
	return row.certificate(), nil
}

// Certificates reads those that end after the time, the newest first, at most MaxPageSize.
func (t *Tx) Certificates(ctx context.Context, after time.Time) ([]blueberry.Certificate, error) {
	var rows []certificateRow
	err := t.db.NewSelect().Model(&rows).Where("not_after > ?", micros(after)).Order("not_before DESC", "serial").Limit(blueberry.MaxPageSize).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	out := make([]blueberry.Certificate, len(rows))
	for i, r := range rows {
		out[i] = r.certificate()
	}
	return out, nil
}

// RevokedCertificates reads the serials of those that are revoked and would not have ended by the time.
func (t *Tx) RevokedCertificates(ctx context.Context, now time.Time) ([]string, error) {
	var out []string
	err := t.db.NewSelect().Model((*certificateRow)(nil)).Column("serial").Where("revoked_at > 0").Where("not_after > ?", micros(now)).Order("serial").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("read revoked certificates: %w", err)
	}
	return out, nil
}

// RevokeCertificate ends one. One that is revoked already stays as it is.
func (t *Tx) RevokeCertificate(ctx context.Context, serial, by string, at time.Time) error {
	_, err := t.db.NewUpdate().Model((*certificateRow)(nil)).Set("revoked_at = ?", micros(at)).Set("revoked_by = ?", clean(by)).
		Where("serial = ?", clean(serial)).Where("revoked_at = 0").Exec(ctx)
	if err != nil {
		return fmt.Errorf("revoke certificate: %w", err)
	}
	return nil
}
