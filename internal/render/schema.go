package render

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	xtext "golang.org/x/text/message"
	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// localSchemas is all that a chart's schema may refer to: itself. Helm would fetch what is named by URL, and read files of the machine.
type localSchemas struct{}

// Load refuses what would come over the network or from the machine. As in Helm, a urn that nobody knows allows everything.
func (localSchemas) Load(url string) (any, error) {
	if strings.HasPrefix(url, "urn:") {
		return true, nil
	}
	return nil, fmt.Errorf("the schema refers to %s; only references inside the schema are followed", url)
}

// checkChartSchema holds the values against values.schema.json of the chart and of every chart in it. Every path that is wrong is told.
func checkChartSchema(c *chart.Chart, values map[string]any, field string) []problem {
	var found []problem
	if c.Schema != nil {
		s, err := compileSchema(c.Schema)
		if err != nil {
			found = append(found, problem{field: "chart", code: "schema", message: fmt.Sprintf("values.schema.json of %s: %s", c.Name(), err)})
		} else {
			found = append(found, schemaProblems(s, values, field)...)
		}
	}
	for _, d := range c.Dependencies() {
		below, ok := values[d.Name()]
		if !ok || below == nil {
			continue
		}
		m, ok := asMap(below)
		if !ok {
			found = append(found, problem{field: join(field, d.Name()), code: "type", message: "must be a mapping: these are the values of a chart"})
			continue
		}
		found = append(found, checkChartSchema(d, m, join(field, d.Name()))...)
	}
	return found
}

func asMap(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case interface{ AsMap() map[string]any }:
		return v.AsMap(), true
	}
	return nil, false
}

func compileSchema(content []byte) (s *jsonschema.Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be read: %v", r)
		}
	}()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(localSchemas{})
	const name = "blueberry:///values.schema.json"
	if err := c.AddResource(name, doc); err != nil {
		return nil, cutPrefix(err, name)
	}
	if s, err = c.Compile(name); err != nil {
		return nil, cutPrefix(err, name)
	}
	return s, nil
}

func cutPrefix(err error, name string) error {
	return errors.New(strings.ReplaceAll(firstLine(err), name, "values.schema.json"))
}

// schemaProblems validates and gives one problem for each innermost cause.
func schemaProblems(s *jsonschema.Schema, values map[string]any, field string) (found []problem) {
	defer func() {
		if r := recover(); r != nil {
			found = []problem{{field: field, code: "schema", message: fmt.Sprintf("the schema cannot be applied: %v", r)}}
		}
	}()
	err := s.Validate(values)
	var invalid *jsonschema.ValidationError
	if err == nil || !errors.As(err, &invalid) {
		return nil
	}
	p := xtext.NewPrinter(language.English)
	add := func(at, code, message string) {
		found = append(found, problem{field: at, code: code, message: message})
	}
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		at := instancePath(field, values, e.InstanceLocation)
		switch k := e.ErrorKind.(type) {
		case *kind.AdditionalProperties:
			for _, name := range k.Properties {
				add(join(at, name), "unknown", "there is no such value")
			}
			return
		case *kind.PropertyNames:
			// The library's location of this kind of fault is not to be relied upon, so the name stands in the message.
			add(field, "pattern", fmt.Sprintf("the name %q is not allowed where it stands", k.Property))
			return
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) == 0 {
			add(at, "schema", e.ErrorKind.LocalizedString(p))
		}
	}
	walk(invalid)
	slices.SortStableFunc(found, func(a, b problem) int { return strings.Compare(a.field+" "+a.message, b.field+" "+b.message) })
	return slices.Compact(found)
}

// instancePath turns a JSON pointer into a field path: list indexes in brackets.
func instancePath(field string, v any, location []string) string {
	for _, key := range location {
		switch x := v.(type) {
		case []any:
			field += "[" + key + "]"
			v = nil
			if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(x) {
				v = x[i]
			}
		case map[string]any:
			field, v = join(field, key), x[key]
		default:
			field, v = join(field, key), nil
		}
	}
	return field
}
