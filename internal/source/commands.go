package source

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Commands reads one page of the commands in comments below a pull request, the newest first.
func (s *Repositories) Commands(ctx context.Context, actor blueberry.Actor, q blueberry.PullCommandQuery) ([]blueberry.PullCommand, error) {
	if _, err := s.Pull(ctx, actor, q.PullID); err != nil {
		return nil, err
	}
	return view(ctx, s, func(tx Tx) ([]blueberry.PullCommand, error) { return tx.PullCommands(ctx, q) })
}
