package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/sdk"
)

// silent shows nothing.
type silent struct{}

func (silent) environment(sdk.Environment) {}
func (silent) event(sdk.Event)             {}
func (silent) notice(string)               {}
func (silent) tick()                       {}
func (silent) end()                        {}

// plainView writes one line for each change: for logs of CI.
type plainView struct {
	out  io.Writer
	now  func() time.Time
	last sdk.Environment
}

func (v *plainView) environment(e sdk.Environment) {
	if e.Phase != v.last.Phase || e.Reason != v.last.Reason {
		v.line("%s is %s: %s", e.Name, e.Phase, strings.TrimSuffix(e.Reason+": "+e.Message, ": "))
	}
	for i, c := range e.Conditions {
		if c.Status == "Unknown" {
			continue // nothing is known of it yet: nothing to say
		}
		if i < len(v.last.Conditions) {
			was := v.last.Conditions[i]
			if was.Status == c.Status && was.Reason == c.Reason && was.Message == c.Message {
				continue
			}
		}
		v.line("  %s %s: %s", c.Type, c.Status, strings.TrimSuffix(c.Reason+": "+c.Message, ": "))
	}
	v.last = e
}

// event says nothing: the environment that is read behind it tells the same.
func (v *plainView) event(sdk.Event) {}

func (v *plainView) notice(text string) { v.line("%s", text) }
func (v *plainView) tick()              {}
func (v *plainView) end()               {}

func (v *plainView) line(format string, args ...any) {
	fmt.Fprintf(v.out, "%s %s\n", v.now().Format("15:04:05"), plainText(fmt.Sprintf(format, args...)))
}

// liveView draws the phase and the conditions in place.
type liveView struct {
	out     io.Writer
	width   func() int
	now     func() time.Time
	colours bool

	start time.Time
	env   sdk.Environment
	last  sdk.Event
	note  string
	step  int
	drawn int // lines on the screen
}

func newLiveView(s Streams) *liveView {
	width := s.Width
	if width == nil {
		width = func() int { return 80 }
	}
	return &liveView{out: s.Err, width: width, now: s.Now, colours: s.colours(s.ErrTerminal), start: s.Now()}
}

func (v *liveView) environment(e sdk.Environment) {
	v.env = e
	v.draw()
}

func (v *liveView) event(e sdk.Event) {
	v.last = e
	v.draw()
}

func (v *liveView) notice(text string) {
	v.note = text
	v.draw()
}

func (v *liveView) tick() {
	v.step++
	v.draw()
}

// end leaves the last picture on the screen.
func (v *liveView) end() {
	v.step = -1
	v.draw()
}

const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

// draw replaces the picture: up to its first line, then each line anew, each cut to the width, so that no line wraps and the count holds.
func (v *liveView) draw() {
	lines := v.lines()
	var b strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.drawn)
	}
	for _, l := range lines {
		b.WriteString("\r\x1b[2K" + l + "\n")
	}
	for range max(v.drawn-len(lines), 0) {
		b.WriteString("\r\x1b[2K\n")
	}
	if more := v.drawn - len(lines); more > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", more)
	}
	v.drawn = len(lines)
	_, _ = io.WriteString(v.out, b.String()) // a terminal that is gone ends the command by its signal
}

func (v *liveView) lines() []string {
	turning := " "
	if v.step >= 0 {
		turning = string([]rune(spinner)[v.step%utf8.RuneCountInString(spinner)])
	}
	head := v.fit(0, "%s %s  %s", v.env.Name, v.env.Phase, span(v.now().Sub(v.start)))
	lines := []string{v.paint(phaseCell(v.env.Phase).colour, turning) + " " + head}
	moving := v.step >= 0
	for _, c := range v.env.Conditions {
		mark, paint := "·", grey
		switch c.Status {
		case "True":
			mark, paint = "✓", green
		case "False":
			mark, paint = "✗", yellow
			if moving {
				mark, moving = turning, false
			}
		}
		text := ""
		if c.Status != "Unknown" {
			text = first(c.Message, c.Reason)
		}
		lines = append(lines, "  "+v.paint(paint, mark)+" "+v.fit(4, "%-10s %s", c.Type, text))
	}
	if why := strings.TrimSuffix(v.env.Reason+": "+v.env.Message, ": "); why != "" {
		lines = append(lines, "  "+v.paint(grey, v.fit(2, "%s", why)))
	}
	if v.last.Message != "" {
		lines = append(lines, "  "+v.paint(grey, v.fit(2, "%s", v.last.Message)))
	}
	if v.note != "" {
		lines = append(lines, "  "+v.paint(yellow, v.fit(2, "%s", v.note)))
	}
	return lines
}

// fit cuts a line to what the terminal has left of it.
func (v *liveView) fit(used int, format string, args ...any) string {
	text := []rune(plainText(strings.TrimRight(fmt.Sprintf(format, args...), " ")))
	room := max(v.width()-used-3, 10)
	if len(text) > room {
		text = append(text[:room-1], '…')
	}
	return string(text)
}

func (v *liveView) paint(c colour, s string) string {
	if !v.colours {
		return s
	}
	return paint(c, s)
}
