package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// maxDepth ends examples of schemas that contain themselves.
const maxDepth = 6

// ordered is a JSON object whose fields keep an order.
type ordered struct {
	names  []string
	values map[string]any
}

// MarshalJSON writes the fields in their order.
func (o ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[name])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// example makes a value that the schema allows, from the examples of its parts. The name is that of a schema that is given itself rather than by reference.
func (m referenceMaker) example(s *schema, name string, depth int) any {
	if s == nil || depth > maxDepth {
		return nil
	}
	if s.Ref != "" {
		name = s.name()
		s = m.resolve(s)
	}
	if len(s.Examples) > 0 {
		return s.Examples[0]
	}
	switch {
	case s.is("object"):
		o := ordered{values: map[string]any{}}
		for _, property := range m.properties(name, s) {
			o.names = append(o.names, property)
			o.values[property] = m.example(s.Properties[property], "", depth+1)
		}
		return o
	case s.is("array"):
		return []any{m.example(s.Items, "", depth+1)}
	case s.is("string"):
		switch {
		case s.Format == "date-time":
			return "2026-11-02T09:30:00Z"
		case len(s.Enum) > 0:
			return s.Enum[0]
		}
		return ""
	case s.is("integer"), s.is("number"):
		return 1
	case s.is("boolean"):
		return true
	}
	return nil
}

// sample is the example of a parameter as text.
func sample(s *schema) string {
	if s == nil || len(s.Examples) == 0 {
		return ""
	}
	return fmt.Sprint(s.Examples[0])
}

func indented(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic(err) // examples are made of what JSON can hold
	}
	return strings.TrimSpace(b.String())
}

func compact(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // as above
	}
	return string(data)
}
