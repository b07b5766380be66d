package render

import (
	"fmt"
	"sync"

	chart "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/blueberry-idp/blueberry/charts"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// webServiceChart is the built-in chart, read from what is embedded once. It has no dependencies, so rendering changes nothing of it.
var webServiceChart = sync.OnceValues(func() (*chart.Chart, error) { return loadChart(charts.FS, "web-service") })

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
	out, found := renderChart(builtin, values, rel)
	for i := range found {
		if found[i].field == "chart" {
			found[i].field = "" // a component without a chart of its own: what its templates say is about its values
		}
	}
	return out, found
}
