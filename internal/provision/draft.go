package provision

import (
	"context"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// draft is a desired state that is not recorded yet, with all that was found out on the way to it.
type draft struct {
	kind     blueberry.PlanKind
	actor    blueberry.Actor
	now      time.Time
	project  blueberry.Project
	place    Place
	env      blueberry.Environment // of a create as it will be, else as it is
	base     blueberry.Revision    // that it changes; zero for a create
	rev      blueberry.Revision    // that it makes; zero for a destroy
	res      resolution
	out      render.Output
	inputs   []blueberry.PlanInput
	holds    []blueberry.Hold // that it puts: a rollback's
	hours    int              // of the lease: of a create those asked for, else those left
	used     map[blueberry.EnvironmentKind]blueberry.Usage
	same     bool               // it would change nothing
	restores bool               // an undo: it takes old versions on purpose
	requests blueberry.Requests // of the revision that it makes; none of a destroy
	release  func()
}

// readUse reads what the quota is compared with, if there is one.
func (d *draft) readUse(ctx context.Context, tx Tx) (err error) {
	if !limited(d.project.Quota) {
		return nil
	}
	d.used, err = tx.ProjectUsage(ctx, d.project.Name)
	return err
}

func limited(q blueberry.Quota) bool { return q.Limits != (blueberry.Limits{}) || len(q.Kinds) > 0 }

// render fills in the rest of the input and renders it. With faults, the rendering is empty.
func (d *draft) render(in render.Input, faults *blueberry.Faults) error {
	if !d.res.loaded.known || d.res.loaded.incomplete {
		return nil // the faults say why
	}
	in.Project, in.Domain, in.KubeVersion = d.project, d.place.Domain, d.place.KubeVersion
	if in.Domain == "" && len(*faults) > 0 {
		in.Domain = "invalid" // the target is not known; the rest of the request is checked all the same
	}
	in.Blueprint, in.Source, in.SourceCommit = d.res.inputs.Blueprint, d.res.loaded.tree, d.res.inputs.Source.Commit
	in.Sources, in.Commits, in.Images = d.res.loaded.sides, d.res.inputs.ComponentCommits(), d.res.inputs.Images
	in.Layers, in.Parameters, in.BlueprintVersion = d.res.layers(), d.res.inputs.Parameters, d.res.inputs.Catalogue.Version
	in.BlueprintAuthor = d.res.author
	in.Restricted = in.Restricted || d.env.Restricted
	if in.AppCommit = d.res.inputs.AppCommit(); in.AppCommit == "" && in.Source != nil {
		in.AppCommit = render.NoCommit // files that were sent along, to be looked at
	}
	var err error
	d.out, err = render.Environment(in)
	return mergeRendered(faults, err)
}

// mergeRendered notes what render found: faults of the blueprint below "blueprint", those of layers where the layers are in the request.
func mergeRendered(faults *blueberry.Faults, err error) error {
	var found blueberry.Faults
	if err := found.Merge("", err); err != nil {
		return err
	}
	for _, f := range found {
		switch root, _, _ := strings.Cut(f.Field, "."); root {
		case "config_sets", "overrides", "parameters", "config", "images":
			if known(*faults, f) {
				continue // told by the check of the request already
			}
		default:
			f.Field = blueberry.JoinField("blueprint", f.Field)
		}
		*faults = append(*faults, f)
	}
	return nil
}

func known(faults blueberry.Faults, f blueberry.Fault) bool {
	for _, x := range faults {
		if x.Field == f.Field && x.Code == f.Code {
			return true
		}
	}
	return false
}

// usage is what the environment uses as the revision has it.
func usage(d blueberry.Demand) blueberry.Usage { return blueberry.Usage{Environments: 1, Demand: d} }

// quota compares the limits of the project with what would be used.
func (d *draft) quota() []blueberry.Fit {
	if !limited(d.project.Quota) || d.kind == blueberry.PlanDestroy {
		return nil
	}
	var before blueberry.Usage
	if d.base.Number > 0 {
		before = usage(d.env.Demand)
	}
	return d.project.Quota.Fit(d.project.Name, d.env.Kind(), d.used, before, usage(d.rev.Demand))
}

// judge asks the policies what they say of the draft.
func (d *draft) judge() ([]blueberry.PolicyVerdict, error) {
	if len(d.res.policies) == 0 {
		return nil, nil
	}
	q := policy.Question{Actor: d.actor, Action: d.kind, Environment: d.env, Inputs: d.rev.Inputs, Demand: d.rev.Demand, LeaseHours: d.hours}
	if d.kind == blueberry.PlanDestroy {
		q.Inputs = d.base.Inputs
	} else {
		list, err := render.Manifests(d.rev.Rendering.Files)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			q.Manifests = append(q.Manifests, policy.Manifest{ObjectRef: m.ObjectRef, Component: m.Component, Object: m.Object})
		}
	}
	return policy.Judge(d.res.policies, q), nil
}
