package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// archivesRead is how many archives one call reads. A search that finds little goes on with the next page.
const archivesRead = 10

// List reads one page of entries, newest first, and what to start the next page before; empty on the last. A page may be short, or hold nothing, and still have a
// next one, when much has been searched for it. It takes audit:read, on the installation or in a project: then it shows what was done there.
func (a *Auditor) List(ctx context.Context, actor blueberry.Actor, q blueberry.AuditQuery) (page []blueberry.AuditEntry, next string, err error) {
	if q, err = seen(actor, q); err != nil {
		return nil, "", err
	}
	if err := checkQuery(q); err != nil {
		return nil, "", err
	}
	return a.page(ctx, q)
}

// page is List for whoever asks.
func (a *Auditor) page(ctx context.Context, q blueberry.AuditQuery) (page []blueberry.AuditEntry, next string, err error) {
	if q.Limit <= 0 {
		q.Limit = blueberry.DefaultPageSize
	}
	limit := min(q.Limit, blueberry.MaxPageSize)
	q.Limit = limit + 1
	s := search{limit: limit}
	if err := a.Record.View(ctx, func(tx Tx) error { return s.start(ctx, tx, q) }); err != nil {
		return nil, "", fmt.Errorf("list audit: %w", err)
	}
	for i, archive := range s.archives {
		if s.enough(archive) {
			break
		}
		if i == archivesRead {
			page, next := s.part(archive)
			return page, next, nil
		}
		err := a.open(ctx, archive, func(x archived) error {
			if q.Matches(x.entry) && (q.Before == "" || x.entry.ID < q.Before) {
				s.found = append(s.found, x.entry)
			}
			return nil
		})
		if err != nil {
			return nil, "", err
		}
		s.sort()
	}
	if len(s.found) > limit {
		return s.found[:limit], s.found[limit-1].ID, nil
	}
	return s.found, "", nil
}

// search is a page in the making. Its order is that of ids, which begin with their time in milliseconds; archives follow the chain, whose times may go back a
// little, so an archive is read as long as it may hold something newer than what was found.
type search struct {
	limit    int
	found    []blueberry.AuditEntry // newest first, one more than the page
	archives []blueberry.AuditArchive
}

// start reads what is in the record, and which archives are older, on one state of the record.
func (s *search) start(ctx context.Context, tx Tx, q blueberry.AuditQuery) (err error) {
	if s.found, err = tx.Audit(ctx, q); err != nil {
		return err
	}
	from, to := q.From, q.To
	if len(s.found) > s.limit { // archives matter only if they reach into the page
		from = later(from, s.found[s.limit].At.Truncate(time.Millisecond))
	}
	if before, ok := blueberry.IDTime(q.Before); ok && (to.IsZero() || before.Add(time.Millisecond).Before(to)) {
		to = before.Add(time.Millisecond)
	}
	s.archives, err = tx.AuditArchives(ctx, from, to, archivesRead+1)
	return err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// enough reports whether no entry of the archive, nor of those that end before it, can be on the page.
func (s *search) enough(archive blueberry.AuditArchive) bool {
	return len(s.found) > s.limit && s.found[s.limit].At.UnixMilli() > archive.To.UnixMilli()
}

func (s *search) sort() {
	slices.SortFunc(s.found, func(a, b blueberry.AuditEntry) int { return cmp.Compare(b.ID, a.ID) })
	s.found = s.found[:min(len(s.found), s.limit+1)]
}

// part is the page that is certain though the archive was not read: what is newer than everything in it.
func (s *search) part(archive blueberry.AuditArchive) (page []blueberry.AuditEntry, next string) {
	n, _ := slices.BinarySearchFunc(s.found, archive.To.UnixMilli(), func(e blueberry.AuditEntry, ms int64) int {
		if e.At.UnixMilli() > ms {
			return -1
		}
		return 1
	})
	if n >= s.limit {
		return s.found[:s.limit], s.found[s.limit-1].ID
	}
	return s.found[:n], blueberry.FirstID(blueberry.AuditID, archive.To.Add(time.Millisecond))
}
