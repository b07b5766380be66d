package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type auditHeadRow struct {
	bun.BaseModel `bun:"table:audit_head"`

	ID   int64  `bun:"id,pk"`
	Seq  int64  `bun:"seq"`
	Hash string `bun:"hash"`
}

type auditCheckpointRow struct {
	bun.BaseModel `bun:"table:audit_checkpoints"`

	Seq       int64  `bun:"seq,pk"`
	Hash      string `bun:"hash"`
	At        int64  `bun:"at"`
	KeyID     string `bun:"key_id"`
	Signature []byte `bun:"signature"`
}

func (r auditCheckpointRow) checkpoint() blueberry.AuditCheckpoint {
	return blueberry.AuditCheckpoint{Seq: r.Seq, Hash: r.Hash, At: timeOf(r.At), KeyID: r.KeyID, Signature: r.Signature}
}

type auditArchiveRow struct {
	bun.BaseModel `bun:"table:audit_archives"`

	First      int64  `bun:"first_seq,pk"`
	Last       int64  `bun:"last_seq"`
	Name       string `bun:"name"`
	FirstPrev  string `bun:"first_prev"`
	LastHash   string `bun:"last_hash"`
	From       int64  `bun:"from_at"`
	To         int64  `bun:"to_at"`
	Entries    int    `bun:"entries"`
	Digest     string `bun:"digest"`
	ArchivedAt int64  `bun:"archived_at"`
}

func (r auditArchiveRow) archive() blueberry.AuditArchive {
	return blueberry.AuditArchive{
		Name: r.Name, First: r.First, Last: r.Last, FirstPrev: r.FirstPrev, LastHash: r.LastHash, From: timeOf(r.From), To: timeOf(r.To),
		Entries: r.Entries, Digest: r.Digest, ArchivedAt: timeOf(r.ArchivedAt),
	}
}

// AuditHead reads the end of the chain: the place and the hash of the last entry that is sealed; 0 and 64 zeros before the first.
func (t *Tx) AuditHead(ctx context.Context) (seq int64, hash string, err error) {
	return t.auditHead(ctx, "")
}

// LockAuditHead is AuditHead, and keeps every other transaction from locking it until this one ends.
func (t *Tx) LockAuditHead(ctx context.Context) (seq int64, hash string, err error) {
	if t.readOnly {
		return 0, "", errReadOnly
	}
	return t.auditHead(ctx, "UPDATE")
}

func (t *Tx) auditHead(ctx context.Context, lock string) (int64, string, error) {
	var row auditHeadRow
	if err := t.locking(t.db.NewSelect().Model(&row).Where("id = 1"), lock).Scan(ctx); err != nil {
		return 0, "", fmt.Errorf("read the head of the audit: %w", err)
	}
	return row.Seq, row.Hash, nil
}

// UnsealedAudit reads entries that have no place in the chain yet, in the order of their ids.
func (t *Tx) UnsealedAudit(ctx context.Context, limit int) ([]blueberry.AuditEntry, error) {
	var rows []auditRow
	if err := t.db.NewSelect().Model(&rows).Where("seq = 0").Order("id").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read unsealed audit: %w", err)
	}
	return auditEntries(rows)
}

// SealAudit writes Seq, Prev and Hash of entries that had none, and makes the last one the head. The caller has locked the head.
func (t *Tx) SealAudit(ctx context.Context, entries []blueberry.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	rows := make([]auditRow, len(entries))
	for i, e := range entries {
		rows[i] = auditRow{ID: e.ID, Seq: e.Seq, Prev: e.Prev, Hash: e.Hash}
	}
	res, err := t.db.NewUpdate().With("sealed", t.db.NewValues(&rows).Column("id", "seq", "prev", "hash")).Model((*auditRow)(nil)).TableExpr("sealed").
		Set("seq = sealed.seq").Set("prev = sealed.prev").Set("hash = sealed.hash").Where("?TableAlias.id = sealed.id").Where("?TableAlias.seq = 0").Exec(ctx)
	n, err := touched("seal audit", res, err)
	if err != nil {
		return err
	}
	last := entries[len(entries)-1]
	res, err = t.db.NewUpdate().Model((*auditHeadRow)(nil)).Set("seq = ?", last.Seq).Set("hash = ?", last.Hash).
		Where("id = 1").Where("seq = ?", entries[0].Seq-1).Where("hash = ?", entries[0].Prev).Exec(ctx)
	moved, err := touched("move the head of the audit", res, err)
	if err != nil {
		return err
	}
	if n != int64(len(entries)) || moved != 1 {
		return fmt.Errorf("seal audit: %d of %d entries were unsealed, %d heads fit", n, len(entries), moved)
	}
	return nil
}

// PutAuditCheckpoint keeps a signature under the chain.
func (t *Tx) PutAuditCheckpoint(ctx context.Context, c blueberry.AuditCheckpoint) error {
	row := auditCheckpointRow{Seq: c.Seq, Hash: c.Hash, At: micros(c.At), KeyID: c.KeyID, Signature: c.Signature}
	if _, err := t.db.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("insert audit checkpoint: %w", err)
	}
	return nil
}

// DropAuditCheckpoint removes one; that it is not there is no error.
func (t *Tx) DropAuditCheckpoint(ctx context.Context, seq int64) error {
	if _, err := t.db.NewDelete().Model((*auditCheckpointRow)(nil)).Where("seq = ?", seq).Exec(ctx); err != nil {
		return fmt.Errorf("delete audit checkpoint: %w", err)
	}
	return nil
}

// AuditCheckpoints reads checkpoints in the order of the chain, those behind the place after, up to the place until.
func (t *Tx) AuditCheckpoints(ctx context.Context, after, until int64, limit int) ([]blueberry.AuditCheckpoint, error) {
	var rows []auditCheckpointRow
	if err := t.db.NewSelect().Model(&rows).Where("seq > ?", after).Where("seq <= ?", until).Order("seq").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read audit checkpoints: %w", err)
	}
	return auditCheckpoints(rows), nil
}

// LastAuditCheckpoints reads the newest, newest first.
func (t *Tx) LastAuditCheckpoints(ctx context.Context, limit int) ([]blueberry.AuditCheckpoint, error) {
	var rows []auditCheckpointRow
	if err := t.db.NewSelect().Model(&rows).Order("seq DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the last audit checkpoints: %w", err)
	}
	return auditCheckpoints(rows), nil
}

func auditCheckpoints(rows []auditCheckpointRow) []blueberry.AuditCheckpoint {
	out := make([]blueberry.AuditCheckpoint, len(rows))
	for i, r := range rows {
		out[i] = r.checkpoint()
	}
	return out
}

// ArchiveAudit notes that a run of entries is in the objects, and removes it from the record. It fails when these are not exactly the entries that are there.
func (t *Tx) ArchiveAudit(ctx context.Context, a blueberry.AuditArchive) error {
	row := auditArchiveRow{
		First: a.First, Last: a.Last, Name: a.Name, FirstPrev: a.FirstPrev, LastHash: a.LastHash, From: micros(a.From), To: micros(a.To),
		Entries: a.Entries, Digest: a.Digest, ArchivedAt: micros(a.ArchivedAt),
	}
	_, err := t.db.NewInsert().Model(&row).Exec(ctx)
	if isTaken(err) {
		return blueberry.Errorf(blueberry.Conflict, "AUDIT_ARCHIVED", "the entries %d to %d were archived by someone else", a.First, a.Last)
	}
	if err != nil {
		return fmt.Errorf("insert audit archive: %w", err)
	}
	res, err := t.db.NewDelete().Model((*auditRow)(nil)).Where("seq > 0").Where("seq BETWEEN ? AND ?", a.First, a.Last).Exec(ctx)
	n, err := touched("delete archived audit", res, err)
	if err != nil {
		return err
	}
	if n != int64(a.Entries) || a.Last-a.First+1 != n {
		return fmt.Errorf("archive audit: %d of %d entries from %d to %d are in the record", n, a.Entries, a.First, a.Last)
	}
	return nil
}

// AuditArchives reads the archives that may hold entries of a time, to excluded, the one that goes on longest first, at most limit. Zero times bound nothing.
func (t *Tx) AuditArchives(ctx context.Context, from, to time.Time, limit int) ([]blueberry.AuditArchive, error) {
	var rows []auditArchiveRow
	sel := t.db.NewSelect().Model(&rows)
	if !from.IsZero() {
		sel = sel.Where("to_at >= ?", micros(from))
	}
	if !to.IsZero() {
		sel = sel.Where("from_at < ?", micros(to))
	}
	if err := sel.Order("to_at DESC", "first_seq DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read audit archives: %w", err)
	}
	out := make([]blueberry.AuditArchive, len(rows))
	for i, r := range rows {
		out[i] = r.archive()
	}
	return out, nil
}

// AuditArchiveOf reads the archive that holds the entry at a place of the chain; ok is false when that one is in the record, or nowhere yet.
func (t *Tx) AuditArchiveOf(ctx context.Context, seq int64) (a blueberry.AuditArchive, ok bool, err error) {
	var rows []auditArchiveRow
	if err := t.db.NewSelect().Model(&rows).Where("first_seq <= ?", seq).Order("first_seq DESC").Limit(1).Scan(ctx); err != nil {
		return a, false, fmt.Errorf("read audit archive: %w", err)
	}
	if len(rows) == 0 || rows[0].Last < seq {
		return a, false, nil
	}
	return rows[0].archive(), true, nil
}
