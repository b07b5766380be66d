package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// fetch brings the tree of a ref into the cache and gives its commit.
func (k *Checkouts) fetch(ctx context.Context, a address, ref string) (string, error) {
	select {
	case k.fetches <- struct{}{}:
		defer func() { <-k.fetches }()
	case <-ctx.Done():
		return "", invalid(fieldRepository, codeUnreachable, "waited too long for its turn: too many repositories are being read")
	}
	if a.local {
		if info, err := os.Stat(a.url); err != nil || !info.IsDir() {
			return "", invalid(fieldRepository, codeNotFound, "there is no repository at this path")
		}
	}
	dir, err := k.scratch.make()
	if err != nil {
		return "", err
	}
	defer k.scratch.remove(dir)
	f := &fetching{k: k, a: a, ref: ref, dir: dir}
	commit, err := f.run(ctx)
	if err != nil {
		var known *blueberry.Error
		if !errors.As(err, &known) {
			k.log.Warn("cannot read a repository", "repository", a.url, "ref", ref, "error", err)
		}
		return "", err
	}
	return commit, nil
}

// fetching is one fetch in a directory of its own.
type fetching struct {
	k   *Checkouts
	a   address
	ref string
	dir string
}

func (f *fetching) run(ctx context.Context) (string, error) {
	wanted := f.ref
	if !isCommit(f.ref) {
		name, commit, err := f.resolve(ctx)
		if err != nil {
			return "", err
		}
		if f.k.has(f.a.key(), commit) {
			return commit, nil
		}
		wanted = name
	}
	repo, err := f.bring(ctx, wanted)
	if err != nil {
		return "", err
	}
	out, err := f.k.git.run(ctx, nowhere(), "--git-dir="+repo, "rev-parse", "--verify", "--quiet", wantedRef+"^{commit}")
	if err != nil {
		if ctx.Err() != nil {
			return "", f.fault(err)
		}
		return "", invalid(fieldRef, codeRefMissing, "%q is not a commit", f.ref)
	}
	commit := strings.TrimSpace(out)
	if len(commit) != 40 {
		return "", invalid(fieldRepository, codeUnreachable, "names its commits by SHA-256, which is not supported")
	}
	if f.k.has(f.a.key(), commit) {
		return commit, nil
	}
	x := &extraction{git: f.k.git, repo: repo, commit: commit, tree: filepath.Join(f.dir, "tree"), maxBytes: f.k.config.MaxBytes, maxFiles: f.k.config.MaxFiles}
	if err := x.run(ctx); err != nil {
		return "", f.fault(err)
	}
	return commit, f.k.publish(f.a.key(), commit, x.tree, manifest{Files: x.files, Bytes: x.bytes})
}

// wantedRef holds what was fetched, in the scratch repository.
const wantedRef = "refs/blueberry/wanted"

// resolve asks the repository what the ref is: the name to fetch it by, and its commit as far as that is told.
func (f *fetching) resolve(ctx context.Context) (name, commit string, err error) {
	names := []string{"HEAD"}
	switch {
	case strings.HasPrefix(f.ref, "refs/"):
		names = []string{f.ref}
	case f.ref != "" && f.ref != "HEAD":
		names = []string{"refs/heads/" + f.ref, "refs/tags/" + f.ref}
	}
	args := []string{"--", f.a.url}
	for _, n := range names {
		args = append(args, n, n+"^{}")
	}
	out, err := f.k.git.listRefs(ctx, f.a.surroundings(), maxRefs, args...)
	if err != nil {
		return "", "", f.fault(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(out) {
		if object, n, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
			found[n] = object
		}
	}
	for _, n := range names {
		object, ok := found[n]
		if peeled, tag := found[n+"^{}"]; tag {
			object = peeled
		}
		if ok {
			return n, object, nil
		}
	}
	switch {
	case f.ref == "":
		return "", "", invalid(fieldRef, codeRefMissing, "the repository has no default branch, or no commit yet")
	case mayAbbreviate(f.ref):
		commit, err := f.complete(ctx)
		return commit, commit, err
	}
	return "", "", invalid(fieldRef, codeRefMissing, "there is no branch, tag or commit %q", f.ref)
}

// complete finds the commit that an abbreviation means. Only history tells, so all of it is fetched, without files where the host can leave them out.
func (f *fetching) complete(ctx context.Context) (string, error) {
	repo, err := f.empty(ctx, "history")
	if err != nil {
		return "", err
	}
	err = f.k.git.fetch(ctx, f.a.surroundings(), repo, f.k.config.MaxBytes,
		"--filter=tree:0", "--", f.a.url, "+refs/heads/*:refs/blueberry/heads/*", "+refs/tags/*:refs/blueberry/tags/*")
	if err != nil {
		return "", f.fault(err)
	}
	out, err := f.k.git.run(ctx, nowhere(), "--git-dir="+repo, "rev-parse", "--disambiguate="+strings.ToLower(f.ref))
	if err != nil {
		return "", f.fault(err)
	}
	var commits []string
	for _, object := range strings.Fields(out) {
		if kind, err := f.k.git.run(ctx, nowhere(), "--git-dir="+repo, "cat-file", "-t", object); err == nil && strings.TrimSpace(kind) == "commit" {
			commits = append(commits, object)
		}
	}
	switch len(commits) {
	case 0:
		return "", invalid(fieldRef, codeRefMissing, "there is no branch, tag or commit %q", f.ref)
	case 1:
		return commits[0], nil
	}
	return "", invalid(fieldRef, codeAmbiguous, "%q is the beginning of %d commits: give more of its digits", f.ref, len(commits))
}

// bring fetches one commit, by a ref's name or its own, into a repository that holds nothing else.
func (f *fetching) bring(ctx context.Context, wanted string) (string, error) {
	repo, err := f.empty(ctx, "git")
	if err != nil {
		return "", err
	}
	err = f.k.git.fetch(ctx, f.a.surroundings(), repo, f.k.config.MaxBytes, "--depth=1", "--", f.a.url, "+"+wanted+":"+wantedRef)
	if err == nil {
		return repo, nil
	}
	if !isCommit(wanted) || !says(err, "unadvertised object") {
		return "", f.fault(err)
	}
	// An old host gives a commit only along with a branch that holds it.
	err = f.k.git.fetch(ctx, f.a.surroundings(), repo, f.k.config.MaxBytes, "--", f.a.url, "+refs/heads/*:refs/blueberry/heads/*", "+refs/tags/*:refs/blueberry/tags/*")
	if err != nil {
		return "", f.fault(err)
	}
	if _, err := f.k.git.run(ctx, nowhere(), "--git-dir="+repo, "update-ref", wantedRef, wanted); err != nil {
		return "", invalid(fieldRef, codeRefMissing, "there is no commit %q", f.ref)
	}
	return repo, nil
}

func (f *fetching) empty(ctx context.Context, name string) (string, error) {
	repo := filepath.Join(f.dir, name)
	if _, err := f.k.git.run(ctx, nowhere(), "init", "--quiet", "--bare", "--template=", repo); err != nil {
		return "", fmt.Errorf("make scratch repository: %w", err)
	}
	return repo, nil
}

// fault says what git's failure means for the one who asked. What may be our own fault stays an internal error.
func (f *fetching) fault(err error) error {
	var known *blueberry.Error
	var g *gitError
	switch {
	case errors.As(err, &known), !errors.As(err, &g):
		return err
	case errors.Is(err, errTimeout):
		return invalid(fieldRepository, codeUnreachable, "could not be read within %s", f.k.config.Timeout)
	case errors.Is(err, errTooLarge):
		return f.tooLarge()
	case errors.Is(err, errManyRefs):
		return invalid(fieldRepository, codeTooLarge, "%s", errManyRefs)
	case says(err, "no space left", "disk quota exceeded", "cannot fork", "cannot allocate memory"):
		return err
	case says(err, "couldn't find remote ref", "not our ref", "unadvertised object"):
		return invalid(fieldRef, codeRefMissing, "there is no branch, tag or commit %q", f.ref)
	case says(err, "could not read username", "could not read password", "authentication failed", "permission denied", "returned error: 401", "returned error: 403"):
		if f.a.login != (Login{}) {
			return invalid(fieldRepository, codeAuth, "does not take the credential that the project has for it, or does not exist")
		}
		return invalid(fieldRepository, codeAuth, "asks for a password, or does not exist: without one is read what anybody may read, and what the project has as a repository with a credential")
	case says(err, "could not resolve", "connection refused", "timed out", "failed to connect", "couldn't connect", "no route to host", "network is unreachable"):
		return invalid(fieldRepository, codeUnreachable, "its host cannot be reached: %s", g.reason())
	case says(err, "host key verification failed"):
		return invalid(fieldRepository, codeUnreachable, "its host cannot be trusted: the server does not know its SSH key")
	case says(err, "not found", "does not appear to be a git repository", "not a git repository", "does not exist", "no such file", "is this a git repository", "not exported"):
		return invalid(fieldRepository, codeNotFound, "there is no repository at this address")
	}
	return invalid(fieldRepository, codeUnreachable, "cannot be read: %s", g.reason())
}

func (f *fetching) tooLarge() error {
	return invalid(fieldRepository, codeTooLarge, "is larger than %d MB", f.k.config.MaxBytes/1_000_000)
}

// reason is the last thing git itself said. What the other side says ("remote: …") is left out.
func (e *gitError) reason() string {
	reason := e.verb + " failed"
	for line := range strings.Lines(e.stderr) {
		if _, text, ok := strings.Cut(line, "fatal: "); ok && !strings.HasPrefix(line, "remote:") {
			reason = text
		}
	}
	reason = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(reason, ""))
	if r := []rune(reason); len(r) > 200 {
		reason = string(r[:200]) + "…"
	}
	return reason
}

func says(err error, words ...string) bool {
	var g *gitError
	if !errors.As(err, &g) {
		return false
	}
	text := strings.ToLower(g.stderr)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
