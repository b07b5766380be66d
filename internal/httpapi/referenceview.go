package httpapi

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// pageView is what the reference page shows.
type pageView struct {
	Title, Version, Description, Address string
	Groups                               []groupView
	Problems                             []problemView
	Schemas                              []schemaView
}

type groupView struct {
	Name, Anchor, Description string
	Operations                []operationView
}

type operationView struct {
	ID, Method, Path, Summary, Description string
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
	Name, Description string
	Fields            []fieldView
}

type problemView struct {
	Anchor, Kind, Code, Description string
	Status                          int
}

func (h reference) page() pageView {
	v := pageView{Title: h.doc.Info.Title, Version: h.doc.Info.Version, Description: h.doc.Info.Description, Address: h.address}
	for _, tag := range h.doc.Tags {
		v.Groups = append(v.Groups, groupView{Name: tag.Name, Anchor: anchor(tag.Name), Description: tag.Description, Operations: h.operations(tag.Name)})
	}
	for _, k := range kinds() {
		v.Problems = append(v.Problems, problemView{Anchor: k.anchor(), Kind: string(k.kind), Code: k.code, Description: k.doc, Status: k.kind.Status()})
	}
	for name, s := range h.doc.Components.Schemas.Map() {
		v.Schemas = append(v.Schemas, h.schema(name, s))
	}
	slices.SortFunc(v.Schemas, func(a, b schemaView) int { return cmp.Compare(a.Name, b.Name) })
	return v
}

// anchor is where the page has the operations of a tag.
func anchor(tag string) string { return strings.ReplaceAll(strings.ToLower(tag), " ", "-") }

func (h reference) operations(tag string) []operationView {
	var out []operationView
	for path, item := range h.doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil && slices.Contains(op.Tags, tag) {
				out = append(out, h.operation(path, op))
			}
		}
	}
	order := map[string]int{http.MethodPost: 0, http.MethodGet: 1, http.MethodPut: 2, http.MethodPatch: 3, http.MethodDelete: 4}
	slices.SortFunc(out, func(a, b operationView) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(order[a.Method], order[b.Method]))
	})
	return out
}

func (h reference) operation(path string, op *huma.Operation) operationView {
	v := operationView{ID: op.OperationID, Method: op.Method, Path: path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		f := h.field(p.Name, p.Schema, p.Required)
		f.In, f.Description = p.In, p.Description
		v.Parameters = append(v.Parameters, f)
	}
	if op.RequestBody != nil {
		s := op.RequestBody.Content["application/json"].Schema
		body := h.schema(refName(s), h.resolve(s))
		v.Body = &body
	}
	v.Curl = h.curl(path, op)
	for status, res := range op.Responses {
		a := answerView{Status: status, Description: res.Description}
		for media, content := range res.Content {
			a.Schema = refName(content.Schema)
			if media == "application/json" {
				a.Example = indented(h.example(content.Schema, 0))
			}
			if media == "text/event-stream" {
				a.Example = "id: 1042\nevent: environment.ready\ndata: " + compact(h.example(content.Schema, 0))
			}
		}
		for name, header := range res.Headers {
			a.Headers = append(a.Headers, fieldView{Name: name, Description: header.Schema.Description})
		}
		slices.SortFunc(a.Headers, func(a, b fieldView) int { return cmp.Compare(a.Name, b.Name) })
		v.Answers = append(v.Answers, a)
	}
	slices.SortFunc(v.Answers, func(a, b answerView) int { return cmp.Compare(a.Status, b.Status) })
	return v
}

func (h reference) schema(name string, s *huma.Schema) schemaView {
	v := schemaView{Name: name, Description: s.Description}
	for _, property := range h.order(name, s) {
		v.Fields = append(v.Fields, h.field(property, s.Properties[property], slices.Contains(s.Required, property)))
	}
	return v
}

func (h reference) field(name string, s *huma.Schema, required bool) fieldView {
	f := fieldView{Name: name, Required: required, Description: s.Description, Schema: refName(s)}
	f.Type = h.typeOf(s)
	if s.Type == huma.TypeArray && s.Items != nil {
		f.Schema = refName(s.Items)
	}
	limit := func(format string, args ...any) { f.Limits = append(f.Limits, fmt.Sprintf(format, args...)) }
	if s.Minimum != nil {
		limit("at least %s", strconv.FormatFloat(*s.Minimum, 'f', -1, 64))
	}
	if s.Maximum != nil {
		limit("at most %s", strconv.FormatFloat(*s.Maximum, 'f', -1, 64))
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
		words := make([]string, len(enum))
		for i, e := range enum {
			words[i] = fmt.Sprint(e)
		}
		limit("one of %s", strings.Join(words, ", "))
	}
	return f
}

func (h reference) typeOf(s *huma.Schema) string {
	switch {
	case s.Ref != "":
		return refName(s)
	case s.Type == huma.TypeArray:
		return "list of " + h.typeOf(s.Items)
	case s.Type == huma.TypeObject:
		if of, ok := s.AdditionalProperties.(*huma.Schema); ok && (of.Type != "" || of.Ref != "") {
			return "map of " + h.typeOf(of)
		}
		return "object"
	case s.Format == "date-time":
		return "time"
	case s.ContentEncoding == "base64":
		return "base64"
	case s.Type == "":
		return "anything"
	}
	return s.Type
}

// curl is the line that calls the operation.
func (h reference) curl(path string, op *huma.Operation) string {
	var query []string
	for _, p := range op.Parameters {
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
	address := h.address + path
	if len(query) > 0 {
		address = "'" + address + "?" + strings.Join(query, "&") + "'" // a shell would read ? and &
	}
	lines := []string{"curl"}
	if op.Method != http.MethodGet {
		lines[0] += " -X " + op.Method
	}
	for _, res := range op.Responses {
		if _, ok := res.Content["text/event-stream"]; ok {
			lines[0] += " -N" // curl holds a stream back otherwise
		}
	}
	lines[0] += " " + address
	if op.Security == nil { // else it needs no credential
		lines = append(lines, `  -H "Authorization: Bearer $BLUEBERRY_TOKEN"`)
	}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "Idempotency-Key" }) {
		lines = append(lines, `  -H "Idempotency-Key: $(openssl rand -hex 8)"`)
	}
	if op.RequestBody != nil {
		content := op.RequestBody.Content["application/json"]
		example := content.Example
		if example == nil {
			example = h.example(content.Schema, 0)
		}
		lines = append(lines, `  -H "Content-Type: application/json"`, "  -d '"+strings.ReplaceAll(indented(example), "'", `'\''`)+"'")
	}
	return strings.Join(lines, " \\\n")
}
