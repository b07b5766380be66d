package docs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// openAPI is what the reference needs of an OpenAPI document.
type openAPI struct {
	Info struct {
		Title, Version, Description string
	}
	Tags []struct {
		Name, Description string
	}
	Paths      map[string]map[string]operation
	Components struct {
		Schemas map[string]*schema
	}
}

type operation struct {
	OperationID string
	Summary     string
	Description string
	Tags        []string
	Security    *[]any // empty for one that needs no credential
	Parameters  []parameter
	RequestBody *struct {
		Content map[string]media
	}
	Responses map[string]response
}

type parameter struct {
	Name, In, Description string
	Required              bool
	Schema                *schema
}

type response struct {
	Description string
	Headers     map[string]struct{ Schema *schema }
	Content     map[string]media
}

type media struct {
	Schema  *schema
	Example json.RawMessage
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 words
	Format, Description  string
	ContentEncoding      string
	Properties           map[string]*schema
	Required             []string
	Items                *schema
	AdditionalProperties json.RawMessage // true, false, or a schema
	Enum, Examples       []any
	Default              any
	Pattern              string
	Minimum, Maximum     *float64
	MinLength, MaxLength *int
	MaxItems             *int
}

// words is one word or a list of them.
type words []string

// UnmarshalJSON reads either.
func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

func (s *schema) name() string {
	if s == nil {
		return ""
	}
	return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
}

// is reports whether a schema is of a type, perhaps beside null.
func (s *schema) is(t string) bool { return slices.Contains(s.Type, t) }

// of is the schema of a map's values; nil for none.
func (s *schema) of() *schema {
	var out schema
	if len(s.AdditionalProperties) == 0 || s.AdditionalProperties[0] != '{' || json.Unmarshal(s.AdditionalProperties, &out) != nil {
		return nil
	}
	return &out
}

func (s *schema) typeName() string {
	switch {
	case s == nil:
		return "anything"
	case s.Ref != "":
		return s.name()
	case s.is("array"):
		return "list of " + s.Items.typeName()
	case s.is("object"):
		if of := s.of(); of != nil {
			return "map of " + of.typeName()
		}
		return "object"
	case s.Format == "date-time":
		return "time"
	case s.ContentEncoding == "base64":
		return "base64"
	case len(s.Type) == 0:
		return "anything"
	}
	return s.Type[0]
}

// limits are what a value must keep to.
func (s *schema) limits() (out []string) {
	limit := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	if s.Minimum != nil {
		limit("at least %s", number(*s.Minimum))
	}
	if s.Maximum != nil {
		limit("at most %s", number(*s.Maximum))
	}
	if s.MaxLength != nil {
		limit("at most %d characters", *s.MaxLength)
	}
	if s.MaxItems != nil {
		limit("at most %d", *s.MaxItems)
	}
	enum := s.Enum
	if len(enum) == 0 && s.Items != nil {
		enum = s.Items.Enum
	}
	if len(enum) > 0 {
		values := make([]string, len(enum))
		for i, e := range enum {
			values[i] = fmt.Sprint(e)
		}
		limit("one of %s", strings.Join(values, ", "))
	}
	if s.Default != nil {
		limit("else %v", s.Default)
	}
	return out
}

// methods is the order in which the operations of a path stand.
func methods() []string {
	return []string{http.MethodPost, http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete}
}
