package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Histories compares commits and lists branches; Checkouts are some. Errors are those of Checkouts.Fetch.
type Histories interface {
	// Changed gives the files that changed between the last commit that two have in common, and the second of them.
	Changed(ctx context.Context, base, head CommitOf) (Changed, error)
	// Branches gives the commit of each branch of a repository, by its name.
	Branches(ctx context.Context, login Login, repository string) (map[string]string, error)
}

// CommitOf is one commit of a repository.
type CommitOf struct {
	Login      Login
	Repository string
	Commit     string // whole name
}

// Changed is what changed up to a commit.
type Changed struct {
	Files []string // as Git names them, which may be any bytes but NUL
	All   string   // why every file counts as changed; empty when Files are all
}

// Bounds of a comparison.
const (
	firstDepth      = 50  // commits of both histories that are looked at first
	wholeDepth      = 500 // and then
	maxChangedFiles = 10_000
	keepChanged     = 16 << 20 // bytes of the names that are kept
)

// comparisons are those of a process that were made before, the oldest first. What two commits differ in never changes.
type comparisons struct {
	mu    sync.Mutex
	known map[string]Changed
	order []string
	bytes int
}

func (c *comparisons) get(key string) (Changed, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.known[key]
	return got, ok
}

func (c *comparisons) put(key string, x Changed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.known[key]; ok {
		return
	}
	if c.known == nil {
		c.known = map[string]Changed{}
	}
	c.known[key], c.order = x, append(c.order, key)
	for c.bytes += weight(key, x); c.bytes > keepChanged; c.order = c.order[1:] {
		c.bytes -= weight(c.order[0], c.known[c.order[0]])
		delete(c.known, c.order[0])
	}
}

func weight(key string, x Changed) int {
	n := len(key) + len(x.All)
	for _, f := range x.Files {
		n += len(f) + 16
	}
	return n
}

// Changed implements Histories. Files themselves are not fetched where the host can leave them out.
func (k *Checkouts) Changed(ctx context.Context, base, head CommitOf) (Changed, error) {
	var sides [2]address
	for i, side := range []CommitOf{base, head} {
		a, err := check(side.Repository, side.Commit, k.config.AllowLocal)
		if err == nil && !isCommit(side.Commit) {
			err = invalid(fieldRef, codeRefName, "must be the whole name of a commit")
		}
		if err != nil {
			return Changed{}, err
		}
		a.login = side.Login
		sides[i] = a
	}
	key := strings.Join([]string{sides[0].key(), base.Commit, sides[1].key(), head.Commit}, " ")
	if known, ok := k.compared.get(key); ok {
		return known, nil
	}
	result := k.shared.DoChan("changed "+key, func() (any, error) {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), k.config.Timeout, errTimeout)
		defer cancel()
		got, err := k.compare(ctx, sides, [2]string{base.Commit, head.Commit})
		if err == nil {
			k.compared.put(key, got)
		}
		return got, err
	})
	select {
	case <-ctx.Done():
		return Changed{}, context.Cause(ctx)
	case r := <-result:
		return r.Val.(Changed), r.Err
	}
}

// compare fetches two histories into a repository of their own, as far as it takes to find where they part.
func (k *Checkouts) compare(ctx context.Context, sides [2]address, commits [2]string) (Changed, error) {
	select {
	case k.fetches <- struct{}{}:
		defer func() { <-k.fetches }()
	case <-ctx.Done():
		return Changed{}, invalid(fieldRepository, codeUnreachable, "waited too long for its turn: too many repositories are being read")
	}
	dir, err := k.scratch.make()
	if err != nil {
		return Changed{}, err
	}
	defer k.scratch.remove(dir)
	f := &fetching{k: k, dir: dir}
	repo, err := f.empty(ctx, "git")
	if err != nil {
		return Changed{}, err
	}
	for _, depth := range []int{firstDepth, wholeDepth} {
		for i, a := range sides {
			f.a, f.ref = a, commits[i]
			err := k.git.fetch(ctx, a.surroundings(), repo, k.config.MaxBytes, "--filter=blob:none", fmt.Sprintf("--depth=%d", depth), "--", a.url, fmt.Sprintf("+%s:refs/blueberry/%d", commits[i], i))
			switch {
			case err == nil:
			case says(err, "unadvertised object"):
				return Changed{All: "its host gives no single commits to compare"}, nil
			case errors.Is(err, errTooLarge):
				return Changed{All: "its history is too large to compare"}, nil
			default:
				return Changed{}, f.fault(err)
			}
		}
		out, err := k.git.run(ctx, nowhere(), "--git-dir="+repo, "merge-base", commits[0], commits[1])
		if err == nil {
			return k.difference(ctx, f, repo, strings.TrimSpace(out), commits[1])
		}
		if ctx.Err() != nil {
			return Changed{}, f.fault(err)
		}
	}
	return Changed{All: fmt.Sprintf("it has no commit in common with the branch that it goes to, among the last %d", wholeDepth)}, nil
}

// difference lists the files in which two commits differ. Their content is not looked at, nor any attribute that the repository sets.
func (k *Checkouts) difference(ctx context.Context, f *fetching, repo, from, to string) (Changed, error) {
	p, err := k.git.start(ctx, nowhere(), nil, []string{k.git.path, "--git-dir=" + repo, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", from, to, "--"})
	if err != nil {
		return Changed{}, err
	}
	var out Changed
	in, bytes := bufio.NewReader(io.LimitReader(p, maxAnswer+1)), 0
	for {
		name, err := in.ReadString(0)
		if bytes += len(name); len(out.Files) == maxChangedFiles && name != "" || bytes > maxAnswer {
			p.stop()
			return Changed{All: fmt.Sprintf("it changes more than %d files", len(out.Files))}, nil
		}
		if err != nil {
			break // the end, or git ended badly, which wait tells
		}
		out.Files = append(out.Files, strings.TrimSuffix(name, "\x00"))
	}
	if err := p.wait("diff-tree"); errors.Is(err, errTimeout) { // trees can be made that take forever to walk
		return Changed{All: "it takes too long to compare"}, nil
	} else if err != nil {
		return Changed{}, f.fault(err)
	}
	return out, nil
}

// Branches implements Histories.
func (k *Checkouts) Branches(ctx context.Context, login Login, repository string) (map[string]string, error) {
	a, err := check(repository, "", k.config.AllowLocal)
	if err != nil {
		return nil, err
	}
	a.login = login
	ctx, cancel := context.WithTimeoutCause(ctx, k.config.Timeout, errTimeout)
	defer cancel()
	f := &fetching{k: k, a: a}
	out, err := k.git.listRefs(ctx, a.surroundings(), maxRefs, "--heads", "--", a.url)
	if err != nil {
		return nil, f.fault(err)
	}
	return readHeads(out), nil
}

// readHeads reads what git ls-remote says of branches. What is no name of one is left out.
func readHeads(text string) map[string]string {
	heads := map[string]string{}
	for line := range strings.Lines(text) {
		commit, ref, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		name, isBranch := strings.CutPrefix(ref, "refs/heads/")
		if ok && isBranch && name != "" && isCommit(commit) && refFault(name) == "" && len(name) <= blueberry.MaxBranchName {
			heads[name] = strings.ToLower(commit)
		}
	}
	return heads
}
