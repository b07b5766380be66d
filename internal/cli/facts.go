package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// facts are what is known of one thing, a line each.
type facts [][2]string

// add adds a line.
func (f *facts) add(name, value string) { *f = append(*f, [2]string{name, dash(value)}) }

// some adds a line if there is something to say.
func (f *facts) some(name, value string) {
	if value != "" && value != "-" {
		f.add(name, value)
	}
}

// flag adds a line for what is the case.
func (f *facts) flag(name string, is bool) {
	if is {
		f.add(name, "yes")
	}
}

func (f facts) print(w io.Writer) {
	width := 0
	for _, line := range f {
		width = max(width, utf8.RuneCountInString(line[0]))
	}
	for _, line := range f {
		fmt.Fprintf(w, "%-*s  %s\n", width, line[0], line[1])
	}
}

// when writes a time: as people say it, and exactly in what is wide.
func (s *shared) when(t time.Time, wide bool) string {
	if wide {
		return exact(t)
	}
	return relative(s.streams.Now(), t)
}

// list writes words behind one another; none is the word for an empty list.
func list(words []string, none string) string {
	if len(words) == 0 {
		return none
	}
	return plainText(strings.Join(words, ", "))
}

// said is a result that is one sentence.
func said(value any, name, sentence string) result {
	return result{value: value, names: []string{name}, text: func(w io.Writer, _ bool) { fmt.Fprintln(w, plainText(sentence)) }}
}

// table prints a table below facts.
func (s *shared) below(w io.Writer, t table) {
	if len(t.rows) == 0 {
		return
	}
	fmt.Fprintln(w)
	_ = t.print(w, s.streams.colours(s.streams.OutTerminal)) // the output may be closed: nobody is there to be told
}

// revealed is a secret that is told once. For people the output has the secret alone, so that it can be kept in a variable; all else is said on the way.
func (s *shared) revealed(value any, secret, about string) error {
	s.note("%s", about)
	return s.print(result{value: value, names: []string{secret}, text: func(w io.Writer, _ bool) { fmt.Fprintln(w, plainText(secret)) }})
}
