package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// resolution is what a wish means now: every reference followed to a version, every branch to a commit.
type resolution struct {
	inputs   blueberry.Inputs
	versions map[string]blueberry.ConfigVersion // by set id
	loaded   loaded
	policies []blueberry.Policy
	held     []blueberry.PlanInput // newer inputs that are held, and so were not taken
	author   string                // of the version of the catalogue
}

// asked is what is to be resolved: a wish over what an environment has now.
type asked struct {
	actor        blueberry.Actor
	project      string
	wish         Wish
	files        map[string][]byte // a tree sent along instead of a repository
	base         *blueberry.Inputs // nil for a new environment
	refresh      bool              // take the newest commit though nobody named a ref
	refreshSides bool              // take the newest commits of the blueprint's other repositories
	restricted   bool              // the environment is
	holds        []blueberry.Hold
	byItself     bool // nobody asked: what is held is passed over in silence
}

// resolve follows every reference of a wish. What is wrong with it goes to faults; what is held and was asked for by name is a Conflict.
func (p *Provisioner) resolve(ctx context.Context, a asked, faults *blueberry.Faults) (resolution, error) {
	r := resolution{versions: map[string]blueberry.ConfigVersion{}}
	r.loaded.release = func() {}
	if a.base != nil {
		r.inputs = *a.base
	}
	o, err := p.originOf(ctx, a, &r, faults)
	if err != nil {
		return r, err
	}
	if r.loaded, err = p.load(ctx, a.project, o, faults); err != nil {
		return r, err
	}
	if err := p.avoidHeld(ctx, a, &r); err != nil {
		return r, err
	}
	faults.CheckExact("overrides", a.wish.Overrides)
	faults.CheckExact("parameters", a.wish.Parameters)
	r.inputs.Source, r.inputs.Blueprint = r.loaded.source, r.loaded.blueprint
	if a.wish.Head != nil {
		r.inputs.Head = *a.wish.Head
	}
	r.mergeWish(a.wish)
	if err := p.sides(ctx, a, &r, faults); err != nil {
		return r, err
	}
	if err := r.build(a, faults); err != nil {
		return r, err
	}
	if r.loaded.known {
		r.inputs.Blueprint.CheckParameters(faults, "parameters", r.inputs.Parameters)
		if a.actor.Kind != blueberry.ActorJob && !r.inputs.Blueprint.Access.Allows(a.actor, a.project) {
			faults.Add("blueprint", "forbidden", "the blueprint %s is not for %s in project %s", r.inputs.Blueprint.Name, a.actor.Name, a.project)
		}
	}
	return r, p.Record.View(ctx, func(tx Tx) error {
		if err := r.config(ctx, tx, a, faults); err != nil {
			return err
		}
		r.policies, err = tx.Policies(ctx, a.project)
		return err
	})
}

// avoidHeld answers a commit that is held: who asked for it is refused; what goes by itself stays at the blueprint and the commit that the environment has.
func (p *Provisioner) avoidHeld(ctx context.Context, a asked, r *resolution) error {
	if a.base == nil || !r.loaded.known || r.loaded.source.Commit == "" || r.loaded.source.Commit == a.base.Source.Commit {
		return nil
	}
	in := blueberry.PlanInput{Kind: blueberry.InputCommit, Name: r.loaded.source.Repository, Value: r.loaded.source.Commit}
	h, held := blueberry.Holds(a.holds, []blueberry.PlanInput{in})
	if !held {
		return nil
	}
	if !a.byItself {
		return heldError(h)
	}
	r.held, r.inputs.Catalogue = append(r.held, in), a.base.Catalogue
	r.loaded.release()
	var none blueberry.Faults
	s := a.base.Source
	var err error
	if r.loaded, err = p.load(ctx, a.project, origin{Repository: s.Repository, Ref: s.Ref, Path: s.Path, Commit: s.Commit, Blueprint: &a.base.Blueprint}, &none); err != nil {
		return err
	}
	return none.Err()
}

func heldError(h blueberry.Hold) error {
	e := blueberry.Errorf(blueberry.Conflict, "INPUT_HELD", "%s %s is held since %s by %s: %s; release the hold first", h.Kind, strings.TrimSpace(h.Name+" "+h.Value),
		h.Since.UTC().Format("2006-01-02 15:04 MST"), h.By, h.Reason)
	e.Fields = blueberry.Faults{{Field: blueberry.JoinField("holds", blueberry.JoinField(h.Kind, h.Name)), Code: "held", Message: h.Value + " is held"}}
	return e
}

// mergeWish takes what a wish says of the branch, parameters and overrides.
func (r *resolution) mergeWish(w Wish) {
	if w.Branch != nil {
		r.inputs.Branch = *w.Branch
	}
	if w.Parameters != nil {
		r.inputs.Parameters = maps.Clone(r.inputs.Parameters)
		if r.inputs.Parameters == nil {
			r.inputs.Parameters = map[string]any{}
		}
		for name, v := range w.Parameters {
			if v == nil {
				delete(r.inputs.Parameters, name)
				continue
			}
			r.inputs.Parameters[name] = v
		}
		if len(r.inputs.Parameters) == 0 {
			r.inputs.Parameters = nil
		}
	}
	if w.Overrides != nil {
		r.inputs.Overrides = w.Overrides
		if len(w.Overrides) == 0 {
			r.inputs.Overrides = nil
		}
	}
}

// wanted is a config set that is named, and where.
type wanted struct {
	blueberry.ConfigRef
	field     string
	byDefault bool // by the blueprint
	byName    bool // by the wish itself
}

// config resolves the config sets: those of the blueprint, then those of the request.
func (r *resolution) config(ctx context.Context, tx Tx, a asked, faults *blueberry.Faults) error {
	had := map[string]blueberry.ConfigUse{}
	var own []wanted
	if a.base != nil {
		for i, u := range a.base.Config {
			had[u.SetID] = u
			if !u.Default && a.wish.ConfigSets == nil {
				own = append(own, wanted{ConfigRef: u.ConfigRef, field: fmt.Sprintf("config_sets[%d]", i)})
			}
		}
	}
	if a.wish.ConfigSets != nil {
		good := faults.CheckConfigRefs("config_sets", *a.wish.ConfigSets)
		for i, text := range *a.wish.ConfigSets {
			if ref, ok := blueberry.ParseConfigRef(text); ok && slices.Contains(good, ref) {
				own = append(own, wanted{ConfigRef: ref, field: fmt.Sprintf("config_sets[%d]", i), byName: true})
			}
		}
	}
	var all []wanted
	for i, ref := range r.inputs.Blueprint.ConfigSets {
		if !slices.ContainsFunc(own, func(o wanted) bool { return o.Name == ref.Name && o.Global == ref.Global }) { // else the request says which, and where
			all = append(all, wanted{ConfigRef: ref, field: fmt.Sprintf("blueprint.configSets[%d]", i), byDefault: true})
		}
	}
	r.inputs.Config = nil
	for _, w := range append(all, own...) {
		err := r.use(ctx, tx, a, w, had)
		if errors.Is(err, blueberry.NotFound) {
			faults.Add(w.field, "unknown", "%s", userText(err))
		} else if err != nil {
			return err
		}
	}
	return nil
}

// use takes one config set. A version that is held is refused to who names it, and passed over for the one that the environment has.
func (r *resolution) use(ctx context.Context, tx Tx, a asked, w wanted, had map[string]blueberry.ConfigUse) error {
	set, version, err := tx.ResolveConfig(ctx, a.project, w.ConfigRef)
	if err != nil {
		return err
	}
	old, there := had[set.ID]
	in := configInput(w.ConfigRef, version.Number)
	if h, held := blueberry.Holds(a.holds, []blueberry.PlanInput{in}); held && old.Number != version.Number {
		if !there || w.byName && !w.Follows() {
			return heldError(h)
		}
		r.held = append(r.held, in)
		if version, err = tx.ConfigVersion(ctx, set.ID, old.Number); err != nil {
			return err
		}
		if !w.Follows() {
			w.Version = old.Number
		}
	}
	r.versions[set.ID] = version
	r.inputs.Config = append(r.inputs.Config, blueberry.ConfigUse{
		ConfigRef: w.ConfigRef, SetID: set.ID, Number: version.Number, Author: version.Author, Digest: version.Digest, Default: w.byDefault,
	})
	return nil
}

func configInput(ref blueberry.ConfigRef, number int) blueberry.PlanInput {
	ref.Version = 0
	return blueberry.PlanInput{Kind: blueberry.InputConfigSet, Name: ref.String(), Value: fmt.Sprint(number)}
}

// layers are those above the blueprint.
func (r *resolution) layers() []blueberry.Layer {
	return r.inputs.Layers(func(u blueberry.ConfigUse) blueberry.ConfigVersion { return r.versions[u.SetID] })
}

// planInputs tells what was resolved, as a plan holds it. Images are those of the rendering.
func (r *resolution) planInputs(place Place, project blueberry.Project, images map[string]string) []blueberry.PlanInput {
	var out []blueberry.PlanInput
	add := func(kind, name, value string) {
		out = append(out, blueberry.PlanInput{Kind: kind, Name: name, Value: value})
	}
	if c := r.inputs.Catalogue; c.Name != "" {
		add(blueberry.InputBlueprint, refName(c), fmt.Sprint(c.Version))
	} else {
		add(blueberry.InputBlueprint, r.inputs.Blueprint.Name, r.loaded.digest)
	}
	if s := r.inputs.Source; s.Commit != "" {
		add(blueberry.InputCommit, s.Repository, s.Commit)
	}
	for _, s := range r.inputs.Sources {
		add(blueberry.InputCommit, s.Name, s.Commit)
		add(blueberry.InputBranch, s.Name, branchText(r.inputs, s))
	}
	for component, commit := range r.inputs.Commits {
		add(blueberry.InputRun, component, commit)
	}
	for _, u := range r.inputs.Config {
		in := configInput(u.ConfigRef, u.Number)
		add(in.Kind, in.Name, in.Value)
	}
	for component, image := range images {
		add(blueberry.InputImage, component, image)
	}
	add(blueberry.InputPolicies, "", policiesText(r.policies))
	add(blueberry.InputQuota, project.Name, digestOf(project.Quota))
	add(blueberry.InputRenderer, place.Name, strings.Join([]string{render.Version(), place.KubeVersion, place.Domain}, " "))
	return out
}

func policiesText(list []blueberry.Policy) string {
	if len(list) == 0 {
		return "none"
	}
	var parts []string
	for _, p := range list {
		parts = append(parts, fmt.Sprintf("%s v%d %s", p.Label(), p.Version, p.ID))
	}
	return strings.Join(parts, ", ")
}
