package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// unlocked is how long a scratch directory may be without its lock; it takes a process microseconds.
const unlocked = time.Minute

// scratch is where one process works. The system holds its lock as long as the process lives, so whoever opens the cache next knows what is left
// of a killed one.
type scratch struct {
	dir  string
	lock *os.File
}

// openScratch makes a directory of our own below parent and removes those of processes that are no more.
func openScratch(parent string) (*scratch, error) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil, fmt.Errorf("read scratch directory: %w", err)
	}
	for _, e := range entries {
		sweep(filepath.Join(parent, e.Name()))
	}
	dir, err := os.MkdirTemp(parent, "")
	if err != nil {
		return nil, fmt.Errorf("make scratch directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock scratch directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock scratch directory: %w", err), lock.Close())
	}
	return &scratch{dir: dir, lock: lock}, nil
}

func sweep(dir string) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
	if err == nil {
		defer lock.Close()
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			return // its process lives
		}
	} else if info, err := os.Stat(dir); err != nil || time.Since(info.ModTime()) < unlocked {
		return // its process may be about to lock it
	}
	_ = os.RemoveAll(dir) // what cannot be removed is found again the next time
}

// make gives a new directory.
func (s *scratch) make() (string, error) {
	dir, err := os.MkdirTemp(s.dir, "")
	if err != nil {
		return "", fmt.Errorf("make scratch directory: %w", err)
	}
	return dir, nil
}

func (s *scratch) remove(dir string) { _ = os.RemoveAll(dir) }

// discard takes a directory away at once, and then apart.
func (s *scratch) discard(dir string) {
	grave, err := s.make()
	if err != nil {
		grave = dir
	} else if os.Rename(dir, filepath.Join(grave, "tree")) != nil {
		_ = os.RemoveAll(dir)
	}
	_ = os.RemoveAll(grave)
}
