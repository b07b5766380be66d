package render

import (
	"maps"
	"sync"
	"text/template"

	"github.com/santhosh-tekuri/jsonschema/v6"
	chart "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/blueberry-idp/blueberry/charts"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// prepared is a chart that is rendered again and again: read, its schema compiled, its templates parsed, once.
type prepared struct {
	chart    *chart.Chart
	schema   *jsonschema.Schema
	set      *template.Template
	defaults map[string]any // as settings show them: port and health at the root
}

// webServiceChart is the built-in chart, prepared from what is embedded. It has no dependencies, so rendering changes nothing of it.
var webServiceChart = sync.OnceValues(func() (*prepared, error) {
	c, err := loadChart(charts.FS, "web-service")
	if err != nil {
		return nil, err
	}
	p := &prepared{chart: c}
	if p.schema, err = compileSchema(c.Schema); err != nil {
		return nil, err
	}
	all, err := scopes(c, map[string]any{"Values": map[string]any{}})
	if err != nil {
		return nil, err
	}
	p.defaults = maps.Clone(c.Values)
	delete(p.defaults, "blueberry") // an example, for helm lint
	p.defaults["port"], p.defaults["health"] = defaultPort, defaultHealth
	r := newRun(false, nil)
	p.set = r.set
	return p, r.define(all)
})

const (
	defaultPort   = float64(8080)
	defaultHealth = "/"
)

// isOwnField reports whether a value of a web-service is a field of the component, not of its chart: it stands at the root of the values, and the chart
// finds it under blueberry.
func isOwnField(key string) bool { return key == "image" || key == "port" || key == "health" }

// builtinValues gives the values of a component as the built-in chart takes them.
func (s *stack) builtinValues() map[string]any {
	who, _ := at(s.platform.values, "blueberry").(map[string]any)
	who = maps.Clone(who)
	who["port"], who["health"] = defaultPort, defaultHealth
	out := maps.Clone(s.values)
	for _, key := range []string{"image", "port", "health"} {
		if v, ok := out[key]; ok {
			who[key] = v
			delete(out, key)
		}
	}
	out["blueberry"] = who
	return out
}

// builtinEffective gives the values that the built-in chart was given with image, port and health at the root again. It changes them.
func (s *stack) builtinEffective(merged map[string]any) map[string]any {
	who, _ := merged["blueberry"].(map[string]any)
	for _, key := range []string{"image", "port", "health"} {
		v, set := s.values[key]
		if !set {
			v = s.opened.prepared.defaults[key]
		}
		if v != nil {
			merged[key] = v
		}
		delete(who, key)
	}
	return merged
}

// builtinProblems puts what the schema says of image, port and health where they are set, and looks at the image itself.
func (m *merger) builtinProblems(s *stack, found []problem) []problem {
	var out []problem
	root := s.name() + "."
	for _, p := range found {
		switch p.value {
		case root + "blueberry.image":
			continue
		case root + "blueberry.port", root + "blueberry.health":
			p.value = root + p.value[len(root+"blueberry."):]
		case root + "blueberry":
			continue // what is missing in it is told below
		}
		out = append(out, p)
	}
	for _, key := range []string{"image", "port", "health"} {
		p := problem{value: root + key, code: "required", message: "must be set"}
		switch v := s.effective[key].(type) {
		case nil:
			p.value, p.missing = s.name(), []string{key}
			if _, by := s.locate(p); by == nil { // nobody took it away
				p.value, p.field = "", key
				if s.component.Kind() == blueberry.Score {
					p.field = "values." + key
				}
			}
			if s.unread {
				continue // the Score file may have one
			}
		case string:
			var f blueberry.Faults
			if f.CheckImage("", v); key != "image" || len(f) == 0 {
				continue
			}
			p.code, p.message = f[0].Code, f[0].Message
		default:
			if key != "image" {
				continue // the schema says
			}
			p.code, p.message = "type", "must be text, is "+nounOf(v)
		}
		out = append(out, p)
	}
	return out
}
