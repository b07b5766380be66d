package dirlock

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const childVar = "DIRLOCK_TEST_CHILD"

// TestMain makes the test binary a child that holds what it inherited until its standard input ends.
func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

const (
	never = time.Duration(0)
	long  = time.Minute
)

func silent(Holder) {}

func TestLockIsHeldOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	l := acquire(t, path)
	var held *HeldError
	if _, err := Acquire(t.Context(), path, never, long, silent); !errors.As(err, &held) {
		t.Fatalf("second Acquire: %v, want a HeldError", err)
	}
	if held.Holder.PID != os.Getpid() || held.Holder.Since.IsZero() {
		t.Errorf("holder %+v, want this process", held.Holder)
	}
	release(t, l)
	release(t, acquire(t, path))
}

func TestAcquireWaitsForOneThatEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first := acquire(t, path)
	if err := first.Ending(); err != nil {
		t.Fatal(err)
	}
	second, err := Acquire(t.Context(), path, never, long, func(h Holder) {
		if !h.Ending {
			t.Errorf("holder %+v, want it ending", h)
		}
		release(t, first)
	})
	if err != nil {
		t.Fatalf("Acquire: %v", err)
	}
	release(t, second)
}

func TestAcquireEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first := acquire(t, path)
	defer release(t, first)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Acquire(ctx, path, long, long, func(Holder) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("Acquire: %v, want Canceled", err)
	}
}

func TestLockLastsAsLongAsAChild(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	l := acquire(t, path)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVar+"=1")
	child.ExtraFiles = []*os.File{l.File()}
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	release(t, l)
	var held *HeldError
	if _, err := Acquire(t.Context(), path, never, never, silent); !errors.As(err, &held) {
		t.Errorf("Acquire while the child lives: %v, want a HeldError", err)
	}
	if err := errors.Join(stdin.Close(), child.Wait()); err != nil {
		t.Fatal(err)
	}
	release(t, acquire(t, path))
}

func TestHolderOfAnyFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "{", `{"pid":-1}`, `{"pid":"1"}`, `[1]`} {
		path := filepath.Join(t.TempDir(), "lock")
		l := acquire(t, path)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var held *HeldError
		if _, err := Acquire(t.Context(), path, never, never, silent); !errors.As(err, &held) || held.Error() == "" {
			t.Errorf("file %q: Acquire: %v, want a HeldError", text, err)
		}
		release(t, l)
	}
}

func acquire(t *testing.T, path string) *Lock {
	t.Helper()
	// Free, but for the moment between fork and exec of another test's child, which has all our files.
	l, err := Acquire(t.Context(), path, long, long, silent)
	if err != nil {
		t.Fatalf("Acquire: %v", err)
	}
	return l
}

func release(t *testing.T, l *Lock) {
	t.Helper()
	if err := l.Release(); err != nil {
		t.Errorf("Release: %v", err)
	}
}
