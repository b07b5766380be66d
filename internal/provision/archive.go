package provision

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// archive puts into the objects what is kept of an environment, and gives the archive to be recorded. r is the receipt of a removal; nil of an environment
// that failed and is still there. Objects that cannot be written hold up a removal for evidencePatience; then the receipt says what is missing. Of an
// outcome that is not nil the work ends there for now.
func (p *Provisioner) archive(ctx context.Context, e blueberry.Environment, r *blueberry.Receipt) (blueberry.Archive, *blueberry.JobOutcome, error) {
	now := p.Now()
	a := blueberry.Archive{
		EnvironmentID: e.ID, Project: e.Project, Environment: e.Name, Target: e.Target, Owner: e.Owner, State: blueberry.ArchivedFailed, Reason: e.Reason,
		Revision: e.Revision, CreatedAt: e.CreatedAt, ArchivedAt: now, LogsUntil: now.Add(blueberry.KeepLogs), PurgeAt: now.Add(blueberry.KeepArchives),
	}
	if r != nil {
		a.State = blueberry.ArchivedEnded
	}
	var err error
	if p.Bucket != nil {
		a.Files, err = p.writeArchive(ctx, e, r)
	}
	switch {
	case ctx.Err() != nil:
		return a, nil, ctx.Err()
	case err != nil && r == nil:
		return a, nil, err
	case err != nil && now.Sub(lastGone(*r)) < evidencePatience:
		p.Logger.Warn("write archive", "environment", e.ID, "error", err)
		return a, &blueberry.JobOutcome{Again: retryRepository}, p.waits(ctx, e.ID, "waits for its archive: the objects cannot be written")
	case err != nil:
		p.Logger.Error("write archive", "environment", e.ID, "error", err)
		note(r, fmt.Sprintf("its archive is not complete: the objects could not be written for %s", evidencePatience))
	}
	if r != nil {
		kept := *r
		a.Receipt = &kept
	}
	if !slices.ContainsFunc(a.Files, func(f blueberry.ArchiveFile) bool { return isLog(f.Name) }) {
		a.LogsUntil = time.Time{}
	}
	return a, nil, nil
}

func isLog(file string) bool { return len(file) > 5 && file[:5] == "logs/" }

// writeArchive writes every file of an archive, and gives those that were written, also beside an error.
func (p *Provisioner) writeArchive(ctx context.Context, e blueberry.Environment, r *blueberry.Receipt) ([]blueberry.ArchiveFile, error) {
	ctx, stop := context.WithTimeout(ctx, archiveWithin)
	defer stop()
	var files []blueberry.ArchiveFile
	put := func(name string, content []byte) error {
		if err := p.put(ctx, objectName(e.ID, name), content); err != nil {
			return err
		}
		files = append(files, blueberry.ArchiveFile{Name: name, Size: int64(len(content))})
		return nil
	}
	index, err := p.readIndex(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	for _, f := range index.Files {
		files = append(files, blueberry.ArchiveFile{Name: f.Name, Size: f.Size})
	}
	if content, err := json.MarshalIndent(index, "", "  "); err == nil && !index.TakenAt.IsZero() {
		files = append(files, blueberry.ArchiveFile{Name: logIndexFile, Size: int64(len(content))})
	}
	record, rev, err := p.archiveRecord(ctx, e)
	if err != nil {
		return files, err
	}
	if err := put("record.json", record); err != nil {
		return files, err
	}
	for _, f := range rev.Rendering.Files {
		if err := put("manifests/"+f.Name, f.Content); err != nil {
			return files, err
		}
	}
	events, err := p.archiveEvents(ctx, e.ID)
	if err != nil {
		return files, err
	}
	if err := put("events.ndjson", events); err != nil {
		return files, err
	}
	if r == nil {
		return files, nil
	}
	content, err := json.MarshalIndent(receiptFileOf(*r), "", "  ")
	if err != nil {
		return files, fmt.Errorf("encode receipt: %w", err)
	}
	return files, put("receipt.json", content)
}

// archiveEvents gives every event of an environment, one a line.
func (p *Provisioner) archiveEvents(ctx context.Context, id string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for after := int64(0); ; {
		var list []blueberry.Event
		if err := p.Record.View(ctx, func(tx Tx) (err error) {
			list, err = tx.Events(ctx, blueberry.EventQuery{EnvironmentID: id, After: after, Limit: blueberry.MaxPageSize})
			return err
		}); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		for _, x := range list {
			if err := enc.Encode(eventLine{x.At, string(x.Type), x.Actor, x.Message}); err != nil {
				return nil, fmt.Errorf("encode event: %w", err)
			}
			after = x.Seq
		}
		if len(list) < blueberry.MaxPageSize {
			return b.Bytes(), nil
		}
	}
}

// ArchiveFailed is the worker of environment.archive: it keeps the logs and the record of an environment that failed, as they are now.
func (p *Provisioner) ArchiveFailed(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	e, err := p.read(ctx, job.Subject)
	if errors.Is(err, blueberry.NotFound) || err == nil && e.Phase != blueberry.Failed || p.Bucket == nil {
		return blueberry.JobOutcome{}, nil
	}
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	place, err := p.place(e.Target)
	if err == nil {
		_, err = p.collect(ctx, place, e, blueberry.ArchivedFailed)
	}
	if (errors.Is(err, errTargetAway) || errors.Is(err, blueberry.Unavailable)) && p.Now().Sub(e.PhaseSince) < evidencePatience {
		return blueberry.JobOutcome{Again: backstop}, nil
	}
	if err != nil && !errors.Is(err, errTargetAway) {
		return blueberry.JobOutcome{}, fmt.Errorf("keep logs of %s: %w", e.Name, err)
	}
	a, _, err := p.archive(ctx, e, nil)
	if err != nil {
		return blueberry.JobOutcome{}, fmt.Errorf("archive %s: %w", e.Name, err)
	}
	return blueberry.JobOutcome{}, p.Record.Update(ctx, func(tx Tx) error {
		e, err := tx.Environment(ctx, e.ID)
		if err != nil || e.Phase != blueberry.Failed { // its removal makes an archive of its own
			return err
		}
		if err := tx.PutArchive(ctx, a); err != nil {
			return err
		}
		message := fmt.Sprintf("archived %d files of %s as it failed; its logs are kept until %s", len(a.Files), e.Name, a.LogsUntil.UTC().Format("2006-01-02"))
		return p.tell(ctx, tx, e, blueberry.EnvironmentArchived, blueberry.System(), message)
	})
}

// Archives reads one page of what is kept of environments of projects that the actor may read, newest first.
func (p *Provisioner) Archives(ctx context.Context, actor blueberry.Actor, q blueberry.ArchiveQuery) (list []blueberry.Archive, err error) {
	if q.In, err = actor.Within(q.Project, blueberry.GrantEnvironmentsRead); err != nil {
		return nil, err
	}
	return view(ctx, p, func(tx Tx) ([]blueberry.Archive, error) { return tx.Archives(ctx, q) })
}

// Archive reads what is kept of one environment.
func (p *Provisioner) Archive(ctx context.Context, actor blueberry.Actor, environmentID string) (blueberry.Archive, error) {
	return view(ctx, p, func(tx Tx) (blueberry.Archive, error) {
		return archiveFor(ctx, tx, actor, environmentID, blueberry.GrantEnvironmentsRead)
	})
}

// archiveFor is environmentFor for an archive.
func archiveFor(ctx context.Context, tx Tx, actor blueberry.Actor, environmentID string, grant blueberry.Grant) (blueberry.Archive, error) {
	a, err := tx.Archive(ctx, environmentID)
	if err != nil {
		return blueberry.Archive{}, err
	}
	missing := blueberry.Errorf(blueberry.NotFound, "ARCHIVE_NOT_FOUND", "there is no archive of environment %q", environmentID)
	if err := actor.CanOn(a.Project, grant, missing); err != nil {
		return blueberry.Archive{}, err
	}
	return a, nil
}

// ArchiveFile reads one file of an archive, with its size in bytes. Logs take the grant for logs. The caller closes the reader.
func (p *Provisioner) ArchiveFile(ctx context.Context, actor blueberry.Actor, environmentID, name string) (io.ReadCloser, int64, error) {
	grant := blueberry.GrantEnvironmentsRead
	if isLog(name) {
		grant = blueberry.GrantEnvironmentsLogs
	}
	a, err := view(ctx, p, func(tx Tx) (blueberry.Archive, error) { return archiveFor(ctx, tx, actor, environmentID, grant) })
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(a.Files, func(f blueberry.ArchiveFile) bool { return f.Name == name })
	if i < 0 {
		return nil, 0, blueberry.Errorf(blueberry.NotFound, "ARCHIVE_FILE_NOT_FOUND", "the archive of %s has no file %q", a.Environment, name)
	}
	if p.Bucket == nil {
		return nil, 0, blueberry.Errorf(blueberry.Unavailable, "OBJECTS_MISSING", "this server keeps no objects")
	}
	f, err := p.Bucket.Get(ctx, objectName(environmentID, name))
	if err != nil {
		return nil, 0, fmt.Errorf("read %s of the archive of %s: %w", name, a.Environment, err)
	}
	return f, a.Files[i].Size, nil
}
