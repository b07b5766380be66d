package blueberry

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// ParameterType is the type of a parameter's value.
type ParameterType string

// The types.
const (
	ParameterString  ParameterType = "string"
	ParameterInteger ParameterType = "integer"
	ParameterNumber  ParameterType = "number"
	ParameterBoolean ParameterType = "boolean"
)

// Parameter is one value that a request may choose. It is written to each path of Sets.
type Parameter struct {
	Name     string
	Type     ParameterType // empty means string
	Help     string
	Default  any      `json:",omitempty"` // nil: none
	Enum     []any    `json:",omitempty"`
	Min, Max *float64 `json:",omitempty"` // of numbers
	Pattern  string   `json:",omitempty"` // of strings, RE2, of the whole text
	Required bool     `json:",omitempty"`
	Sets     []string // paths of values: "backend.replicas", "backend.image", "all.env.REGION"
}

func (b Blueprint) checkParameters(f *Faults) {
	if n := len(b.Parameters); n > MaxParameters {
		f.Add("parameters", "too_many", "has %d parameters, at most %d are allowed", n, MaxParameters)
		return
	}
	seen, setBy := map[string]int{}, map[string]int{}
	for i, p := range b.Parameters {
		at := fmt.Sprintf("parameters[%d]", i)
		switch first, ok := seen[p.Name]; {
		case !parameterName.MatchString(p.Name):
			f.Add(at+".name", "pattern", "%q must be a lower-case letter, then lower-case letters, digits, dashes and underscores, at most 40 in all", p.Name)
		case ok:
			f.Add(at+".name", "duplicate", "%q is the name of parameters[%d] too", p.Name, first)
		default:
			seen[p.Name] = i
		}
		if len(p.Sets) == 0 {
			f.Add(at+".sets", "required", "a parameter sets at least one path of the values")
		}
		for j, path := range p.Sets {
			field := fmt.Sprintf("%s.sets[%d]", at, j)
			b.checkValuePath(f, field, path)
			if first, ok := setBy[path]; ok {
				f.Add(field, "duplicate", "%q is set by parameters[%d] too", path, first)
			} else {
				setBy[path] = i
			}
		}
		p.check(f, at)
	}
}

var parameterName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// check notes what is wrong with the declaration of a parameter.
func (p Parameter) check(f *Faults, at string) {
	switch p.Type {
	case "", ParameterString, ParameterInteger, ParameterNumber, ParameterBoolean:
	default:
		f.Add(at+".type", "enum", "%q is not string, integer, number or boolean", p.Type)
		return
	}
	if p.Pattern != "" {
		if _, err := regexp.Compile(p.Pattern); err != nil || p.Type != "" && p.Type != ParameterString {
			f.Add(at+".pattern", "pattern", "%q is not a pattern for this parameter", p.Pattern)
			return
		}
	}
	if isNumber := p.Type == ParameterInteger || p.Type == ParameterNumber; !isNumber && (p.Min != nil || p.Max != nil) {
		f.Add(at, "exclusive", "has min or max, which belong to numbers")
	} else if p.Min != nil && p.Max != nil && *p.Min > *p.Max {
		f.Add(at+".min", "range", "is %v, more than max", *p.Min)
	}
	for i, v := range p.Enum {
		if why := p.mistype(v); why != "" {
			f.Add(fmt.Sprintf("%s.enum[%d]", at, i), "type", "%s", why)
		}
	}
	if p.Default != nil {
		if code, why := p.Refuses(p.Default); code != "" {
			f.Add(at+".default", code, "%s", why)
		}
	}
}

func (p Parameter) mistype(v any) string {
	n, isNumber := number(v)
	isNumber = isNumber && !math.IsNaN(n) && !math.IsInf(n, 0)
	_, isText := v.(string)
	_, isBool := v.(bool)
	switch {
	case p.Type == ParameterInteger && (!isNumber || n != math.Trunc(n)):
		return "must be a whole number"
	case p.Type == ParameterNumber && !isNumber:
		return "must be a number"
	case p.Type == ParameterBoolean && !isBool:
		return "must be true or false"
	case (p.Type == "" || p.Type == ParameterString) && !isText:
		return "must be text"
	}
	return ""
}

// number gives a value of any of Go's number types that values come as.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case interface{ Float64() (float64, error) }: // json.Number
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// Refuses tells why a value cannot be the parameter's: a stable code and a sentence; empty when it can.
func (p Parameter) Refuses(v any) (code, message string) {
	if why := p.mistype(v); why != "" {
		return "type", why
	}
	n, isNumber := number(v)
	if len(p.Enum) > 0 && !slices.ContainsFunc(p.Enum, func(e any) bool { return SameValue(e, v) }) {
		return "enum", fmt.Sprintf("must be one of %v", p.Enum)
	}
	if isNumber && (p.Min != nil && n < *p.Min || p.Max != nil && n > *p.Max) {
		return "range", "must be " + bounds(p.Min, p.Max)
	}
	if text, ok := v.(string); ok && p.Pattern != "" {
		if re, err := regexp.Compile(`^(?:` + p.Pattern + `)$`); err != nil || !re.MatchString(text) {
			return "pattern", "must match " + p.Pattern
		}
	}
	return "", ""
}

func bounds(low, high *float64) string {
	switch {
	case low == nil:
		return fmt.Sprintf("at most %v", *high)
	case high == nil:
		return fmt.Sprintf("at least %v", *low)
	}
	return fmt.Sprintf("%v to %v", *low, *high)
}

// CheckParameters notes what is wrong with the values that a request chose: unknown ones, missing ones, and those that do not fit.
func (b Blueprint) CheckParameters(f *Faults, field string, values map[string]any) {
	before := len(*f)
	declared := map[string]bool{}
	var names []string
	for _, p := range b.Parameters {
		declared[p.Name] = true
		names = append(names, p.Name)
		v, ok := values[p.Name]
		switch {
		case ok && v == nil, !ok && p.Default == nil:
			if p.Required {
				f.Add(JoinField(field, p.Name), "required", "must be set")
			}
		case ok:
			if code, why := p.Refuses(v); code != "" {
				f.Add(JoinField(field, p.Name), code, "%s", why)
			}
		}
	}
	for name := range values {
		if !declared[name] {
			known := "it has none"
			if len(names) > 0 {
				known = "it has " + strings.Join(names, ", ")
			}
			f.Add(JoinField(field, name), "unknown", "the blueprint has no such parameter; %s", known)
		}
	}
	slices.SortFunc((*f)[before:], func(a, b Fault) int { return strings.Compare(a.Field, b.Field) })
}
