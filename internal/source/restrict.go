package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Trees reads repositories; Checkouts are some.
type Trees interface {
	// FetchAs gives the tree of a repository at a ref. The caller closes it.
	FetchAs(ctx context.Context, login Login, repository, ref string) (*Tree, error)
}

// maxShown is the size of a blueprint that is compared, in bytes: larger ones are not read as blueprints either.
const maxShown = 1 << 20

// restrict makes a wish one for code that nobody vouches for: all of the configuration is that of the branch that the pull request goes to, and of its own
// commit nothing is taken but its name. What it would configure is looked at, to be told.
func (s *Repositories) restrict(ctx context.Context, r blueberry.Repository, p *blueberry.PullRequest, w *EnvironmentWish) error {
	w.Restricted, w.Repository, w.Ref, w.Branch = true, r.URL, p.BaseRefName(), ""
	var err error
	w.Commit, p.Config, err = s.compare(ctx, r, *p)
	return err
}

// vouched makes a wish one for an approved commit of somebody whom nobody vouches for: what is made of it must not change after a person looked at it. So no
// branch is matched by the name that its author chose, and of other repositories whole commits are taken, or what the branch that the pull request goes to names.
func (s *Repositories) vouched(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, w *EnvironmentWish) error {
	if w.Branch = ""; s.Trees == nil {
		return nil
	}
	done, err := s.readStranger()
	if err != nil {
		return err
	}
	theirs, err := s.blueprintAt(ctx, r, w.Repository, w.Commit) // what cannot be read now may be readable later, and is not vouched for
	done()
	if err != nil || theirs == nil || len(theirs.Repositories) == 0 {
		return err
	}
	base, err := s.baseOf(ctx, r, p)
	if err != nil {
		return err
	}
	var known []blueberry.SideRepository
	if base.blueprint != nil {
		known = base.blueprint.Repositories
	}
	var faults blueberry.Faults
	for i, x := range theirs.Repositories {
		if (!isCommit(x.Ref) || x.Matches()) && !slices.Contains(known, x) {
			faults.Add(fmt.Sprintf("blueprint.repositories[%d].ref", i), "not_vouched", "must be a whole commit, with match: fixed, so that %s stays what was approved; or the blueprint of %s must name it with the same name, url, ref and match",
				x.Name, p.BaseRef)
		}
	}
	return faults.Err()
}

// compare tells whether the blueprint in the commit of a pull request is that of the branch that it goes to, and the whole name of the commit. What cannot be
// read is not known, which keeps nobody out; only the whole name of a commit has to be found.
func (s *Repositories) compare(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest) (commit string, config blueberry.PullConfig, err error) {
	done, err := s.readStranger()
	if err != nil {
		return "", "", err
	}
	defer done()
	head, err := s.Tree(ctx, r.Project, p.HeadURL, p.HeadCommit)
	whole := len(p.HeadCommit) >= 40
	switch {
	case ctx.Err() != nil:
		return "", "", ctx.Err()
	case err != nil && whole:
		return p.HeadCommit, blueberry.PullConfigUnseen, nil
	case err != nil:
		return "", "", err
	}
	defer func() { _ = head.Close() }()
	if !strings.HasPrefix(head.Commit, p.HeadCommit) { // a branch has the digits as its name
		return "", "", blueberry.Errorf(blueberry.Conflict, "COMMIT_AMBIGUOUS", "%s is the name of something else than the commit", p.HeadCommit)
	}
	base, err := s.Tree(ctx, r.Project, r.URL, p.BaseRefName())
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	if err != nil {
		return head.Commit, blueberry.PullConfigUnseen, nil // the environment will tell why
	}
	defer func() { _ = base.Close() }()
	name := r.Policy.Blueprint
	if name == "" {
		name = blueberry.BlueprintFile
	}
	theirs, err := readShown(head.FS, name)
	ours, err2 := readShown(base.FS, name)
	switch {
	case errors.Join(err, err2) != nil:
		config = blueberry.PullConfigUnseen
	case bytes.Equal(theirs, ours):
		config = blueberry.PullConfigSame
	default:
		config = blueberry.PullConfigChanged
	}
	return head.Commit, config, nil
}

// maxStrangers is how many trees of outsiders are read at once. It is less than there are places to fetch and workers, so that many large or slow forks hold
// up each other, and nobody else.
const maxStrangers = 2

// readStranger is asked before a tree of an outsider is read, and done is told after. Unavailable means later.
func (s *Repositories) readStranger() (done func(), err error) {
	if s.strangers.Add(1) > maxStrangers {
		s.strangers.Add(-1)
		return nil, blueberry.Errorf(blueberry.Unavailable, "FORKS_BUSY", "other forks of outsiders are being read")
	}
	return func() { s.strangers.Add(-1) }, nil
}

// readShown reads a file to be compared. One that is not there is empty.
func readShown(tree fs.FS, name string) ([]byte, error) {
	f, err := tree.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxShown+1))
	if err == nil && len(content) > maxShown {
		err = fmt.Errorf("%s is over %d bytes", name, maxShown)
	}
	return content, err
}

// anew ends an environment whose tier is no longer that of its pull request, so that another is made: what it was given while it was of the other tier goes
// with it.
func (s *Repositories) anew(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, env blueberry.Environment) (blueberry.PullRequest, error) {
	why := "its commit is trusted now: the restricted environment goes, and another is made"
	if !env.Restricted {
		why = "nobody has approved its commit: the environment that it had goes, and a restricted one is made"
	}
	p, _, err := s.end(ctx, r, p, why)
	return p, err
}

// builtText tells what an environment was asked for with, and what it lacks.
func builtText(p blueberry.PullRequest) string {
	text := fmt.Sprintf("its environment was asked for with %.12s", p.BuiltCommit)
	switch {
	case !p.BuiltRestricted && p.NeedsApproval():
		return text + ", which " + p.ApprovedBy + " approved"
	case !p.BuiltRestricted:
		return text
	}
	text += fmt.Sprintf("; it is restricted, since nobody vouches for its author: no secrets, no token, no way out, at most %d hours", blueberry.RestrictedLeaseHours)
	switch p.Config {
	case blueberry.PullConfigChanged:
		return text + "; its changes of the blueprint are shown in it, not used"
	case blueberry.PullConfigUnseen:
		return text + "; whether it changes the blueprint could not be seen, and is not used"
	}
	return text
}
