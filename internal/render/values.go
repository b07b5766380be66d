package render

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ParseValues reads a document of values, YAML or JSON: a mapping from components, or "all", to their values. public are patterns of paths whose value
// looks like a secret and is none. Every fault is told at once (kind Invalid): its message ends in "(line 3, column 5)" and its field is a path such as
// "backend.env.LOG_LEVEL". A document over blueberry.MaxValuesSize is TooLarge.
func ParseValues(content []byte, public []string) (map[string]any, error) {
	if len(content) > blueberry.MaxValuesSize {
		return nil, blueberry.Errorf(blueberry.TooLarge, "VALUES_TOO_LARGE", "the values have %d bytes, at most %d are allowed", len(content), blueberry.MaxValuesSize)
	}
	d := &document{at: map[string]position{}}
	root := d.parseNode(content)
	if root == nil {
		return nil, d.faults.Err()
	}
	doc := d.values(root)
	search := secretSearch{public: public, found: func(keys []string, shape string) {
		d.locate(blueberry.Fault{Field: pathBelow("", keys), Code: secretCode, Message: secretMessage(shape)})
	}}
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		if values, ok := doc[name].(map[string]any); ok {
			search.keys = []string{name}
			search.in(values)
		}
	}
	if shape := blueberry.TokenShape(string(content)); shape != "" && len(public) == 0 && len(d.faults) == 0 {
		d.note(position{1, 1}, "", secretCode, "a comment or a name in it %s", secretMessage(shape))
	}
	if len(d.faults) > 0 {
		slices.SortStableFunc(d.faults, func(a, b blueberry.Fault) int { return strings.Compare(a.Field, b.Field) })
		return nil, d.faults.Err()
	}
	return doc, nil
}

// values reads the mapping from components to their values.
func (d *document) values(n *yaml.Node) map[string]any {
	if n = d.enter(n, "", 0); n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, "", "type", "must be a mapping from components to their values, is %s", kindOf(n))
		return nil
	}
	out := map[string]any{}
	for _, p := range d.pairs(n, "", 0) {
		v := d.value(p.value, join("", p.key), 1)
		if _, ok := v.(map[string]any); !ok && v != nil {
			d.fault(p.value, join("", p.key), "type", "must be a mapping of the values of a component (or of %s), is %s", blueberry.AllComponents, kindOf(p.value))
		}
		out[p.key] = v
	}
	return out
}
