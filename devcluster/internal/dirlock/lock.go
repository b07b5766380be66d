package dirlock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

const pause = 50 * time.Millisecond

// Holder is what the lock file says about who has the lock.
type Holder struct {
	PID    int       `json:"pid"`
	Since  time.Time `json:"since"`
	Ending bool      `json:"ending,omitempty"` // it is on its way out
}

// HeldError says that somebody else has the lock.
type HeldError struct {
	Path   string
	Holder Holder // zero when the file says nothing
}

// Error names the process that has the lock.
func (e *HeldError) Error() string {
	if e.Holder.PID == 0 {
		return "another process holds " + e.Path
	}
	return fmt.Sprintf("process %d holds %s since %s", e.Holder.PID, e.Path, e.Holder.Since.Local().Format(time.DateTime))
}

// Lock is a lock that is held.
type Lock struct {
	file   *os.File
	holder Holder
}

// Acquire takes the lock, or waits for it: as long as ending when the holder is dead (its children are then on their way
// out) or says that it ends, else as long as living. When it begins to wait it calls waiting once. A HeldError says who
// did not let go.
func Acquire(ctx context.Context, path string, living, ending time.Duration, waiting func(Holder)) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	start, told := time.Now(), false
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			l := &Lock{file: f, holder: Holder{PID: os.Getpid(), Since: time.Now()}}
			return l, l.write()
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
		}
		h := read(f)
		patience := living
		if h.Ending || !alive(h.PID) {
			patience = ending
		}
		if time.Since(start) >= patience {
			return nil, errors.Join(&HeldError{Path: path, Holder: h}, f.Close())
		}
		if !told {
			told = true
			waiting(h)
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), f.Close())
		case <-time.After(pause):
		}
	}
}

// File is the open file that carries the lock, to hand to children.
func (l *Lock) File() *os.File { return l.file }

// Ending tells who waits that it is worth waiting.
func (l *Lock) Ending() error {
	l.holder.Ending = true
	return l.write()
}

// Release gives the lock up, unless a child still has the file.
func (l *Lock) Release() error { return l.file.Close() }

func (l *Lock) write() error {
	data, err := json.Marshal(l.holder)
	if err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	// One write over the old words and then the cut: a reader in between reads a JSON value with a tail, and takes the value.
	if _, err := l.file.WriteAt(append(data, '\n'), 0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	if err := l.file.Truncate(int64(len(data) + 1)); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

func read(f *os.File) Holder {
	var h Holder
	if json.NewDecoder(io.NewSectionReader(f, 0, 1024)).Decode(&h) != nil {
		return Holder{}
	}
	return h
}

// alive is true for a process that exists, also one of another user.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
