package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// token is one word of Cedar. The parser stops at the first fault and says of it only where; with words of our own every rule is read by itself, and what
// would blow the parser up is seen before.
type token struct {
	text         string
	offset       int // in bytes
	line, column int // from 1, in characters
}

func (t token) String() string { return fmt.Sprintf("line %d, column %d", t.line, t.column) }

func (t token) isString() bool { return strings.HasPrefix(t.text, `"`) }

func (t token) isIdent() bool { return t.text != "" && isLetter(t.text[0]) }

func isLetter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// tokenize splits a text into words. It takes every text: what is no word of Cedar is a word of one character.
func tokenize(text string) []token {
	var out []token
	line, start := 1, 0 // start of the line
	column, at := 1, 0  // the column of at, to count characters once
	for i := 0; i < len(text); {
		n, skip := wordLength(text[i:])
		if !skip {
			if at < start {
				column, at = 1, start
			}
			column += utf8.RuneCountInString(text[at:i])
			at = i
			out = append(out, token{text: text[i : i+n], offset: i, line: line, column: column})
		}
		if lines := strings.Count(text[i:i+n], "\n"); lines > 0 {
			line += lines
			start = i + strings.LastIndexByte(text[i:i+n], '\n') + 1
		}
		i += n
	}
	return out
}

// wordLength is the length of the word that a text begins with, and whether it is white space or a comment.
func wordLength(s string) (n int, skip bool) {
	two := s[:min(2, len(s))]
	switch c := s[0]; {
	case strings.IndexByte(" \t\r\n", c) >= 0:
		return 1, true
	case two == "//":
		if end := strings.IndexByte(s, '\n'); end >= 0 {
			return end, true
		}
		return len(s), true
	case two == "/*":
		if end := strings.Index(s[2:], "*/"); end >= 0 {
			return end + 4, true
		}
		return len(s), false // not ended: a word that the parser refuses
	case c == '"':
		return stringLength(s), false
	case isLetter(c):
		return lengthWhile(s, func(c byte) bool { return isLetter(c) || isDigit(c) }), false
	case isDigit(c):
		return lengthWhile(s, isDigit), false
	case two == "::" || two == "==" || two == "!=" || two == "<=" || two == ">=" || two == "&&" || two == "||":
		return 2, false
	}
	_, n = utf8.DecodeRuneInString(s)
	return n, false
}

func lengthWhile(s string, is func(byte) bool) int {
	n := 1
	for n < len(s) && is(s[n]) {
		n++
	}
	return n
}

// stringLength is the length of a string with its quotes. One that is not ended ends with its line.
func stringLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\n':
			return i
		}
	}
	return len(s)
}

// statements splits words after each semicolon: in Cedar it stands nowhere but at the end of a rule.
func statements(tokens []token) [][]token {
	var out [][]token
	from := 0
	for i, t := range tokens {
		if t.text == ";" {
			out = append(out, tokens[from:i+1])
			from = i + 1
		}
	}
	if from < len(tokens) {
		out = append(out, tokens[from:])
	}
	return out
}
