package provision

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ProjectNames lists the projects that the actor may read, by name.
func (p *Provisioner) ProjectNames(ctx context.Context, actor blueberry.Actor) (out []string, err error) {
	err = p.Record.View(ctx, func(tx Tx) error {
		list, err := readableProjects(ctx, tx, actor)
		out = make([]string, len(list))
		for i, project := range list {
			out[i] = project.Name
		}
		return err
	})
	return out, err
}

// Projects lists the projects that the actor may read by name, each with what its environments use.
func (p *Provisioner) Projects(ctx context.Context, actor blueberry.Actor) (out []ProjectState, err error) {
	err = p.Record.View(ctx, func(tx Tx) error {
		list, err := readableProjects(ctx, tx, actor)
		if err != nil {
			return err
		}
		out = make([]ProjectState, len(list))
		for i, project := range list {
			out[i].Project = project
			if out[i].Used, err = tx.ProjectUsage(ctx, project.Name); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func readableProjects(ctx context.Context, tx Tx, actor blueberry.Actor) ([]blueberry.Project, error) {
	in, err := actor.Within("", blueberry.GrantProjectsRead)
	if err != nil {
		return nil, err
	}
	list, err := tx.Projects(ctx)
	return slices.DeleteFunc(list, func(p blueberry.Project) bool { return in != nil && !slices.Contains(in, p.Name) }), err
}

// ProjectState reads one project with what its environments use.
func (p *Provisioner) ProjectState(ctx context.Context, actor blueberry.Actor, name string) (s ProjectState, err error) {
	if err := actor.CanIn(name, blueberry.GrantProjectsRead); err != nil {
		return s, err
	}
	return s, p.Record.View(ctx, func(tx Tx) (err error) {
		s, err = projectState(ctx, tx, name)
		return err
	})
}

func projectState(ctx context.Context, tx Tx, name string) (s ProjectState, err error) {
	if s.Project, err = tx.Project(ctx, name); err != nil {
		return s, err
	}
	s.Used, err = tx.ProjectUsage(ctx, name)
	return s, err
}

// SetQuota bounds what the environments of a project may use together. Environments that are over it already go on; nothing can grow. ifVersion 0 means any
// version.
func (p *Provisioner) SetQuota(ctx context.Context, actor blueberry.Actor, name string, q blueberry.Quota, ifVersion int64) (s ProjectState, err error) {
	if err := actor.Can(blueberry.GrantProjectsQuota); err != nil {
		return s, err
	}
	var faults blueberry.Faults
	q.Check(&faults, "")
	if err := faults.Err(); err != nil {
		return s, err
	}
	return s, p.Record.Update(ctx, func(tx Tx) error {
		project, err := tx.LockProject(ctx, name)
		if err != nil {
			return err
		}
		if ifVersion != 0 && ifVersion != project.Version {
			return blueberry.Errorf(blueberry.PreconditionFailed, "VERSION_MOVED", "project %s is at version %d, the request was made for version %d", name, project.Version, ifVersion)
		}
		if !reflect.DeepEqual(project.Quota, q) {
			was := project.Quota
			project.Quota = q
			if err := tx.SetQuota(ctx, project); err != nil {
				return err
			}
			now, message := p.Now(), fmt.Sprintf("%s changed the quota of project %s", actor.Name, name)
			if err := tx.AppendEvent(ctx, blueberry.Event{Type: blueberry.QuotaChanged, Project: name, Actor: actor.Name, Message: message, At: now}); err != nil {
				return err
			}
			if err := tx.AppendAudit(ctx, blueberry.AuditEntry{
				Actor: actor, Action: string(blueberry.GrantProjectsQuota), Resource: name, Project: name, Detail: message, At: now,
				Before: blueberry.AuditFields(quotaFields(was)), After: blueberry.AuditFields(quotaFields(q)),
			}); err != nil {
				return err
			}
		}
		s, err = projectState(ctx, tx, name)
		return err
	})
}
