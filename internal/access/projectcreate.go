package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// NewProject asks for a project.
type NewProject struct {
	Name        string
	Description string
	Found       blueberry.Faults // what was wrong with the request before it came here
}

// CreateProject makes a project without members.
func (a *Accounts) CreateProject(ctx context.Context, actor blueberry.Actor, r NewProject) (blueberry.Project, error) {
	if err := actor.Can(blueberry.GrantProjectsCreate); err != nil {
		return blueberry.Project{}, err
	}
	f := slices.Clone(r.Found)
	f.CheckName("name", r.Name, blueberry.MaxProjectName)
	f.CheckText("description", r.Description, blueberry.MaxDescription)
	if err := f.Err(); err != nil {
		return blueberry.Project{}, err
	}
	p := blueberry.Project{Name: r.Name, Description: r.Description, CreatedAt: a.Now(), Version: 1}
	err := a.Record.Update(ctx, func(tx Tx) error {
		if err := tx.InsertProject(ctx, p); err != nil {
			return err
		}
		c := change{
			action: string(blueberry.GrantProjectsCreate), resource: p.Name, project: p.Name, detail: fmt.Sprintf("%s made project %s", actor.Name, p.Name),
			after: map[string]any{"description": p.Description},
		}
		if err := a.tell(ctx, tx, actor, blueberry.ProjectCreated, c); err != nil {
			return err
		}
		return a.note(ctx, tx, actor, c)
	})
	if err != nil {
		return blueberry.Project{}, err
	}
	return p, nil
}

// tell adds the event of a change.
func (a *Accounts) tell(ctx context.Context, tx Tx, actor blueberry.Actor, event blueberry.EventType, c change) error {
	return tx.AppendEvent(ctx, blueberry.Event{Type: event, Project: c.project, Actor: actor.Name, Message: c.detail, At: a.Now()})
}

// projectFor reads a project for who holds the grant on the installation; to who sees nothing of it, it is not there.
func projectFor(ctx context.Context, tx Tx, actor blueberry.Actor, name string, grant blueberry.Grant) (blueberry.Project, error) {
	if err := actor.Can(grant); err != nil {
		if !actor.Sees(name) {
			err = blueberry.Hidden(blueberry.Errorf(blueberry.NotFound, "PROJECT_NOT_FOUND", "there is no project %q", name), grant)
		}
		return blueberry.Project{}, err
	}
	return tx.Project(ctx, name)
}
