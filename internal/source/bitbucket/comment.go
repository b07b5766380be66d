package bitbucket

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// WriteComment has the pull request bear one comment.
func (Host) WriteComment(ctx context.Context, c *source.Connection, number int, id, mark, text string) (string, error) {
	at, err := repo(c)
	if err != nil {
		return id, err
	}
	var t source.Thread = cloudThread{c, at, number}
	if isServer(c) {
		t = &serverThread{Connection: c, repo: at, number: number}
	}
	return source.WriteComment(ctx, t, id, mark, text)
}
