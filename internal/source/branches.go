package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// BranchRows are the rows of branches.
type BranchRows interface {
	// InsertBranch adds one, at version 1; Conflict with code BRANCH_EXISTS while the repository has one of the name.
	InsertBranch(ctx context.Context, b blueberry.Branch) error
	// Branch reads one by id, or NotFound with code BRANCH_NOT_FOUND.
	Branch(ctx context.Context, id string) (blueberry.Branch, error)
	// FindBranch reads one by repository and name, or NotFound with code BRANCH_NOT_FOUND.
	FindBranch(ctx context.Context, repositoryID, name string) (blueberry.Branch, error)
	// Branches reads one page, the newest first by id.
	Branches(ctx context.Context, q blueberry.BranchQuery) ([]blueberry.Branch, error)
	// BranchesOfEnvironments gives the branches that have one of the environments.
	BranchesOfEnvironments(ctx context.Context, ids []string) ([]blueberry.Branch, error)
	// UpdateBranch writes b if the row's version is still b.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
	UpdateBranch(ctx context.Context, b blueberry.Branch) error
	// DeleteBranch removes one, or NotFound with code BRANCH_NOT_FOUND.
	DeleteBranch(ctx context.Context, id string) error
	// SetBranchSweep notes how asking Git for the branches of a repository went. It changes no version.
	SetBranchSweep(ctx context.Context, id string, w blueberry.BranchSweep) error
}

// maxReviewed is how many pull requests one push has looked at by themselves; of more, every one of the repository is.
const maxReviewed = 50

// judgePush takes over that branches moved or went: one at least, and several where a host tells of all that one push did.
func (s *Repositories) judgePush(ctx context.Context, tx Tx, r blueberry.Repository, pushes []blueberry.BranchPush, d *blueberry.Delivery) error {
	r, err := tx.Repository(ctx, r.ID)
	if err != nil {
		return err
	}
	var told []string
	all := false
	for _, push := range pushes {
		text, err := s.judgeBranch(ctx, tx, r, push, *d)
		if err != nil {
			return err
		}
		n, err := reviewOf(ctx, tx, r, push.Branch)
		if err != nil {
			return err
		}
		if all = all || n > maxReviewed; n > 0 {
			text = strings.TrimPrefix(text+"; pull requests that go to "+push.Branch+" are looked at", "; ")
		}
		followed, err := s.sourceMoved(ctx, tx, r, push.Branch)
		if err != nil {
			return err
		}
		if followed {
			text = strings.TrimPrefix(text+"; environments that are made of "+push.Branch+" are looked at", "; ")
		}
		if text != "" {
			told = append(told, text)
		}
	}
	if all {
		if err := tx.Enqueue(ctx, blueberry.JobPullsReview, r.ID); err != nil {
			return err
		}
	}
	if len(told) == 0 {
		d.Verdict, d.Reason = blueberry.DeliveryIgnored, fmt.Sprintf("no rule names %s, and no pull request that is open goes there", branchesText(pushes))
		return nil
	}
	d.Verdict, d.Reason = blueberry.DeliveryAccepted, short(cut(strings.Join(told, "; "), 250))
	return nil
}

func branchesText(pushes []blueberry.BranchPush) string {
	text := cut(short(pushes[0].Branch), 100)
	if n := len(pushes) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// reviewOf has the pull requests looked at that go to a branch: what the blueprint there says of them may be another now. It gives how many they are; of more
// than maxReviewed, none was enqueued.
func reviewOf(ctx context.Context, tx Tx, r blueberry.Repository, branch string) (int, error) {
	list, err := tx.Pulls(ctx, blueberry.PullQuery{RepositoryID: r.ID, State: blueberry.PullOpen, BaseRef: branch, Limit: maxReviewed + 1})
	if err != nil || len(list) > maxReviewed {
		return len(list), err
	}
	for _, p := range slices.Backward(list) { // who came first goes first
		if err := tx.Enqueue(ctx, blueberry.JobPullReconcile, p.ID); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

// judgeBranch takes over what a push says of one branch, and tells what follows; empty for nothing.
func (s *Repositories) judgeBranch(ctx context.Context, tx Tx, r blueberry.Repository, push blueberry.BranchPush, d blueberry.Delivery) (string, error) {
	name, at := cut(short(push.Branch), 100), d.ReceivedAt
	known, err := tx.FindBranch(ctx, r.ID, push.Branch)
	isNew := errors.Is(err, blueberry.NotFound)
	_, ruled := r.RuleOf(push.Branch)
	switch {
	case err != nil && !isNew:
		return "", err
	case isNew && (!ruled || push.Commit == "" || refFault(push.Branch) != "" || len(push.Branch) > blueberry.MaxBranchName):
		return "", nil
	}
	if push.At.IsZero() || push.At.After(at.Add(maxAhead)) { // a host whose clock is wrong shall not close the door for what comes after
		push.At = at
	}
	switch order := push.At.Compare(known.HostAt); {
	case order < 0:
		return "", nil
	case push.Commit == known.HeadCommit && !isNew:
		if known.HostAt, known.HeardAt = push.At, at; order == 0 {
			return "", nil
		}
		return "", tx.UpdateBranch(ctx, known) // what was pushed between comes later, and is older
	// Which of two came last is not told by their times. What is gone takes an environment with it, and what is read again was so once: nobody is believed that.
	case s.Histories != nil && (order == 0 || push.At.Before(r.Branches.At) || push.Commit == "" || d.ReplayOf != ""):
		return "Git is asked where " + name + " is", tx.Enqueue(ctx, blueberry.JobBranchesSweep, r.ID)
	}
	return s.moveBranch(ctx, tx, r, known, blueberry.Branch{Name: push.Branch, HeadCommit: push.Commit, HostAt: push.At, HeardAt: at})
}

// moveBranch notes the commit of a branch, and has it looked at. Known is what is known of it; the zero value for nothing.
func (s *Repositories) moveBranch(ctx context.Context, tx Tx, r blueberry.Repository, known, said blueberry.Branch) (string, error) {
	name, now := cut(short(said.Name), 100), s.Now()
	text := fmt.Sprintf("%s is at %.12s", name, said.HeadCommit)
	if said.HeadCommit == "" {
		text = name + " is gone"
	}
	if known.ID != "" {
		if rule, _ := r.RuleOf(said.Name); said.HeadCommit == "" || rule.Mode != blueberry.BranchApproval {
			known.PullApproval = blueberry.PullApproval{} // what was deployed of it counts no more when it comes back, or when its rule waits for that later
		}
		known.HeadCommit, known.HostAt, known.HeardAt, known.UpdatedAt = said.HeadCommit, said.HostAt, said.HeardAt, now
		if err := tx.UpdateBranch(ctx, known); err != nil {
			return "", err
		}
		return text, s.branchLookedAt(ctx, tx, r, known.ID)
	}
	live, err := tx.Branches(ctx, blueberry.BranchQuery{RepositoryID: r.ID, Live: true, Limit: blueberry.MaxBranches})
	if err != nil {
		return "", err
	}
	if len(live) == blueberry.MaxBranches {
		return fmt.Sprintf("%s gets no environment: %d branches of the repository have rules already", name, blueberry.MaxBranches), nil
	}
	said.ID, said.RepositoryID, said.Project = blueberry.NewID(blueberry.BranchID, now), r.ID, r.Project
	said.CreatedAt, said.UpdatedAt, said.Version = now, now, 1
	err = tx.InsertBranch(ctx, said)
	if isCode(err, "BRANCH_EXISTS") { // another server was faster
		err = blueberry.Errorf(blueberry.Conflict, codeMoved, "branch %q has just been noted", said.Name)
	}
	if err != nil {
		return "", err
	}
	return text, s.branchLookedAt(ctx, tx, r, said.ID)
}

// branchLookedAt has a branch of which there is news looked at, and its host told.
func (s *Repositories) branchLookedAt(ctx context.Context, tx Tx, r blueberry.Repository, id string) error {
	err := tx.Enqueue(ctx, blueberry.JobBranchReconcile, id)
	if err == nil && len(r.Credential) > 0 {
		err = tx.Enqueue(ctx, blueberry.JobBranchReport, id)
	}
	return err
}

// branchesSoon has Git asked for the branches of a repository that has rules for them, or has had.
func branchesSoon(ctx context.Context, tx Tx, r blueberry.Repository) error {
	if len(r.Rules) == 0 && r.Branches.At.IsZero() {
		return nil
	}
	return tx.Enqueue(ctx, blueberry.JobBranchesSweep, r.ID)
}

// SweepBranches is the worker of branches.sweep: it takes over what Git says of the branches that have a rule, which heals what deliveries lost, and is all
// that is needed of a repository without a webhook. Then it has each branch that is known looked at.
func (s *Repositories) SweepBranches(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	r, err := view(ctx, s, func(tx Tx) (blueberry.Repository, error) { return tx.Repository(ctx, job.Subject) })
	switch {
	case isCode(err, "REPOSITORY_NOT_FOUND"):
		return blueberry.JobOutcome{}, nil
	case err != nil:
		return blueberry.JobOutcome{}, err
	}
	sweep := r.Branches
	sweep.At, sweep.Message, sweep.Failed = s.Now(), "", time.Time{}
	heads, err := s.heads(ctx, r)
	var known *blueberry.Error
	switch {
	case err != nil && !errors.As(err, &known):
		return blueberry.JobOutcome{}, err
	case err != nil:
		sweep.At, sweep.Message, sweep.Failed = r.Branches.At, cut(short(faultsText(known)), 500), r.Branches.Failed
		if sweep.Failed.IsZero() {
			sweep.Failed = s.Now()
		}
		again := backOff(s.Now().Sub(sweep.Failed))
		return blueberry.JobOutcome{Again: again}, s.Record.Update(ctx, func(tx Tx) error { return tx.SetBranchSweep(ctx, r.ID, sweep) })
	}
	if err := s.takeHeads(ctx, r, heads, sweep); err != nil {
		return blueberry.JobOutcome{}, ignoreGone(err)
	}
	if len(r.Rules) == 0 {
		return blueberry.JobOutcome{}, nil
	}
	return blueberry.JobOutcome{Again: SweepEvery}, nil
}

// heads asks Git for the branches of a repository. Nil where there is nobody to ask.
func (s *Repositories) heads(ctx context.Context, r blueberry.Repository) (map[string]string, error) {
	if s.Histories == nil {
		return nil, nil
	}
	login, err := s.login(ctx, r.Project, r.URL)
	if err != nil {
		return nil, err
	}
	heads, err := s.Histories.Branches(ctx, login, r.URL)
	if err == nil && heads == nil {
		heads = map[string]string{}
	}
	return heads, err
}

// takeHeads takes over where branches are, as they were at sweep.At. heads nil says nothing of any.
func (s *Repositories) takeHeads(ctx context.Context, r blueberry.Repository, heads map[string]string, sweep blueberry.BranchSweep) error {
	return again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			r, err := tx.Repository(ctx, r.ID) // the rules of now
			if err != nil {
				return err
			}
			sweep := sweep
			sweep.Found = r.Branches.Found
			list, err := knownBranches(ctx, tx, r.ID)
			if err != nil {
				return err
			}
			heads := heads
			live := slices.ContainsFunc(list, func(b blueberry.Branch) bool { return b.HeadCommit != "" })
			if empty := heads != nil && len(heads) == 0 && live; empty {
				heads, sweep.Message = nil, "it has no branch at all now, which is not believed: environments of its branches stay"
				if err := tx.SetBranchSweep(ctx, r.ID, sweep); err != nil {
					return err
				}
			}
			seen := map[string]bool{}
			for _, b := range list {
				seen[b.Name] = true
				moved, err := s.takeHead(ctx, tx, r, b, heads, sweep.At)
				if err != nil {
					return err
				}
				if moved {
					sweep.Found++
				}
			}
			names := make([]string, 0, len(heads))
			for name := range heads {
				if _, ruled := r.RuleOf(name); ruled && !seen[name] {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			room := blueberry.MaxBranches - len(slices.DeleteFunc(list, func(b blueberry.Branch) bool { return b.HeadCommit == "" }))
			if left := len(names) - max(room, 0); left > 0 {
				sweep.Message = fmt.Sprintf("%d branches that rules name get no environment: %d have one already, or wait for one", left, blueberry.MaxBranches)
				names = names[:max(room, 0)]
			}
			for _, name := range names {
				if _, err := s.moveBranch(ctx, tx, r, blueberry.Branch{}, blueberry.Branch{Name: name, HeadCommit: heads[name], HeardAt: sweep.At}); err != nil {
					return err
				}
				if _, err := s.sourceMoved(ctx, tx, r, name); err != nil {
					return err
				}
				sweep.Found++
			}
			if heads == nil {
				return nil
			}
			return tx.SetBranchSweep(ctx, r.ID, sweep)
		})
	})
}

// knownBranches gives all that is known of the branches of a repository: as many as rules allow, and those that are gone.
func knownBranches(ctx context.Context, tx Tx, repositoryID string) (all []blueberry.Branch, err error) {
	for before := ""; ; {
		list, err := tx.Branches(ctx, blueberry.BranchQuery{RepositoryID: repositoryID, Before: before, Limit: blueberry.MaxPageSize})
		if err != nil {
			return nil, err
		}
		if all = append(all, list...); len(list) < blueberry.MaxPageSize {
			return all, nil
		}
		before = list[len(list)-1].ID
	}
}

// takeHead takes over where one known branch is, and has it looked at. What was heard of it after Git was asked is newer.
func (s *Repositories) takeHead(ctx context.Context, tx Tx, r blueberry.Repository, b blueberry.Branch, heads map[string]string, at time.Time) (moved bool, err error) {
	if commit := heads[b.Name]; heads != nil && commit != b.HeadCommit && !b.HeardAt.After(at) {
		if _, err := s.moveBranch(ctx, tx, r, b, blueberry.Branch{Name: b.Name, HeadCommit: commit, HostAt: b.HostAt, HeardAt: at}); err != nil {
			return true, err
		}
		_, err := s.sourceMoved(ctx, tx, r, b.Name)
		return true, err
	}
	if b.HeadCommit == "" && b.Outcome == blueberry.PullEnded && s.Now().Sub(b.UpdatedAt) > blueberry.KeepGoneBranch {
		return false, tx.DeleteBranch(ctx, b.ID)
	}
	if b.HeadCommit == "" && b.Outcome == blueberry.PullEnded {
		return false, nil
	}
	return false, s.branchLookedAt(ctx, tx, r, b.ID)
}
