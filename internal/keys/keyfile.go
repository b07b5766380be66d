package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	partSuffix = ".part" // of a file that is being made
	nextSuffix = ".next" // of one that will stand in the place of another one
	lockSuffix = ".lock"
)

// lockPatience is how long a change waits for one of another process. A change takes milliseconds.
const lockPatience = 30 * time.Second

// keyFile is a file that holds keys: only its owner may read it, and it is there whole or not at all, whichever processes start and die.
type keyFile struct {
	path string
	max  int64 // bytes
}

// stamp tells one content of a file from the one before.
type stamp struct {
	modified time.Time
	size     int64
	inode    uint64
}

func stampOf(info fs.FileInfo) stamp {
	s := stamp{modified: info.ModTime(), size: info.Size()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s
}

// moved reports whether the file is another one than it was. A file that is gone has not moved: what was read of it still holds.
func (f keyFile) moved(was stamp) bool {
	info, err := os.Stat(f.path)
	return err == nil && stampOf(info) != was
}

// readOrMake reads the file, or makes it when there is none. Of processes that start at once, the first to finish its file wins, and all of them get that one.
func (f keyFile) readOrMake(content func() ([]byte, error)) ([]byte, stamp, error) {
	text, at, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		made, merr := content()
		if merr != nil {
			return nil, stamp{}, merr
		}
		if err = f.create(made); err == nil {
			text, at, err = f.read()
		}
	}
	if err != nil {
		return nil, stamp{}, err
	}
	f.sweep()
	return text, at, nil
}

func (f keyFile) read() ([]byte, stamp, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, stamp{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, stamp{}, fmt.Errorf("%s is not a file", f.path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, stamp{}, fmt.Errorf("%s has the mode %04o, so others may have read the key; give it the mode 0600, or remove it to have a new one made", f.path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(file, f.max))
	return text, stampOf(info), err
}

// create makes the file, whole or not at all, unless another one is there first.
func (f keyFile) create(content []byte) error {
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	part, err := os.CreateTemp(dir, filepath.Base(f.path)+".*"+partSuffix) // with the mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) //nolint:errcheck // sweep takes it at the next start
	if err := write(part, content); err != nil {
		return err
	}
	// A link, and not a renaming, which would put this key in the place of one that another process has read. The part is gone when that process swept.
	if err := os.Link(part.Name(), f.path); err != nil && !errors.Is(err, fs.ErrExist) && !there(f.path) {
		return err
	}
	return syncDir(dir)
}

// replace puts new content in the place of the old, whole or not at all. The caller holds the lock.
func (f keyFile) replace(content []byte) error {
	next := f.path + nextSuffix
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a process that was killed
		return err
	}
	file, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := write(file, content); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err := os.Rename(next, f.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

func write(file *os.File, content []byte) error {
	_, err := file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}

// lock keeps other processes from changing the file until it is let go. The kernel lets it go when the process ends.
func (f keyFile) lock(ctx context.Context) (unlock func(), err error) {
	file, err := os.OpenFile(f.path+lockSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // closing lets it go
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("another process changes %s", f.path), file.Close())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// syncDir makes the name of a file as durable as its content.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sweep removes what processes left that were killed while they made a key. One that is still at it finds that the key is there.
func (f keyFile) sweep() {
	parts, err := filepath.Glob(filepath.Join(filepath.Dir(f.path), "*"+partSuffix))
	if err != nil {
		return // the pattern is ours and is none that is wrong
	}
	for _, part := range parts {
		if ok, err := filepath.Match(filepath.Base(f.path)+".[0-9]*"+partSuffix, filepath.Base(part)); ok && err == nil {
			os.Remove(part) //nolint:errcheck // it does no harm where it is
		}
	}
}
