package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// reference is the document, and what else pages about the API are made from. The document is written when it is first asked for: a start does not wait for it.
type reference struct {
	doc        *huma.OpenAPI
	json, yaml func() ([]byte, error)
}

func newReference(doc *huma.OpenAPI) reference {
	return reference{doc: doc, json: sync.OnceValues(func() ([]byte, error) { return documentJSON(doc) }), yaml: sync.OnceValues(doc.YAML)}
}

func (h reference) mount(mux *http.ServeMux) {
	serve := func(pattern, contentType string, content func() ([]byte, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			data, err := content()
			if err != nil {
				panic(fmt.Errorf("make %s: %w", pattern, err)) // only a wrong type can do that; the gateway answers 500 and logs it
			}
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Cache-Control", "no-cache")
			_, _ = w.Write(data) // the client may be gone
		})
	}
	serve("GET /openapi.json", "application/openapi+json", h.json)
	serve("GET /openapi.yaml", "application/openapi+yaml", h.yaml)
}

// Document is the OpenAPI document as JSON, as it is served and kept in docs.
func (a *API) Document() ([]byte, error) { return a.reference.json() }

// FieldOrder is the order in which the fields of a schema are shown: that of the Go type.
func (a *API) FieldOrder(schema string) []string {
	s := a.reference.doc.Components.Schemas.Map()[schema]
	if s == nil {
		return nil
	}
	t := a.reference.doc.Components.Schemas.TypeFromRef("#/components/schemas/" + schema)
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

// ProblemKind is a kind of what calls refuse.
type ProblemKind struct {
	Anchor            string // of the type of such a problem
	Kind, Code, Means string
	Status            int
}

// ProblemKinds are all of them, by status, with the fault of the server.
func ProblemKinds() (out []ProblemKind) {
	for _, k := range kinds() {
		out = append(out, ProblemKind{Anchor: k.anchor(), Kind: string(k.kind), Code: k.code, Means: k.doc, Status: k.kind.Status()})
	}
	return append(out, ProblemKind{Anchor: "problem-internal", Kind: "internal", Code: "INTERNAL", Means: "The server failed. The text is in its log, under the request id.", Status: http.StatusInternalServerError})
}
