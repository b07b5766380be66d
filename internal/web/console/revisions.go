package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// configView is what holds in one environment, and where it was set.
type configView struct {
	environmentView
	Groups   []settingGroup
	Shown    int
	Layers   []string
	Search   string
	Layer    string
	Of       int  // number of the revision
	Restated bool // it is not the one that is wanted
}

// settingGroup is the settings of one component.
type settingGroup struct {
	Name     string
	Settings []sdk.Setting
}

func environmentConfig(v *visit) (page, error) {
	e, err := v.environment("config")
	if err != nil {
		return page{}, err
	}
	q := v.r.URL.Query()
	c := configView{environmentView: e, Search: strings.TrimSpace(q.Get("q")), Layer: q.Get("layer"), Of: v.numberOf("revision")}
	settings, err := v.api.GetEnvironmentSettings(v.ctx, e.ID, c.Of, "")
	if err != nil {
		return page{}, err
	}
	if c.Of == 0 {
		c.Of = e.Revision
	}
	c.Restated = c.Of != e.Revision
	seen := map[string]bool{}
	for _, s := range settings.Settings {
		if !seen[s.Origin.Layer] {
			seen[s.Origin.Layer] = true
			c.Layers = append(c.Layers, s.Origin.Layer)
		}
		if !strings.Contains(strings.ToLower(s.Path), strings.ToLower(c.Search)) || c.Layer != "" && c.Layer != s.Origin.Layer {
			continue
		}
		c.Shown++
		component, _, _ := strings.Cut(s.Path, ".")
		if n := len(c.Groups); n == 0 || c.Groups[n-1].Name != component {
			c.Groups = append(c.Groups, settingGroup{Name: component})
		}
		g := &c.Groups[len(c.Groups)-1]
		g.Settings = append(g.Settings, s)
	}
	return e.page("Config", page{Body: configBody(c)}), nil
}

// numberOf reads a whole number of the address; 0 for none.
func (v *visit) numberOf(name string) int {
	n, _ := strconv.Atoi(v.r.URL.Query().Get(name)) // what is no number is none
	return max(n, 0)
}

// revisionsView is what one environment was asked to be.
type revisionsView struct {
	environmentView
	Items   []sdk.Revision
	Next    string
	Compare *sdk.RevisionDiff
	Holds   []sdk.Hold
}

func environmentRevisions(v *visit) (page, error) {
	e, err := v.environment("revisions")
	if err != nil {
		return page{}, err
	}
	list, err := v.api.ListEnvironmentRevisions(v.ctx, e.ID, sdk.Window{Before: v.numberOf("before")})
	if err != nil {
		return page{}, err
	}
	holds, err := v.api.ListEnvironmentHolds(v.ctx, e.ID)
	if err != nil {
		return page{}, err
	}
	r := revisionsView{environmentView: e, Items: list.Items, Holds: holds.Items}
	if list.NextBefore != 0 {
		r.Next = environmentPath(e.ID, "revisions") + "?before=" + strconv.Itoa(list.NextBefore)
	}
	if v.r.URL.Query().Has("from") {
		diff, err := v.api.DiffEnvironmentRevisions(v.ctx, e.ID, v.numberOf("from"), v.numberOf("to"))
		if err != nil {
			return page{}, err
		}
		r.Compare = &diff
	}
	return e.page("Revisions", page{Body: revisionsBody(r)}), nil
}

func revisionPath(id, tab string, number int) string {
	return environmentPath(id, tab) + "?revision=" + strconv.Itoa(number)
}

// manifestsView is what one environment was rendered to, and what became of it.
type manifestsView struct {
	environmentView
	View      string // desired, live or diff
	Search    string
	Of        int // number of the revision
	Digest    string
	Files     []manifestFile
	Drift     *sdk.Drift
	Large     bool
	Live      []sdk.LiveObject
	Component string // whose live objects are shown
	Names     []string
	Left      int // objects that are not shown
}

// manifestFile is one file of a rendering.
type manifestFile struct {
	sdk.RenderedFile
	Documents []manifestDocument
}

// manifestDocument is one object of a file, as it stands there.
type manifestDocument struct{ Name, Text string }

const (
	largeRendering = 256 << 10 // bytes from which a page of manifests is not made anew by itself
	mostLive       = 50        // live objects on one page: each is read from the target
)

func environmentManifests(v *visit) (page, error) {
	e, err := v.environment("manifests")
	if err != nil {
		return page{}, err
	}
	q := v.r.URL.Query()
	m := manifestsView{environmentView: e, View: q.Get("view"), Search: strings.TrimSpace(q.Get("q")), Of: v.numberOf("revision"), Component: q.Get("component")}
	switch m.View {
	case "live":
		err = v.liveManifests(&m)
	case "diff":
		var d sdk.Drift
		d, err = v.api.GetEnvironmentDrift(v.ctx, e.ID)
		m.Drift = &d
	default:
		m.View = "desired"
		err = v.desiredManifests(&m)
	}
	if err != nil {
		return page{}, err
	}
	p := e.page("Manifests", page{Body: manifestsBody(m)})
	if m.Large || m.View == "live" {
		p.Watch = interest{} // to make it again and again would cost much
	}
	return p, nil
}

func (v *visit) desiredManifests(m *manifestsView) error {
	if m.Of == 0 {
		m.Of = m.Revision
	}
	r, err := v.api.GetEnvironmentRendering(v.ctx, m.ID, m.Of)
	if err != nil {
		return err
	}
	m.Digest = r.Digest
	size := 0
	for _, f := range r.Files {
		size += len(f.Content)
		file := manifestFile{RenderedFile: f}
		for _, d := range documentsOf(f.Content) {
			if strings.Contains(strings.ToLower(d.Name), strings.ToLower(m.Search)) {
				file.Documents = append(file.Documents, d)
			}
		}
		if len(file.Documents) > 0 {
			m.Files = append(m.Files, file)
		}
	}
	m.Large = size > largeRendering
	return nil
}

// few reports whether there are so few documents that all stand open.
func (m manifestsView) few() bool {
	n := 0
	for _, f := range m.Files {
		n += len(f.Documents)
	}
	return n <= 3
}

func (v *visit) liveManifests(m *manifestsView) error {
	list, err := v.api.ListEnvironmentObjects(v.ctx, m.ID)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, o := range list.Items {
		if o.GoneAt.IsZero() && o.Component != "" && !seen[o.Component] {
			seen[o.Component] = true
			m.Names = append(m.Names, o.Component)
		}
	}
	slices.SortStableFunc(m.Names, func(a, b string) int { return lastOfPlatform(a) - lastOfPlatform(b) })
	if m.Component == "" && len(m.Names) > 0 {
		m.Component = m.Names[0]
	}
	for _, o := range list.Items {
		switch {
		case !o.GoneAt.IsZero() || o.Component != m.Component:
		case len(m.Live) == mostLive:
			m.Left++
		default:
			live, err := v.api.GetEnvironmentLiveObject(v.ctx, m.ID, sdk.ObjectRef{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name})
			if err != nil {
				return err
			}
			m.Live = append(m.Live, live)
		}
	}
	return nil
}

// documentsOf parts a file into its objects, each named by its kind and name. They are read line by line: it is for finding them, not for judging them.
func documentsOf(content string) (out []manifestDocument) {
	var text strings.Builder
	var kind, name string
	inMetadata := false
	end := func() {
		if strings.TrimSpace(text.String()) != "" {
			title := strings.TrimSpace(kind + " " + name)
			if title == "" {
				title = fmt.Sprintf("document %d", len(out)+1)
			}
			out = append(out, manifestDocument{title, text.String()})
		}
		text.Reset()
		kind, name, inMetadata = "", "", false
	}
	for line := range strings.Lines(content) {
		bare := strings.TrimRight(line, " \r\n")
		if bare == "---" {
			end()
			continue
		}
		text.WriteString(line)
		switch {
		case strings.HasPrefix(bare, "kind: "):
			kind = strings.Trim(strings.TrimPrefix(bare, "kind: "), `"'`)
		case bare == "metadata:":
			inMetadata = true
		case inMetadata && name == "" && strings.HasPrefix(bare, "  name: "):
			name = strings.Trim(strings.TrimPrefix(bare, "  name: "), `"'`)
		case bare != "" && !strings.HasPrefix(bare, " "):
			inMetadata = false
		}
	}
	end()
	return out
}
