package audit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Auditor keeps the evidence.
type Auditor struct {
	Record  Record
	Objects Objects
	Signer  Signer
	Witness Witness // nil: nobody but the record knows where the chain ended
	Now     func() time.Time
	Logger  *slog.Logger
}

const (
	notePatience = 10 * time.Second
	// How often Run looks.
	sealEvery    = 500 * time.Millisecond // an entry is sealed within a second of its commit
	archiveEvery = time.Hour
)

// Witness keeps the end of the chain outside of the record, as this process signed it last.
type Witness interface {
	// Last gives what was kept; seq is 0 for nothing.
	Last(ctx context.Context) (seq int64, hash string, err error)
	Keep(ctx context.Context, seq int64, hash string) error
}

// Run seals and archives until ctx ends. Many processes may run it on one record.
func (a *Auditor) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() {
		a.every(ctx, sealEvery, "seal audit", func() error { _, err := a.Seal(ctx); return err })
	})
	wg.Go(func() { // by itself: objects that are slow hold no seal up
		a.every(ctx, archiveEvery, "archive audit", func() error { _, err := a.Archive(ctx); return err })
	})
	wg.Wait()
	return nil
}

// every does a piece of work now and then until ctx ends.
func (a *Auditor) every(ctx context.Context, pause time.Duration, doing string, step func() error) {
	o := outcome{doing: doing, log: a.Logger}
	t := time.NewTicker(pause)
	defer t.Stop()
	for {
		o.note(ctx, step())
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// outcome tells a trouble once, and when it is over.
type outcome struct {
	doing  string
	log    *slog.Logger
	failed bool
}

func (o *outcome) note(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !o.failed:
		o.log.WarnContext(ctx, "audit work fails, it is tried again", "doing", o.doing, "error", err)
	case err == nil && o.failed:
		o.log.InfoContext(ctx, "audit work goes on", "doing", o.doing)
	}
	o.failed = err != nil
}

// Note writes one entry in a transaction of its own: of what was denied, or failed, or has no operation. It is there for good when Note returns, also when the
// client hung up meanwhile: nobody gets out of the audit by that.
func (a *Auditor) Note(ctx context.Context, e blueberry.AuditEntry) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notePatience)
	defer cancel()
	if e.At.IsZero() {
		e.At = a.Now()
	}
	return a.Record.Update(ctx, func(tx Tx) error { return tx.AppendAudit(ctx, e) })
}

// seen is the query as far as an actor may ask it: those who hold the grant in some projects get what was done there.
func seen(actor blueberry.Actor, q blueberry.AuditQuery) (blueberry.AuditQuery, error) {
	q.Projects = nil
	if q.Project != "" {
		return q, actor.CanIn(q.Project, blueberry.GrantAuditRead)
	}
	all, projects := actor.Where(blueberry.GrantAuditRead)
	if all {
		return q, nil
	}
	q.Projects = projects
	return q, actor.CanSomewhere(blueberry.GrantAuditRead)
}

func checkQuery(q blueberry.AuditQuery) error {
	var f blueberry.Faults
	if q.Result != "" && q.Result != blueberry.AuditSucceeded && q.Result != blueberry.AuditDenied && q.Result != blueberry.AuditFailed {
		f.Add("result", "unknown", "%q is no result of an action", q.Result)
	}
	if q.Before != "" && !blueberry.HasIDPrefix(q.Before, blueberry.AuditID) {
		f.Add("before", "cursor", "is not the id of an entry")
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		f.Add("to", "range", "must be later than from")
	}
	return f.Err()
}

// isConflict reports whether someone else did the same before.
func isConflict(err error) bool { return errors.Is(err, blueberry.Conflict) }
