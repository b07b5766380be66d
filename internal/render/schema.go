package render

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	xtext "golang.org/x/text/message"
	chart "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
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

// checkChartSchema holds the values against values.schema.json of the chart and of every chart in it. Every path that is wrong is told, below a path.
func checkChartSchema(c *chart.Chart, values map[string]any, path string) []problem {
	var found []problem
	if c.Schema != nil {
		s, err := compileSchema(c.Schema)
		if err != nil {
			found = append(found, problem{field: "chart", code: "schema", message: fmt.Sprintf("values.schema.json of %s: %s", c.Name(), err)})
		} else {
			found = append(found, schemaProblems(bound(s).Schema, values, path)...)
		}
	}
	for _, d := range c.Dependencies() {
		below, ok := values[d.Name()]
		if !ok || below == nil {
			continue
		}
		m, ok := asMap(below)
		if !ok {
			found = append(found, problem{value: join(path, d.Name()), code: "type", message: "must be a mapping: these are the values of a chart"})
			continue
		}
		found = append(found, checkChartSchema(d, m, join(path, d.Name()))...)
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

// compileSchema reads a JSON schema. What is wrong with it is told in one sentence that follows its name.
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
	const name = "blueberry:///schema"
	if err := c.AddResource(name, doc); err != nil {
		return nil, schemaError(err, name)
	}
	if s, err = c.Compile(name); err != nil {
		return nil, schemaError(err, name)
	}
	return s, nil
}

func schemaError(err error, name string) error {
	var invalid *jsonschema.ValidationError
	var wrong *jsonschema.SchemaValidationError
	if errors.As(err, &wrong) && errors.As(wrong.Err, &invalid) {
		for len(invalid.Causes) > 0 {
			invalid = invalid.Causes[0]
		}
		why := invalid.ErrorKind.LocalizedString(xtext.NewPrinter(language.English))
		return fmt.Errorf("is no JSON schema: at /%s: %s", strings.Join(invalid.InstanceLocation, "/"), why)
	}
	return errors.New(strings.ReplaceAll(firstLine(err), name, "the schema"))
}

// schemaProblems validates and gives one problem for each innermost cause, by the path of the value below a path.
func schemaProblems(s *jsonschema.Schema, values map[string]any, path string) (found []problem) {
	defer func() {
		if r := recover(); r != nil {
			found = []problem{{value: path, code: "schema", message: fmt.Sprintf("the schema cannot be applied: %v", r)}}
		}
	}()
	err := s.Validate(values)
	var invalid *jsonschema.ValidationError
	if err == nil || !errors.As(err, &invalid) {
		return nil
	}
	p := xtext.NewPrinter(language.English)
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		x := problem{value: instancePath(path, values, e.InstanceLocation), code: "schema"}
		switch k := e.ErrorKind.(type) {
		case *kind.AdditionalProperties:
			for _, name := range k.Properties {
				found = append(found, problem{value: join(x.value, name), code: "unknown", message: "there is no such value"})
			}
			return
		case *kind.PropertyNames:
			// The library's location of this kind of fault is not to be relied upon, so the name stands in the message.
			found = append(found, problem{value: path, code: "pattern", message: fmt.Sprintf("the name %q is not allowed where it stands", k.Property)})
			return
		case *kind.Pattern:
			x.message = "does not match the pattern " + k.Want // not what was got: it may be a secret
		case *kind.Required:
			x.missing = k.Missing
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) == 0 {
			if x.message == "" {
				x.message = e.ErrorKind.LocalizedString(p)
			}
			found = append(found, x)
		}
	}
	walk(invalid)
	order := func(a, b problem) int { return strings.Compare(a.value+" "+a.message, b.value+" "+b.message) }
	slices.SortStableFunc(found, order)
	return slices.CompactFunc(found, func(a, b problem) bool { return order(a, b) == 0 })
}

// maxChecks bounds how often the parts of one schema may be held against values: parts that refer to one another twice each take 2^n checks. The largest
// charts of the wild take some 50,000.
const maxChecks = 200_000

// boundedSchema is a schema of a stranger. It stops when it was held against more than it may, so it is used once.
type boundedSchema struct{ *jsonschema.Schema }

// bound makes every part of a schema count.
func bound(s *jsonschema.Schema) *boundedSchema {
	left := maxChecks
	seen := map[*jsonschema.Schema]bool{}
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Interface:
			visit(v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				visit(v.Index(i))
			}
		case reflect.Map:
			for i := v.MapRange(); i.Next(); {
				visit(i.Value())
			}
		case reflect.Pointer:
			if !v.CanInterface() {
				return
			}
			switch s := v.Interface().(type) {
			case *jsonschema.DynamicRef:
				if s != nil {
					visit(reflect.ValueOf(s.Ref))
				}
			case *jsonschema.Schema:
				if s == nil || seen[s] {
					return
				}
				seen[s] = true
				countSchema(s, &left)
				for i := range v.Elem().NumField() {
					visit(v.Elem().Field(i))
				}
			}
		default:
		}
	}
	visit(reflect.ValueOf(s))
	return &boundedSchema{s}
}

// countSchema makes a part of a schema count. The library asks for the format before it looks at anything below.
func countSchema(s *jsonschema.Schema, left *int) {
	format := s.Format
	s.Format = &jsonschema.Format{Name: "bounded", Validate: func(v any) error {
		if *left--; *left < 0 {
			panic(fmt.Sprintf("it takes more than %d checks", maxChecks))
		}
		if format == nil {
			return nil
		}
		return format.Validate(v)
	}}
	if format != nil && format.Name != "regex" { // which the library would look at by itself
		s.Format.Name = format.Name
	}
}

// schema holds the effective values of all components against the schema of the blueprint.
func (m *merger) schema() {
	s, err := blueprintSchema(m.in.Blueprint)
	if s == nil || err != nil {
		return // what is wrong with the schema itself is told of the blueprint
	}
	tree := map[string]any{}
	for _, x := range m.stacks {
		if x.effective == nil {
			return // its layers contradict one another
		}
		tree[x.name()] = x.effective
	}
	for _, p := range schemaProblems(s.Schema, tree, "") {
		keys, _ := blueberry.SplitPath(p.value)
		if len(keys) > 0 {
			if x := m.find(keys[0]); x != nil {
				m.tell(x, p)
				continue
			}
		}
		m.faults.Add(blueberry.JoinField("config", p.value), p.code, "%s", p.message)
	}
}

// instancePath turns a JSON pointer into a path: list indexes in brackets.
func instancePath(path string, v any, location []string) string {
	for _, key := range location {
		switch x := v.(type) {
		case []any:
			path += "[" + key + "]"
			v = nil
			if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(x) {
				v = x[i]
			}
		case map[string]any:
			path, v = join(path, key), x[key]
		default:
			path, v = join(path, key), nil
		}
	}
	return path
}
