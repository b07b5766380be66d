package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	goyaml "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// manifest is one Kubernetes object with where it came from.
type manifest struct {
	object map[string]any // numbers are json.Number, so that none is rounded
	source string         // "cache/templates/service.yaml"
	crd    bool           // from a chart's crds directory
	order  hookOrder
}

// problem is a fault of one component, before it is known which.
type problem struct {
	field   string // below the component: "chart"; may be empty
	code    string
	message string
	value   string   // path of the value that it is about, in place of a field: it is told where the value was set
	missing []string // keys that are not there and should be, below value
}

func (m manifest) kind() string       { return text(m.object, "kind") }
func (m manifest) apiVersion() string { return text(m.object, "apiVersion") }
func (m manifest) name() string       { return text(m.object, "metadata", "name") }
func (m manifest) namespace() string  { return text(m.object, "metadata", "namespace") }

func (m manifest) group() string {
	group, _, ok := strings.Cut(m.apiVersion(), "/")
	if !ok {
		return ""
	}
	return group
}

func (m manifest) ref() blueberry.ObjectRef {
	return blueberry.ObjectRef{APIVersion: m.apiVersion(), Kind: m.kind(), Namespace: m.namespace(), Name: m.name()}
}

// String names the object and its source for people.
func (m manifest) String() string {
	if m.kind() == "" {
		return m.source
	}
	return fmt.Sprintf("%s %s of %s", m.kind(), m.name(), m.source)
}

// readManifests reads a stream of YAML documents; empty ones are skipped and lists taken apart.
func readManifests(source, stream string) ([]manifest, []problem) {
	var out []manifest
	var found []problem
	for i, doc := range splitDocuments(stream) {
		object, err := decode([]byte(doc))
		if err != nil {
			found = append(found, problem{field: "", code: "yaml", message: fmt.Sprintf("%s, document %d: %s", source, i+1, firstLine(err))})
			continue
		}
		if object == nil {
			continue
		}
		items, err := flatten(object, 0)
		if err != nil {
			found = append(found, problem{field: "", code: "manifest", message: fmt.Sprintf("%s, document %d: %s", source, i+1, err)})
			continue
		}
		for _, o := range items {
			out = append(out, manifest{object: o, source: source})
		}
	}
	return out, found
}

// decode reads one document as Kubernetes reads it (YAML 1.1). Nil means that it holds nothing.
func decode(doc []byte) (map[string]any, error) {
	converted, err := yaml.YAMLToJSON(doc)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(converted))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		if len(v) == 0 {
			return nil, nil
		}
		return v, nil
	default:
		return nil, fmt.Errorf("is not an object")
	}
}

// flatten gives the objects of a List, or the object itself. The items of a typed list ("ConfigMapList") may leave out their type.
func flatten(object map[string]any, depth int) ([]map[string]any, error) {
	kind := text(object, "kind")
	items, ok := object["items"].([]any)
	if !ok || !strings.HasSuffix(kind, "List") || depth > 8 {
		return []map[string]any{object}, nil
	}
	var out []map[string]any
	for i, item := range items {
		o, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("item %d of the %s is not an object", i+1, kind)
		}
		if kind != "List" {
			if o["kind"] == nil {
				o["kind"] = strings.TrimSuffix(kind, "List")
			}
			if o["apiVersion"] == nil {
				o["apiVersion"] = object["apiVersion"]
			}
		}
		below, err := flatten(o, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, below...)
	}
	return out, nil
}

// encode writes one object: keys sorted, as Kubernetes tools write it.
func encode(object map[string]any) ([]byte, error) {
	v, exact := numbers(object)
	if !exact {
		return yaml.Marshal(object)
	}
	return goyaml.Marshal(v) // the same bytes, without the way over JSON
}

// numbers gives a value with Go's numbers in the place of JSON's, and whether they hold them exactly.
func numbers(v any) (any, bool) {
	exact := true
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			y, ok := numbers(x)
			out[k], exact = y, exact && ok
		}
		return out, exact
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			y, ok := numbers(x)
			out[i], exact = y, exact && ok
		}
		return out, exact
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case string, bool, int, nil:
		return v, true
	}
	return v, false
}

// text reads a text at a path, empty when there is none.
func text(object map[string]any, path ...string) string {
	s, _ := at(object, path...).(string)
	return s
}

// at reads what is at a path, nil when there is nothing.
func at(object map[string]any, path ...string) any {
	var v any = object
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// child gives the mapping at a path and makes it when it is not there; nil when something else is.
func child(object map[string]any, path ...string) map[string]any {
	for _, key := range path {
		if object[key] == nil {
			object[key] = map[string]any{}
		}
		next, ok := object[key].(map[string]any)
		if !ok {
			return nil
		}
		object = next
	}
	return object
}
