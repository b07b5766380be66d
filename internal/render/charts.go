package render

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// opened is the chart of a component, read and not yet rendered.
type opened struct {
	chart    *chart.Chart
	prepared *prepared // when it is the built-in one
	below    chartNode // the charts in it that are enabled, once it is coalesced
}

// chartNode is the charts in a chart, by the key that their values have in its own.
type chartNode map[string]chartNode

// open reads the chart of a component and lists the defaults that it and the charts in it have. A chart that cannot be read is a fault.
func (m *merger) open(s *stack) {
	fail := func(p problem) { m.tell(s, p); s.broken = true }
	if s.component.Kind() != blueberry.HelmChart {
		builtin, err := webServiceChart()
		if err != nil {
			fail(problem{code: "chart", message: fmt.Sprintf("the built-in chart cannot be read: %v", err)})
			return
		}
		s.opened = &opened{chart: builtin.chart, prepared: builtin}
		s.charts = []share{{Origin: blueberry.Origin{Layer: blueberry.LayerChart, Name: builtin.chart.Name()}, values: builtin.defaults, chart: true}}
		return
	}
	tree, commit := m.in.tree(s.component)
	if tree == nil {
		fail(noSource("chart"))
		return
	}
	c, err := loadChart(tree, s.component.Chart)
	if err != nil {
		fail(problem{field: "chart", code: "chart", message: firstLine(err)})
		return
	}
	if err := installable(c, m.caps); err != nil {
		fail(problem{field: "chart", code: "chart", message: err.Error()})
		return
	}
	s.use(c, commit)
}

// use takes a chart that was read at a commit.
func (s *stack) use(c *chart.Chart, commit string) {
	s.opened = &opened{chart: c}
	s.charts = chartDefaults(c, c.Name(), commit)
}

// chartDefaults lists what values.yaml of a chart and of every chart in it sets, lowest first, rooted at the chart's own values. It has to be asked before
// the dependencies are processed: that writes values of one chart into another. Charts that will be disabled are among them.
func chartDefaults(c *chart.Chart, name, commit string) []share {
	origin := blueberry.Origin{Layer: blueberry.LayerChart, Name: name, Commit: commit}
	own := share{Origin: origin, values: c.Values, chart: true, needs: name}
	var out, imports []share
	for _, d := range dependencies(c) {
		below := chartDefaults(d.chart, name+"/"+d.key, commit)
		for i := range below {
			below[i].values = map[string]any{d.key: below[i].values}
		}
		imports = slices.Concat(imported(d, name+"/"+d.key, append(slices.Clone(below), own)), imports)
		out = append(out, below...)
	}
	out = append(out, imports...)
	return append(out, own)
}

// dependency is a chart in a chart, under the key that its values have there.
type dependency struct {
	key     string
	chart   *chart.Chart
	imports []any
}

// dependencies lists the charts in a chart as Helm will name them: one that has an alias, under it; one with two, twice.
func dependencies(c *chart.Chart) []dependency {
	var out []dependency
	named := map[*chart.Chart]bool{}
	for _, d := range c.Metadata.Dependencies {
		if d == nil {
			continue
		}
		taken := false
		for _, sub := range c.Dependencies() {
			if sub.Name() != d.Name || !chartutil.IsCompatibleRange(d.Version, sub.Metadata.Version) {
				continue
			}
			if named[sub] = true; !taken {
				taken = true
				out = append(out, dependency{cmp.Or(d.Alias, d.Name), sub, d.ImportValues})
			}
		}
	}
	for _, sub := range c.Dependencies() {
		if !named[sub] {
			out = append(out, dependency{key: sub.Name(), chart: sub})
		}
	}
	return out
}

// imported lists what a chart takes over from the values of one in it, lowest first. Of two imports, Helm takes the first.
func imported(d dependency, name string, from []share) []share {
	var out []share
	for _, i := range slices.Backward(d.imports) {
		child, parent := importPaths(i)
		for _, x := range from {
			v, _ := x.at(append([]string{d.key}, child...))
			table, ok := v.(map[string]any)
			if !ok || len(child) == 0 {
				continue
			}
			for _, k := range slices.Backward(parent) {
				table = map[string]any{k: table}
			}
			x.values = table
			if len(x.needs) < len(name) {
				x.needs = name
			}
			out = append(out, x)
		}
	}
	return out
}

// importPaths reads an entry of import-values: what of the child goes where in the parent; an empty path is the root.
func importPaths(entry any) (child, parent []string) {
	switch e := entry.(type) {
	case string:
		return append([]string{"exports"}, strings.Split(e, ".")...), nil
	case map[string]any:
		from, _ := e["child"].(string)
		to, _ := e["parent"].(string)
		if from == "" {
			return nil, nil
		}
		if to != "." {
			parent = strings.Split(to, ".")
		}
		return strings.Split(from, "."), parent
	}
	return nil, nil
}

// maxGlobals bounds what Helm makes of the values under "global": it copies them into every chart.
const maxGlobals = 1 << 20

func boundGlobals(c *chart.Chart, values map[string]any) error {
	charts, size := 0, sizeOf(values["global"])
	var count func(c *chart.Chart)
	count = func(c *chart.Chart) {
		charts++
		size += sizeOf(c.Values["global"])
		for _, d := range c.Dependencies() {
			count(d)
		}
	}
	if count(c); charts*size > maxGlobals {
		return fmt.Errorf("has %d values, which Helm copies into each of %d charts: more than %d in all", size, charts, maxGlobals)
	}
	return nil
}

// sizeOf counts the values below one; 16 bytes of text are one more.
func sizeOf(v any) int {
	n := 1
	switch v := v.(type) {
	case string:
		n += len(v) / 16
	case []any:
		for _, x := range v {
			n += sizeOf(x)
		}
	case map[string]any:
		for _, x := range v {
			n += sizeOf(x)
		}
	}
	return n
}

// coalesce puts the layers over the chart's defaults as Helm does before it renders. It changes the chart: what is disabled is taken out of it.
func (o *opened) coalesce(values map[string]any) (map[string]any, *problem) {
	o.below = nodeOf(o.chart)
	if err := boundGlobals(o.chart, values); err != nil {
		return nil, &problem{field: "values.global", code: "limit", message: err.Error()}
	}
	if err := chartutil.ProcessDependencies(o.chart, values); err != nil {
		return nil, &problem{field: "chart", code: "chart", message: mergeMessage(err)}
	}
	o.below = nodeOf(o.chart)
	merged, err := o.over(values)
	if err != nil {
		return nil, &problem{field: "values", code: "values", message: mergeMessage(err)}
	}
	return merged, nil
}

// over puts values over the defaults of the chart, once its dependencies are processed. Helm leaves a null that took nothing of the chart's own away; to the
// built-in chart, what is null is not there.
func (o *opened) over(values map[string]any) (common.Values, error) {
	merged, err := util.CoalesceValues(o.chart, values)
	if err == nil && o.prepared != nil {
		dropNulls(merged)
	}
	return merged, err
}

func dropNulls(m map[string]any) {
	for key, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, key)
		case map[string]any:
			dropNulls(v)
		}
	}
}

var mismatch = regexp.MustCompile(`type mismatch on ([^:]+): .*`)

// mergeMessage is what Helm says of values that it cannot merge, without the value.
func mergeMessage(err error) string {
	return mismatch.ReplaceAllString(firstLine(err), "the values of chart $1 must be a mapping")
}

// enabled gives the names of a chart and of those in it, as shares need them.
func (o *opened) enabled() map[string]bool {
	out := map[string]bool{}
	var walk func(name string, n chartNode)
	walk = func(name string, n chartNode) {
		out[name] = true
		for key, below := range n {
			walk(name+"/"+key, below)
		}
	}
	walk(o.chart.Name(), o.below)
	return out
}

func nodeOf(c *chart.Chart) chartNode {
	n := chartNode{}
	for _, d := range dependencies(c) {
		n[d.key] = nodeOf(d.chart)
	}
	return n
}

// mergeLayers puts values upon one another as the helm CLI does with its files.
func mergeLayers(values map[string]any, layers []share) map[string]any {
	if values == nil {
		values = map[string]any{}
	}
	for _, x := range layers {
		if len(x.values) > 0 {
			values = loader.MergeMaps(values, x.values)
		}
	}
	return values
}
