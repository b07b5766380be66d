package blueberry

import (
	"fmt"
	"path"
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
	Name       string
	Components []Component
}

// ComponentKind says how a component is rendered.
type ComponentKind string

// The kinds of component.
const (
	WebService ComponentKind = "web-service" // the built-in chart
	HelmChart  ComponentKind = "helm"        // a chart at a path of the repository
	Kustomize  ComponentKind = "kustomize"   // a kustomization at a path of the repository
)

// Component is one part of a blueprint.
type Component struct {
	Name          string
	Image         string         // web-service: with tag or digest
	Port          int            // web-service: what the container listens on; 0 means 8080
	Health        string         // web-service: path of the probes; empty means "/"
	Chart         string         // helm: directory of the chart
	Kustomization string         // kustomize: directory of the kustomization
	Wave          int            // components of a lower wave are healthy before a higher one is applied; 0..99
	Values        map[string]any // merged over the chart's defaults
}

// Kind says how the component is rendered; the field that is set decides.
func (c Component) Kind() ComponentKind {
	switch {
	case c.Chart != "":
		return HelmChart
	case c.Kustomization != "":
		return Kustomize
	}
	return WebService
}

// Path is the directory in the repository that the component needs; empty for a web-service.
func (c Component) Path() string { return c.Chart + c.Kustomization }

// NeedsSource reports whether a component is rendered from files of the repository.
func (b Blueprint) NeedsSource() bool {
	for _, c := range b.Components {
		if c.Path() != "" {
			return true
		}
	}
	return false
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
		if c.Wave < 0 || c.Wave > MaxWave {
			f.Add(at+".wave", "range", "is %d, must be 0 to %d", c.Wave, MaxWave)
		}
		c.check(&f, at)
	}
	return f.Err()
}

func (c Component) check(f *Faults, at string) {
	if c.Chart != "" && c.Kustomization != "" {
		f.Add(at, "exclusive", "has both chart and kustomization, at most one is allowed")
		return
	}
	switch c.Kind() {
	case WebService:
		f.CheckImage(at+".image", c.Image)
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
