package docs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Problem is a kind of what the API refuses.
type Problem struct {
	Anchor, Kind, Code, Description string
	Status                          int
}

// reference is the API, as its pages show it.
type reference struct {
	Title, Version, Description string
	Groups                      []*operations
	Schemas                     []*schemaView // by name
	schemas                     map[string]*schemaView
}

// operations are those of one tag.
type operations struct {
	Name, Address, Description string
	Operations                 []operationView
}

type operationView struct {
	ID, Method, Path, Summary, Description string
	Open                                   bool // needs no credential
	Parameters                             []fieldView
	Body                                   *schemaView
	Curl                                   string
	Answers                                []answerView
}

type answerView struct {
	Status, Description, Schema, Example string
	Headers                              []fieldView
}

// fieldView is one parameter, header or property.
type fieldView struct {
	Name, In, Type, Schema, Description string
	Required                            bool
	Limits                              []string
}

type schemaView struct {
	Name, Description, Example string
	Fields                     []fieldView
	Users                      []user // operations that take or give it
}

// user is an operation as others name it.
type user struct{ Summary, Address string }

// referenceMaker makes the views of one document.
type referenceMaker struct {
	doc     openAPI
	address string
	order   func(schema string) []string
}

func openReference(document []byte, address string, order func(schema string) []string) (*reference, error) {
	m := referenceMaker{address: address, order: order}
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber() // examples are shown as they are written
	if err := dec.Decode(&m.doc); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	r := &reference{Title: m.doc.Info.Title, Version: m.doc.Info.Version, Description: m.doc.Info.Description, schemas: map[string]*schemaView{}}
	for _, name := range slices.Sorted(maps.Keys(m.doc.Components.Schemas)) {
		s := m.doc.Components.Schemas[name]
		v := m.schema(name, s)
		v.Example = indented(m.example(s, name, 0))
		r.Schemas, r.schemas[name] = append(r.Schemas, &v), &v
	}
	for _, tag := range m.doc.Tags {
		g := &operations{Name: tag.Name, Address: base + "/api/" + slug(tag.Name), Description: tag.Description, Operations: m.operations(tag.Name)}
		r.Groups = append(r.Groups, g)
		for _, o := range g.Operations {
			r.note(g, o)
		}
	}
	return r, nil
}

// note tells the schemas of an operation who uses them.
func (r *reference) note(g *operations, o operationView) {
	u := user{o.Summary, g.Address + "#" + o.ID}
	names := []string{}
	if o.Body != nil {
		names = append(names, o.Body.Name)
	}
	for _, a := range o.Answers {
		if a.Status != "default" {
			names = append(names, a.Schema)
		}
	}
	for _, name := range names {
		if s := r.schemas[name]; s != nil && !slices.Contains(s.Users, u) {
			s.Users = append(s.Users, u)
		}
	}
}

func (m referenceMaker) operations(tag string) (out []operationView) {
	for _, path := range slices.Sorted(maps.Keys(m.doc.Paths)) {
		for _, method := range methods() {
			if o, ok := m.doc.Paths[path][strings.ToLower(method)]; ok && slices.Contains(o.Tags, tag) {
				out = append(out, m.operation(path, method, o))
			}
		}
	}
	return out
}

func (m referenceMaker) operation(path, method string, o operation) operationView {
	v := operationView{ID: o.OperationID, Method: method, Path: path, Summary: o.Summary, Description: o.Description, Open: o.Security != nil && len(*o.Security) == 0}
	for _, p := range o.Parameters {
		f := m.field(p.Name, p.Schema, p.Required)
		f.In, f.Description = p.In, cmp.Or(p.Description, f.Description)
		v.Parameters = append(v.Parameters, f)
	}
	if o.RequestBody != nil {
		s := o.RequestBody.Content["application/json"].Schema
		if s != nil {
			body := m.schema(s.name(), m.resolve(s))
			v.Body = &body
		}
	}
	v.Curl = m.curl(path, method, o)
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		res := o.Responses[status]
		a := answerView{Status: status, Description: res.Description}
		for kind, content := range res.Content {
			a.Schema = content.Schema.name()
			switch kind {
			case "application/json":
				a.Example = indented(m.example(content.Schema, "", 0))
			case "text/event-stream":
				a.Example = "id: 1042\nevent: environment.ready\ndata: " + compact(m.example(content.Schema, "", 0))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(res.Headers)) {
			a.Headers = append(a.Headers, fieldView{Name: name, Description: res.Headers[name].Schema.Description})
		}
		v.Answers = append(v.Answers, a)
	}
	return v
}

func (m referenceMaker) resolve(s *schema) *schema {
	for range maxDepth {
		if s == nil || s.Ref == "" {
			break
		}
		s = m.doc.Components.Schemas[s.name()]
	}
	if s == nil {
		return &schema{}
	}
	return s
}

func (m referenceMaker) schema(name string, s *schema) schemaView {
	v := schemaView{Name: name, Description: s.Description}
	for _, property := range m.properties(name, s) {
		v.Fields = append(v.Fields, m.field(property, s.Properties[property], slices.Contains(s.Required, property)))
	}
	return v
}

// properties are those of a schema, as the type that it was made of has them; what that does not say stands behind, by name.
func (m referenceMaker) properties(name string, s *schema) (out []string) {
	if m.order != nil && name != "" {
		for _, property := range m.order(name) {
			if s.Properties[property] != nil {
				out = append(out, property)
			}
		}
	}
	for _, property := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(out, property) {
			out = append(out, property)
		}
	}
	return out
}

func (m referenceMaker) field(name string, s *schema, required bool) fieldView {
	if s == nil {
		s = &schema{}
	}
	f := fieldView{Name: name, Required: required, Description: s.Description, Schema: s.name(), Type: s.typeName(), Limits: s.limits()}
	switch {
	case s.is("array"):
		f.Schema = s.Items.name()
	case s.is("object"):
		f.Schema = s.of().name()
	}
	return f
}

// curl is the line that calls the operation.
func (m referenceMaker) curl(path, method string, o operation) string {
	var query []string
	for _, p := range o.Parameters {
		value := sample(p.Schema)
		switch p.In {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", value)
		case "query":
			if slices.Contains([]string{"project", "after"}, p.Name) && value != "" {
				query = append(query, p.Name+"="+value)
			}
		}
	}
	address := m.address + path
	if len(query) > 0 {
		address = "'" + address + "?" + strings.Join(query, "&") + "'" // a shell would read ? and &
	}
	first := "curl"
	if method != http.MethodGet {
		first += " -X " + method
	}
	for _, res := range o.Responses {
		if _, ok := res.Content["text/event-stream"]; ok {
			first += " -N" // curl holds a stream back otherwise
		}
	}
	lines := []string{first + " " + address}
	if o.Security == nil || len(*o.Security) > 0 { // else it needs no credential
		lines = append(lines, `  -H "Authorization: Bearer $BLUEBERRY_TOKEN"`)
	}
	if slices.ContainsFunc(o.Parameters, func(p parameter) bool { return p.Name == "Idempotency-Key" }) {
		lines = append(lines, `  -H "Idempotency-Key: $(openssl rand -hex 8)"`)
	}
	if o.RequestBody != nil {
		content := o.RequestBody.Content["application/json"]
		body := indented(m.example(content.Schema, "", 0))
		if len(content.Example) > 0 {
			var b bytes.Buffer
			if json.Indent(&b, content.Example, "", "  ") == nil {
				body = b.String()
			}
		}
		lines = append(lines, `  -H "Content-Type: application/json"`, "  -d '"+strings.ReplaceAll(body, "'", `'\''`)+"'")
	}
	return strings.Join(lines, " \\\n")
}
