package render

import (
	"bytes"
	"encoding/json"
	"sort"

	"go.yaml.in/yaml/v3"
)

// jsonNode reads JSON that is known to be valid into nodes with positions.
func jsonNode(content []byte) *yaml.Node {
	r := &jsonReader{content: content, dec: json.NewDecoder(bytes.NewReader(content))}
	r.dec.UseNumber()
	for i, c := range content {
		if c == '\n' {
			r.lines = append(r.lines, i)
		}
	}
	return r.next()
}

type jsonReader struct {
	content []byte
	dec     *json.Decoder
	lines   []int // offsets of line feeds
}

// next reads one value. Token errors cannot happen: the content is valid.
func (r *jsonReader) next() *yaml.Node {
	start := int(r.dec.InputOffset())
	for start < len(r.content) && bytes.IndexByte([]byte(" \t\r\n,:"), r.content[start]) >= 0 {
		start++
	}
	n := &yaml.Node{Kind: yaml.ScalarNode}
	n.Line = sort.SearchInts(r.lines, start) + 1
	n.Column = start + 1
	if n.Line > 1 {
		n.Column = start - r.lines[n.Line-2]
	}
	token, err := r.dec.Token()
	if err != nil {
		n.Tag = "!!null"
		return n
	}
	switch t := token.(type) {
	case json.Delim:
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
		if t == '[' {
			n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		}
		for r.dec.More() {
			n.Content = append(n.Content, r.next())
		}
		_, _ = r.dec.Token() // the closing delimiter
	case string:
		n.Tag, n.Value, n.Style = "!!str", t, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!float", t.String()
		if _, err := t.Int64(); err == nil {
			n.Tag = "!!int"
		}
	case bool:
		n.Tag, n.Value = "!!bool", "false"
		if t {
			n.Value = "true"
		}
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
}
