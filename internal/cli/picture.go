package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxFieldLines is how many lines of fields a section shows unless asked for all: more is not read, and hides the rest.
const maxFieldLines = 200

// picture is a text for people that is being made: of a plan, a difference, drift. It fits a terminal of its width as far as words allow.
type picture struct {
	text    strings.Builder
	colours bool
	wide    bool // everything is shown
	width   int
	lines   int // of fields, in this section
	hidden  int // of fields, in this section
}

// picture starts one for the output, or for what is said on the way.
func (s *shared) picture(wide bool) *picture {
	p := &picture{wide: wide, width: 80, colours: s.streams.colours(s.streams.OutTerminal)}
	if s.streams.OutTerminal && s.streams.Width != nil {
		p.width = max(s.streams.Width(), 40)
	}
	return p
}

func (p *picture) print(w io.Writer) { _, _ = io.WriteString(w, p.text.String()) } // the output may be closed: nobody is there to be told

func (p *picture) paint(c colour, s string) string {
	if !p.colours || c == 0 {
		return s
	}
	return paint(c, s)
}

func (p *picture) line(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

// section begins a part with a headline, behind an empty line.
func (p *picture) section(format string, args ...any) {
	if p.text.Len() > 0 {
		p.text.WriteByte('\n')
	}
	p.line(format, args...)
	p.lines, p.hidden = 0, 0
}

// field adds one line of a field, as long as there is room for more.
func (p *picture) field(c colour, text string) {
	if p.lines++; !p.wide && p.lines > maxFieldLines {
		p.hidden++
		return
	}
	p.line("%s", p.paint(c, text))
}

// rest says how many lines of fields the section does not show.
func (p *picture) rest() {
	if p.hidden > 0 {
		p.line("%s", p.paint(grey, fmt.Sprintf("    … and %d more lines; -o wide shows all", p.hidden)))
	}
}

// table adds rows, indented.
func (p *picture) table(t table) {
	var b strings.Builder
	_ = t.print(&b, p.colours) // into memory
	for l := range strings.Lines(b.String()) {
		p.text.WriteString("  " + l)
	}
}

// words adds a text broken into lines that fit; each begins with the indent.
func (p *picture) words(c colour, indent, text string) { p.wrapped(c, indent, indent, text) }

// wrapped adds a text broken into lines that fit: the first begins with the head, the others with the indent.
func (p *picture) wrapped(c colour, head, indent, text string) {
	line := ""
	for word := range strings.FieldsSeq(plainText(text)) {
		if line != "" && utf8.RuneCountInString(head+line)+1+utf8.RuneCountInString(word) > p.width {
			p.line("%s%s", head, p.paint(c, line))
			line, head = "", indent
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	p.line("%s%s", head, p.paint(c, line))
}

// became adds a field that changed: on one line, or, where that is too long, what goes and what comes on lines of their own. A nil shown is nothing there.
// The tail says where the value comes from.
func (p *picture) became(path string, before, after *shown, tail string) {
	const indent = "    "
	path = plainText(path)
	if tail != "" {
		tail = "  (" + plainText(tail) + ")"
	}
	mark, c, body := "", colour(0), ""
	switch {
	case before == nil && after == nil:
		return
	case before == nil:
		mark, c, body = "+ ", green, after.line
	case after == nil:
		mark, c, body = "- ", red, before.line
	default:
		body = before.line + " → " + after.line
	}
	label := mark + path
	if path != "" {
		label += ": "
	}
	one := indent + label + body + tail
	if (before == nil || before.short) && (after == nil || after.short) && utf8.RuneCountInString(one) <= p.width {
		p.field(c, one)
		return
	}
	p.field(c, indent+strings.TrimSuffix(label, " ")+tail)
	p.block(indent+"  ", before, after)
}

// contextLines stand around lines that differ.
const contextLines = 2

// block adds what goes and what comes, line by line. What both begin and end with is left out but for a few lines.
func (p *picture) block(indent string, before, after *shown) {
	var was, is []string
	if before != nil {
		was = before.block
	}
	if after != nil {
		is = after.block
	}
	head := 0
	for head < min(len(was), len(is)) && was[head] == is[head] {
		head++
	}
	tail := 0
	for tail < min(len(was), len(is))-head && was[len(was)-1-tail] == is[len(is)-1-tail] {
		tail++
	}
	if head > contextLines {
		p.field(grey, indent+"  …")
	}
	for _, l := range was[max(head-contextLines, 0):head] {
		p.field(grey, indent+"  "+l)
	}
	for _, l := range was[head : len(was)-tail] {
		p.field(red, indent+"- "+l)
	}
	for _, l := range is[head : len(is)-tail] {
		p.field(green, indent+"+ "+l)
	}
	for _, l := range is[len(is)-tail : min(len(is)-tail+contextLines, len(is))] {
		p.field(grey, indent+"  "+l)
	}
	if tail > contextLines {
		p.field(grey, indent+"  …")
	}
}
