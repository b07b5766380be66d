package render

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode"

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

	Layers     []blueberry.Layer // config sets in their order, then overrides
	Parameters map[string]any    // that the request chose
	Restricted bool              // of code that nobody vouches for: what it may not have is left out, or a fault
	Strict     bool              // what a layer may not set is a fault, else it is dropped with a warning

	SourceCommit     string            // of the repository: where charts and blueprint come from
	AppCommit        string            // of the application that runs: what ${commit} stands for; empty when none is known
	Sources          map[string]Tree   // the repositories of the blueprint that components name, by name
	Commits          map[string]string // component → what ${commit} stands for, of those that do not run AppCommit
	Images           map[string]string // component → image by digest that CI built
	Looking          bool              // nothing will run: an image that is not known yet is stood for
	BlueprintVersion int               // number in the catalogue; 0 for a blueprint of none
	BlueprintAuthor  string
}

// Tree is the files of a repository of a blueprint.
type Tree struct {
	FS     fs.FS // nil when no component needs them
	Commit string
}

// NoCommit stands for the commit of files that are in none.
const NoCommit = "0000000000000000000000000000000000000000"

// noImage stands for the image of a component that CI has not built yet.
const noImage = "registry.invalid/not-built:none@sha256:0000000000000000000000000000000000000000000000000000000000000000"

// tree gives the files that a component is made of, with their commit; nil when there are none.
func (in Input) tree(c blueberry.Component) (fs.FS, string) {
	if c.Repository != "" {
		t := in.Sources[c.Repository]
		return t.FS, t.Commit
	}
	return in.Source, in.SourceCommit
}

// commitOf is what ${commit} stands for in the values of a component; empty when it is not known.
func (in Input) commitOf(c blueberry.Component) string {
	commit, own := in.Commits[c.Name]
	if !own && c.Repository == "" {
		commit = in.AppCommit
	}
	return commit
}

// Output is a rendering with all that is known of it.
type Output struct {
	blueberry.Rendering
	Settings []blueberry.Setting // effective values, by path; not to be changed: they may share memory with the input
	Warnings []blueberry.Warning
	Demand   blueberry.Demand
	Requests blueberry.Requests
	Images   map[string]string // of each web-service and Score component, and of each chart for which CI built one
	Hosts    []string          // public ones, in the order of the components. Those of charts and kustomizations are their own affair
}

// part is one component while it is rendered.
type part struct {
	component blueberry.Component
	index     int // in the blueprint; -1 for the platform's own
	wave      int
	manifests []manifest
}

// Environment merges the layers of values and renders one environment: the platform's guard rails and every component, each to one file. Every fault is
// told at once (kind Invalid). Field paths of the blueprint are relative to it ("components[1].values.replicas"); a fault about a value that another layer
// set is told there ("overrides.backend.replicas"). The same input gives the same bytes.
func Environment(in Input) (Output, error) {
	m, err := in.start()
	if err != nil {
		return Output{}, err
	}
	faults := &m.faults
	parts := make([]part, 0, len(in.Blueprint.Components)+1)
	for i, c := range in.Blueprint.Components {
		p := part{component: c, index: i, wave: c.Wave}
		var found []problem
		if p.manifests, found = m.component(c); len(found) > 0 {
			for _, x := range found {
				m.tell(&stack{component: c, index: i}, x)
			}
		}
		parts = append(parts, p)
	}
	if in.Restricted {
		m.restrict(parts)
	}
	need := needOf(parts)
	if in.Restricted {
		need.restricted(faults)
	}
	rails := part{component: blueberry.Component{Name: blueberry.PlatformComponent}, index: -1, wave: -1, manifests: in.guardRails(parts, need)}
	in.admit(faults, parts, rails)
	if err := m.err(); err != nil {
		return Output{}, err
	}
	out := Output{Settings: m.settings(), Warnings: m.warned(), Demand: need.demand(), Requests: requestsOf(parts, in.Revision)}
	out.Images, out.Hosts = m.images()
	out.Rendering, err = in.write(append(parts, rails))
	return out, err
}

// Settings merges the layers of values without running any template: the effective values with the origin of each, by path.
func Settings(in Input) ([]blueberry.Setting, []blueberry.Warning, error) {
	m, err := in.start()
	if err != nil {
		return nil, nil, err
	}
	if err := m.err(); err != nil {
		return nil, nil, err
	}
	return m.settings(), m.warned(), nil
}

// start checks the blueprint and merges the layers.
func (in Input) start() (*merger, error) {
	if err := checkBlueprint(in.Blueprint); err != nil {
		return nil, err
	}
	caps, err := capabilities(in.KubeVersion, in.APIVersions)
	if err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	return in.merge(caps), nil
}

// maxTold bounds the faults of one answer.
const maxTold = 1000

// err is every fault that was found, by field.
func (m *merger) err() error {
	slices.SortStableFunc(m.faults, compareFaults)
	if n := len(m.faults); n > maxTold {
		m.faults = m.faults[:maxTold]
		m.faults.Add("", "too_many", "there are %d faults more", n-maxTold)
	}
	for i, f := range m.faults { // a key may be as long as its document
		m.faults[i].Field, m.faults[i].Message = short(f.Field), short(f.Message)
	}
	return m.faults.Err()
}

func compareFaults(a, b blueberry.Fault) int {
	return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Code, b.Code), strings.Compare(a.Message, b.Message))
}

// warned gives the warnings, by field.
func (m *merger) warned() []blueberry.Warning {
	out := slices.Clone(m.warnings)
	slices.SortStableFunc(out, func(a, b blueberry.Warning) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Message, b.Message))
	})
	if n := len(out); n > maxTold {
		out = append(out[:maxTold], blueberry.Warning{Code: "too_many", Message: fmt.Sprintf("there are %d warnings more", n-maxTold)})
	}
	for i, w := range out {
		out[i].Field, out[i].Message = short(w.Field), short(w.Message)
	}
	return out
}

// settings gives those of every component, by path.
func (m *merger) settings() []blueberry.Setting {
	if len(m.stacks) == 1 {
		return m.stacks[0].settings
	}
	var out []blueberry.Setting
	for _, s := range m.stacks {
		out = append(out, s.settings...)
	}
	return sortSettings(out)
}

// images gives the image of each component that is one, and the public hosts.
func (m *merger) images() (images map[string]string, hosts []string) {
	images = map[string]string{}
	for _, s := range m.stacks {
		if s.component.Kind() == blueberry.HelmChart {
			if image := m.in.Images[s.name()]; image != "" {
				images[s.name()] = image
			}
			continue
		}
		images[s.name()], _ = s.effective["image"].(string)
		if host, _ := at(s.platform.values, "blueberry", "host").(string); host != "" {
			hosts = append(hosts, host)
		}
	}
	return images, hosts
}

// component renders one component, whatever its kind. One whose values are at fault is left out: it has been told.
func (m *merger) component(c blueberry.Component) ([]manifest, []problem) {
	if c.Kind() == blueberry.Kustomize {
		tree, _ := m.in.tree(c)
		if tree == nil {
			return nil, []problem{noSource("kustomization")}
		}
		return kustomization(tree, c.Kustomization)
	}
	s := m.find(c.Name)
	if s == nil || s.broken {
		return nil, nil
	}
	rel := chartRelease{name: c.Name, namespace: m.in.Namespace, caps: m.caps}
	if c.Kind() == blueberry.HelmChart {
		who, _ := at(s.platform.values, "global", "blueberry").(map[string]any)
		return s.opened.run(s.values, who, rel)
	}
	out, found := s.opened.run(s.builtinValues(), nil, rel)
	for i := range found {
		if found[i].field == "chart" {
			found[i].field = "" // a component without a chart of its own: what its templates say is about its values
		}
	}
	return out, found
}

func noSource(field string) problem {
	return problem{field: field, code: "source_required", message: "needs the files of a repository, and none was named"}
}

func fieldOf(i int) string { return "components[" + strconv.Itoa(i) + "]" }

// write labels and writes every part to its file, in the order of waves and names.
func (in Input) write(parts []part) (blueberry.Rendering, error) {
	var out blueberry.Rendering
	for _, p := range parts {
		f := blueberry.RenderedFile{Name: blueberry.FileName(p.wave, p.component.Name), Wave: p.wave, Component: p.component.Name}
		for _, m := range p.manifests {
			in.label(m.object, p.component.Name)
			if notes := child(m.object, "metadata", "annotations"); notes != nil {
				notes[blueberry.AnnotationWave] = strconv.Itoa(p.wave)
			}
			if err := appendManifest(&f, m); err != nil {
				return blueberry.Rendering{}, err
			}
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

// appendManifest writes one object behind those that a file has, below a line that says where it is from.
func appendManifest(f *blueberry.RenderedFile, m manifest) error {
	doc, err := encode(m.object)
	if err != nil {
		return fmt.Errorf("write %s: %w", m, err)
	}
	source := m.source
	if strings.IndexFunc(source, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		source = strconv.Quote(source) // the name of a file may hold a line feed; what stands behind it must not be read
	}
	f.Content = append(f.Content, documentStart+"# "+source+"\n"...)
	f.Content = append(f.Content, doc...)
	f.Objects = append(f.Objects, m.ref())
	return nil
}

// normal gives a value with the types that Helm's values have, wherever it came from: from JSON, YAML or Go. It is the value itself when it has them.
func normal(v any) any {
	if isNormal(v) {
		return v
	}
	return normalised(v)
}

func normalised(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = normalised(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = normalised(x)
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

func isNormal(v any) bool {
	switch v := v.(type) {
	case nil, bool, string, float64:
		return true
	case map[string]any:
		for _, x := range v {
			if !isNormal(x) {
				return false
			}
		}
		return true
	case []any:
		return !slices.ContainsFunc(v, func(x any) bool { return !isNormal(x) })
	}
	return false
}
