package cli

import (
	"context"
	"io"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/zalando/go-keyring"
	"golang.org/x/term"

	"github.com/blueberry-idp/blueberry/sdk"
)

// Streams is all that commands know of the process around them.
type Streams struct {
	In          io.Reader
	Out         io.Writer // results
	Err         io.Writer // errors and progress
	InTerminal  bool      // someone can be asked
	OutTerminal bool
	ErrTerminal bool       // progress may be redrawn in place
	Width       func() int // columns of the terminal behind Err; nil means 80
	Getenv      func(string) string
	Now         func() time.Time
	ReadSecret  func() (string, error)     // a line of the terminal, not shown; nil reads In
	Browse      func(address string) error // shows a page; nil when there is nothing to show it with
	Keyring     Keyring                    // nil when there is none
	Terminal    Terminal                   // behind In and Out, for a shell; nil when there is none

	CompletionTime time.Duration // that a person at a prompt may be kept waiting for names; 0 means 2 s
}

// Terminal is one that a shell runs in.
type Terminal interface {
	// Raw passes on every key as it is typed, until restore is called.
	Raw() (restore func(), err error)
	// Sizes gives the size now, and again whenever it has changed, until ctx ends.
	Sizes(ctx context.Context) iter.Seq[sdk.ExecSize]
}

// System is the process's own streams.
func System() Streams {
	is := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, InTerminal: is(os.Stdin), OutTerminal: is(os.Stdout), ErrTerminal: is(os.Stderr),
		Width: func() int {
			if w, _, err := term.GetSize(int(os.Stderr.Fd())); err == nil && w > 0 {
				return w
			}
			return 80
		},
		Getenv: os.Getenv, Now: time.Now, Browse: browse, Keyring: systemKeyring(), Terminal: systemTerminal{},
		ReadSecret: func() (string, error) {
			secret, err := term.ReadPassword(int(os.Stdin.Fd()))
			return string(secret), err
		},
	}
}

// systemTerminal is that of the process.
type systemTerminal struct{}

// Raw implements Terminal.
func (systemTerminal) Raw() (func(), error) {
	state, err := term.MakeRaw(int(os.Stdin.Fd()))
	if err != nil {
		return nil, err
	}
	return func() { _ = term.Restore(int(os.Stdin.Fd()), state) }, nil // what cannot be restored is gone
}

// Sizes implements Terminal. It looks each half second: a signal that tells of a change is not everywhere.
func (systemTerminal) Sizes(ctx context.Context) iter.Seq[sdk.ExecSize] {
	return func(yield func(sdk.ExecSize) bool) {
		look := time.NewTicker(500 * time.Millisecond)
		defer look.Stop()
		var last sdk.ExecSize
		for {
			if w, h, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
				now := sdk.ExecSize{Width: uint16(min(w, 1<<16-1)), Height: uint16(min(h, 1<<16-1))} //nolint:gosec // bounded
				if now != last && !yield(now) {
					return
				}
				last = now
			}
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
		}
	}
}

// browse opens the person's browser.
func browse(address string) error {
	program := []string{"xdg-open"}
	switch runtime.GOOS {
	case "darwin":
		program = []string{"open"}
	case "windows":
		program = []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	return exec.Command(program[0], append(program[1:], address)...).Start() //nolint:noctx // it outlives the command
}

// osKeyring is the keyring of the operating system.
type osKeyring struct{}

func (osKeyring) Get(service, account string) (string, error) { return keyring.Get(service, account) }

func (osKeyring) Set(service, account, secret string) error {
	return keyring.Set(service, account, secret)
}

func (osKeyring) Delete(service, account string) error { return keyring.Delete(service, account) }

// systemKeyring gives none where there can be none: asking for it would start a bus.
func systemKeyring() Keyring {
	if runtime.GOOS == "linux" && os.Getenv("DBUS_SESSION_BUS_ADDRESS") == "" {
		return nil
	}
	return osKeyring{}
}

// redraws reports whether progress is drawn in place.
func (s Streams) redraws() bool { return s.ErrTerminal && s.Getenv("TERM") != "dumb" }

// colours reports whether a stream that is a terminal takes colours (no-color.org).
func (s Streams) colours(terminal bool) bool {
	return terminal && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}
