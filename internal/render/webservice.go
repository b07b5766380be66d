package render

import (
	"fmt"
	"sync"
	"text/template"

	"github.com/santhosh-tekuri/jsonschema/v6"
	chart "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/blueberry-idp/blueberry/charts"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// prepared is a chart that is rendered again and again: read, its schema compiled, its templates parsed, once.
type prepared struct {
	chart  *chart.Chart
	schema *jsonschema.Schema
	set    *template.Template
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
	r := newRun(false, nil)
	p.set = r.set
	return p, r.define(all)
})

const defaultPort = 8080

// webService renders a component with the built-in chart.
func (in Input) webService(c blueberry.Component, values map[string]any, rel chartRelease) ([]manifest, []problem) {
	builtin, err := webServiceChart()
	if err != nil {
		return nil, []problem{{code: "chart", message: fmt.Sprintf("the built-in chart cannot be read: %v", err)}}
	}
	port, health := c.Port, c.Health
	if port == 0 {
		port = defaultPort
	}
	if health == "" {
		health = "/"
	}
	values["blueberry"] = map[string]any{
		"project":     in.Project.Name,
		"environment": in.Name,
		"component":   c.Name,
		"host":        in.host(c),
		"image":       c.Image,
		"port":        float64(port),
		"health":      health,
	}
	rel.computed = nil
	rel.prepared = builtin
	out, found := renderChart(builtin.chart, values, rel)
	for i := range found {
		if found[i].field == "chart" {
			found[i].field = "" // a component without a chart of its own: what its templates say is about its values
		}
	}
	return out, found
}
