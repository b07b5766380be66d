package render

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Input is everything that a rendering depends on.
type Input struct {
	Project     blueberry.Project
	Name        string // of the environment
	Namespace   string
	Revision    int
	Domain      string // hosts end in it; empty means that nothing is public
	Blueprint   blueberry.Blueprint
	Source      fs.FS    // the application's repository; may be nil when Blueprint.NeedsSource() is false
	KubeVersion string   // "v1.36.3"; empty means DefaultKubeVersion
	APIVersions []string // that charts may ask for beside the built-in ones: "cert-manager.io/v1"
}

// part is one component while it is rendered.
type part struct {
	component blueberry.Component
	index     int // in the blueprint; -1 for the platform's own
	wave      int
	manifests []manifest
}

// Environment renders one environment: the platform's guard rails and every component, each to one file. Every fault is told at once (kind Invalid);
// field paths are relative to the blueprint ("components[1].values.replicas"). The same input gives the same bytes.
func Environment(in Input) (blueberry.Rendering, error) {
	if err := in.Blueprint.Check(); err != nil {
		return blueberry.Rendering{}, err
	}
	caps, err := capabilities(in.KubeVersion, in.APIVersions)
	if err != nil {
		return blueberry.Rendering{}, fmt.Errorf("render: %w", err)
	}
	var faults blueberry.Faults
	parts := make([]part, 0, len(in.Blueprint.Components)+1)
	for i, c := range in.Blueprint.Components {
		p := part{component: c, index: i, wave: c.Wave}
		var found []problem
		p.manifests, found = in.component(c, chartRelease{name: c.Name, namespace: in.Namespace, caps: caps, computed: in.computed(c)})
		for _, x := range found {
			faults.Add(blueberry.JoinField(fieldOf(i), x.field), x.code, "%s", x.message)
		}
		parts = append(parts, p)
	}
	rails := part{component: blueberry.Component{Name: blueberry.PlatformComponent}, index: -1, wave: -1, manifests: in.guardRails(parts)}
	in.admit(&faults, parts, rails)
	if err := faults.Err(); err != nil {
		return blueberry.Rendering{}, err
	}
	return in.write(append(parts, rails))
}

// Hosts gives the host of each public component: of each web-service that does not say "ingress: {public: false}". The hosts of charts and
// kustomizations are their own affair.
func Hosts(in Input) []string {
	var out []string
	for _, c := range in.Blueprint.Components {
		if h := in.host(c); h != "" {
			out = append(out, h)
		}
	}
	return out
}

func (in Input) host(c blueberry.Component) string {
	if in.Domain == "" || c.Kind() != blueberry.WebService {
		return ""
	}
	if public, ok := at(c.Values, "ingress", "public").(bool); ok && !public {
		return ""
	}
	return blueberry.Host(c.Name, in.Name, in.Domain)
}

// computed is what a chart of the repository finds in global.blueberry.
func (in Input) computed(c blueberry.Component) map[string]any {
	host := ""
	if in.Domain != "" {
		host = blueberry.Host(c.Name, in.Name, in.Domain)
	}
	return map[string]any{
		"project":     in.Project.Name,
		"environment": in.Name,
		"component":   c.Name,
		"namespace":   in.Namespace,
		"domain":      in.Domain,
		"host":        host,
	}
}

// component renders one component, whatever its kind.
func (in Input) component(c blueberry.Component, rel chartRelease) ([]manifest, []problem) {
	values, ok := normal(c.Values).(map[string]any)
	if !ok {
		values = map[string]any{}
	}
	switch c.Kind() {
	case blueberry.HelmChart:
		if in.Source == nil {
			return nil, []problem{noSource("chart")}
		}
		if at(values, "global", "blueberry") != nil {
			return nil, []problem{{field: "values.global.blueberry", code: "computed", message: "is set by Blueberry"}}
		}
		return helmChart(in.Source, c.Chart, values, rel)
	case blueberry.Kustomize:
		if in.Source == nil {
			return nil, []problem{noSource("kustomization")}
		}
		return kustomization(in.Source, c.Kustomization)
	case blueberry.WebService:
	}
	if values["blueberry"] != nil {
		return nil, []problem{{field: "values.blueberry", code: "computed", message: "is set by Blueberry"}}
	}
	return in.webService(c, values, rel)
}

func noSource(field string) problem {
	return problem{field: field, code: "source_required", message: "needs the files of a repository, and none was named"}
}

func fieldOf(i int) string { return fmt.Sprintf("components[%d]", i) }

// write labels and writes every part to its file, in the order of waves and names.
func (in Input) write(parts []part) (blueberry.Rendering, error) {
	var out blueberry.Rendering
	for _, p := range parts {
		f := blueberry.RenderedFile{Name: blueberry.FileName(p.wave, p.component.Name), Wave: p.wave, Component: p.component.Name}
		for _, m := range p.manifests {
			in.label(m.object, p.component.Name)
			doc, err := encode(m.object)
			if err != nil {
				return blueberry.Rendering{}, fmt.Errorf("write %s: %w", m, err)
			}
			f.Content = append(f.Content, "---\n# "+m.source+"\n"...)
			f.Content = append(f.Content, doc...)
			f.Objects = append(f.Objects, m.ref())
		}
		out.Files = append(out.Files, f)
	}
	slices.SortFunc(out.Files, func(a, b blueberry.RenderedFile) int {
		if a.Wave != b.Wave {
			return a.Wave - b.Wave
		}
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	out.Digest = blueberry.DigestOf(out.Files)
	return out, nil
}

// normal gives a value with the types that Helm's values have, wherever it came from: from JSON, YAML or Go.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = normal(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = normal(x)
		}
		return out
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case interface{ Float64() (float64, error) }: // json.Number
		f, _ := v.Float64()
		return f
	}
	return v
}
