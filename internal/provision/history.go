package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// Revisions reads one page of the revisions of an environment, newest first, without renderings.
func (p *Provisioner) Revisions(ctx context.Context, actor blueberry.Actor, q blueberry.RevisionQuery) ([]blueberry.Revision, error) {
	return viewOf(ctx, p, actor, q.EnvironmentID, func(tx Tx, _ blueberry.Environment) ([]blueberry.Revision, error) { return tx.Revisions(ctx, q) })
}

// RevisionInputs reads one revision without its rendering; number 0 means the desired one.
func (p *Provisioner) RevisionInputs(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, error) {
	return viewOf(ctx, p, actor, id, func(tx Tx, e blueberry.Environment) (blueberry.Revision, error) {
		return tx.RevisionInputs(ctx, id, orDesired(e, number))
	})
}

func orDesired(e blueberry.Environment, number int) int {
	if number == 0 {
		return e.Revision
	}
	return number
}

// Settings reads the effective values of a revision with their origins, by path; number 0 means the desired one.
func (p *Provisioner) Settings(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.Revision, []blueberry.Setting, error) {
	var rev blueberry.Revision
	list, err := viewOf(ctx, p, actor, id, func(tx Tx, e blueberry.Environment) (_ []blueberry.Setting, err error) {
		n := orDesired(e, number)
		if rev, err = tx.RevisionInputs(ctx, id, n); err != nil {
			return nil, err
		}
		return tx.RevisionSettings(ctx, id, n)
	})
	return rev, list, err
}

// DiffRevisions tells what differs between two revisions of an environment: inputs, settings, and objects field by field.
func (p *Provisioner) DiffRevisions(ctx context.Context, actor blueberry.Actor, id string, from, to int) (RevisionDiff, error) {
	out, err := viewOf(ctx, p, actor, id, func(tx Tx, e blueberry.Environment) (d RevisionDiff, err error) {
		for _, x := range []struct {
			number int
			to     *blueberry.Revision
		}{{from, &d.From}, {to, &d.To}} {
			n := orDesired(e, x.number)
			if *x.to, err = tx.Revision(ctx, id, n); err != nil {
				return d, err
			}
			if x.to.Settings, err = tx.RevisionSettings(ctx, id, n); err != nil {
				return d, err
			}
		}
		return d, nil
	})
	if err != nil {
		return out, err
	}
	if out.Objects, err = render.Diff(out.From.Rendering.Files, out.To.Rendering.Files); err != nil {
		return out, fmt.Errorf("compare revisions: %w", err)
	}
	out.Config = blueberry.CompareSettings(out.From.Settings, out.To.Settings)
	out.Inputs = changedInputs(out.From.Inputs, out.To.Inputs)
	for _, r := range []*blueberry.Revision{&out.From, &out.To} {
		r.Rendering.Files, r.Settings = nil, nil
	}
	return out, nil
}

func changedInputs(a, b blueberry.Inputs) []InputChange {
	type key struct{ kind, name string }
	values := func(in blueberry.Inputs) map[key]string {
		out := map[key]string{}
		for _, i := range heldInputs(in) {
			out[key{i.Kind, i.Name}] = i.Value
		}
		if in.Catalogue.Name == "" {
			out[key{blueberry.InputBlueprint, in.Blueprint.Name}] = digestOf(in.Blueprint)
		}
		for _, s := range in.Sources {
			out[key{blueberry.InputBranch, s.Name}] = branchText(in, s)
		}
		for component, commit := range in.Commits {
			out[key{blueberry.InputRun, component}] = commit
		}
		for component, image := range in.Images {
			out[key{blueberry.InputImage, component}] = image
		}
		for name, v := range in.Parameters {
			out[key{"parameter", name}] = fmt.Sprint(v)
		}
		if len(in.Overrides) > 0 {
			out[key{"overrides", ""}] = digestOf(in.Overrides)
		}
		return out
	}
	before, after := values(a), values(b)
	var out []InputChange
	for k, v := range before {
		if after[k] != v {
			out = append(out, InputChange{k.kind, k.name, v, after[k]})
		}
	}
	for k, v := range after {
		if _, had := before[k]; !had {
			out = append(out, InputChange{k.kind, k.name, "", v})
		}
	}
	slices.SortFunc(out, func(a, b InputChange) int { return strings.Compare(a.Kind+"\x00"+a.Name, b.Kind+"\x00"+b.Name) })
	return out
}
