package source

import (
	"context"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Followers has those environments looked at that are made of repositories which their blueprints name.
type Followers interface {
	// SourceMoved has every environment of a project looked at that is made of a branch of a repository, or would be if it had that branch. The branch is a name
	// without refs/heads/.
	SourceMoved(ctx context.Context, project, repository, branch string) error
}

// FollowerRows are the rows of what environments are made of.
type FollowerRows interface {
	// SourceFollowers gives the ids of the living environments that are made of a branch of a repository which their blueprint names, or would be if the
	// repository had that branch.
	SourceFollowers(ctx context.Context, q blueberry.SourceFollowerQuery) ([]string, error)
}

// sourceMoved has the environments looked at that are made of a branch which moved, or came, or went, and tells whether there are any. One that is asked for at
// this moment has seen the branch before or after; the next push finds it.
func (s *Repositories) sourceMoved(ctx context.Context, tx Tx, r blueberry.Repository, branch string) (bool, error) {
	if s.Followers == nil || refFault(branch) != "" {
		return false, nil
	}
	ids, err := tx.SourceFollowers(ctx, blueberry.SourceFollowerQuery{Project: r.Project, Repository: r.URL, Branch: branch, Limit: 1})
	if err != nil || len(ids) == 0 {
		return false, err
	}
	return true, tx.Enqueue(ctx, blueberry.JobSourceMoved, r.ID+" "+branch)
}

// SourceMoved is the worker of source.moved. However often a branch is pushed, one such job of it waits, and one of each environment.
func (s *Repositories) SourceMoved(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	id, branch, _ := strings.Cut(job.Subject, " ")
	r, err := view(ctx, s, func(tx Tx) (blueberry.Repository, error) { return tx.Repository(ctx, id) })
	if err != nil || s.Followers == nil {
		return blueberry.JobOutcome{}, ignoreGone(err)
	}
	return blueberry.JobOutcome{}, s.Followers.SourceMoved(ctx, r.Project, r.URL, branch)
}
