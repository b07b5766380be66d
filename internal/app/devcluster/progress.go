package devcluster

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// logPause is how often a moving status becomes a line where nothing can move, as in a log file.
const logPause = 15 * time.Second

// progress tells people what happens, one way on a terminal and another in a file.
type progress struct {
	to       io.Writer
	terminal bool
	moving   bool // a status stands on the terminal's last line
	last     time.Time
}

func newProgress(to io.Writer) *progress {
	if to == nil {
		to = io.Discard
	}
	p := &progress{to: to}
	if f, ok := to.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// line is told for good.
func (p *progress) line(text string) {
	if p.moving {
		fmt.Fprint(p.to, "\r\x1b[K")
		p.moving = false
	}
	fmt.Fprintln(p.to, text)
}

// status replaces the status before it on a terminal; elsewhere it is a line, now and then.
func (p *progress) status(text string) {
	if p.terminal {
		fmt.Fprint(p.to, "\r\x1b[K"+text)
		p.moving = true
		return
	}
	if time.Since(p.last) >= logPause {
		p.last = time.Now()
		fmt.Fprintln(p.to, text)
	}
}

const tailLength = 30

// tail keeps the last lines.
type tail struct{ kept []string }

func (t *tail) add(line string) {
	t.kept = append(t.kept, line)
	if len(t.kept) > tailLength {
		t.kept = t.kept[1:]
	}
}

func (t *tail) lines() []string { return t.kept }

func lastLines(text string, n int) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[max(0, len(lines)-n):]
}
