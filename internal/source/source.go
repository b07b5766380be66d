package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Defaults of Config. 200 MB is what the platform promises to refuse beyond.
const (
	defaultMaxBytes  = 200_000_000
	defaultMaxFiles  = 50_000
	defaultTimeout   = time.Minute
	defaultKeepTrees = 64
	defaultKeepBytes = 2 << 30
	maxFetches       = 4 // at once: each may take MaxBytes twice on the disk, and a core
)

// Config says where trees are kept and what is let in.
type Config struct {
	Dir        string        // of the cache; nothing else may live in it
	AllowLocal bool          // read repositories of the server's own file system: absolute paths and file:// URLs
	MaxBytes   int64         // of one tree, and of what is fetched for it; 0 means 200 MB
	MaxFiles   int           // of one tree; 0 means 50,000
	Timeout    time.Duration // of one fetch with all that belongs to it; 0 means a minute
	KeepTrees  int           // that nobody uses; 0 means 64
	KeepBytes  int64         // of trees that nobody uses; 0 means 2 GiB
	Logger     *slog.Logger  // nil means slog.Default
}

// Checkouts reads repositories. Its methods may be called from many goroutines.
type Checkouts struct {
	config  Config
	git     git
	log     *slog.Logger
	scratch *scratch
	fetches chan struct{} // holds a token for each fetch that runs
	shared  singleflight.Group

	compared comparisons

	mu    sync.Mutex
	trees map[string]*cached // by the path below Dir
}

// Open makes or opens a cache, and removes what killed processes left in it. A machine without git is an error.
func Open(c Config) (*Checkouts, error) {
	if c.MaxBytes <= 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.MaxFiles <= 0 {
		c.MaxFiles = defaultMaxFiles
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.KeepTrees <= 0 {
		c.KeepTrees = defaultKeepTrees
	}
	if c.KeepBytes <= 0 {
		c.KeepBytes = defaultKeepBytes
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil || c.Dir == "" {
		return nil, fmt.Errorf("open source cache: no usable directory %q: %w", c.Dir, errors.Join(err, fs.ErrInvalid))
	}
	c.Dir = dir
	k := &Checkouts{config: c, log: c.Logger, fetches: make(chan struct{}, maxFetches), trees: map[string]*cached{}}
	if k.git, err = findGit(dir); err != nil {
		return nil, fmt.Errorf("open source cache: %w", err)
	}
	for _, sub := range []string{"tmp", "trees"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o750); err != nil {
			return nil, fmt.Errorf("open source cache: make directory: %w", err)
		}
	}
	if k.scratch, err = openScratch(filepath.Join(dir, "tmp")); err != nil {
		return nil, fmt.Errorf("open source cache: %w", err)
	}
	if err := writeFile(filepath.Join(dir, "gitconfig"), []byte(settings)); err != nil {
		return nil, fmt.Errorf("open source cache: write settings: %w", err)
	}
	if err := k.load(); err != nil {
		return nil, fmt.Errorf("open source cache: %w", err)
	}
	return k, nil
}

// Tree is a repository at one commit, read-only.
type Tree struct {
	Commit string // 40 hexadecimal digits
	FS     fs.FS  // a symlink is followed inside the tree only
	Files  int
	Bytes  int64

	close func() error
}

// Close releases the tree: FS ends, and the tree may leave the cache. It may be called again.
func (t *Tree) Close() error { return t.close() }

// Fetch gives the tree of a repository at a ref. The repository is a URL (https, http, ssh, git), user@host:path, or, when that is allowed, an
// absolute path or file:// URL of a repository or work tree, of which the committed state is read. The ref is a branch, a tag, a full or
// abbreviated commit (from 7 digits), a full ref name ("refs/pull/42/head"), or empty for the default branch; a branch comes before a
// tag of the same name. A full commit that is in the cache costs no process and no network; any other ref is asked for each time.
//
// What is wrong with the repository or ref is blueberry.Invalid, with faults on "source.repository" and "source.ref".
func (k *Checkouts) Fetch(ctx context.Context, repository, ref string) (*Tree, error) {
	return k.FetchAs(ctx, Login{}, repository, ref)
}

// FetchAs is Fetch of a repository that asks for a password.
func (k *Checkouts) FetchAs(ctx context.Context, login Login, repository, ref string) (*Tree, error) {
	a, err := check(repository, ref, k.config.AllowLocal)
	if err != nil {
		return nil, err
	}
	a.login = login
	if isCommit(ref) {
		ref = strings.ToLower(ref)
		if t, err := k.acquire(a.key(), ref); t != nil || err != nil {
			return t, err
		}
	}
	// A tree may leave the cache between the fetch and its use when very many are asked for at once.
	for range 3 {
		commit, err := k.fetchShared(ctx, a, ref)
		if err != nil {
			return nil, err
		}
		if t, err := k.acquire(a.key(), commit); t != nil || err != nil {
			return t, err
		}
	}
	return nil, errors.New("the source cache is too small for what is asked of it at once")
}

// fetchShared lets everyone who wants the same have one fetch. It goes on when one of them leaves.
func (k *Checkouts) fetchShared(ctx context.Context, a address, ref string) (commit string, err error) {
	result := k.shared.DoChan(a.key()+" "+ref, func() (any, error) {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), k.config.Timeout, errTimeout)
		defer cancel()
		return k.fetch(ctx, a, ref)
	})
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case r := <-result:
		if r.Err != nil {
			return "", r.Err
		}
		return r.Val.(string), nil
	}
}
