package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Message is what people read of an event: plain text, which each driver keeps from being anything else.
type Message struct {
	Title string // one line: "default/pr-7: environment ready"
	Text  string // one paragraph
	Link  string // URL; empty for none
}

// Bounds of a Message, in characters.
const (
	maxTitle = 150
	maxText  = 2000
)

// messageOf is what people are told of an event. publicURL has no slash at its end.
func messageOf(e blueberry.Event, publicURL string) Message {
	what := strings.NewReplacer(".", " ", "_", " ").Replace(string(e.Type))
	m := Message{Title: what, Text: cut(oneLine(e.Message), maxText)}
	if at := subjectOf(e); at != "" {
		m.Title = at + ": " + what
	}
	m.Title = cut(oneLine(m.Title), maxTitle)
	if m.Text == "" {
		m.Text = m.Title
	}
	if e.EnvironmentID != "" {
		m.Link = publicURL + "/environments/" + e.EnvironmentID
	}
	return m
}

// subjectOf is what an event is about: "default/pr-7", or its project; empty for neither.
func subjectOf(e blueberry.Event) string {
	if e.Environment != "" {
		return e.Project + "/" + e.Environment
	}
	return e.Project
}

// oneLine is a text without line ends, control characters, and what turns the direction of a line around.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// cut is no more than n characters of a text.
func cut(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}
