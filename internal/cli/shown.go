package cli

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// shown is a value as people read it: on one line, and on as many as it needs.
type shown struct {
	line  string
	short bool // the one line says all of it well
	block []string
}

// show gives a JSON value as people read it. Text stands plainly unless it could be taken for something else.
func show(v any) *shown {
	switch v := v.(type) {
	case string:
		return showText(v)
	case map[string]any, []any:
		line := compact(v)
		var b strings.Builder
		if printYAML(&b, v) != nil {
			return &shown{line: line, short: true, block: []string{line}}
		}
		return &shown{line: line, short: true, block: lines(b.String())}
	}
	line := scalar(v)
	return &shown{line: line, short: true, block: []string{line}}
}

// word shows something that is no value: "deleted".
func word(s string) *shown { return &shown{line: s, short: true, block: []string{s}} }

func showText(s string) *shown {
	if strings.Contains(strings.TrimSuffix(s, "\n"), "\n") {
		return &shown{line: plainText(s), block: lines(s)}
	}
	line := s
	same, isText := typed(s).(string)
	if s == "" || !isText || same != s || strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) {
		line = compact(s)
	}
	line = plainText(line)
	return &shown{line: line, short: true, block: []string{line}}
}

// scalar is what is no text: a number, a truth, null.
func scalar(v any) string {
	if f, ok := v.(float64); ok && math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64) // never 1e+06
	}
	return compact(v)
}

// compact is a value as JSON on one line.
func compact(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "?"
	}
	return plainText(strings.TrimSuffix(b.String(), "\n"))
}

// lines gives the lines of a text, each safe to print.
func lines(s string) []string {
	out := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for i, l := range out {
		out[i] = plainText(l)
	}
	return out
}
