package cli

import (
	"io"
	"os"
	"time"

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
		Getenv: os.Getenv, Now: time.Now,
	}
}

// redraws reports whether progress is drawn in place.
func (s Streams) redraws() bool { return s.ErrTerminal && s.Getenv("TERM") != "dumb" }

// colours reports whether a stream that is a terminal takes colours (no-color.org).
func (s Streams) colours(terminal bool) bool {
	return terminal && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}
