package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	archiveEntries  = 10_000
	archiveAttempts = 10      // that may be lost to other processes in one call
	maxArchive      = 1 << 30 // bytes of lines: 10,000 entries of the largest kind have less
	maxOrphans      = 100
)

// line is an entry in an archive or an export.
type line struct {
	Entry json.RawMessage `json:"entry"`
	Prev  string          `json:"prev"`
	Hash  string          `json:"hash"`
}

func lineOf(e blueberry.AuditEntry) (line, error) {
	raw, err := Canonical(e)
	return line{Entry: raw, Prev: e.Prev, Hash: e.Hash}, err
}

// Archive moves the sealed entries that are older than blueberry.AuditLive to the objects, oldest first, and tells how many. A process may die at any line: an
// object that no row of the record names is written again, and removed when another one has taken its place.
func (a *Auditor) Archive(ctx context.Context) (n int, err error) {
	for lost := 0; ; {
		moved, err := a.archiveRun(ctx)
		n += moved
		if isConflict(err) && lost < archiveAttempts { // another process moved these
			lost++
			continue
		}
		if err != nil {
			return n, fmt.Errorf("archive audit: %w", err)
		}
		if moved < archiveEntries {
			return n, nil
		}
	}
}

// archiveRun moves one run. The object is there, for good, before the entries leave the record.
func (a *Auditor) archiveRun(ctx context.Context) (int, error) {
	run, err := a.oldRun(ctx)
	if err != nil || len(run) == 0 {
		return 0, err
	}
	content, err := pack(run)
	if err != nil {
		return 0, err
	}
	first, last := run[0], run[len(run)-1]
	sum := sha256.Sum256(content)
	prefix := fmt.Sprintf("audit/%d/%012d-", first.At.UTC().Year(), first.Seq)
	archive := blueberry.AuditArchive{
		Name: fmt.Sprintf("%s%012d.jsonl.gz", prefix, last.Seq), First: first.Seq, Last: last.Seq, FirstPrev: first.Prev, LastHash: last.Hash,
		From: first.At, To: first.At, Entries: len(run), Digest: hex.EncodeToString(sum[:]), ArchivedAt: a.Now(),
	}
	for _, e := range run { // the times of a chain may go back a little
		if e.At.Before(archive.From) {
			archive.From = e.At
		}
		if e.At.After(archive.To) {
			archive.To = e.At
		}
	}
	if err := a.Objects.Put(ctx, archive.Name, bytes.NewReader(content)); err != nil {
		return 0, err
	}
	if err := a.Record.Update(ctx, func(tx Tx) error { return tx.ArchiveAudit(ctx, archive) }); err != nil {
		return 0, err
	}
	return len(run), a.dropOrphans(ctx, prefix, archive.Name)
}

// oldRun reads the oldest entries that are due, without a gap.
func (a *Auditor) oldRun(ctx context.Context) (run []blueberry.AuditEntry, err error) {
	due := a.Now().Add(-blueberry.AuditLive)
	err = a.Record.View(ctx, func(tx Tx) error {
		run = nil
		head, _, err := tx.AuditHead(ctx)
		if err != nil {
			return err
		}
		oldest, err := tx.AuditRun(ctx, blueberry.AuditQuery{}, 0, head, 1)
		if err != nil || len(oldest) == 0 || !oldest[0].At.Before(due) {
			return err
		}
		run, err = tx.AuditRun(ctx, blueberry.AuditQuery{}, 0, min(head, oldest[0].Seq+archiveEntries-1), archiveEntries)
		return err
	})
	for i, e := range run {
		if !e.At.Before(due) || e.Seq != run[0].Seq+int64(i) {
			return run[:i], err
		}
	}
	return run, err
}

// dropOrphans removes objects that begin with the same entry: of processes that died, or came too late, before the record named theirs. It is safe only behind
// the commit that named one, because no other can be named after that.
func (a *Auditor) dropOrphans(ctx context.Context, prefix, named string) error {
	names, err := a.Objects.List(ctx, prefix, "", maxOrphans)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if name != named {
			errs = append(errs, a.Objects.Delete(ctx, name))
		}
	}
	return errors.Join(errs...)
}

// pack gives the object of a run. The same run gives the same bytes.
func pack(run []blueberry.AuditEntry) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, e := range run {
		l, err := lineOf(e)
		if err != nil {
			return nil, err
		}
		text, err := encode(l)
		if err != nil {
			return nil, err
		}
		if _, err := z.Write(append(text, '\n')); err != nil {
			return nil, fmt.Errorf("pack audit: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack audit: %w", err)
	}
	return b.Bytes(), nil
}

// archived is an entry of an archive, and the bytes that were hashed.
type archived struct {
	line
	entry blueberry.AuditEntry
}

// unpack reads the object of an archive, and calls f for each entry that is in it, oldest first.
func unpack(content []byte, f func(archived) error) error {
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("unpack audit: %w", err)
	}
	d := json.NewDecoder(io.LimitReader(z, maxArchive))
	d.DisallowUnknownFields()
	for {
		var x archived
		if err := d.Decode(&x.line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("unpack audit: %w", err)
		}
		if x.entry, err = parse(x.Entry); err != nil {
			return err
		}
		x.entry.Prev, x.entry.Hash = x.Prev, x.Hash
		if err := f(x); err != nil {
			return err
		}
	}
}

// open reads an archive that the record names, if it is still what was put there.
func (a *Auditor) open(ctx context.Context, archive blueberry.AuditArchive, f func(archived) error) error {
	unreadable := func(why string) error {
		return blueberry.Errorf(blueberry.Unavailable, "AUDIT_ARCHIVE_UNREADABLE", "the archive %s of the audit, with the entries %d to %d, %s", archive.Name, archive.First, archive.Last, why)
	}
	r, err := a.Objects.Get(ctx, archive.Name)
	if errors.Is(err, blueberry.NotFound) {
		return unreadable("is missing")
	}
	if err != nil {
		a.Logger.WarnContext(ctx, "archive of the audit cannot be read", "archive", archive.Name, "error", err)
		return unreadable("cannot be reached")
	}
	content, err := io.ReadAll(io.LimitReader(r, maxArchive))
	if err := errors.Join(err, r.Close()); err != nil {
		a.Logger.WarnContext(ctx, "archive of the audit cannot be read", "archive", archive.Name, "error", err)
		return unreadable("cannot be read")
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != archive.Digest {
		return unreadable("is not what was archived")
	}
	return unpack(content, f)
}
