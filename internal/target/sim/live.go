package sim

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Live implements target.LiveReader.
func (d Driver) Live(ctx context.Context, ref target.Ref, o blueberry.ObjectRef) ([]byte, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	found := p.find(o)
	var object map[string]any
	if found != nil && found.of(ref) {
		object = found.live.object()
	}
	p.mu.Unlock()
	if object == nil {
		return nil, blueberry.Errorf(blueberry.NotFound, "OBJECT_NOT_FOUND", "%s is not there, or not of the environment", o)
	}
	if o.Kind == "Secret" && o.APIVersion == "v1" {
		for _, field := range []string{"data", "stringData"} {
			values, _ := object[field].(map[string]any)
			for k := range values {
				values[k] = "(hidden)"
			}
		}
	}
	out, err := yaml.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", o, err)
	}
	return out, nil
}

// of reports whether an object is an environment's: it carries its labels, or none, is in its namespace and was applied by the driver.
func (o *object) of(ref target.Ref) bool {
	if o.env != nil {
		return o.env.key == keyOf(ref)
	}
	return o.ours && (o.namespace == ref.Namespace || o.namespace == "" && o.kind.is("", "Namespace") && o.name == ref.Namespace)
}
