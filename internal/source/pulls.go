package source

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Pulls reads one page of pull requests, the newest first. An empty project means all that the actor may see.
func (s *Repositories) Pulls(ctx context.Context, actor blueberry.Actor, project string, q blueberry.PullQuery) ([]blueberry.PullRequest, error) {
	in, err := within(actor, project, blueberry.GrantRepositoriesRead)
	if err != nil {
		return nil, err
	}
	q.Projects = in
	return view(ctx, s, func(tx Tx) ([]blueberry.PullRequest, error) { return tx.Pulls(ctx, q) })
}

// Pull reads one.
func (s *Repositories) Pull(ctx context.Context, actor blueberry.Actor, id string) (blueberry.PullRequest, error) {
	return view(ctx, s, func(tx Tx) (blueberry.PullRequest, error) {
		p, err := tx.Pull(ctx, id)
		if err != nil {
			return p, err
		}
		return p, actor.CanOn(p.Project, blueberry.GrantRepositoriesRead, blueberry.Errorf(blueberry.NotFound, "PULL_NOT_FOUND", "there is no pull request %q", id))
	})
}
