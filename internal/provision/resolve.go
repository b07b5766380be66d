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
}

// asked is what is to be resolved: a wish over what an environment has now.
type asked struct {
	actor    blueberry.Actor
	project  string
	wish     Wish
	files    map[string][]byte // a tree sent along instead of a repository
	base     *blueberry.Inputs // nil for a new environment
	refresh  bool              // take the newest commit though nobody named a ref
	holds    []blueberry.Hold
	byItself bool // nobody asked: what is held is passed over in silence

	ownSource bool // the files of the environment are those of its blueprint of the catalogue
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
	if r.loaded, err = p.load(ctx, o, faults); err != nil {
		return r, err
	}
	if a.base != nil && r.loaded.known && r.loaded.source.Commit != a.base.Source.Commit && r.loaded.source.Commit != "" {
		in := blueberry.PlanInput{Kind: blueberry.InputCommit, Name: r.loaded.source.Repository, Value: r.loaded.source.Commit}
		if err := p.avoidHeld(ctx, a, &r, in); err != nil {
			return r, err
		}
	}
	r.inputs.Source, r.inputs.Blueprint = r.loaded.source, r.loaded.blueprint
	r.mergeWish(a.wish)
	if r.loaded.known {
		r.inputs.Blueprint.CheckParameters(faults, "parameters", r.inputs.Parameters)
		if !a.byItself && !r.inputs.Blueprint.Access.Allows(a.actor, a.project) {
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

// avoidHeld answers a commit that is held: who asked for it by name is refused; what goes by itself stays at the commit that the environment has.
func (p *Provisioner) avoidHeld(ctx context.Context, a asked, r *resolution, in blueberry.PlanInput) error {
	h, held := blueberry.Holds(a.holds, []blueberry.PlanInput{in})
	if !held {
		return nil
	}
	if !a.byItself {
		return heldError(h)
	}
	r.held = append(r.held, in)
	r.loaded.release()
	var none blueberry.Faults
	l, err := p.load(ctx, originOfInputs(*a.base), &none)
	if err == nil {
		err = none.Err()
	}
	r.loaded = l
	return err
}

func heldError(h blueberry.Hold) error {
	e := blueberry.Errorf(blueberry.Conflict, "INPUT_HELD", "%s %s is held since %s by %s: %s; release the hold first", h.Kind, strings.TrimSpace(h.Name+" "+h.Value),
		h.Since.UTC().Format("2006-01-02 15:04 MST"), h.By, h.Reason)
	e.Fields = blueberry.Faults{{Field: blueberry.JoinField("holds", blueberry.JoinField(h.Kind, h.Name)), Code: "held", Message: h.Value + " is held"}}
	return e
}

// originOfInputs is where the blueprint of a revision is: as the record has it, with the files of its commit.
func originOfInputs(in blueberry.Inputs) origin {
	return origin{Repository: in.Source.Repository, Ref: in.Source.Ref, Path: in.Source.Path, Commit: in.Source.Commit, Blueprint: &in.Blueprint}
}

// originOf says where the blueprint of a wish is.
func (p *Provisioner) originOf(ctx context.Context, a asked, r *resolution, faults *blueberry.Faults) (origin, error) {
	w := a.wish
	if a.base != nil && a.base.Catalogue.Name != "" {
		// The files of its components are those of the repository that it was published from, unless someone named another one.
		err := p.Record.View(ctx, func(tx Tx) error {
			_, version, err := tx.ResolveBlueprint(ctx, a.project, a.base.Catalogue)
			a.ownSource = err == nil && version.Source.Repository == a.base.Source.Repository
			if errors.Is(err, blueberry.NotFound) {
				return nil
			}
			return err
		})
		if err != nil {
			return origin{}, err
		}
	}
	text := func(s *string, otherwise string) string {
		if s == nil {
			return otherwise
		}
		return *s
	}
	var o origin
	if a.base != nil {
		o = originOfInputs(*a.base)
	}
	if w.Repository != nil && *w.Repository != o.Repository {
		o = origin{Repository: *w.Repository}
	}
	if w.Ref != nil || w.Path != nil || a.refresh && o.Repository != "" && r.inputs.Catalogue.Name == "" {
		o.Commit = ""
		if a.base != nil && !a.inline() {
			o.Blueprint = nil // read anew
		}
	}
	o.Ref, o.Path, o.Files = text(w.Ref, o.Ref), text(w.Path, o.Path), a.files
	if o.Repository == "" && (w.Ref != nil && *w.Ref != "" || w.Path != nil && a.files == nil) {
		faults.Add("source.repository", "required", "a ref and a path are those of a repository")
	}
	named := 0
	for _, set := range []bool{w.Blueprint != nil, w.Catalogue != nil, w.Path != nil} {
		if set {
			named++
		}
	}
	if named > 1 {
		faults.Add("blueprint", "exclusive", "the blueprint is named in more than one way: give one of blueprint, blueprint_ref and source.path")
	}
	switch {
	case w.Blueprint != nil:
		o.Blueprint, r.inputs.Catalogue = w.Blueprint, blueberry.BlueprintRef{}
		return o, nil
	case w.Path != nil, w.Repository != nil && w.Catalogue == nil:
		r.inputs.Catalogue = blueberry.BlueprintRef{}
		return o, nil
	}
	return p.catalogued(ctx, a, r, o, faults)
}

// inline reports whether the environment's blueprint came with a request: then a new commit brings no other.
func (a asked) inline() bool { return a.base.Source.Path == "" }

// catalogued finds the blueprint of the catalogue that a wish names, or that the environment follows.
func (p *Provisioner) catalogued(ctx context.Context, a asked, r *resolution, o origin, faults *blueberry.Faults) (origin, error) {
	ref, field := r.inputs.Catalogue, "blueprint_ref"
	if a.wish.Catalogue != nil {
		var ok bool
		if ref, ok = blueberry.ParseBlueprintRef(*a.wish.Catalogue); !ok {
			faults.Add(field, "pattern", "%q is not a reference to a blueprint of the catalogue: name, name@3 or global/name", *a.wish.Catalogue)
			return o, nil
		}
		ref.Follow = ref.Version == 0
		if a.base != nil && a.base.Catalogue.Name == "" && a.wish.Repository == nil {
			o = origin{} // another blueprint, which brings its own repository
		}
	}
	if ref.Name == "" {
		return o, nil
	}
	err := p.Record.View(ctx, func(tx Tx) error {
		want := ref
		if ref.Follow {
			want.Version = 0
		}
		entry, version, err := tx.ResolveBlueprint(ctx, a.project, want)
		if err != nil {
			return err
		}
		in := blueberry.PlanInput{Kind: blueberry.InputBlueprint, Name: refName(ref), Value: fmt.Sprint(version.Number)}
		if h, held := blueberry.Holds(a.holds, []blueberry.PlanInput{in}); held {
			if a.wish.Catalogue != nil && !ref.Follow {
				return heldError(h)
			}
			if a.base != nil && a.base.Catalogue.EntryID == entry.ID {
				r.held = append(r.held, in)
				want.Version = a.base.Catalogue.Version
				if _, version, err = tx.ResolveBlueprint(ctx, a.project, want); err != nil {
					return err
				}
			}
		}
		ref.EntryID, ref.Version = entry.ID, version.Number
		r.inputs.Catalogue = ref
		o.Catalogue, o.Blueprint = &version, nil
		if a.wish.Repository == nil && (a.base == nil || a.base.Source.Repository == "" || a.base.Catalogue.EntryID != entry.ID || a.ownSource) {
			o.Repository = "" // the blueprint's own
		}
		return nil
	})
	if errors.Is(err, blueberry.NotFound) {
		faults.Add(field, "unknown", "%s", userText(err))
		return o, nil
	}
	return o, err
}

func refName(r blueberry.BlueprintRef) string {
	r.Version = 0
	return r.String()
}

// mergeWish takes what a wish says of parameters and overrides.
func (r *resolution) mergeWish(w Wish) {
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
	}
	if w.Overrides != nil {
		r.inputs.Overrides = w.Overrides
	}
}

// config resolves the config sets: those of the blueprint, then those of the request.
func (r *resolution) config(ctx context.Context, tx Tx, a asked, faults *blueberry.Faults) error {
	had := map[string]blueberry.ConfigUse{}
	var own []blueberry.ConfigRef
	if a.base != nil {
		for _, u := range a.base.Config {
			had[u.SetID] = u
			if !u.Default {
				own = append(own, u.ConfigRef)
			}
		}
	}
	if a.wish.ConfigSets != nil {
		own = faults.CheckConfigRefs("config_sets", *a.wish.ConfigSets)
	}
	r.inputs.Config = nil
	named := func(ref blueberry.ConfigRef) bool {
		return slices.ContainsFunc(own, func(o blueberry.ConfigRef) bool { return o.Name == ref.Name && o.Global == ref.Global })
	}
	for i, ref := range r.inputs.Blueprint.ConfigSets {
		if named(ref) {
			continue // the request says which version, and where it stands
		}
		if err := r.use(ctx, tx, a, ref, true, had, fmt.Sprintf("blueprint.configSets[%d]", i), faults); err != nil {
			return err
		}
	}
	for i, ref := range own {
		if err := r.use(ctx, tx, a, ref, false, had, fmt.Sprintf("config_sets[%d]", i), faults); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolution) use(ctx context.Context, tx Tx, a asked, ref blueberry.ConfigRef, byDefault bool, had map[string]blueberry.ConfigUse, field string, faults *blueberry.Faults) error {
	set, version, err := tx.ResolveConfig(ctx, a.project, ref)
	if errors.Is(err, blueberry.NotFound) {
		faults.Add(field, "unknown", "%s", userText(err))
		return nil
	}
	if err != nil {
		return err
	}
	in := configInput(ref, version.Number)
	if h, held := blueberry.Holds(a.holds, []blueberry.PlanInput{in}); held {
		old, there := had[set.ID]
		switch {
		case !ref.Follows() && !a.byItself && old.Number != version.Number:
			return heldError(h)
		case there && old.Number != version.Number:
			r.held = append(r.held, in)
			if version, err = tx.ConfigVersion(ctx, set.ID, old.Number); err != nil {
				return err
			}
		}
	}
	r.versions[set.ID] = version
	r.inputs.Config = append(r.inputs.Config, blueberry.ConfigUse{ConfigRef: ref, SetID: set.ID, Number: version.Number, Author: version.Author, Digest: version.Digest, Default: byDefault})
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
