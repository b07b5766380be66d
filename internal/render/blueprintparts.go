package render

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// items reads a list, item by item.
func (d *document) items(n *yaml.Node, field string, depth int, read func(n *yaml.Node, field string)) {
	if n = d.enter(n, field, depth); n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fault(n, field, "type", "must be a list, is %s", kindOf(n))
		return
	}
	for i, c := range n.Content {
		if d.full {
			return
		}
		at := fmt.Sprintf("%s[%d]", field, i)
		d.put(at, c)
		read(c, at)
	}
}

// texts reads a list of texts.
func (d *document) texts(to *[]string) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		d.items(n, field, 0, func(n *yaml.Node, field string) {
			var s string
			d.text(&s)(n, field)
			*to = append(*to, s)
		})
	}
}

// mapping reads a mapping of anything.
func (d *document) mapping(to *map[string]any) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		v := d.value(n, field, 3)
		values, ok := v.(map[string]any)
		if !ok && v != nil {
			d.fault(n, field, "type", "must be a mapping, is %s", kindOf(n))
		}
		*to = values
	}
}

// flag reads a field that is true or false.
func (d *document) flag(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		v, ok := d.value(n, field, 0).(bool)
		if !ok {
			d.fault(n, field, "type", "must be true or false, is %s", kindOf(n))
			return
		}
		*to = v
	}
}

// bound reads a number that may be left out.
func (d *document) limit(to **float64) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		v, ok := d.value(n, field, 0).(float64)
		if !ok {
			d.fault(n, field, "type", "must be a number, is %s", kindOf(n))
			return
		}
		*to = &v
	}
}

func (d *document) parameter(n *yaml.Node, field string) blueberry.Parameter {
	var p blueberry.Parameter
	d.object(n, field, 2, map[string]func(*yaml.Node, string){
		"name":    d.text(&p.Name),
		"type":    d.text((*string)(&p.Type)),
		"help":    d.text(&p.Help),
		"default": func(n *yaml.Node, field string) { p.Default = d.value(n, field, 3) },
		"enum": func(n *yaml.Node, field string) {
			d.items(n, field, 3, func(n *yaml.Node, at string) { p.Enum = append(p.Enum, d.value(n, at, 4)) })
		},
		"min":      d.limit(&p.Min),
		"max":      d.limit(&p.Max),
		"pattern":  d.text(&p.Pattern),
		"required": d.flag(&p.Required),
		"sets":     d.texts(&p.Sets),
	})
	return p
}

func (d *document) repository(n *yaml.Node, field string) blueberry.SideRepository {
	var r blueberry.SideRepository
	d.object(n, field, 2, map[string]func(*yaml.Node, string){
		"name": d.text(&r.Name), "url": d.text(&r.URL), "ref": d.text(&r.Ref), "match": d.text((*string)(&r.Match)),
	})
	return r
}

func (d *document) fieldClasses(n *yaml.Node, field string, to *blueberry.FieldClasses) {
	d.object(n, field, 1, map[string]func(*yaml.Node, string){
		"required":  d.texts(&to.Required),
		"forbidden": d.texts(&to.Forbidden),
		"public":    d.texts(&to.Public),
	})
}

func (d *document) pullRules(n *yaml.Node, field string, to *blueberry.PullRules) {
	d.object(n, field, 1, map[string]func(*yaml.Node, string){
		"off":         d.flag(&to.Off),
		"bases":       d.texts(&to.Bases),
		"labels":      d.texts(&to.Labels),
		"drafts":      d.flag(&to.Drafts),
		"bots":        d.flag(&to.Bots),
		"atOnce":      d.number(&to.AtOnce),
		"hours":       d.number(&to.Hours),
		"paths":       d.texts(&to.Paths),
		"pathsIgnore": d.texts(&to.PathsIgnore),
	})
}

// computedPaths reads the mapping from paths to texts. Its fields are written "computed[backend.env.X]": a path has dots of its own.
func (d *document) computedPaths(n *yaml.Node, field string) map[string]string {
	if n = d.enter(n, field, 1); n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, field, "type", "must be a mapping from paths to texts, is %s", kindOf(n))
		return nil
	}
	out := map[string]string{}
	for _, p := range d.pairs(n, field, 1) {
		at := field + "[" + p.key + "]"
		d.put(at, p.value)
		var text string
		d.text(&text)(p.value, at)
		out[p.key] = text
	}
	return out
}

func (d *document) service(n *yaml.Node, field string) blueberry.ServiceSlot {
	var s blueberry.ServiceSlot
	d.object(n, field, 2, map[string]func(*yaml.Node, string){"name": d.text(&s.Name), "kind": d.text(&s.Kind), "size": d.text(&s.Size)})
	return s
}

func (d *document) egress(n *yaml.Node, field string) blueberry.Egress {
	var e blueberry.Egress
	d.object(n, field, 2, map[string]func(*yaml.Node, string){
		"cidr": d.text(&e.CIDR),
		"ports": func(n *yaml.Node, field string) {
			d.items(n, field, 3, func(n *yaml.Node, at string) {
				var port int
				d.number(&port)(n, at)
				e.Ports = append(e.Ports, port)
			})
		},
	})
	return e
}

// configRefs reads references to config sets.
func (d *document) configRefs(n *yaml.Node, field string) []blueberry.ConfigRef {
	var refs []string
	before := len(d.faults)
	d.texts(&refs)(n, field)
	if len(d.faults) > before {
		return nil
	}
	var f blueberry.Faults
	out := f.CheckConfigRefs(field, refs)
	for _, x := range f {
		d.locate(x)
	}
	return out
}
