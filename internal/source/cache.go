package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// cached is one tree of the cache. Its fields but checked are guarded by Checkouts.mu.
type cached struct {
	manifest
	used    time.Time
	holders int
	checked func() error // compares it with its manifest, once
}

// manifest is written beside a tree when it is complete. A power cut can leave files of a complete tree empty; then the sums differ.
type manifest struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

func below(key, commit string) string { return filepath.Join("trees", key, commit) }

// load finds the trees that are there.
func (k *Checkouts) load() error {
	names, err := filepath.Glob(filepath.Join(k.config.Dir, "trees", "*", "*.json"))
	if err != nil {
		return fmt.Errorf("look for trees: %w", err)
	}
	for _, name := range names {
		var m manifest
		info, err := os.Stat(name)
		content, readErr := os.ReadFile(name) //nolint:gosec // a file of our own
		if err := errors.Join(err, readErr); err != nil || json.Unmarshal(content, &m) != nil {
			k.log.Warn("a tree of the source cache has no readable manifest and is dropped", "manifest", name, "error", err)
			_ = os.Remove(name)
			continue
		}
		rel, err := filepath.Rel(k.config.Dir, strings.TrimSuffix(name, ".json"))
		if err != nil {
			return fmt.Errorf("look for trees: %w", err)
		}
		k.trees[rel] = k.enter(rel, m, info.ModTime())
	}
	k.evict()
	return nil
}

func (k *Checkouts) enter(rel string, m manifest, used time.Time) *cached {
	return &cached{manifest: m, used: used, checked: sync.OnceValue(func() error { return verify(filepath.Join(k.config.Dir, rel), m) })}
}

// verify compares a tree with its manifest by looking, not reading.
func verify(dir string, want manifest) error {
	var got manifest
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		got.Files++
		if err == nil {
			got.Bytes += info.Size() // of a symlink: the length of its target, as Git counts it
		}
		return err
	})
	if err == nil && got != want {
		err = fmt.Errorf("holds %d files of %d bytes, want %d of %d", got.Files, got.Bytes, want.Files, want.Bytes)
	}
	return err
}

func (k *Checkouts) has(key, commit string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.trees[below(key, commit)]
	return ok
}

// acquire gives a tree of the cache, or nil when it is not there.
func (k *Checkouts) acquire(key, commit string) (*Tree, error) {
	rel := below(key, commit)
	k.mu.Lock()
	c := k.trees[rel]
	if c == nil {
		k.mu.Unlock()
		return nil, nil //nolint:nilnil // it is not there, and that is no error
	}
	c.holders++
	c.used = time.Now()
	k.mu.Unlock()
	release := sync.OnceFunc(func() { k.release(c) })

	if err := c.checked(); err != nil {
		k.log.Warn("a tree of the source cache is damaged and is fetched again", "tree", rel, "error", err)
		k.forget(rel, c)
		release()
		return nil, nil //nolint:nilnil // as if it were not there
	}
	root, err := os.OpenRoot(filepath.Join(k.config.Dir, rel))
	if err != nil {
		k.forget(rel, c)
		release()
		return nil, fmt.Errorf("open tree: %w", err)
	}
	return &Tree{
		Commit: commit, FS: root.FS(), Files: c.Files, Bytes: c.Bytes,
		close: sync.OnceValue(func() error {
			defer release()
			return root.Close()
		}),
	}, nil
}

func (k *Checkouts) release(c *cached) {
	k.mu.Lock()
	c.holders--
	k.mu.Unlock()
	k.evict()
}

// publish moves a complete tree into the cache.
func (k *Checkouts) publish(key, commit, tree string, m manifest) error {
	rel := below(key, commit)
	final := filepath.Join(k.config.Dir, rel)
	content, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o750); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.trees[rel]; ok {
		return nil // another ref of the same commit was faster
	}
	err = os.Rename(tree, final)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		k.scratch.discard(final) // a kill came between its rename and its manifest
		err = os.Rename(tree, final)
	}
	if err == nil {
		err = writeFile(final+".json", content)
	}
	if err != nil {
		return fmt.Errorf("keep tree: %w", err)
	}
	k.trees[rel] = k.enter(rel, m, time.Now())
	return nil
}

// forget drops a tree, if it is still the one that is meant.
func (k *Checkouts) forget(rel string, c *cached) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgetLocked(rel, c)
}

func (k *Checkouts) forgetLocked(rel string, c *cached) {
	if k.trees[rel] != c {
		return
	}
	delete(k.trees, rel)
	_ = os.Remove(filepath.Join(k.config.Dir, rel) + ".json")
	k.scratch.discard(filepath.Join(k.config.Dir, rel))
}

// evict drops the trees that were used longest ago and that nobody holds, until what nobody holds is within bounds.
func (k *Checkouts) evict() {
	for {
		k.mu.Lock()
		var (
			n      int
			bytes  int64
			oldest string
		)
		for rel, c := range k.trees {
			if c.holders > 0 {
				continue
			}
			n++
			bytes += c.Bytes
			if oldest == "" || c.used.Before(k.trees[oldest].used) {
				oldest = rel
			}
		}
		victim := k.trees[oldest]
		k.mu.Unlock()
		if n <= k.config.KeepTrees && bytes <= k.config.KeepBytes || victim == nil {
			return
		}
		k.drop(oldest, victim)
	}
}

func (k *Checkouts) drop(rel string, c *cached) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.holders == 0 {
		k.forgetLocked(rel, c)
	}
}

// writeFile replaces a file, or leaves the old one.
func writeFile(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
