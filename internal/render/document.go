package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Bounds of one blueprint document. An alias counts as often as it is used, so a small file cannot grow into a large value.
const (
	maxDocumentSize  = 1 << 20
	maxDocumentNodes = 100_000
	maxDocumentDepth = 64
	maxDocumentText  = 4 << 20  // bytes of its texts, each as often as an alias brings it
	maxDocumentPaths = 16 << 20 // bytes of the paths of all its values: long keys, nested, would multiply
	maxFaults        = 100      // told of one document
)

var (
	syntaxLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)
	// wordBool are plain words that YAML 1.1, and so Helm, reads as booleans and YAML 1.2 as text. Which one was meant, nobody can know.
	wordBool    = regexp.MustCompile(`^(?i:yes|no|on|off|y|n)$`)
	wholeNumber = regexp.MustCompile(`^[-+]?(?:[0-9]+|0x[0-9a-fA-F]+|0b[01]+|0o[0-7]+)$`)
	leadingOct  = regexp.MustCompile(`^[-+]?0[0-9_]+$`)
)

// position is where something stands in a document, from 1.
type position struct{ line, column int }

func (p position) String() string { return fmt.Sprintf("(line %d, column %d)", p.line, p.column) }

// document is a YAML or JSON document that is being read. Faults are noted with the place where they are.
type document struct {
	faults blueberry.Faults
	at     map[string]position // by field path
	nodes  int
	size   int  // bytes of the texts that were read
	paths  int  // bytes of the paths in at
	full   bool // a bound was told already
}

// parseNode reads one document. JSON is read by its own rules: YAML readers stumble over its tabs and surrogate pairs.
func (d *document) parseNode(content []byte) *yaml.Node {
	if trimmed := bytes.TrimLeft(content, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(content) {
		return jsonNode(content)
	}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			d.note(position{1, 1}, "", "required", "the document is empty")
			return nil
		}
		d.syntax(content, err)
		return nil
	}
	switch err := dec.Decode(&more); {
	case err == nil:
		d.note(position{max(more.Line, 1), max(more.Column, 1)}, "", "syntax", "a second document follows, only one is allowed")
		return nil
	case !errors.Is(err, io.EOF):
		d.syntax(content, err)
		return nil
	}
	if len(doc.Content) != 1 {
		d.note(position{1, 1}, "", "required", "the document is empty")
		return nil
	}
	return doc.Content[0]
}

// syntax notes a syntax error. The parser tells the line only, so the column is where that line's text begins.
func (d *document) syntax(content []byte, err error) {
	at, text := position{1, 1}, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
		at.line, _ = strconv.Atoi(m[1])
		text = m[2]
		if lines := bytes.Split(content, []byte("\n")); at.line <= len(lines) {
			line := lines[at.line-1]
			at.column = len(line) - len(bytes.TrimLeft(line, " \t")) + 1
		}
	}
	d.note(at, "", "syntax", "%s", text)
}

func (d *document) note(at position, field, code, format string, args ...any) {
	switch len(d.faults) {
	case maxFaults:
		d.faults.Add("", "too_many", "there are more faults than these %d %s", maxFaults, at)
		return
	case maxFaults + 1:
		return
	}
	d.faults.Add(short(field), code, "%s %s", short(blueberry.Redact(fmt.Sprintf(format, args...))), at) // in this order: what is hidden must not take the place along
}

// maxFaultText is the length of a field or a message, in bytes: a key may be as long as its document.
const maxFaultText = 1000

func short(text string) string {
	if len(text) <= maxFaultText {
		return text
	}
	return strings.ToValidUTF8(text[:maxFaultText], "") + "…"
}

func (d *document) fault(n *yaml.Node, field, code, format string, args ...any) {
	d.note(position{n.Line, n.Column}, field, code, format, args...)
}

// locate adds positions to faults that were found without them: that of the field, or of the nearest field around it.
func (d *document) locate(f blueberry.Fault) {
	for path := f.Field; ; {
		if at, ok := d.at[path]; ok {
			d.note(at, f.Field, f.Code, "%s", f.Message)
			return
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			d.note(position{1, 1}, f.Field, f.Code, "%s", f.Message)
			return
		}
		path = path[:cut]
	}
}

// put keeps where a field stands.
func (d *document) put(field string, n *yaml.Node) {
	if d.full {
		return
	}
	if d.paths += len(field); d.paths > maxDocumentPaths {
		d.full = true
		d.fault(n, "", "too_large", "the paths of the document's values have more than %d bytes: its keys are too long", maxDocumentPaths)
		return
	}
	d.at[field] = position{n.Line, n.Column}
}

// enter follows aliases and counts. It is nil when a bound is reached, which is told once.
func (d *document) enter(n *yaml.Node, field string, depth int) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.nodes++
	d.size += len(n.Value)
	switch {
	case d.full:
		return nil
	case d.size > maxDocumentText:
		d.full = true
		d.fault(n, field, "too_large", "the document's texts have more than %d bytes once its aliases are expanded", maxDocumentText)
		return nil
	case d.nodes > maxDocumentNodes:
		d.full = true
		d.fault(n, field, "too_large", "the document holds more than %d values once its aliases are expanded", maxDocumentNodes)
		return nil
	case depth > maxDocumentDepth:
		d.full = true
		d.fault(n, field, "too_deep", "is nested deeper than %d levels", maxDocumentDepth)
		return nil
	}
	return n
}

// pair is one entry of a mapping.
type pair struct {
	key   string
	name  *yaml.Node
	value *yaml.Node
}

// pairs gives the entries of a mapping in their order, merge keys expanded behind them. Doubled keys are faults.
func (d *document) pairs(n *yaml.Node, field string, depth int) []pair {
	var out []pair
	seen := map[string]bool{}
	var merged []*yaml.Node
	d.nodes += len(n.Content) / 2 // each time it is gone through: a merge key may bring the same mapping many times
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
			merged = append(merged, value)
		case key.Kind != yaml.ScalarNode:
			d.fault(key, field, "type", "a key must be text")
		case seen[key.Value]:
			d.fault(key, join(field, key.Value), "duplicate", "the key %q is set twice", key.Value)
		default:
			seen[key.Value] = true
			out = append(out, pair{key.Value, key, value})
		}
	}
	for _, m := range merged {
		out = append(out, d.mergedPairs(m, field, depth, seen)...)
	}
	return out
}

// mergedPairs are the entries that a merge key brings in: those that are not set beside it.
func (d *document) mergedPairs(m *yaml.Node, field string, depth int, seen map[string]bool) []pair {
	if m = d.enter(m, field, depth+1); m == nil {
		return nil
	}
	sources := []*yaml.Node{m}
	if m.Kind == yaml.SequenceNode {
		sources = m.Content
	}
	var out []pair
	for _, s := range sources {
		if s = d.enter(s, field, depth+1); s == nil {
			return out
		}
		if s.Kind != yaml.MappingNode {
			d.fault(s, field, "type", "a merge key takes mappings")
			continue
		}
		for _, p := range d.pairs(s, field, depth+1) {
			if !seen[p.key] {
				seen[p.key] = true
				out = append(out, p)
			}
		}
	}
	return out
}

// object reads a mapping with known fields; all others are faults.
func (d *document) object(n *yaml.Node, field string, depth int, fields map[string]func(*yaml.Node, string)) bool {
	if n = d.enter(n, field, depth); n == nil {
		return false
	}
	d.put(field, n)
	if n.Kind != yaml.MappingNode {
		d.fault(n, field, "type", "must be a mapping, is %s", kindOf(n))
		return false
	}
	for _, p := range d.pairs(n, field, depth) {
		path := join(field, p.key)
		read, ok := fields[p.key]
		if !ok {
			d.fault(p.name, path, "unknown", "there is no such field; known are %s", known(fields))
			continue
		}
		d.put(path, p.value)
		read(p.value, path)
	}
	return true
}

// text reads a field that holds text.
func (d *document) text(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		switch n = d.enter(n, field, 0); {
		case n == nil:
		case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str":
			*to = n.Value
		case n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null":
			d.fault(n, field, "type", "must be text, is %s; put it in quotes", kindOf(n))
		default:
			d.fault(n, field, "type", "must be text, is %s", kindOf(n))
		}
	}
}

// number reads a field that holds a whole number.
func (d *document) number(to *int) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		if n = d.enter(n, field, 0); n == nil {
			return
		}
		var v int
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(&v) != nil {
			d.fault(n, field, "type", "must be a whole number, is %s", kindOf(n))
			return
		}
		*to = v
	}
}

// value reads anything into the types of JSON: map[string]any, []any, string, float64, bool, nil.
func (d *document) value(n *yaml.Node, field string, depth int) any {
	if n = d.enter(n, field, depth); n == nil {
		return nil
	}
	if _, ok := d.at[field]; !ok {
		d.put(field, n)
	}
	switch n.Kind { //nolint:exhaustive // aliases are followed by enter, documents do not nest: what remains is a scalar
	case yaml.MappingNode:
		out := map[string]any{}
		for _, p := range d.pairs(n, field, depth) {
			out[p.key] = d.value(p.value, join(field, p.key), depth+1)
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			out[i] = d.value(c, fmt.Sprintf("%s[%d]", field, i), depth+1)
		}
		return out
	}
	return d.scalar(n, field)
}

func (d *document) scalar(n *yaml.Node, field string) any {
	plain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return nil
	case "!!str", "!!timestamp":
		if plain && tag == "!!str" && wordBool.MatchString(n.Value) {
			d.fault(n, field, "ambiguous", "%s may mean a boolean or a word: write true or false, or put it in quotes", n.Value)
		}
		return n.Value
	case "!!bool":
		var v bool
		if err := n.Decode(&v); err != nil {
			d.fault(n, field, "type", "%q is not a boolean", n.Value)
		}
		return v
	case "!!int", "!!float":
		if leadingOct.MatchString(n.Value) {
			d.fault(n, field, "ambiguous", "%s may mean an octal number or a decimal one: put it in quotes or write it without the leading zero", n.Value)
			return nil
		}
		var v float64
		if err := n.Decode(&v); err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			d.fault(n, field, "type", "%s is not a number that JSON can hold", n.Value)
			return nil
		}
		if wholeNumber.MatchString(n.Value) {
			if i, err := strconv.ParseInt(n.Value, 0, 64); err != nil || i > 1<<53 || i < -1<<53 {
				d.fault(n, field, "range", "%s is too large to be held exactly: put it in quotes", n.Value)
			}
		}
		return v
	default:
		d.fault(n, field, "type", "the tag %s is not allowed", n.Tag)
		return nil
	}
}

// kindOf names what a node holds, for people.
func kindOf(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode {
		return "a mapping"
	}
	if n.Kind == yaml.SequenceNode {
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!str":
		return "text"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	}
	return "a value tagged " + n.ShortTag()
}

// join joins a field path and a key. A key that is not a plain word is quoted, so that paths stay readable.
func join(field, key string) string {
	if key == "" || strings.ContainsAny(key, ".[]\" ") {
		return field + "[" + strconv.Quote(key) + "]"
	}
	return blueberry.JoinField(field, key)
}
