package render

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	release "helm.sh/helm/v4/pkg/release/v1/util"
)

// DefaultKubeVersion is the Kubernetes that charts see when the target's is not known: that of the embedded one.
const DefaultKubeVersion = "v1.36.3"

// chartRelease is what the templates of a chart see beside its values.
type chartRelease struct {
	name      string
	namespace string
	caps      *common.Capabilities
	prepared  *prepared // of the chart, when it is
}

// capabilities are those of a Kubernetes version, with further APIs.
func capabilities(version string, apis []string) (*common.Capabilities, error) {
	if version == "" {
		version = DefaultKubeVersion
	}
	v, err := common.ParseKubeVersion(version)
	if err != nil {
		return nil, fmt.Errorf("%q is not a Kubernetes version", version)
	}
	caps := common.DefaultCapabilities.Copy()
	caps.KubeVersion = *v
	caps.APIVersions = append(slices.Clone(caps.APIVersions), apis...)
	slices.Sort(caps.APIVersions)
	return caps, nil
}

// run renders a chart that is coalesced, with the values of the layers and what the platform puts behind the schema's back: a chart need not know of it.
func (o *opened) run(values, platform map[string]any, rel chartRelease) ([]manifest, []problem) {
	if platform != nil {
		values = withComputed(values, platform)
	}
	rel.prepared = o.prepared
	texts, found := templates(o.chart, func() (common.Values, error) { return o.over(values) }, rel)
	if len(found) > 0 {
		return nil, found
	}
	return chartManifests(o.chart, texts)
}

func installable(c *chart.Chart, caps *common.Capabilities) error {
	if c.Metadata.Type != "" && c.Metadata.Type != "application" {
		return fmt.Errorf("is a %s chart, which renders nothing by itself", c.Metadata.Type)
	}
	if want := c.Metadata.KubeVersion; want != "" && !chartutil.IsCompatibleRange(want, caps.KubeVersion.String()) {
		return fmt.Errorf("wants Kubernetes %s, the target has %s", want, caps.KubeVersion.Version)
	}
	return nil
}

// withComputed gives values with the computed ones in global.blueberry.
func withComputed(values, computed map[string]any) map[string]any {
	out := maps.Clone(values)
	global, _ := out["global"].(map[string]any)
	global = maps.Clone(global)
	if global == nil {
		global = map[string]any{}
	}
	global["blueberry"] = computed
	out["global"] = global
	return out
}

// templates runs the templates of a chart; a second time, with another time and other chances, if they asked for either.
func templates(c *chart.Chart, merge func() (common.Values, error), rel chartRelease) (map[string]string, []problem) {
	once := func(second bool) (map[string]string, bool, error) {
		top, err := merge() // templates may change their values: each run has its own
		if err != nil {
			return nil, false, err
		}
		all, err := scopes(c, map[string]any{
			"Values":       top,
			"Capabilities": rel.caps,
			"Release": map[string]any{
				"Name": rel.name, "Namespace": rel.namespace, "Service": "Helm",
				// The same in every revision: a new number alone must not change a manifest.
				"Revision": 1, "IsInstall": true, "IsUpgrade": false,
			},
		})
		if err != nil {
			return nil, false, err
		}
		r := newRun(second, rel.prepared)
		texts, err := r.execute(all)
		return texts, r.salt.asked, err
	}
	first, again, err := once(false)
	if err != nil {
		return nil, []problem{templateProblem(err)}
	}
	if !again {
		return first, nil
	}
	second, _, err := once(true)
	if err != nil {
		return nil, []problem{templateProblem(err)}
	}
	var found []problem
	for _, name := range slices.Sorted(maps.Keys(first)) {
		if first[name] != second[name] && !isNotes(name) {
			found = append(found, problem{field: "chart", code: "not_repeatable", message: fmt.Sprintf(
				"%s renders something else each time: it uses the time, a random text or a generated certificate; set the value that it makes up", name)})
		}
	}
	return first, found
}

func isNotes(name string) bool { return strings.HasSuffix(name, "NOTES.txt") }

var (
	// where a template failed: name, line and, mostly, column
	templatePlace  = regexp.MustCompile(`template: ([^:\s]+:\d+(?::\d+)?)`)
	templateReason = regexp.MustCompile(`^(?:template: \S+ |executing "[^"]*" at <.*?>: |error calling [A-Za-z]+: )+`)
)

// templateProblem says where a template failed, outermost and innermost place, and why.
func templateProblem(err error) problem {
	p := problem{field: "chart", code: "template"}
	text := err.Error()
	places := templatePlace.FindAllStringSubmatch(text, -1)
	var message *told
	var limit *limitError
	switch {
	case errors.As(err, &message):
		text = message.message
	case errors.As(err, &limit):
		text, p.code = limit.what, "limit"
	default:
		if cut := strings.LastIndex(text, "template: "); cut >= 0 {
			text = text[cut:]
		}
		text = templateReason.ReplaceAllString(text, "")
		if _, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(text, "template: ") {
			text = rest
			if _, rest, ok := strings.Cut(rest, ": "); ok {
				text = rest
			}
		}
	}
	p.message = strings.TrimSpace(text)
	var from *failure
	if len(places) == 0 && errors.As(err, &from) {
		p.message = from.name + ": " + p.message
	}
	if len(places) > 0 {
		first, last := places[0][1], places[len(places)-1][1]
		p.message = first + ": " + p.message
		if last != first {
			p.message += " (at " + last + ")"
		}
	}
	return p
}

// chartManifests reads what the templates wrote, and the CRDs, in the order in which Helm would install them.
func chartManifests(c *chart.Chart, texts map[string]string) ([]manifest, []problem) {
	var out []manifest
	var found []problem
	take := func(source, text string) {
		docs, problems := readManifests(source, text)
		out = append(out, docs...)
		found = append(found, problems...)
	}
	for _, crd := range c.CRDObjects() {
		take(crd.Filename, string(crd.File.Data))
	}
	for i := range out {
		out[i].crd = true
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if !isNotes(name) && !strings.HasPrefix(path.Base(name), "_") {
			take(name, texts[name])
		}
	}
	if len(found) > 0 {
		return nil, found
	}
	return installOrder(applyHooks(out)), nil
}

func firstLine(err error) string {
	text := strings.TrimSpace(err.Error())
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// splitDocuments cuts a YAML stream where Helm cuts it.
func splitDocuments(text string) []string {
	parts := release.SplitManifests(text)
	keys := slices.Collect(maps.Keys(parts))
	slices.SortFunc(keys, func(a, b string) int {
		if d := len(a) - len(b); d != 0 { // "manifest-2" before "manifest-10"
			return d
		}
		return strings.Compare(a, b)
	})
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = parts[k]
	}
	return out
}
