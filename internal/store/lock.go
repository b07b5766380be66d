package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// fileLock is held by the one process that has a SQLite record. The kernel lets it go when the process ends, however it ends.
type fileLock struct{ f *os.File }

// lockPatience is how long a lock is asked for. A process that was killed while it started another one, git say, leaves it a moment longer in the
// hands of that one.
const lockPatience = 10 * time.Second

// lockFile takes the lock, or tells as Unavailable which process has it.
func lockFile(ctx context.Context, path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the record: %w", err)
	}
	if err := flock(ctx, f); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock the record: %w", err)
		}
		holder := "another process"
		if b, err := io.ReadAll(io.LimitReader(f, 32)); err == nil {
			if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
				holder = fmt.Sprintf("process %d", pid)
			}
		}
		return nil, blueberry.Errorf(blueberry.Unavailable, "RECORD_IN_USE", "the record is in use by %s", holder)
	}
	l := &fileLock{f}
	if err := l.write(strconv.Itoa(os.Getpid()) + "\n"); err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// flock tries until it has the lock, ctx ends or the patience is over.
func flock(ctx context.Context, f *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (l *fileLock) write(text string) error {
	if err := l.f.Truncate(0); err != nil {
		return fmt.Errorf("write the lock of the record: %w", err)
	}
	if _, err := l.f.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("write the lock of the record: %w", err)
	}
	return nil
}

// release lets the lock go. The file stays: removing it would let two processes lock two files of one name.
func (l *fileLock) release() error {
	return errors.Join(l.write(""), l.f.Close())
}
