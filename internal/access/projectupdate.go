package access

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// UpdateProject describes a project anew.
func (a *Accounts) UpdateProject(ctx context.Context, actor blueberry.Actor, name, description string, ifVersion int64) (blueberry.Project, error) {
	if err := actor.CanIn(name, blueberry.GrantProjectsUpdate); err != nil {
		return blueberry.Project{}, err
	}
	var f blueberry.Faults
	f.CheckText("description", description, blueberry.MaxDescription)
	if err := f.Err(); err != nil {
		return blueberry.Project{}, err
	}
	var p blueberry.Project
	err := a.update(ctx, func(tx Tx) (err error) {
		if p, err = tx.Project(ctx, name); err != nil {
			return err
		}
		if err := checkVersion("project "+name, p.Version, ifVersion); err != nil || p.Description == description {
			return err
		}
		before := p.Description
		p.Description = description
		if err := tx.DescribeProject(ctx, p); err != nil {
			return err
		}
		p.Version++
		return a.note(ctx, tx, actor, change{
			action: string(blueberry.GrantProjectsUpdate), resource: name, project: name, detail: fmt.Sprintf("%s described project %s", actor.Name, name),
			before: map[string]any{"description": before}, after: map[string]any{"description": description},
		})
	})
	if err != nil {
		return blueberry.Project{}, err
	}
	return p, nil
}
