package source

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ScanExceptionWish is an exception as somebody asks for it.
type ScanExceptionWish struct {
	Repository string // id; empty for the whole project
	Project    string // empty means that of the repository, or the default
	Finding    string
	Package    string
	Reason     string
	Until      time.Time
	Found      blueberry.Faults
}

// AddScanException lets a finding pass until a time. The pull requests that it may concern are looked at.
func (s *Repositories) AddScanException(ctx context.Context, actor blueberry.Actor, w ScanExceptionWish) (blueberry.ScanException, error) {
	now := s.Now()
	x := blueberry.ScanException{
		ID: blueberry.NewID(blueberry.ScanExceptionID, now), Project: w.Project, RepositoryID: w.Repository, Finding: strings.TrimSpace(w.Finding),
		Package: strings.TrimSpace(w.Package), Reason: strings.TrimSpace(w.Reason), Until: w.Until.UTC(), CreatedBy: actor.Name, CreatedAt: now,
	}
	if x.RepositoryID != "" {
		r, err := s.of(ctx, actor, x.RepositoryID, blueberry.GrantCIExcept)
		if err != nil {
			return x, err
		}
		if x.Project != "" && x.Project != r.Project {
			w.Found.Add("project", "exclusive", "is that of the repository, %s", r.Project)
		}
		x.Project = r.Project
	}
	if x.Project == "" {
		x.Project = blueberry.DefaultProject
	}
	if err := actor.CanIn(x.Project, blueberry.GrantCIExcept); err != nil {
		return x, err
	}
	faults := slices.Clone(w.Found)
	faults.CheckScanException(x, now)
	if err := faults.Err(); err != nil {
		return x, err
	}
	return x, s.Record.Update(ctx, func(tx Tx) error {
		if x.RepositoryID != "" {
			if _, err := repositoryFor(ctx, tx, actor, x.RepositoryID, blueberry.GrantCIExcept); err != nil {
				return err
			}
		}
		if _, err := tx.Project(ctx, x.Project); err != nil {
			return err
		}
		switch n, err := tx.CountScanExceptions(ctx, x.Project, now); {
		case err != nil:
			return err
		case n >= blueberry.MaxExceptions:
			return blueberry.Errorf(blueberry.Conflict, "TOO_MANY_EXCEPTIONS", "project %s has %d exceptions that count, which is the most", x.Project, n)
		}
		if err := tx.InsertScanException(ctx, x); err != nil {
			return err
		}
		message := fmt.Sprintf("%s excepted %s%s until %s: %s", actor.Name, x.Finding, inPackage(x), x.Until.Format(time.DateOnly), x.Reason)
		return s.tellException(ctx, tx, actor, x, blueberry.ScanExceptionAdded, message, nil, exceptionFields(x))
	})
}

func inPackage(x blueberry.ScanException) string {
	if x.Package == "" {
		return ""
	}
	return " in " + x.Package
}

func exceptionFields(x blueberry.ScanException) map[string]any {
	return map[string]any{"finding": x.Finding, "package": x.Package, "repository": x.RepositoryID, "reason": x.Reason, "until": x.Until}
}

// ScanExceptions reads one page, the newest first. An empty project means all that the actor may see.
func (s *Repositories) ScanExceptions(ctx context.Context, actor blueberry.Actor, project string, q blueberry.ScanExceptionQuery) ([]blueberry.ScanException, error) {
	in, err := within(actor, project, blueberry.GrantRepositoriesRead)
	if err != nil {
		return nil, err
	}
	q.Projects = in
	return view(ctx, s, func(tx Tx) ([]blueberry.ScanException, error) {
		if q.RepositoryID != "" { // those of its project count for it
			r, err := repositoryFor(ctx, tx, actor, q.RepositoryID, blueberry.GrantRepositoriesRead)
			if err != nil {
				return nil, err
			}
			if project != "" && project != r.Project {
				return nil, nil
			}
			q.Projects = []string{r.Project}
		}
		return tx.ScanExceptions(ctx, q)
	})
}

// RemoveScanException ends an exception now. What runs stays; the next build of a commit with the finding is judged without it.
func (s *Repositories) RemoveScanException(ctx context.Context, actor blueberry.Actor, id string) error {
	return s.Record.Update(ctx, func(tx Tx) error {
		x, err := tx.ScanException(ctx, id)
		if err != nil {
			return err
		}
		missing := blueberry.Errorf(blueberry.NotFound, "SCAN_EXCEPTION_NOT_FOUND", "there is no scan exception %q", id)
		if err := actor.CanOn(x.Project, blueberry.GrantCIExcept, missing); err != nil {
			return err
		}
		if err := tx.DeleteScanException(ctx, id); err != nil {
			return err
		}
		message := fmt.Sprintf("%s removed the exception of %s%s", actor.Name, x.Finding, inPackage(x))
		return s.tellException(ctx, tx, actor, x, blueberry.ScanExceptionEnded, message, exceptionFields(x), nil)
	})
}

// tellException records what somebody did to an exception, and has the pull requests looked at that it may concern.
func (s *Repositories) tellException(ctx context.Context, tx Tx, actor blueberry.Actor, x blueberry.ScanException, t blueberry.EventType, message string, before, after map[string]any) error {
	now := s.Now()
	if err := tx.AppendEvent(ctx, blueberry.Event{Type: t, Project: x.Project, Actor: actor.Name, Message: message, At: now}); err != nil {
		return err
	}
	if err := tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(blueberry.GrantCIExcept), Resource: x.ID, Project: x.Project, Detail: message, At: now,
		Before: blueberry.AuditFields(before), After: blueberry.AuditFields(after),
	}); err != nil {
		return err
	}
	if x.RepositoryID != "" {
		return tx.Enqueue(ctx, blueberry.JobPullsReview, x.RepositoryID)
	}
	for q := (blueberry.RepositoryQuery{Projects: []string{x.Project}, Limit: blueberry.MaxPageSize}); ; {
		list, err := tx.Repositories(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range list {
			q.After = r.ID
			if r.Policy.Gates.ScanMax == "" {
				continue
			}
			if err := tx.Enqueue(ctx, blueberry.JobPullsReview, r.ID); err != nil {
				return err
			}
		}
		if len(list) < blueberry.MaxPageSize {
			return nil
		}
	}
}
