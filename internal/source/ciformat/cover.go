package ciformat

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// maxLine is the length of a line of a text format, in bytes.
const maxLine = 1 << 16

// place is a line of a file. Files are told by their number: a name may be long, and is not kept for each of its lines.
type place struct {
	file int
	line string
}

// hits is which lines were run. What stands twice was run when either was.
type hits map[place]bool

func (h hits) note(at place, ran bool) { h[at] = h[at] || ran }

// files numbers files by their names.
type files map[string]int

func (f files) number(name string) int {
	n, ok := f[name]
	if !ok {
		n = len(f)
		f[name] = n
	}
	return n
}

func (h hits) coverage() *blueberry.CICoverage {
	out := &blueberry.CICoverage{Total: len(h)}
	for _, ran := range h {
		if ran {
			out.Covered++
		}
	}
	return out
}

// readCobertura reads the totals of the root, or counts lines where it does not tell them.
func readCobertura(e *elements, root *xml.StartElement) (*blueberry.CICoverage, error) {
	if attr(root, "line-rate") == "" && attr(root, "lines-valid") == "" {
		return nil, errUnknown // Clover has a root of this name
	}
	lines, names, file := hits{}, files{}, -1
	for {
		t, err := e.next()
		if err != nil {
			return nil, whole(err)
		}
		switch {
		case t.start != nil && t.name == "class":
			file = names.number(attr(t.start, "filename"))
		case t.start != nil && e.within("class", "lines", "line"):
			lines.note(place{file, name(attr(t.start, "number"))}, number(attr(t.start, "hits")) > 0)
		case t.end && len(e.path) == 0:
			if total := number(attr(root, "lines-valid")); total > 0 {
				return &blueberry.CICoverage{Covered: min(number(attr(root, "lines-covered")), total), Total: total}, nil
			}
			return lines.coverage(), nil
		}
	}
}

// readLCOV counts the lines of each file (DA), or takes its totals (LF, LH) where it has none.
func readLCOV(data []byte) (*blueberry.CICoverage, error) {
	lines, names, out := hits{}, files{}, blueberry.CICoverage{}
	var file, found, hit, told int
	open := false
	err := eachLine(data, func(text string) error {
		tag, value, _ := strings.Cut(text, ":")
		switch tag {
		case "SF":
			file, open = names.number(value), true
			found, hit, told = 0, 0, 0
		case "DA":
			number, rest, ok := strings.Cut(value, ",")
			count, _, _ := strings.Cut(rest, ",")
			n, err := strconv.ParseInt(count, 10, 64)
			if !ok || !open || err != nil && !strings.Contains(count, ".") {
				return wrong("syntax", "has a DA line that names no line and count")
			}
			lines.note(place{file, number}, n > 0)
			told++
		case "LF":
			found = number(value)
		case "LH":
			hit = number(value)
		case "end_of_record":
			if told == 0 {
				out.Total = min(out.Total+found, maxCount)
				out.Covered = min(out.Covered+min(hit, found), maxCount)
			}
			open = false
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if open {
		return nil, errTruncated
	}
	c := lines.coverage()
	return &blueberry.CICoverage{Covered: c.Covered + out.Covered, Total: c.Total + out.Total}, nil
}

// readGoCover counts statements, each block of them once.
func readGoCover(data []byte) (*blueberry.CICoverage, error) {
	type block struct {
		statements int
		ran        bool
	}
	blocks := map[string]block{}
	first := true
	err := eachLine(data, func(text string) error {
		if strings.HasPrefix(text, "mode: ") { // profiles may stand behind one another
			switch strings.TrimSpace(text[len("mode: "):]) {
			case "set", "count", "atomic":
				first = false
				return nil
			}
		}
		if first {
			return wrong("syntax", "begins with no mode of a Go cover profile")
		}
		if text == "" {
			return nil
		}
		fields := strings.Fields(text)
		if len(fields) < 3 || !strings.Contains(fields[0], ":") {
			return wrong("syntax", "has a line that is none of a Go cover profile")
		}
		n := len(fields)
		statements, err := strconv.ParseUint(fields[n-2], 10, 31)
		count, err2 := strconv.ParseUint(fields[n-1], 10, 64)
		if err != nil || err2 != nil || statements > maxCount/1024 {
			return wrong("syntax", "has a line that is none of a Go cover profile")
		}
		key := strings.Join(fields[:n-2], " ")
		blocks[key] = block{int(statements), count > 0 || blocks[key].ran}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &blueberry.CICoverage{}
	for _, b := range blocks {
		out.Total += b.statements
		if b.ran {
			out.Covered += b.statements
		}
	}
	if out.Total > maxCount {
		return nil, errMany
	}
	return out, nil
}

// eachLine gives line after line, without its end.
func eachLine(data []byte, f func(text string) error) error {
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, maxLine)
	for n := 0; s.Scan(); n++ {
		if n > maxElements {
			return errMany
		}
		if err := f(strings.TrimRight(s.Text(), "\r")); err != nil {
			return err
		}
	}
	if s.Err() != nil {
		return wrong("range", "has a line that is too long")
	}
	return nil
}
