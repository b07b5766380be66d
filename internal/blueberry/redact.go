package blueberry

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// hidden stands where a secret stood.
const hidden = "(hidden)"

// TokenShape says whose secret stands anywhere in a text, by its known form: "a GitHub token". It is empty when none does. It never repeats the text.
func TokenShape(text string) string { return tokenShapeIn(text) }

// Redact gives a text for people without the secrets in it whose form is known. It is the last line: whoever writes a message leaves values out of it that
// may be secrets.
func Redact(text string) string {
	if tokenShapeIn(text) == "" {
		return text
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		end := strings.IndexFunc(rest, isBreak)
		switch {
		case end < 0:
			end = len(rest)
		case end == 0:
			_, end = utf8.DecodeRuneInString(rest)
		}
		word := rest[:end]
		if tokenShapeIn(word) != "" {
			word = hidden
		}
		b.WriteString(word)
		rest = rest[end:]
	}
	if tokenShapeIn(b.String()) != "" { // it goes on across words, as a key in lines does
		return hidden
	}
	return b.String()
}

func isBreak(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\"'`,;()[]{}<>|", r) }

// CheckText notes what is wrong with a text that people write for people, as a reason: too long, control characters or those that turn the direction of a
// line around, or a secret in it.
func (f *Faults) CheckText(field, text string, limit int) {
	switch n := utf8.RuneCountInString(text); {
	case n > limit:
		f.Add(field, "too_long", "has %d characters, at most %d are allowed", n, limit)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
	}):
		f.Add(field, "text", "must be text without control characters")
	case TokenShape(text) != "":
		f.Add(field, "secret_literal", "holds what looks like %s", TokenShape(text))
	}
}
