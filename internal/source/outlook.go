package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// outlook is what counts for a pull request now: the policy of its repository, with what the blueprint in the branch that it goes to says of it.
type outlook struct {
	policy  blueberry.PullPolicy
	wants   bool
	why     string            // it is not wanted
	commits map[string]string // component → commit of the branch that it goes to, of those whose files it does not change
	note    string            // for people, whatever becomes of it; empty for none
}

// noted is a message with the note.
func (o outlook) noted(message string) string {
	if o.note == "" || strings.HasSuffix(message, o.note) {
		return message
	}
	if message != "" {
		message += "; "
	}
	return message + o.note
}

// baseState is the blueprint in the branch that a pull request goes to.
type baseState struct {
	commit    string // of the branch
	blueprint *blueberry.Blueprint
	wrong     string // why it cannot be used; empty when it can, and when there is none
}

// look tells what counts for a pull request. The branch that it goes to is read where that can make a difference. An error is of what did not answer; what
// will not be otherwise the next time is told in the outlook.
func (s *Repositories) look(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, env *blueberry.Environment) (outlook, error) {
	o := outlook{policy: r.Policy, commits: map[string]string{}} // not nil: what an earlier commit asked for counts no more
	o.wants, o.why = r.Policy.Wants(p)
	if most, _ := r.Policy.With(blueberry.PullRules{Drafts: true, Bots: true}).Wants(p); p.State != blueberry.PullOpen || s.Trees == nil || !most && env == nil {
		return o, nil
	}
	base, err := s.baseOf(ctx, r, p)
	if err != nil {
		return o, err
	}
	if base.wrong != "" {
		o.note = fmt.Sprintf("what %s of %s says of pull requests is not used: %s", blueprintName(r.Policy), p.BaseRef, base.wrong)
	}
	alone := o.wants
	if base.blueprint != nil {
		o.policy = r.Policy.With(base.blueprint.PullRequests)
		if o.wants, o.why = o.policy.Wants(p); alone && !o.wants {
			o.why += fmt.Sprintf(", says %s of %s", blueprintName(r.Policy), p.BaseRef)
		}
	}
	if !o.wants || base.commit == "" {
		return o, nil
	}
	return s.lookAtFiles(ctx, r, p, base, o)
}

func blueprintName(p blueberry.PullPolicy) string {
	if p.Blueprint == "" {
		return blueberry.BlueprintFile
	}
	return p.Blueprint
}

// passes reports whether an error of reading a repository is one that may be gone the next time.
func passes(err error) bool {
	var e *blueberry.Error
	return !errors.As(err, &e) || e.Kind == blueberry.Unavailable || awaits(e)
}

// baseOf reads the branch that a pull request goes to.
func (s *Repositories) baseOf(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest) (baseState, error) {
	tree, err := s.Tree(ctx, r.Project, r.URL, p.BaseRefName())
	switch {
	case err != nil && passes(err):
		return baseState{}, err
	case err != nil:
		return baseState{wrong: messageOf(err)}, nil
	}
	defer func() { _ = tree.Close() }()
	b, err := s.blueprintIn(tree, blueprintName(r.Policy))
	if err != nil {
		return baseState{commit: tree.Commit, wrong: messageOf(err)}, nil
	}
	return baseState{commit: tree.Commit, blueprint: b}, nil
}

// blueprintIn reads a blueprint of a tree; nil when there is none.
func (s *Repositories) blueprintIn(tree *Tree, name string) (*blueberry.Blueprint, error) {
	content, err := readShown(tree.FS, name)
	if err != nil {
		return nil, invalid("source.path", "blueprint_not_found", "%s cannot be read", name)
	}
	if content == nil || s.Blueprints == nil {
		return nil, nil //nolint:nilnil // as it says
	}
	b, err := s.Blueprints(content)
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// messageOf tells an error to people.
func messageOf(err error) string {
	var e *blueberry.Error
	if errors.As(err, &e) {
		return cut(short(faultsText(e)), 500)
	}
	return "it cannot be read"
}

// lookAtFiles decides by the files that a pull request changes: whether it gets an environment, and which of its components run what the branch that it goes
// to has.
func (s *Repositories) lookAtFiles(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, base baseState, o outlook) (outlook, error) {
	some, every := byPaths(base.blueprint)
	if p.Built() {
		some = every // it runs: what it is made of stays
	}
	if !o.policy.FiltersPaths() && !some || s.Histories == nil {
		return o, nil
	}
	changed, err := s.changedBy(ctx, r, p, base.commit)
	switch {
	case err != nil && passes(err):
		return o, err
	case err != nil:
		changed = Changed{All: messageOf(err)}
	}
	if changed.All != "" {
		o.note = strings.TrimPrefix(o.note+"; every file counts as changed: "+changed.All, "; ")
		return o, nil
	}
	if o.policy.FiltersPaths() && !slices.ContainsFunc(changed.Files, o.policy.NamesPath) {
		o.wants, o.why = false, "it changes nothing that the policy names: "+filesText(changed.Files)
		return o, nil
	}
	if base.blueprint == nil || slices.Contains(changed.Files, blueprintName(r.Policy)) { // who changes the blueprint has all of it built
		return o, nil
	}
	if every && !touches(*base.blueprint, changed.Files) {
		o.wants, o.why = false, "it changes nothing that a component is built from: "+filesText(changed.Files)
		return o, nil
	}
	if p.Built() || p.Fork() && !p.Restricted() { // the commits of the branch are not in a fork
		return o, nil
	}
	b := base.blueprint
	if !p.Restricted() { // the blueprint that counts is that of its own commit, which may know other components
		b, err = s.blueprintAt(ctx, r, r.URL, p.HeadCommit)
		if err != nil && passes(err) {
			return o, err
		}
		if err != nil || b == nil {
			return o, nil //nolint:nilerr // the environment will tell why
		}
	}
	for _, name := range unconcerned(*b, changed.Files) {
		o.commits[name] = base.commit
	}
	return o, nil
}

// blueprintAt reads the blueprint in a commit; nil when there is none.
func (s *Repositories) blueprintAt(ctx context.Context, r blueberry.Repository, repository, commit string) (*blueberry.Blueprint, error) {
	tree, err := s.Tree(ctx, r.Project, repository, commit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tree.Close() }()
	return s.blueprintIn(tree, blueprintName(r.Policy))
}

// byPaths reports whether some component of a blueprint names the files that it is built from, and whether every one does that is not of another repository.
func byPaths(b *blueberry.Blueprint) (some, every bool) {
	if b == nil {
		return false, false
	}
	some = slices.ContainsFunc(b.Components, func(c blueberry.Component) bool { return c.Repository == "" && len(c.Paths) > 0 })
	return some, some && !slices.ContainsFunc(b.Components, func(c blueberry.Component) bool { return c.Repository == "" && len(c.Paths) == 0 })
}

// touches reports whether some component of the repository is built from one of the files.
func touches(b blueberry.Blueprint, files []string) bool {
	return slices.ContainsFunc(b.Components, func(c blueberry.Component) bool { return c.Repository == "" && slices.ContainsFunc(files, c.Concerns) })
}

// unconcerned names the components that are built from none of the files, but those of other repositories.
func unconcerned(b blueberry.Blueprint, files []string) []string {
	var out []string
	for _, c := range b.Components {
		if c.Repository == "" && len(c.Paths) > 0 && !slices.ContainsFunc(files, c.Concerns) {
			out = append(out, c.Name)
		}
	}
	return out
}

// lookAgain is how often a commit is compared with the branch that it goes to at most, while that moves on: each push there has every pull request looked at, and
// what they change stays the same but where a part of it was merged.
const lookAgain = time.Hour

// changedBy gives the files that a pull request changes.
func (s *Repositories) changedBy(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, base string) (Changed, error) {
	head := CommitOf{Repository: r.URL, Commit: p.HeadCommit}
	if p.Fork() {
		head.Repository = p.HeadURL
	}
	if p.Approved() {
		head.Commit = p.ApprovedCommit
	}
	key := fmt.Sprintf("%s %s %s %s %s %d", p.ID, r.URL, p.BaseRef, head.Repository, head.Commit, s.Now().Unix()/int64(lookAgain/time.Second))
	if known, ok := s.looked.get(key); ok {
		return known, nil
	}
	if p.NeedsApproval() {
		done, err := s.readStranger()
		if err != nil {
			return Changed{}, err
		}
		defer done()
	}
	if !isCommit(head.Commit) { // its host tells the first digits only
		tree, err := s.Tree(ctx, r.Project, head.Repository, head.Commit)
		if err != nil {
			return Changed{}, err
		}
		whole := tree.Commit
		if err := tree.Close(); err != nil {
			return Changed{}, err
		}
		if !strings.HasPrefix(whole, head.Commit) { // a branch has the digits as its name
			return Changed{}, blueberry.Errorf(blueberry.Conflict, "COMMIT_AMBIGUOUS", "%s is the name of something else than the commit", head.Commit)
		}
		head.Commit = whole
	}
	from := CommitOf{Repository: r.URL, Commit: base}
	var err error
	if from.Login, err = s.login(ctx, r.Project, r.URL); err != nil {
		return Changed{}, err
	}
	if head.Login, err = s.login(ctx, r.Project, head.Repository); err != nil {
		return Changed{}, err
	}
	out, err := s.Histories.Changed(ctx, from, head)
	if err == nil {
		s.looked.put(key, out)
	}
	return out, err
}

// filesText names files to people, as "docs/a.md and 2 more".
func filesText(files []string) string {
	if len(files) == 0 {
		return "no file is another one"
	}
	text := cut(short(files[0]), 100)
	if n := len(files) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}
