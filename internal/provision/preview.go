package provision

import (
	"context"
	"errors"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// PreviewRequest asks what an environment would be made of.
type PreviewRequest struct {
	Project, Name string // empty mean the default project and "preview"
	Wish
	Files map[string][]byte // a tree sent along instead of a repository; Wish.Path names the blueprint in it
	Found blueberry.Faults  // what the door has found wrong already; it is told with the rest
}

// Preview is a blueprint with its rendering; nothing of it is recorded.
type Preview struct {
	Blueprint blueberry.Blueprint
	Rendering blueberry.Rendering
	Source    blueberry.Source
	Settings  []blueberry.Setting
	Warnings  []blueberry.Warning
}

// Preview validates and renders a blueprint for the default target, and tells every fault at once.
func (p *Provisioner) Preview(ctx context.Context, actor blueberry.Actor, r PreviewRequest) (Preview, error) {
	if r.Project == "" {
		r.Project = blueberry.DefaultProject
	}
	if err := actor.CanIn(r.Project, blueberry.GrantBlueprintsRender); err != nil {
		return Preview{}, err
	}
	if r.Name == "" {
		r.Name = "preview"
	}
	faults := slices.Clone(r.Found)
	faults.CheckName("name", r.Name, blueberry.MaxEnvironmentName)
	r.checkBranch(false, &faults)
	place, err := p.place(p.Default)
	if err != nil {
		return Preview{}, err
	}
	d := &draft{place: place, project: blueberry.Project{Name: r.Project}}
	err = p.Record.View(ctx, func(tx Tx) error {
		found, err := tx.Project(ctx, r.Project)
		if errors.Is(err, blueberry.NotFound) {
			faults.Add("project", "unknown", "there is no project %q", r.Project)
			return nil
		}
		d.project = found
		return err
	})
	if err != nil {
		return Preview{}, err
	}
	d.res, err = p.resolve(ctx, asked{actor: actor, project: r.Project, wish: r.Wish, files: r.Files}, &faults)
	defer func() { d.res.loaded.release() }()
	if err != nil {
		return Preview{}, err
	}
	if err := d.render(render.Input{Name: r.Name, Namespace: blueberry.Namespace(r.Project, r.Name), Revision: 1, Strict: r.Strict, Looking: true}, &faults); err != nil {
		return Preview{}, err
	}
	if err := faults.Err(); err != nil {
		return Preview{}, err
	}
	return Preview{Blueprint: d.res.inputs.Blueprint, Rendering: d.out.Rendering, Source: d.res.inputs.Source, Settings: d.out.Settings, Warnings: d.out.Warnings}, nil
}
