package httpapi

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const messageUnknownParameter = "unknown query parameter"

// faultOf makes our fault of huma's: its field path starts at the request, not at the part of it.
func faultOf(d *huma.ErrorDetail) blueberry.Fault {
	part, field, _ := strings.Cut(d.Location, ".")
	if part != "body" && part != "query" && part != "path" && part != "header" {
		field = d.Location
	}
	code, message := classify(d.Message)
	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		field = blueberry.JoinField(field, strings.TrimSuffix(name, " to be present"))
	}
	return blueberry.Fault{Field: field, Code: code, Message: message}
}

// classify gives the stable code of one of huma's messages, and the sentence we say instead.
func classify(m string) (code, message string) {
	switch {
	case m == "unexpected property":
		return "unknown_field", "is not a field that exists here"
	case strings.HasPrefix(m, "expected int, not number"):
		return "range", "is too large a number"
	case m == messageTwice:
		return "duplicate", m
	case m == messageNotFollowed:
		return "exclusive", m
	case m == messageNotAfter:
		return "range", m
	case m == messageUnknownParameter:
		return "unknown_parameter", "is not a parameter that exists here"
	case strings.HasPrefix(m, "expected required property "), strings.HasSuffix(m, " parameter is missing"):
		return "required", "must be set"
	}
	for _, x := range []struct{ prefix, code, message string }{
		{"expected boolean", "type", "must be true or false"},
		{"expected integer", "type", "must be a whole number"},
		{"expected number >", "range", ""},
		{"expected number <", "range", ""},
		{"expected number", "type", "must be a number"},
		{"expected string to match pattern ", "pattern", ""},
		{"expected string to be base64", "type", "must be base64"},
		{"expected string to be RFC", "type", ""},
		{"expected string", "type", "must be a string"},
		{"expected array length >=", "too_few", ""},
		{"expected array length <=", "too_many", ""},
		{"expected array", "type", "must be a list"},
		{"expected object", "type", "must be an object"},
		{"expected length >=", "too_short", ""},
		{"expected length <=", "too_long", ""},
		{"expected value to be one of", "enum", ""},
		{"invalid integer", "type", "must be a whole number"},
		{"invalid boolean", "type", "must be true or false"},
	} {
		if strings.HasPrefix(m, x.prefix) {
			if x.message != "" {
				return x.code, x.message
			}
			return x.code, "must be " + strings.NewReplacer(
				"expected number >= ", "at least ", "expected number <= ", "at most ", "expected array length >= ", "a list of at least ",
				"expected array length <= ", "a list of at most ", "expected length >= ", "at least this many characters: ",
				"expected length <= ", "at most this many characters: ", "expected value to be one of ", "one of ",
				"expected string to match pattern ", "text that matches ", "expected string to be ", "",
			).Replace(m)
		}
	}
	return "invalid", m
}
