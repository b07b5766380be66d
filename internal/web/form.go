package web

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// formField is one line of a form.
type formField struct {
	ID           string // tells fields of one name on one page apart; empty for none
	Name, Label  string
	Type         string // empty for text
	Value        string
	Autocomplete string
	Hint, Fault  string
	Max          int // characters; 0 for no bound
	Optional     bool
	Focus        bool
}

func (f formField) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// at is the id of the input.
func (f formField) at() string { return strings.Trim(f.ID+"-"+f.Name, "-") }

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

func recoveryText(left int) string {
	switch left {
	case 0:
		return "No recovery code is left."
	case 1:
		return "One recovery code is left."
	}
	return fmt.Sprintf("%d recovery codes are left.", left)
}
