package source

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const codePullMoved = "PULL_MOVED"

// Approve vouches for one commit of a pull request whose author nobody vouches for: while it has that commit, its environment is one as those of members have.
// Conflict with code PULL_MOVED, and the commit that it has now, when that is another; PULL_CLOSED when it is not open; APPROVAL_NEEDLESS when it is trusted
// anyway. A commit that was approved before changes nothing. What was refused is told and audited.
func (s *Repositories) Approve(ctx context.Context, actor blueberry.Actor, id, commit string, found blueberry.Faults) (out blueberry.PullRequest, err error) {
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			p, err := tx.Pull(ctx, id)
			if err != nil {
				return err
			}
			if err := mayApprove(actor, p); err != nil {
				return err
			}
			faults := slices.Clone(found)
			faults.CheckCommit("commit", commit)
			if err := faults.Err(); err != nil {
				return err
			}
			if out = p; p.ApprovedCommit == commit && p.Approved() {
				return nil
			}
			if err := approvable(p, commit); err != nil {
				return err
			}
			now := s.Now()
			p.PullApproval = blueberry.PullApproval{ApprovedCommit: commit, ApprovedBy: actor.Name, ApprovedAt: now}
			p.UpdatedAt = now
			if err := tx.UpdatePull(ctx, p); err != nil {
				return err
			}
			p.Version++
			out = p
			message := fmt.Sprintf("%s approved commit %s of pull request %d: its code runs as that of members, until the next push", actor.Name, commit, p.Number)
			if err := s.tellPull(ctx, tx, actor, p, blueberry.PullApproved, blueberry.AuditSucceeded, message); err != nil {
				return err
			}
			return tx.Enqueue(ctx, blueberry.JobPullReconcile, p.ID)
		})
	})
	var refused *blueberry.Error
	if errors.As(err, &refused) && refused.Code == codePullMoved {
		if told := s.notApproved(ctx, actor, id, refused.Detail); told != nil {
			return out, told
		}
	}
	return out, err
}

// mayApprove is nil for a person, or something that acts for one. No job is: what a repository sends does not vouch for itself.
func mayApprove(actor blueberry.Actor, p blueberry.PullRequest) error {
	if err := actor.CanOn(p.Project, blueberry.GrantPullsApprove, blueberry.Errorf(blueberry.NotFound, "PULL_NOT_FOUND", "there is no pull request %q", p.ID)); err != nil {
		return err
	}
	if actor.Kind == blueberry.ActorJob {
		return blueberry.Errorf(blueberry.Forbidden, "FORBIDDEN", "%s may not approve: only people do", actor.Name)
	}
	return nil
}

// approvable tells why a commit of a pull request cannot be approved.
func approvable(p blueberry.PullRequest, commit string) error {
	switch {
	case p.State != blueberry.PullOpen:
		return blueberry.Errorf(blueberry.Conflict, "PULL_CLOSED", "pull request %d is %s", p.Number, p.State)
	case !p.NeedsApproval():
		return blueberry.Errorf(blueberry.Conflict, "APPROVAL_NEEDLESS", "pull request %d needs no approval: its author is a %s", p.Number, p.Tier())
	case !p.IsAt(commit):
		return blueberry.Errorf(blueberry.Conflict, codePullMoved, "pull request %d is at %s now, and not at %s: look at that first", p.Number, p.HeadCommit, commit)
	}
	return nil
}

// notApproved tells that an approval was refused because the pull request has another commit.
func (s *Repositories) notApproved(ctx context.Context, actor blueberry.Actor, id, why string) error {
	return s.Record.Update(ctx, func(tx Tx) error {
		p, err := tx.Pull(ctx, id)
		if errors.Is(err, blueberry.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.tellPull(ctx, tx, actor, p, blueberry.PullApprovalRefused, blueberry.AuditDenied, fmt.Sprintf("an approval by %s was refused: %s", actor.Name, why))
	})
}

// tellPull records what somebody did to a pull request: an event and an audit entry.
func (s *Repositories) tellPull(ctx context.Context, tx Tx, actor blueberry.Actor, p blueberry.PullRequest, t blueberry.EventType, result blueberry.AuditResult, message string) error {
	now := s.Now()
	if err := tx.AppendEvent(ctx, blueberry.Event{Type: t, EnvironmentID: p.EnvironmentID, Project: p.Project, Actor: actor.Name, Message: message, At: now}); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(blueberry.GrantPullsApprove), Resource: p.ID, Project: p.Project, Detail: message, At: now, Result: result,
	})
}
