package blueberry

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxEvidence is the most characters that the text of one Evidence has.
const MaxEvidence = 2000

// NewEvidence is what a cause was found by, without the secrets in it whose form or name is known, and cut to its last MaxEvidence characters: of lines that
// a program wrote the last say why it ended.
func NewEvidence(source, text string, at time.Time) Evidence {
	text = RedactLines(strings.ToValidUTF8(text, "\uFFFD"))
	if n := utf8.RuneCountInString(text); n > MaxEvidence {
		runes := []rune(text)
		text = "…" + string(runes[n-MaxEvidence+1:])
	}
	if !at.IsZero() {
		at = at.UTC()
	}
	return Evidence{Source: source, Text: text, At: at}
}

// assignment is a name with a value behind it, as programs print them: PASSWORD=…, "token": "…", api_key: …
var assignment = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.-]*)("?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,'"})\]]+)`)

// RedactLines is Redact for what programs write: it also hides values whose name says that they are secret.
func RedactLines(text string) string {
	if strings.Contains(text, "-----BEGIN ") {
		return Redact(text) // it may go on across lines
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(redactLine(line))
	}
	return b.String()
}

func redactLine(line string) string {
	line = assignment.ReplaceAllStringFunc(line, func(match string) string {
		m := assignment.FindStringSubmatch(match)
		if SecretShape(m[1], strings.Trim(m[3], `"'`)) == "" {
			return match
		}
		return m[1] + m[2] + hidden
	})
	return Redact(line)
}
