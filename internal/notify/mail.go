package notify

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of a message.
const (
	MaxRecipients = 1000
	MaxSubject    = 200     // characters
	MaxText       = 1 << 20 // bytes
)

// Mail is one message of plain text. Each recipient gets their own copy and sees no other.
type Mail struct {
	To      []string // plain addresses
	Subject string   // one line
	Text    string
}

// Check is an Invalid error with what is wrong with a message: above all, line ends where a header or a command would begin after one.
func (m Mail) Check() error {
	var f blueberry.Faults
	switch {
	case len(m.To) == 0:
		f.Add("to", "required", "is needed")
	case len(m.To) > MaxRecipients:
		f.Add("to", "too_many", "has %d addresses, at most %d are allowed", len(m.To), MaxRecipients)
	}
	for _, to := range m.To {
		if !PlainAddress(to) {
			f.Add("to", "email", "holds something that is not an e-mail address")
			break
		}
	}
	switch {
	case strings.TrimSpace(m.Subject) == "":
		f.Add("subject", "required", "is needed")
	case utf8.RuneCountInString(m.Subject) > MaxSubject:
		f.Add("subject", "too_long", "has more than %d characters", MaxSubject)
	case !utf8.ValidString(m.Subject) || strings.ContainsFunc(m.Subject, unicode.IsControl):
		f.Add("subject", "text", "must be one line of text")
	}
	if len(m.Text) > MaxText {
		f.Add("text", "too_long", "has more than %d bytes", MaxText)
	}
	return f.Err()
}

// PlainAddress reports whether a text is an address and nothing more: no name, no second one, no line end.
func PlainAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Name == "" && a.Address == text && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune("<>\",;", r)
	})
}
