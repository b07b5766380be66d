package render

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// documentStart begins each object of a rendered file.
const documentStart = "---\n"

// Manifest is one object of a rendering.
type Manifest struct {
	blueberry.ObjectRef
	Component string
	Object    map[string]any // numbers are int64, or float64 where they are not whole
}

// Manifests reads the objects of rendered files, in their order.
func Manifests(files []blueberry.RenderedFile) ([]Manifest, error) {
	var out []Manifest
	for _, f := range files {
		all, err := readFile(f)
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			object, _ := goNumbers(m.object).(map[string]any)
			out = append(out, Manifest{ObjectRef: m.ref(), Component: f.Component, Object: object})
		}
	}
	return out, nil
}

// readFile takes a file apart that write made: its objects, each with the line that says where it is from.
func readFile(f blueberry.RenderedFile) ([]manifest, error) {
	var out []manifest
	for rest := f.Content; len(rest) > 0; {
		doc, ok := bytes.CutPrefix(rest, []byte(documentStart))
		if !ok {
			return nil, fmt.Errorf("read %s: it is no rendered file", f.Name)
		}
		rest = nil
		if end := bytes.Index(doc, []byte("\n"+documentStart)); end >= 0 {
			doc, rest = doc[:end+1], doc[end+1:]
		}
		object, err := decode(doc)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Name, err)
		}
		if object == nil {
			continue
		}
		m := manifest{object: object}
		if line, _, ok := bytes.Cut(doc, []byte("\n")); ok {
			m.source = string(bytes.TrimPrefix(line, []byte("# ")))
		}
		out = append(out, m)
	}
	return out, nil
}

// goNumbers gives a value with Go's numbers in the place of JSON's.
func goNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = goNumbers(x)
		}
	case []any:
		for i, x := range v {
			v[i] = goNumbers(x)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	}
	return v
}
