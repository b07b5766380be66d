package web

import (
	"errors"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// formField is one line of a form.
type formField struct {
	Name, Label  string
	Type         string // empty for text
	Value        string
	Autocomplete string
	Hint, Fault  string
	Max          int // characters; 0 for no bound
	Optional     bool
	Code         bool // is shown in letters of one width
	Focus        bool
}

func (f formField) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// at is the id of the input.
func (f formField) at() string { return "field-" + f.Name }

func (f formField) max() string { return strconv.Itoa(f.Max) }

// faultOf is what is wrong with one field, and told what is wrong with all that the form does not have.
func faultOf(err error, field string) string {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return ""
	}
	for _, f := range e.Fields {
		if f.Field == field {
			return sentence(f.Message)
		}
	}
	return ""
}

// told is an error as a sentence for people; unknown errors are withheld, and faults stand at their fields.
func told(err error) string {
	if err == nil {
		return ""
	}
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return "Something went wrong on our side. Try again in a moment."
	}
	if e.Kind == blueberry.Invalid && len(e.Fields) > 0 {
		return ""
	}
	return sentence(e.Detail)
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// scheme is what a browser may draw by itself.
func scheme(theme string) string {
	if theme == "" {
		return "light dark"
	}
	return theme
}
