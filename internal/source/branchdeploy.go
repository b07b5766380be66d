package source

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const codeBranchMoved = "BRANCH_MOVED"

// Branches reads one page of branches, the newest first. An empty project means all that the actor may see.
func (s *Repositories) Branches(ctx context.Context, actor blueberry.Actor, project string, q blueberry.BranchQuery) ([]blueberry.Branch, error) {
	in, err := within(actor, project, blueberry.GrantRepositoriesRead)
	if err != nil {
		return nil, err
	}
	q.Projects = in
	return view(ctx, s, func(tx Tx) ([]blueberry.Branch, error) { return tx.Branches(ctx, q) })
}

// Branch reads one.
func (s *Repositories) Branch(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Branch, error) {
	return view(ctx, s, func(tx Tx) (blueberry.Branch, error) {
		return branchFor(ctx, tx, actor, id, blueberry.GrantRepositoriesRead)
	})
}

// branchFor reads a branch for an actor who holds the grant on it. What they may not know of is not there.
func branchFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, g blueberry.Grant) (blueberry.Branch, error) {
	b, err := tx.Branch(ctx, id)
	if err != nil {
		return b, err
	}
	return b, actor.CanOn(b.Project, g, blueberry.Errorf(blueberry.NotFound, "BRANCH_NOT_FOUND", "there is no branch %q", id))
}

// Deploy has the environment of a branch move to the commit that the branch has now, also where its rule moves it by itself: one that has ended is made again.
// An empty commit means whichever the branch has. Conflict with code BRANCH_MOVED, and the commit that it has now, when that is another; BRANCH_GONE;
// BRANCH_UNRULED when no rule is of it. What was refused because the branch moved is told and audited.
func (s *Repositories) Deploy(ctx context.Context, actor blueberry.Actor, id, commit string, found blueberry.Faults) (out blueberry.Branch, err error) {
	err = again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			b, err := branchFor(ctx, tx, actor, id, blueberry.GrantBranchesDeploy)
			if err != nil {
				return err
			}
			if actor.Kind == blueberry.ActorJob {
				return blueberry.Errorf(blueberry.Forbidden, "FORBIDDEN", "%s may not deploy a branch: only people do", actor.Name)
			}
			faults := slices.Clone(found)
			if commit != "" {
				faults.CheckCommit("commit", commit)
			}
			if err := faults.Err(); err != nil {
				return err
			}
			r, err := tx.Repository(ctx, b.RepositoryID)
			if err != nil {
				return err
			}
			if err := deployable(r, b, commit); err != nil {
				return err
			}
			now := s.Now()
			b.PullApproval = blueberry.PullApproval{ApprovedCommit: b.HeadCommit, ApprovedBy: actor.Name, ApprovedAt: now}
			b.BuiltCommit = "" // it is asked for, also where it runs or has ended
			b.UpdatedAt = now
			if err := tx.UpdateBranch(ctx, b); err != nil {
				return err
			}
			b.Version++
			out = b
			message := fmt.Sprintf("%s deployed commit %s of branch %s", actor.Name, b.HeadCommit, cut(short(b.Name), 100))
			if err := s.tellBranch(ctx, tx, actor, b, blueberry.BranchDeployed, blueberry.AuditSucceeded, message); err != nil {
				return err
			}
			return tx.Enqueue(ctx, blueberry.JobBranchReconcile, b.ID)
		})
	})
	var refused *blueberry.Error
	if errors.As(err, &refused) && refused.Code == codeBranchMoved {
		told := s.Record.Update(ctx, func(tx Tx) error {
			b, err := tx.Branch(ctx, id)
			if err != nil {
				return ignoreGone(err)
			}
			return s.tellBranch(ctx, tx, actor, b, blueberry.BranchDeployRefused, blueberry.AuditDenied, fmt.Sprintf("a deploy by %s was refused: %s", actor.Name, refused.Detail))
		})
		if told != nil {
			return out, told
		}
	}
	return out, err
}

// deployable tells why a commit of a branch cannot be deployed.
func deployable(r blueberry.Repository, b blueberry.Branch, commit string) error {
	name := cut(short(b.Name), 100)
	rule, ruled := r.RuleOf(b.Name)
	switch {
	case b.HeadCommit == "":
		return blueberry.Errorf(blueberry.Conflict, "BRANCH_GONE", "branch %s is gone", name)
	case !ruled || rule.Off:
		return blueberry.Errorf(blueberry.Conflict, "BRANCH_UNRULED", "no rule of %s is of branch %s, or the rule is off", r.Name, name)
	case commit != "" && commit != b.HeadCommit:
		return blueberry.Errorf(blueberry.Conflict, codeBranchMoved, "branch %s is at %s now, and not at %s: look at that first", name, b.HeadCommit, commit)
	}
	return nil
}

// tellBranch records what somebody did to a branch: an event and an audit entry.
func (s *Repositories) tellBranch(ctx context.Context, tx Tx, actor blueberry.Actor, b blueberry.Branch, t blueberry.EventType, result blueberry.AuditResult, message string) error {
	now := s.Now()
	event := blueberry.Event{Type: t, EnvironmentID: b.EnvironmentID, Project: b.Project, Environment: b.Environment, Actor: actor.Name, Message: message, At: now}
	if err := tx.AppendEvent(ctx, event); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(blueberry.GrantBranchesDeploy), Resource: b.ID, Project: b.Project, Detail: message, At: now, Result: result,
	})
}
