package cli

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/zalando/go-keyring"
	"golang.org/x/term"
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
		Getenv: os.Getenv, Now: time.Now, Browse: browse, Keyring: systemKeyring(),
		ReadSecret: func() (string, error) {
			secret, err := term.ReadPassword(int(os.Stdin.Fd()))
			return string(secret), err
		},
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
