package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// maxDepth ends examples of schemas that contain themselves.
const maxDepth = 6

// ordered is a JSON object whose fields keep the order of the Go type.
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

func refName(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
}

func (h reference) resolve(s *huma.Schema) *huma.Schema {
	for s.Ref != "" {
		s = h.doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// order is the order in which a schema's properties are shown: that of the Go type.
func (h reference) order(name string, s *huma.Schema) []string {
	t := h.doc.Components.Schemas.TypeFromRef("#/components/schemas/" + name)
	if t == nil || t.Kind() != reflect.Struct {
		return slices.Sorted(maps.Keys(s.Properties))
	}
	return properties(t, s)
}

// properties lists the properties of a schema as the fields of its type stand; an embedded type's where it is embedded.
func properties(t reflect.Type, s *huma.Schema) []string {
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Tag.Get("json") == "" && f.Type.Kind() == reflect.Struct {
			out = append(out, properties(f.Type, s)...)
			continue
		}
		property, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if _, ok := s.Properties[property]; ok {
			out = append(out, property)
		}
	}
	return out
}

// example makes a value that the schema allows, from the examples of its parts.
func (h reference) example(s *huma.Schema, depth int) any {
	if s == nil || depth > maxDepth {
		return nil
	}
	name := refName(s)
	s = h.resolve(s)
	if len(s.Examples) > 0 {
		return s.Examples[0]
	}
	switch s.Type {
	case huma.TypeObject:
		if len(s.Properties) == 0 {
			return ordered{}
		}
		o := ordered{values: map[string]any{}}
		for _, property := range h.order(name, s) {
			o.names = append(o.names, property)
			o.values[property] = h.example(s.Properties[property], depth+1)
		}
		return o
	case huma.TypeArray:
		return []any{h.example(s.Items, depth+1)}
	case huma.TypeString:
		switch {
		case s.Format == "date-time":
			return "2026-11-02T09:30:00Z"
		case len(s.Enum) > 0:
			return s.Enum[0]
		}
		return ""
	case huma.TypeInteger, huma.TypeNumber:
		return 1
	case huma.TypeBoolean:
		return true
	}
	return nil
}

// sample is the example of a parameter as text.
func sample(s *huma.Schema) string {
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
