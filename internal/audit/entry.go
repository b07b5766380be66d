package audit

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Entry reads one entry, also one that was moved to the archive. It takes audit:read where it was done; one of the installation is not there for others.
func (a *Auditor) Entry(ctx context.Context, actor blueberry.Actor, id string) (blueberry.AuditEntry, error) {
	missing := blueberry.Hidden(blueberry.Errorf(blueberry.NotFound, "AUDIT_ENTRY_NOT_FOUND", "there is no audit entry %q", id), blueberry.GrantAuditRead)
	e, found, err := a.find(ctx, id)
	switch {
	case err != nil:
		return blueberry.AuditEntry{}, err
	case !found, e.Project == "" && actor.Can(blueberry.GrantAuditRead) != nil:
		return blueberry.AuditEntry{}, missing
	}
	if err := actor.CanOn(e.Project, blueberry.GrantAuditRead, missing); err != nil {
		return blueberry.AuditEntry{}, err
	}
	return e, nil
}

// find looks where an entry of the time in its id would be, so that few archives are read.
func (a *Auditor) find(ctx context.Context, id string) (e blueberry.AuditEntry, found bool, err error) {
	at, ok := blueberry.IDTime(id)
	if !ok || !blueberry.HasIDPrefix(id, blueberry.AuditID) {
		return e, false, nil
	}
	q := blueberry.AuditQuery{ID: id, From: at, To: at.Add(time.Millisecond), Limit: 1}
	for {
		page, next, err := a.page(ctx, q)
		if err != nil || len(page) > 0 || next == "" {
			return append(page, e)[0], len(page) > 0, err
		}
		q.Before = next
	}
}
