package blueberry

import (
	"fmt"
	"maps"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
)

// BlueprintFile is where an application's repository keeps its blueprint.
const BlueprintFile = "blueberry.yaml"

// Limits of one blueprint.
const (
	MaxComponents = 50
	MaxWave       = 99
)

// Blueprint describes what an environment is made of.
type Blueprint struct {
	Name          string
	Components    []Component
	Repositories  []SideRepository  `json:",omitempty"` // beside the one that the blueprint stands in
	Parameters    []Parameter       `json:",omitempty"`
	Schema        map[string]any    `json:",omitempty"` // JSON schema of the effective values, keyed by component
	Fields        FieldClasses      `json:",omitzero"`
	Computed      map[string]string `json:",omitempty"` // path → text with ${…}: what only the platform sets
	Services      []ServiceSlot     `json:",omitempty"`
	Egress        []Egress          `json:",omitempty"` // where every pod may connect to outside its environment
	ConfigSets    []ConfigRef       `json:",omitempty"` // that apply by default, below those of a request
	ConfigUpdates ConfigUpdates     `json:",omitempty"`
	Lease         LeaseBounds       `json:",omitzero"`
	Access        BlueprintAccess   `json:",omitzero"`
	PullRequests  PullRules         `json:",omitzero"` // of the repository that it is in; nothing is rendered of it
}

// Limits of the parts of a blueprint.
const (
	MaxParameters    = 50
	MaxFieldPatterns = 100 // of one class
	MaxServiceSlots  = 20
	MaxEgress        = 50
)

// FieldClasses sort the paths of values. A pattern is a path whose segments may be "*" (one segment, or a part of it) or "**" (any number); it matches a
// path and all below it. The first segment is the component.
type FieldClasses struct {
	Required  []string `json:",omitempty"` // must be set by someone
	Forbidden []string `json:",omitempty"` // config sets, parameters and overrides cannot set them
	Public    []string `json:",omitempty"` // look like secrets and are none
}

// ServiceSlot declares a data service that the components need. It is declared only: nothing makes it yet.
type ServiceSlot struct {
	Name string // "db"
	Kind string // "postgres", "mongodb", "redis", "bucket", "queue"
	Size string `json:",omitempty"` // of storage: "1Gi"
}

// ServiceKinds lists the kinds of data service that a slot may ask for.
func ServiceKinds() []string { return []string{"postgres", "mongodb", "redis", "bucket", "queue"} }

// Egress is one opening to the outside.
type Egress struct {
	CIDR  string // "10.1.0.0/16"
	Ports []int  `json:",omitempty"` // TCP; none means every port
}

// ConfigUpdates says what happens when a config set that an environment follows gets a new version.
type ConfigUpdates string

// The ways to follow.
const (
	ConfigPlan      ConfigUpdates = "plan"      // a plan is made, for a person to apply; also the meaning of empty
	ConfigAutomatic ConfigUpdates = "automatic" // it is applied, unless it is held or refused
)

// LeaseBounds narrow the leases of a blueprint's environments, in hours. 0 means the platform's own.
type LeaseBounds struct {
	Default int
	Max     int
}

// BlueprintAccess says who may use a blueprint of the catalogue. Both empty: everyone who may create environments.
type BlueprintAccess struct {
	Projects []string `json:",omitempty"`
	Actors   []string `json:",omitempty"` // by name
}

// Allows reports whether the actor may use the blueprint in the project.
func (a BlueprintAccess) Allows(actor Actor, project string) bool {
	return (len(a.Projects) == 0 || slices.Contains(a.Projects, project)) && (len(a.Actors) == 0 || slices.Contains(a.Actors, actor.Name))
}

// ComponentKind says how a component is rendered.
type ComponentKind string

// The kinds of component.
const (
	WebService ComponentKind = "web-service" // the built-in chart
	HelmChart  ComponentKind = "helm"        // a chart at a path of the repository
	Kustomize  ComponentKind = "kustomize"   // a kustomization at a path of the repository
	Score      ComponentKind = "score"       // a Score workload file of the repository (score.dev), run by the built-in chart
)

// Component is one part of a blueprint.
type Component struct {
	Name          string
	Image         string         // web-service: with tag or digest
	Port          int            // web-service: what the container listens on; 0 means 8080
	Health        string         // web-service: path of the probes; empty means "/"
	Chart         string         // helm: directory of the chart
	Kustomization string         // kustomize: directory of the kustomization
	Score         string         `json:",omitempty"` // score: path of the workload file
	Wave          int            // components of a lower wave are healthy before a higher one is applied; 0..99
	Values        map[string]any // merged over the chart's defaults
	Repository    string         `json:",omitempty"` // name of the blueprint's repository that it is of; empty means the one that the blueprint stands in
	Paths         []string       `json:",omitempty"` // patterns of what in the repository it is built from (MatchTreePath); none means all. Nothing is rendered of them
}

// Kind says how the component is rendered; the field that is set decides.
func (c Component) Kind() ComponentKind {
	switch {
	case c.Chart != "":
		return HelmChart
	case c.Kustomization != "":
		return Kustomize
	case c.Score != "":
		return Score
	}
	return WebService
}

// TakesValues reports whether layers of values reach the component.
func (c Component) TakesValues() bool { return c.Kind() != Kustomize }

// Path is the directory or file in the repository that the component needs; empty for a web-service.
func (c Component) Path() string { return c.Chart + c.Kustomization + c.Score }

// NeedsSource reports whether a component is rendered from files of the repository that the blueprint stands in.
func (b Blueprint) NeedsSource() bool {
	for _, c := range b.Components {
		if c.Path() != "" && c.Repository == "" {
			return true
		}
	}
	return false
}

// NeedsFiles reports whether a component is rendered from files of any repository.
func (b Blueprint) NeedsFiles() bool {
	return slices.ContainsFunc(b.Components, func(c Component) bool { return c.Path() != "" })
}

// Check tells every fault of the blueprint at once; field paths are relative to the blueprint ("components[1].image").
func (b Blueprint) Check() error {
	var f Faults
	f.CheckName("name", b.Name, MaxEnvironmentName)
	switch n := len(b.Components); {
	case n == 0:
		f.Add("components", "required", "a blueprint has at least one component")
	case n > MaxComponents:
		f.Add("components", "too_many", "has %d components, at most %d are allowed", n, MaxComponents)
	}
	seen := map[string]int{}
	for i, c := range b.Components {
		at := fmt.Sprintf("components[%d]", i)
		f.CheckName(at+".name", c.Name, MaxComponentName)
		if first, ok := seen[c.Name]; ok && c.Name != "" {
			f.Add(at+".name", "duplicate", "%q is the name of components[%d] too", c.Name, first)
		} else {
			seen[c.Name] = i
		}
		if c.Name == PlatformComponent {
			f.Add(at+".name", "reserved", "%q is the name of Blueberry's own part of an environment", c.Name)
		}
		if c.Name == AllComponents {
			f.Add(at+".name", "reserved", "%q stands for every component in documents of values", c.Name)
		}
		if c.Wave < 0 || c.Wave > MaxWave {
			f.Add(at+".wave", "range", "is %d, must be 0 to %d", c.Wave, MaxWave)
		}
		c.check(&f, at)
	}
	b.checkRepositories(&f)
	b.checkParameters(&f)
	b.checkFields(&f)
	b.checkServices(&f)
	b.checkRest(&f)
	b.PullRequests.check(&f)
	return f.Err()
}

func (c Component) check(f *Faults, at string) {
	f.checkPathPatterns(at+".paths", c.Paths)
	if kinds := given("chart", c.Chart, "kustomization", c.Kustomization, "score", c.Score); len(kinds) > 1 {
		f.Add(at, "exclusive", "has both %s, at most one is allowed", strings.Join(kinds, " and "))
		return
	}
	switch c.Kind() {
	case WebService:
		if c.Image != "" { // else a parameter or a layer of values may set it
			f.CheckImage(at+".image", c.Image)
		}
		if c.Port < 0 || c.Port > 65535 {
			f.Add(at+".port", "range", "is %d, must be 1 to 65535", c.Port)
		}
		if c.Health != "" && !strings.HasPrefix(c.Health, "/") {
			f.Add(at+".health", "pattern", "%q must start with a slash", c.Health)
		}
	case HelmChart:
		f.checkTreePath(at+".chart", c.Chart)
	case Kustomize:
		f.checkTreePath(at+".kustomization", c.Kustomization)
		if len(c.Values) > 0 {
			f.Add(at+".values", "forbidden", "a kustomization takes no values")
		}
	case Score:
		f.checkTreePath(at+".score", c.Score)
	}
	if c.Kind() != WebService {
		for _, x := range []struct {
			field string
			set   bool
		}{{"image", c.Image != ""}, {"port", c.Port != 0}, {"health", c.Health != ""}} {
			if x.set {
				f.Add(at+"."+x.field, "forbidden", "belongs to a web-service; this component is %s", c.Kind())
			}
		}
	}
}

func (f *Faults) checkTreePath(field, p string) {
	if path.IsAbs(p) || p != path.Clean(p) || p == ".." || strings.HasPrefix(p, "../") || strings.Contains(p, `\`) {
		f.Add(field, "path", "%q must be a clean path inside the repository", p)
	}
}

// given names those of the pairs (name, value) whose value is set.
func given(pairs ...string) []string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i])
		}
	}
	return out
}

// checkValuePath notes a path that names no component, or one that takes no values.
func (b Blueprint) checkValuePath(f *Faults, field, path string) {
	keys, ok := SplitPath(path)
	switch {
	case !ok || len(keys) < 2:
		f.Add(field, "path", "%q must be a component, a dot and a path of its values", path)
		return
	case listItem.MatchString(quotedKey.ReplaceAllString(path, "")):
		f.Add(field, "path", "%q is of an item of a list; a list is set as a whole", path)
		return
	}
	first := keys[0]
	if first == AllComponents {
		return
	}
	for _, c := range b.Components {
		if c.Name == first {
			if !c.TakesValues() {
				f.Add(field, "path", "%q: component %s takes no values", path, first)
			}
			return
		}
	}
	f.Add(field, "unknown", "%q: there is no component %q", path, first)
}

// An item of a list stands in brackets without quotes.
var (
	listItem  = regexp.MustCompile(`\[`)
	quotedKey = regexp.MustCompile(`\["(?:[^"\\]|\\.)*"\]`)
)

func (b Blueprint) checkFields(f *Faults) {
	for _, class := range []struct {
		name     string
		patterns []string
	}{{"required", b.Fields.Required}, {"forbidden", b.Fields.Forbidden}, {"public", b.Fields.Public}} {
		if n := len(class.patterns); n > MaxFieldPatterns {
			f.Add("fields."+class.name, "too_many", "has %d patterns, at most %d are allowed", n, MaxFieldPatterns)
			continue
		}
		for i, p := range class.patterns {
			if !ValidPattern(p) {
				f.Add(fmt.Sprintf("fields.%s[%d]", class.name, i), "pattern", "%q is not a pattern of paths, as *.resources or backend.env.DB_*", p)
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(b.Computed)) {
		b.checkValuePath(f, "computed["+path+"]", path)
	}
}

func (b Blueprint) checkServices(f *Faults) {
	if n := len(b.Services); n > MaxServiceSlots {
		f.Add("services", "too_many", "has %d services, at most %d are allowed", n, MaxServiceSlots)
		return
	}
	seen := map[string]bool{}
	for i, s := range b.Services {
		at := fmt.Sprintf("services[%d]", i)
		f.CheckName(at+".name", s.Name, MaxComponentName)
		if seen[s.Name] {
			f.Add(at+".name", "duplicate", "%q is the name of another service too", s.Name)
		}
		seen[s.Name] = true
		if !slices.Contains(ServiceKinds(), s.Kind) {
			f.Add(at+".kind", "enum", "%q is not one of %s", s.Kind, strings.Join(ServiceKinds(), ", "))
		}
	}
}

func (b Blueprint) checkRest(f *Faults) {
	if n := len(b.Egress); n > MaxEgress {
		f.Add("egress", "too_many", "has %d openings, at most %d are allowed", n, MaxEgress)
	}
	for i, e := range b.Egress {
		at := fmt.Sprintf("egress[%d]", i)
		if p, err := netip.ParsePrefix(e.CIDR); err != nil || p.Masked() != p {
			f.Add(at+".cidr", "cidr", "%q is not a network, as 10.1.0.0/16", e.CIDR)
		}
		for j, port := range e.Ports {
			if port < 1 || port > 65535 {
				f.Add(fmt.Sprintf("%s.ports[%d]", at, j), "range", "is %d, must be 1 to 65535", port)
			}
		}
	}
	if n := len(b.ConfigSets); n > MaxConfigSets {
		f.Add("configSets", "too_many", "names %d config sets, at most %d are allowed", n, MaxConfigSets)
	}
	named := map[string]bool{}
	for i, r := range b.ConfigSets {
		r.Version = 0
		if named[r.String()] {
			f.Add(fmt.Sprintf("configSets[%d]", i), "duplicate", "%s is named twice", r)
		}
		named[r.String()] = true
	}
	switch b.ConfigUpdates {
	case "", ConfigPlan, ConfigAutomatic:
	default:
		f.Add("configUpdates", "enum", "%q is not plan or automatic", b.ConfigUpdates)
	}
	if b.Lease.Default != 0 {
		f.CheckHours("lease.default", b.Lease.Default)
	}
	if b.Lease.Max != 0 {
		f.CheckHours("lease.max", b.Lease.Max)
	}
	if b.Lease.Max != 0 && b.Lease.Default > b.Lease.Max {
		f.Add("lease.default", "range", "is %d hours, more than lease.max", b.Lease.Default)
	}
}

// Hours gives the length of a lease that a request asks for; 0 asks for the blueprint's own.
func (l LeaseBounds) Hours(asked int) int {
	switch {
	case asked != 0:
		return asked
	case l.Default != 0:
		return l.Default
	case l.Max != 0:
		return min(l.Max, DefaultLeaseHours)
	}
	return DefaultLeaseHours
}
