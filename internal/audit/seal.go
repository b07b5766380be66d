package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	sealBatch    = 500  // entries in one transaction, which keeps the writer of SQLite for some milliseconds
	keptDistance = 1000 // entries, after which a checkpoint stays however soon it comes
)

// Seal gives every entry that has none its place in the chain, in the order of their ids, and signs the new end. It tells how many it sealed. An entry whose
// transaction ends late comes behind those that were sealed meanwhile.
func (a *Auditor) Seal(ctx context.Context) (n int, err error) {
	for {
		sealed, err := a.sealBatch(ctx)
		n += sealed
		if err != nil {
			return n, fmt.Errorf("seal audit: %w", err)
		}
		if sealed < sealBatch {
			return n, nil
		}
	}
}

func (a *Auditor) sealBatch(ctx context.Context) (n int, err error) {
	waiting := false
	if err := a.Record.View(ctx, func(tx Tx) error { // without locking anything
		entries, err := tx.UnsealedAudit(ctx, 1)
		waiting = len(entries) > 0
		return err
	}); err != nil || !waiting {
		return 0, err
	}
	known, knownHash, err := a.lastKnown(ctx)
	if err != nil {
		return 0, err
	}
	var end int64
	var endHash string
	err = a.Record.Update(ctx, func(tx Tx) error {
		n = 0
		seq, hash, err := tx.LockAuditHead(ctx)
		if err != nil {
			return err
		}
		if err := a.standsOn(ctx, tx, seq, known, knownHash); err != nil {
			return err
		}
		entries, err := tx.UnsealedAudit(ctx, sealBatch)
		if err != nil || len(entries) == 0 { // another process was first
			return err
		}
		for i := range entries {
			seq++
			if err := chain(&entries[i], seq, hash); err != nil {
				return err
			}
			hash = entries[i].Hash
		}
		if err := tx.SealAudit(ctx, entries); err != nil {
			return err
		}
		n, end, endHash = len(entries), seq, hash
		return a.checkpoint(ctx, tx, seq, hash)
	})
	if err != nil || n == 0 {
		return 0, err
	}
	if a.Witness == nil {
		return n, nil
	}
	return n, a.Witness.Keep(ctx, end, endHash)
}

func (a *Auditor) lastKnown(ctx context.Context) (seq int64, hash string, err error) {
	if a.Witness == nil {
		return 0, "", nil
	}
	return a.Witness.Last(ctx)
}

// errRewritten: the record holds less of the chain, or another one, than this process signed. Nothing is signed then: a signature would make it whole again.
var errRewritten = errors.New("the audit in the record is not the one that this server signed: entries were removed or rewritten, or an older copy was restored; " +
	"compare an export with one from before, then remove the file audit-head to go on")

// standsOn makes sure that the chain still holds the end that was signed last.
func (a *Auditor) standsOn(ctx context.Context, tx Tx, head, known int64, hash string) error {
	if known == 0 {
		return nil
	}
	if head < known {
		return errRewritten
	}
	found, err := tx.AuditRun(ctx, blueberry.AuditQuery{}, known-1, known, 1)
	if err != nil {
		return err
	}
	if len(found) == 1 && found[0].Hash != hash {
		return errRewritten
	}
	return nil // or it is in the archive by now
}

func chain(e *blueberry.AuditEntry, seq int64, prev string) error {
	e.Seq, e.Prev = seq, prev
	raw, err := Canonical(*e)
	if err != nil {
		return err
	}
	e.Hash, err = hashOf(prev, raw)
	return err
}

// checkpoint signs the new end, and removes the signature under the end before, unless it is the first of its minute or of its thousand.
func (a *Auditor) checkpoint(ctx context.Context, tx Tx, seq int64, hash string) error {
	last, err := tx.LastAuditCheckpoints(ctx, 2)
	if err != nil {
		return err
	}
	if len(last) == 2 && last[0].At.Truncate(time.Minute).Equal(last[1].At.Truncate(time.Minute)) && last[0].Seq/keptDistance == last[1].Seq/keptDistance {
		if err := tx.DropAuditCheckpoint(ctx, last[0].Seq); err != nil {
			return err
		}
	}
	c := blueberry.AuditCheckpoint{Seq: seq, Hash: hash, At: a.Now().UTC().Truncate(time.Microsecond)}
	c.KeyID, c.Signature = a.Signer.Sign(SignedCheckpoint(c))
	return tx.PutAuditCheckpoint(ctx, c)
}
