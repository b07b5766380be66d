package roomstest

import (
	"context"
	"crypto/sha1" //nolint:gosec // as Git names commits
	"encoding/hex"
	"fmt"
	"sync"
	"testing/fstest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/provision"
)

// Outside is the application repositories. Each has one branch, main.
type Outside struct {
	mu      sync.Mutex
	newest  map[string]string       // URL to commit
	commits map[string]fstest.MapFS // URL and commit to its files
}

func newOutside() *Outside {
	return &Outside{newest: map[string]string{}, commits: map[string]fstest.MapFS{}}
}

// Push makes the next commit of a repository, which then holds just these files, and gives it.
func (o *Outside) Push(url string, files map[string]string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	sum := sha1.Sum(fmt.Appendf(nil, "%s %s %d", url, o.newest[url], len(o.commits))) //nolint:gosec // as Git names commits
	commit, tree := hex.EncodeToString(sum[:]), fstest.MapFS{}
	for name, content := range files {
		tree[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	o.newest[url], o.commits[url+" "+commit] = commit, tree
	return commit
}

func (o *Outside) fetch(url, ref string) (string, fstest.MapFS, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	commit, ok := o.newest[url]
	if !ok {
		return "", nil, blueberry.Faults{{Field: "source.repository", Code: "repository_not_found", Message: url + " does not exist"}}.Err()
	}
	if ref != "" && ref != "main" && ref != "refs/heads/main" {
		commit = ref
	}
	tree, ok := o.commits[url+" "+commit]
	if !ok {
		return "", nil, blueberry.Faults{{Field: "source.ref", Code: "ref_not_found", Message: url + " has no " + ref}}.Err()
	}
	return commit, tree, nil
}

type provisionSources struct{ *Outside }

// Fetch reads a repository at a ref.
func (s provisionSources) Fetch(_ context.Context, _, repository, ref string) (provision.Tree, error) {
	commit, tree, err := s.fetch(repository, ref)
	return provision.Tree{Commit: commit, FS: tree, Close: func() error { return nil }}, err
}

type catalogSources struct{ *Outside }

// Fetch reads a repository at a ref.
func (s catalogSources) Fetch(_ context.Context, repository, ref string) (catalog.Tree, error) {
	commit, tree, err := s.fetch(repository, ref)
	return catalog.Tree{Commit: commit, FS: tree, Close: func() error { return nil }}, err
}
