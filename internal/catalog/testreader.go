package catalog

import (
	"fmt"
	"math"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of one file of cases. An alias counts as often as it is used, so a small file cannot grow into a large one.
const (
	maxTestFaults = 100
	maxTestNodes  = 100_000
	maxTestDepth  = 64
)

// wordBool are plain words that YAML 1.1, and so Helm, reads as booleans and YAML 1.2 as text; leadingOct are numbers that they read differently.
var (
	wordBool   = regexp.MustCompile(`^(?i:yes|no|on|off|y|n)$`)
	leadingOct = regexp.MustCompile(`^[-+]?0[0-9_]+$`)
)

// testReader reads a file of cases and notes what is wrong with it.
type testReader struct {
	faults blueberry.Faults
	nodes  int
	names  map[string]bool
}

// seen reports whether a name came before.
func (r *testReader) seen(name string) bool {
	if r.names == nil {
		r.names = map[string]bool{}
	}
	was := r.names[name]
	r.names[name] = true
	return was
}

// enter follows aliases and counts. It is nil when a bound is reached, which is told once.
func (r *testReader) enter(n *yaml.Node, field string) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.nodes++; r.nodes > maxTestNodes {
		if r.nodes == maxTestNodes+1 {
			r.fault(n, field, "too_large", "the document holds more than %d values once its aliases are expanded", maxTestNodes)
		}
		return nil
	}
	return n
}

// entries calls each for the entries of a mapping. Doubled keys, and keys that are no text, are faults.
func (r *testReader) entries(n *yaml.Node, field string, each func(key, value *yaml.Node, path string)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch path := blueberry.JoinPath(field, key.Value); {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge":
			r.fault(key, field, "type", "a key must be text")
		case seen[key.Value]:
			r.fault(key, path, "duplicate", "the key %q is set twice", key.Value)
		default:
			seen[key.Value] = true
			each(key, value, path)
		}
	}
}

// mapping reads a mapping with known fields; all others are faults.
func (r *testReader) mapping(n *yaml.Node, field string, fields map[string]func(*yaml.Node, string)) {
	if n = r.enter(n, field); n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n, field, "type", "must be a mapping")
		return
	}
	r.entries(n, field, func(key, value *yaml.Node, path string) {
		read, ok := fields[key.Value]
		if !ok {
			r.fault(key, path, "unknown", "there is no such field; known are %s", known(fields))
			return
		}
		read(value, path)
	})
}

func (r *testReader) list(n *yaml.Node, field string, limit int, each func(n *yaml.Node, field string)) {
	if n = r.enter(n, field); n == nil {
		return
	}
	switch {
	case n.Kind != yaml.SequenceNode:
		r.fault(n, field, "type", "must be a list")
	case len(n.Content) > limit:
		r.fault(n, field, "too_many", "has %d entries, at most %d are allowed", len(n.Content), limit)
	default:
		for i, x := range n.Content {
			each(x, fmt.Sprintf("%s[%d]", field, i))
		}
	}
}

func (r *testReader) text(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		if n = r.enter(n, field); n == nil {
			return
		}
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
			r.fault(n, field, "type", "must be text")
			return
		}
		*to = n.Value
	}
}

func (r *testReader) texts(to *[]string) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		r.list(n, field, maxCases, func(n *yaml.Node, field string) {
			s := ""
			r.text(&s)(n, field)
			*to = append(*to, s)
		})
	}
}

func (r *testReader) flag(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		if n = r.enter(n, field); n == nil {
			return
		}
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(to) != nil {
			r.fault(n, field, "type", "must be true or false")
		}
	}
}

func (r *testReader) values(to *map[string]any) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		v, ok := r.value(n, field, 0).(map[string]any)
		if !ok {
			r.fault(n, field, "type", "must be a mapping")
		}
		*to = v
	}
}

// value reads anything into the types of JSON: map[string]any, []any, string, float64, bool, nil.
func (r *testReader) value(n *yaml.Node, field string, depth int) any {
	if n = r.enter(n, field); n == nil {
		return nil
	}
	if depth > maxTestDepth {
		r.fault(n, field, "too_deep", "is nested deeper than %d levels", maxTestDepth)
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		r.entries(n, field, func(key, value *yaml.Node, path string) { out[key.Value] = r.value(value, path, depth+1) })
		return out
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, x := range n.Content {
			out[i] = r.value(x, fmt.Sprintf("%s[%d]", field, i), depth+1)
		}
		return out
	case yaml.ScalarNode, yaml.DocumentNode, yaml.AliasNode: // what remains is a scalar: aliases are followed, documents do not nest
	}
	return r.scalar(n, field)
}

func (r *testReader) scalar(n *yaml.Node, field string) any {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!str", "!!timestamp":
		if n.Style&quoted == 0 && wordBool.MatchString(n.Value) {
			r.fault(n, field, "ambiguous", "%s may mean a boolean or a word: write true or false, or put it in quotes", n.Value)
		}
		return n.Value
	case "!!bool":
		var v bool
		if n.Decode(&v) == nil {
			return v
		}
	case "!!int", "!!float":
		var v float64
		if !leadingOct.MatchString(n.Value) && n.Decode(&v) == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
			return v
		}
	}
	r.fault(n, field, "type", "is no value that JSON can hold without doubt; put it in quotes")
	return nil
}
