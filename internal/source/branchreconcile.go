package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ReconcileBranch is the worker of branch.reconcile: it brings the environment of a branch a step nearer to what its rule wants. It knows no pushes, only where
// the branch is.
func (s *Repositories) ReconcileBranch(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	b, r, err := s.branchAndRepository(ctx, job.Subject)
	if errors.Is(err, blueberry.NotFound) {
		return blueberry.JobOutcome{}, nil
	}
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	env, err := s.living(ctx, b.EnvironmentID)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	next, again, err := s.stepBranch(ctx, r, b, env)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	return blueberry.JobOutcome{Again: again}, s.recordBranch(ctx, r, b, next)
}

func (s *Repositories) branchAndRepository(ctx context.Context, id string) (b blueberry.Branch, r blueberry.Repository, err error) {
	_, err = view(ctx, s, func(tx Tx) (_ struct{}, err error) {
		if b, err = tx.Branch(ctx, id); err != nil {
			return struct{}{}, err
		}
		r, err = tx.Repository(ctx, b.RepositoryID)
		return struct{}{}, err
	})
	return b, r, err
}

// stepBranch does what is next, and gives the branch as it is then and when to look again.
func (s *Repositories) stepBranch(ctx context.Context, r blueberry.Repository, b blueberry.Branch, env *blueberry.Environment) (blueberry.Branch, time.Duration, error) {
	rule, ruled := r.RuleOf(b.Name)
	ruled = ruled && !rule.Off
	want := ""
	if ruled {
		want = b.Wanted(rule)
	}
	if want == "" && env == nil && b.Environment != "" {
		found, turn, err := s.lost(ctx, r, b.Environment, b.ID, b.Turn)
		if err != nil {
			return b, 0, err
		}
		if env = found; env != nil {
			b.EnvironmentID, b.Turn = env.ID, turn
		}
	}
	gone := b.HeadCommit == ""
	if want == "" && ruled && !gone && env != nil {
		want = b.BuiltCommit // what runs stays until somebody deploys
	}
	switch {
	case gone && (!ruled || rule.Keep || env != nil && env.Lease.PinnedBy != ""):
		b.Outcome, b.Message = blueberry.PullEnded, goneText(rule, ruled, env)
		return forgotten(b), 0, nil
	case gone && env == nil:
		b.Outcome, b.Message = blueberry.PullEnded, "the branch is gone"
		return forgotten(b), 0, nil
	case gone:
		return s.endBranch(ctx, r, b, "the branch is gone")
	case !ruled:
		b.Outcome, b.Message = blueberry.PullSkipped, "no rule is of it, or the rule is off"
		if env != nil {
			b.Message += "; the environment that it has stays until its lease ends"
		}
		return b, 0, nil
	case env != nil && env.Name != r.EnvironmentOf(rule, b.Name) && env.Lease.PinnedBy != "":
		b.Outcome, b.Message = blueberry.PullBlocked, fmt.Sprintf("its rule names another environment, and %s is pinned", env.Name)
		return b, 0, nil
	case env != nil && env.Name != r.EnvironmentOf(rule, b.Name):
		b, _, err := s.endBranch(ctx, r, b, "its rule names another environment: the one before goes")
		return b, forName, err
	case want == "":
		b.Outcome, b.Message = blueberry.PullWaiting, fmt.Sprintf("for somebody who deploys commit %.12s", b.HeadCommit)
		return b, 0, nil
	case env != nil && b.BuiltCommit == want:
		return s.extend(ctx, r, builtBranch(b, want), rule, *env)
	case env == nil && b.EnvironmentID != "" && b.BuiltCommit == want:
		b.Outcome, b.Message = blueberry.PullEnded, "its environment has ended; the next push, or a deploy, makes a new one"
		return b, 0, nil
	}
	return s.buildBranch(ctx, r, b, rule, env, want)
}

func goneText(rule blueberry.BranchRule, ruled bool, env *blueberry.Environment) string {
	switch {
	case env == nil:
		return "the branch is gone"
	case !ruled:
		return "the branch is gone, and no rule is of it; its environment stays until its lease ends"
	case rule.Keep:
		return "the branch is gone; its environment stays until its lease ends, as the rule says"
	}
	return "the branch is gone; its environment stays, because it is pinned"
}

// forgotten is a branch that is gone: what was deployed of it counts no more when it comes back.
func forgotten(b blueberry.Branch) blueberry.Branch {
	b.BuiltCommit = ""
	return b
}

// builtBranch tells of an environment that was asked for with a commit, and of a newer one that waits.
func builtBranch(b blueberry.Branch, commit string) blueberry.Branch {
	b.Outcome, b.Message = blueberry.PullBuilt, fmt.Sprintf("its environment was asked for with %.12s", commit)
	if commit != b.HeadCommit {
		b.Outcome, b.Message = blueberry.PullWaiting, fmt.Sprintf("for somebody who deploys commit %.12s; its environment runs %.12s", b.HeadCommit, commit)
	}
	return b
}

// endBranch begins the removal of the environment.
func (s *Repositories) endBranch(ctx context.Context, r blueberry.Repository, b blueberry.Branch, why string) (blueberry.Branch, time.Duration, error) {
	if err := s.Environments.Destroy(ctx, actorOf(r), b.EnvironmentID); err != nil && !errors.Is(err, blueberry.NotFound) {
		return s.failedBranch(b, err)
	}
	b.Outcome, b.Message = blueberry.PullEnded, why
	return forgotten(b), 0, nil
}

// buildBranch asks for the environment with a commit.
func (s *Repositories) buildBranch(ctx context.Context, r blueberry.Repository, b blueberry.Branch, rule blueberry.BranchRule, env *blueberry.Environment, want string) (blueberry.Branch, time.Duration, error) {
	w := EnvironmentWish{
		Project: r.Project, Name: r.EnvironmentOf(rule, b.Name), Target: rule.Target, Repository: r.URL, Commit: want, Blueprint: rule.Blueprint, ConfigSets: rule.ConfigSet,
		Branch: b.Name, Hours: rule.Hours, Reason: fmt.Sprintf("branch %s of %s at %.12s", cut(short(b.Name), 100), r.Name, want),
	}
	if b.Environment != w.Name { // noted before it is asked for, so that it is found whatever happens
		return s.renamed(ctx, r, b, env, w.Name)
	}
	m, err := s.ask(ctx, r, env, b.ID, b.EnvironmentID, b.Turn, w)
	if err != nil {
		if env == nil && b.EnvironmentID != "" {
			b.Turn, b.EnvironmentID = m.turn, ""
		}
		return s.failedBranch(b, err)
	}
	b.EnvironmentID, b.BuiltCommit, b.Turn = m.id, m.commit, m.turn
	if b = builtBranch(b, m.commit); m.commit != want { // a server died after it had asked for it, and did not come to note that
		return b, atOnce, nil
	}
	return b, 0, nil
}

// renamed notes the name of the environment that is about to be asked for. One of the name before, of which a server died before it came to note it, is found
// first, so that it ends.
func (s *Repositories) renamed(ctx context.Context, r blueberry.Repository, b blueberry.Branch, env *blueberry.Environment, name string) (blueberry.Branch, time.Duration, error) {
	if b.Environment != "" && env == nil {
		found, turn, err := s.lost(ctx, r, b.Environment, b.ID, b.Turn)
		if err != nil {
			return b, 0, err
		}
		if found != nil {
			b.EnvironmentID, b.Turn = found.ID, turn
			return b, atOnce, nil
		}
		if b.EnvironmentID == "" {
			b.Turn++ // a key is of one name
		}
	}
	b.Environment = name
	return b, atOnce, nil
}

// failedBranch tells what an error means. What is held up for long is tried less and less often.
func (s *Repositories) failedBranch(b blueberry.Branch, err error) (blueberry.Branch, time.Duration, error) {
	outcome, message, again := meaning(err)
	if outcome == "" {
		return b, 0, err
	}
	if again > 0 && b.Outcome == outcome {
		again = max(again, min(s.Now().Sub(b.UpdatedAt)/2, latestAgain))
	}
	b.Outcome, b.Message = outcome, message
	return b, again, nil
}

// extend has an environment live on that lives as long as its branch.
func (s *Repositories) extend(ctx context.Context, r blueberry.Repository, b blueberry.Branch, rule blueberry.BranchRule, env blueberry.Environment) (blueberry.Branch, time.Duration, error) {
	ends := env.Lease.ExpiresAt
	if s.Controls == nil || rule.Hours != 0 || ends.IsZero() || ends.Sub(s.Now()) > blueberry.BranchLease*time.Hour/2 {
		return b, 0, nil
	}
	err := s.Controls.Extend(ctx, actorOf(r), env.ID, blueberry.BranchLease)
	var known *blueberry.Error
	if errors.As(err, &known) {
		b.Message += "; its lease cannot be extended: " + faultsText(known)
		err = nil
	}
	return b, 0, err
}

// recordBranch writes what was made of a branch, unless a push has changed it meanwhile: then its job runs again.
func (s *Repositories) recordBranch(ctx context.Context, r blueberry.Repository, was, b blueberry.Branch) error {
	if was.Made(b) == was {
		return nil
	}
	return again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			now, err := tx.Branch(ctx, b.ID)
			if err != nil {
				return ignoreGone(err) // the repository was removed
			}
			b := b
			if now.BuiltCommit != was.BuiltCommit { // somebody has deployed it meanwhile, which is still to be done
				b.BuiltCommit = now.BuiltCommit
			}
			now = now.Made(b)
			now.UpdatedAt = s.Now()
			if err := tx.UpdateBranch(ctx, now); err != nil {
				return err
			}
			if len(r.Credential) > 0 {
				if err := tx.Enqueue(ctx, blueberry.JobBranchReport, b.ID); err != nil {
					return err
				}
			}
			event, ok := branchEvents()[b.Outcome]
			if !ok || b.Outcome == was.Outcome && b.BuiltCommit == was.BuiltCommit && b.Message == was.Message {
				return nil
			}
			message := fmt.Sprintf("branch %s of %s is %s: %s", cut(short(b.Name), 100), r.Name, b.Outcome, b.Message)
			return tx.AppendEvent(ctx, blueberry.Event{
				Type: event, EnvironmentID: b.EnvironmentID, Project: r.Project, Environment: b.Environment, Actor: actorOf(r).Name, Message: message, At: now.UpdatedAt,
			})
		})
	})
}

func branchEvents() map[blueberry.PullOutcome]blueberry.EventType {
	return map[blueberry.PullOutcome]blueberry.EventType{
		blueberry.PullSkipped: blueberry.BranchSkipped, blueberry.PullWaiting: blueberry.BranchWaits, blueberry.PullBlocked: blueberry.BranchBlocked,
		blueberry.PullRefused: blueberry.BranchRefused, blueberry.PullBuilt: blueberry.BranchBuilt, blueberry.PullEnded: blueberry.BranchEnded,
	}
}
