package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// CreateRequest asks for an environment.
type CreateRequest struct {
	Project, Name, Target string // Project and Target empty mean the default
	Hours                 int    // length of the lease
	Repository, Ref, Path string // Path of the blueprint; empty means blueberry.yaml
	Blueprint             *blueberry.Blueprint
	Found                 blueberry.Faults // what the door has found wrong already; it is told with the rest
	Key                   string           // idempotency key; empty for none. The same key gives the environment that it gave before
}

// Create accepts an environment: it validates and renders the request, tells every fault at once, and records the environment, its first revision
// and the job that makes it, all or nothing.
func (p *Provisioner) Create(ctx context.Context, actor blueberry.Actor, r CreateRequest) (blueberry.Environment, error) {
	if err := actor.Can(blueberry.GrantEnvironmentsCreate); err != nil {
		return blueberry.Environment{}, err
	}
	if r.Project == "" {
		r.Project = blueberry.DefaultProject
	}
	if r.Target == "" {
		r.Target = p.Default
	}
	now := p.Now()
	if e, err := p.made(ctx, actor, r, now); !errors.Is(err, blueberry.NotFound) {
		return e, err
	}
	faults := slices.Clone(r.Found)
	env, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{
		Project: r.Project, Name: r.Name, Target: r.Target, Owner: actor.Name, Hours: r.Hours,
	}, now)
	if err := faults.Merge("", err); err != nil {
		return blueberry.Environment{}, err
	}
	place, known := p.Places[r.Target]
	if !known {
		faults.Add("target", "unknown", "%q is not a target of this installation", r.Target)
	}
	project, err := p.checkRecord(ctx, r, &faults)
	if err != nil {
		return blueberry.Environment{}, err
	}

	in := render.Input{Project: project, Name: r.Name, Namespace: blueberry.Namespace(r.Project, r.Name), Revision: 1, Domain: place.Domain, KubeVersion: place.KubeVersion}
	src, rendering, err := p.build(ctx, &in, origin{Repository: r.Repository, Ref: r.Ref, Path: r.Path, Blueprint: r.Blueprint}, &faults)
	if err != nil {
		return blueberry.Environment{}, err
	}
	if err := faults.Err(); err != nil {
		return blueberry.Environment{}, err
	}
	env.Source, env.Hosts, env.DeadlineAt = src, render.Hosts(in), env.NextDeadline()
	env.Version, env.RequestKey = 1, requestKey(actor, r)
	rev := blueberry.Revision{
		ID: blueberry.NewID(blueberry.RevisionID, now), EnvironmentID: env.ID, Number: 1, Author: actor.Name, Reason: "created",
		Source: src, Blueprint: in.Blueprint, Rendering: rendering, CreatedAt: now,
	}
	err = p.Record.Update(ctx, func(tx Tx) error {
		if err := tx.InsertEnvironment(ctx, env); err != nil {
			return err
		}
		if err := tx.InsertRevision(ctx, rev); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, env.ID); err != nil {
			return err
		}
		message := fmt.Sprintf("%s asked for %s with %d objects until %s", actor.Name, env.Name, rendering.Count(), env.Lease.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
		return p.tell(ctx, tx, env, blueberry.EnvironmentRequested, actor, blueberry.GrantEnvironmentsCreate, message)
	})
	if err != nil {
		return blueberry.Environment{}, taken(err, r.Name)
	}
	p.at(StepAccepted)
	return env, nil
}

// made gives the environment that this very request has made before, or NotFound. The door gives a repeated request its first answer; here is what it
// cannot know: that the environment was recorded and the process died before the answer was kept.
func (p *Provisioner) made(ctx context.Context, actor blueberry.Actor, r CreateRequest, now time.Time) (e blueberry.Environment, err error) {
	if r.Key == "" {
		return e, blueberry.NotFound
	}
	err = p.Record.View(ctx, func(tx Tx) error {
		e, err = tx.EnvironmentOfRequest(ctx, requestKey(actor, r), now.Add(-blueberry.IdempotencyLifetime))
		return err
	})
	return e, err
}

func requestKey(actor blueberry.Actor, r CreateRequest) string {
	if r.Key == "" {
		return ""
	}
	return actor.ID + " " + r.Project + "/" + r.Name + " " + r.Key
}

// checkRecord reads what the request leans on: the project, and whether the name is free.
func (p *Provisioner) checkRecord(ctx context.Context, r CreateRequest, faults *blueberry.Faults) (blueberry.Project, error) {
	project := blueberry.Project{Name: r.Project}
	err := p.Record.View(ctx, func(tx Tx) error {
		found, err := tx.Project(ctx, r.Project)
		switch {
		case err == nil:
			project = found
		case errors.Is(err, blueberry.NotFound):
			faults.Add("project", "unknown", "there is no project %q", r.Project)
		default:
			return err
		}
		_, err = tx.FindEnvironment(ctx, r.Target, blueberry.Namespace(r.Project, r.Name))
		switch {
		case err == nil:
			faults.Add("name", "taken", "%q is the name of an environment that exists", r.Name)
		case !errors.Is(err, blueberry.NotFound):
			return err
		}
		return nil
	})
	return project, err
}

// taken gives a name that was taken between the check and the write the same form as the check does.
func taken(err error, name string) error {
	if errors.Is(err, blueberry.Conflict) {
		var faults blueberry.Faults
		faults.Add("name", "taken", "%q is the name of an environment that exists", name)
		return faults.Err()
	}
	return fmt.Errorf("record environment: %w", err)
}

// tell records an event and, for an act of someone, its audit entry.
func (p *Provisioner) tell(ctx context.Context, tx Tx, e blueberry.Environment, t blueberry.EventType, actor blueberry.Actor, grant blueberry.Grant, message string) error {
	now := p.Now()
	err := tx.AppendEvent(ctx, blueberry.Event{Type: t, EnvironmentID: e.ID, Project: e.Project, Environment: e.Name, Actor: actor.Name, Message: message, At: now})
	if err != nil || grant == "" {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{Actor: actor, Action: string(grant), Resource: e.ID, Detail: message, At: now})
}
