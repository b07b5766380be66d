package render

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What a blueberry.yaml says of itself. Both lines may be left out, which means this version.
const (
	BlueprintAPIVersion = "blueberry.dev/v1"
	BlueprintKind       = "Blueprint"
)

// ParseBlueprint reads a blueberry.yaml; JSON is read too. Every fault is told at once (kind Invalid): its message ends in "(line 3, column 5)" and
// its field is a path such as "components[1].image". A document over 1 MiB is TooLarge. Values hold what JSON can hold: map[string]any, []any,
// string, float64, bool and nil.
func ParseBlueprint(content []byte) (blueberry.Blueprint, error) {
	if len(content) > maxDocumentSize {
		return blueberry.Blueprint{}, blueberry.Errorf(blueberry.TooLarge, "BLUEPRINT_TOO_LARGE",
			"the blueprint has %d bytes, at most %d are allowed", len(content), maxDocumentSize)
	}
	d := &document{at: map[string]position{}}
	root := d.parseNode(content)
	if root == nil {
		return blueberry.Blueprint{}, d.faults.Err()
	}
	b, ok := d.blueprint(root)
	if ok {
		told := map[string]bool{}
		for _, f := range d.faults {
			told[f.Field] = true
		}
		var e *blueberry.Error
		if err := b.Check(); errors.As(err, &e) {
			for _, f := range e.Fields {
				if !told[f.Field] { // a field of the wrong type is also empty: say it once
					d.locate(f)
				}
			}
		}
	}
	if err := d.faults.Err(); err != nil {
		return blueberry.Blueprint{}, err
	}
	return b, nil
}

func (d *document) blueprint(root *yaml.Node) (blueberry.Blueprint, bool) {
	var b blueberry.Blueprint
	apiVersion, kind := BlueprintAPIVersion, BlueprintKind
	ok := d.object(root, "", 0, map[string]func(*yaml.Node, string){
		"apiVersion": d.text(&apiVersion),
		"kind":       d.text(&kind),
		"name":       d.text(&b.Name),
		"components": func(n *yaml.Node, field string) {
			if n = d.enter(n, field, 1); n == nil {
				return
			}
			if n.Kind != yaml.SequenceNode {
				d.fault(n, field, "type", "must be a list, is %s", kindOf(n))
				return
			}
			for i, c := range n.Content {
				b.Components = append(b.Components, d.component(c, fmt.Sprintf("%s[%d]", field, i)))
			}
		},
	})
	if ok && apiVersion != BlueprintAPIVersion {
		d.locate(blueberry.Fault{Field: "apiVersion", Code: "enum", Message: fmt.Sprintf("must be %s", BlueprintAPIVersion)})
	}
	if ok && kind != BlueprintKind {
		d.locate(blueberry.Fault{Field: "kind", Code: "enum", Message: fmt.Sprintf("must be %s", BlueprintKind)})
	}
	return b, ok
}

func (d *document) component(n *yaml.Node, field string) blueberry.Component {
	var c blueberry.Component
	d.object(n, field, 2, map[string]func(*yaml.Node, string){
		"name":          d.text(&c.Name),
		"image":         d.text(&c.Image),
		"port":          d.number(&c.Port),
		"health":        d.text(&c.Health),
		"chart":         d.text(&c.Chart),
		"kustomization": d.text(&c.Kustomization),
		"wave":          d.number(&c.Wave),
		"values": func(n *yaml.Node, field string) {
			v := d.value(n, field, 3)
			values, ok := v.(map[string]any)
			if !ok && v != nil {
				d.fault(n, field, "type", "must be a mapping, is %s", kindOf(n))
			}
			c.Values = values
		},
	})
	return c
}

// known lists the fields of an object, for the message about one that is not.
func known(fields map[string]func(*yaml.Node, string)) string {
	return strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}
