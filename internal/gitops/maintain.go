package gitops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Times of maintenance.
const (
	maintainEvery   = time.Hour
	maintainBatches = 32             // packs that may pile up under load: a lookup asks them one by one
	collectEvery    = 24 * time.Hour // a full collection of garbage
	maintainTimeout = time.Hour
	staleLock       = 5 * time.Second // a living git holds a lock for milliseconds
	staleTemporary  = time.Hour       // a living git may write a pack for long
	lockPoll        = 100 * time.Millisecond
)

// lock waits until no other Run works on the directory. The system lets go of it when the process ends, however it ends.
func (r *Repository) lock(ctx context.Context) (unlock func(), err error) {
	f, err := os.OpenFile(r.own("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for told := false; ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(err, f.Close())
		}
		if !told {
			r.log.Warn("GitOps repository is in use by another process, waiting", "dir", r.config.Dir)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-tick.C:
		}
	}
}

// askMaintenance counts a batch.
func (r *Repository) askMaintenance() {
	select {
	case r.tend <- struct{}{}:
	default:
	}
}

// maintain keeps the number of packs small beside the committer, until ctx ends.
func (r *Repository) maintain(ctx context.Context) {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	batches := maintainBatches / 2 // a process that is restarted often gets to it, too
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.tend:
			if batches++; batches < maintainBatches {
				continue
			}
		}
		batches = 0
		err := r.tidy(ctx)
		if err != nil && r.config.Remote != "" {
			if free, holdErr := r.holdRemote(ctx); holdErr == nil {
				err = r.renewIfDamaged(ctx, err)
				free()
			}
		}
		if err != nil && ctx.Err() == nil {
			r.log.Warn("GitOps repository maintenance failed", "error", err)
		}
	}
}

// tidy joins small packs and, once a day, drops what no branch has held for two weeks (Git's own grace). Both leave what others write meanwhile alone.
func (r *Repository) tidy(ctx context.Context) error {
	r.tending.Lock()
	defer r.tending.Unlock()
	verb := []string{"repack", "--geometric=2", "-d", "--quiet"}
	info, err := os.Stat(r.own("collected"))
	collect := err == nil && time.Since(info.ModTime()) > collectEvery
	if collect {
		verb = []string{"gc", "--quiet"}
	}
	if _, err := r.git.run(ctx, maintainTimeout, nil, verb...); err != nil {
		return fmt.Errorf("join packs: %w", err)
	}
	// With the paths of each commit on file, the last commit of a directory is found without reading the trees of all.
	if _, err := r.git.run(ctx, maintainTimeout, nil, "commit-graph", "write", "--reachable", "--changed-paths", "--split", "--no-progress"); err != nil {
		return fmt.Errorf("write the commit graph: %w", err)
	}
	if collect || errors.Is(err, fs.ErrNotExist) {
		return writeFile(r.own("collected"), nil) // the clock starts, or starts again
	}
	return nil
}

// sweep removes what processes that were killed left behind.
func (r *Repository) sweep() {
	removeStale(r.config.Dir, locks, staleLock)
	removeStale(r.config.Dir, temporaries, staleTemporary)
	removeStale(r.config.Dir, keeps, staleTemporary)
}

// sweepFailed removes the unfinished pack of a fast-import that failed: on a full disk, each try would leave another. While maintenance runs,
// the packs being written may be its own.
func (r *Repository) sweepFailed() {
	if r.tending.TryLock() {
		defer r.tending.Unlock()
		removeStale(r.config.Dir, func(path string) bool {
			return temporaries(path) && !strings.HasPrefix(path, "objects/tmp_objdir") // that is a push by a client
		}, 0)
	}
}

// branchLocked reports whether the branch is locked, after removing a lock that nobody alive can hold.
func (r *Repository) branchLocked() bool {
	for _, name := range []string{r.ref + ".lock", "packed-refs.lock", batchRef + ".lock"} {
		path := filepath.Join(r.config.Dir, filepath.FromSlash(name))
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if time.Since(info.ModTime()) > staleLock {
			r.log.Warn("removing a lock that a killed git left behind", "lock", name)
			_ = os.Remove(path)
		}
		return true
	}
	return false
}

func locks(path string) bool {
	return strings.HasSuffix(path, ".lock") || path == "gc.pid"
}

// temporaries are unfinished packs, pushes in quarantine, and the reports of a fast-import that was cut off.
func temporaries(path string) bool {
	name := filepath.Base(path)
	switch filepath.Dir(path) {
	case "objects/pack":
		return strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, ".tmp-")
	case "objects":
		return strings.HasPrefix(name, "tmp_objdir")
	case ".":
		return strings.HasPrefix(name, "fast_import_crash_")
	}
	return false
}

// keeps mark a pack as not to be touched until a branch holds it.
func keeps(path string) bool {
	return filepath.Dir(path) == "objects/pack" && strings.HasSuffix(path, ".keep")
}

// removeStale removes what matches, by path below dir, and has not changed for so long. What cannot be removed is found again the next time.
func removeStale(dir string, match func(path string) bool, age time.Duration) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it went away meanwhile
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || rel == "blueberry" {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil || !match(filepath.ToSlash(rel)) {
			return nil //nolint:nilerr // as above
		}
		if age == 0 || time.Since(info.ModTime()) > age {
			_ = os.RemoveAll(path)
		}
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
}
