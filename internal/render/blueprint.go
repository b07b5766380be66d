package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"

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
		var more blueberry.Faults
		if err := more.Merge("", checkBlueprint(b)); err != nil {
			return blueberry.Blueprint{}, err
		}
		blueprintSecrets(b, &more)
		for _, f := range more {
			if !told[f.Field] { // a field of the wrong type is also empty: say it once
				d.locate(f)
			}
		}
	}
	if err := d.faults.Err(); err != nil {
		return blueberry.Blueprint{}, err
	}
	return b, nil
}

// checkBlueprint tells every fault of a blueprint: those that it knows itself, and those that take a library to see.
func checkBlueprint(b blueberry.Blueprint) error {
	var f blueberry.Faults
	if err := f.Merge("", b.Check()); err != nil {
		return err
	}
	checkPaths(b, &f)
	for i, s := range b.Services {
		if s.Size == "" {
			continue
		}
		if q, err := resource.ParseQuantity(s.Size); err != nil || q.Sign() <= 0 {
			f.Add(fmt.Sprintf("services[%d].size", i), "quantity", "%q is not a size, as 1Gi", s.Size)
		}
	}
	if _, err := blueprintSchema(b); err != nil {
		f.Add("schema", "schema", "%s", err)
	}
	return f.Err()
}

// blueprintSchema compiles the schema of a blueprint; it is nil when there is none. Nothing that it names is fetched.
func blueprintSchema(b blueberry.Blueprint) (*boundedSchema, error) {
	if b.Schema == nil {
		return nil, nil
	}
	content, err := json.Marshal(b.Schema)
	if err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	s, err := compileSchema(content)
	if err != nil {
		return nil, err
	}
	return bound(s), nil
}

func (d *document) blueprint(root *yaml.Node) (blueberry.Blueprint, bool) {
	var b blueberry.Blueprint
	apiVersion, kind := BlueprintAPIVersion, BlueprintKind
	ok := d.object(root, "", 0, map[string]func(*yaml.Node, string){
		"apiVersion": d.text(&apiVersion),
		"kind":       d.text(&kind),
		"name":       d.text(&b.Name),
		"components": func(n *yaml.Node, field string) {
			d.items(n, field, 1, func(c *yaml.Node, at string) { b.Components = append(b.Components, d.component(c, at)) })
		},
		"repositories": func(n *yaml.Node, field string) {
			d.items(n, field, 1, func(c *yaml.Node, at string) { b.Repositories = append(b.Repositories, d.repository(c, at)) })
		},
		"parameters": func(n *yaml.Node, field string) {
			d.items(n, field, 1, func(c *yaml.Node, at string) { b.Parameters = append(b.Parameters, d.parameter(c, at)) })
		},
		"schema":   d.mapping(&b.Schema),
		"fields":   func(n *yaml.Node, field string) { d.fieldClasses(n, field, &b.Fields) },
		"computed": func(n *yaml.Node, field string) { b.Computed = d.computedPaths(n, field) },
		"services": func(n *yaml.Node, field string) {
			d.items(n, field, 1, func(c *yaml.Node, at string) { b.Services = append(b.Services, d.service(c, at)) })
		},
		"egress": func(n *yaml.Node, field string) {
			d.items(n, field, 1, func(c *yaml.Node, at string) { b.Egress = append(b.Egress, d.egress(c, at)) })
		},
		"configSets":    func(n *yaml.Node, field string) { b.ConfigSets = d.configRefs(n, field) },
		"configUpdates": d.text((*string)(&b.ConfigUpdates)),
		"lease": func(n *yaml.Node, field string) {
			d.object(n, field, 1, map[string]func(*yaml.Node, string){"default": d.number(&b.Lease.Default), "max": d.number(&b.Lease.Max)})
		},
		"access": func(n *yaml.Node, field string) {
			d.object(n, field, 1, map[string]func(*yaml.Node, string){"projects": d.texts(&b.Access.Projects), "actors": d.texts(&b.Access.Actors)})
		},
		"pullRequests": func(n *yaml.Node, field string) { d.pullRules(n, field, &b.PullRequests) },
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
		"score":         d.text(&c.Score),
		"wave":          d.number(&c.Wave),
		"values":        d.mapping(&c.Values),
		"repository":    d.text(&c.Repository),
		"paths":         d.texts(&c.Paths),
	})
	return c
}

// known lists the fields of an object, for the message about one that is not.
func known(fields map[string]func(*yaml.Node, string)) string {
	return strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}
