package access

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// DeleteProject removes a project in which no environments are left, with its members, service accounts and their tokens. API tokens
// and OAuth clients that may act in it alone end with it. The default project stays.
func (a *Accounts) DeleteProject(ctx context.Context, actor blueberry.Actor, name string, ifVersion int64) error {
	return a.update(ctx, func(tx Tx) error {
		p, err := projectFor(ctx, tx, actor, name, blueberry.GrantProjectsDelete)
		if err != nil {
			return err
		}
		if name == blueberry.DefaultProject {
			return blueberry.Errorf(blueberry.Conflict, "PROJECT_IN_USE", "the project %s is always there", name)
		}
		if err := checkVersion("project "+name, p.Version, ifVersion); err != nil {
			return err
		}
		if err := tx.DeleteProject(ctx, name, p.Version, actor.Name, a.Now()); err != nil {
			return err
		}
		c := change{
			action: string(blueberry.GrantProjectsDelete), resource: name, project: name, detail: fmt.Sprintf("%s removed project %s", actor.Name, name),
			before: map[string]any{"description": p.Description},
		}
		if err := a.tell(ctx, tx, actor, blueberry.ProjectDeleted, c); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, c)
	})
}
