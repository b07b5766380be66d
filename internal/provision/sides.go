package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// sideFetches is how many repositories of one blueprint are asked at once: fewer than are read at once in all, so that one blueprint holds nobody up.
const sideFetches = 3

// Codes of faults of Sources that say that a ref is not there, or can be none.
const (
	codeRefMissing = "ref_not_found"
	codeRefName    = "ref_name"
)

// codeUnreachable is the code of a fault that may pass: a host did not answer, for as long as is waited.
const codeUnreachable = "repository_unreachable"

// side is one repository of a blueprint while it is resolved.
type side struct {
	blueberry.SideRepository
	field string // "blueprint.repositories[0]"
	files bool   // components are made of its files

	source blueberry.ComponentSource
	tree   Tree
	opened bool
	asked  bool // else another one did not answer, and nobody waits for this one
	faults blueberry.Faults
}

// sides resolves the repositories that the blueprint names beside its own. What an environment has stays, unless something newer is asked for: then it is the
// branch with the name of the environment's, where there is one, else the ref of the blueprint. Of a blueprint that is not valid none is asked, since a request
// may name any number; when one does not answer, those are left whose turn has not come.
func (p *Provisioner) sides(ctx context.Context, a asked, r *resolution, faults *blueberry.Faults) error {
	if r.inputs.Sources = nil; !r.loaded.known {
		return nil
	}
	if len(r.inputs.Blueprint.Repositories) == 0 {
		return nil
	}
	if err := r.inputs.Blueprint.Check(); err != nil {
		return nil //nolint:nilerr // the rendering tells
	}
	list := sidesOf(r.inputs.Blueprint)
	err := p.askSides(ctx, a, r.inputs.Branch, list)
	r.keep(list)
	if err != nil {
		return err
	}
	for _, s := range list {
		if !s.asked {
			r.loaded.incomplete = true
			continue
		}
		if len(s.faults) == 0 {
			if err := p.avoidHeldSide(ctx, a, r, s); err != nil {
				return err
			}
		}
		if *faults = append(*faults, s.faults...); len(s.faults) > 0 {
			r.loaded.incomplete = true
			continue
		}
		r.inputs.Sources = append(r.inputs.Sources, s.source)
	}
	return nil
}

// askSides has repositories asked, a few at once and in their order, until one does not answer.
func (p *Provisioner) askSides(ctx context.Context, a asked, branch string, list []*side) error {
	for some := range slices.Chunk(list, sideFetches) {
		workers, within := errgroup.WithContext(ctx)
		for _, s := range some {
			s.asked = true
			workers.Go(func() error { return p.side(within, a, branch, s) })
		}
		if err := workers.Wait(); err != nil {
			return err
		}
		if slices.ContainsFunc(some, func(s *side) bool {
			return slices.ContainsFunc(s.faults, func(f blueberry.Fault) bool { return f.Code == codeUnreachable })
		}) {
			return nil
		}
	}
	return nil
}

func sidesOf(b blueberry.Blueprint) []*side {
	used, files := b.UsedRepositories()
	var out []*side
	for _, x := range used {
		i := slices.Index(b.Repositories, x)
		out = append(out, &side{SideRepository: x, field: fmt.Sprintf("blueprint.repositories[%d]", i), files: files[x.Name]})
	}
	return out
}

// keep has what was opened given back with the rest, and gives the rendering the trees.
func (r *resolution) keep(list []*side) {
	r.loaded.sides = map[string]render.Tree{}
	release := r.loaded.release
	r.loaded.release = func() {
		release()
		for _, s := range list {
			s.close()
		}
	}
	for _, s := range list {
		r.loaded.take(s)
	}
}

func (l *loaded) take(s *side) {
	t := render.Tree{Commit: s.source.Commit}
	if s.opened {
		t.FS = s.tree.FS
	}
	l.sides[s.Name] = t
}

func (s *side) close() {
	if s.opened {
		s.opened = false
		_ = s.tree.Close()
	}
}

// had gives what an environment has of a repository, if it is the same one.
func (a asked) had(s *side) (blueberry.ComponentSource, bool) {
	if a.base == nil {
		return blueberry.ComponentSource{}, false
	}
	i := slices.IndexFunc(a.base.Sources, func(x blueberry.ComponentSource) bool { return x.Name == s.Name && x.Repository == s.URL })
	if i < 0 {
		return blueberry.ComponentSource{}, false
	}
	return a.base.Sources[i], true
}

// side finds the commit of a repository, and its files where they are needed.
func (p *Provisioner) side(ctx context.Context, a asked, branch string, s *side) error {
	anew := a.refresh || a.refreshSides || a.wish.Branch != nil
	had, there := a.had(s)
	if there && !anew && slices.Contains(a.base.Blueprint.Repositories, s.SideRepository) {
		s.source = had
		return p.openSide(ctx, a, s)
	}
	s.source = blueberry.ComponentSource{Name: s.Name, Repository: s.URL, Ref: s.Ref}
	if branch != "" && !a.restricted && s.Matches() { // a stranger's branch chooses nothing
		ref := blueberry.BranchRef(branch)
		switch err := p.fetchSide(ctx, a, s, ref); {
		case err == nil:
			s.source.Ref, s.source.Matched = ref, true
			return nil
		case !isFault(err, codeRefMissing) && !isFault(err, codeRefName): // what can be the name of no branch is none that it has
			return s.tell(err)
		}
	}
	return s.tell(p.fetchSide(ctx, a, s, s.Ref))
}

// openSide reads the files of a commit that is known.
func (p *Provisioner) openSide(ctx context.Context, a asked, s *side) error {
	if !s.files {
		return nil
	}
	return s.tell(p.fetchSide(ctx, a, s, s.source.Commit))
}

func (p *Provisioner) fetchSide(ctx context.Context, a asked, s *side, ref string) error {
	tree, err := p.Sources.Fetch(ctx, a.project, s.URL, ref)
	if err != nil {
		return err
	}
	s.tree, s.opened, s.source.Commit = tree, true, tree.Commit
	return nil
}

// tell takes what is wrong with a repository as faults of the blueprint.
func (s *side) tell(err error) error {
	var found blueberry.Faults
	if err := found.Merge("", err); err != nil {
		return err
	}
	for _, f := range found {
		switch f.Field {
		case "source.repository":
			f.Field = s.field + ".url"
		case "source.ref":
			f.Field = s.field + ".ref"
		default:
			f.Field = blueberry.JoinField(s.field, f.Field)
		}
		s.faults = append(s.faults, f)
	}
	return nil
}

func isFault(err error, code string) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && slices.ContainsFunc(e.Fields, func(f blueberry.Fault) bool { return f.Code == code })
}

// avoidHeldSide passes over a commit that is held for the one that the environment has.
func (p *Provisioner) avoidHeldSide(ctx context.Context, a asked, r *resolution, s *side) error {
	had, there := a.had(s)
	in := sideInput(s.source)
	h, held := blueberry.Holds(a.holds, []blueberry.PlanInput{in})
	switch {
	case !held || there && had.Commit == s.source.Commit:
		return nil
	case !there:
		return heldError(h)
	}
	s.close()
	r.held, s.source = append(r.held, in), had
	err := p.openSide(ctx, a, s)
	r.loaded.take(s)
	return err
}

func sideInput(s blueberry.ComponentSource) blueberry.PlanInput {
	return blueberry.PlanInput{Kind: blueberry.InputCommit, Name: s.Name, Value: s.Commit}
}

// branchText says for people which branch of a repository was taken, and why.
func branchText(in blueberry.Inputs, s blueberry.ComponentSource) string {
	i := slices.IndexFunc(in.Blueprint.Repositories, func(r blueberry.SideRepository) bool { return r.Name == s.Name })
	switch {
	case s.Matched || i < 0:
		return strings.TrimPrefix(s.Ref, blueberry.BranchRef(""))
	case in.Branch != "" && in.Blueprint.Repositories[i].Matches():
		return fmt.Sprintf("%s → %s (no such branch)", in.Branch, in.Blueprint.Repositories[i].RefName())
	}
	return in.Blueprint.Repositories[i].RefName()
}

// maxBranch is the length of the name of a branch, in bytes: Git takes no longer one for a file.
const maxBranch = 255

// checkBranch notes what can be no name of a branch. Of a restricted environment none chooses anything, whoever asks.
func (w Wish) checkBranch(restricted bool, faults *blueberry.Faults) {
	switch {
	case w.Branch == nil || *w.Branch == "":
	case restricted:
		faults.Add("branch", "restricted", "cannot be chosen: of a restricted environment, other repositories are taken at the refs of the blueprint")
	case len(*w.Branch) > maxBranch || strings.ContainsFunc(*w.Branch, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\uFFFD' }):
		faults.Add("branch", "pattern", "must be the name of a branch, of at most %d bytes", maxBranch)
	}
}

// build takes what components run that is not the newest of their repository: commits, and images that CI built. What a component ran of another commit is
// dropped, unless it is named again.
func (r *resolution) build(a asked, faults *blueberry.Faults) error {
	w := a.wish
	if a.base != nil && r.inputs.AppCommit() != a.base.AppCommit() {
		r.inputs.Commits = nil
	}
	if w.Commits != nil {
		r.inputs.Commits = someOf(*w.Commits)
	}
	if w.Images != nil {
		r.inputs.Images = someOf(*w.Images)
	}
	if !r.loaded.known {
		return nil
	}
	var commits, images map[string]string
	if w.Commits != nil {
		commits = r.inputs.Commits
	}
	if w.Images != nil {
		images = r.inputs.Images
	}
	r.inputs.Blueprint.CheckBuilt(faults, commits, images)
	if commits == nil {
		r.inputs.Commits = r.left(r.inputs.Commits, func(blueberry.Component) bool { return true })
	}
	if images == nil && a.base != nil {
		r.inputs.Images = r.left(r.inputs.Images, func(c blueberry.Component) bool {
			return c.Kind() != blueberry.Kustomize && r.inputs.CommitOf(c) == a.base.CommitOf(was(a.base.Blueprint, c))
		})
	}
	for component, image := range images {
		h, held := blueberry.Holds(a.holds, []blueberry.PlanInput{imageInput(component, image)})
		if held && (a.base == nil || a.base.Images[component] != image) {
			return heldError(h)
		}
	}
	return nil
}

// was is a component as another blueprint has it.
func was(b blueberry.Blueprint, c blueberry.Component) blueberry.Component {
	if i := slices.IndexFunc(b.Components, func(x blueberry.Component) bool { return x.Name == c.Name }); i >= 0 {
		return b.Components[i]
	}
	return c
}

// left keeps what is of components that are there, and wanted.
func (r *resolution) left(of map[string]string, want func(blueberry.Component) bool) map[string]string {
	out := maps.Clone(of)
	maps.DeleteFunc(out, func(name, _ string) bool {
		i := slices.IndexFunc(r.inputs.Blueprint.Components, func(c blueberry.Component) bool { return c.Name == name })
		return i < 0 || !want(r.inputs.Blueprint.Components[i])
	})
	return someOf(out)
}

// someOf is a copy; nil for an empty one.
func someOf(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return maps.Clone(m)
}

func imageInput(component, image string) blueberry.PlanInput {
	return blueberry.PlanInput{Kind: blueberry.InputImage, Name: component, Value: image}
}
